"""Division against the published and re-derived vectors."""

import json
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

from streams.core.apportion import guarded_webster, largest_remainder, tie_ranks
from tests.support.shared import shared
from tests.support.webster import by_deadline


def vectors(name: str) -> Any:
    return json.loads(shared(f"quant/vectors/{name}").read_text())


def run(weights: list[int], fills: list[int], rule: Any = guarded_webster) -> list[list[int]]:
    shares, history = [0] * len(weights), []
    for fill in fills:
        shares = rule(weights, shares, fill)
        history.append(shares)
    return history


def test_sequences_give_the_recorded_shares_after_every_fill() -> None:
    for case in vectors("09_allocation.json")["allocation_sequences"]:
        assert run(case["sizes"], case["fills"]) == case["cumulative_webster_guarded"]
        assert run(case["sizes"], case["fills"], by_deadline) == case["cumulative_quota_method"]


def test_published_apportionments_come_out() -> None:
    for case in vectors("09_allocation.json")["balinski_young_1975_examples"]:
        sizes, house, expected = case["sizes"], case["h"], case["expected"]
        assert run(sizes, [1] * house, by_deadline)[-1] == expected["quota"]
        assert largest_remainder(house, sizes) == expected["largest_remainder"]
        assert by_divisors(house, sizes, 2) == expected["dhondt"]
        assert by_divisors(house, sizes, 1) == expected["saintelague"]


def by_divisors(house: int, sizes: list[int], first: int) -> list[int]:
    """Return the shares by the divisors first, first + 2, ...: Jefferson's by 2, Webster's by 1."""
    shares = [0] * len(sizes)
    for _ in range(house):
        winner = min(
            range(len(sizes)), key=lambda i: (Fraction(2 * shares[i] + first, sizes[i]), i)
        )
        shares[winner] += 1
    return shares


def test_the_exchanges_rule_breaks_the_quota_on_its_own_example() -> None:
    """Pro rata rounded down, less than two lots to none, the rest to the first in time."""
    case = vectors("09_allocation.json")["cme_prorata_2005_example"]
    sizes, fill = case["sizes"], case["fill"]
    parts = [size * fill // sum(sizes) for size in sizes]
    shares = [part if part >= 2 else 0 for part in parts]
    for i, size in enumerate(sizes):
        shares[i] += min(size - shares[i], fill - sum(shares))
    assert shares == case["expected"]
    assert shares[0] * sum(sizes) - sizes[0] * fill > sum(sizes)
    ours = guarded_webster(sizes, [0] * len(sizes), fill)
    for share, size in zip(ours, sizes, strict=True):
        assert abs(share * sum(sizes) - size * fill) < sum(sizes)


def test_the_alabama_paradox_does_not_happen_to_fills() -> None:
    case = vectors("09_allocation.json")["alabama_paradox"]
    sizes = case["sizes"]
    assert largest_remainder(10, sizes) == case["h10"]
    assert largest_remainder(11, sizes) == case["h11"]
    assert run(sizes, [1] * 11)[-2:] == [case["webster_h10"], case["webster_h11"]]
    assert run(sizes, [1] * 11, by_deadline)[-2:] == [case["quota_h10"], case["quota_h11"]]


def test_books_that_break_other_methods_stay_inside_the_quota() -> None:
    data = vectors("09_allocation.json")
    dead_end = data["ratcheted_hamilton_dead_end"]
    for sizes, fills in (
        (dead_end["sizes"], dead_end["fills"]),
        (data["cumulative_rounding_nonmonotone"]["sizes"], [1, 1, 1]),
        (data["cme_prorata_2005_example"]["sizes"], [data["cme_prorata_2005_example"]["fill"]]),
        (data["independent_per_fill_rounding_drift"]["sizes"], [1] * 50),
    ):
        history = run(sizes, fills)
        for before, after in pairwise([[0] * len(sizes), *history]):
            filled = sum(after)
            for old, new, weight in zip(before, after, sizes, strict=True):
                assert new >= old
                assert abs(new * sum(sizes) - weight * filled) < sum(sizes)
    exact = data["independent_per_fill_rounding_drift"]
    assert run(exact["sizes"], [1] * 50)[-1] == exact["exact"]


def test_epochs_restart_with_what_is_left() -> None:
    names: list[str] = []
    weights: dict[str, int] = {}
    shares: list[int] = []
    for step in vectors("09_allocation.json")["epoch_example"]["log"]:
        if step["open"] != weights:
            weights = step["open"]
            names, shares = list(weights), [0] * len(weights)
        after = guarded_webster(list(weights.values()), shares, step["fill"])
        deltas = [new - old for new, old in zip(after, shares, strict=True)]
        assert dict(zip(names, deltas, strict=True)) == step["delta"]
        assert dict(zip(names, after, strict=True)) == step["cum"]
        shares = after


def test_crosses_divide_pro_rata() -> None:
    data = vectors("10_crossing.json")
    case = data["prorata_vs_time"]
    sizes = [quantity for _, quantity in case["orders"]]
    shares = guarded_webster(sizes, [0, 0, 0], case["cross"])
    assert shares == case["pro_rata"]
    rates = [share / size for share, size in zip(shares, sizes, strict=True)]
    assert rates == case["fill_rates_pro_rata"]
    inflated = data["inflation_example"]
    assert guarded_webster(inflated["true"], [0, 0], inflated["fill"]) == inflated["honest"]
    shares = guarded_webster(inflated["inflated_sizes"], [0, 0], inflated["fill"])
    assert shares == inflated["inflated_alloc"]


def test_cash_is_divided_to_the_unit() -> None:
    case = vectors("10_crossing.json")["average_price"]
    total = sum(quantity * price for quantity, price in case["fills"])
    assert total == case["total_cash"]
    shares = list(case["alloc"].values())
    assert largest_remainder(total, shares) == list(case["client_cash"].values())
    price = Fraction(total, sum(shares)) / 10_000
    assert price * 10_000 == Fraction(case["avg_price_exact"])
    assert float(round(price, 6)) == case["avg_price_rounded_6dp"]
    # Who rounds the price to its unit first loses cash.
    naive = sum(share * round(price * 10_000) for share in shares)
    assert naive - total == case["naive_rounded_price_error_units"]


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (10, [1, 1, 1], [4, 3, 3]),
        (-10, [1, 1, 1], [-3, -3, -4]),  # a rebate: down is away from zero
        (0, [0, 0], [0, 0]),
        (7, [0, 2], [0, 7]),
    ],
)
def test_largest_remainder_breaks_ties_by_index(
    total: int, weights: list[int], parts: list[int]
) -> None:
    assert largest_remainder(total, weights) == parts


def test_ties_go_by_the_digest_and_not_by_the_place() -> None:
    order_ids = [f"O{i}" for i in range(8)]
    ranks = tie_ranks("P1/1", order_ids)
    assert sorted(ranks) == list(range(8)) != ranks
    assert ranks == tie_ranks("P1/1", order_ids[::-1])[::-1]
    assert ranks != tie_ranks("P1/2", order_ids)
    (winner,) = [i for i, share in enumerate(guarded_webster([1] * 8, [0] * 8, 1, ranks)) if share]
    assert ranks[winner] == 0
