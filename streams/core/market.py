"""What deciders are told of the market: plain values, taken from the market view by the shard."""

import msgspec

from schemas.messages.core import BookState, Level, VenueKind

__all__ = ["Instrument", "Quote", "Venue", "VenueBook"]


class Instrument(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Trading terms in force. Units as in schemas/control/InstrumentDefined."""

    instrument_id: str
    currency: str
    tick_e9: int
    lot: int
    quantity_scale: int
    maximum_quantity: int
    session_open_ns: int
    session_close_ns: int
    trade_date: int

    def cash_e9(self, price_e9: int, quantity: int) -> int:
        """Return price times quantity in cash.

        Units:  1e-9 currency units.
        Rounds: never; definitions make tick times lot whole. Off-grid input (a midpoint times an
                odd unit, a fractional venue price) rounds half even, which the checker repeats.
        """
        whole, rest = divmod(price_e9 * quantity, self.quantity_scale)
        twice = 2 * rest
        if twice > self.quantity_scale or (twice == self.quantity_scale and whole & 1):
            return whole + 1
        return whole


class Venue(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Terms of a venue in force. Units as in schemas/control/VenueDefined."""

    venue_id: str
    kind: VenueKind
    taker_fee_e9: int
    maker_fee_e9: int
    taker_fee_ppm: int
    maker_fee_ppm: int
    minimum_quantity: int
    latency_ns: int


class VenueBook(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One venue's newest book of one instrument; a dark venue's has no levels."""

    venue: Venue
    state: BookState
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    at_ns: int
    event_id: bytes


class Quote(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Consolidated best bid and offer over the lit venues that are open."""

    bid_e9: int
    ask_e9: int
    bid_venue_id: str
    ask_venue_id: str
    bid_event_id: bytes
    ask_event_id: bytes
    at_ns: int  # of the older side

    @property
    def midpoint_e9(self) -> int:
        """Exact: definitions make every tick even in 1e-9 units."""
        return (self.bid_e9 + self.ask_e9) // 2
