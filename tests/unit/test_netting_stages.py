"""Epochs that say how they share: tiers, lots, begun lots, the way of cash, and their length."""

from typing import Any

import pytest

from schemas.messages.core import Cause, Member
from schemas.messages.netting import CrossExecuted, EpochClosed, EpochOpened, ParentOpened
from streams.netting import state as netting_state
from tests.support.builders import instrument
from tests.support.netting import (
    PARENT,
    after,
    allocated,
    buy,
    close_window,
    exposed,
    netting,
    sell,
    settle,
)

LOTS = {"instrument": instrument(allocation_lot=100)}


def member(name: str, quantity: int, tier: int = 0, begun: int = 0) -> Member:
    return Member(order_id=name, quantity=quantity, tier=tier, begun_quantity=begun)


def opened(*orders: Any, **changes: Any) -> tuple[Any, ...]:
    """Return the history of a parent of these orders."""
    return (*orders, *netting(*orders).when(close_window(**changes)).events())


def epochs(events: tuple[Any, ...], kind: type[Any] = EpochOpened) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def test_a_parent_says_tiers_lot_and_the_way_of_cash_and_keeps_them() -> None:
    orders = (buy("A", 350), buy("H", 500, is_house=True))
    history = opened(*orders, is_per_fill=True, **LOTS)
    (first,) = epochs(history)
    assert (first.lot, first.is_per_fill) == (100, True)
    assert first.members == (member("A", 350), member("H", 500, tier=1))
    # The instrument's lot and the tenant's wish are other ones by now; the parent's are not.
    joined = (*history, buy("B", 100))
    events = netting(*joined).when(close_window(exposed(room=850))).events()
    (second,) = epochs(events)
    assert (second.lot, second.is_per_fill) == (100, True)
    assert second.members == (member("A", 350), member("H", 500, tier=1), member("B", 100))


def test_a_tail_goes_to_clients_first_and_a_begun_lot_is_completed_first() -> None:
    history = opened(buy("A", 350), buy("H", 500, is_house=True), **LOTS)
    history = (*history, allocated("F1", 1, A=(137, 137)), buy("B", 100))
    events = netting(*history).when(close_window(exposed(room=513, e1=200))).events()
    (closed,), (second,) = epochs(events, EpochClosed), epochs(events)
    # 137 of A's lots are given; the next 200 of 3 lots and 50: 63 + 100, the odd 37 of its 50.
    assert closed.tail == (member("A", 200, begun=63),)
    assert second.members == (member("A", 13), member("H", 500, tier=1), member("B", 100))
    state = after(*history, *events)
    assert state.parents[PARENT].tiers == {"H": 1}
    assert state.parents[PARENT].begun == {}


def test_a_lot_that_no_tail_completes_is_the_next_epochs_first() -> None:
    history = opened(buy("A", 350), buy("B", 300), **LOTS)
    history = (*history, allocated("F1", 1, A=(137, 137)), buy("C", 100))
    events = netting(*history).when(close_window(exposed(room=513))).events()
    (second,) = epochs(events)
    assert second.members == (member("A", 213, begun=63), member("B", 300), member("C", 100))


def test_what_is_too_little_for_the_begun_lot_is_an_odd_rest() -> None:
    history = opened(buy("A", 150), buy("B", 300), **LOTS)
    history = (*history, allocated("F1", 1, A=(137, 137)), buy("C", 100))
    events = netting(*history).when(close_window(exposed(room=313))).events()
    (second,) = epochs(events)
    assert second.members[0] == member("A", 13)


def test_a_tail_in_lots_of_one_is_the_plain_division() -> None:
    history = opened(buy("A", 300), buy("B", 100))
    history = (*history, buy("C", 200))
    events = netting(*history).when(close_window(exposed(room=280, e1=120))).events()
    (closed,) = epochs(events, EpochClosed)
    assert closed.tail == (member("A", 90), member("B", 30))


def test_house_orders_cross_only_with_what_clients_leave() -> None:
    orders = (buy("H", 300, is_house=True), buy("A", 300), sell("S", 400))
    history = opened(*orders, **LOTS)
    (cross,) = epochs(history, CrossExecuted)
    assert (cross.quantity, cross.lot) == (400, 100)
    (parent,), (first,) = epochs(history, ParentOpened), epochs(history)
    assert parent.quantity == 200
    assert first.members == (member("H", 200, tier=1),)


def test_an_epoch_ends_before_a_bust_in_it_costs_too_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(netting_state, "EPOCH_PARTS_MAX", 6)
    history = opened(buy("A", 300), buy("B", 100))
    for ordinal in (1, 2):
        history = (*history, allocated(f"F{ordinal}", 1, A=(3, 3 * ordinal), B=(1, ordinal)))
    short = settle(exposed(room=350, e1=42))
    netting(*history).when(short).then()
    history = (*history, allocated("F3", 1, A=(3, 9), B=(1, 3)))
    nothing_left = settle(exposed(room=0, e1=388))
    netting(*history).when(nothing_left).then()
    events = netting(*history).when(settle(exposed(room=350, e1=38))).events()
    (closed,), (second,) = epochs(events, EpochClosed), epochs(events)
    assert (closed.tail_quantity, second.quantity, second.cause) == (38, 350, Cause.FILL)
    assert after(*history, *events).parents[PARENT].fills == 0
