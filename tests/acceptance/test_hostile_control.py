"""Definitions, limits, market data that do not add up: kept as letters, what was in force stays.

name -> the message, reason, field
"""

from collections.abc import Iterator
from typing import Any

import pytest

from schemas.messages.control import PairRestricted
from schemas.messages.core import BookState, Level, LimitKind, PartyLevel, TickBand, VenueKind
from schemas.messages.core import PhaseKind as K
from schemas.messages.core import RejectReason as R
from schemas.messages.risk import LimitsApproved, ThrottleReleased
from schemas.messages.runtime import DeadLetter
from streams.core import topics
from tests.support.builders import (
    OPEN_NS,
    SECOND,
    TICK,
    account_defined,
    book_updated,
    crossing_declared,
    instrument_defined,
    settings_loaded,
    venue_defined,
    volume_curve,
)
from tests.support.calendars import (
    FRIDAY,
    MONDAY,
    calendar_defined,
    client_defined,
    desk_defined,
    phase,
    session,
    whole_day,
)
from tests.support.hostile import HostileShard, framed, framed_v1, trade_printed
from tests.support.limits import approved, limit, limit_set, locate_granted, proposed

MOST = 2**63 - 1
NOT, MORE = R.PARAMETER_OUT_OF_RANGE, R.QUANTITY_NOT_POSITIVE
LONG = "x" * 65
Row = tuple[Any, R, str]


def bands(*pairs: tuple[int, int]) -> Any:
    made = tuple(TickBand(from_price_e9=price, tick_e9=tick) for price, tick in pairs)
    return instrument_defined(tick_bands=made)


def day(*phases: Any) -> Any:
    return calendar_defined(session(FRIDAY, *phases))


def pair(**changes: Any) -> PairRestricted:
    terms = {"tenant": "T1", "level": PartyLevel.ACCOUNT, "one": "A1", "other": "A2"}
    return PairRestricted(**{**terms, "is_restricted": True, "reason": "", **changes})


