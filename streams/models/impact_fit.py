"""The impact model updated on own parents: a prior, a conjugate normal regression, forgetting.

One parent is one observation of its cost against arrival, y = gamma a + eta b + noise, whose
noise is the timing risk of its life: R^2 is below one percent for one parent, so what is reported
is always a mean with a band. Source: SPEC section 6; docs/adr/0021-policy-and-planner.md.
"""

from dataclasses import dataclass
from math import sqrt
from typing import Final, NamedTuple

from schemas.messages.core import TopicPosition
from schemas.messages.plans import ImpactFitted
from streams.models.impact import (
    ALMGREN_2005,
    TURNOVER_EXPONENT,
    PowerImpact,
    square_root_cost,
    timing_risk,
)

__all__ = ["HALF_LIFE", "PRIOR", "Expected", "Fit", "Observation", "expected", "fit_of", "told"]

PRIOR: Final = "almgren-2005"
E9: Final = 1_000_000_000
E12: Final = 10**12
HALF_LIFE: Final = 200  # parents
# Half of the prior's coefficients: how far one house's flow may be from that of the study, whose
# own errors (.041, .0062) are those of 29,509 orders together. Our choice.
PRIOR_ERRORS: Final = (0.157, 0.071)
LEAST_PART: Final = 0.1  # of a prior coefficient: impact is never nothing, whatever luck says
ROOT_ERROR: Final = 0.5  # of the square-root law's coefficient, whose prior is 1
VARIANCE_LEAST: Final = 1.0  # squared basis points: a parent of an instant has some noise too
MOMENTS: Final = 11


class Observation(NamedTuple):
    """A closed parent. Units: basis points, trading days; size and rate are plain numbers."""

    cost: float  # average price against arrival, + is bad, half the spread removed
    sigma: float  # of a day
    size: float  # over daily volume
    rate: float  # over others' volume of its life
    days: float  # of its life
    inverse_turnover: float


class Expected(NamedTuple):
    """What a parent is expected to cost before it trades, basis points, spread not included."""

    cost: float
    model_error: float  # of the coefficients
    risk: float  # of the market meanwhile
    root: float  # by the square-root law

    @property
    def band(self) -> float:
        """Return one standard deviation of both together."""
        return sqrt(self.model_error**2 + self.risk**2)

    @property
    def is_flagged(self) -> bool:
        """Return whether the two laws differ by more than a factor of two."""
        return not 0.5 <= self.root / self.cost <= 2.0


