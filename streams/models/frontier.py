"""The execution trilemma: impact, risk and certainty of completion on one frontier.

A steady order of `size` (shares over daily volume) is worked at participation p = own / (own +
others) until the close at the latest; others' volume until then is lognormal. Costs in the unit
of `sigma`, times in trading days. Source: SPEC section 11.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import erf, log, log1p, sqrt

from streams.models.impact import ALMGREN_2005, PowerImpact, timing_risk

__all__ = ["Point", "Policy", "Trilemma", "completion", "expected_unfilled", "normal_cdf"]


def normal_cdf(z: float) -> float:
    """Return the standard normal distribution function."""
    return (1 + erf(z / sqrt(2))) / 2


@dataclass(frozen=True, slots=True)
class Point:
    """One way to work the order, and what to expect of it."""

    participation: float
    days: float
    impact: float
    risk: float
    completion: float  # probability that all is done by the close
    unfilled: float  # expected part that is not
    total: float  # impact of what is done, clean-up of what is not

    def utility(self, risk_aversion: float) -> float:
        """Return total + risk_aversion x risk^2: less is better."""
        return self.total + risk_aversion * self.risk**2


@dataclass(frozen=True, slots=True)
class Policy:
    """What the owner wants: how much risk is worth, how fast at most, how sure at least."""

    risk_aversion: float
    participation_max: float
    completion_floor: float = 0.0


@dataclass(frozen=True, slots=True)
class Trilemma:
    """An order and its market. `volume_mean` is others' volume until the close, daily volumes."""

    size: float
    sigma: float
    inverse_turnover: float
    volume_cv: float
    volume_mean: float = 1.0
    half_spread: float = 0.0
    cleanup_participation: float = 0.5
    model: PowerImpact = ALMGREN_2005

    def point(self, participation: float) -> Point:
        """Return what working at `participation`, between 0 and 1, leads to."""
        share = participation / (1 - participation)
        days = self.size / share
        impact = self.model.cost(self.sigma, self.size, self.inverse_turnover, days)
        done = completion(self.size / share, self.volume_mean, self.volume_cv)
        unfilled = expected_unfilled(self.size, share, self.volume_mean, self.volume_cv) / self.size
        total = impact * (1 - unfilled) + unfilled * self.cleanup
        risk = timing_risk(self.sigma, days)
        return Point(participation, days, impact, risk, done, unfilled, total)

    @property
    def cleanup(self) -> float:
        """Return what one unit costs that must be taken after the horizon."""
        rushed = self.model.temporary(self.sigma, self.cleanup_participation)
        return self.half_spread + rushed

    def frontier(self, participations: Sequence[float]) -> list[Point]:
        """Return the points that no other one beats in cost, risk and completion at once."""
        points = [self.point(p) for p in participations]
        return [p for p in points if not any(_dominates(other, p) for other in points)]

    def choose(self, policy: Policy, participations: Sequence[float]) -> Point | None:
        """Return the best point that the policy allows; None when no point keeps its floor."""
        allowed = [
            point
            for p in participations
            if p <= policy.participation_max
            and (point := self.point(p)).completion >= policy.completion_floor
        ]
        return min(allowed, key=lambda point: point.utility(policy.risk_aversion), default=None)


def _dominates(one: Point, other: Point) -> bool:
    ours = (one.total, one.risk, -one.completion)
    theirs = (other.total, other.risk, -other.completion)
    return ours != theirs and all(a <= b for a, b in zip(ours, theirs, strict=True))


def completion(wanted: float, mean: float, cv: float) -> float:
    """Return the probability that a lognormal volume of this mean and cv reaches `wanted`."""
    if cv == 0:
        return 1.0 if mean >= wanted else 0.0
    spread2 = log1p(cv * cv)
    spread = sqrt(spread2)
    return 1 - normal_cdf((log(wanted / mean) + spread2 / 2) / spread)


def expected_unfilled(size: float, share: float, mean: float, cv: float) -> float:
    """Return E max(0, size - share x volume) for a lognormal volume.

    Units:  those of `size`; share is own volume per volume of others, p / (1 - p).
    """
    if cv == 0:
        return max(0.0, size - share * mean)
    spread2 = log1p(cv * cv)
    spread = sqrt(spread2)
    d1 = (log(share * mean / size) + spread2 / 2) / spread
    return size * normal_cdf(-(d1 - spread)) - share * mean * normal_cdf(-d1)
