"""What routing itself sees of venues until the scorecard has spoken: fills, rejects, answer times.

Each is an exponentially weighted mean (weight 1/16 for the newest observation, so that at most 31
observations count); records.py shrinks it toward a prior.
"""

from typing import Final

from schemas.messages.core import TimeInForce
from streams.routing.state import Child, RoutingState, Track, VenueRecord

__all__ = [
    "acknowledged",
    "answered",
    "finished",
    "rejected",
]

E9: Final = 1_000_000_000
_AUCTION: Final = (TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE)
_NEWEST: Final = 16  # weight of the newest observation is 1/16


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


def _mean(mean: int, observed: int, count: int) -> int:
    return observed if count == 0 else mean + (observed - mean) // _NEWEST


def _track(state: RoutingState, child: Child) -> Track:
    kind = "passive" if child.is_passive else "aggressive"
    if child.time_in_force in _AUCTION:  # what an auction fills says nothing of the open market
        kind = "auction"
    return state.tracks.setdefault(f"{child.venue_id}/{kind}", Track())
