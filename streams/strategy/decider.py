"""Decide what each parent releases, when, and how hard: what all strategies have in common."""

from typing import assert_never

from schemas.messages.core import Cause, RoutingLogic, StrategyKind, Tactic
from schemas.messages.strategy import (
    ParentEnded,
    ParentRecalibrated,
    ScheduleSet,
    SliceReleased,
)
from streams.core.decider import Decider
from streams.parameters import resolved
from streams.strategy import auctions
from streams.strategy.commands import Begin, Recalibrate, Resume, StrategyCommand, Wake
from streams.strategy.immediate import work_immediate
from streams.strategy.releases import recalibrated, released
from streams.strategy.situation import SWEPT_ONCE, Situation, Step
from streams.strategy.state import ParentSchedule, StrategyState, evolve
from streams.strategy.working import METHODS, releasable, work_schedule

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
            is_done = parent.next_due_ns <= command.at_ns or _is_known(parent, command)
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
        parameters=resolved(parent.strategy, parent.urgency, parent.parameters),
        cause=cause,
        at_ns=command.at_ns,
        end_ns=min(parent.end_ns, close_ns) if parent.end_ns else close_ns,
        entropy=command.entropy,
        market=command.market,
        forecast=forecast,
        plan=command.plan,
        is_planning=not isinstance(command, Recalibrate),
        is_stopped=command.is_stopped,
    )
    return _work(auctions.reserved(now))


STRATEGY: Decider[StrategyState, StrategyCommand, object] = Decider(StrategyState, decide, evolve)


def _is_known(parent: ParentSchedule, command: Recalibrate) -> bool:
    """Return whether the last decision saw this position, and the plan if one came."""
    is_new_plan = command.cause is Cause.PLAN and (
        command.plan is not None and command.plan.plan_id != parent.plan_id
    )
    return parent.seen == parent.position() and not is_new_plan


def _work(now: Situation) -> tuple[StrategyEvent, ...]:
    parent = now.parent
    if now.at_ns >= now.end_ns:
        return _end(now)
    at_auction = auctions.release(now)
    if at_auction:
        return at_auction
    if now.at_ns < parent.start_ns:
        return _wait(now, parent.start_ns)
    return _work_would(now) or _work_strategy(now)


def _work_strategy(now: Situation) -> tuple[StrategyEvent, ...]:
    parent = now.parent
    is_ioc = parent.time_in_force in SWEPT_ONCE
    if is_ioc and not parent.slices_released and now.is_waiting_for_open:
        return _wait(now, min(now.at_ns + now.settings.retry_ns, now.end_ns))
    if is_ioc or parent.strategy is StrategyKind.IMMEDIATE:
        return work_immediate(now, is_ioc=is_ioc)
    method = METHODS.get(parent.strategy)
    if method is None:  # AUTO: no strategy is chosen yet, and nothing is planned
        return _wait(now, min(now.at_ns + now.settings.retry_ns, now.end_ns))
    begins_ns = method.begins_ns(now)
    return _wait(now, begins_ns) if now.at_ns < begins_ns else work_schedule(now, method)


def _wait(now: Situation, until_ns: int) -> tuple[StrategyEvent, ...]:
    """Return where a parent stands that waits for its first step."""
    step = Step(-1, 0, 0, now.at_ns, now.end_ns, False)
    return (recalibrated(now, step, until_ns, 0),)


def _end(now: Situation) -> tuple[StrategyEvent, ...]:
    """Return the end; what is in the closing auction is waited for."""
    parent = now.parent
    over_ns = auctions.over_ns(parent)
    if now.at_ns < over_ns:
        step = Step(parent.bin, parent.target_quantity, parent.cap_quantity, 0, 0, True)
        return (recalibrated(now, step, over_ns, parent.not_before_ns),)
    return (ParentEnded(parent_id=parent.parent_id, cause=Cause.END_OF_WINDOW),)


def _work_would(now: Situation) -> tuple[StrategyEvent, ...]:
    """Take what the would price allows, whatever the plan says; () when it is not there."""
    parent, settings = now.parent, now.settings
    if not now.is_would:
        return ()
    cap = max(parent.cap_quantity, now.cap(0))
    step = Step(parent.bin, now.goal, cap, now.at_ns, now.end_ns, False)
    is_sweeping = any(part.logic is RoutingLogic.SWEEP for part in parent.slices.values())
    quantity = 0 if is_sweeping else releasable(now, step)
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
            tactic=Tactic.CROSS,
        ),
    )