BAND = "tick_bands.from_price_e9"
S = f"session {FRIDAY} "
DEFINITIONS: dict[str, Row] = {
    "no instrument": (instrument_defined(instrument_id=""), R.FIELD_EMPTY, "instrument_id"),
    "a long one": (instrument_defined(instrument_id=LONG), R.FIELD_TOO_LONG, "instrument_id"),
    "no currency": (instrument_defined(currency=""), R.FIELD_EMPTY, "currency"),
    "another currency": (instrument_defined(currency="USD"), R.CURRENCY_MISMATCH, "currency"),
    "another scale": (
        instrument_defined(quantity_scale=2, lot=2),
        R.VALUE_OUT_OF_RANGE,
        "quantity_scale",
    ),
    "no tick": (instrument_defined(tick_e9=0), R.PRICE_NOT_POSITIVE, "tick_e9"),
    "a tick below nothing": (instrument_defined(tick_e9=-2), R.PRICE_NOT_POSITIVE, "tick_e9"),
    "an odd tick": (instrument_defined(tick_e9=MOST), R.PRICE_OFF_TICK, "tick_e9"),
    "no lot": (instrument_defined(lot=0), MORE, "lot"),
    "no scale": (instrument_defined(quantity_scale=0), MORE, "quantity_scale"),
    "no maximum": (instrument_defined(maximum_quantity=-1), MORE, "maximum_quantity"),
    "parts of a cent": (
        instrument_defined(quantity_scale=3),
        R.QUANTITY_NOT_A_LOT_MULTIPLE,
        "lot",
    ),
    "a session of no length": (
        instrument_defined(session_close_ns=OPEN_NS),
        R.END_NOT_AFTER_START,
        "session_close_ns",
    ),
    "a band from 0": (bands((0, TICK)), R.TICK_BANDS_NOT_ORDERED, BAND),
    "bands downwards": (
        bands((4 * TICK, 2 * TICK), (2 * TICK, TICK)),
        R.TICK_BANDS_NOT_ORDERED,
        BAND,
    ),
    "a band without a tick": (bands((TICK, 0)), R.PRICE_NOT_POSITIVE, "tick_bands.tick_e9"),
    "a band with an odd tick": (bands((TICK, 3)), R.PRICE_OFF_TICK, "tick_bands.tick_e9"),
    "bands whose grids do not meet": (bands((3 * TICK, 2 * TICK)), R.PRICE_OFF_TICK, BAND),
    "a volume below 0": (instrument_defined(average_daily_volume=-1), NOT, "average_daily_volume"),
    "a lot to allocate below 0": (instrument_defined(allocation_lot=-1), NOT, "allocation_lot"),
    "settled yesterday": (instrument_defined(settlement_days=-1), NOT, "settlement_days"),
    "settled after 11 days": (instrument_defined(settlement_days=11), NOT, "settlement_days"),
    "a calendar that is not": (
        instrument_defined(calendar_id="NONE"),
        R.UNKNOWN_CALENDAR,
        "calendar_id",
    ),
    "a settlement calendar that is not": (
        instrument_defined(settlement_calendar_id="NONE"),
        R.UNKNOWN_CALENDAR,
        "settlement_calendar_id",
    ),
    "an older definition": (instrument_defined(effective_ns=1), R.STALE_VERSION, "effective_ns"),
    "an older account": (account_defined("A1", effective_ns=1), R.STALE_VERSION, "effective_ns"),
    "no venue": (venue_defined(""), R.FIELD_EMPTY, "venue_id"),
    "a venue of no kind": (venue_defined(kind=VenueKind.UNKNOWN), NOT, "kind"),
    "a venue below 0": (venue_defined(minimum_quantity=-1), NOT, "minimum_quantity"),
    "a venue before now": (venue_defined(latency_ns=-1), NOT, "latency_ns"),
    "a venue centuries away": (venue_defined(latency_ns=MOST), NOT, "latency_ns"),
    "no account": (account_defined(""), R.FIELD_EMPTY, "account_id"),
    "an account of nobody": (account_defined(client_id=""), R.FIELD_EMPTY, "client_id"),
    "an account of no tenant": (account_defined(tenant=""), R.FIELD_EMPTY, "tenant"),
    "no client": (client_defined(""), R.FIELD_EMPTY, "client_id"),
    "a long client": (client_defined(LONG), R.FIELD_TOO_LONG, "client_id"),
    "no desk": (desk_defined(""), R.FIELD_EMPTY, "desk_id"),
    "a desk of no tenant": (desk_defined(tenant=""), R.FIELD_EMPTY, "tenant"),
    "no declaration": (crossing_declared(declaration_id=""), R.FIELD_EMPTY, "declaration_id"),
    "a spread below 0": (crossing_declared(spread_max_bps=-1), NOT, "spread_max_bps"),
    "a quote from tomorrow": (crossing_declared(quote_age_max_ns=-1), NOT, "quote_age_max_ns"),
    "a round in centuries": (crossing_declared(random_ns=MOST), NOT, "random_ns"),
    "a pair of nobody": (pair(one=""), R.FIELD_EMPTY, "one"),
    "a pair of nothing": (pair(level=PartyLevel.UNKNOWN), NOT, "level"),
    "bins of no length": (volume_curve(bin_ns=0), R.END_NOT_AFTER_START, "bin_ns"),
    "a curve without bins": (volume_curve(log_volume_e9=()), NOT, "log_volume_e9"),
    "a volume beyond numbers": (volume_curve(log_volume_e9=(MOST,)), NOT, "log_volume_e9"),
    "settings that are none": (settings_loaded(nothing=1), R.BODY_UNDECODABLE, "content"),
    "a window before now": (settings_loaded(window_ns=-1), R.BODY_UNDECODABLE, "content"),
    "a window of centuries": (settings_loaded(window_ns=MOST), R.BODY_UNDECODABLE, "content"),
    "a strategy that never rests": (
        settings_loaded(strategy={"retry_ns": 0}),
        R.BODY_UNDECODABLE,
        "content",
    ),
    "no calendar": (calendar_defined(calendar_id=""), R.FIELD_EMPTY, "calendar_id"),
    "a 31st of June": (
        calendar_defined(first_date=20240631),
        R.CALENDAR_NOT_ORDERED,
        "first_date",
    ),
    "a last date before the first": (
        calendar_defined(first_date=MONDAY, last_date=FRIDAY),
        R.CALENDAR_NOT_ORDERED,
        "last_date",
    ),
    "dates turned round": (
        calendar_defined(settlement_dates=(MONDAY, FRIDAY)),
        R.CALENDAR_NOT_ORDERED,
        "settlement_dates",
    ),
    "a session out of the range": (
        calendar_defined(whole_day(FRIDAY, 0), first_date=MONDAY, last_date=MONDAY),
        R.CALENDAR_NOT_ORDERED,
        "settlement_dates",
    ),
    "a session without trading": (
        day(phase(K.PRE_OPEN, 1, 2)),
        R.CALENDAR_NOT_ORDERED,
        f"{S}phases",
    ),
    "a session without phases": (day(), R.CALENDAR_NOT_ORDERED, f"{S}phases"),
    "phases that overlap": (
        day(phase(K.CONTINUOUS, 1, 3), phase(K.CONTINUOUS, 2, 4)),
        R.CALENDAR_NOT_ORDERED,
        f"{S}CONTINUOUS start_ns",
    ),
    "a phase of no length": (
        day(phase(K.CONTINUOUS, 1, 1)),
        R.CALENDAR_NOT_ORDERED,
        f"{S}CONTINUOUS end_ns",
    ),
    "a cut-off of no auction": (
        day(phase(K.CONTINUOUS, 1, 3, cutoff=2)),
        R.CALENDAR_NOT_ORDERED,
        f"{S}CONTINUOUS cutoff_ns",
    ),
}
SET = limit_set(limit(LimitKind.ORDER_QUANTITY, 5))
LIMITS: dict[str, Row] = {
    "limits that nobody proposed": (approved(SET, "p9"), R.UNKNOWN_PROPOSAL, "proposal_id"),
    "a proposal without an id": (proposed(SET, ""), R.FIELD_TOO_LONG, "proposal_id"),
    "a proposal with another's hash": (
        proposed(SET, "p2", sha256="0" * 64),
        R.HASH_MISMATCH,
        "sha256",
    ),
    "a proposal that is used": (proposed(SET, "p1"), R.STALE_VERSION, "proposal_id"),
    "a proposal of no limits": (
        proposed(limit_set(limit(LimitKind.MESSAGE_RATE, 0)), "p3"),
        R.BODY_UNDECODABLE,
        "content",
    ),
    "what was not read": (
        LimitsApproved(proposal_id="p1", sha256="0" * 64, reason=""),
        R.HASH_MISMATCH,
        "sha256",
    ),
    "a flow that is not disabled": (
        ThrottleReleased(flow_id="F1.0.1", reason=""),
        R.UNKNOWN_LIMIT,
        "flow_id",
    ),
    "a flow without a shard": (
        ThrottleReleased(flow_id="", reason=""),
        R.UNKNOWN_LIMIT,
        "flow_id",
    ),
    "fewer shares than none": (
        locate_granted(-1),
        R.VALUE_OUT_OF_RANGE,
        "quantity",
    ),
}
LEVEL = Level(price_e9=TICK, quantity=1)
MARKET: dict[str, Row] = {
    "a bid of 0": (
        book_updated(bids=(Level(price_e9=0, quantity=1),)),
        R.PRICE_NOT_POSITIVE,
        "bids.price_e9",
    ),
    "an ask of nothing": (
        book_updated(asks=(Level(price_e9=TICK, quantity=0),)),
        MORE,
        "asks.quantity",
    ),
    "a bid twice": (book_updated(bids=(LEVEL, LEVEL)), R.BOOK_NOT_ORDERED, "bids.price_e9"),
    "asks of a closed book": (
        book_updated(asks=(LEVEL, LEVEL), state=BookState.CLOSED),
        R.BOOK_NOT_ORDERED,
        "asks.price_e9",
    ),
    "a trade at 0": (trade_printed(ticks=0), R.PRICE_NOT_POSITIVE, "price_e9"),
    "a trade of nothing": (trade_printed(quantity=0), MORE, "quantity"),
    "more of ours than was traded": (
        trade_printed(own_quantity=101),
        R.VALUE_OUT_OF_RANGE,
        "own_quantity",
    ),
    "less of ours than nothing": (
        trade_printed(own_quantity=-1),
        R.VALUE_OUT_OF_RANGE,
        "own_quantity",
    ),
}


