"""Fold what happens to children; an impossible history stops the shard."""

from collections.abc import Callable
from typing import Any

from schemas.messages.core import Cause, OrderStatus, OrderType, TimeInForce
from schemas.messages.routing import (
    ChildAcknowledged,
    ChildCanceled,
    ChildCancelRejected,
    ChildCancelRequested,
    ChildPlaced,
    ChildRejected,
    ChildStatusRequested,
)
from streams.core.errors import CorruptHistoryError
from streams.routing import scorecard
from streams.routing.fold_replacing import REPLACE_FOLDS
from streams.routing.fold_venues import VENUE_FOLDS, heard, placed, sent, unheard
from streams.routing.lifecycle import hold
from streams.routing.state import Child, Phase, RoutingState
from streams.routing.upkeep import cool, end, forget_days, free, hot_child, hot_slice

__all__ = ["CHILD_FOLDS"]


_CLOSING = {
    OrderStatus.CANCELED: Phase.CANCELED,
    OrderStatus.EXPIRED: Phase.EXPIRED,
    OrderStatus.FILLED: Phase.FILLED,
}


def _child_placed(state: RoutingState, event: ChildPlaced) -> None:
    part = hot_slice(state, event.slice_id)
    over = event.overfill_quantity
    wanted = event.quantity - over
    if not 0 <= wanted <= part.unplaced or not event.quantity or event.child_id in state.children:
        raise CorruptHistoryError(
            f"child {event.child_id} of {event.quantity} exceeds {part.unplaced} unplaced"
        )
    if not 0 <= over <= part.overfill_quantity - part.over:
        raise CorruptHistoryError(
            f"child {event.child_id} over-fills by {over}, {part.over} of "
            f"{part.overfill_quantity} is exposed"
        )
    part.unplaced -= wanted
    part.over += over
    part.placed += 1
    part.children.append(event.child_id)
    part.attempts[event.venue_id] = part.attempts.get(event.venue_id, 0) + 1
    if event.trade_date > state.trade_date:
        forget_days(state, event.trade_date)
    placed(state, event)
    is_ioc = event.time_in_force is TimeInForce.IOC
    state.children[event.child_id] = Child(
        child_id=event.child_id,
        epoch=event.epoch,
        venue_id=event.venue_id,
        instrument_id=event.instrument_id,
        side=event.side,
        quantity=event.quantity,
        is_passive=not is_ioc and event.order_type is not OrderType.MARKET,
        time_in_force=event.time_in_force,
        placed_ns=event.placed_ns,
        rest_until_ns=event.rest_until_ns,
        exposure=event.quantity,
        due_ns=event.ack_due_ns,
        cancel_until_ns=event.cancel_until_ns,
        cancel_from_ns=event.cancel_from_ns,
        order_type=event.order_type,
        price_e9=event.price_e9,
        trade_date=event.trade_date,
        is_probe=event.is_probe,
    )


def _child_acknowledged(state: RoutingState, event: ChildAcknowledged) -> None:
    child = hot_child(state, event.child_id)
    hold(child, event)
    is_first = not child.is_acknowledged
    heard(state, event.venue_id, event.ack_latency_ns if is_first else 0)
    if is_first:
        scorecard.acknowledged(state, child, event.ack_latency_ns)
    child.is_acknowledged = True
    child.status_tries = 0
    if child.phase in (Phase.PENDING_NEW, Phase.UNRESOLVED):
        child.phase = Phase.LIVE
        if child.cancel_cause is None:  # a refused cancel keeps the time of its repetition
            child.due_ns = child.rest_until_ns


def _child_rejected(state: RoutingState, event: ChildRejected) -> None:
    child = hot_child(state, event.child_id)
    hold(child, event)
    if event.quantity != child.exposure:
        raise CorruptHistoryError(
            f"reject of {event.child_id} frees {event.quantity} of {child.exposure} exposed"
        )
    scorecard.rejected(state, child)
    child.exposure = 0
    child.phase = Phase.REJECTED
    free(hot_slice(state, event.slice_id), event.quantity)
    cool(state, child)


def _child_canceled(state: RoutingState, event: ChildCanceled) -> None:
    child = hot_child(state, event.child_id)
    hold(child, event)
    if event.canceled_quantity + event.outstanding_quantity != child.exposure:
        raise CorruptHistoryError(
            f"cancel of {event.child_id}: {event.canceled_quantity} free and "
            f"{event.outstanding_quantity} outstanding of {child.exposure} exposed"
        )
    if child.is_open:
        scorecard.finished(state, child, event.outstanding_quantity)
        child.phase = _CLOSING[event.status]
        child.quantity += child.added  # a replace that nobody answered may have been taken
        child.added = 0
        child.is_replacing = False
    child.is_cancel_deferred = False
    heard(state, event.venue_id)
    state.reports += 1
    child.exposure = event.outstanding_quantity
    child.due_ns = event.retry_ns
    child.status_tries = 0
    free(hot_slice(state, event.slice_id), event.canceled_quantity)
    cool(state, child)


def _cancel_requested(state: RoutingState, event: ChildCancelRequested) -> None:
    child = hot_child(state, event.child_id)
    hold(child, event)
    sent(state, event.venue_id, event.requested_ns)
    child.is_cancel_deferred = False
    child.phase = Phase.PENDING_CANCEL
    child.cancel_requests = event.request
    child.cancel_cause = event.cause
    child.is_cancel_rejected = False
    child.due_ns = event.retry_ns
    # After a rest, or for another price, the quantity stays with the slice.
    if event.cause not in (Cause.TIMEOUT, Cause.PRICE):
        end(hot_slice(state, event.slice_id), event.cause)


def _cancel_rejected(state: RoutingState, event: ChildCancelRejected) -> None:
    child = hot_child(state, event.child_id)
    hold(child, event)
    heard(state, event.venue_id)
    child.is_cancel_rejected = True
    if not child.is_unresolved:  # the question about it stays open
        # Executed at some time, busted or not, or replaced: the venue has had it.
        is_known = child.is_acknowledged or child.replace_requests > 0
        is_known = is_known or child.exposure < child.quantity
        child.phase = Phase.LIVE if is_known else Phase.PENDING_NEW
        child.due_ns = event.retry_ns


def _status_requested(state: RoutingState, event: ChildStatusRequested) -> None:
    child = hot_child(state, event.child_id)
    hold(child, event)
    if child.status_tries == 0 and not child.is_unresolved and event.cause is Cause.TIMEOUT:
        unheard(state, event.venue_id)
    if child.is_escalated:  # the venue speaks again: asked anew
        child.is_escalated = False
        child.status_tries = 0
    if child.is_open:
        child.phase = Phase.UNRESOLVED
    child.status_requests = event.request
    child.status_tries += 1
    child.status_cause = event.cause
    child.due_ns = event.retry_ns


CHILD_FOLDS: dict[type[Any], Callable[[RoutingState, Any], None]] = {
    ChildAcknowledged: _child_acknowledged,
    ChildCancelRejected: _cancel_rejected,
    ChildCancelRequested: _cancel_requested,
    ChildCanceled: _child_canceled,
    ChildPlaced: _child_placed,
    ChildRejected: _child_rejected,
    ChildStatusRequested: _status_requested,
    **REPLACE_FOLDS,
    **VENUE_FOLDS,
}
