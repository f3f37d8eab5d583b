"""What each order gets of a cross: netting and allocation both ask here."""

from collections.abc import Sequence

from schemas.messages.core import Member
from schemas.messages.netting import CrossExecuted
from streams.core.apportion import cross_shares

__all__ = ["crossed_shares", "side_shares"]


def crossed_shares(cross: CrossExecuted) -> tuple[list[int], list[int]]:
    """Return the shares of both sides, in the order of `buys` and `sells`.

    Where some may not meet, the pairs say it; otherwise each side is divided by weight.
    """
    if not cross.pairs:
        return (
            side_shares(cross.cross_id, cross.quantity, cross.buys),
            side_shares(cross.cross_id, cross.quantity, cross.sells),
        )
    bought = dict.fromkeys([member.order_id for member in cross.buys], 0)
    sold = dict.fromkeys([member.order_id for member in cross.sells], 0)
    for pair in cross.pairs:
        bought[pair.buy_order_id] += pair.quantity
        sold[pair.sell_order_id] += pair.quantity
    return list(bought.values()), list(sold.values())


def side_shares(cross_id: str, quantity: int, members: Sequence[Member]) -> list[int]:
    """Return one side's shares by weight, a tier before the next."""
    tiers = sorted({member.tier for member in members})
    if len(tiers) <= 1:
        return cross_shares(cross_id, quantity, members)
    shares, left = [0] * len(members), quantity
    for tier in tiers:
        places = [i for i, member in enumerate(members) if member.tier == tier]
        among = [members[i] for i in places]
        part = min(left, sum(member.quantity for member in among))
        for i, share in zip(places, cross_shares(cross_id, part, among), strict=True):
            shares[i] = share
        left -= part
    return shares
