"""A client's commands as its session writes them: D, F, G, q, E."""

from functools import cache
from typing import Final

from schemas.messages.core import BasketEntry, MassCancelScope, OrderType
from schemas.messages.intake import (
    CancelOrder,
    MassCancelOrder,
    NewBasket,
    NewOrder,
    ReplaceOrder,
)
from services.fix import values
from services.fix.codes import Version
from services.fix.dictionary import dictionary
from services.fix.fields import Fields
from services.fix.oms.algorithms import algorithm_fields, group_fields
from services.fix.oms.book import Known
from services.fix.oms.terms import OmsSession

__all__ = ["basket", "cancel", "has_mass_cancel", "mass_cancel", "new_order", "replace"]

AUTOMATED: Final = "1"  # FIX 21
NO_BIDDING, AT_ONCE = "3", "1"  # FIX 394, 433
LOCATE_TAG: Final = 5700  # LocateBroker, by custom
TIME_DIGITS: Final = 9
# FIX 530 by what is meant; a scope that FIX has no word for is sent as all orders of the session.
SCOPES: Final = {MassCancelScope.INSTRUMENT: "1", MassCancelScope.ALL: "7"}
ALL: Final = "7"


def new_order(session: OmsSession, order: NewOrder, scale: int, at_ns: int) -> Fields:
    """Return a D. It says its trade date: the market's day need not be the wall's."""
    fields = _entry(session, order, scale, at_ns).add(75, order.trade_date)
    fields.pairs += group_fields(session, order, scale).pairs
    return fields


def basket(session: OmsSession, message: NewBasket, scales: dict[str, int], at_ns: int) -> Fields:
    """Return an E that is to begin at once."""
    fields = Fields().add(66, message.basket_id).add(394, NO_BIDDING).add(433, AT_ONCE)
    fields.add(68, len(message.entries)).add(73, len(message.entries))
    for number, entry in enumerate(message.entries, 1):
        scale = scales.get(entry.instrument_id, 1)
        order = _entry(session, entry, scale, at_ns)
        order.add(67, number).add(75, message.trade_date)
        order.pairs += group_fields(session, entry, scale).pairs
        fields.pairs += _in_order(session.version, order)
    return fields


def cancel(command: CancelOrder, known: Known | None, scale: int, at_ns: int) -> Fields:
    """Return an F. An order that was never sent is asked for all the same."""
    fields = Fields().add(41, command.original_client_order_id).add(11, command.client_order_id)
    fields.add(55, command.instrument_id).add(54, "1" if known is None else known.side)
    fields.add(60, values.utc_text(at_ns, TIME_DIGITS))
    return fields.add(38, "1" if known is None else values.quantity_text(known.quantity, scale))


def replace(
    session: OmsSession, command: ReplaceOrder, known: Known | None, scale: int, at_ns: int
) -> Fields:
    """Return a G. It says all that the order says, changed or not, as counterparties expect."""
    fields = Fields().add(41, command.original_client_order_id).add(11, command.client_order_id)
    if known is None:
        fields.add(21, AUTOMATED).add(55, command.instrument_id).add(54, "1")
        fields.add(60, values.utc_text(at_ns, TIME_DIGITS))
        fields.add(38, values.quantity_text(command.quantity, scale))
        return fields.add(40, values.order_type_text(OrderType.MARKET))
    order = changed(known.order, command)
    # The ClOrdID stands already.
    fields.pairs += _entry(session, order, scale, at_ns).pairs[1:]
    fields.pairs += group_fields(session, order, scale).pairs
    return fields


def changed(order: NewOrder, command: ReplaceOrder) -> NewOrder:
    """Return what an order is to be; what a replace does not say stays."""
    limit_e9 = command.limit_price_e9
    return NewOrder(
        **{
            **{name: getattr(order, name) for name in order.__struct_fields__},
            "quantity": command.quantity,
            "limit_price_e9": order.limit_price_e9 if limit_e9 is None else limit_e9,
            "order_type": order.order_type if limit_e9 is None else OrderType.LIMIT,
            "end_ns": command.end_ns or order.end_ns,
            "constraints": command.constraints or order.constraints,
            "parameters": command.parameters or order.parameters,
        }
    )


def mass_cancel(command: MassCancelOrder, at_ns: int) -> Fields:
    """Return a q."""
    fields = Fields().add(11, command.client_order_id).add(530, SCOPES.get(command.scope, ALL))
    if command.scope is MassCancelScope.INSTRUMENT:
        fields.add(55, command.scope_id)
    return fields.add(60, values.utc_text(at_ns, TIME_DIGITS))


def _in_order(version: Version, entry: Fields) -> list[tuple[int, str]]:
    """Return an entry of a list in the order that its version has for it."""
    places = _places(version)
    kept = [pair for pair in entry.pairs if pair[0] in places]
    return sorted(kept, key=lambda pair: places[pair[0]])  # sorted() keeps groups in theirs


@cache
def _places(version: Version) -> dict[int, int]:
    """Return where a tag stands in an order of an E; tags of groups stand with their count."""
    layout = dictionary(version).layout("E")
    orders = None if layout is None else layout.find(73)
    assert orders is not None, f"{version} has no list of orders"
    places: dict[int, int] = {}
    for place, item in enumerate(orders.group):
        for tag in (item.tag, *(inner.tag for inner in item.group)):
            places.setdefault(tag, place)
    return places


def _entry(session: OmsSession, order: NewOrder | BasketEntry, scale: int, at_ns: int) -> Fields:
    fields = Fields().add(11, order.client_order_id).add(1, order.account_id)
    fields.add(21, AUTOMATED).add(55, order.instrument_id)
    fields.add(54, values.side_text(order.side, order.is_short_sale))
    fields.add(60, values.utc_text(at_ns, TIME_DIGITS))
    fields.add(38, values.quantity_text(order.quantity, scale))
    fields.add(40, values.order_type_text(order.order_type))
    if order.limit_price_e9 is not None:
        fields.add(44, values.price_text(order.limit_price_e9))
    fields.add(15, order.currency or None)
    fields.add(59, values.time_in_force_text(order.time_in_force))
    if order.is_short_sale:
        fields.add(114, not order.locate_id).add(LOCATE_TAG, order.locate_id or None)
    algorithm = algorithm_fields(session, order, scale)
    if order.expire_ns and 126 not in algorithm:
        algorithm.add(126, values.utc_text(order.expire_ns, TIME_DIGITS))
    fields.pairs += algorithm.pairs
    return fields


def has_mass_cancel(version: Version) -> bool:
    """Whether the version has a q: 4.2 asks for each order by itself."""
    return version is not Version.FIX42
