"""Routing's decider, its timers, and what the shard may ask it."""

from collections.abc import Callable
from typing import Any, Final

from schemas.messages.routing import (
    ChildAcknowledged,
    ChildCancelDeferred,
    ChildCanceled,
    ChildCancelRejected,
    ChildCancelRequested,
    ChildPlaced,
    ChildRejected,
    ChildReplaced,
    ChildReplaceRejected,
    ChildReplaceRequested,
    ChildRestated,
    ChildStatusRequested,
    ChildUnresolved,
    ErrorHedged,
    FillBooked,
    SliceDeferred,
    SliceReturned,
)
from schemas.messages.strategy import SliceReleased
from streams.core.decider import Decider
from streams.routing.commands import (
    ApplyCancelReject,
    ApplyReport,
    CancelAtVenue,
    CancelChildren,
    ChangeConnection,
    HedgeError,
    ReplaceChild,
    ReportUndecodable,
    RepriceChildren,
    RouteSlice,
    RoutingCommand,
    SettleChild,
    WakeRouting,
)
from streams.routing.evolve import evolve
from streams.routing.hedging import hedge
from streams.routing.pegging import reprice
from streams.routing.refusals import apply_cancel_reject
from streams.routing.replacing import replace_child
from streams.routing.reports import apply_report
from streams.routing.requests import (
    cancel,
    change_connection,
    report_undecodable,
    route_slice,
    wake,
)
from streams.routing.settling import settle_child
from streams.routing.state import RoutingState

__all__ = ["ROUTING", "decide", "timers_of"]

_CHILD_EVENTS = (
    ChildAcknowledged,
    ChildCancelDeferred,
    ChildReplaced,
    ChildReplaceRejected,
    ChildReplaceRequested,
    ChildRestated,
    ChildUnresolved,
    ChildCancelRejected,
    ChildCancelRequested,
    ChildCanceled,
    ChildPlaced,
    ChildRejected,
    ChildStatusRequested,
    FillBooked,
)


def decide(state: RoutingState, command: RoutingCommand) -> tuple[Any, ...]:
    """Return what follows from `command`; `()` if it is already in effect (a redelivery)."""
    return _DECISIONS[type(command)](state, command)


def timers_of(event: Any, state: RoutingState) -> tuple[tuple[str, int | None], ...]:
    """Return the timers that `event`, already folded, sets or cancels.

    `routing:slice:<slice_id>` is the slice's deadline; `routing:child:<child_id>` is when a child
    needs attention: no answer, rested long enough, a request to repeat.
    """
    if isinstance(event, SliceReleased):
        return ((f"routing:slice:{event.slice_id}", event.deadline_ns),)
    if isinstance(event, SliceReturned):
        return _slice_timer(event.slice_id, state)
    if isinstance(event, ErrorHedged):
        return ((f"routing:hedge:{event.instrument_id}", event.retry_ns),)
    if isinstance(event, SliceDeferred):
        return ((f"routing:wait:{event.slice_id}", event.due_ns),)
    if isinstance(event, _CHILD_EVENTS):
        child = state.children.get(event.child_id)
        due_ns = child.due_ns if child is not None else 0
        own = (f"routing:child:{event.child_id}", due_ns or None)
        return (own, *_slice_timer(event.slice_id, state))
    return ()


def _slice_timer(slice_id: str, state: RoutingState) -> tuple[tuple[str, int | None], ...]:
    return () if slice_id in state.slices else ((f"routing:slice:{slice_id}", None),)


_DECISIONS: Final[dict[type[Any], Callable[[RoutingState, Any], tuple[Any, ...]]]] = {
    RouteSlice: route_slice,
    ApplyReport: apply_report,
    ApplyCancelReject: apply_cancel_reject,
    CancelChildren: cancel,
    CancelAtVenue: cancel,
    WakeRouting: wake,
    RepriceChildren: reprice,
    ReplaceChild: replace_child,
    ChangeConnection: change_connection,
    ReportUndecodable: report_undecodable,
    SettleChild: settle_child,
    HedgeError: hedge,
}

ROUTING: Decider[RoutingState, RoutingCommand, Any] = Decider(
    initial=RoutingState, decide=decide, evolve=evolve
)
