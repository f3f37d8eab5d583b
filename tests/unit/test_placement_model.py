"""Taking or resting, over queues: the verified numbers of Cont and Kukanov's problem."""

from itertools import product
from math import expm1, log1p
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from streams.models.placement import Terms, expected_cost, lower_bound, solve
from streams.models.placement_law import law_cost, single_cost, single_venue, solve_law
from streams.routing.logics.passive_split import single_venue as in_integers
from tests.support.vectors import vectors

VECTOR = vectors("01_cont_kukanov.json")


def terms_of(case: dict[str, Any], *, over: float = 0.0) -> Terms:
    rebates = (case["r"],) if "r" in case else (case["r1"], case["r2"])
    under = case["lambda_u"] if "lambda_u" in case else case["lu"]
    return Terms(case["h"], case["f"], rebates, case["theta"], under, case.get("lo", over))


def outflow(case: dict[str, Any]) -> Any:
    shape = case.get("dist_params", {})
    match case["dist"]:
        case "normal":
            return stats.norm(shape["mean"], shape["sd"])
        case "exponential":
            return stats.expon(scale=shape["mean"])
        case "gamma":
            return stats.gamma(shape["shape"], scale=shape["scale"])
        case _:
            return stats.poisson(case["mean"])


@pytest.mark.parametrize("case", VECTOR["single_exchange"])
def test_one_venue_in_closed_form(case: dict[str, Any]) -> None:
    found = outflow(case)
    market, limit = single_venue(case["S"], case["Q"], terms_of(case), found.cdf, found.ppf)
    assert (market, limit) == pytest.approx((case["M"], case["L"]), abs=1e-6)


@pytest.mark.parametrize("case", VECTOR["single_exchange"])
def test_the_expected_cost_of_one_venue(case: dict[str, Any]) -> None:
    """The integral meets the vector; scenarios tend to it."""
    found, terms = outflow(case), terms_of(case)
    cost = single_cost(case["L"], case["S"], case["Q"], terms, found.sf)
    assert cost == pytest.approx(case["expected_cost"], abs=1e-7)
    count = 200_000
    sample = found.ppf((np.arange(count) + 0.5) / count)
    passed = np.maximum(sample[:, None] - case["Q"], 0.0)
    split = (case["M"], case["L"])
    scenarios = expected_cost(split, case["S"], terms, passed, np.full(count, 1 / count))
    assert scenarios == pytest.approx(cost, abs=2e-3)


@pytest.mark.parametrize("case", VECTOR["single_exchange_poisson_enumerated"])
def test_one_venue_with_whole_orders(case: dict[str, Any]) -> None:
    passed, weights = enumerated([(case["mean"], case["Q"])])
    found = solve(case["S"], terms_of(case, over=inf_safe(case)), [0.0], passed, weights=weights)
    assert (found.market, found.limits) == (case["M"], (case["L"],))
    assert found.cost == pytest.approx(case["expected_cost"], abs=1e-6)
    own = law_of(case["mean"], case["Q"], case["S"])
    split, cost = solve_law(case["S"], terms_of(case, over=inf_safe(case)), [own])
    assert split == (case["M"], case["L"])
    assert cost == pytest.approx(case["expected_cost"], abs=1e-9)


def law_of(mean: float, queue: float, size: int) -> Any:
    """Return P(0, 1, ... size flow out behind the queue)."""
    law = stats.poisson(mean).pmf(np.arange(size + 1) + queue)
    law[0] = stats.poisson(mean).cdf(queue)
    return law


def laws_of(case: dict[str, Any]) -> list[Any]:
    return [law_of(case[f"mu{k}"], case[f"Q{k}"], case["S"]) for k in (1, 2)]


def inf_safe(case: dict[str, Any]) -> float:
    """One venue never over-fills, so that its penalty does not matter."""
    return float(case["h"] + case["r"])


