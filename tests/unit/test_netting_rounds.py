"""Rounds: at a drawn instant if asked, without those who are stopped, and what waiting cost."""

from typing import Any

import pytest

from schemas.messages.core import Cause, OrderStatus, Side, Urgency
from schemas.messages.netting import (
    CrossExecuted,
    EpochOpened,
    ParentClosed,
    ParentOpened,
    WindowClosed,
    WindowOpened,
)
from streams.netting import NETTING, timers_of, waiting
from streams.netting.commands import OpenWindow
from tests.support import netting as n
from tests.support.builders import ACME, OPEN_NS, SECOND, TICK, instrument, quote
from tests.support.netting import buy, close_window, exposed, netting, sell
from tests.support.netting_world import World

TIMER = f"netting:window:T1/{ACME}"
LATER = OPEN_NS + 5 * SECOND


def open_window(**changes: Any) -> OpenWindow:
    return OpenWindow(
        **{
            "tenant": "T1",
            "instrument_id": ACME,
            "at_ns": OPEN_NS,
            "random_ns": SECOND,
            "entropy": bytes(16),
            **changes,
        }
    )


def due_ns(**changes: Any) -> int:
    (opened,) = netting(buy("A", 1)).when(open_window(**changes)).events()
    assert isinstance(opened, WindowOpened)
    return opened.due_ns


def stop(*order_ids: str, **changes: Any) -> Any:
    return close_window(stopped_order_ids=frozenset(order_ids), **changes)


