"""Orders whose terms contradict each other, the clock or the mandate; texts that are no names.

name -> what is changed in a good order, reason, field, value as told, bound as told (None: any)
"""

from collections.abc import Iterator
from typing import Any

import pytest

from schemas.messages.core import (
    Constraints,
    OrderType,
    RejectReason,
    Side,
    StrategyKind,
    VenueKind,
)
from schemas.messages.core import TimeInForce as T
from schemas.messages.intake import OrderAccepted
from streams.core import topics
from tests.support.builders import (
    ACME,
    CLOSE_NS,
    OPEN_NS,
    TICK,
    TRADE_DATE,
    account_defined,
    instrument_defined,
    new_order,
    venue_defined,
)
from tests.support.hostile import HostileShard, OrderRow, framed, trade_printed
from tests.support.limits import locate_granted

R = RejectReason
MOST, LEAST = 2**63 - 1, -(2**63)
LOTS, OVER, SOON, LONG = "BANDS", "DAWN", "OIL", "IRON"
MID = 10_000 * TICK
WORLD = (
    instrument_defined(instrument_id=LOTS, lot=100),
    instrument_defined(instrument_id=OVER, session_open_ns=1, session_close_ns=OPEN_NS),
    instrument_defined(instrument_id=SOON, session_open_ns=CLOSE_NS, session_close_ns=MOST),
    instrument_defined(instrument_id=LONG, is_short_sale_allowed=False),
    account_defined("NOSHORT", is_short_sale_allowed=False),
    venue_defined("V9", is_enabled=False),
    venue_defined("DARK", kind=VenueKind.DARK),
    locate_granted(),
)


def asked(**constraints: Any) -> dict[str, Any]:
    return {"constraints": Constraints(**constraints)}


def limit(ticks: int, **changes: Any) -> dict[str, Any]:
    return {"order_type": OrderType.LIMIT, "limit_price_e9": ticks * TICK, **changes}


