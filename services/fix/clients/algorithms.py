"""How an order is to be worked: three styles of parameters, read by the names of one definition.

Style 1: 847 strategy, 848 parameters as `Name=Value;...`, 849 rate. Style 2: group 957 with names
(958) and values (960). Style 3: 168 start, 126 end, 18 instructions. They may be mixed; a
parameter that is said twice must be said alike.
"""

from typing import Any, Final, NamedTuple

from schemas.messages.core import Aim, RejectReason, StrategyKind, StrategyParameters, Urgency
from services.fix.clients.asked import Asked
from services.fix.fields import Fields
from services.fix.values import FixValueError, price_e9, quantity, scaled, utc_ns
from services.parameters.terms import TERMS, Kind
from streams.parameters import AIMS, DEFINITIONS, Row, Unit, normal, problem, rows

__all__ = ["Algorithm", "algorithm_of"]

BPS: Final = 10_000
E9: Final = 10**9
URGENCIES: Final = tuple(each.value for each in Urgency if each is not Urgency.UNKNOWN)
STRATEGIES: Final = {str(each.fix_value): kind for kind, each in DEFINITIONS.items()}
# Own tags of parameters that every strategy takes as terms of the order (services/parameters).
TERM_TAGS: Final = {each.fix_tag: each.fix_name for each in TERMS if each.fix_tag}
DISPLAY_TAG: Final = 1138  # DisplayQty, which took MaxFloor's place in 5.0
RATE_TAG, RATE_NAME, CAP_NAME = 849, "ParticipationRate", "ParticipationCap"
WHOLE: Final = "1"  # FIX 959: an integer
# Instructions (18) that change nothing here: how we work an order is said by its strategy.
PASSED_OVER: Final = frozenset("1235e")
NO_CROSS, CROSS, VOLUME_SHARE, PEG_TO_VWAP = "A", "B", "D", "W"
INSTRUCTED: Final = {VOLUME_SHARE: StrategyKind.POV, PEG_TO_VWAP: StrategyKind.VWAP}


class _Said(NamedTuple):
    """A parameter as the client says it; `type`: FIX 959, empty where it says none."""

    name: str
    text: str
    type: str = ""


class Algorithm(NamedTuple):
    """What the tags of an order say of how it is worked. Units: as schemas' NewOrder."""

    strategy: StrategyKind
    urgency: Urgency
    parameters: StrategyParameters | None
    start_ns: int
    end_ns: int
    participation_cap_bps: int
    minimum_quantity: int
    display_quantity: int
    would_price_e9: int | None
    is_cross_allowed: bool
    style: str  # T: 847 to 849; G: group 957; I: instructions (18)


def algorithm_of(
    asked: Asked, scale: int, default: StrategyKind, urgency: Urgency | None = None
) -> Algorithm:
    """Return what the order says, held against the definition of its strategy.

    `urgency`: where it says none; None: that of the session's terms.
    Units:  `scale` is the instrument's smallest units to a share.
    Raises: FixValueError, which names the parameter as the client knows it.
    """
    instructions = _instructions(asked.fields)
    strategy = _strategy(asked.fields, instructions, default)
    said, style = _said(asked.fields)
    by_name = {row.about.fix_name: row for row in rows(strategy)}
    values: dict[str, Any] = {}
    terms: dict[str, Any] = {}
    texts: dict[str, str] = {}
    for each in said:
        # FIX 849: a target for a strategy that participates, a limit on volume for all others.
        is_limit = each.name == RATE_NAME and RATE_NAME not in by_name
        name, text = CAP_NAME if is_limit else each.name, each.text
        row = by_name.get(name)
        if row is not None:
            _check_type(each, _NUMBERS if row.about.unit is not Unit.WORD else _WORDS)
            found, key, value = values, row.name, _parameter(row, text)
        elif name in _TERMS:
            _check_type(each, _TYPES[_TERMS[name]])
            found, key, value = terms, name, _term(name, text, scale)
        else:
            raise FixValueError(RejectReason.PARAMETER_UNKNOWN, name, text, strategy.value)
        if found.setdefault(key, value) != value:
            bound = f"{texts[name]} as well"
            raise FixValueError(RejectReason.PARAMETER_OUT_OF_RANGE, name, text, bound)
        texts.setdefault(name, text)
    cap_bps = terms.get(CAP_NAME, BPS)
    if not 1 <= cap_bps <= BPS:
        raise FixValueError(
            RejectReason.RATE_OUT_OF_RANGE, CAP_NAME, texts[CAP_NAME], "in 0.0001..1"
        )
    parameters = normal(StrategyParameters(**values)) if values else None
    _check(strategy, parameters, cap_bps)
    return Algorithm(
        strategy=strategy,
        urgency=terms.get("Urgency", urgency or asked.seat.terms.default_urgency),
        parameters=parameters,
        start_ns=terms.get("StartTime", 0),
        end_ns=terms.get("EndTime", 0),
        participation_cap_bps=cap_bps,
        minimum_quantity=terms.get("MinQty", 0),
        display_quantity=terms.get("MaxFloor", 0),
        would_price_e9=terms.get("WouldPrice"),
        is_cross_allowed=NO_CROSS not in instructions,
        style=style + ("I" if instructions else ""),
    )


def _strategy(fields: Fields, instructions: list[str], default: StrategyKind) -> StrategyKind:
    value, found, bound = fields.get(847), None, ""
    if value:
        if value not in STRATEGIES:
            bound = "one of " + ", ".join(STRATEGIES)
            raise FixValueError(RejectReason.UNSUPPORTED_STRATEGY, "TargetStrategy", value, bound)
        found, bound = STRATEGIES[value], f"847={value} as well"
    for each in instructions:
        if each not in INSTRUCTED:
            continue
        if found not in (None, INSTRUCTED[each]):
            raise FixValueError(RejectReason.PARAMETER_OUT_OF_RANGE, "ExecInst", each, bound)
        found, bound = INSTRUCTED[each], f"{each} as well"
    return found or default


