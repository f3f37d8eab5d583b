"""Few observations of many venues: draw each one's mean to that of all, by how little is known.

In floats: services/venuemodel fits with them, and the integers of streams/scorecard (shrink.py for
the random effects, score.py for the all-in cost of posting) are held against them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

__all__ = ["Shrunk", "james_stein", "passive_cost", "random_effects"]


@dataclass(frozen=True, slots=True)
class Shrunk:
    """Means and standard deviations after shrinkage, by venue as given."""

    means: tuple[float, ...]
    deviations: tuple[float, ...]
    mu: float  # mean of all
    mu_error: float
    tau2: float  # variance between venues
    q: float  # heterogeneity statistic


def random_effects(values: Sequence[float], errors: Sequence[float]) -> Shrunk:
    """Return the random-effects estimate of every venue.

    `errors` are standard errors, positive. A venue with few, lucky observations cannot top the
    table: its error is large, and so its own mean counts little.
    Source: DerSimonian and Laird; SPEC section 7.
    """
    weights = [1 / e**2 for e in errors]
    fixed, total = _mean(values, weights), sum(weights)
    q = sum(w * (y - fixed) ** 2 for w, y in zip(weights, values, strict=True))
    scale = total - sum(w * w for w in weights) / total
    tau2 = max(0.0, (q - (len(values) - 1)) / scale) if scale > 0 else 0.0
    wider = [1 / (e**2 + tau2) for e in errors]
    mu = _mean(values, wider)
    own = [e**2 / (e**2 + tau2) if tau2 else 1.0 for e in errors]
    return Shrunk(
        means=tuple(b * mu + (1 - b) * y for b, y in zip(own, values, strict=True)),
        deviations=tuple(e * sqrt(1 - b) for b, e in zip(own, errors, strict=True)),
        mu=mu,
        mu_error=1 / sqrt(sum(wider)),
        tau2=tau2,
        q=q,
    )


def james_stein(values: Sequence[float], error: float) -> tuple[float, tuple[float, ...]]:
    """Return the part of its distance to the mean that each value keeps, and the estimates.

    For more than three values of one standard error. The special case that random effects are
    checked by: those keep 1 - (k - 1) / q, this keeps 1 - (k - 3) / q and is better for few values.
    Source: Efron and Morris 1977; SPEC section 7.
    """
    mean = sum(values) / len(values)
    q = sum((y - mean) ** 2 for y in values) / error**2
    kept = max(0.0, 1 - (len(values) - 3) / q) if q else 0.0
    return kept, tuple(mean + kept * (y - mean) for y in values)


def _mean(values: Sequence[float], weights: Sequence[float]) -> float:
    return sum(w * y for w, y in zip(weights, values, strict=True)) / sum(weights)


def passive_cost(
    fill_probability: float, half_spread: float, rebate: float, adverse: float, cleanup: float
) -> float:
    """Return the expected all-in cost of posting, basis points; less is better."""
    filled = -half_spread - rebate + adverse
    return fill_probability * filled + (1 - fill_probability) * cleanup
