"""Allocation as a decider: every fill and cross back to its source orders."""

from collections.abc import Callable
from typing import Any, assert_never

from schemas.messages.allocation import (
    AllocationRestated,
    CashAllocated,
    CrossAllocated,
    FillAllocated,
)
from schemas.messages.core import AllocationEntry
from schemas.messages.netting import EpochClosed, EpochOpened, ParentClosed, TailResolved
from schemas.messages.routing import FillBooked, FillBusted, FillCorrected
from streams.allocation.cash import cross_allocated, fill_cash, finished_cash
from streams.allocation.commands import (
    AllocateCross,
    AllocateFill,
    AllocationCommand,
    FinishCash,
    RestateFill,
)
from streams.allocation.restating import restate
from streams.allocation.state import AllocationState, Epoch, Fill, House
from streams.core.decider import Decider
from streams.core.errors import CorruptHistoryError

__all__ = ["ALLOCATION", "AllocationEvent", "decide", "evolve"]

AllocationEvent = FillAllocated | CrossAllocated | AllocationRestated | CashAllocated


def decide(state: AllocationState, command: AllocationCommand) -> tuple[AllocationEvent, ...]:
    """Return what follows from `command`; () if it is already in effect."""
    match command:
        case AllocateFill(fill=fill):
            return _allocate(state, fill)
        case AllocateCross(cross=cross, instrument=instrument):
            if cross.cross_id in state.crosses:
                return ()
            return (cross_allocated(cross, instrument),)
        case RestateFill(change=change):
            return restate(state, change)
        case FinishCash(parent_id=parent_id):
            return finished_cash(state, parent_id)
        case _:
            assert_never(command)


def _allocate(
    state: AllocationState, fill: FillBooked
) -> tuple[FillAllocated | CashAllocated, ...]:
    booked = state.fills.get(fill.fill_id)
    if not fill.quantity or booked is None or booked.is_allocated:
        return ()
    epoch = state.epoch(fill.parent_id, fill.epoch)
    house = epoch.house(is_tail=epoch.is_closed)
    after = house.rule.after(house.shares, fill.quantity)
    taken = house.share_of() if house.taken else None
    allocated = FillAllocated(
        fill_id=fill.fill_id,
        parent_id=fill.parent_id,
        epoch=fill.epoch,
        is_tail=epoch.is_closed,
        quantity=fill.quantity,
        price_e9=fill.price_e9,
        entries=tuple(
            [
                AllocationEntry(
                    order_id=order_id,
                    quantity=new - old,
                    cumulative_quantity=new if taken is None else taken[order_id] + new - old,
                )
                for order_id, new, old in zip(house.order_ids, after, house.shares, strict=True)
                if new > old
            ]
        ),
    )
    if not epoch.is_per_fill:
        return (allocated,)
    shares = {entry.order_id: entry.quantity for entry in allocated.entries}
    # As booked: a bust in the same decision comes behind and restates it.
    return allocated, fill_cash(fill.fill_id, booked, shares, (fill.cash_e9, fill.fee_e9))


def evolve(state: AllocationState, event: Any) -> None:
    """Apply a recorded event of any context; those that allocation does not use change nothing."""
    fold = _FOLDS.get(type(event))
    if fold is not None:
        fold(state, event)


def _opened_epoch(state: AllocationState, event: EpochOpened) -> None:
    epochs = state.epochs.setdefault(event.parent_id, [])
    if event.epoch != len(epochs) + 1:
        raise CorruptHistoryError(f"epoch {event.epoch} of {event.parent_id} after {len(epochs)}")
    house = House.of(f"{event.parent_id}/{event.epoch}", event.members, event.lot)
    epochs.append(Epoch(main=house, lot=event.lot, is_per_fill=event.is_per_fill))


def _closed_epoch(state: AllocationState, event: EpochClosed) -> None:
    epoch = state.epoch(event.parent_id, event.epoch)
    epoch.is_closed = True
    if event.tail:
        epoch.tail = House.of(f"{event.parent_id}/{event.epoch}", event.tail, epoch.lot)


def _resolved_tail(state: AllocationState, event: TailResolved) -> None:
    state.epoch(event.parent_id, event.epoch).is_tail_over = True


def _closed_parent(state: AllocationState, event: ParentClosed) -> None:
    state.closed_parents[event.parent_id] = True
    for epoch in state.epochs.get(event.parent_id, ()):
        epoch.is_tail_over = True


def _booked(state: AllocationState, event: FillBooked) -> None:
    if event.quantity:
        state.fills[event.fill_id] = Fill(
            parent_id=event.parent_id,
            epoch=event.epoch,
            cash_e9=event.cash_e9,
            fee_e9=event.fee_e9,
        )


def _busted(state: AllocationState, event: FillBusted) -> None:
    fill = state.fills.get(event.fill_id)
    if fill is not None:  # None: all of it was the error account's
        fill.cash_e9 = fill.fee_e9 = 0


def _corrected(state: AllocationState, event: FillCorrected) -> None:
    fill = state.fills.get(event.fill_id)
    if fill is not None:
        fill.cash_e9, fill.fee_e9 = event.cash_e9, event.fee_e9


def _allocated(state: AllocationState, event: FillAllocated) -> None:
    fill = state.fills[event.fill_id]
    fill.is_allocated, fill.is_tail = True, event.is_tail
    epoch = state.epoch(event.parent_id, event.epoch)
    house = epoch.house(is_tail=event.is_tail)
    house.pay(event.fill_id, event.quantity, event.entries)
    if event.is_tail and house.is_paid:
        epoch.is_tail_over = True


def _restated(state: AllocationState, event: AllocationRestated) -> None:
    house = state.epoch(event.parent_id, event.epoch).house(is_tail=event.is_tail)
    if not event.is_minimal:
        house.change_fill(event.fill_id, event.entries)
        return
    taken = house.taken.setdefault(event.fill_id, {})
    for entry in event.entries:
        taken[entry.order_id] = taken.get(entry.order_id, 0) - entry.quantity


def _given_cash(state: AllocationState, event: CashAllocated) -> None:
    if event.fill_id:
        fill = state.fills[event.fill_id]
        fill.cash_version = event.version
        fill.given_cash_e9, fill.given_fee_e9 = event.cash_e9, event.fee_e9
        return
    epoch = state.epoch(event.parent_id, event.epoch)
    epoch.cash_version = event.version
    epoch.cash = list(event.entries)


def _given_cross(state: AllocationState, event: CrossAllocated) -> None:
    state.crosses[event.cross_id] = True


_FOLDS: dict[type, Callable[[AllocationState, Any], None]] = {
    EpochOpened: _opened_epoch,
    EpochClosed: _closed_epoch,
    TailResolved: _resolved_tail,
    ParentClosed: _closed_parent,
    FillBooked: _booked,
    FillBusted: _busted,
    FillCorrected: _corrected,
    FillAllocated: _allocated,
    AllocationRestated: _restated,
    CashAllocated: _given_cash,
    CrossAllocated: _given_cross,
}

ALLOCATION: Decider[AllocationState, AllocationCommand, Any] = Decider(
    AllocationState, decide, evolve
)
