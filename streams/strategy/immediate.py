"""IMMEDIATE: all of it at once through the consolidated book, and what is left as it comes.

Orders that are swept once (IOC, AT_OPEN) end with their first sweep or their auction.
"""

from schemas.messages.core import Cause, RoutingLogic, Tactic
from schemas.messages.strategy import (
    ParentEnded,
    ParentRecalibrated,
    ScheduleSet,
    SliceReleased,
)
from streams.strategy.advice import is_free
from streams.strategy.auctions import is_opening_only
from streams.strategy.releases import recalibrated, released, scheduled
from streams.strategy.schedule import expected_volume
from streams.strategy.situation import Situation, Step
from streams.strategy.working import releasable

__all__ = ["work_immediate"]


def work_immediate(
    now: Situation, *, is_ioc: bool
) -> tuple[ScheduleSet | ParentRecalibrated | SliceReleased | ParentEnded, ...]:
    """Return the sweep, or the slice that rests at a limit away from the market."""
    parent, settings = now.parent, now.settings
    expected, horizon_ns = 0, min(now.end_ns, now.at_ns + settings.bin_ns)
    if now.forecast is not None:
        expected = expected_volume(now.forecast, now.at_ns, horizon_ns)
    cap = max(parent.cap_quantity, now.cap(expected))
    step = Step(0, now.goal, cap, now.at_ns, now.end_ns, True)
    plans = () if parent.plans else (scheduled(now, (now.at_ns,), (now.goal,)),)
    is_new = now.cause in (Cause.OPENED, Cause.EPOCH, Cause.RELEASED) or not parent.slices_released
    if is_ioc or now.is_marketable:
        logic, tactic, deadline_ns = RoutingLogic.SWEEP, Tactic.CROSS, now.at_ns + settings.retry_ns
    else:
        logic, tactic = RoutingLogic.SEQUENTIAL, Tactic.JOIN
        deadline_ns = now.at_ns + settings.rest_ns
    deadline_ns = min(deadline_ns, now.end_ns)
    quantity = 0 if is_opening_only(parent) else releasable(now, step)
    if not is_new and (is_ioc or not is_free(now, logic)):
        quantity = 0
    is_idle = parent.committed_quantity + quantity == parent.filled_quantity < parent.quantity
    if is_ioc and is_idle and not parent.held_order_ids:
        return (*plans, ParentEnded(parent_id=parent.parent_id, cause=Cause.COMPLETED))
    not_before_ns = now.at_ns + settings.retry_ns if quantity else parent.not_before_ns
    next_due_ns = now.end_ns
    if now.worked + quantity < now.goal and not is_ioc:
        wait_ns = not_before_ns if not_before_ns > now.at_ns else now.at_ns + settings.sweep_ns
        next_due_ns = min(wait_ns, now.end_ns)
    return (
        *plans,
        recalibrated(now, step, next_due_ns, not_before_ns),
        *released(now, quantity, logic, deadline_ns, tactic=tactic),
    )
