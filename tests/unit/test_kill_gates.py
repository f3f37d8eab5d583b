"""Each scope of a kill at each gate of the shard: intake, netting, strategy, routing, the send."""

import pytest

from schemas.messages.core import (
    Cause,
    KillScope,
    OrderStatus,
    OrderType,
    RejectReason,
    Side,
    StrategyKind,
    TimeInForce,
    Urgency,
)
from schemas.messages.intake import (
    OrderAccepted,
    OrderCanceled,
    OrderCancelRejected,
    OrderRejected,
)
from schemas.messages.kill import (
    KillConfirmed,
    KillEngaged,
    KillReleased,
)
from schemas.messages.netting import CrossExecuted, ParentClosed, ParentOpened, WindowClosed
from schemas.messages.routing import (
    ChildCancelRequested,
    ChildPlaced,
    FillBooked,
    RouteDecided,
    SliceReturned,
)
from streams.core import topics
from streams.core.errors import CorruptHistoryError
from streams.shard.shard import EngineShard
from tests.support.builders import (
    account_defined,
    crossing_declared,
    new_order,
)
from tests.support.kills import kill, of, release, working_desk
from tests.support.scenario import Desk
from tests.support.shard_host import trading_host

# Every scope that covers the order c1 of the desk below.
ORDER_SCOPES = [
    (KillScope.FIRM, ""),
    (KillScope.CLIENT, "C1"),
    (KillScope.ACCOUNT, "A1"),
    (KillScope.DESK, "DESK"),
    (KillScope.SOURCE, "OMS"),
    (KillScope.STRATEGY, "IMMEDIATE"),
    (KillScope.INSTRUMENT, "ACME"),
]
FREEZING = [ORDER_SCOPES[0], *ORDER_SCOPES[5:]]
LEAVING = ORDER_SCOPES[1:5]
# Scopes that are like them and cover nothing here.
OTHER_SCOPES = [
    (KillScope.CLIENT, "A1"),
    (KillScope.ACCOUNT, "A2"),
    (KillScope.DESK, "OMS"),
    (KillScope.SOURCE, "DESK"),
    (KillScope.STRATEGY, "VWAP"),
    (KillScope.INSTRUMENT, "ACM"),
    (KillScope.VENUE, "V9"),
]


@pytest.mark.parametrize(("scope", "scope_id"), ORDER_SCOPES)
def test_intake_refuses_what_a_kill_covers(scope: KillScope, scope_id: str) -> None:
    desk = Desk()
    kill(desk.host, scope, scope_id)
    desk.act("buy", "c1", 100)
    (refused,) = desk.host.messages(OrderRejected)
    assert (refused.reason, refused.field, refused.value) == (RejectReason.KILLED, "kill_id", "K1")
    release(desk.host)
    desk.act("buy", "c2", 100)
    (accepted,) = desk.host.messages(OrderAccepted)
    assert accepted.client_order_id == "c2"


@pytest.mark.parametrize(("scope", "scope_id"), OTHER_SCOPES)
def test_nothing_else_is_stopped(scope: KillScope, scope_id: str) -> None:
    desk = working_desk()
    (engaged,) = of(kill(desk.host, scope, scope_id), KillEngaged)
    assert (engaged.orders, engaged.children) == (0, ())
    written = desk.act("buy", "c2", 100, {"urgency": Urgency.URGENT})
    assert "OrderAccepted c2 BUY 100" in written
    assert "ChildPlaced BUY 100 epoch 2" in written


@pytest.mark.parametrize(("scope", "scope_id"), FREEZING)
def test_a_replace_is_refused_and_a_cancel_is_not(scope: KillScope, scope_id: str) -> None:
    desk = working_desk()
    kill(desk.host, scope, scope_id)
    desk.act("replace", "c2", "c1", 200, 9_990)
    (refused,) = desk.host.messages(OrderCancelRejected)
    assert refused.reason is RejectReason.KILLED
    desk.act("cancel", "c3", "c1")
    desk.act("confirm_cancel")
    (canceled,) = desk.host.messages(OrderCanceled)
    assert (canceled.client_order_id, canceled.cause) == ("c3", Cause.CLIENT)


