"""Halts: what the market says of itself reaches quotes, strategies, routing and orders."""

from typing import Any

import pytest

from schemas.messages.core import (
    BookState,
    LimitState,
    RejectReason,
    StrategyKind,
    TradingStatus,
    VenueKind,
)
from schemas.messages.intake import OrderAccepted
from schemas.messages.strategy import SliceReleased
from streams.core import topics
from streams.core.market import Instrument
from tests.support.builders import (
    ACME,
    OPEN_NS,
    SECOND,
    book_updated,
    instrument_defined,
    new_order,
    venue_defined,
)
from tests.support.calendars import (
    HOUR,
    MIDNIGHT_NS,
    calendar_defined,
    status_changed,
)
from tests.support.shard_host import ListHost, trading_host

S = TradingStatus


def terms(host: ListHost) -> Instrument:
    return host.app._knows.terms(ACME)


# status, halted, auction, state of every book
STATUSES = [
    (S.HALTED, True, False, BookState.HALTED),
    (S.PAUSED, True, False, BookState.PAUSED),
    (S.AUCTION, False, True, BookState.AUCTION),
    (S.CLOSED, False, False, BookState.CLOSED),
]


@pytest.mark.parametrize(("status", "is_halted", "is_auction", "state"), STATUSES)
def test_a_stop_of_the_whole_market_is_seen_by_everybody(
    status: S, is_halted: bool, is_auction: bool, state: BookState
) -> None:
    host = trading_host(venue_defined("D1", kind=VenueKind.DARK))
    knows = host.app._knows
    assert knows.quote(ACME) is not None
    host.send(topics.MARKET_DATA, status_changed(status))
    assert (terms(host).is_halted, terms(host).is_auction) == (is_halted, is_auction)
    assert knows.quote(ACME) is None
    assert not knows.market(ACME).is_open
    books = knows.books(ACME)
    assert books is not None
    assert {book.state for book in books.books} == {state}
    host.send(topics.MARKET_DATA, status_changed(S.TRADING))
    assert knows.market(ACME).is_open
    assert knows.quote(ACME) is not None
    assert not terms(host).is_halted


def test_a_stop_at_one_venue_takes_its_quote_away() -> None:
    host = trading_host()
    host.send(topics.MARKET_DATA, book_updated("V2", 10_000, 10_001))
    host.send(topics.MARKET_DATA, status_changed(S.PAUSED, "V2"))
    quote = host.app._knows.quote(ACME)
    assert quote is not None
    assert quote.bid_venue_id == "V1"
    books = host.app._knows.books(ACME)
    assert books is not None
    assert [book.state for book in books.books] == [
        BookState.OPEN, BookState.PAUSED, BookState.OPEN,
    ]  # fmt: skip
    assert not terms(host).is_halted


def test_an_older_status_that_comes_late_is_passed_over() -> None:
    host = trading_host()
    host.put(topics.MARKET_DATA, status_changed(S.HALTED), source_ns=OPEN_NS + 5)
    host.put(topics.MARKET_DATA, status_changed(S.TRADING), source_ns=OPEN_NS + 4)
    host.step()
    assert terms(host).is_halted


def test_bands_and_limit_state_are_told() -> None:
    host = trading_host()
    host.send(
        topics.MARKET_DATA,
        status_changed(
            S.TRADING, limit_state=LimitState.LIMIT_UP, lower_band_e9=95, upper_band_e9=105
        ),
    )
    told = terms(host)
    assert (told.limit_state, told.lower_band_e9, told.upper_band_e9) == (
        LimitState.LIMIT_UP, 95, 105,
    )  # fmt: skip


@pytest.mark.parametrize("bands", [(-1, 0), (0, -1), (105, 95)])
def test_bands_that_no_market_has_are_refused(bands: tuple[int, int]) -> None:
    host = trading_host()
    wrong = status_changed(S.HALTED, lower_band_e9=bands[0], upper_band_e9=bands[1])
    messages = host.send(topics.MARKET_DATA, wrong)
    assert [m.reason for m in messages] == [RejectReason.VALUE_OUT_OF_RANGE]
    assert not terms(host).is_halted


def test_a_strategy_releases_nothing_in_a_halt() -> None:
    host = trading_host()
    host.send(topics.ORDERS_COMMANDS, new_order(strategy=StrategyKind.TWAP, quantity=6_000))
    host.pass_time(2 * SECOND)
    host.send(topics.MARKET_DATA, status_changed())
    before = len(host.messages(SliceReleased))
    host.pass_time(600 * SECOND)
    assert len(host.messages(SliceReleased)) == before
    host.send(topics.MARKET_DATA, status_changed(S.TRADING))
    _quote(host)
    host.pass_time(60 * SECOND)
    assert len(host.messages(SliceReleased)) > before


def _quote(host: ListHost) -> None:
    host.send(topics.MARKET_DATA, *[book_updated(f"V{n}") for n in range(1, 4)])


def test_a_disabled_venue_is_not_routed_to_and_still_quotes() -> None:
    host = trading_host(*[venue_defined(f"V{n}", is_enabled=False) for n in range(1, 4)])
    books = host.app._knows.books(ACME)
    assert books is not None
    assert {book.state for book in books.books} == {BookState.CLOSED}
    assert host.app._knows.quote(ACME) is not None


# hour of the day, is the market open, state of the books
LUNCH = [
    (10, True, BookState.OPEN),
    (12.5, False, BookState.CLOSED),
    (16.1, False, BookState.AUCTION),
    (19, False, BookState.CLOSED),
]


@pytest.mark.parametrize(("hour", "is_open", "state"), LUNCH)
def test_the_calendar_closes_the_market_for_lunch(
    hour: float, is_open: bool, state: BookState
) -> None:
    host = _calendar_host(hour)
    knows = host.app._knows
    assert knows.market(ACME).is_open == is_open
    assert (knows.quote(ACME) is not None) == is_open
    books = knows.books(ACME)
    assert books is not None
    assert {book.state for book in books.books} == {state}


def test_an_order_is_accepted_in_the_session_of_the_calendar_and_not_after() -> None:
    accepted = []
    for hour in (10, 12.5, 19):
        host = _calendar_host(hour)
        host.send(topics.ORDERS_COMMANDS, new_order(trade_date=20241004))
        accepted.append(len(host.messages(OrderAccepted)))
    assert accepted == [1, 1, 0]


def test_lunch_begins_and_ends_without_anybody_saying_so() -> None:
    """The last book is young enough all the time: what ends is continuous trading."""
    host = _calendar_host(12 - 1 / 3_600)
    knows = host.app._knows
    open_by_s = []
    for seconds in (0, 1, 2):
        host.step(host.now_ns + (SECOND if seconds else 0))
        open_by_s.append((knows.quote(ACME) is not None, knows.market(ACME).is_open))
    assert open_by_s == [(True, True), (False, False), (False, False)]
    host.now_ns = MIDNIGHT_NS + 13 * HOUR
    _quote(host)
    assert knows.quote(ACME) is not None


def _calendar_host(hour: float, *definitions: Any) -> ListHost:
    host = ListHost()
    host.now_ns = MIDNIGHT_NS + int(hour * HOUR)
    known = trading_host(calendar_defined(), instrument_defined(calendar_id="X"), *definitions)
    for inbound in known.inputs[0]:
        host.put(inbound.record.topic, inbound.message)
    host.step()
    return host
