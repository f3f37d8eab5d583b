"""From what venues showed to what is published: curves, costs, one all-in score, shrunk.

A resting child costs, by SPEC section 7: P x (realized half spread + fee) + (1 - P) x (drift +
clean-up), plus what sending there gives away. One that takes is held against the midpoint of its
decision, so that depth and the time on the way are in its price.
"""

from collections.abc import Sequence
from math import isqrt
from typing import Final, NamedTuple

from schemas.messages.core import OrderKind, Side, VenueKind
from schemas.messages.scorecard import VenueScored
from streams.core.bucket import cell_key
from streams.core.market import Venue
from streams.scorecard.commands import BucketMarket, ScoreVenues
from streams.scorecard.curve import AGES_NS, Hazards, Incidence, incidence, pooled
from streams.scorecard.estimate import E9, Known, Mean, estimate, spread_out
from streams.scorecard.marks import is_due
from streams.scorecard.model import CellModel
from streams.scorecard.prior import PRIOR_WEIGHT, Prior, base_hazards, prior_of, taker_fee_e9
from streams.scorecard.shrink import random_effects
from streams.scorecard.state import MARKOUTS_NS, Cell, ScorecardState
from streams.scorecard.tails import LOTS, Tail, pooled_ends, tail_of

__all__ = ["REALIZED", "SCORED_AGE", "score_venues"]

REALIZED: Final = MARKOUTS_NS.index(5_000_000_000)
SCORED_AGE: Final = AGES_NS.index(15_000_000_000)  # where the curve is read for the score
# Variances of one observation, at least: a basis point; of a rate, a tenth.
PRICE_SCATTER: Final = E9
RATE_SCATTER: Final = E9 // 100
PROVEN_WEIGHT: Final = 30 * E9  # children whose word needs no other's
NO_MARKET: Final = BucketMarket(bucket="", half_spread_bps_e9=0, midpoint_e9=0)
_RESTING: Final = (OrderKind.PASSIVE, OrderKind.DARK)


class Costs(NamedTuple):
    """What a cell is worth, by its parts. 1e-9 basis points, rejects 1e-9."""

    curve: Incidence
    rejects: Known
    price: Known
    fee: Known
    leakage: Known
    missed: Known
    score: int
    error: int


class Peers(NamedTuple):
    """What the venues of a group show together."""

    hazards: Hazards
    price_scatter: int
    drift_scatter: int
    missed_scatter: int
    tail_ends: tuple[int, ...]
    cleanup: int
    answer_ns: int  # median time to an answer, where one venue has none


def score_venues(state: ScorecardState, command: ScoreVenues) -> tuple[VenueScored, ...]:
    """Return the scores of every group that has seen enough since it was last scored."""
    markets = {market.bucket: market for market in command.markets}
    cells = {} if state.model is None else {cell.key: cell for cell in state.model.cells}
    found: list[VenueScored] = []
    for group, record in state.groups.items():
        if is_due(record):
            kind, bucket, side = group.split("/")
            scoring = Scoring(
                state, OrderKind(kind), bucket, Side(side), markets.get(bucket, NO_MARKET)
            )
            found += scoring.scored(command, cells)
    return tuple(found)


class Finding(NamedTuple):
    """One venue of a group, scored."""

    venue_id: str
    cell: Cell
    prior: Prior
    costs: Costs
    shrunk: int
    shrunk_error: int


