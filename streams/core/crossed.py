"""What each order gets of a cross: netting and allocation both ask here."""

from schemas.messages.netting import CrossExecuted
from streams.core.apportion import cross_shares

__all__ = ["crossed_shares"]


def crossed_shares(cross: CrossExecuted) -> tuple[list[int], list[int]]:
    """Return the shares of both sides, in the order of `buys` and `sells`.

    Where some may not meet, the pairs say it; otherwise each side is divided by weight,
    clients first, in lots.
    """
    if not cross.pairs:
        return (
            cross_shares(cross.cross_id, cross.quantity, cross.buys, cross.lot),
            cross_shares(cross.cross_id, cross.quantity, cross.sells, cross.lot),
        )
    bought = dict.fromkeys([member.order_id for member in cross.buys], 0)
    sold = dict.fromkeys([member.order_id for member in cross.sells], 0)
    for pair in cross.pairs:
        bought[pair.buy_order_id] += pair.quantity
        sold[pair.sell_order_id] += pair.quantity
    return list(bought.values()), list(sold.values())
