"""Rules between parameters in a FIXatdl file: StrategyEdit and the Edits within."""

from collections.abc import Iterator, Sequence
from typing import Final
from xml.etree.ElementTree import Element

from services.parameters.fixatdl import VALIDATION

__all__ = ["edit_problems"]

ALONE: Final = ("EX", "NX")  # a field is there, or is not
COMPARING: Final = ("EQ", "NE", "LT", "GT", "LE", "GE")
LOGIC: Final = ("AND", "OR", "XOR", "NOT")
_EDIT: Final = f"{{{VALIDATION}}}Edit"
_REFERENCE: Final = f"{{{VALIDATION}}}EditRef"


def edit_problems(rules: Sequence[Element], names: frozenset[str]) -> Iterator[str]:
    """Yield what is wrong with the rules of a strategy whose parameters are `names`."""
    for rule in rules:
        message = rule.get("errorMessage", "")
        if not message:
            yield "StrategyEdit has no errorMessage"
        inner = [child for child in rule if child.tag in (_EDIT, _REFERENCE)]
        if len(inner) != 1:
            yield f"StrategyEdit {message!r} holds {len(inner)} Edits, not one"
        for edit in rule.findall(_EDIT):
            yield from (f"{message!r}: {each}" for each in _of_edit(edit, names))


def _of_edit(edit: Element, names: frozenset[str]) -> Iterator[str]:
    logic, operator = edit.get("logicOperator"), edit.get("operator")
    inner = [child for child in edit if child.tag in (_EDIT, _REFERENCE)]
    if (logic is None) == (operator is None):
        yield "an Edit has either operator or logicOperator"
    if logic is not None:
        if logic not in LOGIC:
            yield f"logicOperator {logic} is none of {', '.join(LOGIC)}"
        if (len(inner) == 1) != (logic == "NOT") or not inner:
            yield f"{logic} joins {len(inner)} Edits"
        for each in edit.findall(_EDIT):
            yield from _of_edit(each, names)
    elif operator is not None:
        yield from _of_comparison(edit, operator, names)


def _of_comparison(edit: Element, operator: str, names: frozenset[str]) -> Iterator[str]:
    fields = [edit.get(name) for name in ("field", "field2") if edit.get(name) is not None]
    for field in fields:
        # FIX_ names a field of the order itself, such as FIX_OrderQty.
        if field not in names and not str(field).startswith("FIX_"):
            yield f"field {field} is no Parameter"
    if edit.get("field") is None:
        yield f"{operator} has no field"
    against = sum(edit.get(name) is not None for name in ("field2", "value"))
    if operator in ALONE:
        if against:
            yield f"{operator} compares with nothing"
    elif operator not in COMPARING:
        yield f"operator {operator} is none of {', '.join((*ALONE, *COMPARING))}"
    elif against != 1:
        yield f"{operator} compares with one of field2 and value"
