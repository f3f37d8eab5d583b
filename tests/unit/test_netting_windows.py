"""Windows: when they close, who leaves, which parent they get."""

from typing import Any

import pytest

from schemas.messages.core import (
    Cause,
    CrossGuard,
    Member,
    OrderStatus,
    Side,
    TimeInForce,
    Urgency,
)
from schemas.messages.intake import OrderClosed
from schemas.messages.netting import EpochClosed, EpochOpened, ParentOpened, WindowClosed
from schemas.messages.strategy import ParentEnded
from streams.netting import (
    NETTING,
    cause_to_close,
    members,
    open_parents,
    parent_of,
    timers_of,
    waiting,
    window_of,
)
from tests.support import netting as n
from tests.support.builders import ACME, CLOSE_NS, OPEN_NS, SECOND, TICK
from tests.support.netting import buy, close_window, exposed, netting, sell

TIMER = f"netting:window:T1/{ACME}"


def window_closed(*order_ids: str, **changes: Any) -> WindowClosed:
    return WindowClosed(
        **{
            "tenant": "T1",
            "instrument_id": ACME,
            "window": 1,
            "cause": Cause.WINDOW_TIME,
            "order_ids": order_ids,
            "buy_quantity": 0,
            "sell_quantity": 0,
            "crossed_quantity": 0,
            "no_cross_reason": "",
            "guard": CrossGuard.NONE,
            **changes,
        }
    )


def parent_opened(quantity: int, **changes: Any) -> ParentOpened:
    terms = buy("terms", quantity)
    return ParentOpened(
        **{
            "parent_id": n.PARENT,
            "group_id": "buys",
            "tenant": "T1",
            "instrument_id": ACME,
            "side": Side.BUY,
            "quantity": quantity,
            "limit_price_e9": None,
            "time_in_force": terms.time_in_force,
            "strategy": terms.strategy,
            "urgency": terms.urgency,
            "start_ns": OPEN_NS,
            "end_ns": CLOSE_NS,
            "participation_cap_bps": terms.participation_cap_bps,
            "is_dark_allowed": True,
            "self_trade_id": f"T1/{ACME}",
            "arrival_price_e9": 10_000 * TICK,
            **changes,
        }
    )


def opened(**quantities: int) -> tuple[Any, ...]:
    """Return the events of a first window that gives these buyers one parent."""
    history = [buy(name, quantity) for name, quantity in quantities.items()]
    return (*history, *netting(*history).when(close_window()).events())


def test_orders_of_one_group_become_one_parent() -> None:
    netting(buy("A", 300), buy("B", 100)).when(close_window()).then(
        window_closed("A", "B", buy_quantity=400, waits=(n.wait("A", 300), n.wait("B", 100))),
        parent_opened(400),
        n.epoch_opened(1, n.members(A=300, B=100)),
    )


def test_each_group_gets_a_parent_in_order_of_acceptance() -> None:
    events = (
        netting(buy("A", 1), buy("B", 2, group_id="other"), buy("C", 4))
        .when(close_window())
        .events()
    )
    assert [e.members for e in events if isinstance(e, EpochOpened)] == [
        n.members(A=1, C=4),
        n.members(B=2),
    ]
    assert [e.parent_id for e in events if isinstance(e, ParentOpened)] == [
        "Pabcdef.0.1",
        "Pabcdef.0.2",
    ]


def test_a_parent_starts_now_and_ends_with_the_session_where_the_order_says_nothing() -> None:
    _, parent, _ = netting(buy("A", 1, start_ns=0, end_ns=0)).when(close_window()).events()
    assert (parent.start_ns, parent.end_ns) == (OPEN_NS + 1_000, CLOSE_NS)


def test_the_window_opens_with_its_first_order_and_closes_a_second_later() -> None:
    first, second = buy("A", 1), buy("B", 1, accepted_ns=OPEN_NS + 5)
    assert timers_of(first, n.after(first)) == ((TIMER, OPEN_NS + SECOND),)
    assert timers_of(second, n.after(first, second)) == ((TIMER, OPEN_NS + SECOND),)
    state = n.after(first)
    window = window_of(state, TIMER)
    assert window is not None and (window.tenant, window.instrument_id) == ("T1", ACME)
    (closed, *_) = netting(first).when(close_window()).events()
    assert timers_of(closed, n.after(first, closed)) == ((TIMER, None),)


def test_an_empty_window_starts_its_clock_anew() -> None:
    gone = OrderClosed(
        order_id="A",
        status=OrderStatus.EXPIRED,
        cumulative_quantity=0,
        leaves_quantity=1,
        cause=Cause.CLIENT,
    )
    late = buy("B", 1, accepted_ns=OPEN_NS + 7 * SECOND)
    state = n.after(buy("A", 1), gone, late)
    assert timers_of(late, state) == ((TIMER, OPEN_NS + 8 * SECOND),)


