"""Parameters on their way: from the client's message to the strategy that works with them."""

from typing import Any

import pytest

from schemas.messages.core import (
    Aim,
    OrderType,
    StrategyKind,
    StrategyParameters,
    Urgency,
)
from schemas.messages.intake import OrderReplaced
from schemas.messages.netting import ParentOpened
from streams.core import topics
from streams.parameters import DEFINITIONS, rows
from tests.support.builders import (
    MINUTE,
    OPEN_NS,
    SECOND,
    TICK,
    basket_entry,
    new_basket,
    new_order,
)
from tests.support.scenario import Desk, Step, play
from tests.support.shard_host import ListHost, trading_host

P = StrategyParameters
LATER_NS = OPEN_NS + 30 * MINUTE  # its parent opens and waits
HALF, THIRD = P(display_share_bps=5_000), P(display_share_bps=3_333)


def every_parameter(strategy: StrategyKind) -> StrategyParameters:
    """Return the lowest value of all that the strategy knows, but for what excludes another."""
    known = {row.name: row.low for row in rows(strategy) if row.name != "risk_aversion_e9"}
    values: dict[str, Any] = {name: low for name, low in known.items() if name != "aim"}
    return P(**values, aim=Aim.ARRIVAL if "aim" in known else Aim.UNKNOWN)


def worked_with(host: ListHost) -> list[StrategyParameters | None]:
    """Return what the strategies of the open parents were told, which the events say too."""
    parents = host.app.state.strategy.parents
    told = {opened.parent_id: opened.parameters for opened in host.messages(ParentOpened)}
    assert all(told[name] == parent.parameters for name, parent in parents.items())
    return [parent.parameters for parent in parents.values()]


def later(strategy: StrategyKind, parameters: StrategyParameters | None) -> dict[str, Any]:
    return {"strategy": strategy, "parameters": parameters, "start_ns": LATER_NS}


@pytest.mark.parametrize("strategy", DEFINITIONS)
def test_what_an_order_says_reaches_its_strategy(strategy: StrategyKind) -> None:
    host, parameters = trading_host(), every_parameter(strategy)
    host.put(topics.ORDERS_COMMANDS, new_order(**later(strategy, parameters)))
    host.pass_time(2 * SECOND)
    assert worked_with(host) == [parameters]
    host.recover()


def test_orders_meet_in_a_parent_only_with_the_same_parameters() -> None:
    host = trading_host()
    for number, parameters in enumerate((None, HALF, P(), HALF, THIRD)):
        terms = later(StrategyKind.TWAP, parameters)
        host.put(topics.ORDERS_COMMANDS, new_order(f"c{number}", **terms))
    host.pass_time(2 * SECOND)
    assert worked_with(host) == [None, HALF, THIRD]


def test_entries_of_a_basket_bring_their_own_parameters() -> None:
    host = trading_host()
    entries = (
        basket_entry("c1", **later(StrategyKind.POV, P(participation_rate_bps=700))),
        basket_entry("c2", **later(StrategyKind.TWAP, P(time_jitter_bps=0))),
    )
    host.put(topics.ORDERS_COMMANDS, new_basket(entries=entries))
    host.pass_time(2 * SECOND)
    assert worked_with(host) == [P(participation_rate_bps=700), P(time_jitter_bps=0)]


AMENDED = [
    Step(
        ("buy", "c1", 100, {"parameters": HALF, "urgency": Urgency.URGENT}),
        [
            "OrderAccepted c1 BUY 100",
            "WindowClosed buy 100 sell 0",
            "ParentOpened BUY 100",
            "EpochOpened 1: 100 c1=100",
            "ChildPlaced BUY 100 epoch 1",
        ],
    ),
    Step(("acknowledge",), []),
    Step(("fill", 30), ["FillBooked 30 late 0 error 0", "FillAllocated c1+30"]),
    Step(
        ("replace", "c2", "c1", 100, 9_990, {"parameters": THIRD}),
        ["OrderPendingReplace c2 100", "ParentHeld c1", "ChildCancelRequested CLIENT"],
    ),
    Step(
        ("confirm_cancel", 30),
        [
            "ChildCanceled free 70 outstanding 0",
            "MemberLeft c1 30",
            "EpochClosed 1: tail 0",
            "ParentClosed CANCELED 30/100",
            "OrderReplaced c2 100 filled 30",
            "CashAllocated 1 v1 2997.00",
            "WindowClosed buy 70 sell 0",
            "ParentOpened BUY 70",
            "EpochOpened 1: 70 c1=70",
            "ChildPlaced BUY 70 epoch 1",
        ],
    ),
]


def test_an_amend_goes_to_a_new_parent_with_the_new_parameters() -> None:
    desk = play(AMENDED)
    assert worked_with(desk.host) == [THIRD]
    desk.host.recover()


def test_an_amend_joins_the_parent_that_works_with_those_parameters_already() -> None:
    desk = Desk()
    terms = {"urgency": Urgency.URGENT}
    desk.act("buy", "c1", 100, {**terms, "parameters": HALF})
    desk.act("buy", "c9", 200, {**terms, "parameters": THIRD, "account_id": "A2"})
    desk.act("acknowledge")
    desk.act("replace", "c2", "c1", 100, 9_990, {"parameters": THIRD})
    written = desk.act("confirm_cancel")
    assert "EpochOpened 2: 100 c1=100" in [line for line in written if "Epoch" in line]
    assert worked_with(desk.host) == [THIRD]


def test_a_refused_amend_leaves_the_parent_alone() -> None:
    host = trading_host()
    terms = later(StrategyKind.TWAP, P(time_jitter_bps=100))
    host.put(topics.ORDERS_COMMANDS, new_order("c1", **terms))
    host.pass_time(2 * SECOND)
    desk = Desk(host)
    change = {"parameters": P(time_jitter_bps=0)}
    assert desk.act("replace", "c2", "c1", 100, 9_990, change) == [
        "OrderCancelRejected c2 REPLACE_NOT_ALLOWED"
    ]
    assert host.messages(OrderReplaced) == []
    assert worked_with(host) == [P(time_jitter_bps=100)]


def test_a_limit_change_takes_the_parameters_along() -> None:
    host = trading_host()
    limit = {"order_type": OrderType.LIMIT, "limit_price_e9": 9_990 * TICK}
    host.put(topics.ORDERS_COMMANDS, new_order("c1", **later(StrategyKind.TWAP, HALF), **limit))
    host.pass_time(2 * SECOND)
    desk = Desk(host)
    desk.act("replace", "c2", "c1", 100, 9_980)
    host.pass_time(2 * SECOND)
    assert worked_with(host) == [HALF]
