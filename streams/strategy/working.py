"""The machine that all scheduled parents share: plan again, find the step, release what is due."""

from bisect import bisect_right

from schemas.messages.core import Cause, StrategyKind
from schemas.messages.strategy import ParentRecalibrated, ScheduleSet, SliceReleased
from streams.strategy.advice import advise
from streams.strategy.following import CLOSE, VWAP
from streams.strategy.method import Bin, Method
from streams.strategy.pov import POV
from streams.strategy.releases import recalibrated, released
from streams.strategy.schedule import expected_volume, floor_lot
from streams.strategy.shortfall import SHORTFALL
from streams.strategy.situation import Situation, Step
from streams.strategy.twap import TWAP

__all__ = ["METHODS", "releasable", "work_schedule"]

METHODS = {
    StrategyKind.VWAP: VWAP,
    StrategyKind.TWAP: TWAP,
    StrategyKind.POV: POV,
    StrategyKind.IMPLEMENTATION_SHORTFALL: SHORTFALL,
    StrategyKind.CLOSE: CLOSE,
}


def work_schedule(
    now: Situation, method: Method
) -> tuple[ScheduleSet | ParentRecalibrated | SliceReleased, ...]:
    """Return a plan where one is due, where the parent stands, and the slice that goes out."""
    parent, settings = now.parent, now.settings
    plans = _plans(now, method)
    if method.step is not None:
        step = method.step(now)
    else:
        step = _step(now, method, plans[0] if plans else None)
    if step.bin < 0:
        return (*plans, recalibrated(now, step, step.closes_ns, parent.not_before_ns))
    advice = advise(now, step, releasable(now, step))
    quantity, next_due_ns = advice.quantity, advice.next_due_ns
    not_before_ns = now.at_ns + settings.sweep_ns if quantity else parent.not_before_ns
    is_open = now.worked + quantity + advice.held < step.target
    if is_open and not_before_ns > now.at_ns:
        next_due_ns = min(next_due_ns, not_before_ns)
    return (
        *plans,
        recalibrated(now, step, next_due_ns, not_before_ns, advice),
        *released(now, quantity, advice.logic, advice.deadline_ns, tactic=advice.tactic),
    )


def releasable(now: Situation, step: Step) -> int:
    """Return what may go out now within target, cap and room; whole lots unless it is the rest."""
    parent = now.parent
    if now.is_stopped or parent.held_order_ids or not now.market.is_open or parent.epoch == 0:
        return 0
    wanted = step.target - now.worked
    continuous = now.worked - parent.opening_committed  # auctions do not count against the cap
    allowed = min(parent.room, step.cap - continuous)
    minimum = parent.minimum_quantity
    if minimum and min(wanted, allowed) < minimum <= parent.quantity - parent.committed_quantity:
        return 0  # less than the owner takes at once; it waits until the plan wants that much
    if step.target >= now.goal and 0 < wanted <= allowed:
        return wanted
    lot = now.market.instrument.lot
    if parent.quantity < lot * step.bins:
        wanted += lot // 2  # fewer lots than bins: to the nearest, or all wait for the last one
    return floor_lot(min(wanted, allowed), lot)


def _plans(now: Situation, method: Method) -> tuple[ScheduleSet, ...]:
    """Return the plan that is due: the first, a renewed one, or one for what changed; or ()."""
    if now.parent.plans == 0:
        if not now.is_planning:
            return ()
        return (method.spread(now, method.starts(now), min(now.worked, now.goal)),)
    is_asked = now.is_planning or now.cause is Cause.PLAN
    renewed = method.renewed(now) if is_asked else None
    if renewed is not None:
        return (renewed,)
    return _changed(now, method) if now.is_planning else ()


def _changed(now: Situation, method: Method) -> tuple[ScheduleSet, ...]:
    """Return a plan from this bin on after a stop, or for a changed quantity; () if none is due.

    What a member brings is spread over the rest of the window, not caught up with at once.
    """
    parent = now.parent
    ordinal = bisect_right(parent.starts_ns, now.at_ns) - 1
    if now.cause is Cause.RELEASED or _is_resumed(now, method):
        return _plan_again(now, method, ordinal)
    if parent.targets[-1] == now.goal or ordinal in (-1, parent.bin):
        return ()
    anchor = min(method.ideal(now, ordinal), now.goal)
    return (method.spread(now, parent.starts_ns[ordinal:], anchor),)


def _is_resumed(now: Situation, method: Method) -> bool:
    """Return whether trading goes on after an interruption that the plan did not see."""
    return method.is_spread_again and now.parent.is_interrupted and now.market.is_open


def _plan_again(now: Situation, method: Method, ordinal: int) -> tuple[ScheduleSet, ...]:
    """Return a plan that begins with what there is; () when the stop cost it nothing.

    What was not released meanwhile is late for its bins, and is not caught up with at once.
    """
    parent = now.parent
    anchor = min(now.worked, now.goal)
    if ordinal < 0 or anchor >= parent.targets[ordinal]:
        return ()
    return (method.spread(now, (now.at_ns, *parent.starts_ns[ordinal + 1 :]), anchor),)


def _step(now: Situation, method: Method, plan: ScheduleSet | None) -> Step:
    parent = now.parent
    starts = parent.starts_ns if plan is None else plan.bin_starts_ns
    targets = parent.targets if plan is None else plan.targets
    ordinal = bisect_right(starts, now.at_ns) - 1
    if ordinal < 0:
        first_ns = starts[0] if starts else now.at_ns + now.settings.retry_ns
        return Step(-1, 0, now.cap(0), now.at_ns, first_ns, False)
    is_last = ordinal == len(starts) - 1
    closes_ns = now.end_ns if is_last else starts[ordinal + 1]
    is_new = plan is not None or ordinal != parent.bin
    target, expected = parent.target_quantity, 0
    unfloored = target
    if now.is_planning or plan is not None:
        expected, expected_rest = _expected(now, starts[ordinal], closes_ns)
        if is_new:
            target = targets[ordinal]
        if is_new and plan is None:
            target = method.track(now, Bin(ordinal, target, expected, expected_rest))
        if is_new:
            unfloored, target = target, _floored(now, target, expected)
    unfloored = min(unfloored, now.goal)
    target = now.goal if is_last else min(target, now.goal)
    cap = now.cap(expected)
    if not (is_new and now.is_planning):
        cap = max(parent.cap_quantity, cap)
    return Step(ordinal, target, cap, starts[ordinal], closes_ns, is_last, len(starts), unfloored)


def _expected(now: Situation, opens_ns: int, closes_ns: int) -> tuple[int, int]:
    """Return the expected volume of the bin and of all that is left; zeros without a model."""
    if now.forecast is None:
        return 0, 0
    opens_ns = max(opens_ns, now.at_ns)
    return (
        expected_volume(now.forecast, opens_ns, closes_ns),
        expected_volume(now.forecast, opens_ns, now.end_ns),
    )


def _floored(now: Situation, target: int, expected: int) -> int:
    """Return the target, or more where the participation floor wants a share of this bin.

    Source: SPEC section 4, step 4 of the algorithm; the cap bounds it from above.
    """
    floor_bps = now.parameters.participation_floor_bps
    if floor_bps == 0 or expected == 0:
        return target
    return max(target, now.worked + now.share(expected, floor_bps))
