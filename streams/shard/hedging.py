"""The error account's own orders: what it got by an over-fill is offered to the other side."""

from collections.abc import Iterator
from typing import Any

from schemas.messages.core import OrderType, StrategyKind, TimeInForce, Urgency
from schemas.messages.intake import NewOrder, OrderCanceled, OrderClosed, OrderRestated
from schemas.messages.routing import ErrorHedged, FillBooked, FillBusted, FillCorrected
from streams.routing.commands import HedgeError
from streams.routing.hedging import SOURCE
from streams.shard.knowledge import Knowledge
from streams.shard.submission import submit_order

__all__ = ["enter_hedge", "hedge_again", "hedges"]

BPS = 10_000


def hedges(knows: Knowledge, change: FillBooked | FillBusted | FillCorrected) -> Iterator[Any]:
    """Ask routing for a hedge when the error account moved and somebody bears it."""
    if not knows.state.routing.errors or not knows.state.reference.routing.has_error_account:
        return
    if change.instrument_id in knows.state.routing.errors:
        yield HedgeError(
            instrument_id=change.instrument_id,
            lot=knows.terms(change.instrument_id).lot,
            change=change,
            at_ns=knows.at_ns,
        )


def hedge_again(
    knows: Knowledge, event: OrderCanceled | OrderClosed | OrderRestated
) -> Iterator[Any]:
    """Ask for another hedge when a house order ended, or lost a fill, and left a position open.

    Not before its timer is due: an order that ends in the very batch in which it was taken would
    be entered again for ever.
    """
    routing = knows.state.routing
    order = routing.hedge_orders.get(event.order_id)
    if order is None or order.instrument_id not in routing.errors:
        return
    if knows.at_ns >= routing.hedge_due_ns.get(order.instrument_id, 0):
        yield HedgeError(
            instrument_id=order.instrument_id,
            lot=knows.terms(order.instrument_id).lot,
            change=None,
            at_ns=knows.at_ns,
        )


def enter_hedge(knows: Knowledge, event: ErrorHedged) -> Iterator[Any]:
    """Enter the house order: intake, limits and kill switch answer it like any other.

    It is worked at once and crosses with nobody: no client's order may meet the firm's mistake.
    """
    instrument = knows.terms(event.instrument_id)
    order = NewOrder(
        tenant=event.tenant,
        source=SOURCE,
        client_order_id=event.hedge_id,
        account_id=event.account_id,
        desk_id=knows.state.reference.routing.error_desk_id,
        instrument_id=event.instrument_id,
        trade_date=instrument.trade_date,
        side=event.side,
        quantity=event.quantity,
        order_type=OrderType.MARKET,
        limit_price_e9=None,
        time_in_force=TimeInForce.DAY,
        strategy=StrategyKind.IMMEDIATE,
        urgency=Urgency.NEUTRAL,  # an urgent one could be over-filled in its turn
        start_ns=0,
        end_ns=0,
        participation_cap_bps=BPS,
        is_cross_allowed=False,
        is_dark_allowed=False,
    )
    yield submit_order(knows, order, is_own=True)
