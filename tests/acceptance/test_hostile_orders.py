"""Orders that are wrong in one thing: each is refused for exactly that, and nothing else happens.

name -> what is changed in a good order, reason, field, value as told, bound as told (None: any)
"""

from collections.abc import Iterator
from typing import Any

import pytest

from schemas.messages.core import OrderType, RejectReason, Side, StrategyKind, TickBand
from schemas.messages.core import TimeInForce as T
from schemas.messages.intake import OrderAccepted
from streams.core import topics
from tests.support.builders import (
    ACME,
    CLOSE_NS,
    OPEN_NS,
    SECOND,
    TICK,
    account_defined,
    instrument_defined,
    new_order,
    venue_defined,
)
from tests.support.calendars import client_defined, desk_defined, status_changed
from tests.support.hostile import HostileShard, OrderRow, framed, trade_printed
from tests.support.limits import locate_granted

R = RejectReason
MOST, LEAST = 2**63 - 1, -(2**63)
DAY = 86_400 * SECOND
# Instruments of the shard that owns ACME: lots and bands; no bounds; over; halted; never short.
BANDS, WIDE, OVER, HALTED, LONG = "BANDS", "OIL", "DAWN", "WALL", "IRON"
WORLD = (
    instrument_defined(
        instrument_id=BANDS,
        lot=100,
        tick_bands=(TickBand(from_price_e9=100 * TICK, tick_e9=10 * TICK),),
    ),
    instrument_defined(instrument_id=WIDE, maximum_quantity=2**62, tick_e9=2),
    instrument_defined(instrument_id=OVER, session_open_ns=1, session_close_ns=OPEN_NS),
    instrument_defined(instrument_id=HALTED),
    instrument_defined(instrument_id=LONG, is_short_sale_allowed=False),
    instrument_defined(instrument_id="OTHER"),
    account_defined("OFF", is_enabled=False),
    account_defined("B1", tenant="T2"),
    account_defined("NOSHORT", is_short_sale_allowed=False),
    client_defined("C3", tenant="T3"),
    client_defined("C4", tenant="T3", is_enabled=False),
    desk_defined("D1", tenant="T3"),
    desk_defined("D2", tenant="T3", is_enabled=False),
    desk_defined("D3", tenant="T3"),
    account_defined("X1", tenant="T3", client_id="NOBODY"),
    account_defined("X2", tenant="T3", client_id="C4"),
    account_defined("X3", tenant="T3", client_id="C3", desk_ids=("D1", "D2")),
    locate_granted(),
)

LIMIT = {"order_type": OrderType.LIMIT, "limit_price_e9": 10_000 * TICK}


def limit(price_e9: int | None, **changes: Any) -> dict[str, Any]:
    return {**LIMIT, "limit_price_e9": price_e9, **changes}


