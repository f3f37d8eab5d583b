"""A FIXatdl 1.1 file out of the definitions: an order ticket for every system that reads it.

Source: FIXatdl 1.1 with errata of December 2010.
"""

from typing import Final
from xml.etree import ElementTree as Xml

from schemas.messages.core import StrategyKind, Urgency
from services.parameters.terms import TERMS, Kind, Term
from services.parameters.texts import shown
from streams.parameters import AIMS, DEFINITIONS, Row, Unit, rows

__all__ = ["CORE", "LAYOUT", "VALIDATION", "XSI", "fixatdl"]

BASE: Final = "http://www.fixprotocol.org/FIXatdl-1-1/"
CORE, LAYOUT, VALIDATION = BASE + "Core", BASE + "Layout", BASE + "Validation"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
PROVIDER: Final = "PENSTOCK"
VERSION: Final = "1"
SECOND_NS: Final = 10**9
WORDS: Final = {
    "Aim": tuple(aim.value for aim in AIMS),
    "Urgency": tuple(urgency.value for urgency in Urgency if urgency is not Urgency.UNKNOWN),
}
_TYPES: Final = {
    Unit.BPS: "Percentage_t",
    Unit.NS: "Int_t",
    Unit.E9: "Float_t",
    Unit.WORD: "String_t",
}
_LABELS: Final = {Unit.BPS: ", %", Unit.NS: ", s", Unit.E9: ", bp per bp squared", Unit.WORD: ""}
# Rules between two parameters that a ticket can hold: fields, operator, message.
_PAIRS: Final = (
    ("EndTime", "GT", "StartTime", "End is after start"),
    ("ParticipationFloor", "LE", "ParticipationRate", "The floor is at most the rate"),
    ("ParticipationFloor", "LE", "ParticipationCap", "The floor is at most the cap"),
    ("ParticipationRate", "LE", "ParticipationCap", "The rate is at most the cap"),
)
_EXCLUSIVE: Final = ("HalfLife", "RiskAversion", "A half-life or a risk aversion, not both")


def fixatdl() -> str:
    """Return the file's text."""
    for prefix, name in (("", CORE), ("lay", LAYOUT), ("val", VALIDATION), ("xsi", XSI)):
        Xml.register_namespace(prefix, name)
    root = Xml.Element(
        f"{{{CORE}}}Strategies",
        {"strategyIdentifierTag": "847", "tag957Support": "true"},
    )
    for strategy in DEFINITIONS:
        _strategy(root, strategy)
    Xml.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(root, "unicode") + "\n"


def _strategy(root: Xml.Element, strategy: StrategyKind) -> None:
    definition = DEFINITIONS[strategy]
    element = _add(
        root,
        CORE,
        "Strategy",
        name=strategy.value,
        uiRep=strategy.replace("_", " ").capitalize() if len(strategy) > len("VWAP") else strategy,
        wireValue=str(definition.fix_value),
        version=VERSION,
        fixMsgType="D",
        providerID=PROVIDER,
    )
    _add(element, CORE, "Description").text = definition.meaning
    for term in TERMS:
        _term(element, term)
    for row in rows(strategy):
        _parameter(element, row)
    layout = _add(element, LAYOUT, "StrategyLayout")
    whole = _add(layout, LAYOUT, "StrategyPanel", orientation="HORIZONTAL", collapsible="false")
    order = _panel(whole, "Order")
    for term in TERMS:
        _term_control(order, term)
    own = _panel(whole, strategy.value)
    for row in rows(strategy):
        _control(own, row)
    _edits(element, strategy)


def _term(parent: Xml.Element, term: Term) -> None:
    element = _named(parent, term.fix_name, term.kind, term.fix_tag, is_fixed=not term.is_amendable)
    match term.kind:
        case Kind.SHARE:
            element.set("minValue", "0.0001")
            element.set("maxValue", "1")
            element.set("precision", "4")
        case Kind.QUANTITY | Kind.PRICE:
            element.set("minValue", "0")
    _describe(element, term.meaning)
    _pairs(element, term.fix_name)


def _parameter(parent: Xml.Element, row: Row) -> None:
    about = row.about
    is_fixed = not about.is_amendable
    element = _named(parent, about.fix_name, _TYPES[about.unit], about.fix_tag, is_fixed=is_fixed)
    if row.low is not None and row.high is not None:
        element.set("minValue", _wire(about.unit, row.low))
        element.set("maxValue", _wire(about.unit, row.high))
    if about.unit in (Unit.BPS, Unit.E9):
        element.set("precision", "4" if about.unit is Unit.BPS else "9")
    _describe(element, about.meaning)
    _pairs(element, about.fix_name)


