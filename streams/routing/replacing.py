"""Change a child where it stands (FIX 35=G), and what venues change of it by themselves.

While a replace is not answered the larger of the old and the new quantity is exposed: whatever the
venue makes of it, nothing that it may fill is free for another child.
"""

from typing import Final

from schemas.messages.core import ExecType, OrderStatus, OrderType, Side, TimeInForce
from schemas.messages.routing import (
    ChildReplaced,
    ChildReplaceRejected,
    ChildReplaceRequested,
    ChildRestated,
)
from schemas.messages.venues import ExecutionReport, OrderCancelReject
from streams.routing.commands import ReplaceChild
from streams.routing.state import Child, Phase, RoutingState
from streams.routing.throttle import Throttle

__all__ = [
    "REPLACE_RETRY_NS",
    "SUSPENDED_MAX_NS",
    "refused_of",
    "replace_child",
    "replaced_of",
    "restated_of",
]

SECOND_NS: Final = 1_000_000_000
REPLACE_RETRY_NS: Final = 5 * SECOND_NS  # as a cancel that nobody answers
SUSPENDED_MAX_NS: Final = 30 * SECOND_NS  # a paused child is asked back after that
_WORKING: Final = (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)
_PAUSABLE: Final = (Phase.PENDING_NEW, Phase.LIVE, Phase.UNRESOLVED)


def replace_child(state: RoutingState, command: ReplaceChild) -> tuple[ChildReplaceRequested, ...]:
    """Return the request; `()` when the child cannot be changed now, or nothing would change.

    Only a child that the venue has, that nobody wants back and that waits for no other answer is
    replaced. More quantity comes out of what its slice has not placed.
    """
    child = state.children.get(command.child_id)
    if child is None or child.phase is not Phase.LIVE or child.cancel_cause is not None:
        return ()
    part = state.slices[child.slice_id]
    executed = child.quantity - child.exposure
    added = command.quantity - child.quantity
    is_same = added == 0 and command.price_e9 == child.price_e9
    is_priced = command.price_e9 is not None or child.order_type is not OrderType.LIMIT
    is_beyond = _is_beyond(child.side, command.price_e9, part.limit_price_e9)
    if is_same or is_beyond or not is_priced or child.time_in_force is TimeInForce.IOC:
        return ()
    if part.is_ending or command.at_ns >= part.deadline_ns or command.quantity <= executed:
        return ()
    if added > part.unplaced or _is_waiting(state, child, command.at_ns):
        return ()
    return (
        ChildReplaceRequested(
            **child.ids,
            request=child.replace_requests + 1,
            previous_quantity=child.quantity,
            quantity=command.quantity,
            price_e9=command.price_e9,
            cause=command.cause,
            requested_ns=command.at_ns,
            retry_ns=command.at_ns + REPLACE_RETRY_NS,
        ),
    )


def replaced_of(child: Child, report: ExecutionReport) -> ChildReplaced | None:
    """Return the replace as the venue took it; None when this report answers none of ours.

    The quantity in force is the venue's word (FIX 38) where it says it, and never less than what it
    counts as executed: that much was its own before the replace came.
    """
    if not child.is_replacing or report.request not in (0, child.replace_requests):
        return None
    stated = report.order_quantity or child.asked_quantity
    quantity = max(stated, report.cumulative_quantity + report.leaves_quantity)
    held = child.quantity + child.added
    freed = min(max(held - quantity, 0), child.exposure)
    return ChildReplaced(
        **child.ids,
        request=child.replace_requests,
        quantity=held - freed,
        price_e9=report.price_e9 if report.price_e9 is not None else child.asked_price_e9,
        freed_quantity=freed,
    )


def refused_of(child: Child, reject: OrderCancelReject) -> ChildReplaceRejected | None:
    """Return the refusal as a fact; None when it answers no replace of ours."""
    if not child.is_replacing or reject.request != child.replace_requests:
        return None
    return ChildReplaceRejected(
        **child.ids,
        request=reject.request,
        freed_quantity=min(child.added, child.exposure),
        text=reject.text,
    )


def restated_of(child: Child, report: ExecutionReport, at_ns: int) -> ChildRestated | None:
    """Return what the venue did to a child by itself; None when it changes nothing.

    It may pause a child, let it go on, or take quantity off. More quantity than we sent is not
    believed: what would come of it is the error account's.
    """
    status = report.order_status
    is_pause = report.exec_type is ExecType.SUSPENDED or status is OrderStatus.SUSPENDED
    is_free = child.cancel_cause is None and not child.is_replacing
    if is_pause and is_free and child.phase in _PAUSABLE:
        return _restated(child, report, OrderStatus.SUSPENDED, 0, at_ns + SUSPENDED_MAX_NS)
    if is_pause or status not in _WORKING:
        return None
    freed = 0
    in_force = report.order_quantity
    # Of the order as it was before our newest replace it says nothing about the one after it.
    is_current = not child.is_replacing and report.request == child.replaced
    if report.exec_type is ExecType.RESTATED and in_force and is_current:
        quantity = max(in_force, report.cumulative_quantity + report.leaves_quantity)
        freed = min(max(child.quantity - quantity, 0), child.exposure)
    if not freed and child.phase is not Phase.SUSPENDED:
        return None
    return _restated(child, report, status, freed, 0)


def _restated(
    child: Child, report: ExecutionReport, status: OrderStatus, freed: int, due_ns: int
) -> ChildRestated:
    return ChildRestated(
        **child.ids,
        status=status,
        quantity=child.quantity - freed,
        freed_quantity=freed,
        due_ns=due_ns,
        text=report.text,
    )


def _is_beyond(side: Side, price_e9: int | None, limit_price_e9: int | None) -> bool:
    if price_e9 is None or limit_price_e9 is None:
        return False
    return price_e9 > limit_price_e9 if side is Side.BUY else price_e9 < limit_price_e9


def _is_waiting(state: RoutingState, child: Child, at_ns: int) -> bool:
    """Return whether the venue takes no message about it now: least life, auction, throttle."""
    if at_ns < child.cancel_from_ns or 0 < child.cancel_until_ns <= at_ns < child.rest_until_ns:
        return True
    return Throttle(state, at_ns).due_ns(child.venue_id) > 0
