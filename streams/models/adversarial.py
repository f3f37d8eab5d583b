"""Hidden liquidity that keeps no law: parts by exponential weights, whose regret is bounded.

Censored tails (`dark`) learn faster where sizes are drawn from one law, and can be misled where
they are not. This asks for no law: whatever the sizes do, over T rounds of V units in K pools the
loss against the best fixed allocation in hindsight grows as V sqrt(T ln K). It is the reference of
SPEC section 3 for pools that change; no decision uses it as long as nothing tests for a change.
Source: Agarwal, Bartlett, Dama 2010.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import e, log, sqrt
from typing import Any

import numpy as np

__all__ = ["ExponentialWeights", "regret_bound"]

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(slots=True)
class ExponentialWeights:
    """What is known of every pool, by the ordinal of the unit that would go there."""

    rate: float
    scores: Floats  # (units at most, pools)

    @classmethod
    def over(cls, rounds: int, units_max: int, pools: int) -> "ExponentialWeights":
        """Return the weights for so many rounds, at the rate that the bound is proven for."""
        return cls(sqrt(log(pools) / ((e - 2) * rounds)), np.zeros((units_max, pools)))

    def parts(self, units: int) -> Floats:
        """Return the units for each pool; parts of a unit, which sum to `units`."""
        whole: Floats = self._shares(units).sum(axis=0)
        return whole

    def _shares(self, units: int) -> Floats:
        scores = self.scores[:units]
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares: Floats = weights / weights.sum(axis=1, keepdims=True)
        return shares

    def learn(self, units: int, was_filled: Sequence[bool]) -> None:
        """Learn from a round of `units` which pools filled all of their part.

        A pool that did would have filled more; one that did not had enough already.
        """
        self.scores[:units] += self.rate * np.asarray(was_filled, dtype=np.float64)


def regret_bound(rounds: int, units: int, pools: int) -> float:
    """Return 3 V sqrt(T ln K): units that may be lost against the best fixed allocation."""
    return 3 * units * sqrt(rounds * log(pools))
