"""What one parameter says of itself: unit, meaning, presets, and whether it may change."""

from enum import StrEnum
from typing import Final, NamedTuple

from schemas.messages.core import Aim, Urgency

__all__ = ["Parameter", "Preset", "Unit"]

URGENCIES: Final = (Urgency.PASSIVE, Urgency.NEUTRAL, Urgency.URGENT)


class Unit(StrEnum):
    """How a value is counted in messages; people see a scaled one."""

    BPS = "basis points"
    NS = "ns"
    E9 = "1e-9"
    WORD = "word"


class Preset(NamedTuple):
    """What holds where an order leaves the parameter out, by its urgency."""

    passive: int | Aim | None
    neutral: int | Aim | None
    urgent: int | Aim | None
    # What people are told where the value is none or follows from something else.
    text: str = ""

    def of(self, urgency: Urgency) -> int | Aim | None:
        """Return the value of an urgency; NEUTRAL's for one that is unknown."""
        match urgency:
            case Urgency.PASSIVE:
                return self.passive
            case Urgency.URGENT:
                return self.urgent
            case _:
                return self.neutral


class Parameter(NamedTuple):
    """The facts that pydantic has no place for; the range is its Field beside it."""

    unit: Unit
    title: str  # the label of its control
    meaning: str  # one sentence for help, table and tool tip
    fix_name: str  # FIX 958, where it has no tag of its own
    fix_tag: int = 0  # 0: it travels in StrategyParametersGrp (957)
    is_amendable: bool = True  # while a parent works the order; it may always change before
    step: int = 1  # of its control
