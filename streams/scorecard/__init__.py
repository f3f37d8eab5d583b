"""scorecard: what each venue has shown, and what it is worth.

In:  children.events.v1, fills.events.v1 of the shard itself; control.commands.v1 (venue models).
Out: decisions.events.v1 (InstrumentBucketed, FillsMarked, VenueScored, VenueModelInForce).
"""

from streams.scorecard.control import CONTROL_MESSAGES, refusal_of, take
from streams.scorecard.decider import MARK_TIMER, SCORE_TIMER, SCORECARD, decide, timers_of
from streams.scorecard.evolve import evolve
from streams.scorecard.marks import due_marks
from streams.scorecard.state import ScorecardState

__all__ = [
    "CONTROL_MESSAGES",
    "MARK_TIMER",
    "SCORECARD",
    "SCORE_TIMER",
    "ScorecardState",
    "decide",
    "due_marks",
    "evolve",
    "refusal_of",
    "take",
    "timers_of",
]
