"""What a venue will probably cost, all in, by its five parts; less is better.

Units are 1e-9 basis points of the midpoint per unit of quantity. A resting child earns the half
spread when it fills, less what the price does afterwards, and is made up for at the other side
when it does not. One that takes walks through what is shown. Everybody who sends shows something.
Source: SPEC section 7, scorecard.
"""

from typing import Final, NamedTuple

from schemas.messages.core import Level, Side, Urgency
from streams.core.market import Quote, Venue, VenueBook
from streams.routing.state import Record

__all__ = [
    "FREE",
    "Cost",
    "Prices",
    "depth_at_touch",
    "expected_fill_e9",
    "fee_bps_e9",
    "half_spread_bps_e9",
    "halves_of",
    "hazard_e9",
    "midpoint",
    "prices_of",
    "resting",
    "taking",
    "urgent",
]

E9: Final = 1_000_000_000
BPS: Final = 10_000
_UNITS: Final = BPS * E9
_FEE_MAX_BPS_E9: Final = 10**17  # ten thousand times the notional: scores are recorded as 64 bits
# What is not filled costs as much more as its owner is in a hurry, in halves.
_URGENCY_HALVES: Final = {Urgency.PASSIVE: 1, Urgency.NEUTRAL: 2, Urgency.URGENT: 4}


class Cost(NamedTuple):
    fee_e9: int
    spread_e9: int  # adverse selection and what the record says beyond all parts included
    slippage_e9: int  # depth that is walked through, or what does not fill
    latency_e9: int
    leakage_e9: int

    @property
    def total_e9(self) -> int:
        return sum(self)


FREE: Final = Cost(0, 0, 0, 0, 0)


class Prices(NamedTuple):
    """The quote as costs need it, worked out once for a decision."""

    sign: int  # 1 for a buy, -1 for a sale
    mid_e9: int
    half_e9: int  # spread, as a price
    half_bps_e9: int  # spread, 1e-9 basis points of the midpoint


def prices_of(side: Side, quote: Quote) -> Prices:
    """Return a side's view of the quote. Rounds: half a spread down."""
    half_e9 = (quote.ask_e9 - quote.bid_e9) // 2
    sign = 1 if side is Side.BUY else -1
    return Prices(sign, quote.midpoint_e9, half_e9, half_spread_bps_e9(quote))


def taking(
    record: Record, book: VenueBook, prices: Prices, quantity: int, *, price_e9: int = 0
) -> Cost:
    """Return the cost of taking `quantity` there at an average of `price_e9`.

    `price_e9` 0: as its displayed depth says; what is beyond it comes a half spread behind.
    Rounds: down.
    """
    sign, mid_e9, half_e9, half = prices
    levels = book.asks if sign > 0 else book.bids
    if not levels:
        return FREE
    best_e9 = levels[0].price_e9
    touch = (best_e9 - mid_e9) * sign * _UNITS // mid_e9
    if not price_e9:
        price_e9 = _walked_e9(levels, quantity, sign * half_e9)
    walked = (price_e9 - mid_e9) * sign * _UNITS // mid_e9 - touch
    missed = E9 - record.fill_e9 * (E9 - record.rejects_e9) // E9
    venue, latency = book.venue, record.latency_e9
    return Cost(
        fee_bps_e9(venue.taker_fee_e9, venue.taker_fee_ppm, mid_e9),
        touch + record.correction_e9,
        walked + missed * (half + record.missed_e9) // E9,
        _latency(record, venue) if latency is None else latency,
        record.leakage_e9,
    )


def _walked_e9(levels: tuple[Level, ...], quantity: int, behind_e9: int) -> int:
    """Return the average price of taking so much; what is not shown comes `behind_e9` the last."""
    left, paid, last_e9 = quantity, 0, levels[0].price_e9
    for level in levels:
        part = min(left, level.quantity)
        paid += part * level.price_e9
        left -= part
        last_e9 = level.price_e9
        if not left:
            break
    return (paid + left * (last_e9 + behind_e9)) // quantity


