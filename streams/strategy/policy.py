"""What a parent with a policy remembers: the newest choice, its plan, and what was asked for."""

from typing import Final

import msgspec

from schemas.messages.core import ExecutionPlan, StrategyKind
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
)

__all__ = ["POLICY_EVENTS", "PolicyEvent", "PolicyState", "evolve_policy", "policy_of"]

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
# Their schedule weighs impact against risk, or is chosen by that.
WEIGHING: Final = (StrategyKind.IMPLEMENTATION_SHORTFALL, StrategyKind.AUTO)


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
