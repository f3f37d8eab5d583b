"""What of an order is fixed for as long as it lives: a G that says it otherwise is refused."""

from schemas.messages.core import OrderType, RejectReason, TimeInForce
from services.fix.clients.algorithms import Algorithm
from services.fix.clients.asked import Asked
from services.fix.clients.orders import LOCATE_TAG, time_in_force_of
from services.fix.clients.state import Order
from services.fix.values import FixValueError, side, utc_ns, utc_text

__all__ = ["check_fixed", "check_same"]


def check_same(asked: Asked, order: Order | None) -> None:
    """Refuse an F or G that tells of another order than it names. Raises: FixValueError."""
    text = asked.fields.get(54)
    kind, is_short_sale = side(text)
    if order is None:
        return
    account_id = asked.fields.get(1) or order.account_id
    for name, told, own in (
        ("Side", (kind, is_short_sale), (order.side, order.is_short_sale)),
        ("Account", account_id, order.account_id),
    ):
        if told != own:
            value = text if name == "Side" else account_id
            reason = RejectReason.REPLACE_NOT_ALLOWED
            raise FixValueError(reason, name, value, f"the one of {order.client_order_id}")


def check_fixed(asked: Asked, order: Order, algorithm: Algorithm) -> None:
    """Refuse to change what no replace of the engine can carry. Raises: FixValueError."""
    fields, currency = asked.fields, asked.reference.currency(order.instrument_id)
    is_later = algorithm.start_ns > order.start_ns
    shown = {
        "OrdType": fields.get(40),
        "StartTime": utc_text(algorithm.start_ns),
        "TimeInForce": fields.get(59),
        "ExecInst": fields.get(18) or "none",
    }
    for name, told, own in (
        ("OrdType", fields.get(40) == "1" and order.order_type is OrderType.LIMIT, False),
        ("TimeInForce", _is_as_long(asked, order), True),
        ("TargetStrategy", algorithm.strategy, order.strategy),
        ("Urgency", algorithm.urgency, order.urgency),
        ("ParticipationCap", algorithm.participation_cap_bps, order.participation_cap_bps),
        ("StartTime", is_later, False),
        ("ExecInst", algorithm.is_cross_allowed, order.is_cross_allowed),
        ("Currency", fields.get(15) or currency, currency),
        ("LocateBroker", fields.get(LOCATE_TAG) or order.locate_id, order.locate_id),
    ):
        if told != own:
            value = shown.get(name, str(told))
            bound = f"as in {order.client_order_id}, for as long as it lives"
            raise FixValueError(RejectReason.REPLACE_NOT_ALLOWED, name, value, bound)


def _is_as_long(asked: Asked, order: Order) -> bool:
    """Return whether time in force and expiry are the order's; DAY where nothing is said."""
    if not asked.fields.get(59):
        return True
    tif, expire_ns = time_in_force_of(asked, order.instrument_id)
    if order.time_in_force is TimeInForce.GTD and tif is TimeInForce.DAY:
        # Its last day: 126 with 59=6 lies in the session under way, as the end of work would.
        text = asked.fields.get(126) if asked.fields.get(59) == "6" else ""
        return bool(text) and utc_ns(text, "ExpireTime") == order.expire_ns
    return (tif, expire_ns) == (order.time_in_force, order.expire_ns)
