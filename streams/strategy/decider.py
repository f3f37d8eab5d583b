"""Decide what each parent releases, when, and how hard: VWAP, TWAP and immediate."""

from bisect import bisect_right
from hashlib import sha256
from typing import assert_never

from schemas.messages.core import Cause, RoutingLogic, StrategyKind
from schemas.messages.strategy import (
    ParentEnded,
    ParentRecalibrated,
    ScheduleSet,
    SliceReleased,
)
from streams.core.decider import Decider
from streams.core.ids import within_log
from streams.strategy.advice import advise, is_free
from streams.strategy.commands import Begin, Recalibrate, Resume, StrategyCommand, Wake
from streams.strategy.releases import recalibrated, released, scheduled
from streams.strategy.schedule import (
    PARTS_MAX,
    bin_volumes,
    equal_bins,
    expected_volume,
    floor_lot,
    jittered_targets,
    jittered_times,
    tracked_target,
    volume_targets,
)
from streams.strategy.situation import SWEPT_ONCE, Situation, Step
from streams.strategy.state import StrategyState, evolve

__all__ = ["STRATEGY", "decide"]

StrategyEvent = ScheduleSet | ParentRecalibrated | SliceReleased | ParentEnded


def decide(state: StrategyState, command: StrategyCommand) -> tuple[StrategyEvent, ...]:
    """Return what the parent does now; () when the command is already in effect."""
    parent = state.parents.get(command.parent_id)
    if parent is None or parent.is_ended:
        return ()
    match command:
        case Begin():
            is_done, cause, forecast = parent.next_due_ns != 0, Cause.OPENED, command.forecast
        case Wake():
            is_done = not 0 < parent.next_due_ns <= command.at_ns
            cause, forecast = Cause.BIN, command.forecast
        case Recalibrate():
            # When the timer is due at this very instant, its Wake sees the new position too.
            is_done = parent.next_due_ns <= command.at_ns or parent.seen == parent.position()
            cause, forecast = command.cause, None
        case Resume():
            is_done = parent.next_due_ns == 0
            cause, forecast = Cause.RELEASED, command.forecast
        case _:
            assert_never(command)
    if is_done:
        return ()
    close_ns = command.market.instrument.session_close_ns
    now = Situation(
        parent=parent,
        settings=state.settings,
        cause=cause,
        at_ns=command.at_ns,
        end_ns=min(parent.end_ns, close_ns) if parent.end_ns else close_ns,
        entropy=command.entropy,
        market=command.market,
        forecast=forecast,
        is_stopped=command.is_stopped,
    )
    return _work(now, is_planning=not isinstance(command, Recalibrate))


STRATEGY: Decider[StrategyState, StrategyCommand, object] = Decider(StrategyState, decide, evolve)


def _work(now: Situation, *, is_planning: bool) -> tuple[StrategyEvent, ...]:
    parent = now.parent
    if now.at_ns >= now.end_ns:
        return (ParentEnded(parent_id=parent.parent_id, cause=Cause.END_OF_WINDOW),)
    if now.at_ns < parent.start_ns:
        return (recalibrated(now, Step(-1, 0, 0, 0, 0, False), parent.start_ns, 0),)
    would = _work_would(now)
    if would:
        return would
    is_ioc = parent.time_in_force in SWEPT_ONCE
    if is_ioc and not parent.slices_released and now.is_waiting_for_open:
        retry_ns = min(now.at_ns + now.settings.retry_ns, now.end_ns)
        return (recalibrated(now, Step(-1, 0, 0, 0, 0, False), retry_ns, 0),)
    if is_ioc or parent.strategy is StrategyKind.IMMEDIATE:
        return _work_immediate(now, is_ioc=is_ioc)
    return _work_schedule(now, is_planning=is_planning)


def _work_would(now: Situation) -> tuple[StrategyEvent, ...]:
    """Take what the would price allows, whatever the plan says; () when it is not there."""
    parent, settings = now.parent, now.settings
    if not now.is_would:
        return ()
    cap = max(parent.cap_quantity, now.cap(0))
    step = Step(parent.bin, parent.quantity, cap, now.at_ns, now.end_ns, False)
    is_sweeping = any(part.logic is RoutingLogic.SWEEP for part in parent.slices.values())
    quantity = 0 if is_sweeping else _releasable(now, step)
    if quantity == 0:
        return ()
    taking = step._replace(target=parent.target_quantity)
    return (
        recalibrated(now, taking, now.look_again_ns, now.at_ns + settings.sweep_ns),
        *released(
            now,
            quantity,
            RoutingLogic.SWEEP,
            min(now.at_ns + settings.sweep_ns, now.end_ns),
            limit_price_e9=now.would_price_e9,
        ),
    )


