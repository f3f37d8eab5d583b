"""What the scorecard is asked. The shard adds the quotes, and the venues' terms."""

import msgspec

from schemas.messages.core import MarkedQuote
from schemas.messages.scorecard import VenueModelApproved
from streams.core.market import Venue

__all__ = [
    "ApproveModel",
    "BucketInstrument",
    "BucketMarket",
    "MarkFills",
    "ScoreVenues",
    "ScorecardCommand",
]


class BucketInstrument(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The first slice of an instrument is about to be routed: say where it is scored."""

    instrument_id: str
    bucket: str
    lot: int
    tick_bps_e9: int


class MarkFills(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Marks are due; the quotes are those of `due_marks`."""

    at_ns: int
    marks: tuple[MarkedQuote, ...]


class BucketMarket(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Means over the instruments of a bucket that have a quote now."""

    bucket: str
    half_spread_bps_e9: int
    midpoint_e9: int


class ScoreVenues(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Some group of venues has shown enough to be scored again."""

    at_ns: int
    venues: tuple[Venue, ...]  # by venue_id
    markets: tuple[BucketMarket, ...]  # of the buckets that have a quote


class ApproveModel(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A second person agrees to a proposed model; `control` has checked that."""

    message: VenueModelApproved
    actor: str


ScorecardCommand = BucketInstrument | MarkFills | ScoreVenues | ApproveModel
