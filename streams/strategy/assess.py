"""What a parent's policy leads to: a strategy, a warning, a plan asked for, kept or dropped."""

from collections.abc import Iterator
from typing import assert_never

from schemas.messages.core import ExecutionPlan, PlanFault, StrategyKind
from schemas.messages.strategy import (
    CompletionAtRisk,
    CompletionRestored,
    PlanAdopted,
    PlanExpired,
    PlanRequested,
    PolicyEvaluated,
    StrategyChosen,
)
from streams.strategy.policy import AdoptPlan, Assess, PolicyCommand, PolicyState
from streams.strategy.schedule import bin_volumes, equal_bins
from streams.strategy.staleness import Fault, fault_of
from streams.strategy.state import ParentSchedule, StrategyState

__all__ = ["decide"]

BPS = 10_000
E9 = 1_000_000_000
PLAN_BINS_MAX = 78  # five minutes of a day; more take the shard longer than a model may
OWN_MODEL = "almgren-chriss"  # what is followed where no planner answers


def decide(state: StrategyState, command: PolicyCommand) -> tuple[object, ...]:
    """Return what a policy leads to; () when its parent is gone, or nothing changes."""
    match command:
        case Assess():
            return _assess(state, command)
        case AdoptPlan():
            return _adopt(state, command)
        case _:
            assert_never(command)


def _assess(state: StrategyState, command: Assess) -> tuple[object, ...]:
    parent = state.parents.get(command.parent_id)
    if parent is None or parent.is_ended or parent.policy is None:
        return ()
    found = parent.policy.evaluated
    if found is None:
        return ()
    events = [*_choice(parent, found), *_warning(parent.policy, found)]
    chosen = [each.strategy for each in events if isinstance(each, StrategyChosen)]
    strategy = chosen[0] if chosen else parent.strategy
    if strategy is StrategyKind.IMPLEMENTATION_SHORTFALL:
        events += _plans(parent, parent.policy, command)
    return tuple(events)


def _choice(parent: ParentSchedule, found: PolicyEvaluated) -> Iterator[object]:
    if parent.strategy is not StrategyKind.AUTO or not found.alternatives:
        return
    yield StrategyChosen(
        parent_id=parent.parent_id,
        aim=found.aim,
        strategy=found.alternatives[0].strategy,
        participation_bps=found.point.participation_bps,
        cause=found.cause,
        model=found.model,
        inputs=found.inputs,
        alternatives=found.alternatives,
    )


def _warning(policy: PolicyState, found: PolicyEvaluated) -> Iterator[object]:
    """Say it once when completion falls under its floor, and once when it is surely back.

    Surely: the miss is half as likely as the owner bears, so that nobody is told to and fro.
    """
    floor_bps = found.inputs.completion_floor_bps
    is_back = 2 * (E9 - found.capped.completion_e9) * BPS <= E9 * (BPS - floor_bps)
    if not found.is_floor_kept and not policy.is_at_risk:
        yield CompletionAtRisk(
            parent_id=found.parent_id,
            cause=found.cause,
            completion_e9=found.capped.completion_e9,
            completion_floor_bps=floor_bps,
            unfilled_quantity=found.capped.unfilled_quantity,
            participation_cap_bps=found.inputs.participation_cap_bps,
            required_cap_bps=found.required_cap_bps,
            required_price_bps_e9=found.required_price_bps_e9,
            expected_volume=found.inputs.expected_volume,
            end_ns=found.inputs.end_ns,
            model=found.model,
        )
    elif found.is_floor_kept and is_back and policy.is_at_risk:
        yield CompletionRestored(
            parent_id=found.parent_id,
            cause=found.cause,
            completion_e9=found.capped.completion_e9,
            completion_floor_bps=floor_bps,
            participation_cap_bps=found.inputs.participation_cap_bps,
            model=found.model,
        )


def _plans(parent: ParentSchedule, policy: PolicyState, command: Assess) -> Iterator[object]:
    """Drop a plan that does not fit any more; ask for one when there is none, or an old one."""
    assert policy.evaluated is not None
    inputs, settings = policy.evaluated.inputs, command.settings
    if inputs.quantity <= inputs.committed_quantity:
        return
    fault = None if policy.plan is None else fault_of(policy.plan, inputs, settings)
    is_old = command.at_ns - policy.requested_ns >= settings.plan_refresh_ns
    if policy.plan is not None and fault is None and not is_old:
        return
    if policy.plan is not None and fault is not None:
        yield _expired(policy.plan, fault, is_followed=True, fallback=OWN_MODEL)
    starts_ns = _starts(parent, inputs.end_ns, command)
    yield PlanRequested(
        parent_id=parent.parent_id,
        request_id=f"{parent.parent_id}.plan.{policy.requests + 1}",
        instrument_id=parent.instrument_id,
        side=parent.side,
        strategy=StrategyKind.IMPLEMENTATION_SHORTFALL,
        cause=command.cause,
        inputs=inputs,
        bin_starts_ns=starts_ns,
        volumes=bin_volumes(starts_ns, inputs.end_ns, command.forecast)
        if command.forecast is not None
        else _even(starts_ns, inputs.end_ns, inputs.expected_volume),
    )


def _starts(parent: ParentSchedule, end_ns: int, command: Assess) -> tuple[int, ...]:
    """Return the bins of a plan from now on, on the grid of the forecast."""
    start_ns, forecast = max(command.at_ns, parent.start_ns), command.forecast
    grid_ns = start_ns if forecast is None else forecast.bin_start_ns
    bin_ns = command.bin_ns if forecast is None else forecast.bin_ns
    bin_ns = max(bin_ns, -(-(end_ns - start_ns) // PLAN_BINS_MAX))
    return equal_bins(start_ns, end_ns, grid_ns, bin_ns)


def _even(starts_ns: tuple[int, ...], end_ns: int, volume: int) -> tuple[int, ...]:
    """Return a volume spread over bins by their length. Rounds: down."""
    ends = (*starts_ns[1:], end_ns)
    whole = end_ns - starts_ns[0]
    return tuple([volume * (b - a) // whole for a, b in zip(starts_ns, ends, strict=True)])


def _adopt(state: StrategyState, command: AdoptPlan) -> tuple[object, ...]:
    plan = command.plan
    parent = state.parents.get(plan.parent_id)
    if parent is None or parent.is_ended or parent.policy is None:
        return ()
    policy = parent.policy
    following = "" if policy.plan is None else policy.plan.model
    if plan.request_id != policy.request_id:
        newest = int(policy.request_id.rpartition(".")[2] or policy.requests)
        asked = int(plan.request_id.rpartition(".")[2] or 0)
        fault: Fault | None = Fault(PlanFault.SUPERSEDED, asked, newest)
    else:
        fault = fault_of(plan, command.inputs, command.settings)
    if fault is not None:
        return (_expired(plan, fault, is_followed=False, fallback=following),)
    waited_ns = command.at_ns - policy.requested_ns
    return (PlanAdopted(parent_id=plan.parent_id, plan=plan, waited_ns=waited_ns),)


def _expired(plan: ExecutionPlan, fault: Fault, *, is_followed: bool, fallback: str) -> PlanExpired:
    return PlanExpired(
        parent_id=plan.parent_id,
        plan_id=plan.plan_id,
        fault=fault.fault,
        value=fault.value,
        bound=fault.bound,
        is_followed=is_followed,
        fallback=fallback,
    )
