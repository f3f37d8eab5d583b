"""Fills back to their orders: epochs, tails, busts and corrections."""

from typing import Any

import pytest

from schemas.messages.allocation import AllocationRestated, FillAllocated
from schemas.messages.core import Cause
from schemas.messages.routing import FillBooked, FillBusted, FillCorrected
from streams.allocation import ALLOCATION
from streams.allocation.commands import AllocateFill, RestateFill
from streams.core.apportion import guarded_webster, tie_ranks
from streams.core.errors import CorruptHistoryError
from tests.support.builders import TICK
from tests.support.given import given
from tests.support.netting import (
    PARENT,
    allocated,
    booked,
    busted,
    corrected,
    entries,
    epoch_closed,
    epoch_opened,
    members,
)

OPENED = epoch_opened(1, members(A=300, B=100))


def paid(history: tuple[Any, ...], fill: FillBooked) -> tuple[Any, ...]:
    """Return the history with the fill booked and allocated."""
    before = (*history, fill)
    return (*before, *given(ALLOCATION, *before).when(AllocateFill(fill=fill)).events())


def changed(history: tuple[Any, ...], change: FillBusted | FillCorrected) -> tuple[Any, ...]:
    before = (*history, change)
    return (*before, *given(ALLOCATION, *before).when(RestateFill(change=change)).events())


def restated(
    cause: Cause, *, is_tail: bool = False, is_minimal: bool = False, **changes: Any
) -> Any:
    return AllocationRestated(
        parent_id=PARENT,
        epoch=1,
        is_tail=is_tail,
        fill_id="F1",
        cause=cause,
        is_minimal=is_minimal,
        entries=entries(**changes),
    )


def test_a_fill_is_divided_by_weight() -> None:
    fill = booked("F1", 7)
    given(ALLOCATION, OPENED, fill).when(AllocateFill(fill=fill)).then(
        allocated("F1", 1, A=(5, 5), B=(2, 2))
    )


def test_the_next_fill_evens_out_the_first() -> None:
    history, fill = paid((OPENED,), booked("F1", 7)), booked("F2", 113)
    given(ALLOCATION, *history, fill).when(AllocateFill(fill=fill)).then(
        allocated("F2", 1, A=(85, 90), B=(28, 30))
    )


def test_orders_that_get_nothing_are_not_named() -> None:
    fill = booked("F1", 1)
    (event,) = given(ALLOCATION, OPENED, fill).when(AllocateFill(fill=fill)).events()
    assert event.entries == entries(A=(1, 1))


def test_a_fill_after_the_close_pays_the_tail_by_the_shares_fixed_then() -> None:
    history = (*paid((OPENED,), booked("F1", 120)), epoch_closed(1, members(A=75, B=25)))
    fill = booked("F2", 4)
    given(ALLOCATION, *history, fill).when(AllocateFill(fill=fill)).then(
        allocated("F2", 1, is_tail=True, A=(3, 3), B=(1, 1))
    )


def test_a_fill_of_a_closed_epoch_without_a_tail_contradicts_the_history() -> None:
    fill = booked("F1", 4)
    with pytest.raises(CorruptHistoryError):
        given(ALLOCATION, OPENED, epoch_closed(1), fill).when(AllocateFill(fill=fill)).events()


def test_the_error_accounts_fill_is_nobodys() -> None:
    fill = booked("F1", 0, error_quantity=5)
    given(ALLOCATION, OPENED, fill).when(AllocateFill(fill=fill)).then()
    bust = busted(fill)
    given(ALLOCATION, OPENED, fill, bust).when(RestateFill(change=bust)).then()


def test_equal_orders_draw_by_digest() -> None:
    epoch = epoch_opened(1, members(A=1, B=1, C=1, D=1))
    ranks = tie_ranks(f"{PARENT}/1", list("ABCD"))
    fill = booked("F1", 1)
    (event,) = given(ALLOCATION, epoch, fill).when(AllocateFill(fill=fill)).events()
    assert event.entries[0].order_id == "ABCD"[ranks.index(0)]


def test_a_bust_in_the_open_epoch_restates_as_if_it_had_never_been() -> None:
    first, second = booked("F1", 7), booked("F2", 113)
    history, bust = paid(paid((OPENED,), first), second), busted(first)
    given(ALLOCATION, *history, bust).when(RestateFill(change=bust)).then(
        restated(Cause.BUST, A=(-5, 85), B=(-2, 28))
    )