@pytest.fixture(scope="module")
def shard() -> Iterator[HostileShard]:
    shard = HostileShard(partitions=1)
    shard.put(topics.CONTROL_COMMANDS, framed(proposed(SET), actor="ann"))
    yield shard
    shard.prove()


def kept(shard: HostileShard, topic: str, row: Row, actor: str = "bob") -> None:
    message, reason, field = row
    heard = shard.ask(message, topic=topic, actor=actor)
    (letter,) = heard.said
    assert isinstance(letter, DeadLetter)
    assert (letter.reason, letter.field) == (reason, field), (letter.value, letter.bound)
    assert letter.body == heard.value
    assert heard.is_without_effect
    shard.takes_good_orders(f"{field} {len(shard.application.state.intake.orders)}")


@pytest.mark.parametrize("name", DEFINITIONS)
def test_a_definition_that_does_not_add_up(shard: HostileShard, name: str) -> None:
    kept(shard, topics.CONTROL_COMMANDS, DEFINITIONS[name])


@pytest.mark.parametrize("name", LIMITS)
def test_limits_that_two_persons_did_not_agree_on(shard: HostileShard, name: str) -> None:
    kept(shard, topics.CONTROL_COMMANDS, LIMITS[name])


@pytest.mark.parametrize("actor", ["ann", ""])
def test_limits_approved_by_their_proposer_or_nobody(shard: HostileShard, actor: str) -> None:
    kept(shard, topics.CONTROL_COMMANDS, (approved(SET), R.SAME_PERSON, "actor"), actor)


@pytest.mark.parametrize("name", MARKET)
def test_market_data_that_no_market_said(shard: HostileShard, name: str) -> None:
    kept(shard, topics.MARKET_DATA, MARKET[name])


def test_a_book_from_the_future(shard: HostileShard) -> None:
    book = framed(book_updated(), at_ns=shard.clock.at_ns + 60 * SECOND)
    kept(shard, topics.MARKET_DATA, (book, R.VALUE_OUT_OF_RANGE, "source_ns"))


@pytest.mark.parametrize(
    "message",
    [venue_defined("V7"), account_defined("A7"), crossing_declared(), instrument_defined()],
    ids=lambda message: type(message).__name__,
)
def test_the_first_version_of_a_definition_is_taken(shard: HostileShard, message: Any) -> None:
    version = shard.application.state.reference.version
    assert shard.ask(framed_v1(message), topic=topics.CONTROL_COMMANDS).said == []
    assert shard.application.state.reference.version == version + 1
