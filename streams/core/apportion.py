"""Exact division of shares and of cash: guarded Webster and largest remainder, integers only."""

from collections.abc import Sequence
from hashlib import sha256
from itertools import accumulate
from operator import le

from schemas.messages.core import Member
from streams.core.ids import within_log

__all__ = ["GUARD_SLOTS_MAX", "cross_shares", "guarded_webster", "largest_remainder", "tie_ranks"]

# Future slots that one guard may look at: about 1 ms. Beyond it the deadline rule decides, which
# needs no guard. Part of the rule, hence of the log's meaning: a change is a new epoch rule.
GUARD_SLOTS_MAX = 8_192


def tie_ranks(house_id: str, order_ids: Sequence[str]) -> list[int]:
    """Return each order's place among its peers when fractions are equal.

    The place is that of SHA-256("<house_id>:<order_id>"), both without the tag of their log: nobody
    can choose it, everybody can
    repeat it. house_id is "<parent_id>/<epoch>" for an epoch and its tail, else the cross id.
    """
    house = within_log(house_id)
    digests = [sha256(f"{house}:{within_log(each)}".encode()).digest() for each in order_ids]
    ranks = [0] * len(digests)
    for rank, i in enumerate(sorted(range(len(digests)), key=digests.__getitem__)):
        ranks[i] = rank
    return ranks


def guarded_webster(
    weights: Sequence[int],
    allocated: Sequence[int],
    fill: int,
    ties: Sequence[int] | None = None,
) -> list[int]:
    """Return the cumulative shares after `fill` more, given the cumulative shares before it.

    Every result is monotone, sums to what was filled, and stays within one share of the exact part
    weight x filled / sum(weights), provided that `allocated` came out of this function.

    Units:  smallest units; `ties` are distinct ranks, lower first (default: by index).
    Rounds: inside the quota window, by Webster's preference; by the earliest deadline where
            Webster's choice could not be completed.
    Source: SPEC section 9; Balinski and Young 1975.
    """
    house = sum(weights)
    filled = sum(allocated) + fill
    assert fill >= 0 and filled <= house, f"filled {filled} of a house of {house}"
    if fill == 0:
        return list(allocated)
    floors = [weight * filled // house for weight in weights]
    lower = list(map(max, allocated, floors))
    grants = filled - sum(lower)
    assert grants >= 0, "shares before the fill left no room for the quota"
    if grants == 0:
        return lower
    order = (
        range(len(weights)) if ties is None else sorted(range(len(weights)), key=ties.__getitem__)
    )
    # Whoever is above its floor has its ceiling already; an exact part has no ceiling to reach.
    candidates = [
        i for i in order if lower[i] == floors[i] and weights[i] * filled != floors[i] * house
    ]
    chosen = _granted(weights, lower, candidates, grants, 2)
    if _is_safe(weights, chosen, house, filled):
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
        keys = {i: (factor * lower[i] + 1) * scale // weights[i] for i in candidates}
        ranked = sorted(candidates, key=keys.__getitem__)[:grants]
    result = lower.copy()
    for i in ranked:
        result[i] += 1
    return result


def _is_safe(weights: Sequence[int], allocated: list[int], house: int, filled: int) -> bool:
    """Return whether every share due by a later slot still fits before that slot.

    Share j of order i is due at slot ceil(j house / weight). Only slots up to the last one at which
    somebody is ahead of its exact part can be too full.
    """
    ahead = [
        -(-have * house // weight)
        for have, weight in zip(allocated, weights, strict=True)
        if have * house > weight * filled
    ]
    last = max(ahead, default=filled)
    if last - filled > GUARD_SLOTS_MAX:
        return False
    due = [0] * (last - filled + 1)
    for have, weight in zip(allocated, weights, strict=True):
        target = weight * last // house
        if target == have + 1:
            due[-(-target * house // weight) - filled] += 1
        elif target > have:
            for share in range(have + 1, target + 1):
                due[-(-share * house // weight) - filled] += 1
    return all(map(le, accumulate(due), range(len(due))))


def cross_shares(cross_id: str, quantity: int, members: Sequence[Member]) -> list[int]:
    """Return what each order of one side gets of a cross; netting and allocation both ask here."""
    weights = [member.quantity for member in members]
    ties = tie_ranks(cross_id, [member.order_id for member in members])
    return guarded_webster(weights, [0] * len(weights), quantity, ties)


def largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """Return `total` divided by weight, each part within one unit of its exact part.

    Units:  those of `total`, which may be negative; all weights zero needs a total of zero.
    Rounds: down, then one unit more for the largest remainders, ties by index.
    Source: Hamilton's method; SPEC section 9, average price.
    """
    whole = sum(weights)
    if whole == 0:
        assert total == 0, f"total {total} has nobody to go to"
        return [0] * len(weights)
    parts, rests = [], []
    for weight in weights:
        part, rest = divmod(total * weight, whole)
        parts.append(part)
        rests.append(-rest)
    for i in sorted(range(len(weights)), key=rests.__getitem__)[: total - sum(parts)]:
        parts[i] += 1
    assert sum(parts) == total
    return parts
