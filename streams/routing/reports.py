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
    ChildCancelRejected,
    ChildRejected,
    FillBooked,
    SuspenseRecorded,
    VenueSuspended,
)
from schemas.messages.venues import ExecutionReport
from streams.routing.auction import place_auction
from streams.routing.commands import ApplyCancelReject, ApplyReport
from streams.routing.executions import book_execution, change_execution, execution_problem
from streams.routing.placement import Placement, returned
from streams.routing.requests import RETRY_NS, backoff_ns, request_cancel, request_status
from streams.routing.state import Child, RoutingState, Slice, VenueRecord, find_child
from streams.routing.upkeep import wanted

__all__ = ["apply_cancel_reject", "apply_report"]

# Their venue ends them by itself: after one sweep, or after the auction.
EXPIRING: Final = (TimeInForce.IOC, TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE)
REJECTS_IN_ROW_MAX: Final = 3
REJECT_SUSPENSION_NS: Final = 30 * 1_000_000_000

_TERMINAL = {
    OrderStatus.CANCELED: OrderStatus.CANCELED,
    OrderStatus.EXPIRED: OrderStatus.EXPIRED,
    OrderStatus.FILLED: OrderStatus.FILLED,
    OrderStatus.DONE_FOR_DAY: OrderStatus.EXPIRED,  # our children live no longer than a day
}


def apply_report(state: RoutingState, command: ApplyReport) -> tuple[Any, ...]:
    """Return what follows from a report; `()` when it says nothing new."""
    report = command.report
    child = find_child(state, report.child_id)
    if child is None:
        return _suspend(state, report, RejectReason.UNKNOWN_CHILD)
    if _who(report) != (child.venue_id, child.instrument_id, child.side):
        return _suspend(state, report, RejectReason.REPORT_CONTRADICTS)
    match report.exec_type:
        case ExecType.TRADE | ExecType.TRADE_CANCEL | ExecType.TRADE_CORRECT:
            return _executed(state, command, child)
        case ExecType.UNKNOWN:
            return _suspend(state, report, RejectReason.UNEXPECTED_MESSAGE)
        case _ if child.is_open or report.exec_type is ExecType.ORDER_STATUS:
            return _ORDER_REPORTS[report.exec_type](state, command, child)
        case _:
            return ()  # a repeat, or overtaken by the last word about the child


def apply_cancel_reject(state: RoutingState, command: ApplyCancelReject) -> tuple[Any, ...]:
    """Return the refusal as a fact: the child stays as live as it was, the wish to cancel too."""
    reject = command.reject
    child = find_child(state, reject.child_id)
    if child is None:
        exec_id = f"cancel-reject-{reject.request}"
        if f"{reject.venue_id}/{exec_id}/{reject.child_id}" in state.suspense:
            return ()
        return (
            SuspenseRecorded(
                venue_id=reject.venue_id,
                child_id=reject.child_id,
                exec_id=exec_id,
                exec_type=ExecType.UNKNOWN,
                quantity=0,
                price_e9=None,
                reason=RejectReason.UNKNOWN_CHILD,
                exec_ref_id="",
                fee_e9=0,
                transact_ns=reject.transact_ns,
            ),
        )
    is_answer = (
        child.is_open
        and child.cancel_cause is not None
        and reject.request == child.cancel_requests
        and not child.is_cancel_rejected
    )
    if not is_answer:
        return ()
    rejected = ChildCancelRejected(
        **child.ids,
        request=reject.request,
        text=reject.text,
        retry_ns=command.at_ns + backoff_ns(reject.request),
    )
    # One refusal is the usual race with a fill; a second one means that we know too little.
    if reject.request > 1 and not child.is_unresolved:
        return (rejected, *request_status(child, Cause.VENUE, command.at_ns))
    return (rejected,)


def _executed(state: RoutingState, command: ApplyReport, child: Child) -> tuple[Any, ...]:
    report, market = command.report, command.market
    if f"{report.venue_id}/{report.exec_id}" in state.changes:
        return ()
    problem = execution_problem(state, command, child)
    if problem is not None or market is None:
        return _suspend(state, report, problem or RejectReason.UNKNOWN_INSTRUMENT)
    child = copy(child)
    if report.exec_type is not ExecType.TRADE:
        return change_execution(state, report, market, child)
    events = book_execution(state, command, market, child)
    is_final = report.order_status is OrderStatus.FILLED and report.leaves_quantity == 0
    # Only FILLED: the count in a trade with another closing status is the one at its time.
    if is_final and child.is_open and report.cumulative_quantity - child.net < child.exposure:
        spent = events[0].overfill_quantity if events else 0
        events = (*events, *_close(state, command, child, OrderStatus.FILLED, spent=spent))
    return (*events, *_target_met(state, command, events))


