"""Venue reports, in any order and any number of times, into facts about children."""

from collections.abc import Callable
from copy import copy
from typing import Any, Final

from schemas.messages.core import (
    Cause,
    ExecType,
    OrderStatus,
    PhaseKind,
    RejectReason,
    RoutingLogic,
    Side,
    TimeInForce,
)
from schemas.messages.routing import (
    ChildAcknowledged,
    ChildCanceled,
    ChildRejected,
    FillBooked,
    SuspenseRecorded,
    VenueResumed,
    VenueSuspended,
)
from schemas.messages.venues import ExecutionReport
from streams.routing import health
from streams.routing.auction import place_auction
from streams.routing.claims import change_claim, claim_execution, is_claimable
from streams.routing.commands import ApplyReport
from streams.routing.executions import (
    book_execution,
    change_execution,
    execution_problem,
    own_key,
)
from streams.routing.placement import Placement, returned
from streams.routing.replacing import replaced_of, restated_of
from streams.routing.requests import RETRY_NS, request_cancel
from streams.routing.state import Child, RoutingState, Slice, find_child
from streams.routing.suspense import keep_suspense
from streams.routing.throttle import Throttle
from streams.routing.upkeep import wanted

__all__ = ["apply_report", "close", "target_met"]

# Their venue ends them by itself: after one sweep, or after the auction.
EXPIRING: Final = (TimeInForce.IOC, TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE)

_TERMINAL = {
    OrderStatus.CANCELED: OrderStatus.CANCELED,
    OrderStatus.EXPIRED: OrderStatus.EXPIRED,
    OrderStatus.FILLED: OrderStatus.FILLED,
    OrderStatus.DONE_FOR_DAY: OrderStatus.EXPIRED,  # our children live no longer than a day
}
_WORKING = (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)


def apply_report(state: RoutingState, command: ApplyReport) -> tuple[Any, ...]:
    """Return what follows from a report; `()` when it says nothing new."""
    report = command.report
    child = find_child(state, report.child_id)
    if child is None:
        return keep_suspense(state, command, RejectReason.UNKNOWN_CHILD)
    if _who(report) != (child.venue_id, child.instrument_id, child.side):
        return keep_suspense(state, command, RejectReason.REPORT_CONTRADICTS)
    events = _told(state, command, child)
    return (*events, *_after_probe(state, command, child, events)) if child.is_probe else events


def _told(state: RoutingState, command: ApplyReport, child: Child) -> tuple[Any, ...]:
    match command.report.exec_type:
        case ExecType.TRADE | ExecType.TRADE_CANCEL | ExecType.TRADE_CORRECT:
            return _executed(state, command, child)
        case ExecType.UNKNOWN:
            return keep_suspense(state, command, RejectReason.UNEXPECTED_MESSAGE)
        case _ if child.is_open or command.report.exec_type is ExecType.ORDER_STATUS:
            return _ORDER_REPORTS[command.report.exec_type](state, command, child)
        case _:
            return ()  # a repeat, or overtaken by the last word about the child


def _after_probe(
    state: RoutingState, command: ApplyReport, child: Child, events: tuple[Any, ...]
) -> tuple[Any, ...]:
    """Whatever the venue says of its probe but a reject lets it come back."""
    is_judged = any(isinstance(each, VenueResumed | VenueSuspended) for each in events)
    if is_judged or not events or isinstance(events[0], SuspenseRecorded):
        return ()
    return _answered(state, command, child, 0)


def _answered(
    state: RoutingState, command: ApplyReport, child: Child, latency_ns: int
) -> tuple[Any, ...]:
    """Return what an answer says of its venue; one that resumes is asked what it still owes us."""
    slow_after_ns = 0
    if command.market is not None and latency_ns:
        ids = (book for book in command.market.books if book.venue.venue_id == child.venue_id)
        slow_after_ns = next((book.venue.slow_after_ns for book in ids), 0)
    said = health.after_answer(state, child, command.at_ns, slow_after_ns, latency_ns)
    if not any(isinstance(each, VenueResumed) for each in said):
        return said
    return (*said, *health.asked_again(state, child.venue_id, command.at_ns, RETRY_NS))


