"""Many source orders become crosses and parents. Events: aggregations.events, key instrument."""

from streams.netting.decider import NETTING, NettingEvent, decide, evolve, timers_of
from streams.netting.state import (
    NettingState,
    cause_to_close,
    is_urgent_waiting,
    members,
    open_parents,
    parent_of,
    standing,
    staying,
    waiting,
    wanting,
    window_of,
)

__all__ = [
    "NETTING",
    "NettingEvent",
    "NettingState",
    "cause_to_close",
    "decide",
    "evolve",
    "is_urgent_waiting",
    "members",
    "open_parents",
    "parent_of",
    "standing",
    "staying",
    "timers_of",
    "waiting",
    "wanting",
    "window_of",
]
