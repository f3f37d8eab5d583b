"""A cross in which some may not meet: as much as possible, and as near to pro rata as that allows.

Orders with the same restrictions are one class, so the network stays small whatever the round's
size. Each side is divided on its own: any two best divisions of the two sides can be had at once
(Mendelsohn and Dulmage 1958, with shares for nodes). See docs/adr/0016.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from schemas.messages.core import CrossPair, Member
from streams.core.apportion import cross_shares, tie_ranks
from streams.core.flow import Network

__all__ = ["Side", "fair_pairs"]

Class = Hashable  # orders of one class may meet the same others
Bars = Callable[[Any, Any], bool]


class Side:
    """One side of a round: its members, each with its class."""

    def __init__(self, members: Sequence[Member], classes: Sequence[Class]) -> None:
        self.members = members
        names = list(dict.fromkeys(zip(classes, [m.tier for m in members], strict=True)))
        place = {name: i for i, name in enumerate(names)}
        self.names = [name for name, _ in names]
        self.tiers = [tier for _, tier in names]
        self.class_of = [
            place[name, member.tier] for name, member in zip(classes, members, strict=True)
        ]
        self.weights = self.sums([member.quantity for member in members])

    def sums(self, shares: Sequence[int]) -> list[int]:
        """Return the shares by class."""
        totals = [0] * len(self.names)
        for number, share in zip(self.class_of, shares, strict=True):
            totals[number] += share
        return totals


class _Meeting:
    """A side with what it may meet: `open_to` names the other side's classes by number."""

    def __init__(self, side: Side, open_to: list[list[int]], supply: Sequence[int]) -> None:
        self.side = side
        self.open_to = open_to
        self.supply = supply  # of the other side, by class

    def flows(
        self, wanted: Sequence[int], factor: int = 1
    ) -> tuple[int, list[list[tuple[int, int]]], list[bool]]:
        """Return the flow, what goes where by class, and which classes could still give more.

        Units:  `wanted` by class; the other side has `factor` times its supply.
        """
        mine, others = len(wanted), len(self.supply)
        source, sink = mine + others, mine + others + 1
        unbounded = sum(wanted) + 1
        network = Network(sink + 1)
        for number, quantity in enumerate(wanted):
            network.add(source, number, quantity)
        arcs = [
            [(other, network.add(number, mine + other, unbounded)) for other in open_to]
            for number, open_to in enumerate(self.open_to)
        ]
        for other, quantity in enumerate(self.supply):
            network.add(mine + other, sink, factor * quantity)
        sent = network.fill(source, sink)
        flows = [
            [(other, quantity) for other, arc in row if (quantity := network.flow(arc))]
            for row in arcs
        ]
        return sent, flows, network.reaching(sink)[:mine]

    def can_have(self, wanted: Sequence[int]) -> bool:
        return self.flows(wanted)[0] == sum(wanted)

    def divide(self, cross_id: str, lot: int) -> list[int]:
        """Return the shares of a largest flow: the smallest fill rate as high as can be, then the
        next, and so on; within one share, a tier before the next.

        Source: Megiddo 1974 (lexicographically optimal flows); Fujishige 1980.
        """
        side = self.side
        shares = [0] * len(side.members)
        for tier in sorted(set(side.tiers)):
            active = [number for number, its in enumerate(side.tiers) if its == tier]
            while active:
                fixed = side.sums(shares)
                group, total = self._worst_off(fixed, active)
                self._share_out(cross_id, lot, shares, group, total)
                active = [number for number in active if number not in group]
        return shares

    def _worst_off(self, fixed: Sequence[int], active: Sequence[int]) -> tuple[list[int], int]:
        """Return the classes that must do with the lowest fill rate, and what they get in all."""
        weights = self.side.weights
        above, below = 1, 1  # the rate; lowered until all can have it (discrete Newton)
        while True:
            wanted = [below * quantity for quantity in fixed]
            for number in active:
                wanted[number] = above * weights[number]
            sent, _, could_more = self.flows(wanted, below)
            stuck = [number for number in active if not could_more[number]]
            whole = sum(weights[number] for number in stuck)
            if sent == sum(wanted):
                break
            above, below = self._left_for(fixed, could_more), whole
        if above == below:
            return list(active), sum(weights[number] for number in active)
        return stuck, above * whole // below

    def _left_for(self, fixed: Sequence[int], could_more: Sequence[bool]) -> int:
        """Return what those who can have no more get out of all that is open to them."""
        stuck = [number for number, could in enumerate(could_more) if not could]
        reached = {other for number in stuck for other in self.open_to[number]}
        return sum(self.supply[other] for other in sorted(reached)) - sum(
            fixed[number] for number in stuck
        )

    def _share_out(
        self, cross_id: str, lot: int, shares: list[int], group: Sequence[int], total: int
    ) -> None:
        """Give `total` to the members of the group: pro rata, rounded so that it can be had."""
        side = self.side
        places = [i for i, number in enumerate(side.class_of) if number in group]
        among = [side.members[i] for i in places]

        def put(parts: Sequence[int]) -> bool:
            for i, part in zip(places, parts, strict=True):
                shares[i] = part
            return self.can_have(side.sums(shares))

        if not put(cross_shares(cross_id, total, among, lot)):
            parts = _rounded(cross_id, total, among, put)
            assert put(parts) and sum(parts) == total, "whole shares lie beside every exact one"


