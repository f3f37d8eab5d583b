"""What the shard adds for the scorecard: buckets of instruments, quotes of a while ago, terms."""

from typing import Any

from schemas.messages.scorecard import VenueModelApproved
from streams import scorecard
from streams.core.bucket import bucket_of, tick_bps_e9
from streams.scorecard.commands import (
    ApproveModel,
    BucketInstrument,
    BucketMarket,
    MarkFills,
    ScoreVenues,
)
from streams.shard.knowledge import Knowledge

__all__ = ["approve_command", "bucket_command", "scoring_command"]

E9 = 1_000_000_000
BPS = 10_000


def bucket_command(knows: Knowledge, instrument_id: str) -> BucketInstrument | None:
    """Return the command before the first slice of an instrument; None once it is scored."""
    if instrument_id in knows.state.scorecard.buckets:
        return None
    midpoint_e9 = knows.midpoint_e9(instrument_id)
    if not midpoint_e9:
        return None
    terms = knows.terms(instrument_id)
    return BucketInstrument(
        instrument_id=instrument_id,
        bucket=bucket_of(terms, midpoint_e9),
        lot=terms.lot,
        tick_bps_e9=tick_bps_e9(terms, midpoint_e9),
    )


def scoring_command(knows: Knowledge, timer_id: str) -> MarkFills | ScoreVenues:
    """Return what a timer of the scorecard asks."""
    if timer_id == scorecard.SCORE_TIMER:
        return ScoreVenues(
            at_ns=knows.at_ns,
            venues=tuple(venue for _, venue in sorted(knows.venues_now.terms().items())),
            markets=_markets(knows),
        )
    tops, venues = knows.state.tops, knows.state.reference.venues
    due = scorecard.due_marks(knows.state.scorecard, knows.at_ns)
    return MarkFills(
        at_ns=knows.at_ns,
        marks=tuple(tops.quote(instrument_id, at_ns, venues) for instrument_id, at_ns in due),
    )


def approve_command(message: Any, actor: str) -> tuple[Any, str] | None:
    """Return the command that a control message about venue models leads to, and its key."""
    if isinstance(message, VenueModelApproved):
        return ApproveModel(message=message, actor=actor), message.proposal_id
    return None


def _markets(knows: Knowledge) -> tuple[BucketMarket, ...]:
    quotes: dict[str, list[tuple[int, int]]] = {}
    for instrument_id, bucket in knows.state.scorecard.buckets.items():
        quote = knows.quote(instrument_id)
        if quote is not None and quote.midpoint_e9 > 0:
            half = (quote.ask_e9 - quote.bid_e9) * BPS * E9 // (2 * quote.midpoint_e9)
            quotes.setdefault(bucket.name, []).append((half, quote.midpoint_e9))
    return tuple(
        BucketMarket(
            bucket=bucket,
            half_spread_bps_e9=sum(half for half, _ in known) // len(known),
            midpoint_e9=sum(midpoint_e9 for _, midpoint_e9 in known) // len(known),
        )
        for bucket, known in quotes.items()
    )
