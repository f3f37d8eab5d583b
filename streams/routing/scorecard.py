"""First scorecard: fill ratio, reject ratio and ack latency by venue and order kind, integers only.

Each is an exponentially weighted mean (weight 1/16 for the newest observation, so that at most 31
observations count) shrunk toward a prior worth 8 observations: twelve lucky fills top no table.
"""

from typing import Final

from schemas.messages.core import TimeInForce
from streams.core.market import Quote, Venue
from streams.routing.state import Child, RoutingState, Track, VenueRecord

__all__ = [
    "acknowledged",
    "aggressive_score_e9",
    "answered",
    "fee_bps_e9",
    "finished",
    "half_spread_bps_e9",
    "passive_score_e9",
    "rejected",
]

E9: Final = 1_000_000_000
_AUCTION: Final = (TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE)
_NEWEST: Final = 16  # weight of the newest observation is 1/16
_EFFECTIVE_MAX: Final = 31  # (2 - 1/16) / (1/16)
_PRIOR_WEIGHT: Final = 8
_FILL_PRIOR_E9: Final = {"passive": 400_000_000, "aggressive": 800_000_000}
_REJECT_PRIOR_E9: Final = 10_000_000
_FEE_MAX_BPS_E9: Final = 10**17  # ten thousand times the notional: scores are recorded as 64 bits
_BPS_PER_UNIT: Final = 10_000


def acknowledged(state: RoutingState, child: Child, latency_ns: int) -> None:
    """Fold an acknowledgment: latency, and one order that was not rejected."""
    track = _track(state, child)
    track.latency_ns = _mean(track.latency_ns, latency_ns, track.latency_count)
    track.latency_count += 1
    track.reject_e9 = _mean(track.reject_e9, 0, track.reject_count)
    track.reject_count += 1
    state.reports += 1
    answered(state, child.venue_id)


def rejected(state: RoutingState, child: Child) -> None:
    """Fold a reject."""
    track = _track(state, child)
    track.reject_e9 = _mean(track.reject_e9, E9, track.reject_count)
    track.reject_count += 1
    state.reports += 1
    state.venues.setdefault(child.venue_id, VenueRecord()).rejects_in_row += 1


def finished(state: RoutingState, child: Child, outstanding: int) -> None:
    """Fold the end of a child: the share of it that filled.

    Rounds: down, the ratio in 1e-9.
    """
    filled = min(child.net + outstanding, child.quantity)
    track = _track(state, child)
    track.fill_e9 = _mean(track.fill_e9, max(filled, 0) * E9 // child.quantity, track.fill_count)
    track.fill_count += 1


def answered(state: RoutingState, venue_id: str) -> None:
    """End a run of rejects: the venue takes orders."""
    venue = state.venues.get(venue_id)
    if venue is not None:
        venue.rejects_in_row = 0


def passive_score_e9(state: RoutingState, venue: Venue, quote: Quote) -> int:
    """Return the expected all-in cost of resting there, lower is better.

    Units:  1e-9 basis points of the midpoint; 1 ns of ack latency counts 1 (1 bp per second).
    Rounds: down.
    Source: SPEC section 7 without adverse selection, which this scorecard does not measure yet.
    """
    half = half_spread_bps_e9(quote)
    filled = -half + fee_bps_e9(venue.maker_fee_e9, venue.maker_fee_ppm, quote.midpoint_e9)
    clean_up = half + fee_bps_e9(venue.taker_fee_e9, venue.taker_fee_ppm, quote.midpoint_e9)
    return _expected(state, venue, "passive", filled, clean_up)


def aggressive_score_e9(state: RoutingState, venue: Venue, quote: Quote) -> int:
    """Return the expected all-in cost of taking there; what misses pays the half spread again.

    Units:  as passive_score_e9.
    Rounds: down.
    """
    half = half_spread_bps_e9(quote)
    taken = half + fee_bps_e9(venue.taker_fee_e9, venue.taker_fee_ppm, quote.midpoint_e9)
    return _expected(state, venue, "aggressive", taken, taken + half)


def half_spread_bps_e9(quote: Quote) -> int:
    """Return half the spread in 1e-9 basis points of the midpoint, rounded down."""
    return (quote.ask_e9 - quote.bid_e9) * _BPS_PER_UNIT * E9 // (2 * quote.midpoint_e9)


def fee_bps_e9(fee_e9: int, fee_ppm: int, price_e9: int) -> int:
    """Return a fee per whole unit plus one on notional in 1e-9 basis points, rounded down."""
    fee_bps_e9 = fee_e9 * _BPS_PER_UNIT * E9 // price_e9 + fee_ppm * (E9 // 100)
    return max(-_FEE_MAX_BPS_E9, min(fee_bps_e9, _FEE_MAX_BPS_E9))


def _expected(state: RoutingState, venue: Venue, kind: str, hit: int, miss: int) -> int:
    track = state.tracks.get(f"{venue.venue_id}/{kind}", Track())
    fill = _shrunk(track.fill_e9, track.fill_count, _FILL_PRIOR_E9[kind])
    reject = _shrunk(track.reject_e9, track.reject_count, _REJECT_PRIOR_E9)
    latency = _shrunk(track.latency_ns, track.latency_count, 2 * venue.latency_ns)
    chance = fill * (E9 - reject) // E9
    return (chance * hit + (E9 - chance) * miss) // E9 + latency


def _mean(mean: int, observed: int, count: int) -> int:
    return observed if count == 0 else mean + (observed - mean) // _NEWEST


def _shrunk(mean: int, count: int, prior: int) -> int:
    weight = min(count, _EFFECTIVE_MAX)
    return (weight * mean + _PRIOR_WEIGHT * prior) // (weight + _PRIOR_WEIGHT)


def _track(state: RoutingState, child: Child) -> Track:
    kind = "passive" if child.is_passive else "aggressive"
    if child.time_in_force in _AUCTION:  # what an auction fills says nothing of the open market
        kind = "auction"
    return state.tracks.setdefault(f"{child.venue_id}/{kind}", Track())