@pytest.mark.parametrize(("scope", "scope_id"), [*ORDER_SCOPES, (KillScope.VENUE, "V1")])
def test_live_children_are_asked_back_at_once_and_counted(scope: KillScope, scope_id: str) -> None:
    desk = working_desk()
    (child,) = desk.children
    written = kill(desk.host, scope, scope_id)
    (engaged,) = of(written, KillEngaged)
    assert [(each.child_id, each.quantity) for each in engaged.children] == [(child.child_id, 100)]
    assert engaged.engaged_by == "ann"
    (asked,) = of(written, ChildCancelRequested)
    assert asked.child_id == child.child_id
    assert not of(written, KillConfirmed)
    desk.act("fill", 40)
    assert desk.host.messages(FillBooked)[0].quantity == 40, "a late fill is booked"
    desk.act("confirm_cancel", 40)
    (confirmed,) = desk.host.messages(KillConfirmed)
    counts = confirmed.canceled_children, confirmed.filled_children, confirmed.rejected_children
    assert counts == (1, 0, 0)


@pytest.mark.parametrize(("scope", "scope_id"), LEAVING)
def test_who_is_stopped_leaves_and_the_others_go_on(scope: KillScope, scope_id: str) -> None:
    other = {"account_id": "B1", "desk_id": "OTHER", "source": "OMS2"}
    desk = Desk(trading_host(account_defined("B1", client_id="C2"), venues=1))
    for client_order_id, changes in [("c1", {}), ("c2", other)]:
        desk.host.put(
            topics.ORDERS_COMMANDS,
            new_order(
                client_order_id,
                strategy=StrategyKind.IMMEDIATE,
                order_type=OrderType.LIMIT,
                limit_price_e9=99_900_000_000,
                urgency=Urgency.URGENT,
                **changes,
            ),
        )
    desk.act("wait", 1)
    (child,) = desk.host.messages(ChildPlaced)
    assert child.quantity == 200
    kill(desk.host, scope, scope_id)
    assert not desk.host.messages(OrderCanceled), "its children may fill still"
    desk.act("fill", 50)
    desk.act("confirm_cancel", 50)
    (canceled,) = desk.host.messages(OrderCanceled)
    assert canceled.client_order_id == "c1"
    assert (canceled.cause, canceled.cumulative_quantity) == (Cause.KILL, 25)
    desk.act("wait", 3)
    assert [each.quantity for each in desk.host.messages(ChildPlaced)] == [200, 75]
    assert not desk.host.messages(KillReleased)


@pytest.mark.parametrize(("scope", "scope_id"), FREEZING)
def test_orders_of_a_frozen_scope_are_canceled_if_asked(scope: KillScope, scope_id: str) -> None:
    desk = working_desk()
    kill(desk.host, scope, scope_id, is_canceling_orders=True)
    desk.act("confirm_cancel")
    (canceled,) = desk.host.messages(OrderCanceled)
    assert canceled.cause is Cause.KILL
    assert desk.host.messages(ParentClosed)


@pytest.mark.parametrize(("scope", "scope_id"), ORDER_SCOPES)
def test_who_waits_in_a_window_meets_nobody_and_joins_nobody(
    scope: KillScope, scope_id: str
) -> None:
    host = trading_host(crossing_declared())
    limit = {"order_type": OrderType.LIMIT, "limit_price_e9": 100_000_000_000}
    immediate = {"strategy": StrategyKind.IMMEDIATE, **limit}
    host.put(topics.ORDERS_COMMANDS, new_order("c1", **immediate))
    host.put(topics.ORDERS_COMMANDS, new_order("c2", side=Side.SELL, account_id="A2", **immediate))
    host.step()
    kill(host, scope, scope_id)
    desk = Desk(host)
    desk.act("wait", 5)
    assert not desk.host.messages(CrossExecuted)
    stopped = {event.order_id for event in desk.host.messages(OrderCanceled)}
    in_window = [event.order_ids for event in desk.host.messages(WindowClosed)]
    if (scope, scope_id) in LEAVING:
        assert stopped, "canceled, not kept"
        return
    assert not in_window or in_window == [()]
    assert not desk.host.messages(ParentOpened)
    release(host)
    assert [event.quantity for event in desk.host.messages(CrossExecuted)] == [100]
    assert desk.host.messages(WindowClosed)[-1].cause is Cause.RELEASED


def test_a_stopped_venue_is_no_choice_and_its_children_go_elsewhere() -> None:
    desk = working_desk()
    (child,) = desk.children
    kill(desk.host, KillScope.VENUE, child.venue_id)
    desk.act("confirm_cancel")
    desk.act("wait", 2)
    first, second = desk.host.messages(ChildPlaced)
    assert second.venue_id != first.venue_id
    routed = desk.host.messages(RouteDecided)[-1]
    reasons = {each.venue_id: each.reason for each in routed.alternatives}
    assert reasons[first.venue_id] == "stopped by the kill switch"
    release(desk.host)
    desk.act("confirm_cancel")
    desk.act("wait", 20)
    assert desk.host.messages(ChildPlaced)[-1].venue_id


