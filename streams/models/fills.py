"""Whether and when a resting order fills: queue races, flow with forgetting, competing ends.

Rates are per unit of time, order sizes are units (lots of the median trade). Floats stay in here:
what decides are the integers of streams/shard/estimates.py (`up_probability_e9` for the balanced
book), streams/scorecard/curve.py (competing ends) and streams/strategy/tactics.py (the break-even
chance), which tests hold against these readable forms. The queue races and `Flow` have no such
counterpart yet: they ask for rates by instrument, where the scorecard measures chances instead.
Source: SPEC section 7.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan, cos, exp, lgamma, log, log1p, pi, sin, sqrt

import numpy as np
from scipy.integrate import quad
from scipy.sparse import coo_array
from scipy.sparse.linalg import spsolve

__all__ = [
    "Flow",
    "Incidence",
    "balanced_up_integral",
    "balanced_up_probability",
    "breaks_even",
    "competing_incidence",
    "expected_fill",
    "fill_time_cdf",
    "up_probabilities",
    "wins_race",
]

UNIFORM_STEPS_MAX = 10_000
CENSORED, FILLED, AWAY = 0, 1, 2


def fill_time_cdf(position: int, take_rate: float, cancel_rate: float, time: float) -> float:
    """Return the probability that an order at `position` (1 is first) fills within `time`.

    The queue before it shrinks by takes and by each order's cancel: hypo-exponential, computed by
    uniformization, which has no cancellation of large terms.
    Source: Cont, Stoikov, Talreja 2010.
    """
    rates = [take_rate + cancel_rate * ahead for ahead in range(position - 1, -1, -1)]
    top = max(rates)
    state = [1.0] + [0.0] * position  # orders gone before and including ours
    weight = exp(-top * time)
    if weight == 0:
        return 1.0
    filled, mass = 0.0, 0.0
    for step in range(UNIFORM_STEPS_MAX):
        filled += weight * state[position]
        mass += weight
        if 1 - mass < 1e-15:
            break
        moved = state.copy()
        for at, rate in enumerate(rates):
            flow = state[at] * rate / top
            moved[at] -= flow
            moved[at + 1] += flow
        state = moved
        weight *= top * time / (step + 1)
    return min(1.0, filled)


def up_probabilities(
    birth: float, take: float, cancel: float, size: int, depth: int = 60
) -> list[list[float]]:
    """Return P(the offer empties before the bid) for queues 1..size of bid (rows) and offer.

    Both queues are born at `birth` and die at take + cancel x length, cut at `depth` orders; the
    linear system of first passage is solved at once.
    Source: Cont, Stoikov, Talreja 2010, table of mid-price moves.
    """
    bid, offer = np.divmod(np.arange(depth * depth), depth)  # lengths less one
    falls_bid, falls_offer = take + cancel * (bid + 1), take + cancel * (offer + 1)
    rises_bid = np.where(bid < depth - 1, birth, 0.0)
    rises_offer = np.where(offer < depth - 1, birth, 0.0)
    each = np.arange(depth * depth)
    rows, columns = [each], [each]
    values = [falls_bid + falls_offer + rises_bid + rises_offer]
    for rates, is_inside, step in (
        (falls_bid, bid > 0, -depth),
        (falls_offer, offer > 0, -1),
        (rises_bid, bid < depth - 1, depth),
        (rises_offer, offer < depth - 1, 1),
    ):
        inside = each[is_inside]
        rows.append(inside)
        columns.append(inside + step)
        values.append(-rates[inside])
    placed = (np.concatenate(rows), np.concatenate(columns))
    matrix = coo_array((np.concatenate(values), placed), shape=(each.size, each.size)).tocsc()
    # The offer empties next where one order is left of it: that is what is won outright.
    found = spsolve(matrix, np.where(offer == 0, falls_offer, 0.0)).reshape(depth, depth)
    return [[float(value) for value in row[:size]] for row in found[:size]]


def wins_race(
    birth: float, take: float, cancel: float, size: int, depth: int = 60
) -> list[list[float]]:
    """Return P(our order fills before the offer empties), by position b (rows) and offer a.

    Only those before us matter on our side: b falls by takes and by the cancels of the b - 1.
    """
    death = [take + cancel * i for i in range(depth + 1)]
    table: list[list[float]] = []
    before = [1.0] * (depth + 1)  # we are filled
    before[0] = 0.0
    for b in range(1, size + 1):
        ahead = take + cancel * (b - 1)
        row = _race_row(ahead, birth, death, before, depth)
        table.append(row[1 : size + 1])
        before = row
    return table


def _race_row(
    ahead: float, birth: float, death: Sequence[float], before: Sequence[float], depth: int
) -> list[float]:
    """Solve the tridiagonal system of one position over the offer's length."""
    up, rest = [0.0] * (depth + 1), [0.0] * (depth + 1)
    for a in range(1, depth + 1):
        birth_a = birth if a < depth else 0.0
        whole = ahead + death[a] + birth_a - death[a] * up[a - 1]
        up[a] = birth_a / whole
        rest[a] = (ahead * before[a] + death[a] * rest[a - 1]) / whole
    row = [0.0] * (depth + 2)
    for a in range(depth, 0, -1):
        row[a] = rest[a] + up[a] * row[a + 1]
    return row[: depth + 1]


