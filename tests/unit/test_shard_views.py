"""What the shard knows of the market and adds to commands."""

from schemas.messages.core import BookState, Side, StrategyKind, VenueKind
from schemas.messages.intake import OrderAccepted
from schemas.messages.market import TradePrinted
from schemas.messages.strategy import ParentRecalibrated, VolumeForecast
from streams.core import topics
from streams.core.market import Quote
from streams.models.volume import forecast_volumes
from tests.support.builders import (
    ACME,
    OPEN_NS,
    SECOND,
    TICK,
    book_updated,
    new_order,
    venue_defined,
)
from tests.support.day import curve
from tests.support.shard_host import ListHost, trading_host


def quote(host: ListHost, after_ns: int = 0) -> Quote | None:
    host.app._knows.at_ns = host.now_ns + after_ns
    return host.app._knows.quote(ACME)


def test_the_quote_is_the_best_of_the_open_lit_venues() -> None:
    host = trading_host(venue_defined("D1", kind=VenueKind.DARK))
    host.send(
        topics.MARKET_DATA,
        book_updated("V1", 9_998, 10_002),
        book_updated("V2", 9_999, 10_003),
        book_updated("V3", 10_000, 10_001, state=BookState.HALTED),
        book_updated("D1", 10_000, 10_001),
        book_updated("V9", 10_000, 10_001),
    )
    best = quote(host)
    assert best is not None
    assert (best.bid_e9, best.bid_venue_id) == (9_999 * TICK, "V2")
    assert (best.ask_e9, best.ask_venue_id) == (10_002 * TICK, "V1")


def test_a_book_that_is_too_old_is_no_quote() -> None:
    host = trading_host()
    assert quote(host, 2 * SECOND) is not None
    assert quote(host, 2 * SECOND + 1) is None


def test_one_side_alone_is_no_quote() -> None:
    host = trading_host()
    host.send(topics.MARKET_DATA, *[book_updated(f"V{n}", asks=()) for n in range(1, 4)])
    assert quote(host) is None


def test_an_older_book_that_comes_late_is_passed_over() -> None:
    host = trading_host()
    host.put(topics.MARKET_DATA, book_updated("V1", 9_000, 9_002), source_ns=OPEN_NS - 1)
    host.step()
    best = quote(host)
    assert best is not None
    assert best.ask_e9 == 10_001 * TICK


def test_a_dark_venue_takes_orders_without_a_book() -> None:
    host = trading_host(venue_defined("D1", kind=VenueKind.DARK))
    books = host.app._knows.books(ACME)
    assert books is not None
    assert [book.venue.venue_id for book in books.books] == ["D1", "V1", "V2", "V3"]


def test_an_ats_takes_orders_by_its_book_which_is_no_part_of_the_quote() -> None:
    host = trading_host(venue_defined("B1", kind=VenueKind.ATS))
    books = host.app._knows.books(ACME)
    assert books is not None
    assert [book.venue.venue_id for book in books.books] == ["V1", "V2", "V3"]
    host.send(topics.MARKET_DATA, book_updated("B1", 10_000, 10_001))
    best, books = quote(host), host.app._knows.books(ACME)
    assert best is not None and books is not None
    assert best.bid_e9 == 9_999 * TICK
    assert [book.venue.venue_id for book in books.books] == ["B1", "V1", "V2", "V3"]


def printed(quantity: int, own_quantity: int) -> TradePrinted:
    return TradePrinted(
        venue_id="V1",
        instrument_id=ACME,
        price_e9=10_000 * TICK,
        quantity=quantity,
        own_quantity=own_quantity,
        aggressor=Side.BUY,
        is_hidden=False,
    )


def test_own_prints_are_no_market_volume() -> None:
    host = trading_host(curve(ACME))
    for after_s, message in ((0, printed(100, 30)), (31, printed(50, 0)), (62, printed(5, 0))):
        host.put(topics.MARKET_DATA, message, source_ns=OPEN_NS + after_s * SECOND)
    host.step(OPEN_NS + 62 * SECOND)
    assert host.app.state.market.others_quantity(ACME) == 125
    prints = host.app.state.market.prints(ACME)
    assert prints.observed(2, prints.first_bin_ns) == (70, 50)
    assert prints.observed(4, prints.first_bin_ns) == (70, 50, 5, None)
    assert prints.observed(2, prints.first_bin_ns + 1) == (None, None)  # of another day


def test_a_vwap_parent_begins_with_a_recorded_forecast_that_its_plan_follows() -> None:
    host = trading_host(curve(ACME))
    host.send(topics.ORDERS_COMMANDS, new_order(strategy=StrategyKind.VWAP, quantity=900))
    host.pass_time(SECOND)
    (forecast,) = host.messages(VolumeForecast)
    assert (forecast.bin_start_ns, forecast.bin_ns) == (OPEN_NS, 30 * SECOND)
    assert forecast.volumes == forecast_volumes(curve(ACME), (), 0)
    order = [type(event.message) for event in host.batches[-1].outputs]
    assert order.index(VolumeForecast) < order.index(ParentRecalibrated)


def test_a_forecast_is_made_once_a_bin() -> None:
    host = trading_host(curve(ACME))
    host.send(topics.ORDERS_COMMANDS, new_order(strategy=StrategyKind.VWAP, quantity=900))
    host.pass_time(100 * SECOND)
    starts = [forecast.bin_start_ns for forecast in host.messages(VolumeForecast)]
    assert starts == sorted(set(starts))
    assert len(starts) > 1


def test_other_strategies_ask_for_no_forecast_unless_their_rate_is_capped() -> None:
    for cap, expected in ((10_000, 0), (2_000, 1)):
        host = trading_host(curve(ACME))
        host.send(topics.ORDERS_COMMANDS, new_order(participation_cap_bps=cap))
        host.pass_time(SECOND)
        assert len(host.messages(VolumeForecast)) == expected


def test_the_arrival_price_is_the_midpoint_and_null_without_a_quote() -> None:
    host = trading_host()
    host.send(topics.ORDERS_COMMANDS, new_order("c1"))
    host.send(topics.ORDERS_COMMANDS, new_order("c2"), after_ns=10 * SECOND)
    prices = [message.arrival_price_e9 for message in host.messages(OrderAccepted)]
    assert prices == [10_000 * TICK, None]
