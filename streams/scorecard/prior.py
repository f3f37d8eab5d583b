"""What is thought of a venue before it has shown anything: the model in force, else its terms."""

from typing import Final, NamedTuple

from schemas.messages.core import OrderKind
from streams.core.market import Venue
from streams.scorecard.commands import BucketMarket
from streams.scorecard.curve import BINS, Hazards
from streams.scorecard.estimate import E9, Known
from streams.scorecard.marks import bps_e9
from streams.scorecard.model import CellModel

__all__ = ["PRIOR_WEIGHT", "Prior", "base_hazards", "prior_of", "taker_fee_e9"]

PRIOR_WEIGHT: Final = 4 * E9  # children: what terms say is forgotten soon
REJECTS_E9: Final = E9 // 100
FEE_MAX_BPS_E9: Final = 10**12
# An error so large that what all venues show takes its place.
UNKNOWN_ERROR: Final = 10**12
# Within each bin of age, of what is at risk in it: fill, away.
_BASE: Final = {
    OrderKind.PASSIVE: (E9 // 20, E9 // 20),
    OrderKind.DARK: (E9 // 20, E9 // 100),
}
_AT_ONCE: Final = {
    OrderKind.AGGRESSIVE: (800_000_000, 150_000_000),
    OrderKind.AUCTION: (900_000_000, 50_000_000),
}


class Prior(NamedTuple):
    """The prior of a cell; without a model the hazards are those that all venues show."""

    model: CellModel | None
    weight: int
    rejects: Known
    price: Known
    fee: Known
    leakage: Known
    missed: Known


def base_hazards(kind: OrderKind) -> Hazards:
    """Return the hazards that one child counts like, before any was sent."""
    if kind in _AT_ONCE:
        fill, away = _AT_ONCE[kind]
        rest = (0,) * (BINS - 1)
        return Hazards((fill, *rest), (away, *rest))
    fill, away = _BASE.get(kind, (0, 0))
    return Hazards((fill,) * BINS, (away,) * BINS)


def taker_fee_e9(venue: Venue, midpoint_e9: int) -> int:
    """Return the fee of taking there, 1e-9 basis points, rounded down."""
    return _fee(venue.taker_fee_e9, venue.taker_fee_ppm, midpoint_e9)


def prior_of(
    kind: OrderKind, venue: Venue | None, market: BucketMarket, model: CellModel | None
) -> Prior:
    """Return the prior of a cell: of its venue's terms, each worth four children, or the model's.

    A venue that is no longer defined has no terms: it is held for free, and is not routed to.
    """
    if model is not None:
        return Prior(
            model,
            model.weight,
            model.rejects,
            model.price,
            model.fee,
            model.leakage,
            model.missed,
        )
    half, midpoint_e9, fee = market.half_spread_bps_e9, market.midpoint_e9, 0
    if venue is not None and midpoint_e9 > 0:
        fee = taker_fee_e9(venue, midpoint_e9)
        if kind is OrderKind.PASSIVE:
            fee = _fee(venue.maker_fee_e9, venue.maker_fee_ppm, midpoint_e9)
    price = {OrderKind.PASSIVE: -half, OrderKind.AGGRESSIVE: half}.get(kind, 0)
    return Prior(
        None,
        PRIOR_WEIGHT,
        Known(REJECTS_E9, UNKNOWN_ERROR, PRIOR_WEIGHT),
        Known(price, UNKNOWN_ERROR, PRIOR_WEIGHT),
        Known(fee, UNKNOWN_ERROR, PRIOR_WEIGHT),
        Known(0, UNKNOWN_ERROR, PRIOR_WEIGHT),
        Known(0, UNKNOWN_ERROR, PRIOR_WEIGHT),
    )


def _fee(fee_e9: int, fee_ppm: int, midpoint_e9: int) -> int:
    fee = bps_e9(fee_e9, midpoint_e9) + fee_ppm * (E9 // 100)
    return max(-FEE_MAX_BPS_E9, min(fee, FEE_MAX_BPS_E9))
