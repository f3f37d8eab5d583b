"""Fold events into the routing state; an impossible history stops the shard."""

from collections.abc import Callable
from typing import Any

from schemas.messages.control import ChildSettled
from schemas.messages.intake import (
    OrderAccepted,
    OrderCanceled,
    OrderClosed,
    OrderRejected,
    OrderRestated,
)
from schemas.messages.netting import EpochOpened, ParentClosed, ParentHeld, ParentOpened
from schemas.messages.routing import ErrorHedged, RouteDecided, SliceReturned
from schemas.messages.scorecard import InstrumentBucketed, VenueScored
from schemas.messages.strategy import ParentEnded, SliceReleased
from streams.core.errors import CorruptHistoryError
from streams.routing.fold_children import CHILD_FOLDS
from streams.routing.fold_fills import FILL_FOLDS
from streams.routing.fold_resting import RESTING_FOLDS
from streams.routing.fold_settling import fold_settled
from streams.routing.hedging import fold_answer, fold_end, fold_hedged
from streams.routing.records import fold_score
from streams.routing.state import Ledger, RoutingState, Slice
from streams.routing.upkeep import end, forget_slice, hot_slice, open_ledger, refill_room

__all__ = ["evolve"]


def evolve(state: RoutingState, event: Any) -> None:
    """Apply a fact; events of no use here are passed over. Raises CorruptHistoryError."""
    handler = _FOLDS.get(type(event))
    if handler is not None:
        handler(state, event)
        resting = RESTING_FOLDS.get(type(event))
        if resting is not None:
            resting(state, event)


def _parent_opened(state: RoutingState, event: ParentOpened) -> None:
    if event.parent_id in state.parents:
        raise CorruptHistoryError(f"parent {event.parent_id} opened twice")
    state.parents[event.parent_id] = Ledger()


def _epoch_opened(state: RoutingState, event: EpochOpened) -> None:
    ledger = open_ledger(state, event.parent_id)
    if event.epoch <= ledger.epoch:
        raise CorruptHistoryError(
            f"epoch {event.epoch} of {event.parent_id} follows epoch {ledger.epoch}"
        )
    ledger.epoch = event.epoch
    ledger.room = event.quantity


def _parent_closed(state: RoutingState, event: ParentClosed) -> None:
    ledger = open_ledger(state, event.parent_id)
    if ledger.exposures:
        raise CorruptHistoryError(
            f"parent {event.parent_id} closed with exposure {sum(ledger.exposures.values())}"
        )
    del state.parents[event.parent_id]


def _parent_ending(state: RoutingState, event: ParentHeld | ParentEnded) -> None:
    ledger = state.parents.get(event.parent_id)
    for slice_id in ledger.slices if ledger is not None else ():
        end(state.slices[slice_id], event.cause)


def _slice_released(state: RoutingState, event: SliceReleased) -> None:
    ledger = open_ledger(state, event.parent_id)
    if event.epoch != ledger.epoch or not 0 < event.quantity <= ledger.room:
        raise CorruptHistoryError(
            f"slice {event.slice_id} of {event.quantity} in epoch {event.epoch} exceeds the room "
            f"{ledger.room} of epoch {ledger.epoch}"
        )
    ledger.room -= event.quantity
    ledger.slices.append(event.slice_id)
    ledger.expose(event.epoch, event.quantity)
    state.slices[event.slice_id] = Slice(
        slice_id=event.slice_id,
        parent_id=event.parent_id,
        epoch=event.epoch,
        instrument_id=event.instrument_id,
        side=event.side,
        quantity=event.quantity,
        unplaced=event.quantity,
        limit_price_e9=event.limit_price_e9,
        logic=event.logic,
        is_dark_allowed=event.is_dark_allowed,
        deadline_ns=event.deadline_ns,
        self_trade_id=event.self_trade_id,
        is_short_sale=event.is_short_sale,
        constraints=event.constraints,
        urgency=event.urgency,
        tactic=event.tactic,
        auction=event.auction,
        display_share_bps=event.display_share_bps,
        overfill_quantity=event.overfill_quantity,
    )


def _route_decided(state: RoutingState, event: RouteDecided) -> None:
    hot_slice(state, event.slice_id).is_routed = True


def _slice_returned(state: RoutingState, event: SliceReturned) -> None:
    part = hot_slice(state, event.slice_id)
    if not 0 < event.quantity <= part.unplaced:
        raise CorruptHistoryError(
            f"slice {event.slice_id} returns {event.quantity} of {part.unplaced} unplaced"
        )
    part.unplaced -= event.quantity
    ledger = open_ledger(state, event.parent_id)
    ledger.expose(event.epoch, -event.quantity)
    refill_room(state, event.parent_id, event.epoch, event.quantity)
    forget_slice(state, part)


def _instrument_bucketed(state: RoutingState, event: InstrumentBucketed) -> None:
    state.buckets[event.instrument_id] = event.bucket


_FOLDS: dict[type[Any], Callable[[RoutingState, Any], None]] = {
    **CHILD_FOLDS,
    **FILL_FOLDS,
    ChildSettled: fold_settled,
    EpochOpened: _epoch_opened,
    ErrorHedged: fold_hedged,
    OrderAccepted: fold_answer,
    OrderCanceled: fold_end,
    OrderClosed: fold_end,
    OrderRejected: fold_answer,
    OrderRestated: fold_end,
    ParentClosed: _parent_closed,
    ParentEnded: _parent_ending,
    ParentHeld: _parent_ending,
    ParentOpened: _parent_opened,
    InstrumentBucketed: _instrument_bucketed,
    RouteDecided: _route_decided,
    SliceReleased: _slice_released,
    SliceReturned: _slice_returned,
    VenueScored: fold_score,
}