def test_a_bust_in_a_closed_epoch_restates_its_part_alone() -> None:
    first, second = booked("F1", 120), booked("F2", 40)
    history = (*paid((OPENED,), first), epoch_closed(1, members(A=75, B=25)))
    history, bust = paid(history, second), busted(first)
    given(ALLOCATION, *history, bust).when(RestateFill(change=bust)).then(
        restated(Cause.BUST, A=(-90, 0), B=(-30, 0))
    )


def test_a_correction_takes_back_the_difference() -> None:
    first = booked("F1", 120)
    history, change = paid((OPENED,), first), corrected(first, 40, 10_000 * TICK)
    given(ALLOCATION, *history, change).when(RestateFill(change=change)).then(
        restated(Cause.CORRECTION, A=(-60, 30), B=(-20, 10))
    )


def test_a_corrected_price_moves_no_share() -> None:
    first = booked("F1", 120)
    history, change = paid((OPENED,), first), corrected(first, 120, 9_000 * TICK)
    given(ALLOCATION, *history, change).when(RestateFill(change=change)).then()


def odd_book() -> tuple[tuple[Any, ...], FillBooked, list[int], list[int]]:
    """Return a closed epoch where leaving out the first fill would give some order more."""
    weights, fills = [1, 20, 1, 3, 30], [2, 22]
    for name in range(200):  # ties are drawn by name: look for names that draw such a case
        names = [f"O{name}.{i}" for i in range(5)]
        ties = tie_ranks(f"{PARENT}/1", names)
        both = [0] * 5
        for fill in fills:
            both = guarded_webster(weights, both, fill, ties)
        alone = guarded_webster(weights, [0] * 5, fills[1], ties)
        if any(new > old for new, old in zip(alone, both, strict=True)):
            epoch = epoch_opened(1, members(**dict(zip(names, weights, strict=True))))
            first = booked("F1", fills[0])
            history = paid(paid((epoch,), first), booked("F2", fills[1]))
            return history, first, alone, both
    raise AssertionError("no name draws the case")


def test_an_open_epoch_may_give_an_order_more_by_a_bust() -> None:
    history, first, alone, both = odd_book()
    (event,) = (
        given(ALLOCATION, *history, busted(first)).when(RestateFill(change=busted(first))).events()
    )
    assert not event.is_minimal
    assert any(entry.quantity > 0 for entry in event.entries)
    assert sum(entry.quantity for entry in event.entries) == sum(alone) - sum(both) == -2


def test_in_a_closed_epoch_a_bust_takes_the_fills_own_shares_where_more_would_be_given() -> None:
    history, first, _, _ = odd_book()
    own = next(e for e in history if isinstance(e, FillAllocated) and e.fill_id == "F1")
    bust = busted(first)
    before = (*history, epoch_closed(1))
    (event,) = given(ALLOCATION, *before, bust).when(RestateFill(change=bust)).events()
    assert event.is_minimal
    taken = {entry.order_id: -entry.quantity for entry in event.entries}
    assert taken == {entry.order_id: entry.quantity for entry in own.entries}
    given(ALLOCATION, *before, bust).when(RestateFill(change=bust)).then(event)
    # From then on every bust there takes own shares, down to exactly nothing.
    second = next(e for e in history if isinstance(e, FillBooked) and e.fill_id == "F2")
    after = changed(before, bust)
    for quantity in range(second.quantity - 1, 0, -1):
        after = changed(after, corrected(second, quantity, second.price_e9))
        assert after[-1].is_minimal
        assert all(entry.cumulative_quantity >= 0 for entry in after[-1].entries)
    after = changed(after, busted(second))
    assert after[-1].is_minimal
    state = given(ALLOCATION, *after).state()
    assert set(state.epoch(PARENT, 1).main.share_of().values()) == {0}


def test_a_bust_repeated_or_of_a_stranger_changes_nothing() -> None:
    first = booked("F1", 120)
    history = changed(paid((OPENED,), first), busted(first))
    given(ALLOCATION, *history).when(RestateFill(change=busted(first))).then()
    given(ALLOCATION, OPENED).when(RestateFill(change=busted(first))).then()
