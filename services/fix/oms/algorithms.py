"""How a client says how its order is to be worked, in the style of its session."""

from typing import Final

from schemas.messages.core import BasketEntry, StrategyKind, StrategyParameters, Urgency
from schemas.messages.intake import NewOrder
from services.fix import values
from services.fix.codes import Version
from services.fix.fields import Fields
from services.fix.oms.terms import OmsSession, Style
from streams.parameters import DEFINITIONS, Unit, rows

__all__ = ["algorithm_fields", "group_fields"]

BPS, E9 = 10_000, 10**9
TIME_DIGITS: Final = 9
NO_CROSS: Final = "A"  # FIX 18
INSTRUCTED: Final = {StrategyKind.VWAP: "W", StrategyKind.POV: "D"}  # FIX 18
TAGS: Final = {"StartTime": 168, "EndTime": 126, "MinQty": 110}
RATE, RATE_TAG = "ParticipationRate", 849
# FIX 959 by what a value is.
TIME, TEXT, PERCENTAGE, FLOAT = "19", "14", "11", "6"
Said = dict[str, tuple[str, str]]  # name: text, FIX 959


def algorithm_fields(session: OmsSession, order: NewOrder | BasketEntry, scale: int) -> Fields:
    """Return strategy and parameters, without the group. Units: `scale` as the instrument's."""
    style, fields = session.terms.style, Fields()
    said = _said(order, scale)
    instructions = [] if order.is_cross_allowed else [NO_CROSS]
    is_instructed = style is Style.TIMES and order.strategy in INSTRUCTED
    if is_instructed:
        instructions.append(INSTRUCTED[order.strategy])
    fields.add(18, " ".join(instructions) or None)
    for name, tag in _own_tags(session).items():
        if name in said:
            fields.add(tag, said.pop(name)[0])
    if not is_instructed:
        fields.add(847, DEFINITIONS[order.strategy].fix_value)
    if style is Style.GROUP:
        return fields
    rate = said.pop(RATE, None)
    if said:
        fields.add(848, ";".join(f"{name}={text}" for name, (text, _) in said.items()))
    return fields.add(RATE_TAG, None if rate is None else rate[0])


def group_fields(session: OmsSession, order: NewOrder | BasketEntry, scale: int) -> Fields:
    """Return the group 957 of an order; it comes last. Empty for the other styles."""
    fields = Fields()
    if session.terms.style is not Style.GROUP:
        return fields
    own = _own_tags(session)
    said = {name: each for name, each in _said(order, scale).items() if name not in own}
    if said:
        fields.add(957, len(said))
    for name, (text, kind) in said.items():
        fields.add(958, name).add(959, kind).add(960, text)
    return fields


def _own_tags(session: OmsSession) -> dict[str, int]:
    """Return the parameters that have a tag of their own here."""
    shown = 1138 if session.version is Version.FIX50SP2 else 111
    own = {"MinQty": 110, "MaxFloor": shown}
    return TAGS | own if session.terms.style is Style.TIMES else own


def _said(order: NewOrder | BasketEntry, scale: int) -> Said:
    """Return every parameter that the order has, by the name that counterparties know it by."""
    said: Said = {}
    if order.start_ns:
        said["StartTime"] = values.utc_text(order.start_ns, TIME_DIGITS), TIME
    if order.end_ns:
        said["EndTime"] = values.utc_text(order.end_ns, TIME_DIGITS), TIME
    if order.participation_cap_bps != BPS:
        cap = values.scaled_text(order.participation_cap_bps, BPS)
        said["ParticipationCap"] = cap, PERCENTAGE
    if order.urgency is not Urgency.NEUTRAL:
        said["Urgency"] = order.urgency.value, TEXT
    constraints = order.constraints
    if constraints is not None:
        for name, units in (
            ("MinQty", constraints.minimum_quantity),
            ("MaxFloor", constraints.display_quantity),
        ):
            if units:
                said[name] = values.quantity_text(units, scale), FLOAT
        if constraints.would_price_e9 is not None:
            said["WouldPrice"] = values.price_text(constraints.would_price_e9), FLOAT
    return said | _parameters(order.strategy, order.parameters)


def _parameters(strategy: StrategyKind, parameters: StrategyParameters | None) -> Said:
    said: Said = {}
    if parameters is None:
        return said
    for row in rows(strategy):
        value = getattr(parameters, row.name)
        match row.about.unit:
            case _ if value is None or value == "UNKNOWN":
                continue
            case Unit.BPS:
                said[row.about.fix_name] = values.scaled_text(value, BPS), PERCENTAGE
            case Unit.NS | Unit.E9:
                said[row.about.fix_name] = values.scaled_text(value, E9), FLOAT
            case Unit.WORD:
                said[row.about.fix_name] = value.value, TEXT
    return said
