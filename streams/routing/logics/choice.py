"""Which logic works a slice: the strategy says whether to rest or take, the rest is weighed.

A logic that the strategy names is used if it can be, and the rule's own choice where it cannot.
Every logic that was weighed stands in the decision, the chosen one first, with its cost or with
why it was none.
"""

from collections.abc import Callable
from typing import Final

from schemas.messages.core import (
    LogicAlternative,
    OrderKind,
    OrderType,
    RoutingLogic,
    Tactic,
    Urgency,
)
from streams.routing.costs import E9
from streams.routing.logics import parallel, passive_split, seek, sequential, sweep
from streams.routing.logics.desk import Desk, Proposal

__all__ = ["choose"]

# A split must be expected to save so much: more orders show more, whatever the record says.
MARGIN_E9: Final = E9 // 100
DOUBTS: Final = 1  # standard deviations
KNOWN_E9: Final = 5 * E9
SCORE_MAX: Final = 1 << 62  # scores are recorded as 64 bits
_NAMED: Final = (
    RoutingLogic.PARALLEL,
    RoutingLogic.LIQUIDITY_SEEKING,
    RoutingLogic.PASSIVE_SPLIT,
)
Logic = Callable[[Desk], Proposal | str]


def choose(desk: Desk) -> tuple[Proposal, tuple[LogicAlternative, ...]]:
    """Return the proposal to carry out, and the logics that were weighed for it."""
    wish = desk.part.logic
    first, rivals = _takers(desk) if wish is RoutingLogic.SWEEP else _resters(desk)
    # SEQUENTIAL and SWEEP say no more than whether to rest or to take.
    named = wish if wish in _NAMED else None
    chosen = first(desk)
    assert isinstance(chosen, Proposal), "the plain logic always proposes"
    weighed: list[LogicAlternative] = []
    for logic, propose, refusal in rivals:
        found = refusal or propose(desk)
        if isinstance(found, str):
            weighed.append(LogicAlternative(logic=logic, score_e9=0, reason=found))
        elif logic is named or (
            chosen.logic is not named
            and found.score_e9 + MARGIN_E9 < chosen.score_e9 + _doubt(desk, logic, chosen)
        ):
            reason = "not what the strategy asks for" if logic is named else "costs more"
            weighed.append(_alternative(chosen, reason))
            chosen = found
        else:
            weighed.append(_alternative(found, "costs more"))
    return chosen, (_alternative(chosen, chosen.reason), *weighed)


Rivals = tuple[tuple[RoutingLogic, Logic, str], ...]


def _resters(desk: Desk) -> tuple[Logic, Rivals]:
    """Return the plain logic and its rivals for a slice that rests; a text rules one out."""
    named = desk.part.logic
    return sequential.propose, (
        (RoutingLogic.PARALLEL, parallel.propose, _no_split(desk)),
        (RoutingLogic.LIQUIDITY_SEEKING, seek.propose, _no_seeking(desk)),
        (
            RoutingLogic.PASSIVE_SPLIT,
            passive_split.propose,
            "" if named is RoutingLogic.PASSIVE_SPLIT else _no_taking(desk),
        ),
    )


def _takers(desk: Desk) -> tuple[Logic, Rivals]:
    refusal = "" if desk.budget >= desk.lot else "no over-fill budget"
    return sweep.propose, ((RoutingLogic.PARALLEL, sweep.over_subscribed, refusal),)


def _no_split(desk: Desk) -> str:
    if desk.part.logic is RoutingLogic.PARALLEL:
        return ""
    if len(desk.lit) < 2:
        return "one venue"
    return "" if parallel.is_worth_weighing(desk) else "one venue absorbs it"


def _doubt(desk: Desk, logic: RoutingLogic, chosen: Proposal) -> int:
    """Return by how much one venue alone must be cheaper than all at once.

    It is the cheapest of several by their records, so that some of its lead is luck: all of it that
    is within the error of its score. A split stands in more queues, which is no matter of luck.
    """
    if logic is not RoutingLogic.PARALLEL or chosen.logic is not RoutingLogic.SEQUENTIAL:
        return 0
    best = next((leg.book for leg in chosen.legs if leg.order_type is OrderType.LIMIT), None)
    return 0 if best is None else DOUBTS * desk.record(best, OrderKind.PASSIVE).error_e9


def _no_seeking(desk: Desk) -> str:
    """Return why only dark venues would be too bold, unless the strategy wants it."""
    if desk.part.logic is RoutingLogic.LIQUIDITY_SEEKING:
        return ""
    if desk.part.urgency is Urgency.URGENT:
        return "too urgent to wait in the dark"
    known = (desk.record(book, OrderKind.DARK).children_e9 >= KNOWN_E9 for book in desk.dark)
    if not any(known):
        return "no dark venue is known well enough" if desk.dark else "no dark venue may be used"
    return "the slice was placed before" if desk.part.attempts else ""


def _no_taking(desk: Desk) -> str:
    """Return why none of a resting slice may take: only an urgent owner lets a part of it."""
    if desk.part.urgency is not Urgency.URGENT:
        return "not urgent: nothing of it takes"
    if desk.part.tactic not in (Tactic.UNKNOWN, Tactic.JOIN, Tactic.PEG):
        return "its tactic does not take"
    # Where nothing was solved for it, the closed form of one venue is weighed in its place.
    return "the slice was placed before" if desk.part.attempts else ""


def _alternative(found: Proposal, reason: str) -> LogicAlternative:
    score = max(-SCORE_MAX, min(found.score_e9, SCORE_MAX))
    return LogicAlternative(logic=found.logic, score_e9=score, reason=reason)
