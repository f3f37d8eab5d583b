"""Which topic an event goes to, and which chain it belongs to: the one routing table."""

from typing import Any, Final, NamedTuple

from schemas.messages import (
    allocation,
    control,
    intake,
    kill,
    netting,
    risk,
    routing,
    scorecard,
    strategy,
)
from streams.core import topics

__all__ = ["OUTPUT_TOPICS", "ROUTES", "Route", "correlation_of"]


class Route(NamedTuple):
    """`chain` names the field whose value is the correlation id."""

    topic: str
    chain: str


ROUTES: Final[dict[type[Any], Route]] = {
    intake.OrderAccepted: Route(topics.ORDERS_EVENTS, "order_id"),
    intake.OrderRejected: Route(topics.ORDERS_EVENTS, "client_order_id"),
    intake.OrderCancelRejected: Route(topics.ORDERS_EVENTS, "order_id"),
    intake.OrderPendingCancel: Route(topics.ORDERS_EVENTS, "order_id"),
    intake.OrderPendingReplace: Route(topics.ORDERS_EVENTS, "order_id"),
    intake.OrderCanceled: Route(topics.ORDERS_EVENTS, "order_id"),
    intake.OrderReplaced: Route(topics.ORDERS_EVENTS, "order_id"),
    intake.OrderClosed: Route(topics.ORDERS_EVENTS, "order_id"),
    intake.OrderRestated: Route(topics.ORDERS_EVENTS, "order_id"),
    intake.OrderDoneForDay: Route(topics.ORDERS_EVENTS, "order_id"),
    intake.OrderResumed: Route(topics.ORDERS_EVENTS, "order_id"),
    intake.MassCancelAnswered: Route(topics.ORDERS_EVENTS, "client_order_id"),
    intake.BasketAnswered: Route(topics.ORDERS_EVENTS, "basket_id"),
    intake.CommandRepeated: Route(topics.ORDERS_EVENTS, "order_id"),
    netting.WindowOpened: Route(topics.AGGREGATIONS_EVENTS, "instrument_id"),
    netting.WindowClosed: Route(topics.AGGREGATIONS_EVENTS, "instrument_id"),
    netting.CrossExecuted: Route(topics.AGGREGATIONS_EVENTS, "cross_id"),
    netting.ParentOpened: Route(topics.AGGREGATIONS_EVENTS, "parent_id"),
    netting.EpochOpened: Route(topics.AGGREGATIONS_EVENTS, "parent_id"),
    netting.EpochClosed: Route(topics.AGGREGATIONS_EVENTS, "parent_id"),
    netting.TailResolved: Route(topics.AGGREGATIONS_EVENTS, "parent_id"),
    netting.ParentHeld: Route(topics.AGGREGATIONS_EVENTS, "parent_id"),
    netting.MemberLeft: Route(topics.AGGREGATIONS_EVENTS, "parent_id"),
    netting.ParentClosed: Route(topics.AGGREGATIONS_EVENTS, "parent_id"),
    strategy.VolumeForecast: Route(topics.STRATEGIES_EVENTS, "parent_id"),
    strategy.ScheduleSet: Route(topics.STRATEGIES_EVENTS, "parent_id"),
    strategy.ParentRecalibrated: Route(topics.STRATEGIES_EVENTS, "parent_id"),
    strategy.SliceReleased: Route(topics.STRATEGIES_EVENTS, "parent_id"),
    strategy.ParentEnded: Route(topics.STRATEGIES_EVENTS, "parent_id"),
    strategy.PolicyEvaluated: Route(topics.STRATEGIES_EVENTS, "parent_id"),
    strategy.StrategyChosen: Route(topics.STRATEGIES_EVENTS, "parent_id"),
    strategy.PlanRequested: Route(topics.STRATEGIES_EVENTS, "parent_id"),
    strategy.PlanEstimated: Route(topics.STRATEGIES_EVENTS, "parent_id"),
    strategy.PlanAdopted: Route(topics.STRATEGIES_EVENTS, "parent_id"),
    strategy.PlanExpired: Route(topics.STRATEGIES_EVENTS, "parent_id"),
    strategy.CompletionAtRisk: Route(topics.STRATEGIES_EVENTS, "parent_id"),
    strategy.CompletionRestored: Route(topics.STRATEGIES_EVENTS, "parent_id"),
    routing.ChildPlaced: Route(topics.CHILDREN_EVENTS, "parent_id"),
    routing.ChildAcknowledged: Route(topics.CHILDREN_EVENTS, "parent_id"),
    routing.ChildRejected: Route(topics.CHILDREN_EVENTS, "parent_id"),
    routing.ChildCancelRequested: Route(topics.CHILDREN_EVENTS, "parent_id"),
    routing.ChildCancelRejected: Route(topics.CHILDREN_EVENTS, "parent_id"),
    routing.ChildCanceled: Route(topics.CHILDREN_EVENTS, "parent_id"),
    routing.ChildStatusRequested: Route(topics.CHILDREN_EVENTS, "parent_id"),
    routing.SliceReturned: Route(topics.CHILDREN_EVENTS, "parent_id"),
    routing.ChildCancelDeferred: Route(topics.CHILDREN_EVENTS, "parent_id"),
    routing.ChildReplaceRequested: Route(topics.CHILDREN_EVENTS, "parent_id"),
    routing.ChildReplaced: Route(topics.CHILDREN_EVENTS, "parent_id"),
    routing.ChildReplaceRejected: Route(topics.CHILDREN_EVENTS, "parent_id"),
    routing.ChildRestated: Route(topics.CHILDREN_EVENTS, "parent_id"),
    routing.ChildUnresolved: Route(topics.CHILDREN_EVENTS, "parent_id"),
    control.ChildSettled: Route(topics.CHILDREN_EVENTS, "parent_id"),
    routing.SliceDeferred: Route(topics.CHILDREN_EVENTS, "parent_id"),
    routing.VenueSuspended: Route(topics.CHILDREN_EVENTS, "venue_id"),
    routing.VenueResumed: Route(topics.CHILDREN_EVENTS, "venue_id"),
    routing.FillBooked: Route(topics.FILLS_EVENTS, "parent_id"),
    routing.FillBusted: Route(topics.FILLS_EVENTS, "parent_id"),
    routing.ErrorHedged: Route(topics.FILLS_EVENTS, "parent_id"),
    routing.FillCorrected: Route(topics.FILLS_EVENTS, "parent_id"),
    routing.SuspenseRecorded: Route(topics.FILLS_EVENTS, "child_id"),
    routing.RouteDecided: Route(topics.DECISIONS_EVENTS, "parent_id"),
    risk.LimitsInForce: Route(topics.DECISIONS_EVENTS, "proposal_id"),
    risk.RiskDecided: Route(topics.DECISIONS_EVENTS, "client_order_id"),
    risk.LimitBreached: Route(topics.DECISIONS_EVENTS, "order_id"),
    risk.FlowDisabled: Route(topics.DECISIONS_EVENTS, "order_id"),
    risk.FlowReleased: Route(topics.DECISIONS_EVENTS, "flow_id"),
    risk.LeaseRequested: Route(topics.DECISIONS_EVENTS, "limit_id"),
    risk.LeaseReduced: Route(topics.DECISIONS_EVENTS, "limit_id"),
    kill.KillEngaged: Route(topics.DECISIONS_EVENTS, "kill_id"),
    kill.KillConfirmed: Route(topics.DECISIONS_EVENTS, "kill_id"),
    kill.KillFlagRaised: Route(topics.DECISIONS_EVENTS, "kill_id"),
    kill.KillFlagRemoved: Route(topics.DECISIONS_EVENTS, "kill_id"),
    kill.KillReleaseProposed: Route(topics.DECISIONS_EVENTS, "kill_id"),
    kill.KillReleased: Route(topics.DECISIONS_EVENTS, "kill_id"),
    kill.KillRefused: Route(topics.DECISIONS_EVENTS, "kill_id"),
    scorecard.InstrumentBucketed: Route(topics.DECISIONS_EVENTS, "instrument_id"),
    scorecard.FillsMarked: Route(topics.DECISIONS_EVENTS, "timer_id"),
    scorecard.VenueScored: Route(topics.DECISIONS_EVENTS, "venue_id"),
    scorecard.VenueModelInForce: Route(topics.DECISIONS_EVENTS, "proposal_id"),
    allocation.FillAllocated: Route(topics.ALLOCATIONS_EVENTS, "parent_id"),
    allocation.CrossAllocated: Route(topics.ALLOCATIONS_EVENTS, "cross_id"),
    allocation.AllocationRestated: Route(topics.ALLOCATIONS_EVENTS, "parent_id"),
    allocation.CashAllocated: Route(topics.ALLOCATIONS_EVENTS, "parent_id"),
}

OUTPUT_TOPICS: Final = (
    topics.ORDERS_EVENTS,
    topics.AGGREGATIONS_EVENTS,
    topics.STRATEGIES_EVENTS,
    topics.CHILDREN_EVENTS,
    topics.FILLS_EVENTS,
    topics.ALLOCATIONS_EVENTS,
    topics.DECISIONS_EVENTS,
    topics.DEAD_LETTERS,
)


def correlation_of(route: Route, event: Any) -> str:
    """Return the id of the chain; a refused command has no order id, only the client's."""
    chain: str = getattr(event, route.chain)
    return chain or str(getattr(event, "client_order_id", ""))
