"""The last seconds of every venue's best prices, so that a quote of a while ago can be told.

A view of inputs: `restore` rebuilds it from market.data. A fill is marked at its own instant, which
lies before the batch that brings it, and 100 ms after it, which lies before the timer.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from schemas.messages.core import BookState, Envelope, MarkedQuote, VenueKind
from schemas.messages.market import BookUpdated
from streams.core.market import Venue

__all__ = ["TopsView"]

TOPS_MAX: Final = 1_024  # of an instrument; then the older half is dropped


class Top(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Best prices of one venue from then on; 0 for none. An interruption has none."""

    at_ns: int
    venue_id: str
    bid_e9: int
    ask_e9: int


class Tops(msgspec.Struct, array_like=True):
    """Of one instrument, in the order in which they came."""

    changes: list[Top] = []
    newest: dict[str, Top] = {}  # by venue


class TopsView(msgspec.Struct):
    """By instrument."""

    instruments: dict[str, Tops] = {}

    def apply_book(self, envelope: Envelope, message: BookUpdated) -> None:
        """Note the best prices if they changed."""
        tops = self.instruments.get(message.instrument_id)
        if tops is None:
            tops = self.instruments[message.instrument_id] = Tops()
        bid_e9 = ask_e9 = 0
        if message.state is BookState.OPEN:
            bid_e9 = message.bids[0].price_e9 if message.bids else 0
            ask_e9 = message.asks[0].price_e9 if message.asks else 0
        known = tops.newest.get(message.venue_id)
        if known is not None and known.bid_e9 == bid_e9 and known.ask_e9 == ask_e9:
            return
        at_ns = envelope.source_ns or envelope.at_ns
        if known is not None and known.at_ns > at_ns:  # come late
            return
        top = Top(at_ns, message.venue_id, bid_e9, ask_e9)
        tops.newest[message.venue_id] = top
        tops.changes.append(top)
        if len(tops.changes) >= TOPS_MAX:
            _drop_older(tops)

    def quote(self, instrument_id: str, at_ns: int, venues: Mapping[str, Venue]) -> MarkedQuote:
        """Return the best bid and offer over the lit venues as they stood at the instant.

        Where the memory does not reach so far back, as of its beginning.
        """
        tops = self.instruments.get(instrument_id)
        standing: dict[str, Top] = {}
        if tops is not None:
            standing = _standing(tops, at_ns)
        bids, asks = [], []
        for venue_id, top in standing.items():
            venue = venues.get(venue_id)
            if venue is None or venue.kind is not VenueKind.LIT:
                continue
            bids += [top.bid_e9] if top.bid_e9 else []
            asks += [top.ask_e9] if top.ask_e9 else []
        return MarkedQuote(
            instrument_id=instrument_id,
            at_ns=at_ns,
            bid_e9=max(bids, default=None),
            ask_e9=min(asks, default=None),
        )


def _standing(tops: Tops, at_ns: int) -> dict[str, Top]:
    """Return each venue's top as of the instant; where memory does not reach, its first."""
    standing = {each: top for each, top in tops.newest.items() if top.at_ns <= at_ns}
    wanted = len(tops.newest) - len(standing)
    if not wanted:
        return standing
    later: dict[str, Top] = {}
    for top in reversed(tops.changes):
        if top.at_ns > at_ns:
            later[top.venue_id] = top  # the earliest of them is seen last
        elif top.venue_id not in standing:
            standing[top.venue_id] = top
            wanted -= 1
            if not wanted:
                return standing
    return later | standing


def _drop_older(tops: Tops) -> None:
    """Drop the older half, but of each venue keep the newest of it: that is what stood then."""
    half = len(tops.changes) // 2
    kept: dict[str, Top] = {}
    for top in tops.changes[:half]:
        kept.pop(top.venue_id, None)
        kept[top.venue_id] = top
    tops.changes[:half] = kept.values()
