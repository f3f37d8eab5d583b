"""What routing keeps of a venue's newest score, and what it assumes before there is one."""

from typing import Final

import msgspec

from schemas.messages.core import OrderKind, Side
from schemas.messages.scorecard import VenueScored
from streams.core.bucket import cell_key
from streams.routing.state import Record, RoutingState, Track

__all__ = ["Records", "fold_score", "record_of"]

E9: Final = 1_000_000_000
_EFFECTIVE_MAX: Final = 31  # observations of a mean as scorecard.py keeps it
_PRIOR_WEIGHT: Final = 8
# What is believed of a venue that nobody has tried: part of a child that fills while it rests.
FILL_PRIORS_E9: Final = {
    OrderKind.PASSIVE: 400_000_000,
    OrderKind.AGGRESSIVE: 800_000_000,
    OrderKind.DARK: 250_000_000,
}
REJECT_PRIOR_E9: Final = 10_000_000
# The age at which the curve of fills is read: how long such a child rests.
AGES_NS: Final = {
    OrderKind.PASSIVE: 15 * E9,
    OrderKind.AGGRESSIVE: 5 * E9,
    OrderKind.DARK: 3 * E9,
}


def fold_score(state: RoutingState, event: VenueScored) -> None:
    """Keep what decisions ask of a score; the newest of each cell holds."""
    age_ns = AGES_NS.get(event.kind)
    if age_ns is None:
        return
    key = cell_key(event.venue_id, event.kind, event.bucket, event.side)
    state.reports = max(state.reports, event.version)
    state.records[key] = Record(
        event.version,
        event.children_e9,
        _at_age(event, age_ns),
        event.rejects.mean_e9,
        max(0, event.realized.mean_e9 - event.effective.mean_e9),
        max(0, event.missed.mean_e9),
        event.latency.mean_e9,
        event.ack_p50_ns,
        event.leakage.mean_e9,
        event.shrunk_e9 - event.score.mean_e9,
        event.tail_lots,
        event.tail_e9,
        event.tail_at_risk_e9,
        event.shrunk_error_e9,
    )


class Records(dict[str, Record]):
    """The newest score of each venue for one kind of order, or what this shard saw by itself.

    A venue is looked up when a logic first asks for it.
    """

    __slots__ = ("_kind", "_prefix", "_state")

    def __init__(
        self, state: RoutingState, kind: OrderKind, instrument_id: str, side: Side
    ) -> None:
        self._state = state
        self._kind = kind
        bucket = state.buckets.get(instrument_id)
        self._prefix = None if bucket is None else cell_key("", kind, bucket, side)

    def __missing__(self, venue_id: str) -> Record:
        found = None
        if self._prefix is not None:
            found = self._state.records.get(self._prefix + venue_id)
        if found is None:
            found = _believed(self._state, venue_id, self._kind)
        self[venue_id] = found
        return found


def record_of(
    state: RoutingState, venue_id: str, kind: OrderKind, instrument_id: str, side: Side
) -> Record:
    """Return the newest score of the cell, or the prior with what this shard saw by itself."""
    return Records(state, kind, instrument_id, side)[venue_id]


def _believed(state: RoutingState, venue_id: str, kind: OrderKind) -> Record:
    name = "aggressive" if kind is OrderKind.AGGRESSIVE else "passive"
    track = state.tracks.get(f"{venue_id}/{name}", _NEW_TRACK)
    leakage_e9 = state.settings.leakage_bps_e9
    return msgspec.structs.replace(
        _UNKNOWN,
        children_e9=0,
        fill_e9=_shrunk(track.fill_e9, track.fill_count, FILL_PRIORS_E9[kind]),
        rejects_e9=_shrunk(track.reject_e9, track.reject_count, REJECT_PRIOR_E9),
        ack_ns=track.latency_ns if track.latency_count else None,
        leakage_e9=leakage_e9,
    )


_NEW_TRACK: Final = Track()
_UNKNOWN: Final = Record(0, 0, 0, 0, 0, 0, None, None, 0, 0, (), (), ())


def _at_age(event: VenueScored, age_ns: int) -> int:
    """Return the chance of a fill by the last horizon within `age_ns`, or by the first."""
    if not event.fill_e9:
        return 0
    found = event.fill_e9[0]
    for horizon_ns, fill_e9 in zip(event.horizons_ns, event.fill_e9, strict=True):
        if horizon_ns <= age_ns:
            found = fill_e9
    return found


def _shrunk(mean: int, count: int, prior: int) -> int:
    weight = min(count, _EFFECTIVE_MAX)
    return (weight * mean + _PRIOR_WEIGHT * prior) // (weight + _PRIOR_WEIGHT)