def test_when_every_venue_is_stopped_the_quantity_waits_with_its_strategy() -> None:
    desk = working_desk()
    for number in range(1, 4):
        kill(desk.host, KillScope.VENUE, f"V{number}", kill_id=f"K{number}")
    desk.act("confirm_cancel")
    desk.act("wait", 20)
    assert len(desk.host.messages(ChildPlaced)) == 1
    release(desk.host, "K2")
    desk.act("wait", 12)
    assert {each.venue_id for each in desk.host.messages(ChildPlaced)[1:]} == {"V2"}


def test_quantity_that_a_venue_gives_back_is_not_sent_again() -> None:
    desk = working_desk()
    kill(desk.host, KillScope.FIRM)
    desk.act("reject")
    returned = desk.host.messages(SliceReturned)
    assert [(each.quantity, each.cause) for each in returned] == [(100, Cause.KILL)]
    desk.act("wait", 10)
    assert len(desk.host.messages(ChildPlaced)) == 1


def test_what_cannot_wait_is_canceled_by_a_stop() -> None:
    desk = Desk()
    desk.host.put(
        topics.ORDERS_COMMANDS,
        new_order("c1", strategy=StrategyKind.IMMEDIATE, time_in_force=TimeInForce.IOC),
    )
    desk.act("wait", 2)
    assert desk.children
    kill(desk.host, KillScope.FIRM)
    while desk.children:
        desk.act("expire")
    (closed,) = desk.host.messages(ParentClosed)
    assert closed.status is OrderStatus.CANCELED


def test_a_bust_for_a_stopped_account_is_canceled_not_worked_again() -> None:
    desk = Desk(trading_host(account_defined("B1", client_id="C2")))
    for client_order_id, quantity, account_id in [("c1", 1, "A1"), ("c2", 199, "B1")]:
        desk.host.put(
            topics.ORDERS_COMMANDS,
            new_order(
                client_order_id,
                quantity=quantity,
                account_id=account_id,
                strategy=StrategyKind.IMMEDIATE,
                order_type=OrderType.LIMIT,
                limit_price_e9=99_900_000_000,
                urgency=Urgency.URGENT,
            ),
        )
    desk.act("wait", 1)
    desk.act("fill", 150)
    full = [event for event in desk.host.messages(FillBooked)]
    assert full
    kill(desk.host, KillScope.ACCOUNT, "A1")
    desk.act("bust", 0)
    while desk.children:
        desk.act("confirm_cancel")
    desk.act("wait", 5)
    held = desk.host.app.state.intake.orders
    stopped = [order for order in held.values() if order.terms.account_id == "A1"]
    assert all(not order.is_open for order in stopped)
    assert desk.host.messages(ChildPlaced)[-1].quantity == 199


def test_the_last_guard_lets_no_child_pass() -> None:
    desk = working_desk()
    (child,) = desk.children
    for scope, scope_id in [*ORDER_SCOPES, (KillScope.VENUE, child.venue_id)]:
        other = working_desk()
        kill(other.host, scope, scope_id)
        with pytest.raises(CorruptHistoryError, match="while kill K1 is in force"):
            other.host.app.state.check(child)


@pytest.mark.parametrize(("scope", "scope_id"), ORDER_SCOPES)
def test_the_latch_survives_recovery_and_snapshot(scope: KillScope, scope_id: str) -> None:
    desk = working_desk()
    kill(desk.host, scope, scope_id)
    desk.host.recover()
    loaded = EngineShard(0, 1, b"penstock-testlog")
    loaded.load(desk.host.app.snapshot())
    assert loaded.snapshot() == desk.host.app.snapshot()
    desk.host.app = loaded
    desk.act("buy", "c9", 100)
    assert desk.host.messages(OrderRejected)[-1].reason is RejectReason.KILLED
    desk.act("confirm_cancel")
    assert desk.host.messages(KillConfirmed)


def test_a_kill_in_the_batch_of_an_order_comes_first() -> None:
    host = trading_host()
    host.put(topics.ORDERS_COMMANDS, new_order("c1"))
    kill(host, KillScope.FIRM)
    (refused,) = host.messages(OrderRejected)
    assert refused.reason is RejectReason.KILLED
