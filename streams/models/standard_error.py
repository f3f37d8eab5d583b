"""How sure a mean of costs is: the standard error of a ratio, with observations in clusters."""

from collections.abc import Hashable, Sequence
from math import sqrt
from typing import NamedTuple

__all__ = ["Estimate", "estimate", "sample_size", "student_95"]

Z_95_80 = 1.959964 + 0.841621  # two-sided 95 % level, power 80 %


class Estimate(NamedTuple):
    """A weighted mean with its errors; units of the values."""

    mean: float
    error: float  # as if observations were independent
    clustered: float  # observations of one cluster share what happened; 0 for one cluster
    effective: float  # number of equally weighted observations that would be as sure
    observations: int
    clusters: int

    @property
    def is_significant(self) -> bool:
        """Return whether 0 is outside the 95 % interval; never with fewer than three clusters."""
        return self.clusters > 2 and abs(self.mean) > student_95(self.clusters - 1) * self.clustered


def estimate(
    values: Sequence[float], weights: Sequence[float], clusters: Sequence[Hashable]
) -> Estimate:
    """Return the weighted mean and its errors by the ratio estimator.

    Source: SPEC section 8: SE = sqrt(n / (n - 1) sum (w (x - m))^2) / sum w; clustered, sums over
    each cluster take the place of its terms, G / (G - 1) that of n / (n - 1).
    """
    total, count = sum(weights), len(values)
    assert total > 0, "nothing was weighed"
    mean = sum(w * x for w, x in zip(weights, values, strict=True)) / total
    terms = [w * (x - mean) for w, x in zip(weights, values, strict=True)]
    sums: dict[Hashable, float] = {}
    for term, cluster in zip(terms, clusters, strict=True):
        sums[cluster] = sums.get(cluster, 0.0) + term
    return Estimate(
        mean,
        _spread(terms) / total,
        _spread([*sums.values()]) / total,
        total**2 / sum(w * w for w in weights),
        count,
        len(sums),
    )


def sample_size(deviation: float, effect: float) -> int:
    """Return how many orders show an effect at 95 % with power 80 %. Rounds: up."""
    return int(-(-((Z_95_80 * deviation / effect) ** 2) // 1))


def student_95(freedom: int) -> float:
    """Return Student's two-sided 95 % bound. Source: Cornish-Fisher, within 1 % from 3 on."""
    z = 1.959964
    third = (z**3 + z) / 4
    fifth = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    seventh = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + third / freedom + fifth / freedom**2 + seventh / freedom**3


def _spread(terms: Sequence[float]) -> float:
    count = len(terms)
    return sqrt(count / (count - 1) * sum(term * term for term in terms)) if count > 1 else 0.0