def balanced_up_probability(bid: float, ask: float) -> float:
    """Return P(up) of a balanced book, (2 / pi) atan(bid / ask): not the linear imbalance.

    Source: Cont and de Larrard 2013; what `balanced_up_integral` tends to for long queues.
    """
    return 2 / pi * atan(bid / ask)


def balanced_up_integral(bid: int, ask: int) -> float:
    """Return P(up) of a balanced book exactly, for whole queues: what the arc tangent stands for.

    Orders come and go at one rate on both sides; a walk of the two lengths on the quarter plane.
    Source: Cont and de Larrard 2013; SPEC section 7.
    """

    def density(angle: float) -> float:
        slow = 2 - cos(angle)
        reached = (slow - sqrt(slow * slow - 1)) ** ask
        return float(reached * sin(bid * angle) * cos(angle / 2) / sin(angle / 2))

    return float(quad(density, 0.0, pi, epsabs=1e-10, epsrel=1e-10, limit=200)[0]) / pi


@dataclass(frozen=True, slots=True)
class Flow:
    """Outflow of a queue as a gamma-Poisson with forgetting; shape and rate of the posterior."""

    shape: float
    rate: float
    prior_shape: float
    prior_rate: float
    memory: float  # part of what was learned that one more interval keeps

    @classmethod
    def prior(cls, shape: float, rate: float, memory: float) -> "Flow":
        return cls(shape, rate, shape, rate, memory)

    def seen(self, count: float) -> "Flow":
        """Return what is known after one more interval with `count` units."""
        shape = self.prior_shape + self.memory * (self.shape - self.prior_shape) + count
        rate = self.prior_rate + self.memory * (self.rate - self.prior_rate) + 1
        return Flow(shape, rate, self.prior_shape, self.prior_rate, self.memory)

    def mean(self, intervals: float) -> float:
        return self.shape / self.rate * intervals

    def probability(self, count: int, intervals: float) -> float:
        """Return P(exactly `count` units within `intervals`): negative binomial."""
        share = self.rate / (self.rate + intervals)
        ways = lgamma(self.shape + count) - lgamma(self.shape) - lgamma(count + 1)
        return exp(ways + self.shape * log(share) + count * log1p(-share))

    def reaches(self, count: int, intervals: float) -> float:
        """Return P(at least `count` units within `intervals`)."""
        return 1 - sum(self.probability(each, intervals) for each in range(count))


def expected_fill(flow: Flow, ahead: int, quantity: int, intervals: float) -> float:
    """Return the expected fill of `quantity` units behind `ahead` units."""
    short = sum(
        (quantity - max(0, count - ahead)) * flow.probability(count, intervals)
        for count in range(ahead + quantity)
    )
    return quantity - short


@dataclass(frozen=True, slots=True)
class Incidence:
    """Competing ends of resting orders at one time."""

    time: float
    at_risk: int
    filled: float  # cumulative incidence
    away: float
    surviving: float


def competing_incidence(observations: Sequence[tuple[float, int]]) -> list[Incidence]:
    """Return the cumulative incidence of fill and of the market moving away, by time.

    An observation is its time and its end: CENSORED (own cancel), FILLED or AWAY. Counting what
    moved away as censored, as Kaplan and Meier would, overstates the chance of a fill.
    Source: Aalen and Johansen.
    """
    at_risk, surviving, filled, away = len(observations), 1.0, 0.0, 0.0
    table: list[Incidence] = []
    for time in sorted({when for when, _ in observations}):
        ends = [end for when, end in observations if when == time]
        fills, moves = ends.count(FILLED), ends.count(AWAY)
        filled += surviving * fills / at_risk
        away += surviving * moves / at_risk
        surviving *= 1 - (fills + moves) / at_risk
        table.append(Incidence(time, at_risk, filled, away, surviving))
        at_risk -= len(ends)
    return table


def breaks_even(
    alpha: float,
    half_spread: float,
    taker_fee: float,
    rebate: float,
    *,
    adverse: float,
    decay: float,
) -> float:
    """Return the fill probability above which posting beats crossing; <= 0: always post.

    Units:  basis points; `alpha` is the drift against us, `decay` what posting suffers of it.
    """
    return (alpha - half_spread - taker_fee) / (alpha * decay + half_spread + rebate - adverse)
