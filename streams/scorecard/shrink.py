"""Random effects over venues in integers: each mean is drawn to that of all by how little is known.

A decider may not use floats, and the score is recorded: streams/models/shrinkage.py is the same in
floats, and a property test holds the two together.
"""

from collections.abc import Sequence
from math import isqrt
from typing import Final, NamedTuple

__all__ = ["Shrunk", "random_effects"]

E9: Final = 1_000_000_000
# Weights are parts of this over a variance: the smallest error of a score, 1e-9, has one of 1e36.
SCALE: Final = 10**36


class Shrunk(NamedTuple):
    """By venue as given; 1e-9 of the unit of the values."""

    means: tuple[int, ...]
    deviations: tuple[int, ...]  # between venues, the mean of all taken for known
    errors: tuple[int, ...]  # the doubt in that mean included
    mean: int  # of all
    error: int
    between: int  # variance between venues, 1e-18 of the unit squared


def random_effects(values: Sequence[int], errors: Sequence[int]) -> Shrunk:
    """Return the random-effects estimate of every venue; errors are positive.

    Units:  1e-9 of any unit, values and errors alike.
    Rounds: down, the deviations up.
    Source: DerSimonian and Laird; SPEC section 7.
    """
    squares = [error * error for error in errors]
    weights = [SCALE // square for square in squares]
    total = sum(weights)
    fixed = _mean(values, weights)
    excess = sum(
        weight * (value - fixed) ** 2 for weight, value in zip(weights, values, strict=True)
    )
    excess -= (len(values) - 1) * SCALE  # Q - (k - 1), times SCALE
    room = total * total - sum(weight * weight for weight in weights)
    between = max(0, excess * total // room) if room > 0 else 0
    wider = [SCALE // (square + between) for square in squares]
    mean = _mean(values, wider)
    error = isqrt(SCALE // max(1, sum(wider))) + 1
    means, deviations, errors = [], [], []
    for value, square in zip(values, squares, strict=True):
        whole = square + between
        # Without a difference between venues all are the mean of all.
        means.append((square * mean + between * value) // whole)
        variance = square * between // whole
        deviations.append(isqrt(variance) + 1)
        errors.append(isqrt(variance + (square * error // whole) ** 2) + 1)
    return Shrunk(tuple(means), tuple(deviations), tuple(errors), mean, error, between)


def _mean(values: Sequence[int], weights: Sequence[int]) -> int:
    return sum(w * y for w, y in zip(weights, values, strict=True)) // max(1, sum(weights))
