"""Guarded Webster: whole shares of successive fills, inside the quota, never taken back."""

from collections.abc import Sequence
from itertools import accumulate
from operator import le

__all__ = ["GUARD_SLOTS_MAX", "shares_after"]

# Future slots that one guard may look at: about 1 ms. Beyond it the deadline rule decides, which
# needs no guard. Part of the rule, hence of the log's meaning: a change is a new epoch rule.
GUARD_SLOTS_MAX = 8_192


def shares_after(
    weights: Sequence[int], allocated: Sequence[int], fill: int, order: Sequence[int]
) -> list[int]:
    """Return the cumulative shares after `fill` more, given the cumulative shares before it.

    Every result is monotone, sums to what was filled, and stays within one share of the exact part
    weight x filled / sum(weights), provided that `allocated` came out of this function.

    Units:  smallest units; `order` are the places of all; of equal claims the first in it wins.
    Rounds: inside the quota window, by Webster's preference; by the earliest deadline where
            Webster's choice could not be completed.
    Source: SPEC section 9; Balinski and Young 1975. tests/support/webster.py has it as written.
    """
    house = sum(weights)
    filled = sum(allocated) + fill
    assert fill >= 0 and filled <= house, f"filled {filled} of a house of {house}"
    if fill == 0:
        return list(allocated)
    floors = [weight * filled // house for weight in weights]
    lower = [
        have if have > floor else floor  # three times as fast as max()
        for have, floor in zip(allocated, floors, strict=True)
    ]
    grants = filled - sum(lower)
    assert grants >= 0, "shares before the fill left no room for the quota"
    if grants == 0:
        return lower
    # Whoever is above its floor has its ceiling already; an exact part has no ceiling to reach.
    candidates = [
        i
        for i in order
        if lower[i] == (floor := floors[i]) and weights[i] * filled != floor * house
    ]
    chosen = _granted(weights, lower, candidates, grants, 2)
    if _is_safe(weights, chosen, floors, house, filled):
        return chosen
    return _granted(weights, lower, candidates, grants, 1)


def _granted(
    weights: Sequence[int], lower: list[int], candidates: list[int], grants: int, factor: int
) -> list[int]:
    # factor 2 ranks by Webster's (2 lower + 1) / weight, factor 1 by the deadline's
    # (lower + 1) / weight. Two fractions that differ do so by at least 1 / scale, so the integer
    # part of fraction x scale orders them exactly; a stable sort leaves ties as they stand.
    if grants == len(candidates):
        ranked = candidates
    else:
        scale = max([weights[i] for i in candidates]) ** 2
        keys = [(factor * lower[i] + 1) * scale // weights[i] for i in candidates]
        ranks = sorted(range(len(keys)), key=keys.__getitem__)
        ranked = [candidates[rank] for rank in ranks[:grants]]
    result = lower.copy()
    for i in ranked:
        result[i] += 1
    return result


def _is_safe(
    weights: Sequence[int], allocated: list[int], floors: list[int], house: int, filled: int
) -> bool:
    """Return whether every share due by a later slot still fits before that slot.

    Share j of order i is due at slot ceil(j house / weight). Only slots up to the last one at which
    somebody is ahead of its exact part can be too full; whoever is ahead is above its floor.
    """
    ahead = [
        (-(-have * house // weight), have, weight)
        for have, weight, floor in zip(allocated, weights, floors, strict=True)
        if have > floor
    ]
    if not ahead:
        return True
    if max(ahead)[0] - filled > GUARD_SLOTS_MAX:
        return False
    last = _last_slot(ahead, house, filled)
    due = [0] * (last - filled + 1)
    for have, weight in zip(allocated, weights, strict=True):
        target = weight * last // house
        if target == have + 1:
            due[-(-target * house // weight) - filled] += 1
        elif target > have:
            for share in range(have + 1, target + 1):
                due[-(-share * house // weight) - filled] += 1
    return all(map(le, accumulate(due), range(len(due))))


def _last_slot(ahead: list[tuple[int, int, int]], house: int, filled: int) -> int:
    """Return the last slot that can be too full, from (end, shares, weight) of who is ahead.

    By slot t those who are not ahead are owed at most t - filled plus what the others are ahead
    then. Both are whole, so nothing is too full once that is below one share, and it only falls.
    """
    ahead.sort(reverse=True)
    shares = weights = slot = 0
    ends = [end for end, _, _ in ahead]
    for (_, have, weight), following in zip(ahead, [*ends[1:], filled], strict=True):
        shares, weights = shares + have, weights + weight
        slot = (shares - 1) * house // weights + 1
        if slot >= following:
            break
    return max(slot, filled)
