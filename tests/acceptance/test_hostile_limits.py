"""Each kind of limit: what is just within it is taken, one beyond is refused for exactly that."""

from typing import Any, NamedTuple

import pytest

from schemas.messages.core import LimitKind, LimitScope, OrderType, Side
from schemas.messages.core import RejectReason as R
from schemas.messages.intake import OrderAccepted, OrderRejected
from streams.core import topics
from streams.risk.limits import Limit
from tests.support.builders import ACME, CLOSE_NS, SECOND, TICK, instrument_defined, new_order
from tests.support.hostile import HostileShard, framed
from tests.support.limits import approved, limit, limit_set, proposed

K = LimitKind


class Row(NamedTuple):
    limit: Limit
    within: dict[str, Any]  # the order that is taken
    beyond: dict[str, Any]  # and the one after it, which is not
    reason: R
    field: str
    value: str


def price(ticks: int, **changes: Any) -> dict[str, Any]:
    return {"order_type": OrderType.LIMIT, "limit_price_e9": ticks * TICK, **changes}


ROWS: dict[str, Row] = {
    "shares of an order": Row(
        limit(K.ORDER_QUANTITY, 100),
        {},
        {"quantity": 101},
        R.ORDER_QUANTITY_LIMIT,
        "quantity",
        "101",
    ),
    "value of an order": Row(
        limit(K.ORDER_NOTIONAL, 10_000),
        {"quantity": 100},
        {"quantity": 101},
        R.ORDER_NOTIONAL_LIMIT,
        "quantity",
        str(10_100 * 10**9),
    ),
    "part of the daily volume": Row(
        limit(K.ADV_BPS, 100),
        {"quantity": 100},
        {"quantity": 101},
        R.ADV_LIMIT,
        "quantity",
        "101",
    ),
    "a bid far above the market": Row(
        limit(K.PRICE_COLLAR_BPS, 100),
        price(10_100),
        price(10_101),
        R.PRICE_COLLAR,
        "limit_price_e9",
        str(10_101 * TICK),
    ),
    "an offer far below the market": Row(
        limit(K.PRICE_COLLAR_BPS, 100),
        price(9_900, side=Side.SELL),
        price(9_899, side=Side.SELL),
        R.PRICE_COLLAR,
        "limit_price_e9",
        str(9_899 * TICK),
    ),
    "a market without a price": Row(
        limit(K.PRICE_COLLAR_BPS, 100),
        {},
        {"instrument_id": "IRON"},
        R.NO_REFERENCE_PRICE,
        "instrument_id",
        "IRON",
    ),
    "credit of the firm": Row(
        limit(K.CREDIT, 20_000),
        {"quantity": 200},
        {"quantity": 1},
        R.CREDIT_LIMIT,
        "quantity",
        str(20_100 * 10**9),
    ),
    "position of an account": Row(
        limit(K.POSITION, 200, scope=LimitScope.ACCOUNT),
        {"quantity": 200},
        {"quantity": 1},
        R.POSITION_LIMIT,
        "quantity",
        "201",
    ),
    "a restricted instrument": Row(
        limit(K.RESTRICTED, instrument_ids=(ACME,), sides=(Side.SELL,)),
        {},
        {"side": Side.SELL},
        R.RESTRICTED_INSTRUMENT,
        "instrument_id",
        ACME,
    ),
    "the same order again": Row(
        limit(K.DUPLICATE_FLOW, 1, window_ns=60 * SECOND),
        {},
        {},
        R.DUPLICATE_FLOW,
        "client_order_id",
        "beyond",
    ),
    "one order of a flow too many": Row(
        limit(K.REPEATED_EXECUTION, 1, window_ns=60 * SECOND),
        {},
        {"quantity": 7},
        R.REPEATED_EXECUTION,
        "strategy",
        "TWAP",
    ),
    "messages without an execution": Row(
        limit(K.ORDER_TO_TRADE, 1, burst=1),
        {},
        {"quantity": 7},
        R.ORDER_TO_TRADE_RATIO,
        "source",
        "2",
    ),
}


def limited(limits: Limit) -> HostileShard:
    """Return a shard where two persons have put this one limit in force."""
    shard = HostileShard(
        instrument_defined(average_daily_volume=10_000),
        instrument_defined(instrument_id="IRON"),
        partitions=1,
    )
    made = limit_set(limits)
    shard.put(topics.CONTROL_COMMANDS, framed(proposed(made), actor="ann"))
    shard.put(topics.CONTROL_COMMANDS, framed(approved(made), actor="bob"))
    shard.quote()
    assert shard.application.state.risk.version == 1
    return shard


@pytest.mark.parametrize("name", ROWS)
def test_one_beyond_the_limit_is_refused(name: str) -> None:
    row = ROWS[name]
    shard = limited(row.limit)
    later = {"start_ns": CLOSE_NS - SECOND}
    (accepted,) = shard.ask(new_order("within", **later, **row.within)).said
    assert isinstance(accepted, OrderAccepted)
    answer = shard.refused(new_order("beyond", **later, **row.beyond), OrderRejected)
    assert (answer.reason, answer.field, answer.value) == (row.reason, row.field, row.value)
    assert (answer.limit_id, answer.limits_version) == (row.limit.limit_id, 1)
    shard.prove()


def test_messages_faster_than_the_bucket_fills() -> None:
    shard = limited(limit(K.MESSAGE_RATE, 1, burst=2))
    shard.turn()
    for n in range(3):
        shard.put(topics.ORDERS_COMMANDS, framed(new_order(f"burst {n}", quantity=n + 1)))
    shard.turn(0)
    answers = shard.messages(topics.ORDERS_EVENTS, OrderRejected)
    assert [(a.client_order_id, a.reason, a.value) for a in answers] == [
        ("burst 2", R.MESSAGE_RATE, "OMS")
    ]
    shard.takes_good_orders("later")
    shard.prove()
