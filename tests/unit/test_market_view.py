"""The consolidated market: crossed and stale books, sessions of venues, and the recorded tapes."""

from typing import NamedTuple

import pytest

from schemas.messages.control import CalendarDefined
from schemas.messages.core import (
    BookState,
    Envelope,
    FeeTier,
    Level,
    PhaseKind,
    RejectReason,
    Session,
    SessionPhase,
    VenueKind,
)
from schemas.messages.market import BookUpdated
from schemas.messages.routing import VenueSuspended
from schemas.messages.venues import ConnectionChanged
from services.venues.frames import BookTarget
from services.venues.scenario import Day, Scenario, plan_day
from streams.core import topics
from streams.core.envelope import outside_envelope
from streams.core.market import Quote
from streams.routing.upkeep import forget_days
from streams.shard.knowledge import Knowledge
from streams.shard.market import MarketView
from streams.shard.reference import values
from tests.support.builders import (
    ACME,
    OPEN_NS,
    SECOND,
    TRADE_DATE,
    book_updated,
    venue,
    venue_defined,
)
from tests.support.shard_host import trading_host
from tests.support.shared import shared

AGE_NS = 100 * SECOND
CROSSED_MAX_NS = 2 * SECOND
VENUES = {f"V{n}": venue(f"V{n}") for n in range(1, 5)}


def envelope(at_ns: int) -> Envelope:
    return outside_envelope(bytes(16), at_ns, "")


def seen(*books: tuple[int, BookUpdated]) -> MarketView:
    """Return a view after these books, each with the second of its arrival."""
    view = MarketView(crossed_max_ns=CROSSED_MAX_NS)
    for second, book in books:
        view.apply_book(envelope(OPEN_NS + second * SECOND), book)
    return view


def quote_at(view: MarketView, second: int) -> Quote | None:
    return view.quote(ACME, VENUES, OPEN_NS + second * SECOND, AGE_NS)[0]


