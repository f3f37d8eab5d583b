"""How hard the quantity that is due is worked now: rest, or take; how much, until when, and why."""

from typing import Final, NamedTuple

from schemas.messages.core import Adjustment, RoutingLogic, Tactic, Urgency
from streams.strategy.schedule import BPS
from streams.strategy.situation import Situation, Step
from streams.strategy.state import OpenSlice

__all__ = ["Advice", "advise", "is_free"]

# The last part of a bin in which what is behind the plan crosses the spread.
CROSS_PART: Final = {Urgency.PASSIVE: 8, Urgency.NEUTRAL: 4, Urgency.URGENT: 2}


class Advice(NamedTuple):
    """The next slice of a scheduled parent; a quantity of 0 means to wait until `next_due_ns`."""

    quantity: int  # at most what was wanted
    tactic: Tactic
    logic: RoutingLogic
    deadline_ns: int
    adjustments: tuple[Adjustment, ...]
    next_due_ns: int  # when the parent is looked at again if nothing happens before


def advise(now: Situation, step: Step, wanted: int) -> Advice:
    """Return how `wanted`, which plan, cap and room allow now, is worked; less, never more."""
    parent, settings = now.parent, now.settings
    cross_ns = _cross_ns(now, step)
    is_crossing = now.at_ns >= cross_ns
    band = now.market.instrument.lot + parent.quantity * settings.tolerance_bps // BPS
    is_behind = step.is_last or step.target - parent.filled_quantity > band
    if is_crossing and now.is_marketable:
        tactic, logic = Tactic.CROSS, RoutingLogic.SWEEP
        deadline_ns = min(now.at_ns + settings.sweep_ns, step.closes_ns)
    else:
        tactic, logic = Tactic.JOIN, RoutingLogic.SEQUENTIAL
        deadline_ns = step.closes_ns if is_crossing else cross_ns
    is_due = (is_behind or not is_crossing) and is_free(now, logic)
    next_due_ns = step.closes_ns if is_crossing else cross_ns
    if step.is_last and is_crossing:  # the cap may grow, a return may be missed: look again
        next_due_ns = min(next_due_ns, now.at_ns + settings.sweep_ns)
    return Advice(
        quantity=wanted if is_due else 0,
        tactic=tactic,
        logic=logic,
        deadline_ns=deadline_ns,
        adjustments=(),
        next_due_ns=next_due_ns,
    )


def is_free(now: Situation, logic: RoutingLogic) -> bool:
    """Return whether nothing forbids another slice of that kind: no flood, one open at a time.

    A slice past its deadline is on its way back and does not count; its quantity still does.
    """

    def blocks(part: OpenSlice) -> bool:
        return part.logic is logic and part.deadline_ns > now.at_ns

    is_open = any(blocks(part) for part in now.parent.slices.values())
    return now.at_ns >= now.parent.not_before_ns and not is_open


def _cross_ns(now: Situation, step: Step) -> int:
    """Return when resting ends and what is behind starts to cross the spread."""
    length = step.closes_ns - step.opens_ns
    cross_ns = step.closes_ns - length // CROSS_PART.get(now.parent.urgency, 4)
    if step.is_last:  # completion needs time for several sweeps
        cross_ns = min(cross_ns, step.closes_ns - now.settings.completion_ns)
    return max(cross_ns, step.opens_ns)
