"""Busts and corrections in any order, in any house: the run in which they never happened."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.messages.allocation import CashAllocated
from schemas.messages.core import CashEntry, Member
from schemas.messages.routing import FillBooked, FillBusted, FillCorrected
from streams.allocation import ALLOCATION, AllocationState
from streams.allocation.commands import AllocateFill, FinishCash, RestateFill
from streams.allocation.state import House
from tests.support.netting import (
    PARENT,
    booked,
    busted,
    corrected,
    epoch_closed,
    epoch_opened,
)

SIZES = st.lists(st.integers(1, 60), min_size=1, max_size=14)


class Terms(NamedTuple):
    """How an epoch shares."""

    orders: list[tuple[int, int]]  # quantity and tier
    lot: int
    is_per_fill: bool

    def members(self) -> list[Member]:
        return [
            Member(order_id=f"O{i}", quantity=quantity, tier=tier)
            for i, (quantity, tier) in enumerate(self.orders)
        ]


TERMS = st.builds(
    Terms,
    st.lists(st.tuples(st.integers(1, 90), st.integers(0, 1)), min_size=1, max_size=7),
    st.sampled_from((1, 1, 7, 20)),
    st.booleans(),
)


class Run:
    """One epoch under ALLOCATION, fed fill by fill."""

    def __init__(self, terms: Terms) -> None:
        self.state: AllocationState = ALLOCATION.initial()
        self.cash: dict[str, CashAllocated] = {}
        self.evolve(epoch_opened(1, terms.members(), lot=terms.lot, is_per_fill=terms.is_per_fill))

    def evolve(self, event: Any) -> None:
        ALLOCATION.evolve(self.state, event)

    def ask(self, command: Any) -> None:
        for event in ALLOCATION.decide(self.state, command):
            self.evolve(event)
            if isinstance(event, CashAllocated):
                self.cash[event.fill_id] = event

    def pay(self, fills: Sequence[FillBooked]) -> None:
        for fill in fills:
            self.evolve(fill)
            self.ask(AllocateFill(fill=fill))

    def change(self, event: FillBusted | FillCorrected) -> None:
        self.evolve(event)
        self.ask(RestateFill(change=event))

    def house(self, *, is_tail: bool) -> House:
        return self.state.epoch(PARENT, 1).house(is_tail=is_tail)

    def close(self, live: int) -> None:
        """Close the epoch with that much live, divided as its fills would go."""
        house = self.house(is_tail=False)
        after = house.rule.after(house.shares, live)
        tail = [
            Member(order_id=order_id, quantity=new - old)
            for order_id, new, old in zip(house.order_ids, after, house.shares, strict=True)
            if new > old
        ]
        self.evolve(epoch_closed(1, tail))

    def divided(self) -> dict[str, tuple[int, tuple[CashEntry, ...]]]:
        """Return all cash that was given: whole and parts, fills of nothing left out."""
        self.ask(FinishCash(parent_id=PARENT))
        return {
            name: (event.cash_e9, event.entries)
            for name, event in self.cash.items()
            if event.quantity
        }


def fills_of(house: int, sizes: list[int], first: int = 0) -> list[FillBooked]:
    left, fills = house, []
    for ordinal, size in enumerate(sizes, first):
        quantity = min(size, left)
        if quantity:
            price_e9 = 1_000 + ordinal * 7
            fills.append(booked(f"F{ordinal}", quantity, price_e9=price_e9, fee_e9=3 * ordinal))
        left -= quantity
    return fills


def changes_of(
    fills: list[FillBooked], data: st.DataObject
) -> tuple[list[FillBusted | FillCorrected], list[FillBooked]]:
    """Draw changes in any order; return them and the fills as they are in the end."""
    changes: list[FillBusted | FillCorrected] = []
    after: dict[str, FillBooked] = {fill.fill_id: fill for fill in fills}
    for fill in data.draw(st.permutations(fills), label="order"):
        kind = data.draw(st.sampled_from(("keep", "bust", "less", "price")), label=fill.fill_id)
        if kind == "bust":
            changes.append(busted(fill))
            del after[fill.fill_id]
        elif kind != "keep":
            quantity = fill.quantity
            if kind == "less":
                quantity = data.draw(st.integers(1, fill.quantity))
            change = corrected(fill, quantity, fill.price_e9 + 11)
            changes.append(change)
            after[fill.fill_id] = booked(
                fill.fill_id, quantity, price_e9=change.price_e9, fee_e9=change.fee_e9
            )
    return changes, [after[fill.fill_id] for fill in fills if fill.fill_id in after]


@settings(max_examples=250, deadline=None)
@given(TERMS, SIZES, st.data())
def test_in_an_open_epoch_any_order_of_changes_is_as_if_they_had_never_been(
    terms: Terms, sizes: list[int], data: st.DataObject
) -> None:
    fills = fills_of(sum(quantity for quantity, _ in terms.orders), sizes)
    changes, after = changes_of(fills, data)
    real, ideal = Run(terms), Run(terms)
    real.pay(fills)
    for change in changes:
        real.change(change)
    ideal.pay(after)
    assert real.house(is_tail=False).share_of() == ideal.house(is_tail=False).share_of()
    for run in (real, ideal):
        run.close(0)
    assert real.divided() == ideal.divided()
    # Once more after the end: every fill goes, and so do all shares and all cash.
    for fill in after:
        real.change(busted(fill))
    assert not any(real.house(is_tail=False).share_of().values())
    assert real.divided() == {}


@settings(max_examples=250, deadline=None)
@given(TERMS, SIZES, SIZES, st.data())
def test_in_a_live_tail_too(
    terms: Terms, sizes: list[int], more: list[int], data: st.DataObject
) -> None:
    house = sum(quantity for quantity, _ in terms.orders)
    fills = fills_of(house - 1, sizes)
    filled = sum(fill.quantity for fill in fills)
    live = data.draw(st.integers(1, house - filled), label="live")
    late = fills_of(live - 1, more, first=len(sizes))  # one share is out to the end
    changes, after = changes_of(late, data)
    real, ideal = Run(terms), Run(terms)
    for run in (real, ideal):
        run.pay(fills)
        run.close(live)
    real.pay(late)
    for change in changes:
        real.change(change)
    ideal.pay(after)
    assert real.house(is_tail=True).share_of() == ideal.house(is_tail=True).share_of()
    if terms.is_per_fill:
        assert real.divided() == ideal.divided()


@settings(max_examples=250, deadline=None)
@given(TERMS, SIZES, st.data())
def test_in_a_closed_epoch_sums_hold_and_nobody_gets_more(
    terms: Terms, sizes: list[int], data: st.DataObject
) -> None:
    fills = fills_of(sum(quantity for quantity, _ in terms.orders), sizes)
    changes, after = changes_of(fills, data)
    real, ideal = Run(terms), Run(terms)
    real.pay(fills)
    real.close(0)
    real.divided()
    house = real.house(is_tail=False)
    before = house.share_of()
    for change in changes:
        real.change(change)
        assert all(0 <= share <= before[each] for each, share in house.share_of().items())
        before = house.share_of()
    ideal.pay(after)
    ideal.close(0)
    if not house.taken:  # else some order would have got more: own shares of fills were taken
        assert house.share_of() == ideal.house(is_tail=False).share_of()
        assert real.divided() == ideal.divided()
    assert sum(before.values()) == sum(fill.quantity for fill in after)
    given = real.divided()
    assert sum(whole for whole, _ in given.values()) == sum(fill.cash_e9 for fill in after)
    for whole, entries in given.values():
        assert sum(entry.cash_e9 for entry in entries) == whole
    held = dict.fromkeys(before, 0)
    for _, entries in given.values():
        for entry in entries:
            held[entry.order_id] += entry.quantity
    assert held == before
