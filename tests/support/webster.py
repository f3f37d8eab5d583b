"""Guarded Webster written as SPEC section 9 has it: slow, readable, beside the fast one."""

from fractions import Fraction
from math import ceil, floor

from streams.core.webster import GUARD_SLOTS_MAX


def by_deadline(weights: list[int], before: list[int], fill: int) -> list[int]:
    """Return the quota method's shares: the earliest deadline first."""
    return _select(weights, before, fill, 1)


def by_guarded_webster(weights: list[int], before: list[int], fill: int) -> list[int]:
    """Return Webster's choice inside the quota window if it can be completed, else the deadline's.

    Ties go by index: reorder the arguments to have other ties.
    """
    house, filled = sum(weights), sum(before) + fill
    chosen = _select(weights, before, fill, 2)
    exact = [Fraction(weight * filled, house) for weight in weights]
    ahead = [
        ceil(Fraction(have * house, weight))
        for have, weight, part in zip(chosen, weights, exact, strict=True)
        if have > part
    ]
    last = max(ahead, default=filled)
    is_safe = last - filled <= GUARD_SLOTS_MAX and all(
        sum(
            max(0, floor(Fraction(weight * slot, house)) - have)
            for have, weight in zip(chosen, weights, strict=True)
        )
        <= slot - filled
        for slot in range(filled + 1, last + 1)
    )
    return chosen if is_safe else by_deadline(weights, before, fill)


def _select(weights: list[int], before: list[int], fill: int, factor: int) -> list[int]:
    house, filled = sum(weights), sum(before) + fill
    exact = [Fraction(weight * filled, house) for weight in weights]
    shares = [max(have, floor(part)) for have, part in zip(before, exact, strict=True)]
    wanting = [i for i, part in enumerate(exact) if shares[i] < ceil(part)]
    wanting.sort(key=lambda i: Fraction(factor * shares[i] + 1, weights[i]))
    for i in wanting[: filled - sum(shares)]:
        shares[i] += 1
    return shares
