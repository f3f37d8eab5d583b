"""What several folds do to the state: find what must be there, end, cool down, give room back."""

from typing import Final

from schemas.messages.core import Cause
from streams.core.errors import CorruptHistoryError
from streams.routing.fold_venues import left_probe
from streams.routing.state import Child, ClosedChild, Ledger, RoutingState, Slice, parent_of

MONTH: Final = 100  # of a trade date yyyymmdd
DATES_KEPT: Final = 5  # trade dates before the current one, of which every child and fill is known

__all__ = [
    "cool",
    "end",
    "forget_days",
    "forget_slice",
    "free",
    "hot_child",
    "hot_slice",
    "open_ledger",
    "refill_room",
    "wanted",
]


def end(part: Slice, cause: Cause) -> None:
    if not part.is_ending:
        part.is_ending = True
        part.ending_cause = cause


def free(part: Slice, quantity: int) -> None:
    """Take back what a child exposed: first what lay beyond the slice, the rest is to be placed."""
    over = min(part.over, quantity)
    part.over -= over
    part.unplaced += quantity - over


def wanted(state: RoutingState, part: Slice) -> int:
    """Return what the slice still wants: neither filled nor returned, each unit counted once."""
    exposed = sum(state.children[child_id].exposure for child_id in part.children)
    return exposed + part.unplaced - part.over


def refill_room(state: RoutingState, parent_id: str, epoch: int, quantity: int) -> None:
    ledger = state.parents.get(parent_id)
    if ledger is not None and ledger.epoch == epoch:
        ledger.room += quantity


def cool(state: RoutingState, child: Child) -> None:
    if child.is_open or child.exposure:
        return
    del state.children[child.child_id]
    state.closed[child.child_id] = ClosedChild(
        child.epoch,
        child.venue_id,
        child.instrument_id,
        child.side,
        child.quantity,
        child.phase,
        child.net,
        child.trade_date,
    )
    left_probe(state, child)
    part = hot_slice(state, child.slice_id)
    part.children.remove(child.child_id)
    forget_slice(state, part)


def forget_days(state: RoutingState, trade_date: int) -> None:
    """Begin a trade date: what closed more than a trading week ago is forgotten.

    Venues bust and correct for days. A report about what is forgotten goes to suspense, as one
    about a child that never was ours: it can not be booked twice. Own volume counts by month.
    """
    last, state.trade_date = state.trade_date, trade_date
    if last // MONTH != trade_date // MONTH:
        state.volumes.clear()
        state.is_later_month = last != 0
    dates = {child.trade_date for child in state.closed.values()} - {0, trade_date}
    old = sorted(dates)[:-DATES_KEPT]
    gone = {child_id for child_id, child in state.closed.items() if child.trade_date in old}
    if not gone:
        return
    state.closed = {key: child for key, child in state.closed.items() if key not in gone}
    state.fills = {key: fill for key, fill in state.fills.items() if fill.child_id not in gone}
    state.settled = {key: parts for key, parts in state.settled.items() if key not in gone}
    known = {fill_id for parts in state.settled.values() for fill_id in parts}
    state.claims = {
        key: some
        for key, some in state.claims.items()
        if key in known or any(claim.fill_id in known for claim in some)
    }
    kept = frozenset((*state.fills, *state.claims))
    state.changes = {key: fill for key, fill in state.changes.items() if fill in kept}


def forget_slice(state: RoutingState, part: Slice) -> None:
    if part.unplaced == 0 and not part.children:
        del state.slices[part.slice_id]
        ledger = state.parents.get(part.parent_id)
        if ledger is not None:
            ledger.slices.remove(part.slice_id)


def open_ledger(state: RoutingState, parent_id: str) -> Ledger:
    ledger = state.parents.get(parent_id)
    if ledger is None:
        raise CorruptHistoryError(f"parent {parent_id} is not open")
    return ledger


def hot_slice(state: RoutingState, slice_id: str) -> Slice:
    part = state.slices.get(slice_id)
    if part is None:
        raise CorruptHistoryError(f"slice {slice_id} holds nothing")
    return part


def hot_child(state: RoutingState, child_id: str) -> Child:
    child = state.children.get(child_id)
    if child is None:
        raise CorruptHistoryError(f"child {child_id} of {parent_of(child_id)} exposes nothing")
    return child