def enumerated(venues: list[tuple[float, float]]) -> tuple[Any, Any]:
    """Return every joint outflow beyond the queues that matters, and its probability."""
    parts = []
    for mean, queue in venues:
        top = int(stats.poisson(mean).ppf(1 - 1e-13))
        sizes = np.arange(0, max(top - int(queue), 0) + 1)
        mass = stats.poisson(mean).pmf(sizes + queue)
        mass[0] = stats.poisson(mean).cdf(queue)
        keep = mass > 1e-16
        parts.append((sizes[keep], mass[keep]))
    passed = np.array(list(product(*(sizes for sizes, _ in parts))), dtype=np.float64)
    weights = np.ones(1)
    for _, mass in parts:
        weights = np.outer(weights, mass).ravel()
    return passed, weights


def exact_cost(case: dict[str, Any], split: tuple[float, float, float]) -> float:
    """Return the expected cost of two venues by enumeration over both outflows."""
    terms = terms_of(case)
    fills = []
    for mean, queue, limit in (
        (case["mu1"], case["Q1"], split[1]),
        (case["mu2"], case["Q2"], split[2]),
    ):
        sizes = np.arange(0, int(limit) + 1)
        mass = stats.poisson(mean).pmf(sizes + queue)
        mass[0] = stats.poisson(mean).cdf(queue)
        mass[-1] = stats.poisson(mean).sf(queue + limit - 1) if limit else 1.0
        fills.append((sizes.astype(np.float64), mass))
    first, second = fills
    passed = np.column_stack(
        [np.repeat(first[0], len(second[0])), np.tile(second[0], len(first[0]))]
    )
    weights = np.outer(first[1], second[1]).ravel()
    return expected_cost(split, case["S"], terms, passed, weights)


TWO = VECTOR["two_exchange_poisson_exact_integer_optimum"]