AT_OPEN = {"time_in_force": T.AT_OPEN, "strategy": StrategyKind.IMMEDIATE}
GTD = {"time_in_force": T.GTD}
TIMES: dict[str, OrderRow] = {
    "after the session": ({"instrument_id": OVER}, R.SESSION_CLOSED, "at_ns", None, None),
    "before the session": ({"instrument_id": SOON}, R.SESSION_CLOSED, "at_ns", None, None),
    "work beyond the close": (
        {"end_ns": CLOSE_NS + 1},
        R.SESSION_CLOSED,
        "end_ns",
        str(CLOSE_NS + 1),
        f"until {CLOSE_NS}",
    ),
    "work until the end of time": (
        {"end_ns": MOST},
        R.SESSION_CLOSED,
        "end_ns",
        str(MOST),
        None,
    ),
    "an end at the start": (
        {"start_ns": CLOSE_NS - 9, "end_ns": CLOSE_NS - 9},
        R.END_NOT_AFTER_START,
        "end_ns",
        str(CLOSE_NS - 9),
        f"after start_ns {CLOSE_NS - 9}",
    ),
    "an end before the start": (
        {"start_ns": CLOSE_NS - 5, "end_ns": CLOSE_NS - 9},
        R.END_NOT_AFTER_START,
        "end_ns",
        None,
        None,
    ),
    "an end before 1970": ({"end_ns": -1}, R.END_NOT_AFTER_START, "end_ns", "-1", None),
    "a start at the close": (
        {"start_ns": CLOSE_NS},
        R.END_NOT_AFTER_START,
        "end_ns",
        str(CLOSE_NS),
        None,
    ),
    "a start at the end of time": (
        {"start_ns": MOST},
        R.END_NOT_AFTER_START,
        "end_ns",
        None,
        f"after start_ns {MOST}",
    ),
    "a start before 1970": (
        {"start_ns": LEAST},
        R.VALUE_OUT_OF_RANGE,
        "start_ns",
        str(LEAST),
        "at least 0",
    ),
    "an end in the past": (
        {"end_ns": OPEN_NS + 1},
        R.END_IN_THE_PAST,
        "end_ns",
        str(OPEN_NS + 1),
        None,
    ),
    **{
        f"the trade date {date}": (
            {"trade_date": date},
            R.TRADE_DATE_MISMATCH,
            "trade_date",
            str(date),
            str(TRADE_DATE),
        )
        for date in (TRADE_DATE - 1, TRADE_DATE + 1, 0, -1, 2**31 - 1, -(2**31))
    },
    "GTD without an expiry": (GTD, R.EXPIRE_MISSING, "expire_ns", "0", "GTD has one"),
    "GTD that has expired": (
        {**GTD, "expire_ns": OPEN_NS},
        R.EXPIRE_IN_THE_PAST,
        "expire_ns",
        str(OPEN_NS),
        None,
    ),
    "GTD before 1970": (
        {**GTD, "expire_ns": -1},
        R.EXPIRE_IN_THE_PAST,
        "expire_ns",
        "-1",
        None,
    ),
    "GTD for ever": (
        {**GTD, "expire_ns": MOST},
        R.VALUE_OUT_OF_RANGE,
        "expire_ns",
        str(MOST),
        None,
    ),
    **{
        f"{tif} with an expiry": (
            {"time_in_force": tif, "expire_ns": CLOSE_NS},
            R.EXPIRE_NOT_ALLOWED,
            "expire_ns",
            str(CLOSE_NS),
            f"{tif} has none",
        )
        for tif in (T.DAY, T.GTC, T.AT_CLOSE)
    },
    "at the open after it": (AT_OPEN, R.AFTER_CUTOFF, "at_ns", None, None),
    "at the close with a start": (
        {"time_in_force": T.AT_CLOSE, "start_ns": OPEN_NS},
        R.VALUE_OUT_OF_RANGE,
        "start_ns",
        str(OPEN_NS),
        "0: AT_CLOSE has the times of its auction",
    ),
    "at the close with an end": (
        {"time_in_force": T.AT_CLOSE, "end_ns": CLOSE_NS},
        R.VALUE_OUT_OF_RANGE,
        "end_ns",
        str(CLOSE_NS),
        "0: AT_CLOSE has the times of its auction",
    ),
}
C = "constraints."
MANDATES: dict[str, OrderRow] = {
    **{
        f"a {name} of {value} in {instrument_id}": (
            {**asked(**{name: value}), "instrument_id": instrument_id},
            reason,
            C + name,
            str(value),
            f"in 0..100, a multiple of {100 if instrument_id == LOTS else 1}",
        )
        for name, reason in (
            ("minimum_quantity", R.MINIMUM_QUANTITY_OUT_OF_RANGE),
            ("display_quantity", R.DISPLAY_QUANTITY_OUT_OF_RANGE),
        )
        for value, instrument_id in ((101, ACME), (-1, ACME), (MOST, ACME), (50, LOTS))
    },
    **{
        f"a would price of {price_e9} under {other}": (
            {**asked(would_price_e9=price_e9), **other},
            R.WOULD_PRICE_OUT_OF_RANGE,
            C + "would_price_e9",
            str(price_e9),
            bound,
        )
        for price_e9, other, bound in (
            (0, {}, f"a positive multiple of {TICK}"),
            (LEAST, {}, f"a positive multiple of {TICK}"),
            (MID + 1, {}, f"a positive multiple of {TICK}"),
            (MID + TICK, limit(10_000), f"at most the limit {MID}"),
            (MID - TICK, limit(10_000, side=Side.SELL), f"at least the limit {MID}"),
        )
    },
    "a venue that is not": (
        asked(venue_ids=("V1", "NOWHERE")),
        R.UNKNOWN_VENUE,
        C + "venue_ids",
        "NOWHERE",
        "defined venues",
    ),
    "an excluded venue that is not": (
        asked(excluded_venue_ids=("",)),
        R.UNKNOWN_VENUE,
        C + "excluded_venue_ids",
        "",
        "defined venues",
    ),
    "a venue wanted and excluded": (
        asked(venue_ids=("V1", "V2"), excluded_venue_ids=("V2",)),
        R.VENUE_LIST_CONFLICT,
        C + "venue_ids",
        "V2",
        None,
    ),
    "a venue named twice": (
        asked(venue_ids=("V1", "V1")),
        R.VENUE_LIST_CONFLICT,
        C + "venue_ids",
        "V1",
        None,
    ),
    "a list of 33 venues": (
        asked(excluded_venue_ids=("V1",) * 33),
        R.LIST_TOO_LONG,
        C + "excluded_venue_ids",
        "33",
        "at most 32",
    ),
    "only a disabled venue": (
        asked(venue_ids=("V9",)),
        R.NO_VENUE_ALLOWED,
        C + "venue_ids",
        "V9",
        "an enabled venue",
    ),
    "no venue left": (
        asked(excluded_venue_ids=("V1", "V2", "V3", "DARK")),
        R.NO_VENUE_ALLOWED,
        C + "venue_ids",
        "excluded_venue_ids",
        None,
    ),
    "only a dark venue, and no dark": (
        {**asked(venue_ids=("DARK",)), "is_dark_allowed": False},
        R.NO_VENUE_ALLOWED,
        C + "venue_ids",
        "DARK",
        "an enabled venue that is not dark",
    ),
}
SHORT = {"side": Side.SELL, "is_short_sale": True, "locate_id": "L1"}
SHORTS: dict[str, OrderRow] = {
    "a short sale without a locate": (
        {**SHORT, "locate_id": ""},
        R.LOCATE_MISSING,
        "locate_id",
        "",
        "a short sale has one",
    ),
    "a short purchase": (
        {**SHORT, "side": Side.BUY},
        R.SHORT_SALE_NOT_ALLOWED,
        "is_short_sale",
        "true",
        "a BUY sells nothing",
    ),
    "a locate on a purchase": (
        {"locate_id": "L1"},
        R.VALUE_OUT_OF_RANGE,
        "locate_id",
        "L1",
        "empty: the order is no short sale",
    ),
    "a short sale of what is never short": (
        {**SHORT, "instrument_id": LONG},
        R.SHORT_SALE_NOT_ALLOWED,
        "is_short_sale",
        "true",
        "not in IRON",
    ),
    "a short sale by who never is": (
        {**SHORT, "account_id": "NOSHORT"},
        R.SHORT_SALE_NOT_ALLOWED,
        "is_short_sale",
        "true",
        "not by account NOSHORT",
    ),
    "a locate that is not": (
        {**SHORT, "locate_id": "L9"},
        R.UNKNOWN_LOCATE,
        "locate_id",
        "L9",
        "locates of account A1 in ACME",
    ),
    "another account's locate": (
        {**SHORT, "account_id": "A2"},
        R.UNKNOWN_LOCATE,
        "locate_id",
        "L1",
        None,
    ),
    "more than was located": (
        {**SHORT, "quantity": 101},
        R.LOCATE_EXCEEDED,
        "quantity",
        "101",
        "100",
    ),
}
ROWS = TIMES | MANDATES | SHORTS


