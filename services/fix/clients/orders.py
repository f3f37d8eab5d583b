"""FIX D, and the orders of an E, to commands; of what is wrong the first is told."""

from typing import Final

from schemas.messages.core import (
    BasketEntry,
    Constraints,
    OrderType,
    RejectReason,
    StrategyKind,
    TimeInForce,
)
from schemas.messages.intake import NewOrder
from services.fix.clients.algorithms import Algorithm, algorithm_of
from services.fix.clients.asked import Asked, MissingTagError
from services.fix.clients.reference import Listed
from services.fix.clients.unworkable import check_workable
from services.fix.fields import Fields
from services.fix.values import (
    FixValueError,
    date,
    order_type,
    price_e9,
    quantity,
    side,
    time_in_force,
    utc_ns,
)

__all__ = [
    "ECHOED",
    "check_conditional",
    "check_present",
    "constraints_of",
    "entry_of",
    "order_of",
    "time_in_force_of",
    "trade_date_of",
]

# What a refusal repeats of an order.
ECHOED: Final = (1, 55, 48, 22, 54, 38, 40, 44, 59)
AUTOMATED: Final = ("", "1", "2")  # FIX 21; nobody works orders by hand here
LOCATE_TAG: Final = 5700  # LocateBroker, by custom: FIX has only whether one is needed (114)
VENUE_TAG: Final = 100  # ExDestination: the only venue that may have it
AT_ONCE: Final = (TimeInForce.IOC, TimeInForce.AT_OPEN)  # they have no schedule


def order_of(asked: Asked, trade_date: int) -> NewOrder:
    """Return the command of a D. Raises: FixValueError."""
    entry = entry_of(asked)
    terms = asked.seat.terms
    return NewOrder(
        tenant=terms.tenant,
        source=terms.source,
        trade_date=trade_date,
        **{name: getattr(entry, name) for name in entry.__struct_fields__},
    )


def check_present(asked: Asked) -> None:
    """Hold the message against what an order needs, some of it only here.

    Raises: MissingTagError.
    """
    for tag, name in ((11, "ClOrdID"), (54, "Side"), (40, "OrdType")):
        asked.need(tag, name)
    _ = asked.symbol
    asked.need(38, "OrderQty", "shares")
    check_conditional(asked)


def check_conditional(asked: Asked) -> None:
    """Hold a D or G against what its own values make it need. Raises: MissingTagError."""
    if asked.fields.get(40) == "2" and not asked.fields.get(44):
        reason = RejectReason.LIMIT_PRICE_MISSING
        raise MissingTagError(reason, 44, "Price", "a LIMIT order has one in tag 44")
    if asked.fields.get(59) == "6" and not (asked.fields.get(126) or asked.fields.get(432)):
        reason = RejectReason.EXPIRE_MISSING
        raise MissingTagError(reason, 126, "ExpireTime", "GTD has one in tag 126 or 432")


def trade_date_of(asked: Asked) -> int:
    """Return the trade date that the order says (75), else that of its instrument's session.

    Raises: FixValueError.
    """
    if text := asked.fields.get(75):
        return date(text, "TradeDate")
    instrument_id, _ = asked.instrument()
    return asked.reference.session(instrument_id, asked.at_ns).trade_date


def entry_of(asked: Asked) -> BasketEntry:
    """Return the order, tenant, source and trade date left out. Raises: FixValueError."""
    fields = asked.fields
    instrument_id, listed = asked.instrument()
    account_id = asked.account_id()
    check_workable(asked, listed.currency)
    units = quantity(fields.get(38), listed.quantity_scale, "OrderQty")
    if units <= 0:
        reason = RejectReason.QUANTITY_NOT_POSITIVE
        raise FixValueError(reason, "OrderQty", fields.get(38), "more than 0")
    limit_price_e9 = price_e9(fields.get(44), "Price") if fields.get(44) else None
    kind, is_short_sale = side(fields.get(54))
    order_kind = _order_type(fields)
    tif, expire_ns = time_in_force_of(asked, instrument_id)
    if fields.get(21) not in AUTOMATED:
        bound = "1 or 2: no order is worked by hand"
        raise FixValueError(RejectReason.VALUE_OUT_OF_RANGE, "HandlInst", fields.get(21), bound)
    algorithm = _algorithm(asked, listed, tif, expire_ns)
    return BasketEntry(
        client_order_id=fields.get(11),
        account_id=account_id,
        desk_id=asked.seat.terms.desk_id,
        instrument_id=instrument_id,
        side=kind,
        quantity=units,
        order_type=order_kind,
        limit_price_e9=limit_price_e9,
        time_in_force=tif,
        strategy=algorithm.strategy,
        urgency=algorithm.urgency,
        start_ns=algorithm.start_ns,
        end_ns=algorithm.end_ns,
        participation_cap_bps=algorithm.participation_cap_bps,
        is_cross_allowed=algorithm.is_cross_allowed,
        is_dark_allowed=True,
        currency=fields.get(15),
        expire_ns=expire_ns,
        is_short_sale=is_short_sale,
        locate_id=fields.get(LOCATE_TAG),
        constraints=constraints_of(fields, algorithm),
        parameters=algorithm.parameters,
    )


def constraints_of(fields: Fields, algorithm: Algorithm) -> Constraints | None:
    """Return the mandate; None when it asks nothing."""
    venue_id = fields.get(VENUE_TAG)
    constraints = Constraints(
        minimum_quantity=algorithm.minimum_quantity,
        display_quantity=algorithm.display_quantity,
        would_price_e9=algorithm.would_price_e9,
        venue_ids=(venue_id,) if venue_id else (),
    )
    return None if constraints == Constraints() else constraints


def _order_type(fields: Fields) -> OrderType:
    kind = order_type(fields.get(40))
    if kind is OrderType.PEGGED:
        reason, bound = RejectReason.UNSUPPORTED_ORDER_TYPE, "one of 1, 2"
        raise FixValueError(reason, "order_type", fields.get(40), bound)
    return kind


def time_in_force_of(asked: Asked, instrument_id: str) -> tuple[TimeInForce, int]:
    """Return the time in force, and when a GTD order expires, ns.

    An OMS that may send 126 with 59=6 only means the end of the work by it: where that lies in
    the session under way or the next one, it is a DAY order with an end.

    Raises: FixValueError.
    """
    fields = asked.fields
    tif = time_in_force(fields.get(59))
    if tif is not TimeInForce.GTD:
        return tif, 0
    if text := fields.get(126):
        at_ns = utc_ns(text, "ExpireTime")
        close_ns = asked.reference.session(instrument_id, asked.at_ns).close_ns
        return (TimeInForce.DAY, 0) if at_ns <= close_ns else (tif, at_ns)
    day = date(fields.get(432), "ExpireDate")
    close_ns = asked.reference.close_of(instrument_id, day, asked.at_ns)
    if not close_ns:
        bound = "a day whose session is known"
        raise FixValueError(RejectReason.VALUE_OUT_OF_RANGE, "ExpireDate", fields.get(432), bound)
    return tif, close_ns


def _algorithm(asked: Asked, listed: Listed, tif: TimeInForce, expire_ns: int) -> Algorithm:
    default = StrategyKind.IMMEDIATE if tif in AT_ONCE else asked.seat.terms.default_strategy
    if expire_ns:  # 126 is the order's last day, not the end of its work
        kept = [(tag, value) for tag, value in asked.fields.pairs if tag != 126]
        asked = asked._replace(fields=Fields(kept))
    return algorithm_of(asked, listed.quantity_scale, default)
