"""Whether a new model says better what came after it than the one in force: out of sample."""

from collections.abc import Iterable, Sequence
from math import log
from typing import Final, NamedTuple

from schemas.messages.control import VenueDefined
from schemas.messages.core import OrderKind, Side, VenueKind
from services.venuemodel.children import Child, Decision
from services.venuemodel.fit import (
    RESTING,
    Average,
    average,
    cleanup,
    half_spreads,
    prices,
    terms,
)
from streams.scorecard.curve import AGES_NS, BINS, Curve, Hazards, incidence
from streams.scorecard.estimate import E9
from streams.scorecard.model import CellModel, VenueModel
from streams.scorecard.score import SCORED_AGE

__all__ = ["Judge", "Verdict", "WhatIf", "split"]

LEAST: Final = 1e-4  # no outcome is held for impossible
SURE: Final = 2.0  # standard errors that make a difference
ONE: Final = E9
Key = tuple[str, OrderKind, str, Side]


class Verdict(NamedTuple):
    """New against old over the same children. Differences are new - old."""

    children: int
    parents: int
    log_score: Average | None  # of one child; more is better
    log_score_gain: Average | None
    squared_error: Average | None  # of its cost, bp squared; less is better
    squared_error_change: Average | None
    bias: Average | None  # actual - predicted, bp

    @property
    def word(self) -> str:
        """What the two differences say together, at two standard errors."""
        gain, change = self.log_score_gain, self.squared_error_change
        if gain is None or change is None:
            return "unknown"
        signs = {_sign(gain), -_sign(change)}
        if signs == {0}:
            return "no difference"
        if -1 not in signs:
            return "better"
        return "worse" if 1 not in signs else "mixed"


class WhatIf(NamedTuple):
    """A past decision that the new model would have taken otherwise. Costs in bp."""

    slice_id: str
    at_ns: int
    kind: OrderKind
    bucket: str
    side: Side
    was: str
    would_be: str
    gain: float  # expected, + is a gain
    error: float
    notional: float


def split(children: Sequence[Child], part: float) -> tuple[list[Child], list[Child]]:
    """Return the earlier part of the children, and the later; never one parent in both."""
    ordered = sorted(children, key=lambda child: (child.placed_ns, child.child_id))
    parents = list(dict.fromkeys(child.parent_id for child in ordered))
    before = set(parents[: max(1, round(len(parents) * part))])
    return (
        [child for child in ordered if child.parent_id in before],
        [child for child in ordered if child.parent_id not in before],
    )