ONE_CONTENT = "one content per source, id and trade date"
WHO: dict[str, OrderRow] = {
    "an instrument that is not": (
        {"instrument_id": "?"},
        R.UNKNOWN_INSTRUMENT,
        "instrument_id",
        "?",
        "defined instruments",
    ),
    "no instrument": ({"instrument_id": ""}, R.UNKNOWN_INSTRUMENT, "instrument_id", "", None),
    "an instrument in small letters": (
        {"instrument_id": "acme"},
        R.UNKNOWN_INSTRUMENT,
        "instrument_id",
        "acme",
        None,
    ),
    "an instrument of a megabyte": (
        {"instrument_id": "A" * 10**6},
        R.UNKNOWN_INSTRUMENT,
        "instrument_id",
        "A" * 79 + "…",
        None,
    ),
    "another shard's instrument": (
        {"instrument_id": "OTHER"},
        R.WRONG_PARTITION,
        "instrument_id",
        "OTHER",
        "partition = murmur2(instrument_id) mod partitions",
    ),
    "an account that is not": (
        {"account_id": "NOBODY"},
        R.UNKNOWN_ACCOUNT,
        "account_id",
        "NOBODY",
        "enabled accounts of tenant T1",
    ),
    "no account": ({"account_id": ""}, R.UNKNOWN_ACCOUNT, "account_id", "", None),
    "a disabled account": ({"account_id": "OFF"}, R.UNKNOWN_ACCOUNT, "account_id", "OFF", None),
    "another tenant's account": (
        {"account_id": "B1"},
        R.UNKNOWN_ACCOUNT,
        "account_id",
        "B1",
        "enabled accounts of tenant T1",
    ),
    "another tenant's name": (
        {"tenant": "T2"},
        R.UNKNOWN_ACCOUNT,
        "account_id",
        "A1",
        "enabled accounts of tenant T2",
    ),
    "no tenant": ({"tenant": ""}, R.UNKNOWN_ACCOUNT, "account_id", "A1", None),
    "a client that is not": (
        {"tenant": "T3", "account_id": "X1", "desk_id": "D1"},
        R.UNKNOWN_CLIENT,
        "client_id",
        "NOBODY",
        "enabled clients of tenant T3",
    ),
    "a disabled client": (
        {"tenant": "T3", "account_id": "X2", "desk_id": "D1"},
        R.UNKNOWN_CLIENT,
        "client_id",
        "C4",
        None,
    ),
    "a desk that is not": (
        {"tenant": "T3", "account_id": "X3", "desk_id": "D9"},
        R.UNKNOWN_DESK,
        "desk_id",
        "D9",
        "enabled desks of tenant T3",
    ),
    "a disabled desk": (
        {"tenant": "T3", "account_id": "X3", "desk_id": "D2"},
        R.UNKNOWN_DESK,
        "desk_id",
        "D2",
        None,
    ),
    "a desk without the account": (
        {"tenant": "T3", "account_id": "X3", "desk_id": "D3"},
        R.NOT_ENTITLED,
        "desk_id",
        "D3",
        "D1, D2",
    ),
}
QUANTITIES: dict[str, OrderRow] = {
    f"a quantity of {quantity} in {instrument_id}": (
        {"quantity": quantity, "instrument_id": instrument_id},
        reason,
        "quantity",
        str(quantity),
        bound,
    )
    for quantity, instrument_id, reason, bound in (
        (0, ACME, R.QUANTITY_NOT_POSITIVE, "at least 1"),
        (-1, ACME, R.QUANTITY_NOT_POSITIVE, "at least 1"),
        (LEAST, ACME, R.QUANTITY_NOT_POSITIVE, "at least 1"),
        (1_000_001, ACME, R.QUANTITY_TOO_LARGE, "at most 1000000"),
        (MOST, ACME, R.QUANTITY_TOO_LARGE, "at most 1000000"),
        (99, BANDS, R.QUANTITY_NOT_A_LOT_MULTIPLE, "multiple of 100"),
        (101, BANDS, R.QUANTITY_NOT_A_LOT_MULTIPLE, "multiple of 100"),
        (MOST, BANDS, R.QUANTITY_NOT_A_LOT_MULTIPLE, "multiple of 100"),
        (2**62 + 1, WIDE, R.QUANTITY_TOO_LARGE, f"at most {2**62}"),
    )
}
PRICES: dict[str, OrderRow] = {
    f"a limit of {price_e9} in {instrument_id}": (
        limit(price_e9, instrument_id=instrument_id),
        reason,
        "limit_price_e9",
        str(price_e9),
        bound,
    )
    for price_e9, instrument_id, reason, bound in (
        (0, ACME, R.PRICE_NOT_POSITIVE, "at least 1"),
        (-TICK, ACME, R.PRICE_NOT_POSITIVE, "at least 1"),
        (LEAST, ACME, R.PRICE_NOT_POSITIVE, "at least 1"),
        (1, ACME, R.PRICE_OFF_TICK, f"multiple of {TICK}"),
        (10_000 * TICK - 1, ACME, R.PRICE_OFF_TICK, f"multiple of {TICK}"),
        (10_000 * TICK + 1, ACME, R.PRICE_OFF_TICK, f"multiple of {TICK}"),
        (MOST, ACME, R.PRICE_OFF_TICK, f"multiple of {TICK}"),
        (105 * TICK, BANDS, R.PRICE_OFF_TICK, f"multiple of {10 * TICK}"),
    )
} | {
    "a limit order without a limit": (
        limit(None),
        R.LIMIT_PRICE_MISSING,
        "limit_price_e9",
        "null",
        "a LIMIT order has one",
    ),
    "a market order with a limit": (
        {"limit_price_e9": 10_000 * TICK},
        R.LIMIT_PRICE_NOT_ALLOWED,
        "limit_price_e9",
        str(10_000 * TICK),
        "a MARKET order has none",
    ),
    "a value beyond all cash": (
        limit(2**63 - 2, quantity=2**62, instrument_id=WIDE),
        R.VALUE_OUT_OF_RANGE,
        "limit_price_e9",
        str(2**63 - 2),
        None,
    ),
}
IOC = {"time_in_force": T.IOC, "strategy": StrategyKind.IMMEDIATE}
KINDS: dict[str, OrderRow] = {
    "no side": ({"side": Side.UNKNOWN}, R.UNSUPPORTED_SIDE, "side", "UNKNOWN", "BUY, SELL"),
    **{
        f"an order of type {kind}": (
            {"order_type": kind},
            R.UNSUPPORTED_ORDER_TYPE,
            "order_type",
            kind.value,
            "MARKET, LIMIT",
        )
        for kind in (OrderType.UNKNOWN, OrderType.MIDPOINT, OrderType.PEGGED)
    },
    **{
        f"{tif} by {strategy}": (
            {"time_in_force": tif, "strategy": strategy},
            R.UNSUPPORTED_TIME_IN_FORCE,
            "time_in_force",
            tif.value,
            "DAY, GTC, GTD, AT_CLOSE, or with IMMEDIATE: IOC, AT_OPEN",
        )
        for tif, strategy in (
            (T.UNKNOWN, StrategyKind.IMMEDIATE),
            (T.IOC, StrategyKind.VWAP),
            (T.IOC, StrategyKind.TWAP),
            (T.AT_OPEN, StrategyKind.TWAP),
        )
    },
    **{
        f"the strategy {strategy}": (
            {"strategy": strategy},
            R.UNSUPPORTED_STRATEGY,
            "strategy",
            strategy.value,
            "VWAP, TWAP, POV, IMPLEMENTATION_SHORTFALL, CLOSE, IMMEDIATE, AUTO",
        )
        for strategy in (StrategyKind.UNKNOWN,)
    },
    "no urgency": (
        {"urgency": "UNKNOWN"},
        R.UNSUPPORTED_URGENCY,
        "urgency",
        "UNKNOWN",
        "PASSIVE, NEUTRAL, URGENT",
    ),
    **{
        f"a rate of {rate}": (
            {"participation_cap_bps": rate},
            R.RATE_OUT_OF_RANGE,
            "participation_cap_bps",
            str(rate),
            "1..10000",
        )
        for rate in (0, -1, 10_001, 2**31 - 1, -(2**31))
    },
    "a sweep of a halted instrument": (
        {**IOC, "instrument_id": HALTED},
        R.HALTED,
        "time_in_force",
        "IOC",
        "WALL is halted",
    ),
    "an id that another content has": (
        {"client_order_id": "first", "quantity": 7},
        R.DUPLICATE_ORDER,
        "client_order_id",
        "first",
        ONE_CONTENT,
    ),
    "the id of an order that was refused": (
        {"client_order_id": "refused", "quantity": 7},
        R.DUPLICATE_ORDER,
        "client_order_id",
        "refused",
        ONE_CONTENT,
    ),
}
ROWS = WHO | QUANTITIES | PRICES | KINDS


