"""What is left of a parent on the frontier of impact, risk and completion, until its window ends.

Others' volume until the end is lognormal and comes at a steady rate. Costs are basis points of the
midpoint now, positive when bad. Source: SPEC section 11, its horizon made the parent's own window:
own volume over others' is the rate of Almgren's temporary impact, X / (V T), there as here.
"""

from dataclasses import dataclass, replace
from math import exp, inf, log1p, sqrt
from statistics import NormalDist

from streams.models.frontier import Point, Policy, completion, expected_unfilled
from streams.models.impact import ALMGREN_2005, TURNOVER_EXPONENT, PowerImpact, timing_risk

__all__ = [
    "INVERSE_TURNOVER",
    "PARTICIPATION_MAX",
    "RUSH",
    "Outlook",
    "choose",
    "frontier_of",
    "required_participation",
]

PARTICIPATION_MAX = 0.9  # own / (own + others): beyond it 1 / (1 - p) means nothing
PARTICIPATION_MIN = 1e-4
GRID = 12  # participations first looked at
REFINEMENTS = 10  # golden sections between the neighbors of the best of them
NORMAL = NormalDist()
GOLDEN = (sqrt(5) - 1) / 2
RUSH = 0.5  # participation at which the rest is taken after the end; SPEC section 11
# Shares outstanding over daily volume where nobody said: between IBM's 263 and DRI's 87 of the
# published table. Its fourth root is what counts: 50 to 300 moves the permanent part by -24, +19 %.
INVERSE_TURNOVER = 150.0


@dataclass(frozen=True, slots=True)
class Outlook:
    """A parent's rest and its market. Units: shares, trading days, basis points."""

    quantity: float  # left, more than 0
    days: float  # of the window, from now on, more than 0
    volume: float  # others', expected until the end
    volume_cv: float
    daily_volume: float
    sigma: float  # of a day
    half_spread: float = 0.0
    traded: float = 0.0  # of others, since the cap counts
    done: float = 0.0  # of own since then
    inverse_turnover: float = INVERSE_TURNOVER
    model: PowerImpact = ALMGREN_2005

    @property
    def size(self) -> float:
        """Return what is left over daily volume."""
        return self.quantity / self.daily_volume

    @property
    def permanent(self) -> float:
        """Return half of the permanent impact: what is paid of it on average."""
        shift = self.model.gamma * self.sigma * self.size
        return float(shift * self.inverse_turnover**TURNOVER_EXPONENT / 2)

    @property
    def rush(self) -> float:
        """Return what one unit costs that must be taken after the end."""
        return self.half_spread + self.model.temporary(self.sigma, RUSH)

    def point(self, participation: float) -> Point:
        """Return what a steady participation, within (0, 1), leads to.

        As in SPEC section 11 the risk is that of working on at that pace, also beyond the end.
        """
        total, risk, done, impact, days, unfilled = self._measures(participation)
        return Point(participation, days, impact, risk, done, unfilled, total)

    def score(self, participation: float, risk_aversion: float) -> float:
        """Return the point's total + risk_aversion x risk^2: less is better."""
        total, risk, *_ = self._measures(participation)
        return total + risk_aversion * risk * risk

    def _measures(self, participation: float) -> tuple[float, float, float, float, float, float]:
        """Return total, risk, completion, impact, days and the unfilled part."""
        share = participation / (1 - participation)
        rate = share * self.volume / self.days  # own quantity a day
        if rate <= 0:
            return inf, inf, 0.0, inf, inf, 1.0
        days = self.quantity / rate
        temporary = self.model.temporary(self.sigma, share)
        impact = self.half_spread + self.permanent + temporary
        done = completion(self.quantity / share, self.volume, self.volume_cv)
        left = expected_unfilled(self.quantity, share, self.volume, self.volume_cv)
        unfilled = min(max(left / self.quantity, 0.0), 1.0)
        total = impact * (1 - unfilled) + unfilled * self.rush
        return total, timing_risk(self.sigma, days), done, impact, days, unfilled

    def likely_volume(self, probability: float) -> float:
        """Return the volume that is reached with that probability, within [0, 1)."""
        if self.volume_cv == 0 or probability <= 0:
            return self.volume
        spread = sqrt(log1p(self.volume_cv**2))
        z = NORMAL.inv_cdf(probability)
        return self.volume * exp(-spread * spread / 2 - spread * z)

    def unused(self, cap: float) -> float:
        """Return what the cap allowed of the volume that has come, and was not done."""
        return max(0.0, cap / (1 - cap) * self.traded - self.done)

    def capped(self, cap: float) -> Point:
        """Return what the cap allows at most, what it allowed before and was not used included."""
        share, unused = cap / (1 - cap), self.unused(cap)
        pace = share + unused / self.volume
        point = self.point(pace / (1 + pace))
        left = self.quantity - unused
        if left <= 0:
            return replace(point, completion=1.0, unfilled=0.0, total=point.impact)
        short = expected_unfilled(left, share, self.volume, self.volume_cv) / self.quantity
        return replace(
            point,
            completion=completion(left / share, self.volume, self.volume_cv),
            unfilled=short,
            total=point.impact * (1 - short) + short * self.rush,
        )

    def required_cap(self, floor: float) -> float | None:
        """Return the least cap that completes with that probability; None for none."""
        volume = self.traded + self.likely_volume(floor)
        share = (self.done + self.quantity) / volume if volume > 0 else inf
        found = share / (1 + share) if share < inf else 1.0
        return found if found <= PARTICIPATION_MAX else None