def _target_met(
    state: RoutingState, command: ApplyReport, events: tuple[Any, ...]
) -> tuple[Any, ...]:
    """Ask back, at once, what over-subscribed children still expose when the slice is filled."""
    booked = events[0] if events and isinstance(events[0], FillBooked) else None
    part = state.slices.get(booked.slice_id) if booked is not None else None
    if booked is None or part is None or not part.over:
        return ()
    if wanted(state, part) > booked.quantity - booked.late_quantity:
        return ()
    left = {child_id: state.children[child_id].exposure for child_id in part.children}
    left[booked.child_id] -= booked.quantity - booked.late_quantity + booked.overfill_quantity
    for event in events:
        if isinstance(event, ChildCanceled):
            left[event.child_id] = event.outstanding_quantity
    rivals = [state.children[child_id] for child_id, exposure in left.items() if exposure]
    return tuple(
        request_cancel(rival, Cause.TARGET_MET, command.at_ns)
        for rival in rivals
        if rival.is_open and rival.cancel_cause is None
    )


def _new(state: RoutingState, command: ApplyReport, child: Child) -> tuple[Any, ...]:
    return () if child.is_acknowledged else _alive(child, command)


def _alive(child: Child, command: ApplyReport) -> tuple[Any, ...]:
    """The venue has it. If a cancel is still wanted and nobody is about to answer it, ask again."""
    acknowledged = ChildAcknowledged(
        **child.ids,
        venue_order_id=command.report.venue_order_id,
        ack_latency_ns=max(command.at_ns - child.placed_ns, 0),
    )
    if child.is_unresolved and child.cancel_cause is not None:
        return (acknowledged, request_cancel(child, child.cancel_cause, command.at_ns))
    return (acknowledged,)


def _status(state: RoutingState, command: ApplyReport, child: Child) -> tuple[Any, ...]:
    status = command.report.order_status
    if status is OrderStatus.REJECTED:
        return _rejected(state, command, child) if child.is_open else ()
    if status in _TERMINAL:
        if child.is_open:
            return _close(state, command, child, _TERMINAL[status])
        # The venue's count may have sunk by a bust: what it no longer owes us is free.
        owed = max(command.report.cumulative_quantity - child.net, 0)
        return _close(state, command, child, status) if owed < child.exposure else ()
    is_waiting = child.is_open and (child.is_unresolved or not child.is_acknowledged)
    return _alive(child, command) if is_waiting else ()


def _canceled(state: RoutingState, command: ApplyReport, child: Child) -> tuple[Any, ...]:
    return _close(state, command, child, OrderStatus.CANCELED)


def _expired(state: RoutingState, command: ApplyReport, child: Child) -> tuple[Any, ...]:
    return _close(state, command, child, OrderStatus.EXPIRED)


def _close(
    state: RoutingState, command: ApplyReport, child: Child, status: OrderStatus, *, spent: int = 0
) -> tuple[Any, ...]:
    """The venue's last word: what it counts and we have not booked stays exposed.

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
    )
    onward = _onward(state, command, child, freed, outstanding=outstanding, spent=spent)
    return (canceled, *onward)


def _rejected(state: RoutingState, command: ApplyReport, child: Child) -> tuple[Any, ...]:
    if command.report.cumulative_quantity > child.net:
        # It fills and rejects: close it like a cancel, so that its fills stay exposed.
        return _close(state, command, child, OrderStatus.CANCELED)
    rejected = ChildRejected(**child.ids, quantity=child.exposure, text=command.report.text)
    record = state.venues.get(child.venue_id, VenueRecord())
    if record.rejects_in_row + 1 < REJECTS_IN_ROW_MAX:
        return (rejected, *_onward(state, command, child, child.exposure))
    suspended = VenueSuspended(
        venue_id=child.venue_id,
        reason=RejectReason.VENUE_REJECTS,
        until_ns=command.at_ns + REJECT_SUSPENSION_NS,
    )
    onward = _onward(state, command, child, child.exposure, excluded=child.venue_id)
    return (rejected, suspended, *onward)


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


def _suspend(state: RoutingState, report: ExecutionReport, reason: RejectReason) -> tuple[Any, ...]:
    if f"{report.venue_id}/{report.exec_id}/{report.child_id}" in state.suspense:
        return ()
    return (
        SuspenseRecorded(
            venue_id=report.venue_id,
            child_id=report.child_id,
            exec_id=report.exec_id,
            exec_type=report.exec_type,
            quantity=report.last_quantity,
            price_e9=report.last_price_e9,
            reason=reason,
            exec_ref_id=report.exec_ref_id,
            fee_e9=report.fee_e9,
            transact_ns=report.transact_ns,
        ),
    )


def _in_between(state: RoutingState, command: ApplyReport, child: Child) -> tuple[Any, ...]:
    """The venue is at it, or pauses the order: as live as before."""
    return ()


_ORDER_REPORTS: dict[ExecType, Callable[[RoutingState, ApplyReport, Child], tuple[Any, ...]]] = {
    ExecType.NEW: _new,
    ExecType.CANCELED: _canceled,
    ExecType.EXPIRED: _expired,
    ExecType.DONE_FOR_DAY: _expired,
    ExecType.REJECTED: _rejected,
    ExecType.ORDER_STATUS: _status,
    ExecType.RESTATED: _status,
    ExecType.REPLACED: _status,
    ExecType.PENDING_NEW: _in_between,
    ExecType.PENDING_CANCEL: _in_between,
    ExecType.PENDING_REPLACE: _in_between,
    ExecType.SUSPENDED: _in_between,
}