def _work_immediate(now: Situation, *, is_ioc: bool) -> tuple[StrategyEvent, ...]:
    parent, settings = now.parent, now.settings
    expected, horizon_ns = 0, min(now.end_ns, now.at_ns + settings.bin_ns)
    if now.forecast is not None:
        expected = expected_volume(now.forecast, now.at_ns, horizon_ns)
    cap = max(parent.cap_quantity, now.cap(expected))
    step = Step(0, parent.quantity, cap, now.at_ns, now.end_ns, True)
    plans = () if parent.plans else (scheduled(now, (now.at_ns,), (parent.quantity,)),)
    is_new = now.cause in (Cause.OPENED, Cause.EPOCH, Cause.RELEASED) or not parent.slices_released
    if is_ioc or now.is_marketable:
        logic, deadline_ns = RoutingLogic.SWEEP, now.at_ns + settings.retry_ns
    else:
        logic, deadline_ns = RoutingLogic.SEQUENTIAL, now.at_ns + settings.rest_ns
    deadline_ns = min(deadline_ns, now.end_ns)
    quantity = _releasable(now, step)
    if not is_new and (is_ioc or not is_free(now, logic)):
        quantity = 0
    is_idle = parent.committed_quantity + quantity == parent.filled_quantity < parent.quantity
    if is_ioc and is_idle and not parent.held_order_ids:
        return (*plans, ParentEnded(parent_id=parent.parent_id, cause=Cause.COMPLETED))
    not_before_ns = now.at_ns + settings.retry_ns if quantity else parent.not_before_ns
    next_due_ns = now.end_ns
    if parent.committed_quantity + quantity < parent.quantity and not is_ioc:
        wait_ns = not_before_ns if not_before_ns > now.at_ns else now.at_ns + settings.sweep_ns
        next_due_ns = min(wait_ns, now.end_ns)
    return (
        *plans,
        recalibrated(now, step, next_due_ns, not_before_ns),
        *released(now, quantity, logic, deadline_ns),
    )


def _work_schedule(now: Situation, *, is_planning: bool) -> tuple[StrategyEvent, ...]:
    parent, settings = now.parent, now.settings
    plans = _plans(now) if is_planning else ()
    step = _step(now, plans[0] if plans else None, is_planning=is_planning)
    if step.bin < 0:
        return (*plans, recalibrated(now, step, step.closes_ns, parent.not_before_ns))
    advice = advise(now, step, _releasable(now, step))
    quantity, next_due_ns = advice.quantity, advice.next_due_ns
    not_before_ns = now.at_ns + settings.sweep_ns if quantity else parent.not_before_ns
    if parent.committed_quantity + quantity < step.target and not_before_ns > now.at_ns:
        next_due_ns = min(next_due_ns, not_before_ns)
    return (
        *plans,
        recalibrated(now, step, next_due_ns, not_before_ns, advice),
        *released(now, quantity, advice.logic, advice.deadline_ns, tactic=advice.tactic),
    )


def _plans(now: Situation) -> tuple[ScheduleSet, ...]:
    """Return the first plan, or one for a changed quantity from this bin on; () if none is due.

    What a member brings is spread over the rest of the window, not caught up with at once.
    """
    parent = now.parent
    if parent.plans == 0:
        return (_first_plan(now),)
    ordinal = bisect_right(parent.starts_ns, now.at_ns) - 1
    if now.cause is Cause.RELEASED:
        return _plan_again(now, ordinal)
    if parent.targets[-1] == parent.quantity or ordinal in (-1, parent.bin):
        return ()
    anchor = min(_ideal(now, ordinal), parent.quantity)
    return (_plan_from(now, parent.starts_ns[ordinal:], anchor),)


def _plan_again(now: Situation, ordinal: int) -> tuple[ScheduleSet, ...]:
    """Return a plan that begins with what there is; () when the stop cost it nothing.

    What was not released meanwhile is late for its bins, and is not caught up with at once.
    """
    parent = now.parent
    anchor = parent.committed_quantity
    if ordinal < 0 or anchor >= parent.targets[ordinal]:
        return ()
    return (_plan_from(now, (now.at_ns, *parent.starts_ns[ordinal + 1 :]), anchor),)


def _plan_from(now: Situation, starts: tuple[int, ...], anchor: int) -> ScheduleSet:
    """Return the plan that spreads what is not in `anchor` over the bins from there on."""
    rest = now.parent.quantity - anchor
    if now.parent.strategy is StrategyKind.TWAP:
        seed = _seed(now)
        shape = _slot_targets(now, rest, len(starts), seed)
    else:
        seed = b""
        shape = volume_targets(rest, 0, bin_volumes(starts, now.end_ns, now.forecast))
    targets = [anchor + target for target in shape]
    return scheduled(now, starts, targets, anchor=anchor, seed=seed)