def required_participation(outlook: Outlook, floor: float) -> float | None:
    """Return the least participation that completes with that probability; None for none.

    Source: completion() solved for p: k times the volume that is reached with it is what is left.
    """
    volume = outlook.likely_volume(floor)
    if volume <= 0:
        return None
    share = outlook.quantity / volume
    found = share / (1 + share)
    return found if found <= PARTICIPATION_MAX else None


def choose(outlook: Outlook, policy: Policy) -> tuple[Point, bool]:
    """Return the best pace within the policy's own that keeps its floor, and whether one does.

    Where none does, the fastest. `policy.participation_max` is of the volume to come.
    """
    most = min(policy.participation_max, PARTICIPATION_MAX)
    least = PARTICIPATION_MIN
    if policy.completion_floor > 0:
        required = required_participation(outlook, policy.completion_floor)
        if required is None or required > most:
            return outlook.point(most), False
        least = max(least, required)
    if least >= most:
        return outlook.point(most), True
    return _best(outlook, policy, least, most), True


def _best(outlook: Outlook, policy: Policy, least: float, most: float) -> Point:
    aversion = policy.risk_aversion
    grid = _grid(least, most, GRID)
    scores = [outlook.score(p, aversion) for p in grid]
    at = min(range(len(grid)), key=scores.__getitem__)
    low, high = grid[max(at - 1, 0)], grid[min(at + 1, len(grid) - 1)]
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    of_left, of_right = outlook.score(left, aversion), outlook.score(right, aversion)
    for _ in range(REFINEMENTS):
        if of_left <= of_right:
            high, right, of_right = right, left, of_left
            left = high - GOLDEN * (high - low)
            of_left = outlook.score(left, aversion)
        else:
            low, left, of_left = left, right, of_right
            right = low + GOLDEN * (high - low)
            of_right = outlook.score(right, aversion)
    best = min((scores[at], grid[at]), (of_left, left), (of_right, right))
    return outlook.point(best[1])


def frontier_of(outlook: Outlook, least: float, most: float, points: int) -> list[Point]:
    """Return points between two participations that no other beats in cost, risk and completion.

    A faster one has less risk and completes more surely, so only a cheaper one can beat a slower.
    """
    kept: list[Point] = []
    for participation in reversed(_grid(least, most, points)):
        point = outlook.point(participation)
        if not kept or point.total < kept[-1].total:
            kept.append(point)
    return kept[::-1]


def _grid(least: float, most: float, points: int) -> list[float]:
    """Return participations in equal ratios, both ends included."""
    if least >= most:
        return [most]
    ratio = (most / least) ** (1 / (points - 1))
    return [least * ratio**n for n in range(points - 1)] + [most]