def crossed(view: MarketView) -> dict[str, int]:
    since = view.instruments[ACME].crossed
    return {name: (at_ns - OPEN_NS) // SECOND for name, at_ns in since.items()}


AWAY = book_updated("V3", 10_010, 10_012)  # its bid stands through the others' offers


def test_a_book_through_two_others_is_theirs_who_shows_it_and_left_out_after_a_while() -> None:
    view = seen((0, book_updated("V1")), (0, book_updated("V2")), (1, AWAY))
    assert crossed(view) == {"V3": 1}
    at_once, later = quote_at(view, 3), quote_at(view, 4)
    assert at_once is not None and at_once.bid_e9 > at_once.ask_e9
    assert later is not None and later.bid_e9 < later.ask_e9
    assert "V3" not in (later.bid_venue_id, later.ask_venue_id)


def test_the_quote_says_when_a_crossed_book_leaves_it() -> None:
    view = seen((0, book_updated("V1")), (0, book_updated("V2")), (1, AWAY))
    _, until_ns = view.quote(ACME, VENUES, OPEN_NS + 2 * SECOND, AGE_NS)
    assert until_ns == OPEN_NS + SECOND + CROSSED_MAX_NS


def test_of_two_that_cross_the_older_book_is_wrong_and_stays_so() -> None:
    away = book_updated("V2", 10_010, 10_012)
    view = seen((0, book_updated("V1")), (1, away))
    assert crossed(view) == {"V1": 1}
    view.apply_book(envelope(OPEN_NS + 2 * SECOND), book_updated("V1"))
    assert crossed(view) == {"V1": 1}  # shown again as it was: still the one


@pytest.mark.parametrize(
    "cure",
    [
        book_updated("V3"),
        book_updated("V3", state=BookState.HALTED),
        book_updated("V3", bids=(), asks=()),
    ],
)
def test_a_book_that_no_longer_crosses_counts_again(cure: BookUpdated) -> None:
    view = seen((0, book_updated("V1")), (0, book_updated("V2")), (1, AWAY), (2, cure))
    assert crossed(view) == {}


def test_a_locked_book_crosses_nobody() -> None:
    view = seen((0, book_updated("V1")), (1, book_updated("V2", 10_001, 10_003)))
    assert crossed(view) == {}


def test_every_venue_keeps_its_own_depth_and_the_crossed_one_says_since_when() -> None:
    view = seen((0, book_updated("V1")), (0, book_updated("V2", size=7)), (1, AWAY))
    books = {book.venue.venue_id: book for book in view.books(ACME, VENUES)}
    assert [len(books[name].bids) for name in ("V1", "V2", "V3")] == [5, 5, 5]
    assert books["V2"].bids[0].quantity == 7
    assert books["V3"].crossed_since_ns == OPEN_NS + SECOND
    assert books["V1"].crossed_since_ns == 0


def night(open_ns: int) -> CalendarDefined:
    """Return a calendar with one session of an hour."""
    trading = SessionPhase(
        kind=PhaseKind.CONTINUOUS, start_ns=open_ns, end_ns=open_ns + 3_600 * SECOND, cutoff_ns=0
    )
    return CalendarDefined(
        calendar_id="NIGHT",
        first_date=TRADE_DATE,
        last_date=TRADE_DATE,
        sessions=(Session(trade_date=TRADE_DATE, phases=(trading,)),),
        settlement_dates=(TRADE_DATE,),
    )


def test_a_venue_outside_its_own_session_shows_no_quote_and_gets_no_child() -> None:
    host = trading_host()
    terms = venue_defined("V1", calendar_id="NIGHT")
    host.send(topics.CONTROL_COMMANDS, night(OPEN_NS + 60 * SECOND), terms)
    knows = Knowledge(host.app.state)
    states = []
    for second in (1, 61):
        host.now_ns = OPEN_NS + second * SECOND
        host.send(topics.MARKET_DATA, *[book_updated(f"V{n}") for n in range(1, 4)])
        knows.at_ns = host.now_ns
        knows.forget()
        quote, books = knows.quote(ACME), knows.books(ACME)
        assert quote is not None and books is not None
        states.append((books.books[0].state, quote.bid_venue_id))
    assert states == [(BookState.CLOSED, "V2"), (BookState.OPEN, "V1")]


def test_fees_and_throttles_are_this_shards_at_its_own_volume() -> None:
    tiers = (FeeTier(from_quantity=50, taker_fee_e9=1, maker_fee_e9=-9),)
    host = trading_host(venue_defined("V2", fee_tiers=tiers, messages_per_s=10))
    host.app.state.risk.partitions = 4
    knows = Knowledge(host.app.state)
    for volume, fee in ((49, 3_000_000), (50, 1)):
        host.app.state.routing.volumes["V2"] = volume
        terms = knows.venues_now.terms()["V2"]
        assert (terms.taker_fee_e9, terms.messages_per_s) == (fee, 2)


def test_what_was_traded_before_the_log_counts_in_the_month_in_which_it_began() -> None:
    tiers = (FeeTier(from_quantity=50, taker_fee_e9=1, maker_fee_e9=-9),)
    host = trading_host(venue_defined("V2", fee_tiers=tiers, month_quantity=60))
    state, knows, fees = host.app.state.routing, Knowledge(host.app.state), []
    for trade_date in (20250627, 20250630, 20250701):
        ahead = knows.venues_now.terms(trade_date)["V2"].taker_fee_e9
        forget_days(state, trade_date)
        fees.append(knows.venues_now.terms()["V2"].taker_fee_e9)
        assert ahead == fees[-1], "the month's first child is priced as those after it"
        state.volumes["V2"] = 10
    assert fees == [1, 1, 3_000_000]
    state.volumes["V2"] = 50
    assert knows.venues_now.terms()["V2"].taker_fee_e9 == 1


def test_a_lost_session_is_heard_on_every_partition_and_known_venues_only() -> None:
    host = trading_host()
    lost = ConnectionChanged(venue_id="V1", is_connected=False, text="socket", transact_ns=0)
    (down,) = host.send(topics.VENUES_REPORTS, lost)
    assert isinstance(down, VenueSuspended) and down.venue_id == "V1"
    unknown = ConnectionChanged(venue_id="V9", is_connected=False, text="", transact_ns=0)
    (letter,) = host.send(topics.VENUES_REPORTS, unknown)
    assert (letter.reason, letter.value) == (RejectReason.UNKNOWN_VENUE, "V9")


class Replay(NamedTuple):
    """What a tape showed, by instrument and second."""

    quotes: int
    crossed: int  # quotes that are
    unexplained: int  # of them, where no venue's data crosses another's
    data: int  # instants at which the data itself is crossed


def replay(day: Day) -> Replay:
    """Show every book of a day to the market view and ask for the quote after each step."""
    venues = {name: values.venue(terms) for name, terms in day.terms.venues.items()}
    view = MarketView(crossed_max_ns=CROSSED_MAX_NS)
    quotes = crossed_quotes = unexplained = data = 0
    for step in range(day.open_steps + 1):
        at_ns = day.terms.start_ns + step * day.terms.step_ns
        targets = day.source.frame(step).targets
        for target in targets:
            view.apply_book(envelope(at_ns), _book(target))
        for instrument_id in day.terms.instruments:
            open_books = [
                each
                for each in targets
                if each.instrument_id == instrument_id
                and each.state is BookState.OPEN
                and venues[each.venue_id].kind is VenueKind.LIT
            ]
            bids = [each.bids[0][0] for each in open_books if each.bids]
            asks = [each.asks[0][0] for each in open_books if each.asks]
            is_data_crossed = bool(bids and asks) and max(bids) > min(asks)
            quote, _ = view.quote(instrument_id, venues, at_ns, AGE_NS)
            is_crossed = quote is not None and quote.bid_e9 > quote.ask_e9
            quotes += quote is not None
            data += is_data_crossed
            crossed_quotes += is_crossed
            unexplained += is_crossed and not is_data_crossed
    return Replay(quotes, crossed_quotes, unexplained, data)


def _book(target: BookTarget) -> BookUpdated:
    return BookUpdated(
        venue_id=target.venue_id,
        instrument_id=target.instrument_id,
        state=target.state,
        bids=tuple(Level(price_e9=price, quantity=size) for price, size in target.bids),
        asks=tuple(Level(price_e9=price, quantity=size) for price, size in target.asks),
    )


@pytest.mark.slow
def test_the_whole_lobster_day_has_no_crossed_best_quote() -> None:
    day = plan_day(Scenario(tape=shared("data/lobster"), minutes=390, orders=0))
    assert replay(day) == Replay(quotes=23_400, crossed=0, unexplained=0, data=0)


def test_the_binance_tape_has_crossed_best_quotes_only_where_its_data_is_crossed() -> None:
    """Spot and futures differ by their basis all the time; the guard leaves one of them out."""
    day = plan_day(Scenario(tape=shared("data/binance"), minutes=6, orders=0))
    found = replay(day)
    assert found.unexplained == 0
    assert found.data == 343
    assert found.crossed == 3  # the two seconds in which nobody knows yet, and the first
