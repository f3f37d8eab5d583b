"""What deciders are told of the market: plain values, taken from the market view by the shard."""

from collections.abc import Sequence
from typing import Final

import msgspec

from schemas.messages.core import (
    BookState,
    FeeTier,
    Level,
    LimitState,
    OrderType,
    PhaseKind,
    SelfTradeRule,
    Side,
    TickBand,
    TradingStatus,
    VenueKind,
)

__all__ = [
    "AUCTION_REPORTS_NS",
    "Account",
    "Auction",
    "Instrument",
    "Quote",
    "Venue",
    "VenueBook",
]

# How long after an auction its executions are waited for: two steps of a tape and a slow venue.
AUCTION_REPORTS_NS: Final = 10_000_000_000


class Account(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who an order is for, as reference data in force say."""

    account_id: str
    tenant: str
    client_id: str
    owner_id: str  # beneficial owner; its orders never trade against each other
    desk_ids: tuple[str, ...] = ()  # that may trade it; empty for all
    is_enabled: bool = True
    is_house: bool = False
    is_cross_allowed: bool = True  # consent of the account and of its client
    is_short_sale_allowed: bool = True
    is_client_known: bool = True  # always so where the tenant has no register of clients
    is_client_enabled: bool = True


class Instrument(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Trading terms in force. Units as in schemas/control/InstrumentDefined.

    The session is the one under way, else the next one; the times below are of that session, and
    all of them zero when the calendar knows neither. It is under way from the start of its first
    phase to the end of its last; open and close bound its continuous trading, lunch included.
    """

    instrument_id: str
    currency: str
    tick_e9: int
    lot: int
    quantity_scale: int
    maximum_quantity: int
    session_open_ns: int
    session_close_ns: int
    trade_date: int
    tick_bands: tuple[TickBand, ...] = ()  # ascending; empty: tick_e9 at every price
    entry_open_ns: int = 0  # orders are accepted from then on; 0: from session_open_ns
    open_cutoff_ns: int = 0  # AT_OPEN orders are accepted before; 0: there is no opening auction
    opening_auction_start_ns: int = 0  # 0: no opening auction
    close_cutoff_ns: int = 0  # AT_CLOSE orders are accepted before; 0: no closing auction
    next_open_ns: int = 0  # of the session after it; 0 when the calendar knows none
    is_halted: bool = False
    is_short_sale_allowed: bool = True
    average_daily_volume: int = 0  # smallest units; 0 when unknown
    allocation_lot: int = 1  # smallest units
    calendar_id: str = ""  # empty: one session, as the definition says
    settlement_calendar_id: str = ""
    settlement_days: int = 1
    phase: PhaseKind = PhaseKind.UNKNOWN  # by the calendar, now; UNKNOWN: outside, or no calendar
    is_half_day: bool = False
    closing_auction_end_ns: int = 0  # 0: no closing auction
    status: TradingStatus = TradingStatus.TRADING  # of the whole market, as it says itself
    limit_state: LimitState = LimitState.NONE
    lower_band_e9: int = 0  # price band of limit up, limit down; 0 for none
    upper_band_e9: int = 0

    @property
    def is_auction(self) -> bool:
        """Whether orders collect for an auction now, by the calendar or by the market's word."""
        return self.status is TradingStatus.AUCTION or self.phase in _AUCTIONS

    @property
    def is_continuous(self) -> bool:
        """Whether nothing known forbids continuous trading now."""
        is_open = self.phase is PhaseKind.CONTINUOUS or not self.calendar_id
        return is_open and self.status is TradingStatus.TRADING

    def tick_at(self, price_e9: int) -> int:
        """Return the price increment at that price, 1e-9 currency units."""
        tick_e9 = self.tick_e9
        for band in self.tick_bands:
            if price_e9 < band.from_price_e9:
                break
            tick_e9 = band.tick_e9
        return tick_e9

    def floor_to_tick(self, price_e9: int) -> int:
        """Return the highest price on the grid that is not above."""
        return price_e9 - price_e9 % self.tick_at(price_e9)

    def ceil_to_tick(self, price_e9: int) -> int:
        """Return the lowest price on the grid that is not below; where bands meet, grids do."""
        return price_e9 + -price_e9 % self.tick_at(price_e9)

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


def tier_at(tiers: Sequence[FeeTier], reached: int) -> FeeTier | None:
    """Return the tier of an own quantity; None below the first. Tiers ascend."""
    found = None
    for each in tiers:
        if each.from_quantity > reached:
            break
        found = each
    return found


_AUCTIONS = (PhaseKind.OPENING_AUCTION, PhaseKind.CLOSING_AUCTION)


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
    is_enabled: bool = True  # whether children may be sent
    order_types: tuple[OrderType, ...] = ()  # taken there; empty for all
    tick_e9: int = 0  # its own increment; 0 for the instrument's
    lot: int = 0  # its own lot, smallest units; 0 for the instrument's
    fee_tiers: tuple[FeeTier, ...] = ()  # ascending
    month_quantity: int = 0  # own quantity there before this log: where tiers begin to count
    self_trade_rule: SelfTradeRule = SelfTradeRule.UNKNOWN
    cancel_after_ns: int = 0  # least life of an order
    messages_per_s: int = 0  # orders, replaces and cancels of this shard; 0 for no bound
    slow_after_ns: int = 0  # longest honest answer; 0 for routing's own bound
    calendar_id: str = ""  # its own sessions; empty: the instrument's

    def at_quantity(self, own_quantity: int, *, is_first_month: bool = True) -> "Venue":
        """Return the terms with the fees of the tier that so much own volume has reached.

        What was traded before this log counts in the month in which it began.
        """
        before = self.month_quantity if is_first_month else 0
        tier = tier_at(self.fee_tiers, before + own_quantity)
        if tier is None:
            return self
        return msgspec.structs.replace(
            self, taker_fee_e9=tier.taker_fee_e9, maker_fee_e9=tier.maker_fee_e9
        )


class VenueBook(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One venue's newest book of one instrument; a dark venue's has no levels."""

    venue: Venue
    state: BookState
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    at_ns: int
    event_id: bytes
    crossed_since_ns: int = 0  # since when it stands through the others' quotes; 0: it does not


class Auction(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a venue said last of one of its auctions. Units as in schemas/market/AuctionIndicated.

    `traded_quantity` is what the venue's auctions of that kind have traded so far, in all.
    """

    venue_id: str
    kind: PhaseKind
    price_e9: int | None
    quantity: int
    imbalance_quantity: int
    imbalance_side: Side
    cutoff_ns: int
    uncross_ns: int
    is_primary: bool
    is_final: bool = False
    traded_quantity: int = 0
    reference_price_e9: int | None = None
    at_ns: int = 0  # when it said so
    event_id: bytes = bytes(16)

    @property
    def likely_price_e9(self) -> int | None:
        """Return the price that it would make, else the one that it goes by; None for neither."""
        return self.reference_price_e9 if self.price_e9 is None else self.price_e9


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