class Scoring:
    """One group of venues: what is compared with each other."""

    def __init__(
        self,
        state: ScorecardState,
        kind: OrderKind,
        bucket: str,
        side: Side,
        market: BucketMarket,
    ) -> None:
        self._state = state
        self._kind = kind
        self._bucket = bucket
        self._side = side
        self._market = market

    def scored(self, command: ScoreVenues, models: dict[str, CellModel]) -> list[VenueScored]:
        """Return every venue's score, also of those that were never tried: they are ranked too."""
        cells = self._cells(command.venues)
        peers = self._peers(list(cells.values()), command.venues)
        terms = {venue.venue_id: venue for venue in command.venues}
        priors = {
            venue_id: prior_of(
                self._kind, terms.get(venue_id), self._market, models.get(self._key(venue_id))
            )
            for venue_id in cells
        }
        others = {venue_id: _drift_elsewhere(cells, venue_id) for venue_id in cells}
        costs = {
            venue_id: self._costs(cell, priors[venue_id], peers, others[venue_id])
            for venue_id, cell in cells.items()
        }
        # What is known of a venue beforehand is no chance finding: only what it showed beyond that
        # is drawn to what all showed.
        expected = {
            venue_id: self._costs(Cell(), priors[venue_id], peers, Mean()).score
            for venue_id in cells
        }
        shrunk = random_effects(
            [costs[venue_id].score - expected[venue_id] for venue_id in cells],
            [costs[venue_id].error for venue_id in cells],
        )
        shown = _held_back(shrunk.means, [_weight(cell) for cell in cells.values()])
        return [
            self._record(
                command.at_ns,
                Finding(
                    venue_id,
                    cell,
                    priors[venue_id],
                    costs[venue_id],
                    expected[venue_id] + shown[at],
                    shrunk.errors[at],
                ),
                peers,
            )
            for at, (venue_id, cell) in enumerate(cells.items())
        ]

    def _key(self, venue_id: str) -> str:
        return cell_key(venue_id, self._kind, self._bucket, self._side)

    def _cells(self, venues: tuple[Venue, ...]) -> dict[str, Cell]:
        """Return the cells of the group by venue, an empty one where it could be tried."""
        is_dark = self._kind is OrderKind.DARK
        wanted = {
            venue.venue_id
            for venue in venues
            if venue.is_enabled
            and self._kind is not OrderKind.AUCTION
            and (venue.kind is VenueKind.DARK) is is_dark
        }
        prefix = self._key("")
        known = {
            key.removeprefix(prefix): cell
            for key, cell in self._state.cells.items()
            if key.startswith(prefix)
        }
        return {venue_id: known.get(venue_id) or Cell() for venue_id in sorted(wanted.union(known))}

    def _peers(self, cells: list[Cell], venues: tuple[Venue, ...]) -> Peers:
        taker = [
            taker_fee_e9(venue, self._market.midpoint_e9)
            for venue in venues
            if venue.is_enabled and venue.kind is VenueKind.LIT and self._market.midpoint_e9 > 0
        ]
        tails = [cell.tail for cell in cells if cell.tail is not None]
        return Peers(
            hazards=pooled([cell.curve for cell in cells], base_hazards(self._kind)),
            price_scatter=spread_out([_price(cell, self._kind) for cell in cells], PRICE_SCATTER),
            drift_scatter=spread_out([cell.sent for cell in cells], PRICE_SCATTER),
            missed_scatter=spread_out([cell.missed for cell in cells], PRICE_SCATTER),
            tail_ends=pooled_ends(tails) if self._kind is OrderKind.DARK else (),
            cleanup=self._market.half_spread_bps_e9 + min(taker, default=0),
            answer_ns=_median_answer(cells),
        )

    def _costs(self, cell: Cell, prior: Prior, peers: Peers, elsewhere: Mean) -> Costs:
        curve = incidence(cell.curve, _hazards(prior, peers), prior.weight)
        rejects = estimate(cell.rejects, prior.rejects, RATE_SCATTER)
        price = estimate(_price(cell, self._kind), prior.price, peers.price_scatter)
        if self._kind not in _RESTING:  # the drift on the way is a price too
            no_drift = Known(0, prior.price.error, prior.price.weight)
            price = _sum(price, estimate(cell.latency, no_drift, peers.price_scatter))
        fee = estimate(cell.fee, prior.fee, 0)
        leakage = _leakage(cell, prior, peers, elsewhere)
        missed = estimate(cell.missed, prior.missed, peers.missed_scatter)
        chance = curve.fill[SCORED_AGE] * (E9 - min(E9, max(0, rejects.mean))) // E9
        hit, miss = price.mean + fee.mean, missed.mean + peers.cleanup
        score = (chance * hit + (E9 - chance) * miss) // E9 + leakage.mean
        if self._kind in _RESTING:
            # One nanosecond to the answer counts 1: a basis point for every second of waiting.
            known = prior.model.ack_p50_ns if prior.model is not None else 0
            score += cell.answers.quantile(E9 // 2) or known or peers.answer_ns
        error = isqrt(
            (chance * price.error // E9) ** 2
            + (chance * fee.error // E9) ** 2
            + ((E9 - chance) * missed.error // E9) ** 2
            + ((hit - miss) * curve.error[SCORED_AGE] // E9) ** 2
            + leakage.error**2
        )
        return Costs(curve, rejects, price, fee, leakage, missed, score, error + 1)

    def _record(self, at_ns: int, found: Finding, peers: Peers) -> VenueScored:
        cell, costs, model = found.cell, found.costs, found.prior.model
        tail = cell.tail or Tail()
        ends, weight = peers.tail_ends, PRIOR_WEIGHT
        if model is not None and model.tail_ends:
            ends, weight = model.tail_ends, model.tail_weight
        known = (model.ack_p50_ns, model.ack_p99_ns) if model is not None else (0, 0)
        scatter = peers.price_scatter
        return VenueScored(
            venue_id=found.venue_id,
            kind=self._kind,
            bucket=self._bucket,
            side=self._side,
            scored_ns=at_ns,
            version=self._state.facts,
            model="" if self._state.model is None else self._state.model.name,
            children_e9=_weight(cell),
            horizons_ns=AGES_NS,
            fill_e9=costs.curve.fill,
            away_e9=costs.curve.away,
            fill_error_e9=costs.curve.error,
            time_to_fill_ns=cell.age.mean * 1_000 if cell.age.weight else None,
            rejects=costs.rejects.record(),
            busts=_seen(cell.busts, RATE_SCATTER).record(),
            ack_p50_ns=cell.answers.quantile(E9 // 2) or known[0] or None,
            ack_p99_ns=cell.answers.quantile(E9 // 100 * 99) or known[1] or None,
            effective=_seen(cell.effective, scatter).record(),
            latency=_seen(cell.latency, scatter).record(),
            realized=_seen(_negative(cell.markouts[REALIZED]), scatter).record(),
            markout_horizons_ns=MARKOUTS_NS,
            markouts=tuple(_seen(each, scatter).record() for each in cell.markouts),
            fee=costs.fee.record(),
            leakage=costs.leakage.record(),
            missed=costs.missed.record(),
            cleanup_e9=peers.cleanup,
            score=Known(costs.score, costs.error, _weight(cell)).record(),
            shrunk_e9=found.shrunk,
            shrunk_error_e9=found.shrunk_error,
            tail_lots=LOTS if ends else (),
            tail_e9=tail_of(tail, ends, weight) if ends else (),
            tail_at_risk_e9=tuple(tail.at_risk) if ends else (),
        )


def _median_answer(cells: list[Cell]) -> int:
    """Return the median of the venues' median answers; 0 before the first answer."""
    known = sorted(
        answer_ns for cell in cells if (answer_ns := cell.answers.quantile(E9 // 2)) is not None
    )
    return known[len(known) // 2] if known else 0


def _weight(cell: Cell) -> int:
    """Return the effective number of children that came to an end there."""
    return cell.curve.at_risk[0]


def _held_back(means: Sequence[int], weights: Sequence[int]) -> list[int]:
    """Return the shrunk means, where few children never show more than the best of many.

    A venue may still be first by its terms; by a run of luck it may not.
    """
    proven = [mean for mean, weight in zip(means, weights, strict=True) if weight >= PROVEN_WEIGHT]
    if not proven:
        return list(means)
    best = min(proven)
    return [
        mean if weight >= PROVEN_WEIGHT else max(mean, best + 1)
        for mean, weight in zip(means, weights, strict=True)
    ]


def _hazards(prior: Prior, peers: Peers) -> Hazards:
    if prior.model is None:
        return peers.hazards
    return Hazards(prior.model.fill_hazards, prior.model.away_hazards)


def _price(cell: Cell, kind: OrderKind) -> Mean:
    return _negative(cell.markouts[REALIZED]) if kind in _RESTING else cell.effective


def _negative(mean: Mean) -> Mean:
    return Mean(mean.weight, -mean.total, mean.squares)


def _seen(mean: Mean, scatter: int) -> Known:
    """Return what was seen alone, without a prior."""
    return estimate(mean, Known(0, isqrt(scatter * E9), 0), scatter)


def _sum(one: Known, other: Known) -> Known:
    error = isqrt(one.error**2 + other.error**2)
    return Known(one.mean + other.mean, error, one.weight)


def _drift_elsewhere(cells: dict[str, Cell], venue_id: str) -> Mean:
    """Return what the midpoint did after children were sent to the other venues."""
    elsewhere = Mean()
    for other_id, cell in cells.items():
        if other_id != venue_id:
            elsewhere.weight += cell.sent.weight
            elsewhere.total += cell.sent.total
            elsewhere.squares += cell.sent.squares
    return elsewhere


def _leakage(cell: Cell, prior: Prior, peers: Peers, elsewhere: Mean) -> Known:
    """Return the drift after sending there above that of children sent elsewhere."""
    if not elsewhere.weight:  # nothing to hold it against
        return estimate(Mean(), prior.leakage, peers.drift_scatter)
    level = elsewhere.mean
    expected = Known(level + prior.leakage.mean, prior.leakage.error, prior.leakage.weight)
    own = estimate(cell.sent, expected, peers.drift_scatter)
    other = _seen(elsewhere, peers.drift_scatter)
    return Known(own.mean - level, isqrt(own.error**2 + other.error**2), own.weight)