@dataclass(frozen=True, slots=True)
class Fit:
    """Sums over parents, weighted by the inverse of their variance and forgotten exponentially.

    In order: aa, ab, bb, ay, by, rr, ry of the regressors and the cost, the weighted residual and
    its weight, the two laws' costs; `parents` counts all, `effective` what is not forgotten.
    """

    moments: tuple[float, ...] = (0.0,) * MOMENTS
    parents: int = 0
    effective: float = 0.0
    half_life: int = HALF_LIFE

    def update(self, seen: Observation) -> "Fit":
        """Return the fit after one more parent."""
        kept = 0.5 ** (1 / self.half_life)
        a, b = _regressors(seen)
        r = square_root_cost(seen.sigma, seen.size)
        weight = 1 / (timing_risk(seen.sigma, seen.days) ** 2 + VARIANCE_LEAST)
        model = self.model
        believed = model.gamma * a + model.eta * b
        surprise = seen.cost - believed
        news = (a * a, a * b, b * b, a * seen.cost, b * seen.cost, r * r, r * seen.cost)
        told = (surprise * surprise, 1.0, believed / weight, self.root * r / weight)
        moments = tuple(
            kept * old + weight * new for old, new in zip(self.moments, (*news, *told), strict=True)
        )
        return Fit(moments, self.parents + 1, kept * self.effective + 1, self.half_life)

    @property
    def covariance(self) -> tuple[float, float, float]:
        """Return the variance of gamma, the covariance, and the variance of eta."""
        aa, ab, bb = self.moments[:3]
        one, two = (1 / error**2 for error in PRIOR_ERRORS)
        aa, bb = aa + one, bb + two
        whole = aa * bb - ab * ab
        return bb / whole, -ab / whole, aa / whole

    @property
    def model(self) -> PowerImpact:
        """Return the mean, no coefficient below a tenth of its prior."""
        ay, by = self.moments[3:5]
        prior = ALMGREN_2005
        one = ay + prior.gamma / PRIOR_ERRORS[0] ** 2
        two = by + prior.eta / PRIOR_ERRORS[1] ** 2
        aa, ab, bb = self.covariance
        gamma = max(aa * one + ab * two, LEAST_PART * prior.gamma)
        eta = max(ab * one + bb * two, LEAST_PART * prior.eta)
        return PowerImpact(gamma, eta, prior.beta)

    @property
    def root(self) -> float:
        """Return the coefficient of the square-root law on the same parents, prior 1."""
        rr, ry = self.moments[5:7]
        prior = 1 / ROOT_ERROR**2
        return max((ry + prior) / (rr + prior), LEAST_PART)

    @property
    def ratio(self) -> float:
        """Return the cost by the square-root law over that by this model; 0 before a parent."""
        cost, root = self.moments[9:11]
        return root / cost if cost > 0 else 0.0

    @property
    def residual(self) -> float:
        """Return the weighted root mean square of what the fits before each parent missed."""
        square, weight = self.moments[7:9]
        return sqrt(square / weight) if weight > 0 else 0.0


def _regressors(seen: Observation) -> tuple[float, float]:
    permanent = seen.sigma * seen.size * seen.inverse_turnover**TURNOVER_EXPONENT / 2
    return permanent, seen.sigma * seen.rate**ALMGREN_2005.beta


def expected(fit: Fit, asked: Observation) -> Expected:
    """Return what a parent of that size, rate and life is expected to cost; its cost is ignored."""
    a, b = _regressors(asked)
    aa, ab, bb = fit.covariance
    variance = a * a * aa + 2 * a * b * ab + b * b * bb
    return Expected(
        cost=fit.model.gamma * a + fit.model.eta * b,
        model_error=sqrt(max(0.0, variance)),
        risk=timing_risk(asked.sigma, asked.days),
        root=square_root_cost(asked.sigma, asked.size, fit.root),
    )


def fit_of(message: ImpactFitted | None) -> Fit:
    """Return the fit that a message tells, so that another goes on exactly where it stood."""
    if message is None:
        return Fit()
    return Fit(
        tuple(moment / E12 for moment in message.moments),
        message.parents,
        message.effective_parents_e9 / E9,
        message.half_life_parents,
    )


def told(fit: Fit, ordinal: int, positions: tuple[TopicPosition, ...]) -> ImpactFitted:
    """Return the fit as a message; all numbers rounded, half even."""
    model, (aa, ab, bb) = fit.model, fit.covariance
    return ImpactFitted(
        version=f"{PRIOR}+{ordinal}",
        ordinal=ordinal,
        prior=PRIOR,
        beta_e9=round(model.beta * E9),
        gamma_e9=round(model.gamma * E9),
        gamma_error_e9=round(sqrt(aa) * E9),
        eta_e9=round(model.eta * E9),
        eta_error_e9=round(sqrt(bb) * E9),
        covariance_e9=round(ab * E9),
        root_e9=round(fit.root * E9),
        root_ratio_e9=round(fit.ratio * E9),
        is_flagged=fit.parents > 0 and not 0.5 <= fit.ratio <= 2.0,
        parents=fit.parents,
        effective_parents_e9=round(fit.effective * E9),
        half_life_parents=fit.half_life,
        residual_bps_e9=round(fit.residual * E9),
        moments=tuple(round(moment * E12) for moment in fit.moments),
        positions=positions,
    )
