"""D, F, G and H as a venue reads them: an order of the simulator, or why there is none."""

from typing import Final, NamedTuple

from schemas.messages.core import Cause, OrderType, RejectReason, Side, TimeInForce
from schemas.messages.routing import (
    ChildCancelRequested,
    ChildPlaced,
    ChildReplaceRequested,
    ChildStatusRequested,
)
from services.fix import values
from services.fix.fields import Fields
from services.fix.market.state import MarketState, Order

__all__ = ["Read", "canceled", "order_of", "placed", "questioned", "read_order", "replaced"]

ON_CLOSE: Final = {"5": OrderType.MARKET, "B": OrderType.LIMIT}  # FIX 40 of 4.2
MID_PEG, POST_ONLY = "M", "6"  # FIX 18
PEG_TO_MID: Final = "2"  # FIX 1094
SELF_TRADE_TAGS: Final = (2362, 7928)  # SelfMatchPreventionID, of 5.0 and as venues had it before


class Read(NamedTuple):
    """What a D or G says of an order. Quantities in smallest units."""

    instrument_id: str
    side: Side
    is_short_sale: bool
    order_type: OrderType
    time_in_force: TimeInForce
    quantity: int
    price_e9: int | None
    minimum_quantity: int
    display_quantity: int
    is_post_only: bool
    trade_date: int  # yyyymmdd; 0 when it does not say


def read_order(state: MarketState, fields: Fields) -> Read:
    """Return what a D or G says. Raises: FixValueError."""
    instrument_id = state.symbols.get(fields.get(55), fields.get(55))
    if instrument_id not in state.scales:
        reason, bound = RejectReason.UNKNOWN_INSTRUMENT, "defined instruments"
        raise values.FixValueError(reason, "55", fields.get(55), bound)
    scale = state.scales[instrument_id]
    side, is_short_sale = values.side(fields.get(54))
    order_type, time_in_force = _type(fields)
    instructions = fields.get(18).split()

    def units(*tags: int) -> int:
        found = next((tag for tag in tags if tag in fields), 0)
        return values.quantity(fields.get(found), scale, str(found)) if found else 0

    if units(38) <= 0:
        bound = "more than 0"
        raise values.FixValueError(RejectReason.QUANTITY_NOT_POSITIVE, "38", fields.get(38), bound)
    return Read(
        instrument_id=instrument_id,
        side=side,
        is_short_sale=is_short_sale,
        order_type=order_type,
        time_in_force=time_in_force,
        quantity=units(38),
        price_e9=values.price_e9(fields.get(44), "44") if 44 in fields else None,
        minimum_quantity=units(110),
        display_quantity=units(1138, 111, 210),
        is_post_only=POST_ONLY in instructions,
        trade_date=values.date(fields.get(75), "75") if 75 in fields else 0,
    )


def order_of(session_id: str, fields: Fields, read: Read) -> Order:
    """Return what is kept of a D."""
    return Order(
        session_id=session_id,
        instrument_id=read.instrument_id,
        symbol=fields.get(55),
        side=fields.get(54),
        kind=read.side,
        order_type=fields.get(40),
        time_in_force=fields.get(59),
        account=fields.get(1),
        quantity=read.quantity,
        price_e9=read.price_e9,
        client_order_id=fields.get(11),
        leaves=read.quantity,
    )


def placed(session_id: str, venue_id: str, fields: Fields, read: Read) -> ChildPlaced:
    """Return the order as the simulator takes it. What no FIX message tells a venue is neutral.

    Who sends it is known by the session: orders of one session do not trade with each other, unless
    they say otherwise.
    """
    client_order_id, group = fields.get(11), f"{session_id}.{read.instrument_id}"
    self_trade_id = next((fields.get(tag) for tag in SELF_TRADE_TAGS if tag in fields), group)
    return ChildPlaced(
        **_reference(client_order_id, venue_id, read.instrument_id),  # type: ignore[arg-type]
        side=read.side,
        quantity=read.quantity,
        order_type=read.order_type,
        price_e9=read.price_e9,
        time_in_force=read.time_in_force,
        minimum_quantity=read.minimum_quantity,
        self_trade_id=self_trade_id,
        arrival_price_e9=None,
        placed_ns=0,
        ack_due_ns=0,
        rest_until_ns=0,
        is_short_sale=read.is_short_sale,
        display_quantity=read.display_quantity,
        is_post_only=read.is_post_only,
        trade_date=read.trade_date,
    )


def canceled(order_id: str, venue_id: str, order: Order, request: int) -> ChildCancelRequested:
    """Return a cancel as the simulator takes it."""
    return ChildCancelRequested(
        **_reference(order_id, venue_id, order.instrument_id),  # type: ignore[arg-type]
        request=request,
        cause=Cause.UNKNOWN,
        retry_ns=0,
    )


def replaced(
    order_id: str, venue_id: str, order: Order, request: int, read: Read
) -> ChildReplaceRequested:
    """Return a replace as the simulator takes it."""
    return ChildReplaceRequested(
        **_reference(order_id, venue_id, order.instrument_id),  # type: ignore[arg-type]
        request=request,
        previous_quantity=order.quantity,
        quantity=read.quantity,
        price_e9=read.price_e9,
        cause=Cause.UNKNOWN,
        requested_ns=0,
        retry_ns=0,
    )


def questioned(order_id: str, venue_id: str, order: Order) -> ChildStatusRequested:
    """Return a question as the simulator takes it."""
    return ChildStatusRequested(
        **_reference(order_id, venue_id, order.instrument_id),  # type: ignore[arg-type]
        request=0,
        cause=Cause.UNKNOWN,
        retry_ns=0,
    )


def _reference(order_id: str, venue_id: str, instrument_id: str) -> dict[str, object]:
    """A venue knows orders, and nothing of the slices and parents that they are of."""
    return {
        "child_id": order_id,
        "slice_id": order_id,
        "parent_id": order_id,
        "epoch": 0,
        "venue_id": venue_id,
        "instrument_id": instrument_id,
    }


def _type(fields: Fields) -> tuple[OrderType, TimeInForce]:
    text = fields.get(40)
    if text in ON_CLOSE:
        return ON_CLOSE[text], TimeInForce.AT_CLOSE
    order_type = values.order_type(text)
    if order_type is OrderType.PEGGED:
        is_mid = MID_PEG in fields.get(18).split() or fields.get(1094) == PEG_TO_MID
        if not is_mid:
            reason, bound = RejectReason.UNSUPPORTED_ORDER_TYPE, "a peg to the midpoint (18=M)"
            raise values.FixValueError(reason, "order_type", text, bound)
        order_type = OrderType.MIDPOINT
    return order_type, values.time_in_force(fields.get(59))