@pytest.fixture(scope="module")
def shard() -> Iterator[HostileShard]:
    shard = HostileShard(*WORLD)
    shard.put(topics.MARKET_DATA, framed(trade_printed(LOTS)))
    yield shard
    shard.prove()


@pytest.mark.parametrize("name", ROWS)
def test_it_is_refused_for_that_and_nothing_else(shard: HostileShard, name: str) -> None:
    shard.refuses_order(name, ROWS[name])


@pytest.mark.parametrize(
    "changes",
    [
        {"end_ns": CLOSE_NS},
        {**GTD, "expire_ns": CLOSE_NS},
        {"time_in_force": T.AT_CLOSE},
        {"time_in_force": T.GTC},
        asked(minimum_quantity=100, display_quantity=100),
        {**asked(would_price_e9=MID), **limit(10_000)},
        asked(venue_ids=("V1",), excluded_venue_ids=("V2",)),
        {**asked(venue_ids=("DARK",)), "is_dark_allowed": True},
        SHORT,
    ],
    ids=str,
)
def test_the_same_within_the_rules_is_taken(shard: HostileShard, changes: dict[str, Any]) -> None:
    name = f"within {len(shard.application.state.intake.orders)}"
    order = new_order(name, **changes)
    assert isinstance(shard.ask(order).said[0], OrderAccepted)
