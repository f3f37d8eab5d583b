"""Fold what happens to children into the cells; an observer: nothing that it sees is impossible."""

from collections.abc import Callable
from typing import Any, Final

from schemas.messages.core import OrderKind, Side
from schemas.messages.routing import (
    ChildAcknowledged,
    ChildCanceled,
    ChildPlaced,
    ChildRejected,
    ChildReplaced,
    FillBooked,
    FillBusted,
)
from schemas.messages.scorecard import (
    FillsMarked,
    InstrumentBucketed,
    VenueModelInForce,
    VenueScored,
)
from streams.core.bucket import cell_key, group_key, kind_of
from streams.core.proposals import used
from streams.scorecard.estimate import E9
from streams.scorecard.marks import COALESCE_NS, fold_marks, sent_due_ns, wake_by
from streams.scorecard.model import parse
from streams.scorecard.state import (
    Bucket,
    Cell,
    EndMark,
    FillMark,
    Group,
    ScorecardState,
    Sent,
    SentMark,
)
from streams.scorecard.tails import Tail

__all__ = ["FOLDS", "MARKS_MAX", "evolve"]

# Beyond these nothing more is observed until some of it is done: the state stays small.
CHILDREN_MAX: Final = 20_000
MARKS_MAX: Final = 20_000
AGE_US: Final = 1_000  # ages are averaged in microseconds: five minutes fit a Mean
AUCTION: Final = f"{OrderKind.AUCTION}/"
IMMEDIATE: Final = f"{OrderKind.AGGRESSIVE}/"


def evolve(state: ScorecardState, event: Any) -> None:
    """Apply a fact; events of no use here are passed over."""
    handler = FOLDS.get(type(event))
    if handler is not None:
        handler(state, event)


def _bucketed(state: ScorecardState, event: InstrumentBucketed) -> None:
    state.buckets[event.instrument_id] = Bucket(event.bucket, event.lot)


def _placed(state: ScorecardState, event: ChildPlaced) -> None:
    bucket = state.buckets.get(event.instrument_id)
    if bucket is None or len(state.children) >= CHILDREN_MAX:
        state.passed_over += 1
        return
    kind = kind_of(event.order_type, event.time_in_force)
    key = cell_key(event.venue_id, kind, bucket.name, event.side)
    if key not in state.cells:
        state.cells[key] = Cell(tail=Tail() if kind is OrderKind.DARK else None)
        state.groups.setdefault(group_key(key), Group())
    state.cells[key].curve.forget(E9)
    sign = 1 if event.side is Side.BUY else -1
    midpoint_e9 = event.arrival_price_e9
    state.children[event.child_id] = Sent(
        cell=key,
        instrument_id=event.instrument_id,
        sign=sign,
        quantity=event.quantity,
        price_e9=event.price_e9,
        midpoint_e9=midpoint_e9,
        placed_ns=event.placed_ns,
    )
    if midpoint_e9 is None or len(state.sent) >= MARKS_MAX:
        return
    state.sent.append(SentMark(key, event.instrument_id, sign, event.placed_ns, midpoint_e9))
    wake_by(state, sent_due_ns(event.placed_ns))


def _acknowledged(state: ScorecardState, event: ChildAcknowledged) -> None:
    child = state.children.get(event.child_id)
    if child is None or child.is_answered:
        return
    child.is_answered = True
    cell = state.cells[child.cell]
    cell.answers.observe(event.ack_latency_ns)
    cell.rejects.observe(0)


def _rejected(state: ScorecardState, event: ChildRejected) -> None:
    child = state.children.pop(event.child_id, None)
    if child is None:
        return
    state.cells[child.cell].rejects.observe(E9)
    _count(state, child)


def _replaced(state: ScorecardState, event: ChildReplaced) -> None:
    child = state.children.get(event.child_id)
    if child is not None:
        child.price_e9 = event.price_e9
        child.quantity = max(event.quantity, child.filled, 1)


