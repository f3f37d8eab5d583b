"""Means with forgetting, in integers: what was seen lately, of how much, how far it scatters."""

from math import isqrt
from typing import Final

import msgspec

from schemas.messages.core import Estimate

__all__ = ["E9", "MEMORY", "VALUE_MAX", "Known", "Mean", "estimate", "spread_out"]

E9: Final = 1_000_000_000
# The newest observation counts 1, the one before 1 - 1/93 of that: half of it after 64 of them,
# and never more than 93 in all.
MEMORY: Final = 93
VALUE_MAX: Final = 10**12  # squares of it, 93 times, stay within 64 bits
_KEEP: Final = E9 // MEMORY


class Mean(msgspec.Struct, array_like=True):
    """Decayed sums: of weights, of values and of squares. All in 1e-9; squares in 1e-9 squared."""

    weight: int = 0
    total: int = 0
    squares: int = 0

    def observe(self, value: int, weight: int = E9) -> None:
        """Forget a little of what was known, and learn.

        Units:  value as the field says, at most VALUE_MAX either way; weight 1e-9, at most 1.
        Rounds: down, by less than 1e-9 of a unit each time.
        """
        value = max(-VALUE_MAX, min(value, VALUE_MAX))
        keep = E9 - weight // MEMORY
        self.weight = self.weight * keep // E9 + weight
        self.total = self.total * keep // E9 + value * weight // E9
        self.squares = self.squares * keep // E9 + value * value // E9 * weight // E9

    @property
    def mean(self) -> int:
        """The mean; 0 before the first observation. Rounds down."""
        return self.total * E9 // self.weight if self.weight else 0

    @property
    def variance(self) -> int:
        """Of one observation, in 1e-9 of the unit squared; 0 before the first."""
        if not self.weight:
            return 0
        return max(0, self.squares * E9 // self.weight - self.mean**2 // E9)


class Known(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What is known of a mean: how far it may be off, and what it rests on."""

    mean: int
    error: int
    weight: int  # effective number of observations, 1e-9

    def record(self) -> Estimate:
        """Return it as it stands in an event."""
        return Estimate(mean_e9=self.mean, error_e9=self.error, weight_e9=self.weight)


def estimate(own: Mean, prior: Known, scatter: int) -> Known:
    """Return the mean of what was seen and of what the prior says, each by its weight.

    `scatter` is the variance of one observation as all venues show it. It counts like thirty
    observations: how prices scatter is much alike everywhere, and a dozen equal fills are luck.
    Units:  mean and error of the observations; scatter 1e-9 of their unit squared.
    Rounds: down; the error up, and never to nothing.
    """
    weight = own.weight + prior.weight
    if not weight:
        return Known(prior.mean, max(1, prior.error), 0)
    mean = (own.total * E9 + prior.mean * prior.weight) // weight
    variance = (own.weight * own.variance + _SCATTER_WEIGHT * scatter) // (
        own.weight + _SCATTER_WEIGHT
    )
    between = own.weight * prior.weight // weight * (own.mean - prior.mean) ** 2 // (weight * E9)
    if own.weight:  # what the two disagree on is doubt as well
        variance += between
    sampled = isqrt(variance * E9 * E9 // weight) + 1
    error = (own.weight * sampled + prior.weight * min(prior.error, sampled)) // weight
    return Known(mean, max(1, error), own.weight)


_SCATTER_WEIGHT: Final = 30 * E9


def spread_out(means: list[Mean], floor: int) -> int:
    """Return the variance of one observation over all venues, at least `floor`.

    Units:  1e-9 of the unit squared.
    """
    weight = sum(each.weight for each in means)
    if not weight:
        return floor
    return max(floor, sum(each.weight * each.variance for each in means) // weight)
