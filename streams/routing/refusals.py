"""Refused cancels and replaces: the child stays what it was."""

from typing import Any

from schemas.messages.core import Cause, ExecType, RejectReason
from schemas.messages.routing import ChildCancelRejected, SuspenseRecorded
from streams.routing.commands import ApplyCancelReject
from streams.routing.placement import returned
from streams.routing.replacing import refused_of
from streams.routing.requests import backoff_ns, request_status
from streams.routing.state import Child, RoutingState, find_child

__all__ = ["apply_cancel_reject"]


def apply_cancel_reject(state: RoutingState, command: ApplyCancelReject) -> tuple[Any, ...]:
    """Return the refusal as a fact: the child stays as live as it was, the wish to cancel too."""
    reject = command.reject
    child = find_child(state, reject.child_id)
    if reject.is_replace and child is not None:
        return _refused_replace(state, command, child)
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
        return (rejected, *request_status(state, child, Cause.VENUE, command.at_ns))
    return (rejected,)


def _refused_replace(
    state: RoutingState, command: ApplyCancelReject, child: Child
) -> tuple[Any, ...]:
    """The child is as it was; what had been added for the replace goes back."""
    refused = refused_of(child, command.reject) if child.is_open else None
    if refused is None:
        return ()
    part = state.slices[child.slice_id]
    quantity = part.unplaced + max(0, refused.freed_quantity - part.over)
    left = child.exposure - refused.freed_quantity
    holds = left > 0 or any(other != child.child_id for other in part.children)
    return (refused, *returned(part, quantity, Cause.VENUE, is_closed=not holds))