def _first_plan(now: Situation) -> ScheduleSet:
    parent, settings = now.parent, now.settings
    if parent.strategy is StrategyKind.TWAP:
        seed = _seed(now)
        slots = min(max(1, (now.end_ns - now.at_ns) // settings.slot_ns), PARTS_MAX)
        jitter = settings.time_jitter_bps
        starts = jittered_times(now.at_ns, now.end_ns, slots, seed=seed, time_jitter_bps=jitter)
        return scheduled(now, starts, _slot_targets(now, parent.quantity, slots, seed), seed=seed)
    grid_ns = now.at_ns if now.forecast is None else now.forecast.bin_start_ns
    starts = equal_bins(now.at_ns, now.end_ns, grid_ns, settings.bin_ns)
    volumes = bin_volumes(starts, now.end_ns, now.forecast)
    return scheduled(now, starts, volume_targets(parent.quantity, 0, volumes))


def _slot_targets(now: Situation, quantity: int, slots: int, seed: bytes) -> tuple[int, ...]:
    lot, jitter = now.market.instrument.lot, now.settings.size_jitter_bps
    return jittered_targets(quantity, slots, lot, seed=seed, size_jitter_bps=jitter)


def _seed(now: Situation) -> bytes:
    return sha256(now.entropy + within_log(now.parent.parent_id).encode()).digest()


def _ideal(now: Situation, ordinal: int) -> int:
    """Return where the plan in force wants to stand at the start of the bin. Rounds: down."""
    parent = now.parent
    rest = parent.targets[-1] - parent.anchor_quantity
    if parent.strategy is StrategyKind.TWAP:
        return parent.anchor_quantity + rest * ordinal // len(parent.starts_ns)
    _, expected = _expected(now, parent.starts_ns[ordinal], now.end_ns)
    if not expected:
        return parent.targets[ordinal - 1] if ordinal else parent.anchor_quantity
    return parent.anchor_quantity + tracked_target(rest, _traded(now), 0, expected)


def _expected(now: Situation, opens_ns: int, closes_ns: int) -> tuple[int, int]:
    """Return the expected volume of the bin and of all that is left; zeros without a model."""
    if now.forecast is None:
        return 0, 0
    opens_ns = max(opens_ns, now.at_ns)
    return (
        expected_volume(now.forecast, opens_ns, closes_ns),
        expected_volume(now.forecast, opens_ns, now.end_ns),
    )


def _traded(now: Situation) -> int:
    return max(0, now.market.others_quantity - now.parent.anchor_market_quantity)


def _step(now: Situation, plan: ScheduleSet | None, *, is_planning: bool) -> Step:
    parent = now.parent
    starts = parent.starts_ns if plan is None else plan.bin_starts_ns
    targets = parent.targets if plan is None else plan.targets
    ordinal = bisect_right(starts, now.at_ns) - 1
    if ordinal < 0:
        return Step(-1, 0, now.cap(0), now.at_ns, starts[0], False)
    is_last = ordinal == len(starts) - 1
    closes_ns = now.end_ns if is_last else starts[ordinal + 1]
    is_new = plan is not None or ordinal != parent.bin
    target, expected = parent.target_quantity, 0
    if is_planning:
        expected, expected_rest = _expected(now, starts[ordinal], closes_ns)
        if is_new:
            target = targets[ordinal]
        if is_new and plan is None and expected_rest and parent.strategy is StrategyKind.VWAP:
            anchor, rest = parent.anchor_quantity, targets[-1] - parent.anchor_quantity
            target = anchor + tracked_target(rest, _traded(now), expected, expected_rest)
    target = parent.quantity if is_last else min(target, parent.quantity)
    cap = now.cap(expected) if is_new else max(parent.cap_quantity, now.cap(expected))
    return Step(ordinal, target, cap, starts[ordinal], closes_ns, is_last)


def _releasable(now: Situation, step: Step) -> int:
    """Return what may go out now within target, cap and room; whole lots unless it is the rest."""
    parent = now.parent
    if now.is_stopped or parent.held_order_ids or not now.market.is_open or parent.epoch == 0:
        return 0
    wanted = step.target - parent.committed_quantity
    allowed = min(parent.room, step.cap - parent.committed_quantity)
    minimum = parent.minimum_quantity
    if minimum and min(wanted, allowed) < minimum <= parent.quantity - parent.committed_quantity:
        return 0  # less than the owner takes at once; it waits until the plan wants that much
    if step.is_last and 0 < wanted <= allowed:
        return wanted
    return floor_lot(min(wanted, allowed), now.market.instrument.lot)
