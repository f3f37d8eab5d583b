"""Busts and corrections: the epoch as if they had never happened; cash always to the unit."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.messages.core import OrderStatus
from schemas.messages.netting import ParentClosed
from schemas.messages.routing import FillBooked
from streams.allocation import ALLOCATION, AllocationState
from streams.allocation.commands import AllocateFill, FinishCash, RestateFill
from tests.support.netting import (
    PARENT,
    booked,
    busted,
    corrected,
    epoch_closed,
    epoch_opened,
    members,
)

WEIGHTS = st.lists(st.integers(1, 60), min_size=1, max_size=7)
SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=12)


def fills_of(weights: list[int], sizes: list[int]) -> list[FillBooked]:
    left, fills = sum(weights), []
    for ordinal, size in enumerate(sizes):
        quantity = min(size, left)
        if quantity:
            fills.append(booked(f"F{ordinal}", quantity, price_e9=1_000 + ordinal * 7))
        left -= quantity
    return fills


class Epoch:
    """One epoch under ALLOCATION, fed fill by fill."""

    def __init__(self, weights: list[int]) -> None:
        self.state: AllocationState = ALLOCATION.initial()
        names = {f"O{i}": weight for i, weight in enumerate(weights)}
        self.evolve(epoch_opened(1, members(**names)))

    def evolve(self, event: Any) -> None:
        ALLOCATION.evolve(self.state, event)

    def ask(self, command: Any) -> tuple[Any, ...]:
        events = ALLOCATION.decide(self.state, command)
        for event in events:
            self.evolve(event)
        return events

    def pay(self, fill: FillBooked) -> None:
        self.evolve(fill)
        self.ask(AllocateFill(fill=fill))

    def change(self, event: Any) -> tuple[Any, ...]:
        self.evolve(event)
        return self.ask(RestateFill(change=event))

    def shares(self) -> dict[str, int]:
        return self.state.epoch(PARENT, 1).main.share_of()


@settings(max_examples=200, deadline=None)
@given(WEIGHTS, SIZES, st.integers(0, 99), st.integers(0, 99))
def test_a_bust_in_the_open_epoch_is_the_run_in_which_it_never_happened(
    weights: list[int], sizes: list[int], which: int, when: int
) -> None:
    fills = fills_of(weights, sizes)
    gone = fills[which % len(fills)]
    at = fills.index(gone) + when % (len(fills) - fills.index(gone))
    real, ideal = Epoch(weights), Epoch(weights)
    for ordinal, fill in enumerate(fills):
        real.pay(fill)
        if fill is not gone:
            ideal.pay(fill)
        if ordinal == at:
            real.change(busted(gone))
            assert real.shares() == ideal.shares()
    assert real.shares() == ideal.shares()


@settings(max_examples=200, deadline=None)
@given(WEIGHTS, SIZES, st.integers(0, 99), st.integers(1, 99))
def test_a_correction_in_the_open_epoch_is_the_run_with_the_right_quantity(
    weights: list[int], sizes: list[int], which: int, part: int
) -> None:
    fills = fills_of(weights, sizes)
    wrong = fills[which % len(fills)]
    quantity = min(wrong.quantity, part)
    real, ideal = Epoch(weights), Epoch(weights)
    for fill in fills:
        real.pay(fill)
        ideal.pay(booked(fill.fill_id, quantity) if fill is wrong else fill)
    real.change(corrected(wrong, quantity, wrong.price_e9))
    assert real.shares() == ideal.shares()


@settings(max_examples=200, deadline=None)
@given(WEIGHTS, SIZES, st.lists(st.tuples(st.integers(0, 99), st.integers(0, 40)), max_size=6))
def test_in_a_closed_epoch_no_change_gives_an_order_more_and_cash_stays_exact(
    weights: list[int], sizes: list[int], changes: list[tuple[int, int]]
) -> None:
    epoch = Epoch(weights)
    live = {fill.fill_id: fill for fill in fills_of(weights, sizes)}
    for fill in live.values():
        epoch.pay(fill)
    epoch.evolve(epoch_closed(1))
    epoch.evolve(
        ParentClosed(parent_id=PARENT, status=OrderStatus.EXPIRED, quantity=1, filled_quantity=1)
    )
    (cash,) = epoch.ask(FinishCash(parent_id=PARENT))
    for which, quantity in changes:
        if not live:
            break
        fill = live.pop(sorted(live)[which % len(live)])
        before = epoch.shares()
        if quantity:
            less = corrected(fill, min(quantity, fill.quantity), fill.price_e9 + 1)
            live[fill.fill_id] = booked(
                fill.fill_id, less.quantity, price_e9=less.price_e9, fee_e9=less.fee_e9
            )
            events = epoch.change(less)
        else:
            events = epoch.change(busted(fill))
        cash = events[-1]
        after = epoch.shares()
        assert all(0 <= after[order_id] <= before[order_id] for order_id in before)
        assert cash.quantity == sum(after.values()) == sum(f.quantity for f in live.values())
        assert cash.cash_e9 == sum(f.cash_e9 for f in live.values())
        assert {e.order_id: e.quantity for e in cash.entries} == {
            order_id: share for order_id, share in after.items() if share
        }
        for entry in cash.entries:
            exact = cash.cash_e9 * entry.quantity
            assert abs(entry.cash_e9 * cash.quantity - exact) < cash.quantity
        assert epoch.ask(FinishCash(parent_id=PARENT)) == ()
