"""More venues of the generated market: dark pools and an ATS of different quality, to learn from.

All of it is assumed. What differs is what a scorecard is for: how often somebody is there, with how
much, and who it is. An informed counterparty knows where the price goes in the next half minute and
stands on the other side of it; its venue is toxic for whoever it fills.
"""

from collections.abc import Sequence
from random import Random
from typing import Final, NamedTuple

from schemas.messages.control import VenueDefined
from schemas.messages.core import BookState, Side, VenueKind
from services.venues.assumptions import TICK_E9, Share, make_venue
from services.venues.chances import stream
from services.venues.frames import BookTarget, ContraInterest, MarketTrade

__all__ = ["ATS", "HORIZON_NS", "POOLS", "Pool", "ats_target", "interest", "redirect", "venues"]

SECOND_NS: Final = 1_000_000_000
HORIZON_NS: Final = 30 * SECOND_NS  # how far the informed see
PER_CENT: Final = 100


class Pool(NamedTuple):
    """One dark pool. Sizes are per cent of the mean trade size and equally likely."""

    venue_id: str
    per_mille: int  # of seconds in which somebody comes
    sizes: tuple[int, ...]
    wait_s: int  # how long they stay
    informed_per_cent: int


# Many small orders, most of them of somebody who knows; and a crossing network for blocks, where
# seldom anybody is and nobody knows anything. A few sizes stand for a tail that falls as a power.
POOLS: Final = (
    Pool("MIRK", 150, (50, 50, 75, 100, 100, 150, 200, 300), 5, 75),
    Pool("NOOK", 10, (1_000, 1_500, 2_000, 2_500, 4_000, 6_000, 10_000, 20_000), 120, 0),
)
ATS: Final = "GATE"
ATS_DEPTH_PER_CENT: Final = 12  # of what is displayed at a price on all lit venues
ATS_TRADES_PER_CENT: Final = 8  # of the others' trades
ATS_INFORMED_PER_CENT: Final = 40  # of them
INSIDE_PER_CENT: Final = 25  # of steps in which it shows a better price on one side
# Of the others' trades at the lit venues; the inverted one, where takers are paid, sees the fewest.
LIT_INFORMED_PER_CENT: Final = {"NORD": 12, "OST": 15, "SUED": 5}


def venues() -> tuple[VenueDefined, ...]:
    """Return the definitions of the additional venues."""
    return (
        make_venue("MIRK", VenueKind.DARK, 300_000, 300_000, latency_ms=1),
        make_venue("NOOK", VenueKind.DARK, 1_500_000, 1_500_000, latency_ms=8, minimum=100),
        make_venue(ATS, VenueKind.ATS, 1_200_000, -200_000, latency_ms=2),
    )


def interest(
    random: Random, pool: Pool, share: Share, start_ns: int, step_ns: int, *, drift: int
) -> ContraInterest | None:
    """Return who comes to a pool in a step, if anybody; `drift`: where the price is going."""
    if random.randrange(1_000 * SECOND_NS) >= pool.per_mille * step_ns:
        return None
    side = Side.BUY if random.getrandbits(1) else Side.SELL
    if random.randrange(PER_CENT) < pool.informed_per_cent and drift:
        side = Side.BUY if drift > 0 else Side.SELL
    at_ns = start_ns + 1 + random.randrange(step_ns - 1)
    size = pool.sizes[random.randrange(len(pool.sizes))]
    return ContraInterest(
        at_ns,
        pool.venue_id,
        share.instrument_id,
        side,
        max(share.trade_size * size // PER_CENT, 1),
        at_ns + pool.wait_s * SECOND_NS,
    )


def ats_target(
    seed: int, share: Share, step: int, state: BookState, *, bid: int, ask: int
) -> BookTarget:
    """Return the ATS's book: little at the best prices, now and then a tick better on one side."""
    random = stream(seed, f"ats/{share.instrument_id}", step // 2)
    size = max(share.depth * ATS_DEPTH_PER_CENT // PER_CENT, 1)
    sizes = [max(size * (50 + random.randrange(101)) // PER_CENT, 1) for _ in range(4)]
    is_inside, is_bid = random.randrange(PER_CENT) < INSIDE_PER_CENT, bool(random.getrandbits(1))
    bids, asks = [(bid, sizes[0]), (bid - 1, sizes[1])], [(ask, sizes[2]), (ask + 1, sizes[3])]
    if is_inside and ask - bid > 1:
        if is_bid:
            bids.insert(0, (bid + 1, max(size // 2, 1)))
        else:
            asks.insert(0, (ask - 1, max(size // 2, 1)))
    return BookTarget(
        ATS,
        share.instrument_id,
        state,
        tuple([(price * TICK_E9, quantity) for price, quantity in bids]),
        tuple([(price * TICK_E9, quantity) for price, quantity in asks]),
    )


def redirect(random: Random, trades: Sequence[MarketTrade], drift: int) -> list[MarketTrade]:
    """Let some of an instrument's trades be at the ATS, and some be of those who know."""
    found = []
    for trade in trades:
        where, who = random.randrange(PER_CENT), random.randrange(PER_CENT)
        venue_id = ATS if where < ATS_TRADES_PER_CENT else trade.venue_id
        known = ATS_INFORMED_PER_CENT
        if venue_id != ATS:
            known = LIT_INFORMED_PER_CENT[venue_id]
        side = trade.aggressor
        if who < known and drift:
            side = Side.BUY if drift > 0 else Side.SELL
        found.append(trade._replace(venue_id=venue_id, aggressor=side))
    return found
