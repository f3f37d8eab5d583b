"""What one strategy adds to the machine that all parents share."""

from collections.abc import Callable
from typing import NamedTuple

from schemas.messages.strategy import ScheduleSet
from streams.strategy.situation import Situation, Step

__all__ = ["Bin", "Method"]


class Bin(NamedTuple):
    """A bin of the plan in force that has just begun."""

    ordinal: int
    target: int  # as the plan has it
    expected: int  # others' volume in it; 0 without a forecast
    expected_rest: int  # in it and in all later ones; 0 without a forecast


class Method(NamedTuple):
    """The schedule of one strategy, as functions of the situation."""

    # From when on it plans; before that the parent waits.
    begins_ns: Callable[[Situation], int]
    # Starts of the bins or slots from now to the end.
    starts: Callable[[Situation], tuple[int, ...]]
    # The plan that spreads goal - anchor over the bins that start then.
    spread: Callable[[Situation, tuple[int, ...], int], ScheduleSet]
    # Where the plan in force wants to stand at the start of a bin.
    ideal: Callable[[Situation, int], int]
    # Cumulative target of a bin that has just begun.
    track: Callable[[Situation, Bin], int]
    # A plan that replaces the one in force; None when that one holds.
    renewed: Callable[[Situation], ScheduleSet | None]
    # Whether what an interruption of trading held back is spread over the rest of the window.
    is_spread_again: bool
    # For a strategy without bins: the step that is worked now.
    step: Callable[[Situation], Step] | None = None
