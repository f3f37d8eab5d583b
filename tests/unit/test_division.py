"""Stages of a house: tiers, begun lots, lots, odd rests; every fill exact, whatever its size."""

from collections.abc import Sequence

import pytest

from schemas.messages.core import Member
from streams.core.apportion import cross_shares
from streams.core.division import Division, tie_order
from streams.core.webster import shares_after

HOUSE = "Pabcdef.0.1/1"


def member(name: str, quantity: int, tier: int = 0, begun: int = 0) -> Member:
    return Member(order_id=name, quantity=quantity, tier=tier, begun_quantity=begun)


def run(members: Sequence[Member], lot: int, *fills: int) -> list[list[int]]:
    rule = Division.of(HOUSE, members, lot)
    shares, history = [0] * len(members), []
    for fill in fills:
        shares = rule.after(shares, fill)
        history.append(shares)
    return history


def test_clients_are_filled_before_the_house_gets_anything() -> None:
    members = [member("H", 500, tier=1), member("A", 300), member("B", 100)]
    assert run(members, 1, 7, 113, 280, 1, 499) == [
        [0, 5, 2],
        [0, 90, 30],
        [0, 300, 100],
        [1, 300, 100],
        [500, 300, 100],
    ]


def test_one_tier_in_lots_of_one_is_the_plain_rule_whatever_the_tier_is_called() -> None:
    weights = [700, 200, 100, 7]
    names = ["A", "B", "C", "D"]
    order = tie_order(HOUSE, names)
    plain, shares = [], [0, 0, 0, 0]
    for fill in (1, 1, 1, 97, 400, 507):
        shares = shares_after(weights, shares, fill, order)
        plain.append(shares)
    for tier in (0, 1):
        members = [member(name, weight, tier) for name, weight in zip(names, weights, strict=True)]
        assert run(members, 1, 1, 1, 1, 97, 400, 507) == plain


def test_fills_in_lots_are_given_in_lots_and_odd_rests_last() -> None:
    members = [member("A", 730), member("B", 250)]
    # Seven and two lots of 100, then 30 and 50 share by share.
    assert run(members, 100, 300, 600, 8, 72) == [
        [200, 100],
        [700, 200],
        [703, 205],
        [730, 250],
    ]


def test_a_fill_that_ends_inside_a_lot_opens_one_and_the_next_completes_it() -> None:
    members = [member("A", 300), member("B", 300)]
    first, second = (0, 1) if tie_order(HOUSE, ["A", "B"])[0] == 0 else (1, 0)

    def shares(one: int, other: int) -> list[int]:
        result = [0, 0]
        result[first], result[second] = one, other
        return result

    assert run(members, 100, 40, 59, 1, 130, 369, 1) == [
        shares(40, 0),
        shares(99, 0),
        shares(100, 0),
        # The other one's turn, then the first again: its next lot is open with 30.
        shares(130, 100),
        shares(300, 299) if run(members, 100, 599)[0] == shares(300, 299) else shares(299, 300),
        [300, 300],
    ]


def test_one_large_fill_gives_whole_lots_and_one_open_one() -> None:
    members = [member(name, 1_000) for name in "ABCDEFGH"]
    (shares,) = run(members, 100, 2_345)
    assert sum(shares) == 2_345
    assert sorted(share % 100 for share in shares) == [0] * 7 + [45]
    assert max(shares) - min(shares) <= 100


def test_a_lot_that_earlier_shares_began_is_completed_first() -> None:
    # A holds 37 of a lot: 63 complete it. Then nine lots of A's and five of B's.
    members = [member("A", 963, begun=63), member("B", 500)]
    assert run(members, 100, 60, 3, 1_400) == [[60, 0], [63, 0], [963, 500]]
    assert [share % 100 for share in run(members, 100, 63 + 700)[0]] == [63, 0]


def test_a_tier_keeps_its_own_stages() -> None:
    members = [member("A", 150), member("H", 350, tier=1), member("B", 120)]
    # Clients: a lot each, then 50 and 20; the house's three lots; its 50.
    assert run(members, 100, 200, 70, 300, 50) == [
        [100, 0, 100],
        [150, 0, 120],
        [150, 300, 120],
        [150, 350, 120],
    ]


def test_orders_below_a_lot_wait_for_the_odd_stage() -> None:
    members = [member("A", 1_000), member("B", 99)]
    assert run(members, 100, 1_000, 98, 1) == [[1_000, 0], [1_000, 98], [1_000, 99]]


def test_more_than_the_house_is_a_bug_of_the_caller() -> None:
    for lot in (1, 100):
        with pytest.raises(AssertionError):
            run([member("A", 150), member("B", 150)], lot, 301)


def test_a_cross_goes_by_tier_and_in_lots() -> None:
    side = [member("A", 300), member("H", 500, tier=1), member("B", 300)]
    assert cross_shares("Xabcdef.0.1", 400, side, lot=200) == [200, 0, 200]
    assert cross_shares("Xabcdef.0.1", 700, side, lot=100) == [300, 100, 300]


def test_ties_go_by_the_digest() -> None:
    order_ids = [f"O{i}" for i in range(8)]
    order = tie_order("P1/1", order_ids)
    assert sorted(order) == list(range(8)) != order
    assert [order_ids[::-1][i] for i in tie_order("P1/1", order_ids[::-1])] == [
        order_ids[i] for i in order
    ]
    assert order != tie_order("P1/2", order_ids)
    assert shares_after([1] * 8, [0] * 8, 1, order).index(1) == order[0]
