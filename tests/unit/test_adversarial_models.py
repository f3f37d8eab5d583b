"""Exponential weights lose no more than is proven, whatever the pools do."""

from typing import Any

import numpy as np
import pytest

from streams.models.adversarial import ExponentialWeights, regret_bound
from streams.models.dark import greedy
from tests.support.vectors import vectors

DARK: Any = vectors("03_dark_pool.json")
CASES = DARK["exponentiated_gradient_regret"]


def drawn(case: dict[str, Any]) -> Any:
    """Return sizes by round and pool of the vector's simulation: often nothing, else a power."""
    draw = np.random.default_rng(20261121)
    columns = []
    for pool in DARK["simulation_zero_bin_power_law"]["pools"]:
        powers = np.arange(1, pool["cap"] + 1) ** -float(pool["beta"])
        mass = np.append(pool["zero_bin"], (1 - pool["zero_bin"]) * powers / powers.sum())
        columns.append(draw.choice(len(mass), case["T"], p=mass))
    return np.column_stack(columns)


def alone(case: dict[str, Any]) -> Any:
    """Return sizes of which one pool has all, and another had it for the first quarter."""
    sizes = np.zeros((case["T"], case["K"]), dtype=int)
    quarter = case["T"] // 4
    sizes[:quarter, 3], sizes[quarter:, 0] = case["V"], case["V"]
    return sizes


def best_in_hindsight(sizes: Any, units: int) -> float:
    tails = [[float((pool >= s).mean()) for s in range(units + 1)] for pool in sizes.T]
    return greedy(tails, units, [1.0] * len(tails))[1] * len(sizes)


def filled(case: dict[str, Any], sizes: Any) -> float:
    weights = ExponentialWeights.over(case["T"], case["V"], case["K"])
    total = 0.0
    for there in sizes:
        parts = weights.parts(case["V"])
        total += float(np.minimum(parts, there).sum())
        weights.learn(case["V"], [bool(each) for each in there >= parts])
    return total


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["T"])
def test_the_regret_stays_below_its_bound(case: dict[str, Any]) -> None:
    bound = regret_bound(case["T"], case["V"], case["K"])
    assert bound == pytest.approx(case["bound"], rel=1e-12)
    for sizes in (drawn(case), alone(case)):
        assert best_in_hindsight(sizes, case["V"]) - filled(case, sizes) <= bound
    # The bound says something: equal parts break it where one pool has all.
    sizes = alone(case)
    equal = float(np.minimum(sizes, case["V"] / case["K"]).sum())
    assert best_in_hindsight(sizes, case["V"]) - equal > bound


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["T"])
def test_the_regret_on_drawn_sizes_is_of_the_size_of_the_vectors(case: dict[str, Any]) -> None:
    sizes = drawn(case)
    regret = best_in_hindsight(sizes, case["V"]) - filled(case, sizes)
    assert 0 < regret < 3 * case["regret"]


def test_longer_days_lose_less_a_round() -> None:
    lost = [
        (best_in_hindsight(alone(case), case["V"]) - filled(case, alone(case))) / case["T"]
        for case in CASES
    ]
    assert lost == sorted(lost, reverse=True)
    assert lost[-1] < lost[0] / 3  # as the root of the rounds, of which there are 16 times as many


def test_a_small_round_teaches_nothing_of_large_ones() -> None:
    weights = ExponentialWeights.over(100, units_max=10, pools=2)
    weights.learn(4, [True, False])
    first, second = weights.parts(4)
    assert first > second
    assert first + second == pytest.approx(4)
    more = weights.parts(10) - weights.parts(4)
    assert more == pytest.approx([3.0, 3.0])
