"""The definitions as rows: what the resolver, the command line, documents and FIXatdl read."""

from functools import cache
from typing import Final, NamedTuple

from annotated_types import Ge, Le

from schemas.messages.core import Aim, StrategyKind
from streams.parameters.definition import Parameter, Preset
from streams.parameters.strategies import DEFINITIONS

__all__ = ["AIMS", "Row", "names", "rows"]

AIMS: Final = tuple(aim for aim in Aim if aim is not Aim.UNKNOWN)


class Row(NamedTuple):
    """One parameter of one strategy."""

    name: str  # field of core StrategyParameters
    about: Parameter
    preset: Preset
    low: int | None  # None: a word
    high: int | None

    @property
    def bound(self) -> str:
        """Return the range in words."""
        if self.low is None:
            return ", ".join(AIMS)
        return f"in {self.low}..{self.high}"


@cache
def rows(strategy: StrategyKind) -> tuple[Row, ...]:
    """Return what the strategy knows, in the order of its definition."""
    return tuple(
        _row(name, field.metadata) for name, field in DEFINITIONS[strategy].model_fields.items()
    )


def names() -> tuple[str, ...]:
    """Return every parameter that some strategy knows, sorted."""
    return tuple(sorted({row.name for strategy in DEFINITIONS for row in rows(strategy)}))


def _row(name: str, metadata: list[object]) -> Row:
    low = next((int(str(each.ge)) for each in metadata if isinstance(each, Ge)), None)
    high = next((int(str(each.le)) for each in metadata if isinstance(each, Le)), None)
    about = next(each for each in metadata if isinstance(each, Parameter))
    preset = [each for each in metadata if isinstance(each, Preset)][-1]  # the strategy's own
    return Row(name, about, preset, low, high)