def _executed(state: RoutingState, command: ApplyReport, child: Child) -> tuple[Any, ...]:
    report, market = command.report, command.market
    if own_key(report) in state.changes or own_key(report) in state.claims:
        return ()
    problem = execution_problem(state, command, child)
    if problem is not None or market is None:
        return keep_suspense(state, command, problem or RejectReason.UNKNOWN_INSTRUMENT)
    child = copy(child)
    if report.exec_type is not ExecType.TRADE:
        change = change_claim if is_claimable(state, report, child) else change_execution
        return change(state, report, market, child)
    claimed = claim_execution(state, command, market, child)
    if claimed:
        return (*claimed, *target_met(state, claimed, command.at_ns))
    events = book_execution(state, command, market, child)
    # A replace to more that is still on its way may open a full order again.
    is_final = report.order_status is OrderStatus.FILLED and report.leaves_quantity == 0
    is_final = is_final and not child.added
    # Only FILLED: the count in a trade with another closing status is the one at its time.
    if is_final and child.is_open and report.cumulative_quantity - child.net < child.exposure:
        spent = events[0].overfill_quantity if events else 0
        events = (*events, *close(state, command, child, OrderStatus.FILLED, spent=spent))
    return (*events, *target_met(state, events, command.at_ns))


def target_met(state: RoutingState, events: tuple[Any, ...], at_ns: int) -> tuple[Any, ...]:
    """Ask back, at once, what over-subscribed children still expose when the slice is filled."""
    booked = [event for event in events if isinstance(event, FillBooked)]
    part = state.slices.get(booked[0].slice_id) if booked else None
    if part is None or not part.over:
        return ()
    if wanted(state, part) > sum(each.quantity - each.late_quantity for each in booked):
        return ()
    left = {child_id: state.children[child_id].exposure for child_id in part.children}
    for event in events:
        if isinstance(event, FillBooked) and event.child_id in left:
            left[event.child_id] -= event.quantity - event.late_quantity + event.overfill_quantity
        elif isinstance(event, ChildCanceled):
            left[event.child_id] = event.outstanding_quantity
    rivals = [state.children[child_id] for child_id, exposure in left.items() if exposure]
    throttle = Throttle(state, at_ns)
    return tuple(
        request_cancel(throttle, rival, Cause.TARGET_MET)
        for rival in rivals
        if rival.is_open and rival.cancel_cause is None
    )


def _new(state: RoutingState, command: ApplyReport, child: Child) -> tuple[Any, ...]:
    if child.is_acknowledged:
        return _restated(state, command, child)
    return _alive(state, command, child)


def _alive(state: RoutingState, command: ApplyReport, child: Child) -> tuple[Any, ...]:
    """The venue has it. If a cancel is still wanted and nobody is about to answer it, ask again."""
    latency_ns = max(command.at_ns - child.placed_ns, 0)
    acknowledged = ChildAcknowledged(
        **child.ids,
        venue_order_id=command.report.venue_order_id,
        ack_latency_ns=latency_ns,
    )
    # Status requests make an answer late by our own doing: it says nothing of the venue's pace.
    is_timed = not child.is_acknowledged and not child.is_unresolved
    said = _answered(state, command, child, latency_ns if is_timed else 0)
    # A replace that nobody answered: only without the child is it sure what became of it.
    wish = child.cancel_cause or (Cause.TIMEOUT if child.is_replacing else None)
    if child.is_unresolved and wish is not None:
        throttle = Throttle(state, command.at_ns)
        return (acknowledged, *said, request_cancel(throttle, child, wish))
    return (acknowledged, *said)


def _status(state: RoutingState, command: ApplyReport, child: Child) -> tuple[Any, ...]:
    status = command.report.order_status
    if status is OrderStatus.REJECTED:
        return _rejected(state, command, child) if child.is_open else ()
    if child.is_replacing and child.is_open:
        if child.replace_requests == command.report.request and status in _WORKING:
            return _replaced(state, command, child)
        if child.added and status is OrderStatus.FILLED:
            return ()  # the replace to more may open it again: asked until it is answered
    if status in _TERMINAL:
        return _ended(state, command, child, status)
    is_paused = status is OrderStatus.SUSPENDED
    is_waiting = child.is_open and (child.is_unresolved or not child.is_acknowledged)
    if not is_waiting:
        return _restated(state, command, child)
    alive = _alive(state, command, child)
    return (*alive, *_restated(state, command, child)) if is_paused else alive


def _ended(
    state: RoutingState, command: ApplyReport, child: Child, status: OrderStatus
) -> tuple[Any, ...]:
    if child.is_open:
        return close(state, command, child, _TERMINAL[status])
    # The venue's count may have sunk by a bust: what it no longer owes us is free.
    owed = max(command.report.cumulative_quantity - child.net, 0)
    return close(state, command, child, status) if owed < child.exposure else ()


def _restated(state: RoutingState, command: ApplyReport, child: Child) -> tuple[Any, ...]:
    """The venue paused the child, lets it go on, or took some of it off."""
    restated = restated_of(child, command.report, command.at_ns) if child.is_open else None
    if restated is None:
        return ()
    return (restated, *_freed(state, command, child, restated.freed_quantity))


def _replaced(state: RoutingState, command: ApplyReport, child: Child) -> tuple[Any, ...]:
    replaced = replaced_of(child, command.report)
    if replaced is None:
        return ()
    return (replaced, *_freed(state, command, child, replaced.freed_quantity))


