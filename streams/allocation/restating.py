"""Busts and corrections: an epoch's shares as if the fill had never happened."""

from collections.abc import Mapping

from schemas.messages.allocation import AllocationRestated, CashAllocated
from schemas.messages.core import AllocationEntry, Cause
from schemas.messages.routing import FillBusted, FillCorrected
from streams.allocation.cash import epoch_cash
from streams.allocation.state import AllocationState, House
from streams.core.apportion import guarded_webster, largest_remainder

__all__ = ["restate"]


def restate(
    state: AllocationState, change: FillBusted | FillCorrected
) -> tuple[AllocationRestated | CashAllocated, ...]:
    """Return the new shares of the fill's epoch, and its cash again if that had been given."""
    fill = state.fills.get(change.fill_id)
    if fill is None or not fill.is_allocated:
        return ()
    epoch = state.epoch(fill.parent_id, fill.epoch)
    house = epoch.tail if fill.is_tail else epoch.main
    assert house is not None, "an allocated tail fill has a tail"
    taken = sum(house.taken.get(change.fill_id, {}).values())
    after = change.quantity if isinstance(change, FillCorrected) else 0
    less = house.fills[change.fill_id] - taken - after
    events: list[AllocationRestated | CashAllocated] = []
    changes: Mapping[str, int] = {}
    if less > 0:
        changes, is_minimal = _changes(house, change.fill_id, less, epoch.is_closed)
        held = house.share_of()
        events.append(
            AllocationRestated(
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
        )
    if epoch.cash_version:
        events += epoch_cash(state, fill.parent_id, fill.epoch, epoch, changes)
    return tuple(events)


def _changes(house: House, fill_id: str, less: int, is_closed: bool) -> tuple[dict[str, int], bool]:
    """Return the change of each order that changes, and whether it is the minimal one.

    In a closed epoch nobody may get more than before: what an order wants now was promised on the
    old shares, so more of this epoch could fill it twice. After one minimal restatement a house
    knows minimal ones only, so that every fill's own shares stay its own.
    """
    fills = {**house.fills, fill_id: house.fills[fill_id] - less}
    pairs = zip(house.order_ids, house.replayed(fills), house.shares, strict=True)
    changes = {order_id: new - old for order_id, new, old in pairs if new != old}
    if not is_closed or (not house.taken and all(change < 0 for change in changes.values())):
        return changes, False
    return _own_shares(house, fill_id, less), True


def _own_shares(house: House, fill_id: str, less: int) -> dict[str, int]:
    # Shares that the rule gave for this very fill, less what was taken of them before.
    before = [0] * len(house.weights)
    for earlier in house.sequence:
        if earlier == fill_id:
            break
        before = guarded_webster(house.weights, before, house.fills[earlier], house.ties)
    after = guarded_webster(house.weights, before, house.fills[fill_id], house.ties)
    taken = house.taken.get(fill_id, {})
    own = [
        new - old - taken.get(order_id, 0)
        for order_id, new, old in zip(house.order_ids, after, before, strict=True)
    ]
    parts = zip(house.order_ids, largest_remainder(less, own), strict=True)
    return {order_id: -part for order_id, part in parts if part}
