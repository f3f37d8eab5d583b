"""Fold what happens to children at rest. Runs after the other folds of the same event."""

from collections.abc import Callable
from typing import Any

from schemas.messages.core import Cause, OrderType, Tactic
from schemas.messages.netting import ParentClosed
from schemas.messages.routing import (
    ChildCanceled,
    ChildCancelRequested,
    ChildPlaced,
    ChildRejected,
    FillBooked,
    SliceReturned,
)
from streams.routing.resting import FOLLOWING, Hazard, Resting
from streams.routing.state import RoutingState

__all__ = ["RESTING_FOLDS", "RETRY_NS"]

RETRY_NS = 5 * 1_000_000_000  # a cancel request is repeated after that: when it was made


def _placed(state: RoutingState, event: ChildPlaced) -> None:
    """A child of an order kind that stands in a book, at a price of its own."""
    price_e9 = event.price_e9
    if not event.rest_until_ns or price_e9 is None or event.order_type is not OrderType.LIMIT:
        return
    known = state.resting
    is_following = event.tactic in FOLLOWING
    known.children.setdefault(event.instrument_id, {})[event.child_id] = Resting(
        slice_id=event.slice_id,
        venue_id=event.venue_id,
        side=event.side,
        tactic=Tactic.JOIN if event.tactic is Tactic.UNKNOWN else event.tactic,
        price_e9=price_e9,
        display_quantity=event.display_quantity,
        placed_ns=event.placed_ns,
        rest_until_ns=event.rest_until_ns,
    )
    if is_following:
        known.following[event.instrument_id] = known.following.get(event.instrument_id, 0) + 1
        known.anchors.setdefault(event.slice_id, price_e9)


def _cancel_requested(state: RoutingState, event: ChildCancelRequested) -> None:
    child = state.resting.children.get(event.instrument_id, {}).get(event.child_id)
    if child is None:
        return
    _see(state, event.instrument_id, child, event.retry_ns - RETRY_NS, is_filled=False)
    if event.cause is Cause.PRICE and not child.is_repricing:
        child.is_repricing = True
        part = state.slices.get(child.slice_id)
        if part is not None:  # it may go back there: no attempt that went wrong
            part.attempts[child.venue_id] -= 1
        reprices = state.resting.reprices
        reprices[event.parent_id] = reprices.get(event.parent_id, 0) + 1


def _filled(state: RoutingState, event: FillBooked) -> None:
    known = state.resting
    known.reprices.pop(event.parent_id, None)
    child = known.children.get(event.instrument_id, {}).get(event.child_id)
    if child is None:
        return
    at_ns = event.transact_ns or child.placed_ns
    _see(state, event.instrument_id, child, at_ns, is_filled=True)
    _gone(state, event)


def _gone(state: RoutingState, event: FillBooked | ChildCanceled | ChildRejected) -> None:
    """Forget a child that rests no more."""
    hot = state.children.get(event.child_id)
    if hot is not None and hot.is_open:
        return
    known = state.resting
    children = known.children.get(event.instrument_id)
    child = None if children is None else children.pop(event.child_id, None)
    if child is None or children is None:
        return
    if not children:
        del known.children[event.instrument_id]
    if child.tactic in FOLLOWING:
        known.following[event.instrument_id] -= 1
        if not known.following[event.instrument_id]:
            del known.following[event.instrument_id]
    if child.slice_id not in state.slices:
        known.anchors.pop(child.slice_id, None)


def _returned(state: RoutingState, event: SliceReturned) -> None:
    if event.slice_id not in state.slices:
        state.resting.anchors.pop(event.slice_id, None)


def _closed(state: RoutingState, event: ParentClosed) -> None:
    state.resting.reprices.pop(event.parent_id, None)


def _see(
    state: RoutingState, instrument_id: str, child: Resting, at_ns: int, *, is_filled: bool
) -> None:
    """Count the end of a child's wait once: what it waits for after that is not the market."""
    if child.is_seen:
        return
    child.is_seen = True
    key = f"{instrument_id}/{child.tactic.value}"
    hazard = state.resting.hazards.setdefault(key, Hazard())
    hazard.see(at_ns - child.placed_ns, is_filled=is_filled)


RESTING_FOLDS: dict[type[Any], Callable[[RoutingState, Any], None]] = {
    ChildCanceled: _gone,
    ChildCancelRequested: _cancel_requested,
    ChildPlaced: _placed,
    ChildRejected: _gone,
    FillBooked: _filled,
    ParentClosed: _closed,
    SliceReturned: _returned,
}
