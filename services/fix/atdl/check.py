"""Check a FIXatdl 1.1 file: its shape, and whether it says what our definitions say.

The schemas (XSD) of FIXatdl are in no package registry, so its rules are written out here.
Source: FIXatdl 1.1 with errata of December 2010.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Final
from xml.etree.ElementTree import Element, ParseError, fromstring

from services.fix.atdl.edits import edit_problems
from services.parameters.fixatdl import CORE, LAYOUT, VALIDATION, XSI
from services.parameters.terms import TERMS
from streams.parameters import DEFINITIONS, Row, Unit, rows

__all__ = ["problems", "problems_of_ours"]

NUMBERS: Final = (
    "Int_t", "Length_t", "NumInGroup_t", "SeqNum_t", "TagNum_t", "Float_t", "Qty_t", "Price_t",
    "PriceOffset_t", "Amt_t", "Percentage_t",
)  # fmt: skip
OTHERS: Final = (
    "Char_t", "Boolean_t", "String_t", "MultipleCharValue_t", "MultipleStringValue_t", "Country_t",
    "Currency_t", "Exchange_t", "MonthYear_t", "UTCTimestamp_t", "UTCTimeOnly_t",
    "LocalMktDate_t", "UTCDateOnly_t", "TZTimeOnly_t", "TZTimestamp_t", "Tenor_t", "Data_t",
    "Language_t",
)  # fmt: skip
LISTS: Final = (
    "DropDownList_t", "EditableDropDownList_t", "RadioButtonList_t", "SingleSelectList_t",
    "MultiSelectList_t", "CheckBoxList_t", "Slider_t",
)  # fmt: skip
CONTROLS: Final = (
    *LISTS, "TextField_t", "HiddenField_t", "Label_t", "CheckBox_t", "RadioButton_t", "Clock_t",
    "SingleSpinner_t", "DoubleSpinner_t",
)  # fmt: skip
NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,255}")
SCALES: Final = {Unit.BPS: 10_000, Unit.NS: 10**9, Unit.E9: 10**9}


def problems(text: str) -> list[str]:
    """Return what keeps the text from being FIXatdl 1.1; nothing for a good file."""
    root = _root(text)
    return [root] if isinstance(root, str) else list(_of_file(root))


def problems_of_ours(text: str) -> list[str]:
    """Return what is wrong with the file as one of our strategies."""
    root = _root(text)
    return [root] if isinstance(root, str) else [*_of_file(root), *_against_definitions(root)]


def _root(text: str) -> Element | str:
    if "<!DOCTYPE" in text:
        return "a DOCTYPE: FIXatdl has none, and entities could be made to grow without bound"
    try:
        return fromstring(text)
    except (ParseError, ValueError) as error:
        return f"not XML: {error}"


def _of_file(root: Element) -> Iterator[str]:
    if root.tag != f"{{{CORE}}}Strategies":
        yield f"the root is {root.tag}, not Strategies of {CORE}"
        return
    if not root.get("strategyIdentifierTag", "").isdigit():
        yield f"strategyIdentifierTag {root.get('strategyIdentifierTag')} is no tag"
    strategies = root.findall(f"{{{CORE}}}Strategy")
    if not strategies:
        yield "no Strategy"
    for attribute in ("name", "wireValue"):
        yield from _twice(f"Strategy {attribute}", (s.get(attribute, "") for s in strategies))
    for strategy in strategies:
        name = strategy.get("name", "")
        has_group = root.get("tag957Support") == "true"
        yield from (f"{name}: {each}" for each in _of_strategy(strategy, has_group=has_group))


def _of_strategy(strategy: Element, *, has_group: bool) -> Iterator[str]:
    for attribute in ("name", "uiRep", "wireValue", "providerID", "version"):
        if not strategy.get(attribute):
            yield f"Strategy has no {attribute}"
    places = [child.tag for child in strategy]
    parameter, layout = f"{{{CORE}}}Parameter", f"{{{LAYOUT}}}StrategyLayout"
    if places.count(layout) > 1:
        yield "more than one StrategyLayout"
    if layout in places and parameter in places[places.index(layout) :]:
        yield "a Parameter comes after StrategyLayout"
    parameters = strategy.findall(parameter)
    names = [p.get("name", "") for p in parameters]
    yield from _twice("Parameter", names)
    yield from _twice("fixTag", (p.get("fixTag") or "" for p in parameters))
    for each in parameters:
        told = each.get("name", "")
        yield from (f"{told}: {text}" for text in _of_parameter(each, has_group=has_group))
    controls = list(strategy.iter(f"{{{LAYOUT}}}Control"))
    yield from _of_controls(controls, {p.get("name", ""): p for p in parameters})
    edits = strategy.findall(f"{{{VALIDATION}}}StrategyEdit")
    yield from edit_problems(edits, frozenset(names))


def _of_parameter(parameter: Element, *, has_group: bool) -> Iterator[str]:
    name = parameter.get("name", "")
    if not NAME.fullmatch(name):
        yield f"{name!r} is no name"
    kind = parameter.get(f"{{{XSI}}}type", "")
    if kind not in (*NUMBERS, *OTHERS):
        yield f"type {kind} is none of FIXatdl's"
    tag = parameter.get("fixTag")
    if tag is None and not has_group:
        yield "has no fixTag, and tag957Support is not true"
    if tag is not None and not (tag.isascii() and tag.isdigit() and int(tag) > 0):
        yield f"fixTag {tag} is no tag"
    for attribute, allowed in (
        ("use", ("optional", "required")),
        ("mutableOnCxlRpl", ("true", "false")),
    ):
        if parameter.get(attribute, allowed[0]) not in allowed:
            yield f"{attribute} is {parameter.get(attribute)}, not one of {', '.join(allowed)}"
    yield from _of_range(parameter, kind)
    pairs = parameter.findall(f"{{{CORE}}}EnumPair")
    yield from _twice("enumID", (p.get("enumID", "") for p in pairs))
    yield from _twice("wireValue", (p.get("wireValue", "") for p in pairs))
    if any(not pair.get("enumID") or not pair.get("wireValue") for pair in pairs):
        yield "an EnumPair lacks enumID or wireValue"


def _of_range(parameter: Element, kind: str) -> Iterator[str]:
    bounds: dict[str, Decimal] = {}
    for attribute in ("minValue", "maxValue"):
        text = parameter.get(attribute)
        if text is None or kind not in NUMBERS:
            continue
        try:
            bounds[attribute] = Decimal(text)
        except InvalidOperation:
            yield f"{attribute} {text} is no number"
    low, high = bounds.get("minValue"), bounds.get("maxValue")
    if low is not None and high is not None and low > high:
        yield f"minValue {low} is above maxValue {high}"
    if kind == "Percentage_t" and any(not 0 <= value <= 1 for value in bounds.values()):
        yield f"a share's range {low} to {high} is not within 0 to 1"
    if not parameter.get("precision", "0").isdigit():
        yield f"precision {parameter.get('precision')} is no count of digits"


def _of_controls(controls: list[Element], parameters: dict[str, Element]) -> Iterator[str]:
    yield from _twice("Control ID", (c.get("ID", "") for c in controls))
    shown = [c.get("parameterRef") or "" for c in controls if c.get("parameterRef")]
    radio = {c.get("parameterRef") for c in controls if _kind(c) == "RadioButton_t"}
    yield from _twice("parameterRef", (name for name in shown if name not in radio))
    for control in controls:
        told, name = control.get("ID", ""), control.get("parameterRef")
        if not NAME.fullmatch(told):
            yield f"Control ID {told!r} is no name"
        if _kind(control) not in CONTROLS:
            yield f"{told}: type {control.get(f'{{{XSI}}}type')} is no control of FIXatdl"
        if name is not None and name not in parameters:
            yield f"{told}: refers to {name}, which is no Parameter"
        elif name is not None:
            yield from (f"{told}: {text}" for text in _of_items(control, parameters[name]))


def _of_items(control: Element, parameter: Element) -> Iterator[str]:
    listed = [item.get("enumID", "") for item in control.findall(f"{{{LAYOUT}}}ListItem")]
    pairs = [pair.get("enumID", "") for pair in parameter.findall(f"{{{CORE}}}EnumPair")]
    yield from _twice("ListItem", listed)
    if _kind(control) in LISTS and sorted(listed) != sorted(pairs):
        yield f"lists {', '.join(listed)}, the parameter has {', '.join(pairs)}"
    if pairs and _kind(control) not in (*LISTS, "RadioButton_t", "CheckBox_t", "HiddenField_t"):
        yield "is no list, the parameter has values to choose from"


def _kind(control: Element) -> str:
    return control.get(f"{{{XSI}}}type", "").rpartition(":")[2]


def _twice(what: str, values: Iterable[str]) -> Iterator[str]:
    counts = Counter(value for value in values if value)
    yield from (f"{what} {value} stands {n} times" for value, n in counts.items() if n > 1)


def _against_definitions(root: Element) -> Iterator[str]:
    """Yield where the file and streams/parameters differ."""
    found = {s.get("name", ""): s for s in root.findall(f"{{{CORE}}}Strategy")}
    wanted = {kind.value: str(d.fix_value) for kind, d in DEFINITIONS.items()}
    told = {name: s.get("wireValue", "") for name, s in found.items()}
    if root.get("strategyIdentifierTag") != "847":
        yield "strategies are named by TargetStrategy (847)"
    if told != wanted:
        yield f"strategies are {told}, the definitions have {wanted}"
    for kind in DEFINITIONS:
        elements = found.get(kind.value)
        if elements is None:
            continue
        own = {p.get("name", ""): p for p in elements.findall(f"{{{CORE}}}Parameter")}
        names = [*(t.fix_name for t in TERMS), *(row.about.fix_name for row in rows(kind))]
        if list(own) != names:
            told_names, wanted_names = ", ".join(own), ", ".join(names)
            yield f"{kind}: parameters are {told_names}, the definitions have {wanted_names}"
        for row in rows(kind):
            if row.about.fix_name in own:
                yield from _against_row(
                    f"{kind} {row.about.fix_name}", own[row.about.fix_name], row
                )


def _against_row(told: str, parameter: Element, row: Row) -> Iterator[str]:
    if parameter.get("fixTag", "0") != str(row.about.fix_tag):
        yield f"{told}: fixTag is {parameter.get('fixTag')}, defined is {row.about.fix_tag}"
    if parameter.get("mutableOnCxlRpl", "true") != str(row.about.is_amendable).lower():
        yield f"{told}: mutableOnCxlRpl is not {row.about.is_amendable}"
    for attribute, bound in (("minValue", row.low), ("maxValue", row.high)):
        text = parameter.get(attribute)
        if bound is not None and (text is None or Decimal(text) * SCALES[row.about.unit] != bound):
            yield f"{told}: {attribute} is {text}, defined is {bound} {row.about.unit}"
