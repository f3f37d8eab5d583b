"""Parents: holds, leavers, tails that end, epochs that turn, and how it all ends."""

from typing import Any

import pytest

from schemas.messages.allocation import AllocationRestated
from schemas.messages.core import Cause, OrderStatus, OrderType, TimeInForce
from schemas.messages.intake import OrderCanceled, OrderClosed, OrderReplaced
from schemas.messages.netting import MemberLeft, ParentClosed, ParentHeld, TailResolved
from schemas.messages.strategy import ParentEnded
from streams.core.errors import CorruptHistoryError
from streams.netting import members, parent_of, waiting
from tests.support import netting as n
from tests.support.builders import ACME, NO_ID, OPEN_NS
from tests.support.netting import (
    allocated,
    buy,
    close_window,
    epoch_closed,
    epoch_opened,
    exposed,
    leave,
    netting,
    rebase,
    settle,
)


def opened(*orders: Any) -> tuple[Any, ...]:
    return (*orders, *netting(*orders).when(close_window()).events())


TWO = opened(buy("A", 300), buy("B", 100))
HELD = ParentHeld(parent_id=n.PARENT, order_ids=("B",), cause=Cause.CLIENT)
LEFT = MemberLeft(parent_id=n.PARENT, order_id="B", cumulative_quantity=0)
ENDED = ParentEnded(parent_id=n.PARENT, cause=Cause.END_OF_WINDOW)
# C joined while 120 were live: 90 of them are A's and 30 B's.
TAILED = (
    *TWO,
    buy("C", 200),
    *netting(*TWO, buy("C", 200)).when(close_window(exposed(room=280, e1=120))).events(),
)


def parent_closed(status: OrderStatus, quantity: int, filled: int) -> ParentClosed:
    return ParentClosed(
        parent_id=n.PARENT, status=status, quantity=quantity, filled_quantity=filled
    )


def replaced(order_id: str, quantity: int, group: str = "buys") -> OrderReplaced:
    return OrderReplaced(
        order_id=order_id,
        tenant="T1",
        source="OMS",
        client_order_id="r",
        quantity=quantity,
        order_type=OrderType.MARKET,
        limit_price_e9=None,
        group_id=group,
        cumulative_quantity=0,
        replaced_ns=OPEN_NS,
        command_digest=NO_ID,
    )


def restated(epoch: int, is_tail: bool = False, **changes: tuple[int, int]) -> AllocationRestated:
    return AllocationRestated(
        parent_id=n.PARENT,
        epoch=epoch,
        is_tail=is_tail,
        fill_id="F1",
        cause=Cause.BUST,
        is_minimal=False,
        entries=n.entries(**changes),
    )


def test_a_leaver_waits_while_anything_is_live() -> None:
    netting(*TWO).when(leave("B", exposed(room=399, e1=1))).then(HELD)
    netting(*TWO, HELD).when(settle(exposed(room=399, e1=1))).then()


def test_a_leaver_is_free_at_once_when_nothing_is_live() -> None:
    netting(*TWO).when(leave("B", exposed(room=400))).then(
        HELD,
        LEFT,
        epoch_closed(1, cause=Cause.MEMBER_LEFT),
        epoch_opened(2, n.members(A=300), cause=Cause.MEMBER_LEFT),
    )


def test_a_hold_is_released_when_the_exposure_is_over() -> None:
    fill = allocated("F1", 1, A=(90, 90), B=(30, 30))
    netting(*TWO, HELD, fill).when(settle(exposed(room=280))).then(
        MemberLeft(parent_id=n.PARENT, order_id="B", cumulative_quantity=30),
        epoch_closed(1, cause=Cause.MEMBER_LEFT),
        epoch_opened(2, n.members(A=210), parent_quantity=330, cause=Cause.MEMBER_LEFT),
    )


def test_a_parent_that_everybody_left_is_canceled() -> None:
    one = opened(buy("B", 100))
    netting(*one).when(leave("B", exposed(room=100))).then(
        HELD,
        LEFT,
        epoch_closed(1, cause=Cause.MEMBER_LEFT),
        parent_closed(OrderStatus.CANCELED, 100, 0),
    )


def test_an_order_that_is_no_member_cannot_leave() -> None:
    netting(*TWO, buy("C", 1)).when(leave("C", exposed())).then()
    netting(*TWO).when(leave("unknown", exposed())).then()


