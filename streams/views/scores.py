"""Venues as the log scores them now: the newest word of every shard, put together."""

from collections.abc import Callable, Iterable
from math import isqrt
from typing import Any, Final, NamedTuple

from schemas.messages.core import Envelope, Estimate, OrderKind, Side
from schemas.messages.scorecard import InstrumentBucketed, VenueScored
from streams.core.topics import DECISIONS_EVENTS
from streams.views.sequence import Sequences

__all__ = ["SCORE_TOPICS", "ScoreRow", "ScoresView"]

SCORE_TOPICS: Final = (DECISIONS_EVENTS,)
E9: Final = 10**9
PRECISION: Final = 10**36  # weights are parts of it over a variance
Cell = tuple[str, OrderKind, str, Side]


class ScoreRow(NamedTuple):
    """One venue, kind of order, bucket and side over all shards.

    Costs and errors in 1e-9 basis points, less is better; chances and weights 1e-9; times ns.
    """

    venue_id: str
    kind: OrderKind
    bucket: str
    side: Side
    rank: int  # within kind, bucket and side, from 1
    shrunk_e9: int
    shrunk_error_e9: int
    score: Estimate
    children_e9: int
    horizons_ns: tuple[int, ...]
    fill_e9: tuple[int, ...]
    away_e9: tuple[int, ...]
    fill_error_e9: tuple[int, ...]
    time_to_fill_ns: int | None
    rejects: Estimate
    ack_p50_ns: int | None
    ack_p99_ns: int | None
    effective: Estimate
    latency: Estimate
    realized: Estimate
    markout_horizons_ns: tuple[int, ...]
    markouts: tuple[Estimate, ...]
    fee: Estimate
    leakage: Estimate
    missed: Estimate
    tail_lots: tuple[int, ...]
    tail_e9: tuple[int, ...]
    model: str
    shards: tuple[int, ...]
    scored_ns: int


class ScoresView:
    """Fold of decisions.events; each partition's records in order."""

    def __init__(self) -> None:
        self._sequences = Sequences()
        self._cells: dict[Cell, dict[int, VenueScored]] = {}  # newest by shard
        self.buckets: dict[str, str] = {}  # by instrument

    def fold(self, topic: str, partition: int, envelope: Envelope, message: Any) -> bool:
        """Apply one event; return whether it says something of venues. Raises GapError."""
        if not self._sequences.is_new(topic, partition, envelope.topic_seq):
            return False
        match message:
            case VenueScored():
                key = (message.venue_id, message.kind, message.bucket, message.side)
                self._cells.setdefault(key, {})[envelope.shard] = message
                return True
            case InstrumentBucketed():
                self.buckets[message.instrument_id] = message.bucket
                return True
            case _:
                return False

    def rows(
        self, kind: OrderKind | None = None, bucket: str = "", side: Side | None = None
    ) -> list[ScoreRow]:
        """Return the rows asked for, best first within each kind, bucket and side."""
        found = [
            _row(cell, shards)
            for cell, shards in self._cells.items()
            if (kind in (None, cell[1]) and bucket in ("", cell[2]) and side in (None, cell[3]))
        ]
        found.sort(key=lambda row: (row.bucket, row.kind, row.side, row.shrunk_e9, row.venue_id))
        ranked, before, rank = [], None, 0
        for row in found:
            group = (row.bucket, row.kind, row.side)
            rank = rank + 1 if group == before else 1
            before = group
            ranked.append(row._replace(rank=rank))
        return ranked


def _row(cell: Cell, by_shard: dict[int, VenueScored]) -> ScoreRow:
    shards = sorted(by_shard)
    scores = [by_shard[shard] for shard in shards]
    newest = max(scores, key=lambda score: score.scored_ns)
    weights = [score.children_e9 for score in scores]
    shrunk, error = _precise([(each.shrunk_e9, each.shrunk_error_e9) for each in scores])
    ages = [
        (each.time_to_fill_ns, each.children_e9)
        for each in scores
        if each.time_to_fill_ns is not None
    ]

    def mean(of: Callable[[VenueScored], Estimate]) -> Estimate:
        return pooled(of(each) for each in scores)

    def curve(of: Callable[[VenueScored], tuple[int, ...]]) -> tuple[int, ...]:
        return tuple(
            _weighted(zip(column, weights, strict=True))
            for column in zip(*(of(each) for each in scores), strict=True)
        )

    return ScoreRow(
        *cell,
        rank=0,
        shrunk_e9=shrunk,
        shrunk_error_e9=error,
        score=mean(lambda each: each.score),
        children_e9=sum(weights),
        horizons_ns=newest.horizons_ns,
        fill_e9=curve(lambda each: each.fill_e9),
        away_e9=curve(lambda each: each.away_e9),
        fill_error_e9=tuple(
            pooled(
                Estimate(mean_e9=0, error_e9=error, weight_e9=weight)
                for error, weight in zip(column, weights, strict=True)
            ).error_e9
            for column in zip(*(each.fill_error_e9 for each in scores), strict=True)
        ),
        time_to_fill_ns=_weighted(ages) if ages else None,
        rejects=mean(lambda each: each.rejects),
        # Quantiles do not add: those of the shard that saw most, with the worst tail of all.
        ack_p50_ns=max(scores, key=lambda each: each.children_e9).ack_p50_ns,
        ack_p99_ns=max((each.ack_p99_ns for each in scores if each.ack_p99_ns), default=None),
        effective=mean(lambda each: each.effective),
        latency=mean(lambda each: each.latency),
        realized=mean(lambda each: each.realized),
        markout_horizons_ns=newest.markout_horizons_ns,
        markouts=tuple(
            pooled(column) for column in zip(*(each.markouts for each in scores), strict=True)
        ),
        fee=mean(lambda each: each.fee),
        leakage=mean(lambda each: each.leakage),
        missed=mean(lambda each: each.missed),
        tail_lots=newest.tail_lots,
        tail_e9=curve(lambda each: each.tail_e9) if newest.tail_lots else (),
        model=newest.model,
        shards=tuple(shards),
        scored_ns=newest.scored_ns,
    )


def pooled(estimates: Iterable[Estimate]) -> Estimate:
    """Return the mean over shards by what each saw; the plain mean where none saw anything.

    Rounds: down, the error too.
    """
    known = list(estimates)
    weights = [each.weight_e9 for each in known]
    if not any(weights):
        weights = [1] * len(known)
    total = sum(weights)
    variance = sum((w * each.error_e9) ** 2 for w, each in zip(weights, known, strict=True))
    return Estimate(
        mean_e9=sum(w * each.mean_e9 for w, each in zip(weights, known, strict=True)) // total,
        error_e9=isqrt(variance) // total,
        weight_e9=sum(each.weight_e9 for each in known),
    )


def _precise(scores: list[tuple[int, int]]) -> tuple[int, int]:
    """Return the mean by precision, and its error."""
    weights = [PRECISION // max(1, error) ** 2 for _, error in scores]
    total = max(1, sum(weights))
    mean = sum(w * value for w, (value, _) in zip(weights, scores, strict=True)) // total
    return mean, isqrt(PRECISION // total)


def _weighted(pairs: Iterable[tuple[int, int]]) -> int:
    known = list(pairs)
    total = sum(weight for _, weight in known)
    if not total:
        return sum(value for value, _ in known) // max(1, len(known))
    return sum(value * weight for value, weight in known) // total
