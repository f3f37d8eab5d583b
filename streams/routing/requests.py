"""What routing asks of a venue about a child that it already sent."""

from typing import Any, Final

from schemas.messages.core import Cause, PhaseKind
from schemas.messages.routing import ChildCancelRequested, ChildStatusRequested, VenueSuspended
from streams.routing.auction import is_locked, place_auction
from streams.routing.commands import (
    CancelAtVenue,
    CancelChildren,
    ReportUndecodable,
    RouteSlice,
    WakeRouting,
)
from streams.routing.placement import Placement, returned
from streams.routing.state import Child, Phase, RoutingState, Slice, VenueRecord

__all__ = [
    "RETRY_NS",
    "STATUS_TRIES_MAX",
    "backoff_ns",
    "cancel",
    "report_undecodable",
    "request_cancel",
    "request_status",
    "route_slice",
    "wake",
]

RETRY_NS: Final = 5 * 1_000_000_000
BACKOFF_MAX_NS: Final = 60 * 1_000_000_000
# Five questions over half a minute; then the child stays unresolved and exposed for people.
STATUS_TRIES_MAX: Final = 5
UNDECODABLE_SUSPENSION_NS: Final = 30 * 1_000_000_000


def route_slice(state: RoutingState, command: RouteSlice) -> tuple[Any, ...]:
    """Return the first placement of a slice; `()` when it was routed or is ending."""
    part = state.slices.get(command.slice_id)
    if part is None or part.is_routed or part.is_ending:
        return ()
    if command.is_stopped:
        return returned(part, part.unplaced, Cause.KILL, is_closed=True)
    if command.at_ns >= part.deadline_ns:
        return returned(part, part.unplaced, Cause.DEADLINE, is_closed=True)
    if part.auction is not PhaseKind.UNKNOWN:
        return place_auction(
            state,
            part,
            part.unplaced,
            command.market,
            command.at_ns,
            cause=Cause.OPENED,
            holds=False,
        )
    return Placement(
        state,
        part,
        part.unplaced,
        command.market,
        command.at_ns,
        cause=Cause.OPENED,
        holds=False,
    ).events()


def cancel(state: RoutingState, command: CancelChildren | CancelAtVenue) -> tuple[Any, ...]:
    """Return what asks children back: all of a parent, or all that a venue may have."""
    if isinstance(command, CancelChildren):
        return _cancel_children(state, command)
    return tuple(
        request_cancel(child, command.cause, command.at_ns)
        for child in state.children.values()
        if child.is_open and child.venue_id == command.venue_id and child.cancel_cause is None
    )


def _cancel_children(state: RoutingState, command: CancelChildren) -> tuple[Any, ...]:
    ledger = state.parents.get(command.parent_id)
    if ledger is None:
        return ()
    events: list[Any] = []
    for slice_id in ledger.slices:
        events += _end_slice(state, state.slices[slice_id], command.cause, command.at_ns)
    return tuple(events)


def wake(state: RoutingState, command: WakeRouting) -> tuple[Any, ...]:
    """Return what a due timer leads to; `()` when its subject is gone."""
    _, what, subject = command.timer_id.split(":", 2)
    if what == "slice":
        part = state.slices.get(subject)
        return _end_slice(state, part, Cause.DEADLINE, command.at_ns) if part is not None else ()
    child = state.children.get(subject)
    return _wake_child(child, command.at_ns) if child is not None else ()


def report_undecodable(state: RoutingState, command: ReportUndecodable) -> tuple[Any, ...]:
    """Return the suspension of the venue and a question for each child that it may have."""
    events: list[Any] = []
    until_ns = command.at_ns + UNDECODABLE_SUSPENSION_NS
    record = state.venues.get(command.venue_id, VenueRecord())
    if command.venue_id and record.suspended_until_ns < until_ns:
        events.append(
            VenueSuspended(venue_id=command.venue_id, reason=command.reason, until_ns=until_ns)
        )
    for child in state.children.values():
        is_asked = child.phase is Phase.UNRESOLVED and child.status_cause is Cause.SUSPENDED
        if child.is_open and not is_asked and command.venue_id in ("", child.venue_id):
            events += request_status(child, Cause.SUSPENDED, command.at_ns)
    return tuple(events)


def request_cancel(child: Child, cause: Cause, at_ns: int) -> ChildCancelRequested:
    """Return the next cancel request of a child."""
    return ChildCancelRequested(
        **child.ids,
        request=child.cancel_requests + 1,
        cause=cause,
        retry_ns=at_ns + RETRY_NS,
    )


def request_status(child: Child, cause: Cause, at_ns: int) -> tuple[ChildStatusRequested, ...]:
    """Return the next question about a child; nothing after STATUS_TRIES_MAX unanswered ones."""
    if child.status_tries >= STATUS_TRIES_MAX:
        return ()
    is_last = child.status_tries + 1 == STATUS_TRIES_MAX
    return (
        ChildStatusRequested(
            **child.ids,
            request=child.status_requests + 1,
            cause=cause,
            retry_ns=0 if is_last else at_ns + backoff_ns(child.status_tries + 1),
        ),
    )


def backoff_ns(request: int) -> int:
    """Return the wait after the n-th request: doubles from RETRY_NS up to BACKOFF_MAX_NS."""
    return min(RETRY_NS << min(request - 1, 8), BACKOFF_MAX_NS)


def _end_slice(state: RoutingState, part: Slice, cause: Cause, at_ns: int) -> tuple[Any, ...]:
    holds = bool(part.children)
    events: list[Any] = list(returned(part, part.unplaced, cause, is_closed=not holds))
    for child_id in part.children:
        child = state.children[child_id]
        is_asked = child.cancel_cause is not None and part.is_ending
        is_deadline = cause is Cause.DEADLINE and child.cancel_cause is not None
        if is_locked(child, at_ns) and cause is not Cause.KILL:
            continue  # its venue uncrosses first; a kill asks all the same
        if child.is_open and not is_asked and not is_deadline:
            events.append(request_cancel(child, cause, at_ns))
    return tuple(events)


def _wake_child(child: Child, at_ns: int) -> tuple[Any, ...]:
    if not child.due_ns or at_ns < child.due_ns:
        return ()
    match child.phase:
        case Phase.LIVE if child.cancel_cause is not None:
            return (request_cancel(child, child.cancel_cause, at_ns),)
        case Phase.LIVE:
            return (request_cancel(child, Cause.TIMEOUT, at_ns),)
        case _:
            # Nobody answered, or fills that the venue counts did not come.
            cause = child.status_cause if child.phase is Phase.UNRESOLVED else None
            return request_status(child, cause or Cause.TIMEOUT, at_ns)