def resting(record: Record, book: VenueBook, prices: Prices, quantity: int, cleanup: int) -> Cost:
    """Return the cost of resting `quantity` there and making up for what does not fill.

    `cleanup`: the fee of taking what is left, wherever that is cheapest.
    Rounds: down.
    """
    venue, mid_e9, half = book.venue, prices.mid_e9, prices.half_bps_e9
    depth = depth_at_touch(book)
    chance = record.fill_e9 * (E9 - record.rejects_e9) // E9 * depth // (depth + quantity)
    missed = E9 - chance
    maker = fee_bps_e9(venue.maker_fee_e9, venue.maker_fee_ppm, mid_e9)
    return Cost(
        (chance * maker + missed * cleanup) // E9,
        chance * (record.adverse_e9 - half) // E9 + record.correction_e9,
        missed * (half + record.missed_e9) // E9,
        _latency(record, venue),
        record.leakage_e9,
    )


def midpoint(record: Record, venue: Venue, mid_e9: int, other_e9: int) -> Cost:
    """Return the cost of a midpoint order whose unfilled part goes on at a cost of `other_e9`.

    Rounds: down.
    """
    chance = record.fill_e9 * (E9 - record.rejects_e9) // E9
    missed = E9 - chance
    return Cost(
        chance * fee_bps_e9(venue.taker_fee_e9, venue.taker_fee_ppm, mid_e9) // E9,
        chance * record.adverse_e9 // E9 + record.correction_e9,
        missed * (other_e9 + record.missed_e9) // E9,
        _latency(record, venue),
        record.leakage_e9,
    )


def urgent(cost: Cost, urgency: Urgency) -> int:
    """Return the cost with what does not fill weighed by the urgency of its owner."""
    return cost.total_e9 + cost.slippage_e9 * (halves_of(urgency) - 2) // 2


def halves_of(urgency: Urgency) -> int:
    """Return by how many halves the urgency weighs what does not fill."""
    return _URGENCY_HALVES.get(urgency, 2)


def expected_fill_e9(record: Record, depth: int, quantity: int) -> int:
    """Return what of a resting quantity fills: concave, most of it only where much trades.

    `depth` is what the venue shows at the best prices, as a measure of what trades there.
    Units:  1e-9 of a unit: a few shares are expected to fill by less than one of them.
    Rounds: down.
    """
    chance = record.fill_e9 * (E9 - record.rejects_e9) // E9
    return chance * quantity * depth // (depth + quantity)


def hazard_e9(record: Record, depth: int, quantity: int) -> int:
    """Return the chance that one more unit behind `quantity` fills: the slope of expected_fill."""
    chance = record.fill_e9 * (E9 - record.rejects_e9) // E9
    whole = depth + quantity
    return chance * depth * depth // (whole * whole)


def depth_at_touch(book: VenueBook) -> int:
    """Return a measure of what trades there while a child rests; 1 for a venue that shows nothing.

    What stands at the best prices of both sides.
    """
    bids, asks = book.bids, book.asks
    return (bids[0].quantity if bids else 0) + (asks[0].quantity if asks else 0) or 1


def half_spread_bps_e9(quote: Quote) -> int:
    """Return half the spread in 1e-9 basis points of the midpoint, rounded down."""
    bid_e9, ask_e9 = quote.bid_e9, quote.ask_e9
    return (ask_e9 - bid_e9) * _UNITS // (2 * ((bid_e9 + ask_e9) // 2))


def fee_bps_e9(fee_e9: int, fee_ppm: int, price_e9: int) -> int:
    """Return a fee per whole unit plus one on notional in 1e-9 basis points, rounded down."""
    cost = fee_e9 * _UNITS // price_e9
    if fee_ppm:
        cost += fee_ppm * (E9 // 100)
    if -_FEE_MAX_BPS_E9 < cost < _FEE_MAX_BPS_E9:
        return cost
    return _FEE_MAX_BPS_E9 if cost > 0 else -_FEE_MAX_BPS_E9


def _latency(record: Record, venue: Venue) -> int:
    """Return what the time until it answers costs: as measured, else 1 bp for a second of it."""
    if record.latency_e9 is not None:
        return record.latency_e9
    return 2 * venue.latency_ns if record.ack_ns is None else record.ack_ns
