"""Messages to a venue in its own dialect: D, F, G, H, AF, Q."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from schemas.messages.core import OrderType, TimeInForce
from services.fix import values
from services.fix.codes.versions import Version
from services.fix.fields import Fields
from services.fix.venues.ids import cancel_id, replace_id, status_id
from services.fix.venues.state import Child
from services.fix.venues.terms import VenueTerms

__all__ = [
    "cancel_request",
    "dont_know",
    "mass_status_request",
    "new_order",
    "refusal",
    "replace_request",
    "status_request",
]

SIDE: Final = 54
EXEC_INST: Final = 18  # its values stand beside each other, a space between
NO_MATCHING_ORDER, WRONG_SIDE = "D", "B"  # FIX 127
ALL_ORDERS: Final = "7"  # FIX 585
SECOND_NS: Final = 10**9


def refusal(terms: VenueTerms, child: Child, at_ns: int) -> str:
    """Return why the venue's terms do not let a child be sent; empty when they do."""
    symbol = terms.symbol_of(child.instrument_id).symbol
    rungs = (
        (not _is_writable(symbol), "its symbol cannot be written in FIX"),
        (not _is_writable(child.self_trade_id), "its self-trade id cannot be written in FIX"),
        (_is_closed(terms, at_ns), _hours(terms)),
        (child.order_type not in terms.order_types, f"takes no {child.order_type.value} order"),
        (child.time_in_force not in terms.times_in_force, f"takes no {child.time_in_force.value}"),
        (child.minimum_quantity > 0 and not terms.minimum_tag, "takes no minimum quantity"),
        (child.display_quantity > 0 and not terms.display_tag, "takes no display quantity"),
        (child.is_post_only and not terms.post_only, "takes no post-only order"),
        (child.is_short_sale and not terms.short_sale, "takes no short sale"),
    )
    return next((text for is_broken, text in rungs if is_broken), "")


def new_order(terms: VenueTerms, child: Child, child_id: str, scale: int, at_ns: int) -> Fields:
    """Return a D."""
    order = _order(terms, child, scale, child.quantity, child.price_e9)
    return _fields({11: child_id} | order | _time(terms, at_ns))


def replace_request(
    terms: VenueTerms, child: Child, child_id: str, request: int, *, scale: int, at_ns: int
) -> Fields:
    """Return a G; 38 is the whole quantity, the executed part included."""
    first = _references(terms, child, child_id, replace_id(child_id, request))
    order = _order(terms, child, scale, child.asked_quantity, child.asked_price_e9)
    return _fields(first | order | _time(terms, at_ns))


def cancel_request(
    terms: VenueTerms, child: Child, child_id: str, request: int, *, scale: int, at_ns: int
) -> Fields:
    """Return an F."""
    fields = _references(terms, child, child_id, cancel_id(child_id, request))
    fields |= _account(terms) | _instrument(terms, child) | _side(terms, child)
    fields[38] = values.quantity_text(child.quantity, scale)
    return _fields(fields | _time(terms, at_ns))


def status_request(terms: VenueTerms, child: Child, child_id: str, request: int) -> Fields:
    """Return an H."""
    fields = {11: _newest_id(terms, child, child_id)}
    if child.venue_order_id:
        fields[37] = child.venue_order_id
    if terms.version is not Version.FIX42:
        fields[790] = status_id(child_id, request)
    return _fields(fields | _account(terms) | _instrument(terms, child) | _side(terms, child))


def mass_status_request(request_id: str) -> Fields:
    """Return an AF that asks for all of our orders."""
    return Fields().add(584, request_id).add(585, ALL_ORDERS)


def dont_know(report: Fields, child: Child | None) -> Fields:
    """Return a Q for an execution that fits no order of ours, in the venue's own words."""
    why = NO_MATCHING_ORDER if child is None else WRONG_SIDE
    fields = Fields().add(37, report.get(37) or "NONE").add(17, report.get(17)).add(127, why)
    for tag in (55, 48, 22, 54, 38, 32, 31):
        fields.add(tag, report.get(tag) or None)
    return fields


