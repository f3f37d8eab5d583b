"""What a parent with a policy remembers: the newest choice, its plan, and what was asked for."""

from collections.abc import Iterable
from typing import Final

import msgspec

from schemas.messages.core import Cause, ExecutionPlan, PlanInputs, StrategyKind
from schemas.messages.netting import ParentOpened
from schemas.messages.strategy import (
    CompletionAtRisk,
    CompletionRestored,
    PlanAdopted,
    PlanEstimated,
    PlanExpired,
    PlanRequested,
    PolicyEvaluated,
    StrategyChosen,
    VolumeForecast,
)

__all__ = [
    "POLICY_EVENTS",
    "AdoptPlan",
    "Assess",
    "PolicyCommand",
    "PolicyEvent",
    "PolicySettings",
    "PolicyState",
    "evolve_policy",
    "outstanding",
    "policy_of",
]

PolicyEvent = (
    PolicyEvaluated
    | StrategyChosen
    | PlanRequested
    | PlanEstimated
    | PlanAdopted
    | PlanExpired
    | CompletionAtRisk
    | CompletionRestored
)
POLICY_EVENTS: Final = (
    PolicyEvaluated,
    StrategyChosen,
    PlanRequested,
    PlanEstimated,
    PlanAdopted,
    PlanExpired,
    CompletionAtRisk,
    CompletionRestored,
)
SECOND_NS: Final = 1_000_000_000
# Their schedule weighs impact against risk, or is chosen by that.
WEIGHING: Final = (StrategyKind.IMPLEMENTATION_SHORTFALL, StrategyKind.AUTO)


class PolicySettings(msgspec.Struct, kw_only=True):
    """How often policies are solved again, and how far things may move."""

    review_ns: int = 30 * SECOND_NS  # a policy is solved again at the latest then
    gap_ns: int = SECOND_NS  # and at the earliest, unless the owner or a halt changed it
    plan_refresh_ns: int = 120 * SECOND_NS  # a new plan is asked for; the old one is followed
    plan_valid_ns: int = 600 * SECOND_NS  # no plan is followed for longer
    position_moved_bps: int = 1_000  # of the rest, beyond the targets of the bin
    surprise_bps: int = 2_000  # of volume, volatility or spread: the policy is solved again
    market_moved_bps: int = 5_000  # of the same, up or down by that factor: the plan is stale
    volatility_bps: int = 200  # of a day, while none was measured
    volume_cv_bps: int = 3_500  # of the volume to come, while the forecast says none
    daily_quantity_bps: int = 1_000  # what a parent is of a day's volume where nobody knows that


class Assess(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The parent's policy was evaluated: choose, warn, ask for a plan."""

    parent_id: str
    cause: Cause
    at_ns: int
    forecast: VolumeForecast | None  # None: volume is taken as even
    bin_ns: int  # of a plan, where there is no forecast
    settings: PolicySettings


class AdoptPlan(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The planner answered; `inputs` are those of now."""

    plan: ExecutionPlan
    at_ns: int
    inputs: PlanInputs
    settings: PolicySettings


PolicyCommand = Assess | AdoptPlan


class PolicyState(msgspec.Struct, kw_only=True):
    """One parent's policy. A parent without one costs nothing of this."""

    evaluated: PolicyEvaluated | None = None  # newest
    is_chosen: bool = False  # AUTO has become a strategy
    is_at_risk: bool = False  # CompletionAtRisk was said and not taken back
    plan: ExecutionPlan | None = None  # followed; None before the first
    plans_estimated: int = 0
    requests: int = 0
    request_id: str = ""  # newest request that is not answered
    requested_ns: int = 0


def outstanding(policies: Iterable[PolicyState | None]) -> tuple[str, ...]:
    """Return the requests that no plan has answered yet, the newest of each parent."""
    return tuple([each.request_id for each in policies if each is not None and each.request_id])


def policy_of(event: ParentOpened) -> PolicyState | None:
    """Return the policy of a parent; None where the owner asked for nothing that needs one."""
    parameters = event.parameters
    floor = None if parameters is None else parameters.completion_floor_bps
    return PolicyState() if event.strategy in WEIGHING or floor else None


def evolve_policy(policy: PolicyState, event: PolicyEvent) -> None:
    """Apply a recorded event of this parent."""
    match event:
        case PolicyEvaluated():
            policy.evaluated = event
        case StrategyChosen():
            policy.is_chosen = True
        case PlanRequested():
            policy.requests += 1
            policy.request_id = event.request_id
            policy.requested_ns = event.inputs.as_of_ns
        case PlanEstimated():
            policy.plans_estimated += 1
            policy.plan = event.plan
        case PlanAdopted():
            policy.plan = event.plan
            policy.request_id = ""
        case PlanExpired():
            _expire(policy, event)
        case CompletionAtRisk():
            policy.is_at_risk = True
        case CompletionRestored():
            policy.is_at_risk = False


def _expire(policy: PolicyState, event: PlanExpired) -> None:
    if event.plan_id == policy.request_id:  # answered, too late
        policy.request_id = ""
    if policy.plan is not None and policy.plan.plan_id == event.plan_id:
        policy.plan = None