def _named(parent: Xml.Element, name: str, kind: str, tag: int, *, is_fixed: bool) -> Xml.Element:
    element = _add(parent, CORE, "Parameter", name=name)
    element.set(f"{{{XSI}}}type", kind)
    if tag:
        element.set("fixTag", str(tag))
    element.set("use", "optional")
    element.set("mutableOnCxlRpl", "false" if is_fixed else "true")
    return element


def _describe(element: Xml.Element, text: str) -> None:
    _add(element, CORE, "Description").text = text


def _pairs(element: Xml.Element, name: str) -> None:
    for word in WORDS.get(name, ()):
        _add(element, CORE, "EnumPair", enumID=f"e_{word}", wireValue=word)


def _panel(parent: Xml.Element, title: str) -> Xml.Element:
    return _add(
        parent, LAYOUT, "StrategyPanel", title=title, orientation="VERTICAL", collapsible="false"
    )


def _term_control(panel: Xml.Element, term: Term) -> None:
    kinds = {Kind.INSTANT: "Clock_t", Kind.WORD: "DropDownList_t"}
    control = _add(
        panel,
        LAYOUT,
        "Control",
        ID=f"c_{term.fix_name}",
        label=term.title + (", %" if term.kind is Kind.SHARE else ""),
        parameterRef=term.fix_name,
        tooltip=f"{term.meaning} Default: {term.default}.",
    )
    control.set(f"{{{XSI}}}type", f"lay:{kinds.get(term.kind, 'SingleSpinner_t')}")
    _items(control, term.fix_name)


def _control(panel: Xml.Element, row: Row) -> None:
    about = row.about
    urgencies = (Urgency.PASSIVE, Urgency.NEUTRAL, Urgency.URGENT)
    presets = dict.fromkeys(shown(row, row.preset.of(urgency)) for urgency in urgencies)
    control = _add(
        panel,
        LAYOUT,
        "Control",
        ID=f"c_{about.fix_name}",
        label=about.title + _LABELS[about.unit],
        parameterRef=about.fix_name,
        tooltip=f"{about.meaning} Empty: by urgency, {' / '.join(presets)}{_bps(row)}.",
    )
    is_word = about.unit is Unit.WORD
    control.set(f"{{{XSI}}}type", f"lay:{'DropDownList_t' if is_word else 'SingleSpinner_t'}")
    if not is_word:
        control.set("increment", _wire(about.unit, about.step))
    _items(control, about.fix_name)


def _bps(row: Row) -> str:
    is_counted = row.about.unit is Unit.BPS and isinstance(row.preset.neutral, int)
    return " basis points" if is_counted else ""


def _items(control: Xml.Element, name: str) -> None:
    for word in WORDS.get(name, ()):
        _add(control, LAYOUT, "ListItem", enumID=f"e_{word}", uiRep=word.capitalize())


def _edits(element: Xml.Element, strategy: StrategyKind) -> None:
    names = {row.about.fix_name for row in rows(strategy)} | {term.fix_name for term in TERMS}
    for field, operator, other, message in _PAIRS:
        if {field, other} <= names:
            edit = _either(element, message, field, other)
            _add(edit, VALIDATION, "Edit", field=field, operator=operator, field2=other)
    if set(_EXCLUSIVE[:2]) <= names:
        _either(element, _EXCLUSIVE[2], *_EXCLUSIVE[:2])


def _either(element: Xml.Element, message: str, *absent: str) -> Xml.Element:
    """Add a rule that holds where one of the fields has no value."""
    rule = _add(element, VALIDATION, "StrategyEdit", errorMessage=message)
    edit = _add(rule, VALIDATION, "Edit", logicOperator="OR")
    for name in absent:
        _add(edit, VALIDATION, "Edit", field=name, operator="NX")
    return edit


def _wire(unit: Unit, value: int) -> str:
    """Return the value as FIX has it: ratios, whole seconds, decimals. Rounds: never."""
    match unit:
        case Unit.BPS:
            return f"{value / 10_000:.4f}".rstrip("0").rstrip(".")
        case Unit.NS:
            seconds, rest = divmod(value, SECOND_NS)
            assert not rest, f"{value} is no whole second"
            return str(seconds)
        case _:
            return f"{value / 10**9:.9f}".rstrip("0").rstrip(".")


def _add(parent: Xml.Element, space: str, tag: str, /, **attributes: str) -> Xml.Element:
    return Xml.SubElement(parent, f"{{{space}}}{tag}", attributes)