def _filled(state: ScorecardState, event: FillBooked) -> None:
    child = state.children.get(event.child_id)
    if child is None:
        return
    cell = state.cells[child.cell]
    if not child.is_answered:  # an execution says that it arrived
        child.is_answered = True
        cell.rejects.observe(0)
    booked = event.quantity + event.error_quantity
    quantity = min(booked, child.quantity - child.filled)
    at_ns = event.transact_ns or event.booked_ns
    if not child.placed_ns <= at_ns <= event.booked_ns:  # a venue's clock that disagrees
        at_ns = event.booked_ns
    weight = quantity * E9 // child.quantity
    if weight > 0:
        # An auction is waited for by all alike: only what did not trade in it counts against it.
        age_ns = 0 if child.cell.startswith(AUCTION) else at_ns - child.placed_ns
        cell.curve.filled(age_ns, weight)
        cell.age.observe(age_ns // AGE_US, weight)
        if event.cash_e9 > 0:
            # The fee is of the error part too, the cash is not.
            fee = event.fee_e9 * 10_000 * E9 * event.quantity // (event.cash_e9 * booked)
            cell.fee.observe(fee, weight)
        cell.busts.observe(0, weight)
        _mark_fill(state, child, event, at_ns, weight)
    child.filled += quantity
    child.awaited -= booked
    if child.filled >= child.quantity or (child.ended_ns and child.awaited <= 0):
        _close(state, event.child_id, child)


def _mark_fill(
    state: ScorecardState, child: Sent, event: FillBooked, at_ns: int, weight: int
) -> None:
    if len(state.fills) >= MARKS_MAX:
        state.passed_over += 1
        return
    state.fills.append(
        FillMark(
            event.fill_id,
            child.cell,
            child.instrument_id,
            child.sign,
            at_ns,
            event.price_e9,
            weight,
            child.midpoint_e9,
        )
    )
    wake_by(state, at_ns + COALESCE_NS)


def _busted(state: ScorecardState, event: FillBusted) -> None:
    """Count it, and learn nothing more from quotes after it; later than five minutes it is moot."""
    for mark in reversed(state.fills):
        if mark.fill_id == event.fill_id:
            mark.is_busted = True
            state.cells[mark.cell].busts.observe(E9, mark.weight)
            return


def _canceled(state: ScorecardState, event: ChildCanceled) -> None:
    child = state.children.get(event.child_id)
    if child is None:
        return
    was_open = not child.ended_ns
    child.ended_ns = max(event.canceled_ns, child.placed_ns)
    rest = min(event.canceled_quantity, child.quantity - child.filled)
    weight = rest * E9 // child.quantity
    if was_open and weight > 0 and len(state.ends) < MARKS_MAX:
        is_missed = child.cell.startswith((IMMEDIATE, AUCTION))
        age_ns = 0 if child.cell.startswith(AUCTION) else child.ended_ns - child.placed_ns
        state.ends.append(
            EndMark(
                child.cell,
                child.instrument_id,
                child.sign,
                child.ended_ns,
                age_ns,
                child.price_e9,
                child.midpoint_e9,
                weight,
                is_missed,
            )
        )
        wake_by(state, child.ended_ns + COALESCE_NS)
    child.awaited = event.outstanding_quantity
    if not child.awaited:
        _close(state, event.child_id, child)


def _close(state: ScorecardState, child_id: str, child: Sent) -> None:
    del state.children[child_id]
    cell = state.cells[child.cell]
    if cell.tail is not None:
        lot = state.buckets[child.instrument_id].lot
        cell.tail.observe(child.quantity, child.filled, lot)
    _count(state, child)


def _count(state: ScorecardState, child: Sent) -> None:
    group = state.groups[group_key(child.cell)]
    group.fresh += 1
    group.total += 1
    state.facts += 1


def _marked(state: ScorecardState, event: FillsMarked) -> None:
    fold_marks(state, event)


def _scored(state: ScorecardState, event: VenueScored) -> None:
    key = cell_key(event.venue_id, event.kind, event.bucket, event.side)
    group = state.groups.setdefault(group_key(key), Group())
    state.scores[key] = event.shrunk_e9
    group.fresh = 0
    group.scored_ns = event.scored_ns
    state.score_due_ns = 0


def _in_force(state: ScorecardState, event: VenueModelInForce) -> None:
    state.version = event.version
    state.model = parse(event.content)
    proposal = state.proposals.get(event.proposal_id)
    if proposal is not None:
        state.proposals[event.proposal_id] = used(proposal)


FOLDS: Final[dict[type[Any], Callable[[ScorecardState, Any], None]]] = {
    ChildPlaced: _placed,
    ChildAcknowledged: _acknowledged,
    ChildRejected: _rejected,
    ChildReplaced: _replaced,
    ChildCanceled: _canceled,
    FillBooked: _filled,
    FillBusted: _busted,
    InstrumentBucketed: _bucketed,
    FillsMarked: _marked,
    VenueScored: _scored,
    VenueModelInForce: _in_force,
}