def _freed(state: RoutingState, command: ApplyReport, child: Child, freed: int) -> tuple[Any, ...]:
    """Send on what an open child no longer holds."""
    if not freed:
        return ()
    return _onward(state, command, child, freed, outstanding=child.exposure - freed)


def _canceled(state: RoutingState, command: ApplyReport, child: Child) -> tuple[Any, ...]:
    return close(state, command, child, OrderStatus.CANCELED)


def _expired(state: RoutingState, command: ApplyReport, child: Child) -> tuple[Any, ...]:
    return close(state, command, child, OrderStatus.EXPIRED)


def close(
    state: RoutingState, command: ApplyReport, child: Child, status: OrderStatus, *, spent: int = 0
) -> tuple[Any, ...]:
    """Return the venue's last word: what it counts and we have not booked stays exposed.

    `spent`: what the fill before it took of the slice's over-fill budget.
    """
    owed = max(command.report.cumulative_quantity - child.net, 0)
    outstanding = min(owed, child.exposure)
    freed = child.exposure - outstanding
    canceled = ChildCanceled(
        **child.ids,
        status=status,
        canceled_quantity=freed,
        outstanding_quantity=outstanding,
        is_unsolicited=child.cancel_cause is None and child.time_in_force not in EXPIRING,
        retry_ns=command.at_ns + RETRY_NS if outstanding else 0,
        canceled_ns=command.at_ns,
    )
    onward = _onward(state, command, child, freed, outstanding=outstanding, spent=spent)
    return (canceled, *onward)


def _rejected(state: RoutingState, command: ApplyReport, child: Child) -> tuple[Any, ...]:
    if command.report.cumulative_quantity > child.net:
        # It fills and rejects: close it like a cancel, so that its fills stay exposed.
        return close(state, command, child, OrderStatus.CANCELED)
    rejected = ChildRejected(**child.ids, quantity=child.exposure, text=command.report.text)
    suspended = health.after_reject(state, child, command.at_ns)
    excluded = child.venue_id if suspended else ""
    onward = _onward(state, command, child, child.exposure, excluded=excluded)
    return (rejected, *suspended, *onward)


def _onward(
    state: RoutingState,
    command: ApplyReport,
    child: Child,
    freed: int,
    *,
    outstanding: int = 0,
    excluded: str = "",
    spent: int = 0,
) -> tuple[Any, ...]:
    """Send freed quantity to the next venue, or back to the strategy."""
    part = state.slices[child.slice_id]
    quantity = part.unplaced + max(0, freed - part.over + spent)
    if quantity == 0:
        return ()
    holds = outstanding > 0 or any(other != child.child_id for other in part.children)
    why = _comes_back(part, command)
    if why is not None:
        return returned(part, quantity, why, is_closed=not holds)
    if part.auction is not PhaseKind.UNKNOWN and command.market is not None:
        return place_auction(
            state,
            part,
            quantity,
            command.market,
            command.at_ns,
            cause=Cause.REROUTE,
            holds=holds,
            excluded=excluded,
        )
    if part.logic is RoutingLogic.SWEEP or command.market is None:
        return returned(part, quantity, Cause.VENUE, is_closed=not holds)
    return Placement(
        state,
        part,
        quantity,
        command.market,
        command.at_ns,
        cause=Cause.REROUTE,
        holds=holds,
        excluded=excluded,
    ).events()


def _comes_back(part: Slice, command: ApplyReport) -> Cause | None:
    """Return why nothing freed is sent on; None when it may be."""
    if part.is_ending:
        return part.ending_cause
    if command.is_stopped:
        return Cause.KILL
    return Cause.DEADLINE if command.at_ns >= part.deadline_ns else None


def _who(report: ExecutionReport) -> tuple[str, str, Side]:
    return report.venue_id, report.instrument_id, report.side


def _in_between(state: RoutingState, command: ApplyReport, child: Child) -> tuple[Any, ...]:
    """The venue is at it: as live as before."""
    return ()


_ORDER_REPORTS: dict[ExecType, Callable[[RoutingState, ApplyReport, Child], tuple[Any, ...]]] = {
    ExecType.NEW: _new,
    ExecType.CANCELED: _canceled,
    ExecType.EXPIRED: _expired,
    ExecType.DONE_FOR_DAY: _expired,
    ExecType.REJECTED: _rejected,
    ExecType.ORDER_STATUS: _status,
    ExecType.RESTATED: _status,
    ExecType.REPLACED: _replaced,
    ExecType.PENDING_NEW: _in_between,
    ExecType.PENDING_CANCEL: _in_between,
    ExecType.PENDING_REPLACE: _in_between,
    ExecType.SUSPENDED: _restated,
}
