"""Fold executions, busts, corrections and suspense; an impossible history stops the shard."""

from collections.abc import Callable
from typing import Any, Final

from schemas.messages.core import Cause, ExecType, OrderType, RejectReason
from schemas.messages.routing import FillBooked, FillBusted, FillCorrected, SuspenseRecorded
from streams.core.errors import CorruptHistoryError
from streams.routing import scorecard
from streams.routing.fold_settling import change_part, note_claim
from streams.routing.fold_venues import add_volume, heard
from streams.routing.hedging import note_error
from streams.routing.markouts import note_dark_fill
from streams.routing.state import (
    Child,
    EarlyChange,
    Fill,
    Phase,
    RoutingState,
    VenueRecord,
    find_child,
)
from streams.routing.upkeep import cool, hot_slice, refill_room

__all__ = ["FILL_FOLDS", "after_fill"]

NONSENSE_MAX: Final = 20_000  # reports that fit nothing, of which a repeat is passed over


def after_fill(child: Child, event: FillBooked) -> None:
    """Write a fill into its child: exposure pays for all that is not late."""
    child.exposure -= event.quantity - event.late_quantity + event.overfill_quantity
    child.net += event.quantity + event.error_quantity
    if child.exposure < 0:
        raise CorruptHistoryError(
            f"fill {event.fill_id} of {event.quantity} exceeds the exposure of {child.child_id}"
        )
    if child.exposure == 0 and child.is_open:
        child.phase = Phase.FILLED
        child.due_ns = 0
        return
    is_answer = child.phase is Phase.PENDING_NEW or (
        # An execution answers "did it arrive"; it does not answer an unreadable report.
        child.phase is Phase.UNRESOLVED
        and child.status_cause is Cause.TIMEOUT
        and child.cancel_cause is None
        and not child.is_replacing
    )
    if is_answer:
        child.phase = Phase.LIVE
        child.status_tries = 0
        if child.cancel_cause is None:  # a refused cancel keeps the time of its repetition
            child.due_ns = child.rest_until_ns


def _fill_booked(state: RoutingState, event: FillBooked) -> None:
    if event.fill_id in state.fills:
        raise CorruptHistoryError(f"fill {event.fill_id} booked twice")
    state.fills[event.fill_id] = Fill(
        event.child_id,
        event.quantity,
        event.error_quantity,
        event.price_e9,
        event.cash_e9,
        event.fee_e9,
    )
    ledger = state.parents.get(event.parent_id)
    if ledger is not None:
        ledger.expose(event.epoch, event.late_quantity - event.quantity)
        ledger.room -= event.late_quantity
    is_paid_late = event.late_quantity > 0
    if is_paid_late and (ledger is None or ledger.epoch != event.epoch or ledger.room < 0):
        raise CorruptHistoryError(
            f"late fill {event.fill_id} of {event.late_quantity} exceeds the room of its epoch"
        )
    child = find_child(state, event.child_id)
    if child is None:
        raise CorruptHistoryError(f"fill {event.fill_id} of unknown child {event.child_id}")
    if event.overfill_quantity:
        _overfilled(state, event)
    note_error(state, event.instrument_id, event.side, event.error_quantity)
    if child.order_type is OrderType.MIDPOINT and ledger is not None:
        note_dark_fill(ledger, state.settings, event, child.quantity)
    was_open = child.is_open
    after_fill(child, event)
    state.reports += 1
    scorecard.answered(state, event.venue_id)
    heard(state, event.venue_id)
    add_volume(state, event.venue_id, event.quantity + event.error_quantity)
    if was_open and not child.is_open:
        scorecard.finished(state, child, 0)
    if event.child_id in state.children:
        cool(state, child)
    else:
        state.closed[event.child_id].net = child.net


def _overfilled(state: RoutingState, event: FillBooked) -> None:
    """Spend the budget of the slice; a bust does not give it back."""
    part, over = hot_slice(state, event.slice_id), event.overfill_quantity
    if not 0 < over <= min(part.over, event.error_quantity):
        raise CorruptHistoryError(
            f"fill {event.fill_id} over-fills by {over}, {part.over} is exposed beyond the slice"
        )
    part.over -= over
    part.overfill_quantity -= over


