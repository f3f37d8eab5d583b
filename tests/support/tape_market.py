"""What a shard knows of a recorded or generated market, second by second; it trades nothing."""

from collections.abc import Iterator
from typing import Any

from schemas.messages.control import InstrumentDefined
from schemas.messages.core import BookState, Level, MarketEstimate, VenueKind
from schemas.messages.market import BookUpdated, TradePrinted
from services.venues.frames import Frame
from streams.core.envelope import outside_envelope
from streams.core.market import Instrument, Quote, Venue
from streams.routing import RoutingState
from streams.shard.estimates import Estimators, estimate_of
from streams.shard.market import MarketView
from tests.support.builders import SECOND, instrument, venue

AGE_MAX_NS = 5 * SECOND


class TapeMarket:
    """Market view and estimators of one instrument, fed frame by frame."""

    def __init__(self, defined: InstrumentDefined, venue_ids: tuple[str, ...]) -> None:
        self.terms: Instrument = instrument(
            instrument_id=defined.instrument_id,
            tick_e9=defined.tick_e9,
            lot=defined.lot,
            quantity_scale=defined.quantity_scale,
            session_open_ns=defined.session_open_ns,
            session_close_ns=defined.session_open_ns + 23_400 * SECOND,
        )
        self.venues: dict[str, Venue] = {
            name: venue(name, kind=VenueKind.LIT) for name in venue_ids
        }
        self.view = MarketView()
        self.known = Estimators()
        self.routing = RoutingState()

    def see(self, frame: Frame, at_ns: int, *, state: BookState | None = None) -> None:
        """Take one second: its trades, then its books; `state` instead of what they say."""
        for trade in frame.trades:
            if trade.instrument_id == self.terms.instrument_id:
                self._print(trade)
        for target in frame.targets:
            is_lit = bool(target.bids or target.asks)
            if target.instrument_id != self.terms.instrument_id or not is_lit:
                continue
            book = BookUpdated(
                venue_id=target.venue_id,
                instrument_id=target.instrument_id,
                state=state or target.state,
                bids=_levels(target.bids),
                asks=_levels(target.asks),
            )
            self.view.apply_book(outside_envelope(bytes(16), at_ns, "tape"), book)
            self.known.apply_book(self.view, book, self.venues, at_ns, AGE_MAX_NS)

    def quote(self, at_ns: int) -> Quote | None:
        name = self.terms.instrument_id
        return self.view.quote(name, self.venues, at_ns, AGE_MAX_NS)[0]

    def estimate(self, at_ns: int) -> MarketEstimate | None:
        quote = self.quote(at_ns)
        return estimate_of(self.known, self.view, self.routing, self.terms, quote, at_ns=at_ns)

    def _print(self, trade: Any) -> None:
        name = self.terms.instrument_id
        price_e9 = trade.price_e9
        if price_e9 is None:
            books = self.view.instruments.get(name)
            book = None if books is None else books.books.get(trade.venue_id)
            if book is None or not book.asks:
                return
            price_e9 = book.asks[0].price_e9
        printed = TradePrinted(
            venue_id=trade.venue_id,
            instrument_id=name,
            price_e9=price_e9,
            quantity=trade.quantity,
            own_quantity=0,
            aggressor=trade.aggressor,
            is_hidden=trade.is_hidden,
        )
        envelope = outside_envelope(bytes(16), trade.at_ns, "tape")
        self.view.apply_trade(envelope, printed, None)
        self.known.apply_trade(printed)


def moments(
    market: TapeMarket, source: Any, start_ns: int, steps: int
) -> Iterator[tuple[int, MarketEstimate]]:
    """Feed the frames and return the estimate of each fifth second, once there is one."""
    for step in range(steps):
        at_ns = start_ns + step * SECOND
        market.see(source.frame(step), at_ns)
        estimate = market.estimate(at_ns) if step % 5 == 4 else None
        if estimate is not None and market.quote(at_ns) is not None:
            yield at_ns, estimate


def _levels(levels: Any) -> tuple[Level, ...]:
    return tuple([Level(price_e9=price_e9, quantity=size) for price_e9, size in levels[:5]])
