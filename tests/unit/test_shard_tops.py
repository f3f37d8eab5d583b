"""Quotes of a while ago, as the books stood then."""

from schemas.messages.core import BookState, Envelope, VenueKind
from streams.core.envelope import outside_envelope
from streams.shard.tops import TOPS_MAX, TopsView
from tests.support.builders import ACME, OPEN_NS, SECOND, TICK, book_updated, venue

VENUES = {each: venue(each) for each in ("V1", "V2")} | {"D1": venue("D1", kind=VenueKind.DARK)}


def envelope(at_ns: int) -> Envelope:
    return outside_envelope(bytes(16), 0, "feed", source_ns=at_ns)


def told(*books: tuple[int, str, int, int]) -> TopsView:
    """Return the view after books of (second, venue, bid, ask), prices in ticks."""
    tops = TopsView()
    for second, venue_id, bid, ask in books:
        tops.apply_book(envelope(OPEN_NS + second * SECOND), book_updated(venue_id, bid, ask))
    return tops


def quoted(tops: TopsView, second: float) -> tuple[int | None, int | None]:
    mark = tops.quote(ACME, OPEN_NS + int(second * SECOND), VENUES)
    assert mark.instrument_id == ACME
    return mark.bid_e9 and mark.bid_e9 // TICK, mark.ask_e9 and mark.ask_e9 // TICK


def test_the_quote_is_that_of_the_instant_over_all_venues() -> None:
    tops = told((0, "V1", 99, 103), (1, "V2", 98, 101), (3, "V1", 100, 102), (5, "V2", 97, 103))
    assert quoted(tops, 0.5) == (99, 101)  # V2 as of the beginning of what is remembered
    assert quoted(tops, 1) == (99, 101)
    assert quoted(tops, 2.9) == (99, 101)
    assert quoted(tops, 3) == (100, 101)
    assert quoted(tops, 60) == (100, 102)


def test_an_interruption_has_no_price_and_a_dark_venue_none_that_counts() -> None:
    tops = told((0, "V1", 99, 103), (0, "D1", 100, 100))
    assert quoted(tops, 1) == (99, 103)
    halted = book_updated("V1", 99, 103, state=BookState.HALTED)
    tops.apply_book(envelope(OPEN_NS + 2 * SECOND), halted)
    assert quoted(tops, 1) == (99, 103)
    assert quoted(tops, 2) == (None, None)


def test_what_nobody_quotes_has_no_quote() -> None:
    assert quoted(TopsView(), 1) == (None, None)


def test_a_book_come_late_is_passed_over() -> None:
    tops = told((5, "V1", 99, 103), (4, "V1", 90, 110))
    assert quoted(tops, 6) == (99, 103)


def test_the_memory_is_bounded_and_keeps_what_stood() -> None:
    books = [(second, "V1", 99 + second % 2, 103) for second in range(3 * TOPS_MAX)]
    tops = told((0, "V2", 98, 101), *books)
    assert len(tops.instruments[ACME].changes) < TOPS_MAX
    assert quoted(tops, 3 * TOPS_MAX)[1] == 101
