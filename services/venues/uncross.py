"""The price at which a call auction uncrosses, and who gets what at it. Pure and in integers.

Source: the rules that most exchanges publish, in their usual order: the most volume, the smallest
surplus, the side that presses, the reference price.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from streams.core.apportion import largest_remainder

__all__ = ["Claim", "MarginRule", "Uncrossing", "allot", "candidates", "uncross"]

Interest = tuple[int | None, int]  # limit price (None: any), quantity


class MarginRule(StrEnum):
    """Who is filled first among those at the worst price that still trades."""

    TIME = "TIME"
    PRO_RATA = "PRO_RATA"  # by quantity, in lots, largest remainders first


class Uncrossing(NamedTuple):
    """What an auction comes to. `surplus` is demand less supply at the price."""

    price_e9: int | None  # None: nothing trades
    quantity: int
    surplus: int


class Claim(NamedTuple):
    """What somebody wants on one side."""

    key: str  # empty: others
    price_e9: int | None
    quantity: int


def uncross(
    buys: Sequence[Interest], sells: Sequence[Interest], reference_e9: int, tick_e9: int
) -> Uncrossing:
    """Return the single price of the auction.

    The most executed volume; among those prices the smallest surplus; if all of them leave a
    surplus of the same side, the highest price for too much demand and the lowest for too much
    supply; else the price nearest the reference, the higher of two.
    Units: prices on the grid of `tick_e9`; a reference between two prices counts as the lower.
    """
    reference_e9 -= reference_e9 % tick_e9
    prices = candidates(buys, sells, reference_e9, tick_e9)
    found = [(_demand(buys, price), _supply(sells, price), price) for price in prices]
    most = max(min(demand, supply) for demand, supply, _ in found)
    if most == 0:
        return Uncrossing(None, 0, _demand(buys, reference_e9) - _supply(sells, reference_e9))
    tied = [
        (demand - supply, price) for demand, supply, price in found if min(demand, supply) == most
    ]
    least = min(abs(surplus) for surplus, _ in tied)
    tied = [each for each in tied if abs(each[0]) == least]
    if all(surplus > 0 for surplus, _ in tied):
        price_e9 = max(price for _, price in tied)
    elif all(surplus < 0 for surplus, _ in tied):
        price_e9 = min(price for _, price in tied)
    else:
        price_e9 = min((price for _, price in tied), key=lambda p: (abs(p - reference_e9), -p))
    return Uncrossing(price_e9, most, _demand(buys, price_e9) - _supply(sells, price_e9))


def candidates(
    buys: Sequence[Interest], sells: Sequence[Interest], reference_e9: int, tick_e9: int
) -> list[int]:
    """Return prices among which the best one is, ascending.

    Demand and supply change at limits only: between two of them every price is alike, so that its
    ends and the one nearest the reference stand for all.
    """
    limits = sorted({price for price, _ in (*buys, *sells) if price is not None} | {reference_e9})
    found = {*limits}
    for low, high in pairwise(limits):
        if high - low > tick_e9:
            found |= {low + tick_e9, high - tick_e9}
    return sorted(found)


def allot(
    claims: Iterable[Claim],
    sign: int,
    quantity: int,
    price_e9: int,
    *,
    rule: MarginRule = MarginRule.TIME,
    lot: int = 1,
) -> list[tuple[str, int]]:
    """Return what each claim of one side gets, in the order of the claims; `sign` 1 buys, -1 sells.

    Whoever takes any price comes first, then better prices before worse; at the last price that
    trades the rule decides, time being the order of the claims.
    """
    listed = [*claims]
    given = [0] * len(listed)
    classes: dict[int, list[int]] = {}
    for number, claim in enumerate(listed):
        if claim.price_e9 is None:
            classes.setdefault(_FIRST, []).append(number)
        elif (claim.price_e9 - price_e9) * sign >= 0:
            classes.setdefault(-claim.price_e9 * sign, []).append(number)
    rest = quantity
    for rank in sorted(classes):
        members = classes[rank]
        wanted = sum(listed[number].quantity for number in members)
        if wanted <= rest or rule is MarginRule.TIME:
            for number in members:
                given[number] = min(rest, listed[number].quantity)
                rest -= given[number]
        elif rest:
            weights = [listed[number].quantity for number in members]
            for number, part in zip(members, _pro_rata(rest, weights, lot), strict=True):
                given[number] = part
            rest = 0
    return [(claim.key, part) for claim, part in zip(listed, given, strict=True)]


_FIRST = -(1 << 62)  # before every limit


def _pro_rata(quantity: int, weights: Sequence[int], lot: int) -> list[int]:
    """Divide less than the sum of `weights` by them, in lots where they are whole lots."""
    parts = [lots * lot for lots in largest_remainder(quantity // lot, weights)]
    # A part rounded up may pass what was wanted, and an odd rest is still there: in turn.
    rest = quantity
    for number, weight in enumerate(weights):
        parts[number] = min(parts[number], weight)
        rest -= parts[number]
    for number, weight in enumerate(weights):
        more = min(rest, weight - parts[number])
        parts[number] += more
        rest -= more
    return parts


def _demand(buys: Iterable[Interest], price_e9: int) -> int:
    return sum(quantity for limit, quantity in buys if limit is None or limit >= price_e9)


def _supply(sells: Iterable[Interest], price_e9: int) -> int:
    return sum(quantity for limit, quantity in sells if limit is None or limit <= price_e9)
