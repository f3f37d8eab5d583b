"""What is wrong with an order's parameters, by pydantic, told as subject, value and bound."""

from typing import NamedTuple

from pydantic import ValidationError

from schemas.messages.core import RejectReason, StrategyKind, StrategyParameters
from streams.parameters.resolve import given
from streams.parameters.strategies import CONFLICT, DEFINITIONS
from streams.parameters.table import rows

__all__ = ["Problem", "frozen_changes", "problem"]


class Problem(NamedTuple):
    """The first parameter that can not be."""

    reason: RejectReason
    name: str  # field of core StrategyParameters
    value: str
    bound: str


def problem(
    strategy: StrategyKind, parameters: StrategyParameters | None, cap_bps: int
) -> Problem | None:
    """Return what is wrong; None for nothing. `cap_bps` is the order's own participation cap.

    Strategies without a definition are refused elsewhere.
    """
    if parameters is None or strategy not in DEFINITIONS:
        return None
    said = given(parameters)
    try:
        DEFINITIONS[strategy].model_validate(said)
    except ValidationError as error:
        return _problem(strategy, parameters, error)
    for name in ("participation_rate_bps", "participation_floor_bps"):
        if said.get(name, 0) > cap_bps:
            bound = f"at most participation_cap_bps {cap_bps}"
            return Problem(RejectReason.PARAMETER_OUT_OF_RANGE, name, str(said[name]), bound)
    return None


def frozen_changes(
    strategy: StrategyKind,
    in_force: StrategyParameters | None,
    asked: StrategyParameters | None,
) -> tuple[str, ...]:
    """Return the parameters that the request changes and that may not change while it works."""
    old, new = given(in_force), given(asked)
    return tuple(
        row.name
        for row in rows(strategy)
        if not row.about.is_amendable and old.get(row.name) != new.get(row.name)
    )


def _problem(
    strategy: StrategyKind, parameters: StrategyParameters, error: ValidationError
) -> Problem:
    """Return pydantic's first finding in our words, in the order of the record's fields."""
    by_name = {row.name: row for row in rows(strategy)}
    found = {}
    for each in error.errors(include_url=False):
        if each["type"] == CONFLICT:
            found[each["ctx"]["field"]] = each["ctx"]["bound"]
        else:
            name = str(each["loc"][0])
            found[name] = by_name[name].bound if name in by_name else ""
    name = next(name for name in parameters.__struct_fields__ if name in found)
    value = str(getattr(parameters, name))
    if name in by_name:
        return Problem(RejectReason.PARAMETER_OUT_OF_RANGE, name, value, found[name])
    return Problem(RejectReason.PARAMETER_UNKNOWN, name, value, strategy.value)