def _instructions(fields: Fields) -> list[str]:
    instructions = fields.get(18).split()
    for each in instructions:
        if each not in PASSED_OVER and each not in (NO_CROSS, CROSS, *INSTRUCTED):
            bound = "one of " + ", ".join((*sorted(PASSED_OVER), NO_CROSS, CROSS, *INSTRUCTED))
            raise FixValueError(RejectReason.VALUE_OUT_OF_RANGE, "ExecInst", each, bound)
    if NO_CROSS in instructions and CROSS in instructions:
        reason, bound = RejectReason.PARAMETER_OUT_OF_RANGE, f"{NO_CROSS} as well"
        raise FixValueError(reason, "ExecInst", CROSS, bound)
    return instructions


def _said(fields: Fields) -> tuple[list[_Said], str]:
    """Return every parameter with its name in the definition, and the styles used."""
    style = "T" if fields.get(847) or fields.get(RATE_TAG) else ""
    tags = (*TERM_TAGS.items(), (DISPLAY_TAG, "MaxFloor"), (RATE_TAG, RATE_NAME))
    said = [_Said(name, text) for tag, name in tags if (text := fields.get(tag))]
    if text := fields.get(848):
        style = "T"
        for part in filter(None, text.split(";")):
            name, mark, value = part.strip().partition("=")
            if not (name and mark and value):
                bound = "Name=Value;Name=Value"
                raise FixValueError(
                    RejectReason.PARAMETER_UNKNOWN, "TargetStrategyParameters", part, bound
                )
            said.append(_Said(name, value))
    for entry in _group(fields):
        style += "" if "G" in style else "G"
        said.append(_Said(entry.get(958), entry.get(960), entry.get(959)))
    return said, style


def _check_type(said: _Said, types: tuple[str, ...]) -> None:
    """Hold FIX 959, where it is said, against what the parameter is. Raises: FixValueError."""
    reason = RejectReason.PARAMETER_OUT_OF_RANGE
    if said.type and said.type not in types:
        bound = "one of " + ", ".join(types)
        raise FixValueError(reason, f"{said.name} (959)", said.type, bound)
    if said.type == WHOLE and not said.text.removeprefix("-").isdecimal():
        raise FixValueError(reason, said.name, said.text, "a whole number, as its 959=1 says")


def _group(fields: Fields) -> list[Fields]:
    try:
        entries = fields.groups(957)
    except ValueError as error:
        reason, value = RejectReason.PARAMETER_UNKNOWN, fields.get(957)
        raise FixValueError(reason, "NoStrategyParameters", value, str(error)) from error
    for entry in entries:
        if not (entry.get(958) and entry.get(960)):
            reason = RejectReason.PARAMETER_UNKNOWN
            bound = "a name (958) and a value (960)"
            raise FixValueError(reason, entry.get(958) or "NoStrategyParameters", "", bound)
    return entries


def _parameter(row: Row, text: str) -> int | Aim:
    name = row.about.fix_name
    match row.about.unit:
        case Unit.BPS:
            return _out_of_range(lambda: scaled(text, BPS, name))
        case Unit.NS | Unit.E9:  # seconds, decimals
            return _out_of_range(lambda: scaled(text, E9, name))
        case Unit.WORD:
            if text not in AIMS:
                reason, bound = RejectReason.PARAMETER_OUT_OF_RANGE, "one of " + ", ".join(AIMS)
                raise FixValueError(reason, name, text, bound)
            return Aim(text)


def _term(name: str, text: str, scale: int) -> Any:
    match _TERMS[name]:
        case Kind.INSTANT:
            return _out_of_range(lambda: utc_ns(text, name))
        case Kind.SHARE:
            return _out_of_range(lambda: scaled(text, BPS, name))
        case Kind.QUANTITY:
            return quantity(text, scale, name)
        case Kind.PRICE:
            return price_e9(text, name)
        case Kind.WORD:
            if text not in URGENCIES:
                bound = "one of " + ", ".join(URGENCIES)
                raise FixValueError(RejectReason.UNSUPPORTED_URGENCY, name, text, bound)
            return Urgency(text)


def _out_of_range(read: Any) -> int:
    """Read a value; what cannot be read is a parameter out of its range (103=11)."""
    try:
        value: int = read()
    except FixValueError as error:
        reason = RejectReason.PARAMETER_OUT_OF_RANGE
        raise FixValueError(reason, error.field, error.value, error.bound) from error
    return value


def _check(strategy: StrategyKind, parameters: StrategyParameters | None, cap_bps: int) -> None:
    found = problem(strategy, parameters, cap_bps)
    if found is not None:
        names = {row.name: row.about.fix_name for row in rows(strategy)}
        name = f"{names.get(found.name, found.name)} ({found.name})"
        raise FixValueError(found.reason, name, found.value, found.bound)


_TERMS: Final = {each.fix_name: each.kind for each in TERMS}
# FIX 959 that fits: integer, decimal number, quantity, price, percentage; character, text; time.
_NUMBERS: Final = (WHOLE, "6", "7", "8", "11")
_WORDS: Final = ("12", "14")
_TYPES: Final = {
    Kind.INSTANT: ("14", "19"),
    Kind.SHARE: _NUMBERS,
    Kind.QUANTITY: _NUMBERS,
    Kind.PRICE: _NUMBERS,
    Kind.WORD: _WORDS,
}
