"""The market as this shard sees it, folded from market.data records."""

from collections.abc import Mapping

import msgspec

from schemas.messages.control import VolumeCurveDefined
from schemas.messages.core import (
    BookState,
    Envelope,
    Level,
    LimitState,
    PrintKind,
    TradingStatus,
    VenueKind,
)
from schemas.messages.market import (
    AuctionIndicated,
    BookUpdated,
    TradePrinted,
    TradingStatusChanged,
)
from streams.core.market import Auction, Quote, Venue, VenueBook
from streams.shard.auctions import auctions_of, keep_auction, likely_price
from streams.shard.crossed_books import note_crossing
from streams.shard.prints import Prints

__all__ = ["STATES", "MarketStatus", "MarketView"]

NO_EVENT = bytes(16)
NEVER_NS = 1 << 62
NO_PRINTS = Prints()
SAMPLE_NS = 1_000_000_000  # spreads are sampled with the first book of each second
SAMPLES_MAX = 301  # of which the median is taken: five minutes
SAMPLES_MIN = 10  # fewer say nothing of what is usual


class Book(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The newest book of one venue and instrument."""

    state: BookState
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    at_ns: int
    event_id: bytes


class MarketStatus(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The newest word on whether an instrument trades, at one venue or everywhere."""

    status: TradingStatus
    limit_state: LimitState
    lower_band_e9: int
    upper_band_e9: int
    at_ns: int

    @property
    def is_halted(self) -> bool:
        """Whether trading was stopped, for long or short; an auction or the close is no halt."""
        return self.status in (TradingStatus.HALTED, TradingStatus.PAUSED)


class LastTrade(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The newest trade of an instrument, at any venue, our own included."""

    price_e9: int
    at_ns: int
    event_id: bytes


class InstrumentMarket(msgspec.Struct, array_like=True):
    """One instrument. Quantities in smallest units, own children's part removed."""

    books: dict[str, Book] = {}
    prints: Prints = msgspec.field(default_factory=Prints)
    statuses: dict[str, MarketStatus] = {}  # by venue; empty id: the whole market
    spreads: list[int] = []  # newest last; kept while a declaration asks for their median
    sampled: int = -1  # ordinal of the newest second with a sample
    last: LastTrade | None = None
    auctions: dict[str, Auction] = {}  # see auctions.py
    crossed: dict[str, int] = {}  # by venue: since when its book stands through the others'


class MarketView(msgspec.Struct):
    instruments: dict[str, InstrumentMarket] = {}
    crossed_max_ns: int = NEVER_NS  # of the settings

    def apply_book(self, envelope: Envelope, message: BookUpdated) -> None:
        """Keep the newest book; an older one, come late, is passed over."""
        market = self._market(message.instrument_id)
        at_ns = envelope.source_ns or envelope.at_ns
        known = market.books.get(message.venue_id)
        if known is not None and known.at_ns > at_ns:
            return
        market.books[message.venue_id] = Book(
            message.state, message.bids, message.asks, at_ns, envelope.event_id
        )
        if len(market.books) > 1:
            note_crossing(market.books, market.crossed, message.venue_id, at_ns)

    def apply_trade(
        self, envelope: Envelope, message: TradePrinted, curve: VolumeCurveDefined | None
    ) -> None:
        """Count what others traded; the price of a print outside the book is no last price."""
        market = self._market(message.instrument_id)
        at_ns = envelope.source_ns or envelope.at_ns
        is_continuous = market.prints.add(message, at_ns, curve)
        is_price = is_continuous or message.kind is PrintKind.AUCTION
        if is_price and (market.last is None or market.last.at_ns <= at_ns):
            market.last = LastTrade(message.price_e9, at_ns, envelope.event_id)

    def apply_status(self, envelope: Envelope, message: TradingStatusChanged) -> None:
        """Keep the newest status; an older one, come late, is passed over."""
        market = self._market(message.instrument_id)
        at_ns = envelope.source_ns or envelope.at_ns
        known = market.statuses.get(message.venue_id)
        if known is not None and known.at_ns > at_ns:
            return
        market.statuses[message.venue_id] = MarketStatus(
            message.status,
            message.limit_state,
            message.lower_band_e9,
            message.upper_band_e9,
            at_ns,
        )

    def apply_auction(self, envelope: Envelope, message: AuctionIndicated) -> None:
        """Keep what a venue says of its auction."""
        keep_auction(self._market(message.instrument_id).auctions, envelope, message)

    def auction_price(self, instrument_id: str, at_ns: int, age_max_ns: int) -> Auction | None:
        """Return the newest auction of late that names a price; None where there is none."""
        market = self.instruments.get(instrument_id)
        known = {} if market is None else market.auctions
        return likely_price(known, at_ns, age_max_ns) if known else None

    def auctions(self, instrument_id: str) -> tuple[Auction, ...]:
        """Return what the venues said last of their auctions; nothing where none holds one."""
        market = self.instruments.get(instrument_id)
        return () if market is None or not market.auctions else auctions_of(market.auctions)

    def status(self, instrument_id: str) -> MarketStatus | None:
        """Return the whole market's status; None when nothing was ever said."""
        market = self.instruments.get(instrument_id)
        return None if market is None else market.statuses.get("")

    def last_trade(self, instrument_id: str) -> LastTrade | None:
        """Return the newest trade; None before the first."""
        market = self.instruments.get(instrument_id)
        return None if market is None else market.last

    def others_quantity(self, instrument_id: str) -> int:
        market = self.instruments.get(instrument_id)
        return 0 if market is None else market.prints.others_quantity

    def prints(self, instrument_id: str) -> Prints:
        """Return what is counted of others' prints; nothing before the first."""
        market = self.instruments.get(instrument_id)
        return NO_PRINTS if market is None else market.prints

    def quote(
        self, instrument_id: str, venues: Mapping[str, Venue], at_ns: int, age_max_ns: int
    ) -> tuple[Quote | None, int]:
        """Return best bid and offer over the open lit venues, and until when that holds.

        None unless both sides are there. It holds until the first of its books is too old, or
        until a book comes.
        """
        market = self.instruments.get(instrument_id)
        if market is None:
            return None, NEVER_NS
        bid = ask = None
        until_ns = NEVER_NS
        for venue_id, book in sorted(market.books.items()):
            expires_ns = book.at_ns + age_max_ns
            if venue_id in market.crossed:
                crossed_ns = market.crossed[venue_id] + self.crossed_max_ns
                if at_ns > crossed_ns:
                    continue
                expires_ns = min(expires_ns, crossed_ns)
            if at_ns > expires_ns or not _is_quoting(venues.get(venue_id), book, market):
                continue
            until_ns = min(until_ns, expires_ns)
            if book.bids and (bid is None or book.bids[0].price_e9 > bid[1].bids[0].price_e9):
                bid = (venue_id, book)
            if book.asks and (ask is None or book.asks[0].price_e9 < ask[1].asks[0].price_e9):
                ask = (venue_id, book)
        if bid is None or ask is None:
            return None, until_ns
        best = Quote(
            bid_e9=bid[1].bids[0].price_e9,
            ask_e9=ask[1].asks[0].price_e9,
            bid_venue_id=bid[0],
            ask_venue_id=ask[0],
            bid_event_id=bid[1].event_id,
            ask_event_id=ask[1].event_id,
            at_ns=min(bid[1].at_ns, ask[1].at_ns),
        )
        return best, until_ns

    def sample_spread(
        self, instrument_id: str, venues: Mapping[str, Venue], at_ns: int, age_max_ns: int
    ) -> None:
        """Note the consolidated spread if it is the first book of its second."""
        market = self._market(instrument_id)
        if at_ns // SAMPLE_NS <= market.sampled:
            return
        market.sampled = at_ns // SAMPLE_NS
        quote, _ = self.quote(instrument_id, venues, at_ns, age_max_ns)
        if quote is not None and quote.ask_e9 > quote.bid_e9:
            market.spreads.append(quote.ask_e9 - quote.bid_e9)
            del market.spreads[:-SAMPLES_MAX]

    def median_spread_e9(self, instrument_id: str) -> int | None:
        """Return the lower median of the samples; None while there are too few."""
        market = self.instruments.get(instrument_id)
        if market is None or len(market.spreads) < SAMPLES_MIN:
            return None
        return sorted(market.spreads)[(len(market.spreads) - 1) // 2]

    def interruption(self, instrument_id: str, venues: Mapping[str, Venue]) -> BookState:
        """Return the first interruption at a lit venue; OPEN when there is none.

        A venue that is closed has other hours; one that halts, pauses or calls an auction may know
        something that the others' quotes do not show yet.
        """
        market = self.instruments.get(instrument_id)
        if market is None:
            return BookState.OPEN
        for venue_id, book in sorted(market.books.items()):
            venue = venues.get(venue_id)
            if venue is not None and venue.kind is VenueKind.LIT:
                state = _state(venue, book, market.statuses.get(venue_id))
                if state in INTERRUPTIONS:
                    return state
        return BookState.OPEN

    def books(
        self,
        instrument_id: str,
        venues: Mapping[str, Venue],
        state_of_all: BookState | None = None,
        shut: Mapping[str, BookState] | None = None,
    ) -> tuple[VenueBook, ...]:
        """Return every venue's book by venue_id; a dark venue needs none to take orders.

        A venue that is disabled or does not trade the instrument is shown with that state, and all
        of them with `state_of_all` when it is given; those `shut` by their own calendars with that.
        """
        market = self.instruments.get(instrument_id)
        crossed = {} if market is None else market.crossed
        shut = shut or {}
        books = {} if market is None else market.books
        statuses = {} if market is None else market.statuses
        return tuple(
            VenueBook(
                venue=venue,
                state=state_of_all
                or shut.get(venue_id)
                or _state(venue, book, statuses.get(venue_id)),
                bids=book.bids,
                asks=book.asks,
                at_ns=book.at_ns,
                event_id=book.event_id,
                crossed_since_ns=crossed.get(venue_id, 0),
            )
            for venue_id, venue in sorted(venues.items())
            if (book := books.get(venue_id) or _DARK_BOOKS.get(venue.kind)) is not None
        )

    def is_open(self, instrument_id: str, venues: Mapping[str, Venue]) -> bool:
        """Return whether at least one lit venue is open."""
        market = self.instruments.get(instrument_id)
        return market is not None and any(
            _is_quoting(venues.get(venue_id), book, market)
            for venue_id, book in market.books.items()
        )

    def _market(self, instrument_id: str) -> InstrumentMarket:
        market = self.instruments.get(instrument_id)
        if market is None:
            market = self.instruments[instrument_id] = InstrumentMarket()
        return market


_DARK_BOOKS = {VenueKind.DARK: Book(BookState.OPEN, (), (), 0, NO_EVENT)}


STATES = {
    TradingStatus.HALTED: BookState.HALTED,
    TradingStatus.PAUSED: BookState.PAUSED,
    TradingStatus.AUCTION: BookState.AUCTION,
    TradingStatus.CLOSED: BookState.CLOSED,
}


INTERRUPTIONS = (BookState.HALTED, BookState.AUCTION, BookState.PAUSED)


def _state(venue: Venue, book: Book, status: MarketStatus | None) -> BookState:
    """Return the state as our children would meet it."""
    if not venue.is_enabled:
        return BookState.CLOSED
    return book.state if status is None else STATES.get(status.status, book.state)


def _is_quoting(venue: Venue | None, book: Book, market: InstrumentMarket) -> bool:
    """Return whether the venue's quote counts; whether we may trade there does not matter."""
    if venue is None or venue.kind is not VenueKind.LIT or book.state is not BookState.OPEN:
        return False
    if not market.statuses:
        return True
    status = market.statuses.get(venue.venue_id)
    return status is None or status.status not in STATES
