"""Fold replaces, restatements, deferred wishes and escalations; see lifecycle.py."""

from collections.abc import Callable
from typing import Any

from schemas.messages.core import Cause, OrderStatus
from schemas.messages.routing import (
    ChildCancelDeferred,
    ChildReplaced,
    ChildReplaceRejected,
    ChildReplaceRequested,
    ChildRestated,
    ChildUnresolved,
    SliceDeferred,
)
from streams.core.errors import CorruptHistoryError
from streams.routing.fold_venues import heard, sent
from streams.routing.lifecycle import hold
from streams.routing.state import Child, Phase, RoutingState
from streams.routing.upkeep import cool, end, free, hot_child, hot_slice

__all__ = ["REPLACE_FOLDS"]


def _replace_requested(state: RoutingState, event: ChildReplaceRequested) -> None:
    child, part = hot_child(state, event.child_id), hot_slice(state, event.slice_id)
    hold(child, event)
    added = max(event.quantity - child.quantity, 0)
    if event.previous_quantity != child.quantity or added > part.unplaced:
        raise CorruptHistoryError(
            f"replace of {event.child_id} from {event.previous_quantity} to {event.quantity}: "
            f"{child.quantity} are in force, {part.unplaced} unplaced"
        )
    part.unplaced -= added
    child.exposure += added
    child.added = added
    child.is_replacing = True
    child.replace_requests = event.request
    child.asked_quantity = event.quantity
    child.asked_price_e9 = event.price_e9
    child.phase = Phase.PENDING_REPLACE
    child.due_ns = event.retry_ns
    child.status_tries = 0
    sent(state, event.venue_id, event.requested_ns)


def _replaced(state: RoutingState, event: ChildReplaced) -> None:
    child = hot_child(state, event.child_id)
    hold(child, event)
    if event.quantity + event.freed_quantity != child.quantity + child.added:
        raise CorruptHistoryError(
            f"replace of {event.child_id}: {event.quantity} and {event.freed_quantity} free are "
            f"not the {child.quantity + child.added} that were held"
        )
    child.quantity = event.quantity
    child.price_e9 = event.price_e9
    child.replaced = event.request
    _answered(state, child, event.freed_quantity)


def _replace_rejected(state: RoutingState, event: ChildReplaceRejected) -> None:
    child = hot_child(state, event.child_id)
    hold(child, event)
    if event.freed_quantity > child.added:
        raise CorruptHistoryError(
            f"refused replace of {event.child_id} frees {event.freed_quantity} of {child.added}"
        )
    child.quantity += child.added - event.freed_quantity
    _answered(state, child, event.freed_quantity)


def _answered(state: RoutingState, child: Child, freed: int) -> None:
    """Free what the answer to a replace leaves over; the child goes on, or is full."""
    child.added = 0
    child.is_replacing = False
    child.status_tries = 0
    heard(state, child.venue_id)
    if child.phase in (Phase.PENDING_REPLACE, Phase.UNRESOLVED) and child.cancel_cause is None:
        child.phase = Phase.LIVE
        child.due_ns = child.rest_until_ns
    _free(state, child, freed)


def _restated(state: RoutingState, event: ChildRestated) -> None:
    child = hot_child(state, event.child_id)
    hold(child, event)
    if event.quantity + event.freed_quantity != child.quantity:
        raise CorruptHistoryError(f"{event.child_id} restated from a quantity it never had")
    child.quantity = event.quantity
    child.is_acknowledged = True
    heard(state, child.venue_id)
    if event.status is OrderStatus.SUSPENDED:
        child.phase = Phase.SUSPENDED
        child.due_ns = event.due_ns
    elif child.phase is Phase.SUSPENDED:
        child.phase = Phase.LIVE
        if child.cancel_cause is None:
            child.due_ns = child.rest_until_ns
    _free(state, child, event.freed_quantity)


def _free(state: RoutingState, child: Child, freed: int) -> None:
    child.exposure -= freed
    if freed:
        free(hot_slice(state, child.slice_id), freed)
    if child.exposure == 0 and child.is_open:
        child.phase = Phase.FILLED
        child.due_ns = 0
        cool(state, child)


def _cancel_deferred(state: RoutingState, event: ChildCancelDeferred) -> None:
    child = hot_child(state, event.child_id)
    hold(child, event)
    child.cancel_cause = event.cause
    child.is_cancel_deferred = True
    child.due_ns = event.due_ns
    if event.cause not in (Cause.TIMEOUT, Cause.PRICE):
        end(hot_slice(state, event.slice_id), event.cause)


def _unresolved(state: RoutingState, event: ChildUnresolved) -> None:
    child = hot_child(state, event.child_id)
    hold(child, event)
    child.is_escalated = True
    child.is_cancel_deferred = False
    child.due_ns = 0
    if child.is_open:
        child.phase = Phase.UNRESOLVED


def _slice_deferred(state: RoutingState, event: SliceDeferred) -> None:
    part = hot_slice(state, event.slice_id)
    if not 0 < event.quantity <= part.unplaced:
        raise CorruptHistoryError(
            f"slice {event.slice_id} lets {event.quantity} of {part.unplaced} unplaced wait"
        )


REPLACE_FOLDS: dict[type[Any], Callable[[RoutingState, Any], None]] = {
    ChildCancelDeferred: _cancel_deferred,
    ChildReplaceRejected: _replace_rejected,
    ChildReplaceRequested: _replace_requested,
    ChildReplaced: _replaced,
    ChildRestated: _restated,
    ChildUnresolved: _unresolved,
    SliceDeferred: _slice_deferred,
}
