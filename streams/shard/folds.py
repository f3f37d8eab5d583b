"""Which event is shown to which context: the table that ShardState folds by.

Every context's evolve would pass over what it does not use; the table spares the calls, five to
nine for each event. tests/unit/test_shard_folds.py holds it against what the contexts use.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from schemas.messages import allocation as paid
from schemas.messages import control as told
from schemas.messages import intake as asked
from schemas.messages import kill as stopped
from schemas.messages import netting as netted
from schemas.messages import risk as bounded
from schemas.messages import routing as routed
from schemas.messages import scorecard as scored
from schemas.messages import strategy as worked
from streams import allocation, intake, kill, netting, risk, routing, scorecard, strategy
from streams.shard.routes import ROUTES

__all__ = ["FOLDS", "TIMERS", "USES"]

TimersOf = Callable[[Any, Any], tuple[tuple[str, int | None], ...]]


class Use(NamedTuple):
    """A context by its field in ShardState, and the events that it folds and times."""

    name: str
    evolve: Callable[[Any, Any], None]
    folded: tuple[type[Any], ...]
    timers_of: TimersOf
    timed: tuple[type[Any], ...]


USES: Final = (
    Use(
        "intake",
        intake.INTAKE.evolve,
        (
            asked.OrderAccepted,
            asked.OrderRejected,
            asked.OrderCancelRejected,
            asked.OrderPendingCancel,
            asked.OrderPendingReplace,
            asked.OrderCanceled,
            asked.OrderReplaced,
            asked.OrderClosed,
            asked.OrderRestated,
            asked.OrderDoneForDay,
            asked.OrderResumed,
            asked.MassCancelAnswered,
            asked.BasketAnswered,
            netted.EpochOpened,
            netted.MemberLeft,
            netted.ParentClosed,
            paid.FillAllocated,
            paid.AllocationRestated,
            paid.CrossAllocated,
        ),
        intake.timers_of,
        (asked.OrderAccepted, asked.OrderDoneForDay),
    ),
    Use(
        "netting",
        netting.NETTING.evolve,
        (
            asked.OrderAccepted,
            asked.OrderReplaced,
            asked.OrderCanceled,
            asked.OrderClosed,
            asked.OrderDoneForDay,
            asked.OrderResumed,
            netted.WindowOpened,
            netted.WindowClosed,
            netted.CrossExecuted,
            netted.ParentOpened,
            netted.EpochOpened,
            netted.EpochClosed,
            netted.TailResolved,
            netted.ParentHeld,
            netted.MemberLeft,
            netted.ParentClosed,
            worked.ParentEnded,
            paid.FillAllocated,
            paid.AllocationRestated,
        ),
        netting.timers_of,
        (
            asked.OrderAccepted,
            asked.OrderReplaced,
            asked.OrderResumed,
            netted.WindowOpened,
            netted.WindowClosed,
        ),
    ),
    Use(
        "strategy",
        strategy.STRATEGY.evolve,
        (
            netted.ParentOpened,
            netted.EpochOpened,
            netted.EpochClosed,
            netted.ParentHeld,
            netted.MemberLeft,
            netted.ParentClosed,
            worked.ScheduleSet,
            worked.ParentRecalibrated,
            worked.SliceReleased,
            worked.ParentEnded,
            *strategy.POLICY_EVENTS,
            routed.SliceReturned,
            routed.FillBooked,
            routed.FillBusted,
            routed.FillCorrected,
        ),
        strategy.timers_of,
        (
            worked.ParentRecalibrated,
            worked.PolicyEvaluated,
            worked.ParentEnded,
            netted.ParentClosed,
        ),
    ),
    Use(
        "routing",
        routing.ROUTING.evolve,
        (
            netted.ParentOpened,
            netted.EpochOpened,
            netted.ParentHeld,
            netted.ParentClosed,
            worked.SliceReleased,
            worked.ParentEnded,
            routed.RouteDecided,
            routed.ChildPlaced,
            routed.ChildAcknowledged,
            routed.ChildRejected,
            routed.ChildCancelRequested,
            routed.ChildCancelRejected,
            routed.ChildCanceled,
            routed.ChildStatusRequested,
            routed.ChildCancelDeferred,
            routed.ChildReplaceRequested,
            routed.ChildReplaced,
            routed.ChildReplaceRejected,
            routed.ChildRestated,
            routed.ChildUnresolved,
            told.ChildSettled,
            routed.SliceDeferred,
            routed.SliceReturned,
            routed.VenueSuspended,
            routed.VenueResumed,
            routed.FillBooked,
            routed.FillBusted,
            routed.FillCorrected,
            routed.SuspenseRecorded,
            routed.ErrorHedged,
            asked.OrderAccepted,
            asked.OrderRejected,
            asked.OrderCanceled,
            asked.OrderClosed,
            asked.OrderRestated,
            scored.InstrumentBucketed,
            scored.VenueScored,
        ),
        routing.timers_of,
        (
            worked.SliceReleased,
            routed.ChildPlaced,
            routed.ChildAcknowledged,
            routed.ChildRejected,
            routed.ChildCancelRequested,
            routed.ChildCancelRejected,
            routed.ChildCanceled,
            routed.ChildStatusRequested,
            routed.ChildCancelDeferred,
            routed.ChildReplaceRequested,
            routed.ChildReplaced,
            routed.ChildReplaceRejected,
            routed.ChildRestated,
            routed.ChildUnresolved,
            routed.SliceDeferred,
            routed.SliceReturned,
            routed.FillBooked,
            routed.ErrorHedged,
        ),
    ),
    Use(
        "allocation",
        allocation.ALLOCATION.evolve,
        (
            netted.EpochOpened,
            netted.EpochClosed,
            netted.TailResolved,
            netted.ParentClosed,
            routed.FillBooked,
            routed.FillBusted,
            routed.FillCorrected,
            paid.FillAllocated,
            paid.AllocationRestated,
            paid.CrossAllocated,
            paid.CashAllocated,
        ),
        lambda _event, _state: (),
        (),
    ),
    Use(
        "risk",
        risk.RISK.evolve,
        (
            asked.OrderAccepted,
            asked.OrderRejected,
            asked.OrderCancelRejected,
            asked.CommandRepeated,
            asked.OrderPendingCancel,
            asked.OrderPendingReplace,
            asked.OrderCanceled,
            asked.OrderReplaced,
            asked.OrderClosed,
            asked.OrderRestated,
            asked.OrderResumed,
            asked.MassCancelAnswered,
            paid.FillAllocated,
            paid.AllocationRestated,
            paid.CrossAllocated,
            bounded.LimitsInForce,
            bounded.FlowDisabled,
            bounded.FlowReleased,
            bounded.LeaseRequested,
            bounded.LeaseReduced,
        ),
        lambda _event, _state: (),
        (),
    ),
    Use(
        "kill",
        kill.KILL.evolve,
        (
            routed.ChildRejected,
            routed.ChildCanceled,
            routed.FillBooked,
            stopped.KillEngaged,
            stopped.KillConfirmed,
            stopped.KillFlagRaised,
            stopped.KillFlagRemoved,
            stopped.KillReleaseProposed,
            stopped.KillReleased,
        ),
        lambda _event, _state: (),
        (),
    ),
    Use(
        "scorecard",
        scorecard.SCORECARD.evolve,
        (
            routed.ChildPlaced,
            routed.ChildAcknowledged,
            routed.ChildRejected,
            routed.ChildReplaced,
            routed.ChildCanceled,
            routed.FillBooked,
            routed.FillBusted,
            scored.InstrumentBucketed,
            scored.FillsMarked,
            scored.VenueScored,
            scored.VenueModelInForce,
        ),
        scorecard.timers_of,
        (
            routed.ChildPlaced,
            routed.ChildCanceled,
            routed.FillBooked,
            scored.FillsMarked,
            scored.VenueScored,
        ),
    ),
)

# By event, in the order of USES: the evolve or timers_of to call, and the state to call it with.
FOLDS: Final[dict[type[Any], tuple[tuple[Callable[[Any, Any], None], str], ...]]] = {
    event: tuple((use.evolve, use.name) for use in USES if event in use.folded) for event in ROUTES
}
TIMERS: Final[dict[type[Any], tuple[tuple[TimersOf, str], ...]]] = {
    event: tuple((use.timers_of, use.name) for use in USES if event in use.timed)
    for event in ROUTES
}