class Judge:
    """Holds a model against another on children and decisions; terms stand in for no model."""

    def __init__(
        self,
        children: Sequence[Child],
        venues: dict[str, VenueDefined],
        prices_by_bucket: dict[str, float],
    ) -> None:
        self._venues = venues
        self._spreads = half_spreads(children)
        self._prices = prices_by_bucket

    def cell(self, model: VenueModel | None, key: Key) -> CellModel:
        """Return what a model says of a cell, its venue's terms where it says nothing."""
        for cell in () if model is None else model.cells:
            if (cell.venue_id, cell.kind, cell.bucket, cell.side) == key:
                return cell
        half = self._spreads.get(key[2], 0.0)
        return terms(key, self._venues, half, self._prices.get(key[2], 1.0))

    def cleanup(self, bucket: str) -> float:
        half, price = self._spreads.get(bucket, 0.0), self._prices.get(bucket, 1.0)
        return cleanup(half, price, self._venues.values())

    def expected(self, cell: CellModel) -> tuple[float, float]:
        """Return the all-in cost that a model expects of a child there, and its error, bp."""
        found = incidence(Curve(), Hazards(cell.fill_hazards, cell.away_hazards), ONE)
        rejects = min(1.0, max(0.0, cell.rejects.mean / E9))
        chance = found.fill[SCORED_AGE] / E9 * (1 - rejects)
        hit = (cell.price.mean + cell.fee.mean) / E9
        miss = cell.missed.mean / E9 + self.cleanup(cell.bucket)
        cost = chance * hit + (1 - chance) * miss + cell.leakage.mean / E9
        if cell.kind in RESTING:
            cost += cell.ack_p50_ns / E9  # a basis point for every second of waiting
        doubt = chance * (1 - chance) / max(1.0, cell.weight / E9)
        error = (
            (chance * cell.price.error / E9) ** 2
            + (chance * cell.fee.error / E9) ** 2
            + ((1 - chance) * cell.missed.error / E9) ** 2
            + (hit - miss) ** 2 * doubt
            + (cell.leakage.error / E9) ** 2
        ) ** 0.5
        return cost, error

    def compare(
        self, new: VenueModel, old: VenueModel | None, children: Sequence[Child]
    ) -> Verdict:
        """Return how each model says what became of the children, and the difference."""
        known = [child for child in children if not child.is_open and not child.is_rejected]
        keys = {child.key for child in known}
        ours = {key: self.cell(new, key) for key in keys}
        theirs = {key: self.cell(old, key) for key in keys}
        costs = [(child, cost) for child in known if (cost := self.actual(child)) is not None]

        def mean(
            entries: Iterable[tuple[Child, float]],
        ) -> Average | None:
            return average(((value, 1.0, child.parent_id) for child, value in entries), 0.0)

        def missed(cells: dict[Key, CellModel], child: Child, cost: float) -> float:
            return (cost - self._predicted(cells[child.key])) ** 2

        return Verdict(
            children=len(known),
            parents=len({child.parent_id for child in known}),
            log_score=mean((c, log_score(ours[c.key], c)) for c in known),
            log_score_gain=mean(
                (c, log_score(ours[c.key], c) - log_score(theirs[c.key], c)) for c in known
            ),
            squared_error=mean((c, missed(ours, c, cost)) for c, cost in costs),
            squared_error_change=mean(
                (c, missed(ours, c, cost) - missed(theirs, c, cost)) for c, cost in costs
            ),
            bias=mean((c, cost - self._predicted(ours[c.key])) for c, cost in costs),
        )

    def what_if(
        self, new: VenueModel, old: VenueModel | None, decisions: Iterable[Decision]
    ) -> tuple[list[WhatIf], int]:
        """Return the decisions that would have gone elsewhere, and how many were weighed.

        Weighed are those where one venue of several was chosen to rest at: a sweep follows the
        book, and what was refused for another reason is refused by any model.
        """
        changed, weighed = [], 0
        for decision in decisions:
            choice = self._choice(decision)
            if choice is None:
                continue
            was, kind, rivals = choice
            weighed += 1
            costs = {
                venue_id: self.expected(
                    self.cell(new, (venue_id, kind, decision.bucket, decision.side))
                )
                for venue_id in rivals
            }
            # What the old model was rated by decides a tie: the venue that was chosen stays.
            best = min(rivals, key=lambda each: (costs[each][0], each != was, each))
            if best != was:
                gain = costs[was][0] - costs[best][0]
                error = (costs[was][1] ** 2 + costs[best][1] ** 2) ** 0.5
                changed.append(
                    WhatIf(
                        decision.event.slice_id,
                        decision.at_ns,
                        kind,
                        decision.bucket,
                        decision.side,
                        was,
                        best,
                        gain,
                        error,
                        decision.notional,
                    )
                )
        return changed, weighed

    def _choice(self, decision: Decision) -> tuple[str, OrderKind, list[str]] | None:
        """Return the venue that was chosen to rest at, the kind, and those it was chosen among."""
        kind = OrderKind.PASSIVE
        given = [each for each in decision.event.alternatives if each.quantity]
        chosen = [each.venue_id for each in given if decision.kinds.get(each.venue_id) is kind]
        if len(chosen) != 1:
            return None
        rivals = [
            each.venue_id
            for each in decision.event.alternatives
            if each.venue_id in self._venues
            and self._venues[each.venue_id].kind is not VenueKind.DARK
            and (each.venue_id == chosen[0] or (each.score_e9 and not each.quantity))
        ]
        return (chosen[0], kind, rivals) if len(rivals) > 1 else None

    def actual(self, child: Child) -> float | None:
        """Return what a child cost, its rest taken by the clean-up; None where quotes miss, bp."""
        cost = 0.0
        for (price, weight), part in zip(prices(child), child.parts, strict=True):
            if price is None:
                return None
            cost += weight * (price + (part.fee or 0.0))
        if child.unfilled > 0:
            if child.missed is None:
                return None
            cost += child.unfilled * (child.missed + self.cleanup(child.bucket))
        return cost

    def _predicted(self, cell: CellModel) -> float:
        """Return the cost that a model expects, without what sending there does to others."""
        waiting = cell.ack_p50_ns / E9 if cell.kind in RESTING else 0.0
        return self.expected(cell)[0] - cell.leakage.mean / E9 - waiting


def log_score(cell: CellModel, child: Child) -> float:
    """Return the log of the chance that the cell gave to what became of the child."""
    score = 0.0
    for part in child.parts:
        score += part.weight * _log_chance(cell, part.age_ns, cell.fill_hazards)
    if child.unfilled > 0:
        hazards = cell.away_hazards if child.is_away else None
        score += child.unfilled * _log_chance(cell, child.end_age_ns, hazards)
    return score


def _log_chance(cell: CellModel, age_ns: int, hazards: tuple[int, ...] | None) -> float:
    surviving = 1.0
    for ordinal in range(BINS):
        end = (cell.fill_hazards[ordinal] + cell.away_hazards[ordinal]) / E9
        if age_ns <= AGES_NS[ordinal]:
            if hazards is None:  # still there in half of the bin
                return log(max(LEAST, surviving * (1 - end / 2)))
            return log(max(LEAST, surviving * hazards[ordinal] / E9))
        surviving *= 1 - end
    return log(max(LEAST, surviving))


def _sign(found: Average) -> int:
    if abs(found.mean) < SURE * found.error or not found.mean:
        return 0
    return 1 if found.mean > 0 else -1
