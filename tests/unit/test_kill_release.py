"""Two persons end a kill: what waited goes on, without a burst and without a second kill."""

import pytest

from schemas.messages.core import (
    Cause,
    KillScope,
    RejectReason,
    StrategyKind,
)
from schemas.messages.kill import (
    KillEngaged,
    KillFlagRemoved,
    KillRefused,
    KillReleased,
)
from schemas.messages.netting import ParentClosed
from schemas.messages.routing import (
    ChildPlaced,
)
from schemas.messages.strategy import ScheduleSet, SliceReleased
from streams.core import topics
from tests.support.builders import (
    SECOND,
    new_order,
)
from tests.support.kills import flag, kill, of, release, working_desk
from tests.support.scenario import Desk
from tests.support.shard_host import trading_host

# Every scope that covers the order c1 of the desk below.
FREEZING = [
    (KillScope.FIRM, ""),
    (KillScope.STRATEGY, "IMMEDIATE"),
    (KillScope.INSTRUMENT, "ACME"),
]


@pytest.mark.parametrize(("scope", "scope_id"), FREEZING)
def test_a_frozen_parent_sends_nothing_until_the_release(scope: KillScope, scope_id: str) -> None:
    desk = working_desk()
    kill(desk.host, scope, scope_id)
    desk.act("confirm_cancel")
    desk.act("wait", 30)
    assert len(desk.host.messages(ChildPlaced)) == 1
    assert not desk.host.messages(ParentClosed), "frozen, not ended"
    written = release(desk.host)
    assert of(written, KillReleased)
    desk.act("wait", 3)
    assert [child.quantity for child in desk.host.messages(ChildPlaced)] == [100, 100]


def test_two_kills_are_released_one_by_one() -> None:
    desk = working_desk()
    kill(desk.host, KillScope.FIRM)
    kill(desk.host, KillScope.INSTRUMENT, "ACME", kill_id="K2")
    desk.act("confirm_cancel")
    release(desk.host, "K1")
    desk.act("wait", 10)
    assert len(desk.host.messages(ChildPlaced)) == 1
    release(desk.host, "K2")
    desk.act("wait", 2)
    assert len(desk.host.messages(ChildPlaced)) == 2


def test_what_the_stop_held_back_is_spread_over_the_rest_of_the_window() -> None:
    host = trading_host()
    host.put(topics.ORDERS_COMMANDS, new_order(quantity=6_000, strategy=StrategyKind.VWAP))
    desk = Desk(host)
    desk.act("wait", 2)
    kill(host, KillScope.FIRM)
    while desk.children:
        desk.act("confirm_cancel")
    desk.act("wait", 30 * 60)
    assert len(host.messages(ChildPlaced)) <= 1
    release(host)
    plan = host.messages(ScheduleSet)[-1]
    assert (plan.cause, plan.anchor_quantity) == (Cause.RELEASED, 0)
    assert plan.targets[-1] == 6_000
    assert plan.targets[0] <= 6_000 // 20, "half of it in the first minute would be a burst"
    assert max(part.quantity for part in host.messages(SliceReleased)) <= 6_000 // 20


@pytest.mark.timeout(20)
def test_a_release_without_a_quote_comes_to_an_end() -> None:
    """Who waited joins the parent before it goes on: no epoch overtakes a slice on its way."""
    desk = Desk()
    desk.act("buy", "c1", 7)
    desk.act("wait", 2)
    desk.act("buy", "c2", 40)
    kill(desk.host, KillScope.FIRM)
    while desk.children:
        desk.act("confirm_cancel")
    desk.host.pass_time(10 * SECOND)
    written = release(desk.host)
    assert [part.quantity for part in of(written, SliceReleased)] == [47]
    desk.act("wait", 5)
    assert desk.host.messages(ChildPlaced)[-1].quantity == 47


def test_a_flag_stops_like_a_command_and_must_be_gone_before_the_release() -> None:
    desk = working_desk()
    desk.host.flags.append(flag("stop"))
    desk.act("wait", 1)
    (engaged,) = desk.host.messages(KillEngaged)
    assert (engaged.scope, engaged.flag) == (KillScope.FIRM, "stop")
    desk.act("confirm_cancel")
    release(desk.host, engaged.kill_id)
    (refused,) = desk.host.messages(KillRefused)
    assert refused.reason is RejectReason.KILL_FLAG_STANDS
    desk.host.recover()
    desk.host.flags.clear()
    desk.act("wait", 1)
    assert desk.host.messages(KillFlagRemoved)
    assert len(desk.host.messages(ChildPlaced)) == 1, "no flag is no release"
    release(desk.host, engaged.kill_id)
    desk.act("wait", 2)
    assert len(desk.host.messages(ChildPlaced)) == 2
