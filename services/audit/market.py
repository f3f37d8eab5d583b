"""The books in force at each instant of a batch, to hold a cross's evidence against."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from services.audit.records import Entry
from services.audit.reference import Reference

__all__ = ["Market", "Quote"]

Message = dict[str, Any]
STOPPED = ("HALTED", "PAUSED", "AUCTION")
SECOND_NS = 1_000_000_000
SAMPLES_MAX, SAMPLES_MIN = 301, 10  # of the rolling median spread: docs/adr/0016


class Book(NamedTuple):
    """A venue's newest book; its levels stay bytes until somebody asks."""

    state: str
    at_ns: int
    event_id: bytes
    value: bytes


class Quote(NamedTuple):
    """Best bid and offer with where they come from."""

    bid_e9: int
    ask_e9: int
    bid: tuple[str, bytes]  # venue and event of the book
    ask: tuple[str, bytes]
    at_ns: int


class Market:
    """Newest books and statuses of one shard's instruments; it grows with venues only."""

    def __init__(self, read: Callable[[bytes], Message], reference: Reference) -> None:
        self._read = read
        self._reference = reference
        self._books: dict[str, dict[str, Book]] = {}
        self._statuses: dict[str, dict[str, tuple[int, Message]]] = {}
        self._spreads: dict[str, list[int]] = {}
        self._sampled: dict[str, int] = {}
        # This batch's changes: where, under which key, what stood there before.
        self._changes: dict[str, list[tuple[dict[str, Any], str, Any]]] = {}
        self._levels: tuple[bytes, Message] = (b"", {})

    def begin(self) -> None:
        """Begin a batch: what was before it is settled."""
        self._changes = {}

    def keep_book(self, entry: Entry) -> None:
        """Note a book; an older one that comes late changes nothing."""
        m, envelope = entry.message, entry.envelope
        instrument_id, at_ns = m["instrument_id"], envelope["source_ns"] or envelope["at_ns"]
        books = self._books.setdefault(instrument_id, {})
        known = books.get(m["venue_id"])
        if known is None or known.at_ns <= at_ns:
            book = Book(m["state"], at_ns, envelope["event_id"], entry.raw.value)
            self._put(instrument_id, books, m["venue_id"], book)
        if self._reference.is_median_wanted():
            self._sample(instrument_id, at_ns)

    def keep_status(self, entry: Entry) -> None:
        """Note a trading status, of a venue or (empty venue) of the whole market."""
        m, envelope = entry.message, entry.envelope
        at_ns = envelope["source_ns"] or envelope["at_ns"]
        statuses = self._statuses.setdefault(m["instrument_id"], {})
        known = statuses.get(m["venue_id"])
        if known is None or known[0] <= at_ns:
            self._put(m["instrument_id"], statuses, m["venue_id"], (at_ns, m))

    def _put(self, instrument_id: str, where: dict[str, Any], key: str, value: Any) -> None:
        self._changes.setdefault(instrument_id, []).append((where, key, where.get(key)))
        where[key] = value

    def instants(self, instrument_id: str, *, is_end_only: bool) -> Iterator[None]:
        """Put the market into each state that it had in this batch, its end first, then back."""
        changes = list(reversed(self._changes.get(instrument_id, [])))
        undone: list[tuple[dict[str, Any], str, Any]] = []
        try:
            yield
            for where, key, before in () if is_end_only else changes:
                undone.append((where, key, where[key]))
                if before is None:
                    del where[key]
                else:
                    where[key] = before
                yield
        finally:
            for where, key, after in reversed(undone):
                where[key] = after

    def quotes(self, instrument_id: str, now_ns: int) -> Iterator[Quote | None]:
        """Give the quote, and if it is crossed, what it is without one of the venues that cross.

        The engine leaves out a book that stands through the others' for too long. Whose it is may
        be seen in two ways; that without it the market is not crossed can be proved.
        """
        whole = self.quote(instrument_id, now_ns)
        yield whole
        if whole is not None and whole.bid_e9 > whole.ask_e9:
            for venue_id in (whole.bid[0], whole.ask[0]):
                yield self.quote(instrument_id, now_ns, without=venue_id)

    def quote(self, instrument_id: str, now_ns: int, without: str = "") -> Quote | None:
        """Return the best of the open lit venues whose books are not too old; both sides."""
        best_bid: tuple[int, str, Book] | None = None
        best_ask: tuple[int, str, Book] | None = None
        for venue_id, book in sorted(self._books.get(instrument_id, {}).items()):
            if venue_id == without or not self._is_quoting(instrument_id, venue_id, book):
                continue
            if now_ns - book.at_ns > self._reference.quote_age_max_ns():
                continue
            levels = self._levels_of(book)
            bids, asks = levels["bids"], levels["asks"]
            if bids and (best_bid is None or bids[0]["price_e9"] > best_bid[0]):
                best_bid = (bids[0]["price_e9"], venue_id, book)
            if asks and (best_ask is None or asks[0]["price_e9"] < best_ask[0]):
                best_ask = (asks[0]["price_e9"], venue_id, book)
        if best_bid is None or best_ask is None:
            return None
        return Quote(
            bid_e9=best_bid[0],
            ask_e9=best_ask[0],
            bid=(best_bid[1], best_bid[2].event_id),
            ask=(best_ask[1], best_ask[2].event_id),
            at_ns=min(best_bid[2].at_ns, best_ask[2].at_ns),
        )

    def interruption(self, instrument_id: str, both_e9: int) -> str:
        """Return what interrupts trading; empty when nothing does. `both_e9`: bid plus ask."""
        statuses = self._statuses.get(instrument_id, {})
        _, whole = statuses.get("", (0, {}))
        if whole.get("status", "TRADING") != "TRADING":
            return f"the market is {whole['status']}"
        upper_e9, lower_e9 = whole.get("upper_band_e9", 0), whole.get("lower_band_e9", 0)
        is_outside = both_e9 < 2 * lower_e9 or (upper_e9 and both_e9 > 2 * upper_e9)
        if whole.get("limit_state", "NONE") != "NONE" or is_outside:
            return f"the price is at its limit, {lower_e9} to {upper_e9}"
        for venue_id, book in sorted(self._books.get(instrument_id, {}).items()):
            venue = self._reference.venue(venue_id)
            if venue is None or venue["kind"] != "LIT" or not venue.get("is_enabled", True):
                continue
            word = statuses.get(venue_id, (0, {}))[1].get("status", "")
            state = word if word in (*STOPPED, "CLOSED") else book.state
            if state in STOPPED:
                return f"{venue_id} is {state}"
        return ""

    def median_spread_e9(self, instrument_id: str) -> int:
        """Return the lower median of the samples; 0 while there are too few."""
        spreads = sorted(self._spreads.get(instrument_id, []))
        return spreads[(len(spreads) - 1) // 2] if len(spreads) >= SAMPLES_MIN else 0

    def _sample(self, instrument_id: str, at_ns: int) -> None:
        second = at_ns // SECOND_NS
        if second <= self._sampled.get(instrument_id, -1):
            return
        self._sampled[instrument_id] = second
        quote = self.quote(instrument_id, at_ns)
        if quote is not None and quote.ask_e9 > quote.bid_e9:
            spreads = self._spreads.setdefault(instrument_id, [])
            spreads.append(quote.ask_e9 - quote.bid_e9)
            del spreads[:-SAMPLES_MAX]

    def _is_quoting(self, instrument_id: str, venue_id: str, book: Book) -> bool:
        venue = self._reference.venue(venue_id)
        if venue is None or venue["kind"] != "LIT" or book.state != "OPEN":
            return False
        word = self._statuses.get(instrument_id, {}).get(venue_id, (0, {}))[1].get("status", "")
        return word not in (*STOPPED, "CLOSED")

    def _levels_of(self, book: Book) -> Message:
        if self._levels[0] is not book.value:
            self._levels = (book.value, self._read(book.value))
        return self._levels[1]
