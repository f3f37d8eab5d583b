"""Crosses in which some may not meet: as much as possible, nobody barred, as even as can be."""

from collections.abc import Sequence
from itertools import combinations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from schemas.messages.core import CrossPair, Member
from streams.core.apportion import cross_shares
from streams.core.flow import Network
from streams.netting.pairing import Side, fair_pairs

Allowed = Sequence[Sequence[bool]]
Round = tuple[list[Member], list[Member], list[list[bool]], int]
QUANTITY = st.integers(1, 60)


@st.composite
def rounds(draw: st.DrawFn, size: int = 5) -> Round:
    """Return two sides, who may meet whom, and the lot."""
    buys = draw(st.lists(QUANTITY, min_size=1, max_size=size))
    sells = draw(st.lists(QUANTITY, min_size=1, max_size=size))
    tiers = draw(st.sampled_from([(0,), (0, 1)]))
    allowed = [[draw(st.sampled_from([True, True, False])) for _ in sells] for _ in buys]

    def side(name: str, quantities: list[int]) -> list[Member]:
        return [
            Member(order_id=f"{name}{i}", quantity=q, tier=draw(st.sampled_from(tiers)))
            for i, q in enumerate(quantities)
        ]

    return side("B", buys), side("S", sells), allowed, draw(st.sampled_from([1, 1, 10]))


def meet(
    buys: list[Member], sells: list[Member], allowed: Allowed, lot: int = 1
) -> tuple[CrossPair, ...]:
    """Pair them; each order is a class of its own, or shares one with its like."""
    back = [tuple(row[k] for row in allowed) for k in range(len(sells))]
    names = {tuple(row): i for i, row in enumerate(allowed)}
    other = {column: k for k, column in enumerate(back)}
    mine = Side(buys, [names[tuple(row)] for row in allowed])
    theirs = Side(sells, [other[column] for column in back])
    return fair_pairs("X1.0.1", lot, mine, theirs, lambda a, b: not allowed[a][b])


def most(wants: Sequence[int], gives: Sequence[int], allowed: Allowed) -> int:
    """Return the maximum flow by its minimal cut: every set of buyers tried."""
    best = sum(wants)
    for size in range(len(wants) + 1):
        for some in combinations(range(len(wants)), size):
            reached = {k for i in some for k, may in enumerate(allowed[i]) if may}
            cut = sum(q for i, q in enumerate(wants) if i not in some)
            best = min(best, cut + sum(gives[k] for k in reached))
    return best


def sums(pairs: Sequence[CrossPair], side: Sequence[Member], name: str) -> list[int]:
    return [
        sum(p.quantity for p in pairs if getattr(p, name) == member.order_id) for member in side
    ]


@given(rounds())
@settings(max_examples=300, deadline=None)
def test_a_network_carries_what_its_smallest_cut_lets_through(case: Round) -> None:
    buys, sells, allowed, _ = case
    network = Network(len(buys) + len(sells) + 2)
    source, sink = len(buys) + len(sells), len(buys) + len(sells) + 1
    wants = [network.add(source, i, m.quantity) for i, m in enumerate(buys)]
    for i, row in enumerate(allowed):
        for k, may in enumerate(row):
            if may:
                network.add(i, len(buys) + k, 10_000)
    for k, m in enumerate(sells):
        network.add(len(buys) + k, sink, m.quantity)
    sent = network.fill(source, sink)
    assert sent == sum(network.flow(arc) for arc in wants)
    assert sent == most([m.quantity for m in buys], [m.quantity for m in sells], allowed)
    assert network.fill(source, sink) == 0
    assert not network.reaching(sink)[source]


@given(rounds())
@settings(max_examples=300, deadline=None)
def test_nobody_barred_meets_and_no_more_could(case: Round) -> None:
    buys, sells, allowed, lot = case
    pairs = meet(buys, sells, allowed, lot)
    assert pairs == meet(buys, sells, allowed, lot)
    for pair in pairs:
        assert pair.quantity > 0
        assert allowed[int(pair.buy_order_id[1:])][int(pair.sell_order_id[1:])]
    whole = most([m.quantity for m in buys], [m.quantity for m in sells], allowed)
    for side, name in ((buys, "buy_order_id"), (sells, "sell_order_id")):
        shares = sums(pairs, side, name)
        assert sum(shares) == whole
        assert all(0 <= share <= m.quantity for share, m in zip(shares, side, strict=True))
    assert len({(p.buy_order_id, p.sell_order_id) for p in pairs}) == len(pairs)


@given(rounds(size=4))
@settings(max_examples=300, deadline=None)
def test_no_share_could_go_to_somebody_worse_off(case: Round) -> None:
    buys, sells, allowed, lot = case
    pairs = meet(buys, sells, allowed, lot)
    back = [[row[k] for row in allowed] for k in range(len(sells))]
    for side, other, name, may in (
        (buys, sells, "buy_order_id", allowed),
        (sells, buys, "sell_order_id", back),
    ):
        shares = sums(pairs, side, name)
        slack = 1 if lot == 1 else 2 * lot
        for poor, rich in ((i, j) for i in range(len(side)) for j in range(len(side)) if i != j):
            if shares[poor] == side[poor].quantity or not shares[rich]:
                continue
            is_behind = (shares[poor] + slack) * side[rich].quantity < (
                shares[rich] - slack
            ) * side[poor].quantity
            is_junior = side[poor].tier < side[rich].tier
            if (is_behind and side[poor].tier == side[rich].tier) or is_junior:
                moved = list(shares)
                moved[poor] += 1
                moved[rich] -= 1
                assert most(moved, [m.quantity for m in other], may) < sum(moved)


@given(rounds())
@settings(max_examples=200, deadline=None)
def test_restrictions_that_bind_nobody_change_nothing(case: Round) -> None:
    buys, sells, allowed, lot = case
    smaller = min(sum(m.quantity for m in buys), sum(m.quantity for m in sells))
    bought = cross_shares("X1.0.1", smaller, buys, lot)
    sold = cross_shares("X1.0.1", smaller, sells, lot)
    assume(most(bought, sold, allowed) == smaller)
    pairs = meet(buys, sells, allowed, lot)
    assert sums(pairs, buys, "buy_order_id") == bought
    assert sums(pairs, sells, "sell_order_id") == sold
