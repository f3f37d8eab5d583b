"""What was applied of an order's parameters, in the tags in which they came."""

from collections.abc import Iterator
from typing import Final

from schemas.messages.core import Aim, Constraints, StrategyKind, StrategyParameters, Urgency
from schemas.messages.intake import OrderAccepted, OrderReplaced
from services.fix.clients.state import Order
from services.fix.clients.terms import Seat
from services.fix.codes import Version
from services.fix.values import price_text, quantity_text, scaled_text, utc_text
from streams.parameters import DEFINITIONS, Row, Unit, given, rows

__all__ = ["echoed"]

BPS: Final = 10_000
RATE: Final = "participation_rate_bps"
# FIX 959: integer, decimal number, percentage, text.
TYPES: Final = {Unit.NS: "6", Unit.E9: "6", Unit.BPS: "11", Unit.WORD: "14"}
PERCENTAGE, TEXT, PRICE = "11", "14", "8"
NO_CROSS: Final = "A"  # FIX 18


def echoed(
    seat: Seat, event: OrderAccepted | OrderReplaced, style: str, scale: int, order: Order
) -> list[tuple[int, str]]:
    """Return start, end, strategy and mandate, and the parameters where the client gave any.

    `style`: T where they came in 847 to 849, G where in the group 957; `order`: as it was before
    a replace, as it begins with its acceptance. Units: `scale` is smallest units to a share.
    """
    digits, strategy = seat.terms.time_digits, order.strategy
    fields: list[tuple[int, str]] = []
    urgency, cap_bps = Urgency.UNKNOWN, BPS
    if isinstance(event, OrderAccepted):
        urgency, cap_bps = event.urgency, event.participation_cap_bps
        fields.append((168, utc_text(event.start_ns, digits)))
    if event.end_ns:
        fields.append((126, utc_text(event.end_ns, digits)))
    if not order.is_cross_allowed:
        fields.append((18, NO_CROSS))
    constraints = event.constraints or Constraints()
    fields += _mandate(seat.version, constraints, scale)
    fields.append((847, str(DEFINITIONS[strategy].fix_value)))
    said = _said(strategy, event.parameters)
    rate = given(event.parameters).get(RATE) or (cap_bps if cap_bps < BPS else 0)
    if urgency is not Urgency.UNKNOWN and style:
        said.append(("Urgency", TEXT, urgency.value))
    if cap_bps < BPS:
        said.append(("ParticipationCap", PERCENTAGE, scaled_text(cap_bps, BPS)))
    if constraints.would_price_e9 is not None:
        said.append(("WouldPrice", PRICE, price_text(constraints.would_price_e9)))
    if "T" in style:
        said_text = ";".join(f"{name}={value}" for name, _, value in said)
        fields.append((848, said_text))
        fields.append((849, scaled_text(rate, BPS) if rate else ""))
    if "G" in style and said:
        fields.append((957, str(len(said))))
        for name, kind, value in said:
            fields += [(958, name), (959, kind), (960, value)]
    return fields


def _mandate(version: Version, constraints: Constraints, scale: int) -> Iterator[tuple[int, str]]:
    if constraints.minimum_quantity:
        yield 110, quantity_text(constraints.minimum_quantity, scale)
    if constraints.display_quantity:
        shown_tag = 1138 if version is Version.FIX50SP2 else 111
        yield shown_tag, quantity_text(constraints.display_quantity, scale)
    if constraints.venue_ids:
        yield 100, constraints.venue_ids[0]


def _said(
    strategy: StrategyKind, parameters: StrategyParameters | None
) -> list[tuple[str, str, str]]:
    """Return name, kind (FIX 959) and value of every parameter that the order gave."""
    by_name = {row.name: row for row in rows(strategy)}
    return [
        (by_name[name].about.fix_name, TYPES[by_name[name].about.unit], _text(by_name[name], value))
        for name, value in given(parameters).items()
        if name in by_name
    ]


def _text(row: Row, value: int | Aim) -> str:
    if isinstance(value, Aim):
        return value.value
    return scaled_text(value, BPS) if row.about.unit is Unit.BPS else price_text(value)