def test_tenants_with_slashes_share_no_window() -> None:
    state = n.after(buy("A", 1, tenant="a/b", instrument_id="c"), buy("B", 1, tenant="a"))
    assert waiting(state, "a", "b/c") == ()
    assert waiting(state, "a/b", "c") == ("A",)


@pytest.mark.parametrize(
    ("orders", "window_count", "cause"),
    [
        ([], 2, None),
        ([buy("A", 1)], 2, None),
        ([buy("A", 1), buy("B", 1)], 2, Cause.WINDOW_COUNT),
        ([buy("A", 1), buy("B", 1)], 0, None),
        ([buy("A", 1), buy("B", 1, urgency=Urgency.URGENT)], 0, Cause.WINDOW_ZERO),
    ],
)
def test_count_and_urgency_close_a_window_at_once(
    orders: list[Any], window_count: int, cause: Cause | None
) -> None:
    state = n.after(*orders)
    state.window_count = window_count
    assert cause_to_close(state, "T1", ACME) is cause


def test_an_urgent_order_leaves_alone() -> None:
    urgent = buy("B", 5, urgency=Urgency.URGENT, group_id="urgent")
    netting(buy("A", 3), urgent).when(close_window(cause=Cause.WINDOW_ZERO)).then(
        window_closed("B", cause=Cause.WINDOW_ZERO, buy_quantity=8, waits=(n.wait("B", 5),)),
        parent_opened(5, group_id="urgent", urgency=Urgency.URGENT),
        n.epoch_opened(1, n.members(B=5)),
    )


def test_an_empty_window_has_nothing_to_close() -> None:
    netting().when(close_window()).then()


def test_a_later_order_joins_the_working_parent_behind_a_tail() -> None:
    history = (*opened(A=300, B=100), buy("C", 200))
    netting(*history).when(close_window(exposed(room=280, e1=120))).then(
        window_closed("C", window=2, buy_quantity=200, waits=(n.wait("C", 200),)),
        EpochClosed(
            parent_id=n.PARENT,
            epoch=1,
            tail_quantity=120,
            tail=n.members(A=90, B=30),
            cause=Cause.MEMBER_JOINED,
        ),
        n.epoch_opened(
            2,
            n.members(A=210, B=70, C=200),
            parent_quantity=600,
            cause=Cause.MEMBER_JOINED,
        ),
    )


@pytest.mark.parametrize(
    "trouble",
    [
        n.netting(*opened(A=300)).when(n.leave("A", exposed(e1=1))).events(),
        (ParentEnded(parent_id=n.PARENT, cause=Cause.END_OF_WINDOW),),
    ],
    ids=["held", "ended"],
)
def test_a_parent_that_is_held_or_ended_is_joined_by_nobody(trouble: tuple[Any, ...]) -> None:
    history = (*opened(A=300), *trouble, buy("C", 200))
    events = netting(*history).when(close_window(exposed(e1=1))).events()
    assert events[-1] == n.epoch_opened(
        1, (Member(order_id="C", quantity=200),), parent_id="Pabcdef.0.2"
    )


def test_an_expired_parent_and_a_sweeping_one_are_joined_by_nobody() -> None:
    late = close_window(exposed(room=300), at_ns=CLOSE_NS)
    events = netting(*opened(A=300), buy("C", 200)).when(late).events()
    assert events[-1].parent_id == "Pabcdef.0.2"
    ioc = {"time_in_force": TimeInForce.IOC}
    first = (buy("A", 300, **ioc),)
    first = (*first, *netting(*first).when(close_window()).events())
    events = netting(*first, buy("C", 2, **ioc)).when(close_window(exposed(room=1))).events()
    assert events[-1].parent_id == "Pabcdef.0.2"


def test_a_parent_takes_no_more_members_than_it_may() -> None:
    state = n.after(*(buy(name, 1) for name in "ABCDE"))
    state.members_max = 2
    events = NETTING.decide(state, close_window())
    assert [e.quantity for e in events if isinstance(e, EpochOpened)] == [2, 2, 1]
    state = NETTING.fold((*events, buy("F", 1), buy("G", 1)), state)
    busy = (exposed(parent_id=f"Pabcdef.0.{i}", room=2) for i in (1, 2, 3))
    events = NETTING.decide(state, close_window(*busy))
    assert [(e.parent_id, e.members) for e in events if isinstance(e, EpochOpened)] == [
        ("Pabcdef.0.3", n.members(E=1, F=1)),
        ("Pabcdef.0.4", n.members(G=1)),
    ]


def test_queries_say_who_waits_and_who_works() -> None:
    state = n.after(*opened(A=300), sell("B", 1))
    assert parent_of(state, "A") == n.PARENT
    assert parent_of(state, "B") is None
    assert parent_of(state, "unknown") is None
    assert open_parents(state, "T1", ACME) == (n.PARENT,)
    assert members(state, n.PARENT) == ("A",)
    assert waiting(state, "T1", ACME) == ("B",)
