"""Exact division of fills, crosses and cash between orders; integers only."""

from collections.abc import Sequence

from schemas.messages.core import Member
from streams.core.division import Division, tie_order
from streams.core.webster import shares_after

__all__ = ["cross_shares", "guarded_webster", "largest_remainder", "tie_ranks"]


def tie_ranks(house_id: str, order_ids: Sequence[str]) -> list[int]:
    """Return each order's place among its peers when claims are equal: `tie_order`, inverted."""
    ranks = [0] * len(order_ids)
    for rank, i in enumerate(tie_order(house_id, order_ids)):
        ranks[i] = rank
    return ranks


def guarded_webster(
    weights: Sequence[int],
    allocated: Sequence[int],
    fill: int,
    ties: Sequence[int] | None = None,
) -> list[int]:
    """Return `shares_after` with ties by distinct ranks, lower first (default: by index)."""
    places = range(len(weights))
    order = places if ties is None else sorted(places, key=ties.__getitem__)
    return shares_after(weights, allocated, fill, order)


def cross_shares(
    cross_id: str, quantity: int, members: Sequence[Member], lot: int = 1
) -> list[int]:
    """Return what each order of one side gets of a cross: clients first, in lots."""
    return Division.of(cross_id, members, lot).after([0] * len(members), quantity)


def largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """Return `total` divided by weight, each part within one unit of its exact part.

    Units:  those of `total`, which may be negative; all weights zero needs a total of zero.
    Rounds: down, then one unit more for the largest remainders, ties by index.
    Source: Hamilton's method; SPEC section 9, average price.
    """
    if not total:
        return [0] * len(weights)
    whole = sum(weights)
    assert whole, f"total {total} has nobody to go to"
    exact = [total * weight for weight in weights]
    parts = [each // whole for each in exact]
    missing = total - sum(parts)
    if missing:
        rests = [part * whole - each for each, part in zip(exact, parts, strict=True)]
        for i in sorted(range(len(weights)), key=rests.__getitem__)[:missing]:
            parts[i] += 1
    assert sum(parts) == total
    return parts
