"""IMPLEMENTATION_SHORTFALL: the targets of the newest execution plan, or of a named fallback.

Plans come from the planner, or from the shard's own model; without either the fallback below is
exact in integers: linear impact on the volume curve against risk with the owner's half-life.
"""

from bisect import bisect_right
from typing import Final

from schemas.messages.core import ExecutionPlan
from schemas.messages.strategy import ScheduleSet
from streams.strategy.following import bins, starts_at_once
from streams.strategy.method import Bin, Method
from streams.strategy.releases import scheduled
from streams.strategy.schedule import bin_volumes, front_loaded_targets
from streams.strategy.situation import Situation

__all__ = ["FALLBACK", "SHORTFALL"]

FALLBACK: Final = "fallback/linear-impact/1"


def _starts(now: Situation) -> tuple[int, ...]:
    if now.plan is None:
        return bins(now)
    ordinal = bisect_right(now.plan.bin_starts_ns, now.at_ns) - 1
    return (now.at_ns, *now.plan.bin_starts_ns[max(0, ordinal + 1) :])


def _spread(now: Situation, starts: tuple[int, ...], anchor: int) -> ScheduleSet:
    """Return the plan's targets from here on; the fallback's for a quantity that it is not for."""
    plan = now.plan
    if plan is not None and plan.inputs.quantity == now.parent.quantity:
        return _adopted(now, plan)
    lengths = bin_volumes(starts, now.end_ns, None)
    weights = bin_volumes(starts, now.end_ns, now.forecast)
    half_life_ns = now.parameters.half_life(now.end_ns - now.parent.start_ns)
    shape = front_loaded_targets(max(0, now.goal - anchor), weights, lengths, half_life_ns)
    targets = [anchor + target for target in shape]
    return scheduled(now, starts, targets, anchor=anchor, model=FALLBACK)


def _adopted(now: Situation, plan: ExecutionPlan) -> ScheduleSet:
    """Return the plan as the parent's schedule, less what is kept for the closing auction.

    What the plan leaves undone is worked in its last bin, as far as the cap then lets it.
    """
    ordinal = max(0, bisect_right(plan.bin_starts_ns, now.at_ns) - 1)
    starts = (now.at_ns, *plan.bin_starts_ns[ordinal + 1 :])
    targets = [min(target, now.goal) for target in plan.targets[ordinal:-1]]
    return scheduled(
        now,
        starts,
        (*targets, now.goal),
        anchor=min(now.worked, now.goal),
        model=plan.model,
        request_id=plan.request_id,
        plan_id=plan.plan_id,
    )


def _renewed(now: Situation) -> ScheduleSet | None:
    """Return the newest plan's schedule when it is not the one in force.

    A plan that does not fit any more (the command has none) is left for the fallback at once.
    """
    if now.plan is not None:
        return None if now.plan.plan_id == now.parent.plan_id else _adopted(now, now.plan)
    if not now.parent.plan_id:
        return None
    return _spread(now, bins(now), min(now.worked, now.goal))


def _ideal(now: Situation, ordinal: int) -> int:
    """Return where the plan stands at the start of the bin."""
    parent = now.parent
    return parent.targets[ordinal - 1] if ordinal else parent.anchor_quantity


def _track(_: Situation, bin_: Bin) -> int:
    return bin_.target


SHORTFALL = Method(starts_at_once, _starts, _spread, _ideal, _track, _renewed, is_spread_again=True)