def _fill_busted(state: RoutingState, event: FillBusted) -> None:
    fill = _fill(state, event.fill_id)
    if fill.is_busted:
        raise CorruptHistoryError(f"fill {event.fill_id} busted twice")
    fill.is_busted = True
    subject = change_part(state, event, -(event.quantity + event.error_quantity))
    _change(state, event.venue_id, event.bust_exec_id, subject)
    _add_net(state, event.child_id, -(event.quantity + event.error_quantity))
    note_error(state, event.instrument_id, event.side, -event.error_quantity)
    add_volume(state, event.venue_id, -(event.quantity + event.error_quantity))
    refill_room(state, event.parent_id, event.epoch, event.quantity)


def _fill_corrected(state: RoutingState, event: FillCorrected) -> None:
    fill = _fill(state, event.fill_id)
    if event.quantity > event.previous_quantity or event.previous_quantity != fill.quantity:
        raise CorruptHistoryError(f"fill {event.fill_id} corrected from a quantity it never had")
    change = event.quantity + event.error_quantity - fill.quantity - fill.error_quantity
    error = fill.error_quantity
    fill.quantity = event.quantity
    fill.error_quantity = event.error_quantity
    fill.price_e9 = event.price_e9
    fill.cash_e9 = event.cash_e9
    fill.fee_e9 = event.fee_e9
    fill.corrected_ns = event.transact_ns
    subject = change_part(state, event, change)
    _change(state, event.venue_id, event.correction_exec_id, subject)
    _add_net(state, event.child_id, change)
    add_volume(state, event.venue_id, change)
    note_error(state, event.instrument_id, event.side, event.error_quantity - error)
    decrease = event.previous_quantity - event.quantity
    refill_room(state, event.parent_id, event.epoch, decrease)


def _suspense(state: RoutingState, event: SuspenseRecorded) -> None:
    key = f"{event.venue_id}/{event.exec_id}"
    if note_claim(state, event) and event.reason is RejectReason.NOTHING_CHANGED:
        return  # what people said is confirmed: nobody needs to look at it
    _keep(state.suspense, f"{key}/{event.child_id}", 1)
    if event.reason is RejectReason.REPORT_CONTRADICTS:
        state.venues.setdefault(event.venue_id, VenueRecord()).contradictions += 1
    refers_to = f"{event.venue_id}/{event.exec_ref_id}"
    is_change = event.exec_type in (ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT)
    if is_change and event.reason is RejectReason.UNKNOWN_ORDER:
        change = EarlyChange(
            event.exec_id,
            event.exec_type is ExecType.TRADE_CANCEL,
            event.quantity,
            event.price_e9,
            event.fee_e9,
            event.transact_ns,
        )
        if refers_to not in state.early:
            _keep(state.early, refers_to, [])
        state.early[refers_to].append(change)
    if is_change and event.reason is RejectReason.TOO_LATE:
        # Overtaken by a newer correction; a later bust may still refer to it.
        state.changes[key] = state.changes.get(refers_to, refers_to)


def _keep(known: dict[str, Any], key: str, value: Any) -> None:
    """Remember it; a venue that floods us with nonsense makes us forget the oldest of it."""
    known[key] = value
    if len(known) > NONSENSE_MAX:
        del known[next(iter(known))]


def _change(state: RoutingState, venue_id: str, exec_id: str, fill_id: str) -> None:
    state.changes[f"{venue_id}/{exec_id}"] = fill_id


def _add_net(state: RoutingState, child_id: str, quantity: int) -> None:
    hot = state.children.get(child_id)
    if hot is not None:
        hot.net += quantity
    else:
        state.closed[child_id].net += quantity


def _fill(state: RoutingState, fill_id: str) -> Fill:
    fill = state.fills.get(fill_id)
    if fill is None:
        raise CorruptHistoryError(f"fill {fill_id} was never booked")
    return fill


FILL_FOLDS: dict[type[Any], Callable[[RoutingState, Any], None]] = {
    FillBooked: _fill_booked,
    FillBusted: _fill_busted,
    FillCorrected: _fill_corrected,
    SuspenseRecorded: _suspense,
}
