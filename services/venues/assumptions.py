"""The generated market in numbers: assumed, for eight invented shares and four invented venues.

Sizes are those of mid-priced US shares: a spread of one to three ticks, a few hundred shares a
level, trades of about a hundred, a quarter of volume against hidden orders (LOBSTER's AMZN day
shows 24 %), 1 to 2 % daily volatility. Venue fees follow the usual maker-taker and inverted forms.
"""

from typing import NamedTuple

from schemas.messages.control import VenueDefined
from schemas.messages.core import VenueKind
from services.venues.uncross import MarginRule

__all__ = [
    "AUCTION_RULES",
    "AUCTION_SHARES",
    "DARK",
    "DARK_VENUES",
    "GENERATED_VENUES",
    "LIT_SHARES",
    "SHARES",
    "TENANT",
    "TICK_E9",
    "Share",
    "crypto_venues",
    "make_venue",
    "share_venues",
]

TENANT = "HOUSE"
TICK_E9 = 10_000_000  # 0.01
MILLISECOND = 1_000_000  # ns
DARK = "DUSK"
DARK_VENUES = (DARK, "MIRK", "NOOK")  # the last two in a wide market only: pools.py
LIT_SHARES = {"NORD": 50, "OST": 30, "SUED": 20}  # per cent of displayed size and of trades
GENERATED_VENUES = (*LIT_SHARES, DARK)


class Share(NamedTuple):
    """One invented instrument."""

    instrument_id: str
    price_ticks: int  # at the open
    daily_volume: int  # shares in an average day
    volatility_bps: int  # standard deviation of a day's return
    spread_ticks: int
    depth: int  # shares displayed at a level, over all venues
    trade_size: int  # mean shares of a trade


# Per cent of an auction's volume by the venue that calls it; the first one is the primary. Primary
# listings hold most of the auction volume of US shares, one competitor some of it.
AUCTION_SHARES = {"NORD": 80, "OST": 20}
AUCTION_RULES = {"NORD": MarginRule.TIME, "OST": MarginRule.PRO_RATA}

# Two on each of four partitions (murmur2), so that no shard of the demo is idle.
SHARES = (
    Share("ALDER", 4_120, 2_100_000, 140, 2, 1_200, 110),
    Share("BIRCH", 8_755, 1_300_000, 120, 3, 900, 90),
    Share("CEDAR", 2_380, 3_200_000, 190, 1, 2_400, 140),
    Share("ELDER", 15_260, 900_000, 110, 4, 600, 70),
    Share("HAZEL", 5_905, 1_700_000, 150, 2, 1_100, 100),
    Share("MAPLE", 3_340, 2_600_000, 170, 2, 1_500, 120),
    Share("ROWAN", 11_480, 1_050_000, 130, 3, 700, 80),
    Share("YEW", 6_615, 1_500_000, 160, 2, 1_000, 95),
)


def share_venues() -> tuple[VenueDefined, ...]:
    """Return three lit venues and one dark: two of maker-taker fees, one inverted."""
    return (
        make_venue("NORD", VenueKind.LIT, 3_000_000, -2_000_000, latency_ms=1),
        make_venue("OST", VenueKind.LIT, 2_800_000, -1_500_000, latency_ms=2),
        make_venue("SUED", VenueKind.LIT, -600_000, 1_200_000, latency_ms=3),
        make_venue(DARK, VenueKind.DARK, 1_000_000, 1_000_000, latency_ms=4, minimum=10),
    )


def crypto_venues() -> tuple[VenueDefined, ...]:
    """Return the two recorded venues with fees like their published first tiers."""
    return (
        make_venue("BINANCE_SPOT", VenueKind.LIT, 0, 0, latency_ms=5, ppm=(1_000, 1_000)),
        make_venue("BINANCE_USDM", VenueKind.LIT, 0, 0, latency_ms=5, ppm=(500, 200)),
    )


def make_venue(
    venue_id: str,
    kind: VenueKind,
    taker_fee_e9: int,
    maker_fee_e9: int,
    *,
    latency_ms: int,
    minimum: int = 1,
    ppm: tuple[int, int] = (0, 0),
) -> VenueDefined:
    """Return a venue's terms. `ppm`: fees on notional, taker's and maker's."""
    return VenueDefined(
        venue_id=venue_id,
        name=venue_id.replace("_", " ").title(),
        kind=kind,
        taker_fee_e9=taker_fee_e9,
        maker_fee_e9=maker_fee_e9,
        taker_fee_ppm=ppm[0],
        maker_fee_ppm=ppm[1],
        minimum_quantity=minimum,
        latency_ns=latency_ms * MILLISECOND,
    )