def test_a_replaced_order_waits_again_under_its_new_group() -> None:
    gone = netting(*TWO).when(leave("B", exposed(room=400))).events()
    state = n.after(*TWO, *gone, replaced("B", 40, "other"))
    assert parent_of(state, "B") is None
    assert waiting(state, "T1", ACME) == ("B",)
    assert (state.orders["B"].quantity, state.orders["B"].group_id) == (40, "other")


def test_a_replaced_order_that_still_waits_keeps_its_place() -> None:
    state = n.after(buy("A", 1), buy("B", 2), replaced("A", 7))
    assert waiting(state, "T1", ACME) == ("A", "B")
    assert state.orders["A"].quantity == 7


def test_an_increase_opens_an_epoch_with_the_new_weight() -> None:
    netting(*TWO, replaced("B", 500)).when(rebase(exposed(room=400), Cause.MEMBER_JOINED)).then(
        epoch_closed(1),
        epoch_opened(2, n.members(A=300, B=500), parent_quantity=800, cause=Cause.MEMBER_JOINED),
    )


def test_a_rebase_without_a_change_does_nothing() -> None:
    netting(*TWO).when(rebase(exposed(room=400), Cause.BUST)).then()
    netting(*TWO, HELD, replaced("A", 500)).when(rebase(exposed(e1=1), Cause.BUST)).then()
    netting(*TWO, ENDED, replaced("A", 500)).when(rebase(exposed(e1=1), Cause.BUST)).then()


def test_a_tail_that_came_back_is_freed_into_a_new_epoch() -> None:
    fill = allocated("F1", 1, is_tail=True, A=(60, 60), B=(20, 20))
    netting(*TAILED, fill).when(settle(exposed(room=480))).then(
        TailResolved(parent_id=n.PARENT, epoch=1, quantity=40),
        epoch_closed(2, cause=Cause.TAIL_RESOLVED),
        epoch_opened(
            3,
            n.members(A=240, B=80, C=200),
            parent_quantity=600,
            cause=Cause.TAIL_RESOLVED,
        ),
    )


def test_what_a_tail_freed_waits_while_the_current_epoch_is_busy_and_has_room() -> None:
    state = (*TAILED,)
    busy = settle(exposed(room=400, e2=80))
    resolved = TailResolved(parent_id=n.PARENT, epoch=1, quantity=120)
    netting(*state).when(busy).then(resolved)
    events = netting(*state, resolved).when(settle(exposed(room=0, e2=480))).events()
    assert events[-1].quantity == 120
    assert events[-1].parent_quantity == 600


def test_a_tail_that_filled_needs_no_epoch() -> None:
    fill = allocated("F1", 1, is_tail=True, A=(90, 90), B=(30, 30))
    netting(*TAILED, fill).when(settle(exposed(room=480))).then()


def test_a_bust_of_an_older_epoch_gives_its_orders_a_new_one() -> None:
    fill = allocated("F1", 1, is_tail=True, A=(90, 90), B=(30, 30))
    history = (*TAILED, fill, restated(1, is_tail=True, A=(-90, 0), B=(-30, 0)))
    netting(*history).when(rebase(exposed(room=480), Cause.BUST)).then(
        epoch_closed(2, cause=Cause.BUST),
        epoch_opened(3, n.members(A=300, B=100, C=200), parent_quantity=600, cause=Cause.BUST),
    )


def test_a_bust_of_the_current_epoch_needs_no_new_one() -> None:
    history = (
        *TWO,
        allocated("F1", 1, A=(30, 30), B=(10, 10)),
        restated(1, A=(-30, 0), B=(-10, 0)),
    )
    netting(*history).when(settle(exposed(room=400))).then()


def order_closed(order_id: str, status: OrderStatus) -> OrderClosed:
    return OrderClosed(
        order_id=order_id, status=status, cumulative_quantity=0, leaves_quantity=0, cause=Cause.FILL
    )