@pytest.mark.parametrize("case", TWO)
def test_two_venues_cost_what_enumeration_says(case: dict[str, Any]) -> None:
    size = case["S"]
    named = {
        "expected_cost": (case["M"], case["L1"], case["L2"]),
        "all_market": (size, 0, 0),
        "all_limit_split": (0, size // 2, size // 2),
        "all_limit_ex1": (0, size, 0),
        "all_limit_ex2": (0, 0, size),
    }
    for name, split in named.items():
        assert exact_cost(case, split) == pytest.approx(case[name], abs=1e-6), name
        cost = law_cost(split, size, terms_of(case), laws_of(case))
        assert cost == pytest.approx(case[name], abs=1e-6), name


@pytest.mark.parametrize("case", TWO)
def test_two_venues_are_solved_to_the_share(case: dict[str, Any]) -> None:
    split, cost = solve_law(case["S"], terms_of(case), laws_of(case))
    assert cost == pytest.approx(case["expected_cost"], abs=1e-4)
    assert split == pytest.approx((case["M"], case["L1"], case["L2"]), abs=2)


@pytest.mark.parametrize("case", TWO)
def test_no_neighbor_of_the_optimum_is_better(case: dict[str, Any]) -> None:
    terms, laws, optimum = terms_of(case), laws_of(case), (case["M"], case["L1"], case["L2"])
    best = law_cost(optimum, case["S"], terms, laws)
    for change in product((-1, 0, 1), repeat=3):
        split = tuple(a + b for a, b in zip(optimum, change, strict=True))
        if sum(split) >= case["S"]:
            assert law_cost(split, case["S"], terms, laws) >= best - 1e-9


@pytest.mark.parametrize("case", TWO)
def test_two_venues_are_solved_near_the_optimum_with_a_small_gap(case: dict[str, Any]) -> None:
    """On scenarios, as the planner does it; priced exactly, it stays near the exact optimum."""
    draw = np.random.default_rng(7)
    outflows = draw.poisson((case["mu1"], case["mu2"]), size=(1_000, 2)).astype(np.float64)
    found = solve(case["S"], terms_of(case), (case["Q1"], case["Q2"]), outflows)
    cost = exact_cost(case, (found.market, *found.limits))  # type: ignore[arg-type]
    assert cost == pytest.approx(case["expected_cost"], abs=0.02 * abs(case["expected_cost"]))
    assert cost >= solve_law(case["S"], terms_of(case), laws_of(case))[1] - 1e-9
    assert found.gap >= 0
    assert found.bound <= found.cost


def test_the_quantiles_of_the_closed_form_for_two_venues() -> None:
    check = VECTOR["two_exchange_theta0_closed_form_check"]
    case = TWO[2]
    for venue, rebate, other in (("1", case["r1"], "2"), ("2", case["r2"], "1")):
        level = (case["lo"] - case["h"] - rebate) / (case["lu"] + case["lo"])
        assert level == pytest.approx(check[f"q{venue}"])
        reached = stats.poisson(case[f"mu{other}"]).ppf(level)
        limit = case[f"Q{other}"] + case["S"] - check["M"] - reached
        assert limit == check[f"L{venue}_closed"] == check[f"L{venue}_enum"]


@pytest.mark.parametrize(
    "name", ["nonconvexity_counterexample", "convex_boundary_case_lo_eq_h_plus_r"]
)
def test_dear_over_filling_is_not_convex_and_cheap_is(name: str) -> None:
    case = dict(VECTOR[name])
    limits = case.get("L2", [0, 500, 1_000])
    market, first = case.get("M", 0), case.get("L1", 1_000)
    costs = [exact_cost(case, (market, first, each)) for each in limits]
    assert costs == pytest.approx(case["V"], abs=1e-6)
    above = costs[1] - (costs[0] + costs[2]) / 2
    assert above == pytest.approx(case["midpoint_minus_chord"], abs=1e-6)


def test_the_certificate_of_the_vector() -> None:
    case = VECTOR["saa_lp_certificate"]
    draw = np.random.default_rng(case["seed"])
    outflows = draw.poisson(case["mu"], size=(case["N"], 2)).astype(np.float64)
    terms = Terms(case["h"], case["f"], tuple(case["r"]), case["theta"], case["lu"], case["lo"])
    passed = np.maximum(outflows - np.asarray(case["Q"]), 0)
    weights = np.full(case["N"], 1 / case["N"])
    bound, _ = lower_bound(case["S"], terms, passed, weights)
    assert bound == pytest.approx(case["lower_bound"], abs=1e-6)
    assert expected_cost(case["X_lp"], case["S"], terms, passed, weights) == pytest.approx(
        case["cost_at_X_lp"], abs=1e-6
    )
    found = solve(int(case["S"]), terms, case["Q"], outflows)
    assert found.cost <= case["cost_local"] + 1e-9
    assert 0 <= found.gap <= case["abs_gap"] + 1e-6


def test_stochastic_approximation_is_no_better() -> None:
    case = VECTOR["stochastic_approximation_example"]
    rounded = tuple(round(each) for each in case["X"])
    cost = exact_cost(TWO[0], rounded)
    assert cost == pytest.approx(case["V_at_rounded"], abs=1e-6)
    assert case["V_optimum"] == pytest.approx(TWO[0]["expected_cost"], abs=1e-9)
    assert cost == pytest.approx(case["V_optimum"], rel=0.02)


PROBLEMS = st.tuples(
    st.integers(1, 4),
    st.integers(5, 60),
    st.floats(0.001, 0.05),
    st.floats(0.0, 0.005),
    st.floats(0.0, 0.002),
    st.floats(0.0, 0.15),
    st.floats(0.0, 0.15),
    st.integers(0, 10_000),
)


@given(PROBLEMS)
@settings(max_examples=60, deadline=None)
def test_the_bound_is_never_above_what_any_split_costs(
    problem: tuple[int, int, float, float, float, float, float, int],
) -> None:
    """LB <= UB, and LB below the cost of random splits of the search set too."""
    venues, size, half, fee, impact, under, over, seed = problem
    draw = np.random.default_rng(seed)
    terms = Terms(half, fee, tuple(draw.uniform(0, 0.004, venues)), impact, under, over)
    queues = draw.integers(0, 30, venues).astype(np.float64)
    outflows = draw.poisson(draw.integers(1, 60, venues), size=(40, venues)).astype(np.float64)
    found = solve(size, terms, queues, outflows)
    assert found.bound <= found.cost + 1e-9
    assert found.market + sum(found.limits) >= size
    passed, weights = np.maximum(outflows - queues, 0), np.full(40, 1 / 40)
    for _ in range(20):
        market = int(draw.integers(0, size + 1))
        limits = draw.integers(0, size - market + 1, venues)
        if market + limits.sum() >= size:
            assert expected_cost((market, *limits), size, terms, passed, weights) >= (
                found.bound - 1e-9
            )


@given(st.integers(1, 12), st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_small_problems_are_solved_as_brute_force_does(size: int, seed: int) -> None:
    """Where over-filling costs no more than it earns the problem is convex: the search is exact."""
    draw = np.random.default_rng(seed)
    rebates = tuple(draw.uniform(0, 0.004, 2))
    terms = Terms(0.02, 0.003, rebates, 0.0005, float(draw.uniform(0.024, 0.1)), 0.02)
    outflows = draw.poisson((8, 6), size=(30, 2)).astype(np.float64)
    queues = draw.integers(0, 8, 2).astype(np.float64)
    found = solve(size, terms, queues, outflows)
    passed, weights = np.maximum(outflows - queues, 0), np.full(30, 1 / 30)
    least = min(
        expected_cost((m, a, b), size, terms, passed, weights)
        for m in range(size + 1)
        for a in range(size - m + 1)
        for b in range(size - m + 1)
        if m + a + b >= size
    )
    assert found.cost == pytest.approx(least, abs=1e-9)


@given(st.integers(2, 10), st.integers(0, 3), st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_no_more_is_sent_than_may_be(size: int, beyond: int, seed: int) -> None:
    """With nothing beyond the size the problem is convex, however dear over-filling is."""
    draw = np.random.default_rng(seed)
    terms = Terms(0.02, 0.003, (0.002, 0.001), 0.0005, float(draw.uniform(0.024, 0.1)), 1.0)
    outflows = draw.poisson((8, 6), size=(30, 2)).astype(np.float64)
    queues = draw.integers(0, 8, 2).astype(np.float64)
    found = solve(size, terms, queues, outflows, beyond=beyond)
    assert size <= found.market + sum(found.limits) <= size + beyond
    assert found.bound <= found.cost + 1e-9
    if not beyond:
        passed, weights = np.maximum(outflows - queues, 0), np.full(30, 1 / 30)
        least = min(
            expected_cost((size - a - b, a, b), size, terms, passed, weights)
            for a in range(size + 1)
            for b in range(size - a + 1)
        )
        assert found.cost == pytest.approx(least, abs=1e-9)


EXPONENTIAL = [case for case in VECTOR["single_exchange"] if case["dist"] == "exponential"]


@pytest.mark.parametrize("case", EXPONENTIAL, ids=lambda case: case["lambda_u"])
def test_the_closed_form_of_an_exponential_outflow_in_integers(case: dict[str, Any]) -> None:
    """The router's fallback has no floats; it gives the vector's split to the share."""
    scale = 10**9
    found = in_integers(
        int(case["S"]),
        int(case["Q"]),
        int(case["dist_params"]["mean"]),
        round(case["lambda_u"] * scale),
        half=round(case["h"] * scale),
        fee=round(case["f"] * scale),
        rebate=round(case["r"] * scale),
        impact=round(case["theta"] * scale),
    )
    assert found.limit_quantity == int(case["L"])


SHARES = st.tuples(st.integers(1, 10_000), st.integers(1, 10_000), st.integers(1, 100_000))
TENTHS = st.tuples(st.integers(1, 400), st.integers(1, 50), st.integers(0, 20), st.integers(0, 20))


@given(SHARES, TENTHS)
@settings(max_examples=200, deadline=None)
def test_the_routers_integers_follow_the_closed_form(
    shares: tuple[int, int, int], costs: tuple[int, int, int, int]
) -> None:
    """Costs in tenths of a basis point, the outflow exponential."""
    (quantity, ahead, mean), (under, half, fee, rebate) = shares, costs
    tenth = 10**8
    terms = {"half": half * tenth, "fee": fee * tenth, "rebate": rebate * tenth}
    found = in_integers(quantity, ahead, mean, under * tenth, **terms)
    market, limit = single_venue(
        quantity,
        ahead,
        Terms(half, fee, (rebate,), 0.0, under, 0.0),
        lambda size: -expm1(-size / mean),
        lambda chance: -mean * log1p(-chance),
    )
    assert found.limit_quantity == pytest.approx(limit, abs=1.01)  # it rounds down
    assert found.market_quantity == pytest.approx(market, abs=1.01)
