"""One owner's own interest on both sides: netted first, and no trade."""

from typing import Any

import pytest

from schemas.messages.core import Cause, CrossGuard, CrossKind, PartyLevel, Side, Urgency
from schemas.messages.netting import CrossExecuted, EpochOpened, ParentOpened
from streams.netting.commands import Restriction
from tests.support import netting as n
from tests.support.builders import OPEN_NS, TICK, quote
from tests.support.netting import buy, close_window, crossing, exposed, netting, sell

OWN, CLIENT = CrossKind.OWN_NETTING, CrossKind.CLIENT_CROSS
UNDECLARED = {"crossing": None, "own_netting": crossing(declaration_id="")}


def crosses(events: tuple[Any, ...]) -> list[tuple[CrossKind, int, tuple[Any, ...], Any]]:
    return [(e.kind, e.quantity, e.buys, e.sells) for e in events if isinstance(e, CrossExecuted)]


def parents(events: tuple[Any, ...]) -> list[tuple[Side, int]]:
    return [(e.side, e.quantity) for e in events if isinstance(e, ParentOpened)]


def own(order: Any, name: str, quantity: int, owner: str = "O", **changes: Any) -> Any:
    return order(name, quantity, owner_id=owner, **changes)


def test_500_to_buy_and_200_to_sell_of_one_owner_leave_300_to_buy() -> None:
    history = (own(buy, "B", 500), own(sell, "S", 200))
    events = netting(*history).when(close_window(**UNDECLARED)).events()
    assert crosses(events) == [(OWN, 200, n.members(B=500), n.members(S=200))]
    assert parents(events) == [(Side.BUY, 300)]
    closed, netted, *_ = events
    assert (closed.netted_quantity, closed.crossed_quantity) == (200, 0)
    assert closed.guard is CrossGuard.NONE
    assert (netted.declaration_id, netted.price_e9) == ("", 10_000 * TICK)


def test_an_account_without_a_named_owner_is_its_own() -> None:
    history = (buy("B", 500, account_id="A"), sell("S", 200, account_id="A"))
    events = netting(*history).when(close_window()).events()
    assert [kind for kind, *_ in crosses(events)] == [OWN]


def test_own_interest_nets_before_others_meet_and_the_rest_takes_part() -> None:
    history = (
        own(buy, "B1", 300),
        buy("B2", 100),
        own(sell, "S1", 100),
        sell("S2", 240),
    )
    events = netting(*history).when(close_window()).events()
    assert crosses(events) == [
        (OWN, 100, n.members(B1=300), n.members(S1=100)),
        (CLIENT, 240, n.members(B1=200, B2=100), n.members(S2=240)),
    ]
    assert parents(events) == [(Side.BUY, 60)]


def test_each_owner_nets_apart_in_order_of_its_first_buy() -> None:
    history = (
        own(buy, "B1", 5, "Q"),
        own(buy, "B2", 6, "P"),
        own(sell, "S1", 2, "P"),
        own(sell, "S2", 3, "Q"),
        own(buy, "B3", 5, "Q"),
    )
    events = netting(*history).when(close_window(**UNDECLARED)).events()
    assert crosses(events) == [
        (OWN, 3, n.members(B1=5, B3=5), n.members(S2=3)),
        (OWN, 2, n.members(B2=6), n.members(S1=2)),
    ]


def test_without_a_declaration_owners_net_and_others_do_not_meet() -> None:
    history = (own(buy, "B", 500), own(sell, "S1", 200), sell("S2", 50))
    events = netting(*history).when(close_window(**UNDECLARED)).events()
    assert [kind for kind, *_ in crosses(events)] == [OWN]
    assert events[0].guard is CrossGuard.NOT_DECLARED
    assert parents(events) == [(Side.BUY, 300), (Side.SELL, 50)]


@pytest.mark.parametrize(
    "change",
    [
        {"is_cross_allowed": False},
        {"limit_price_e9": 10_001 * TICK},
        {"start_ns": OPEN_NS + 1_001},
    ],
    ids=["no consent", "outside its limit", "not started"],
)
def test_an_order_that_may_not_take_part_is_not_netted_either(change: dict[str, Any]) -> None:
    history = (own(buy, "B", 5), own(sell, "S", 3, **change))
    events = netting(*history).when(close_window(**UNDECLARED)).events()
    assert not crosses(events)
    assert parents(events) == [(Side.BUY, 5), (Side.SELL, 3)]


def test_a_waiting_order_nets_against_what_its_owners_parent_has_not_released() -> None:
    first = (own(buy, "B1", 300), buy("B2", 100))
    history = (*first, *netting(*first).when(close_window()).events(), own(sell, "S", 50))
    events = netting(*history).when(close_window(exposed(room=280, e1=120), **UNDECLARED)).events()
    assert crosses(events) == [(OWN, 50, n.members(B1=210), n.members(S=50))]
    (epoch,) = [e for e in events if isinstance(e, EpochOpened)]
    assert epoch.members == n.members(B1=160, B2=70)
    assert parents(events) == []


def test_what_a_cross_leaves_joins_the_working_parent_of_its_group() -> None:
    first = (buy("B1", 300),)
    history = (
        *first,
        *netting(*first).when(close_window()).events(),
        own(buy, "B2", 100),
        own(sell, "S1", 30),
        sell("S2", 20),
    )
    events = netting(*history).when(close_window(exposed(room=0, e1=300))).events()
    assert [(kind, quantity) for kind, quantity, *_ in crosses(events)] == [(OWN, 30), (CLIENT, 20)]
    (epoch,) = [e for e in events if isinstance(e, EpochOpened)]
    assert (epoch.parent_id, epoch.epoch, epoch.members) == (n.PARENT, 2, n.members(B2=50))
    assert epoch.cause is Cause.MEMBER_JOINED


def test_urgent_interest_nets_at_once_with_what_waits() -> None:
    history = (own(buy, "B", 5), own(sell, "S", 9, urgency=Urgency.URGENT))
    command = close_window(cause=Cause.WINDOW_ZERO, **UNDECLARED)
    events = netting(*history).when(command).events()
    assert crosses(events) == [(OWN, 5, n.members(B=5), n.members(S=9))]
    assert parents(events) == [(Side.SELL, 4)]


def test_accounts_of_one_owner_that_may_not_meet_stand_apart_in_both_ways() -> None:
    history = (
        own(buy, "B", 5, account_id="A1"),
        own(sell, "S", 3, account_id="A2"),
        sell("S2", 1),
    )
    walls = (Restriction(PartyLevel.ACCOUNT, "A2", "A1"),)
    events = netting(*history).when(close_window(restrictions=walls)).events()
    (cross,) = [e for e in events if isinstance(e, CrossExecuted)]
    assert (cross.kind, cross.quantity) == (CLIENT, 1)
    assert [(p.buy_order_id, p.sell_order_id) for p in cross.pairs] == [("B", "S2")]
    assert parents(events) == [(Side.BUY, 4), (Side.SELL, 3)]


def test_the_guards_of_a_declaration_hold_for_own_interest_too() -> None:
    history = (own(buy, "B", 5), own(sell, "S", 3))
    tight = crossing(spread_max_bps=1)
    loose = crossing(declaration_id="")
    both = close_window(crossing=tight, own_netting=loose, quote=quote(9_990, 10_010))
    events = netting(*history).when(both).events()
    assert events[0].guard is CrossGuard.WIDE and not crosses(events)