@pytest.fixture(scope="module")
def shard() -> Iterator[HostileShard]:
    shard = HostileShard(*WORLD, venue_defined("V9", is_enabled=False))
    shard.put(topics.MARKET_DATA, framed(status_changed(instrument_id=HALTED)))
    for instrument_id, ticks in ((BANDS, 100), (HALTED, 10_000)):
        shard.put(topics.MARKET_DATA, framed(trade_printed(instrument_id, ticks)))
    shard.ask(new_order("first", start_ns=CLOSE_NS - SECOND))
    shard.ask(new_order("refused", quantity=0))
    yield shard
    shard.prove()


@pytest.mark.parametrize("name", ROWS)
def test_it_is_refused_for_that_and_nothing_else(shard: HostileShard, name: str) -> None:
    shard.refuses_order(name, ROWS[name])


@pytest.mark.parametrize(
    "changes",
    [
        {"quantity": 1},
        {"quantity": 1_000_000, **limit(TICK, side=Side.BUY)},
        limit(90 * TICK, quantity=100, instrument_id=BANDS),
        limit(110 * TICK, quantity=100, instrument_id=BANDS),
        {"participation_cap_bps": 1},
        {"tenant": "T3", "account_id": "X3", "desk_id": "D1"},
        {"instrument_id": HALTED},
    ],
    ids=str,
)
def test_the_last_value_within_each_bound_is_taken(
    shard: HostileShard, changes: dict[str, Any]
) -> None:
    order = new_order(str(changes)[:64], start_ns=CLOSE_NS - SECOND, **changes)
    (accepted,) = shard.ask(order).said
    assert isinstance(accepted, OrderAccepted)