def _order(
    terms: VenueTerms,
    child: Child,
    scale: int,
    quantity: int,
    price_e9: int | None,
) -> dict[int, str]:
    fields = _account(terms)
    if terms.version is Version.FIX42:
        fields[21] = "1"  # HandlInst: automated, no broker
    fields |= _instrument(terms, child) | _side(terms, child)
    fields[38] = values.quantity_text(quantity, scale)
    fields |= _type(terms, child)
    if price_e9 is not None:
        fields[44] = values.price_text(price_e9)
    if child.minimum_quantity:
        fields[terms.minimum_tag] = values.quantity_text(child.minimum_quantity, scale)
    if child.display_quantity:
        fields[terms.display_tag] = values.quantity_text(child.display_quantity, scale)
    if terms.capacity_tag:
        fields[terms.capacity_tag] = terms.capacity
    if terms.self_trade_tag and child.self_trade_id:
        fields[terms.self_trade_tag] = child.self_trade_id
    if child.order_type is OrderType.MIDPOINT:
        _lay(fields, terms.midpoint)
    if child.is_post_only:
        _lay(fields, terms.post_only)
    if child.is_short_sale:
        _lay(fields, terms.short_sale)
    _lay(fields, terms.constants)
    return fields


def _references(terms: VenueTerms, child: Child, child_id: str, own: str) -> dict[int, str]:
    fields = {41: _newest_id(terms, child, child_id), 11: own}
    if child.venue_order_id:
        fields[37] = child.venue_order_id
    return fields


def _newest_id(terms: VenueTerms, child: Child, child_id: str) -> str:
    """Return the ClOrdID by which the venue knows the order now."""
    if terms.original_id == "latest" and child.replaced:
        return replace_id(child_id, child.replaced)
    return child_id


def _time(terms: VenueTerms, at_ns: int) -> dict[int, str]:
    return {60: values.utc_text(at_ns, terms.time_digits)}


def _account(terms: VenueTerms) -> dict[int, str]:
    return {1: terms.account} if terms.account else {}


def _instrument(terms: VenueTerms, child: Child) -> dict[int, str]:
    symbol = terms.symbol_of(child.instrument_id)
    fields = {55: symbol.symbol}
    if symbol.security_id:
        fields |= {48: symbol.security_id, 22: symbol.id_source}
    if symbol.exchange:
        fields[207] = symbol.exchange
    return fields


def _side(terms: VenueTerms, child: Child) -> dict[int, str]:
    told = values.side_text(child.side)
    if child.is_short_sale:
        told = dict(_pairs(terms.short_sale)).get(SIDE, told)
    return {SIDE: told}


def _type(terms: VenueTerms, child: Child) -> dict[int, str]:
    kind = values.order_type_text(child.order_type)
    if terms.version is Version.FIX42 and child.time_in_force is TimeInForce.AT_CLOSE:
        # 4.2 knows no 59=7: market and limit on close are order types of their own.
        return {40: "5" if child.order_type is OrderType.MARKET else "B", 59: "0"}
    return {40: kind, 59: values.time_in_force_text(child.time_in_force)}


def _lay(fields: dict[int, str], pairs: Iterable[str]) -> None:
    """Put fields over others; execution instructions stand beside those that are there."""
    for tag, value in _pairs(pairs):
        known = fields.get(tag, "")
        fields[tag] = f"{known} {value}" if tag == EXEC_INST and known else value


def _pairs(pairs: Iterable[str]) -> list[tuple[int, str]]:
    split = (each.partition("=") for each in pairs)
    return [(int(tag), value) for tag, _, value in split]


def _fields(fields: dict[int, str]) -> Fields:
    return Fields(fields.items())


def _is_writable(text: str) -> bool:
    return text.isascii() and (text.isprintable() or not text)


def _is_closed(terms: VenueTerms, at_ns: int) -> bool:
    if not terms.opens:
        return False
    local = datetime.fromtimestamp(at_ns // SECOND_NS, terms.zone)
    now = _of_day(f"{local:%H:%M:%S}") + at_ns % SECOND_NS
    opens, closes = _of_day(terms.opens), _of_day(terms.closes)
    if opens <= closes:
        return not opens <= now < closes
    return closes <= now < opens  # over midnight


def _hours(terms: VenueTerms) -> str:
    return f"orders are taken from {terms.opens} to {terms.closes} {terms.time_zone}".rstrip()


def _of_day(text: str) -> int:
    hours, minutes, seconds = (int(part) for part in text.split(":"))
    return (hours * 3_600 + minutes * 60 + seconds) * SECOND_NS
