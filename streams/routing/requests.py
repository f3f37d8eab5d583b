"""What routing asks of a venue about a child that it already sent."""

from typing import Any, Final

from schemas.messages.core import Cause, PhaseKind
from schemas.messages.routing import (
    ChildCancelDeferred,
    ChildCancelRequested,
    ChildStatusRequested,
    ChildUnresolved,
)
from streams.routing import health
from streams.routing.auction import is_locked, place_auction
from streams.routing.commands import (
    CancelAtVenue,
    CancelChildren,
    ChangeConnection,
    HedgeError,
    ReportUndecodable,
    RouteSlice,
    WakeRouting,
)
from streams.routing.hedging import hedge
from streams.routing.placement import Placement, returned
from streams.routing.state import Child, Phase, RoutingState, Slice
from streams.routing.throttle import Throttle

__all__ = [
    "RETRY_NS",
    "STATUS_TRIES_MAX",
    "backoff_ns",
    "cancel",
    "change_connection",
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
# A venue that keeps an order through so many cancels is asked once a minute from then on.
CANCELS_MAX: Final = 10


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
    throttle = Throttle(state, command.at_ns)
    return tuple(
        request_cancel(throttle, child, command.cause)
        for child in state.children.values()
        if child.is_open and child.venue_id == command.venue_id and child.cancel_cause is None
    )


def _cancel_children(state: RoutingState, command: CancelChildren) -> tuple[Any, ...]:
    ledger = state.parents.get(command.parent_id)
    if ledger is None:
        return ()
    events: list[Any] = []
    throttle = Throttle(state, command.at_ns)
    for slice_id in ledger.slices:
        events += _end_slice(state, state.slices[slice_id], command.cause, throttle)
    return tuple(events)


def wake(state: RoutingState, command: WakeRouting) -> tuple[Any, ...]:
    """Return what a due timer leads to; `()` when its subject is gone."""
    _, what, subject = command.timer_id.split(":", 2)
    if what == "hedge":
        lot = command.market.instrument.lot
        again = HedgeError(instrument_id=subject, lot=lot, change=None, at_ns=command.at_ns)
        return hedge(state, again)
    throttle = Throttle(state, command.at_ns)
    if what in ("slice", "wait"):
        part = state.slices.get(subject)
        if part is None:
            return ()
        if what == "wait":
            return _place_deferred(state, part, command)
        return _end_slice(state, part, Cause.DEADLINE, throttle)
    child = state.children.get(subject)
    return _wake_child(state, child, throttle) if child is not None else ()


def change_connection(state: RoutingState, command: ChangeConnection) -> tuple[Any, ...]:
    """Return what a lost session leads to, or one that is back: there, every child is asked for."""
    if not command.is_connected:
        return health.disconnected(state, command.venue_id, command.at_ns)
    events: list[Any] = [*health.reconnected(state, command.venue_id, command.at_ns)]
    if events:
        for child in state.children.values():
            if child.venue_id == command.venue_id:
                events += _ask_anew(child, command.at_ns)
    return tuple(events)


def report_undecodable(state: RoutingState, command: ReportUndecodable) -> tuple[Any, ...]:
    """Return the suspension of the venue and a question for each child that it may have."""
    events: list[Any] = []
    if command.venue_id:
        events += health.undecodable(state, command.venue_id, command.reason, command.at_ns)
    for child in state.children.values():
        is_asked = child.phase is Phase.UNRESOLVED and child.status_cause is Cause.SUSPENDED
        is_asked = is_asked or child.is_escalated
        if child.is_open and not is_asked and command.venue_id in ("", child.venue_id):
            events += request_status(state, child, Cause.SUSPENDED, command.at_ns)
    return tuple(events)


def request_cancel(
    throttle: Throttle, child: Child, cause: Cause
) -> ChildCancelRequested | ChildCancelDeferred:
    """Return the next cancel request of a child, or the wish as long as its venue takes none."""
    due_ns, reason = _cancel_due(throttle, child)
    if due_ns:
        return ChildCancelDeferred(**child.ids, cause=cause, due_ns=due_ns, reason=reason)
    throttle.take(child.venue_id)
    return ChildCancelRequested(
        **child.ids,
        request=child.cancel_requests + 1,
        cause=cause,
        retry_ns=throttle.at_ns + RETRY_NS,
        requested_ns=throttle.at_ns,
    )


def _cancel_due(throttle: Throttle, child: Child) -> tuple[int, str]:
    is_due = child.is_cancel_deferred and child.due_ns <= throttle.at_ns
    if child.cancel_requests >= CANCELS_MAX and not is_due:
        reason = f"asked {child.cancel_requests} times and still there: people must look"
        return throttle.at_ns + BACKOFF_MAX_NS, reason
    if child.cancel_from_ns > throttle.at_ns:
        return child.cancel_from_ns, "the venue cancels no younger order"
    due_ns = throttle.due_ns(child.venue_id, is_cancel=True)
    return due_ns, "the venue takes no more messages this second" if due_ns else ""


def request_status(state: RoutingState, child: Child, cause: Cause, at_ns: int) -> tuple[Any, ...]:
    """Return the next question about a child; after STATUS_TRIES_MAX it is people's."""
    if child.status_tries >= STATUS_TRIES_MAX:
        if child.is_escalated:
            return ()
        unresolved = ChildUnresolved(
            **child.ids,
            quantity=child.exposure,
            requests=child.status_tries,
            since_ns=child.placed_ns,
            cause=cause,
        )
        return (
            unresolved,
            *health.after_unresolved(state, child, at_ns, child.status_tries),
        )
    asked = _ask(child, cause, at_ns, child.status_tries + 1)
    silence = health.after_silence(state, child, at_ns) if cause is Cause.TIMEOUT else ()
    return (asked, *silence)


def _ask_anew(child: Child, at_ns: int) -> tuple[ChildStatusRequested, ...]:
    is_asked = child.is_unresolved and not child.is_escalated
    return () if is_asked else (_ask(child, Cause.UNKNOWN_OUTCOME, at_ns, 1),)


def _ask(child: Child, cause: Cause, at_ns: int, tries: int) -> ChildStatusRequested:
    return ChildStatusRequested(
        **child.ids,
        request=child.status_requests + 1,
        cause=cause,
        retry_ns=at_ns + backoff_ns(tries),
    )


def backoff_ns(request: int) -> int:
    """Return the wait after the n-th request: doubles from RETRY_NS up to BACKOFF_MAX_NS."""
    return min(RETRY_NS << min(request - 1, 8), BACKOFF_MAX_NS)


def _place_deferred(state: RoutingState, part: Slice, command: WakeRouting) -> tuple[Any, ...]:
    """Place what waited for a throttled venue; other children of the slice stay as they are."""
    if not part.unplaced or part.is_ending:
        return ()
    holds = bool(part.children)
    if command.is_stopped:
        return returned(part, part.unplaced, Cause.KILL, is_closed=not holds)
    return Placement(
        state,
        part,
        part.unplaced,
        command.market,
        command.at_ns,
        cause=Cause.REROUTE,
        holds=holds,
    ).events()


def _end_slice(
    state: RoutingState, part: Slice, cause: Cause, throttle: Throttle
) -> tuple[Any, ...]:
    holds = bool(part.children)
    events: list[Any] = list(returned(part, part.unplaced, cause, is_closed=not holds))
    for child_id in part.children:
        child = state.children[child_id]
        is_asked = child.cancel_cause is not None and part.is_ending
        is_deadline = cause is Cause.DEADLINE and child.cancel_cause is not None
        if is_locked(child, throttle.at_ns) and cause is not Cause.KILL:
            continue  # its venue uncrosses first; a kill asks all the same
        if child.is_open and not is_asked and not is_deadline:
            events.append(request_cancel(throttle, child, cause))
    return tuple(events)


def _wake_child(state: RoutingState, child: Child, throttle: Throttle) -> tuple[Any, ...]:
    at_ns = throttle.at_ns
    if not child.due_ns or at_ns < child.due_ns:
        return ()
    if child.is_cancel_deferred and child.cancel_cause is not None:
        return (request_cancel(throttle, child, child.cancel_cause),)
    match child.phase:
        case Phase.LIVE if child.cancel_cause is not None:
            return (request_cancel(throttle, child, child.cancel_cause),)
        case Phase.LIVE | Phase.SUSPENDED:
            is_over = at_ns >= state.slices[child.slice_id].deadline_ns
            cause = Cause.DEADLINE if is_over else Cause.TIMEOUT
            return (request_cancel(throttle, child, cause),)
        case _:
            # Nobody answered, or fills that the venue counts did not come.
            why = child.status_cause if child.phase is Phase.UNRESOLVED else None
            return request_status(state, child, why or Cause.TIMEOUT, at_ns)
