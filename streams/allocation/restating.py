"""Busts and corrections: an epoch's shares and cash as if the fill had never happened."""

from collections import deque
from collections.abc import Iterator, Mapping

from schemas.messages.allocation import AllocationRestated, CashAllocated
from schemas.messages.core import AllocationEntry, Cause
from schemas.messages.routing import FillBusted, FillCorrected
from streams.allocation.cash import epoch_cash, fill_cash
from streams.allocation.state import AllocationState, Fill, House
from streams.core.apportion import largest_remainder

__all__ = ["restate"]

Change = FillBusted | FillCorrected


def restate(
    state: AllocationState, change: Change
) -> tuple[AllocationRestated | CashAllocated, ...]:
    """Return the new shares of the fill's epoch, and its cash again if that had been given."""
    fill = state.fills.get(change.fill_id)
    if fill is None or not fill.is_allocated:
        return ()
    epoch = state.epoch(fill.parent_id, fill.epoch)
    house = epoch.house(is_tail=fill.is_tail)
    taken = sum(house.taken.get(change.fill_id, {}).values())
    after = change.quantity if isinstance(change, FillCorrected) else 0
    less = house.fills[change.fill_id] - taken - after
    events: list[AllocationRestated | CashAllocated] = []
    changes: Mapping[str, int] = {}
    is_minimal = True
    if less > 0:
        is_final = epoch.is_final(is_tail=fill.is_tail)
        changes, is_minimal = _changes(house, change.fill_id, less, is_final)
        events.append(_restated(change, fill, house, changes, is_minimal))
    if epoch.is_per_fill:
        events += _own_cash(state, change.fill_id, house, 0 if is_minimal else less, changes)
    elif epoch.cash_version:
        events += epoch_cash(state, fill.parent_id, fill.epoch, epoch, changes)
    return tuple(events)


def _restated(
    change: Change, fill: Fill, house: House, changes: Mapping[str, int], is_minimal: bool
) -> AllocationRestated:
    held = house.share_of()
    return AllocationRestated(
        parent_id=fill.parent_id,
        epoch=fill.epoch,
        is_tail=fill.is_tail,
        fill_id=change.fill_id,
        cause=Cause.CORRECTION if isinstance(change, FillCorrected) else Cause.BUST,
        is_minimal=is_minimal,
        entries=tuple(
            AllocationEntry(
                order_id=order_id,
                quantity=changes[order_id],
                cumulative_quantity=held[order_id] + changes[order_id],
            )
            for order_id in house.order_ids
            if order_id in changes
        ),
    )


def _changes(house: House, fill_id: str, less: int, is_final: bool) -> tuple[dict[str, int], bool]:
    """Return the change of each order that changes, and whether it is the minimal one.

    In a final house nobody may get more than before: what an order wants now was promised on the
    old shares, so more of this one could fill it twice. After one minimal restatement a house
    knows minimal ones only, so that every fill's own shares stay its own.
    """
    ((_, _, shares),) = deque(house.states(_without(house, fill_id, less), fill_id), maxlen=1)
    pairs = zip(house.order_ids, shares, house.shares, strict=True)
    changes = {order_id: new - old for order_id, new, old in pairs if new != old}
    if not is_final or (not house.taken and all(change < 0 for change in changes.values())):
        return changes, False
    own = _own_shares(house, fill_id)
    parts = zip(own, largest_remainder(less, list(own.values())), strict=True)
    return {order_id: -part for order_id, part in parts if part}, True


def _without(house: House, fill_id: str, less: int) -> dict[str, int]:
    return {**house.fills, fill_id: house.fills[fill_id] - less}


def _own_shares(house: House, fill_id: str) -> dict[str, int]:
    """Return what the rule gave for this very fill, less what was taken of it before."""
    _, before, after = next(house.states(house.fills, fill_id))
    taken = house.taken.get(fill_id, {})
    return {
        order_id: new - old - taken.get(order_id, 0)
        for order_id, new, old in zip(house.order_ids, after, before, strict=True)
    }


def _own_cash(
    state: AllocationState, fill_id: str, house: House, less: int, changes: Mapping[str, int]
) -> Iterator[CashAllocated]:
    """Yield the cash of each fill that is divided otherwise now, the changed fill first.

    `less` is 0 when no other fill is touched; `changes` are then those of this fill.
    """
    if not less:
        own = _own_shares(house, fill_id)
        fill = state.fills[fill_id]
        if changes or (fill.cash_e9, fill.fee_e9) != (fill.given_cash_e9, fill.given_fee_e9):
            parts = {each: share + changes.get(each, 0) for each, share in own.items()}
            yield fill_cash(fill_id, fill, parts, (fill.cash_e9, fill.fee_e9))
        return
    old = house.states(house.fills, fill_id)
    new = house.states(_without(house, fill_id, less), fill_id)
    for (each, old_before, old_after), (_, before, after) in zip(old, new, strict=True):
        was = [b - a for a, b in zip(old_before, old_after, strict=True)]
        now = [b - a for a, b in zip(before, after, strict=True)]
        if now != was:
            fill = state.fills[each]
            parts = dict(zip(house.order_ids, now, strict=True))
            yield fill_cash(each, fill, parts, (fill.cash_e9, fill.fee_e9))