def test_a_full_order_works_again_when_a_bust_takes_something_back() -> None:
    fill = allocated("F1", 1, is_tail=True, A=(90, 90), B=(10, 10))
    history = (
        *opened(buy("A", 300), buy("B", 10)),
        epoch_closed(1, n.members(A=90, B=10)),
        epoch_opened(2, n.members(A=210), parent_quantity=310),
        fill,
        order_closed("B", OrderStatus.FILLED),
        restated(1, is_tail=True, B=(-10, 0)),
    )
    events = netting(*history).when(rebase(exposed(room=210), Cause.BUST)).events()
    assert events[-1].members == n.members(A=210, B=10)


def test_an_order_that_was_closed_unfilled_gets_no_more() -> None:
    history = (*TWO, order_closed("B", OrderStatus.CANCELED))
    events = netting(*history).when(rebase(exposed(room=400), Cause.CLIENT)).events()
    assert events[-1].members == n.members(A=300)


def test_a_leaver_that_filled_meanwhile_is_forgotten() -> None:
    fill = allocated("F1", 1, B=(100, 100))
    history = (*TWO, HELD, fill, order_closed("B", OrderStatus.FILLED))
    left = netting(*history).when(settle(exposed(room=300))).events()
    assert left[-1].members == n.members(A=300)
    assert list(n.after(*history, *left).orders) == ["A"]


def test_a_full_parent_closes() -> None:
    fills = (allocated("F1", 1, A=(300, 300), B=(100, 100)),)
    netting(*TWO, *fills).when(settle(exposed())).then(
        epoch_closed(1, cause=Cause.COMPLETED), parent_closed(OrderStatus.FILLED, 400, 400)
    )


@pytest.mark.parametrize(
    ("terms", "cause", "status"),
    [
        ({}, Cause.END_OF_WINDOW, OrderStatus.EXPIRED),
        ({}, Cause.CLIENT, OrderStatus.CANCELED),
        ({"time_in_force": TimeInForce.IOC}, Cause.COMPLETED, OrderStatus.CANCELED),
        ({"time_in_force": TimeInForce.IOC}, Cause.END_OF_WINDOW, OrderStatus.CANCELED),
    ],
)
def test_an_ended_parent_closes_when_nothing_is_live(
    terms: dict[str, Any], cause: Cause, status: OrderStatus
) -> None:
    history = (
        *opened(buy("A", 300, **terms)),
        ParentEnded(parent_id=n.PARENT, cause=cause),
        allocated("F1", 1, A=(40, 40)),
    )
    netting(*history).when(settle(exposed(room=250, e1=10), is_ended=True)).then()
    netting(*history).when(settle(exposed(room=260), is_ended=True)).then(
        epoch_closed(1, cause=cause), parent_closed(status, 300, 40)
    )


def test_members_of_a_closed_parent_are_still_known_and_its_busts_change_nothing() -> None:
    fill = allocated("F1", 1, A=(300, 300), B=(100, 100))
    history = (*TWO, fill, *netting(*TWO, fill).when(settle(exposed())).events())
    assert members(n.after(*history), n.PARENT) == ("A", "B")
    busted = restated(1, A=(-30, 270), B=(-10, 90))
    netting(*history, busted).when(settle(exposed(room=40))).then()
    netting(*history, busted).when(rebase(exposed(room=40), Cause.BUST)).then()


def test_a_bust_in_a_closed_parent_reaches_an_order_that_works_elsewhere() -> None:
    fill = allocated("F1", 1, A=(300, 300), B=(60, 60))
    left = netting(*TWO, fill).when(leave("B", exposed(room=40))).events()
    assert isinstance(left[-1], ParentClosed)
    history = (*TWO, fill, *left, replaced("B", 90), restated(1, A=(-50, 250), B=(-10, 50)))
    assert n.after(*history).orders["B"].leaves == 40


@pytest.mark.parametrize(
    ("history", "event"),
    [
        ((buy("A", 1),), buy("A", 1)),
        ((), replaced("A", 1)),
        (TWO, epoch_opened(5, n.members(A=1))),
        ((), epoch_closed(1)),
        (
            TWO,
            OrderCanceled(
                order_id="A",
                tenant="T1",
                source="OMS",
                client_order_id="c",
                cumulative_quantity=0,
                canceled_quantity=300,
                command_digest=NO_ID,
            ),
        ),
    ],
)
def test_events_that_contradict_the_history_stop_the_fold(
    history: tuple[Any, ...], event: Any
) -> None:
    with pytest.raises(CorruptHistoryError):
        n.after(*history, event)