def of_type(events: tuple[Any, ...], kind: type[Any]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def test_a_random_round_lies_within_its_window_and_hangs_on_entropy_and_window() -> None:
    drawn = {due_ns(entropy=bytes([i]) * 16) for i in range(50)}
    assert len(drawn) == 50
    assert min(drawn) >= OPEN_NS + SECOND and max(drawn) <= OPEN_NS + 2 * SECOND
    assert max(drawn) - min(drawn) > SECOND // 2
    assert due_ns() == due_ns()
    assert due_ns(random_ns=0) == OPEN_NS + SECOND


def test_a_window_is_drawn_once_and_its_timer_follows() -> None:
    first = buy("A", 1)
    (opened,) = netting(first).when(open_window()).events()
    assert opened.window == 1
    state = n.after(first, opened)
    assert timers_of(opened, state) == ((TIMER, opened.due_ns),)
    second = buy("B", 1, accepted_ns=OPEN_NS + 5)
    history = (first, opened, second)
    assert timers_of(second, n.after(*history)) == ((TIMER, opened.due_ns),)
    netting(*history).when(open_window(at_ns=OPEN_NS + 5)).then()
    closed = netting(*history).when(close_window()).events()
    third = buy("C", 1, accepted_ns=LATER)
    (again,) = netting(*history, *closed, third).when(open_window(at_ns=LATER)).events()
    assert again.window == 2 and again.due_ns > LATER


def test_nothing_is_drawn_for_urgent_orders_alone() -> None:
    netting(buy("A", 1, urgency=Urgency.URGENT)).when(open_window()).then()
    netting().when(open_window()).then()


def test_a_stopped_order_neither_meets_nor_leaves() -> None:
    history = (buy("B1", 5), buy("B2", 4), sell("S", 9))
    events = netting(*history).when(stop("B1")).events()
    (cross,) = of_type(events, CrossExecuted)
    assert (cross.quantity, cross.buys) == (4, n.members(B2=4))
    assert events[0].order_ids == ("B2", "S")
    assert [(e.side, e.quantity) for e in of_type(events, ParentOpened)] == [(Side.SELL, 5)]
    assert waiting(n.after(*history, *events), "T1", ACME) == ("B1",)


def test_a_stopped_member_keeps_its_free_part_out_of_the_round() -> None:
    first = (buy("B1", 300), buy("B2", 100))
    history = (*first, *netting(*first).when(close_window()).events(), sell("S", 400))
    events = netting(*history).when(stop("B1", at_ns=LATER)).events()
    assert not of_type(events, CrossExecuted)  # nobody told of the parent's exposure
    command = close_window(exposed(room=400), stopped_order_ids=frozenset({"B1"}))
    (cross,) = of_type(netting(*history).when(command).events(), CrossExecuted)
    assert (cross.quantity, cross.buys) == (100, n.members(B2=100))


def test_a_round_of_stopped_orders_ends_their_clock_once() -> None:
    history = (buy("A", 1),)
    command = stop("A")
    (closed,) = netting(*history).when(command).events()
    assert (closed.order_ids, closed.waits) == ((), ())
    state = n.after(*history, closed)
    assert timers_of(closed, state) == ((TIMER, None),)
    assert NETTING.decide(state, command) == ()
    later = buy("B", 1, accepted_ns=LATER)
    state = n.after(*history, closed, later)
    assert timers_of(later, state) == ((TIMER, LATER + SECOND),)
    (released, *_) = NETTING.decide(state, close_window(at_ns=LATER + SECOND))
    assert isinstance(released, WindowClosed) and released.order_ids == ("A", "B")
    (urgent,) = netting(*history).when(stop("A", cause=Cause.WINDOW_ZERO)).events() or (None,)
    assert urgent is None


@pytest.mark.parametrize(
    ("order", "bid", "ask", "cost_ticks"),
    [
        (buy, 9_999, 10_001, 0),
        (buy, 10_001, 10_004, 750),  # 2.5 ticks dearer
        (buy, 9_997, 10_000, -450),
        (sell, 10_001, 10_004, -750),
        (sell, 9_997, 10_000, 450),
    ],
)
def test_waiting_costs_what_the_midpoint_moved(
    order: Any, bid: int, ask: int, cost_ticks: int
) -> None:
    command = close_window(quote=quote(bid, ask), at_ns=LATER)
    (closed, *_) = netting(order("A", 300)).when(command).events()
    (wait,) = closed.waits
    assert wait == n.wait(
        "A",
        300,
        waited_ns=5 * SECOND,
        price_e9=(bid + ask) * TICK // 2,
        cost_e9=cost_ticks * TICK,
    )


def test_a_wait_without_a_price_at_either_end_costs_nothing_known() -> None:
    history = (buy("A", 3, arrival_price_e9=None), buy("B", 2))
    (closed, *_) = netting(*history).when(close_window(quote=None)).events()
    assert closed.waits == (
        n.wait("A", 3, arrival_price_e9=None, price_e9=None),
        n.wait("B", 2, price_e9=None),
    )


def test_cash_of_a_wait_is_in_whole_units_of_the_instrument() -> None:
    terms = instrument(quantity_scale=100_000)
    command = close_window(instrument=terms, quote=quote(9_999, 10_003))
    (closed, *_) = netting(buy("A", 150_000)).when(command).events()
    assert [wait.cost_e9 for wait in closed.waits] == [TICK * 3 // 2]


def test_who_comes_and_goes_at_one_instant_did_not_wait() -> None:
    history = (buy("A", 3), buy("B", 2, urgency=Urgency.URGENT, accepted_ns=LATER))
    command = close_window(cause=Cause.WINDOW_ZERO, at_ns=LATER)
    (closed, *_) = netting(*history).when(command).events()
    assert (closed.order_ids, closed.waits) == (("B",), ())


def test_an_order_that_joins_again_waits_anew_and_has_no_arrival_price() -> None:
    world = World()
    order_id = world.submit(Side.BUY, 300)
    world.now_ns += SECOND
    world.close_window()
    world.now_ns += SECOND
    world.amend(order_id, 200, "other")
    world.now_ns += 7
    world.close_window()
    first, second = [e.waits for e in world.events if isinstance(e, WindowClosed)]
    assert [(w.waited_ns, w.arrival_price_e9) for w in first] == [(SECOND, 10_000 * TICK)]
    assert [(w.waited_ns, w.arrival_price_e9, w.quantity) for w in second] == [(7, None, 200)]


def test_weights_are_those_committed_and_an_increase_is_a_new_epoch() -> None:
    world = World()
    bigger, same = world.submit(Side.BUY, 100), world.submit(Side.BUY, 100, account_id="A2")
    world.close_window()
    world.release("Pabcdef.0.1", 60)
    world.amend(bigger, 500, world.clients[bigger].group)
    epochs = [e for e in world.events if isinstance(e, EpochOpened)]
    weights = [{m.order_id: m.quantity for m in e.members} for e in epochs]
    assert weights == [{bigger: 100, same: 100}, {bigger: 470, same: 70}]
    world.check()


def test_a_parent_whose_last_member_fills_while_it_leaves_is_filled() -> None:
    world = World()
    order_id = world.submit(Side.BUY, 100)
    world.close_window()
    child = world.release("Pabcdef.0.1", 100)
    world.cancel(order_id)
    world.fill(child, 100)
    (closed,) = [e for e in world.events if isinstance(e, ParentClosed)]
    assert (closed.status, closed.filled_quantity, closed.quantity) == (
        OrderStatus.FILLED,
        100,
        100,
    )


def test_a_parent_whose_last_member_leaves_with_a_rest_is_canceled() -> None:
    world = World()
    order_id = world.submit(Side.BUY, 100)
    world.close_window()
    child = world.release("Pabcdef.0.1", 60)
    world.cancel(order_id)
    world.hand_back(child, 60)
    (closed,) = [e for e in world.events if isinstance(e, ParentClosed)]
    assert (closed.status, closed.filled_quantity) == (OrderStatus.CANCELED, 0)