def _rounded(
    cross_id: str, total: int, among: Sequence[Member], can_have: Callable[[Sequence[int]], bool]
) -> list[int]:
    """Return the best whole shares beside the exact ones that can be had, by Webster's claim.

    What may be added to shares that can be had is a matroid: taking the best first is best.
    """
    whole = sum(member.quantity for member in among)
    largest = max(member.quantity for member in among)
    parts = [member.quantity * total // whole for member in among]
    ranks = tie_ranks(cross_id, [member.order_id for member in among])
    claims = sorted(
        ((2 * parts[k] + 1) * largest**2 // member.quantity, ranks[k], k)
        for k, member in enumerate(among)
        if member.quantity * total % whole
    )
    for _, _, k in claims:
        if sum(parts) == total:
            break
        parts[k] += 1
        if not can_have(parts):
            parts[k] -= 1
    return parts


def fair_pairs(
    cross_id: str, lot: int, buys: Side, sells: Side, is_barred: Bars
) -> tuple[CrossPair, ...]:
    """Return who gives what to whom; () when nobody may meet anybody.

    The sum is the largest possible. Pro rata as without restrictions where that can be had, else
    the division that raises the smallest fill rate first.
    """
    open_to = [
        [other for other, name in enumerate(sells.names) if not is_barred(mine, name)]
        for mine in buys.names
    ]
    back = [
        [mine for mine, others in enumerate(open_to) if other in others]
        for other in range(len(sells.names))
    ]
    smaller = min(sum(buys.weights), sum(sells.weights))
    bought = cross_shares(cross_id, smaller, buys.members, lot)
    sold = cross_shares(cross_id, smaller, sells.members, lot)
    meeting = _Meeting(buys, open_to, sells.sums(sold))
    if not meeting.can_have(buys.sums(bought)):
        bought = _Meeting(buys, open_to, sells.weights).divide(cross_id, lot)
        sold = _Meeting(sells, back, buys.weights).divide(cross_id, lot)
        meeting = _Meeting(buys, open_to, sells.sums(sold))
    sent, flows, _ = meeting.flows(buys.sums(bought))
    assert sent == sum(bought) == sum(sold), "the two sides of a largest flow meet"
    return _by_order(buys, sells, flows, bought, sold)


def _by_order(
    buys: Side,
    sells: Side,
    flows: Sequence[Sequence[tuple[int, int]]],
    bought: list[int],
    sold: list[int],
) -> tuple[CrossPair, ...]:
    """Return the flow between classes as pairs of orders, first come first paired."""
    buyers = [[i for i in _places(buys, k) if bought[i]] for k in range(len(buys.names))]
    sellers = [[i for i in _places(sells, k) if sold[i]] for k in range(len(sells.names))]
    wants, gives = list(bought), list(sold)
    pairs = []
    for number, row in enumerate(flows):
        for other, quantity in row:
            left = quantity
            while left:
                buyer, seller = buyers[number][0], sellers[other][0]
                part = min(left, wants[buyer], gives[seller])
                pairs.append(
                    CrossPair(
                        buy_order_id=buys.members[buyer].order_id,
                        sell_order_id=sells.members[seller].order_id,
                        quantity=part,
                    )
                )
                left -= part
                wants[buyer] -= part
                gives[seller] -= part
                if not wants[buyer]:
                    del buyers[number][0]
                if not gives[seller]:
                    del sellers[other][0]
    return tuple(pairs)


def _places(side: Side, number: int) -> list[int]:
    return [i for i, its in enumerate(side.class_of) if its == number]
