"""Censored tails, greedy allocation and shrinkage against brute force and reference packages."""

from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.messages.core import Side
from streams.models.dark import TailEstimate, greedy, pooled_hazard
from streams.models.shrinkage import james_stein, passive_cost, random_effects
from streams.routing.costs import midpoint, prices_of, resting
from streams.routing.logics.tails import Segment, share_out
from streams.routing.state import Record
from tests.support.builders import quote, venue, venue_book
from tests.support.vectors import vectors

DARK: Any = vectors("03_dark_pool.json")
SCORES: Any = vectors("12_sor_scorecard.json")
E9 = 1_000_000_000


def learned(memory: float = 1.0) -> TailEstimate:
    case = DARK["km_tail"]
    estimate = TailEstimate(case["V"], memory)
    for asked, filled in case["observations_sent_filled"]:
        estimate.observe(asked, filled)
    return estimate


def tail_of(masses: list[float], units: int) -> list[float]:
    """Return P(size >= s) for s = 0..units of a probability mass."""
    return [sum(masses[s:]) for s in range(units + 1)]


def test_the_next_share_goes_where_it_is_worth_most() -> None:
    case = DARK["greedy_exact_tails"]
    tails = [tail_of(masses, case["V"]) for masses in case["pmf"]]
    shared, value = greedy(tails, case["V"], [1.0] * 3)
    assert shared == case["allocation"]
    assert value == pytest.approx(case["expected_fill"], rel=1e-12)
    shared, value = greedy(tails, case["V"], case["weights"])
    assert shared == case["weighted_allocation"]
    assert value == pytest.approx(case["weighted_value"], rel=1e-12)


def test_what_is_not_worth_the_floor_is_not_sent() -> None:
    assert greedy([[1.0, 0.5, 0.1]], 5, [1.0], floor=0.2) == ([1], 0.5)


def test_uncertain_sizes_are_taken_by_chance_times_edge() -> None:
    case = SCORES["uncertain_size_greedy"]
    shared, value = greedy(case["tails"], case["V"], case["edge"])
    assert shared == case["allocation"]
    assert value == pytest.approx(case["value"])


def test_a_full_fill_says_nothing_of_what_was_left() -> None:
    case, estimate = DARK["km_tail"], learned()
    assert (estimate.ended, estimate.at_risk) == (case["D"], case["N"])
    assert estimate.tail() == pytest.approx(case["T"], rel=1e-12)
    assert estimate.tail()[3] < case["pitfall_naive_km_T_1_to_7"][2]


@pytest.mark.parametrize("memory", [1.0, 0.9])
def test_older_observations_count_less(memory: float) -> None:
    case, estimate = DARK[f"forgetting_rho_{memory}"], learned(memory)
    assert estimate.ended == pytest.approx(case["D"], rel=1e-12)
    assert estimate.at_risk == pytest.approx(case["N"], rel=1e-12)
    assert estimate.tail() == pytest.approx(case["T"], rel=1e-12)


def test_one_unit_of_optimism_beyond_what_is_known() -> None:
    case = DARK["optimistic_km_practical"]
    assert learned().optimistic_tail(case["n_min"]) == pytest.approx(case["T_prime"])


def test_the_error_of_the_tail_is_greenwoods() -> None:
    case, estimate = DARK["greenwood_se"], learned()
    known = len([n for n in estimate.at_risk if n])
    assert estimate.standard_errors()[:known] == pytest.approx(case["se"][:known], rel=1e-12)


def test_hazards_are_drawn_to_those_of_all_pools() -> None:
    known, fresh = learned(), TailEstimate(10)
    pooled = pooled_hazard([known, fresh])
    drawn = fresh.shrunk_tail(pooled, 2.0)
    own = known.tail()
    assert drawn[1:8] == pytest.approx(own[1:8])  # it knows nothing, so it is what the others are
    assert all(later <= earlier for earlier, later in pairwise(drawn))


def test_learning_beats_equal_parts_and_comes_near_the_oracle() -> None:
    """The simulation of the vector, with a fixed seed: uniform < learned <= oracle.

    By what each way may expect of the true tails, so that luck decides nothing, and realized.
    """
    case = DARK["simulation_zero_bin_power_law"]
    random, units = Random(20261121), case["V"]
    masses = [_zero_bin(pool) for pool in case["pools"]]
    truth = [tail_of(mass, units) for mass in masses]
    oracle, expected = greedy(truth, units, [1.0] * 4)
    assert oracle == case["oracle_allocation"]
    assert expected == pytest.approx(case["oracle_expected_fill"])
    estimates = [TailEstimate(units, 0.999) for _ in masses]
    filled = {"uniform": 0, "learned": 0, "oracle": 0}
    hoped = {name: 0.0 for name in filled}
    rounds = 1_200
    for turn in range(rounds):
        there = [random.choices(range(len(mass)), mass)[0] for mass in masses]
        asked, _ = greedy([each.optimistic_tail(5) for each in estimates], units, [1.0] * 4)
        idle = units - sum(asked)  # nobody knows a place for it: it learns in equal parts
        asked = [want + (idle + n) // 4 for n, want in enumerate(asked)]
        for estimate, want, have in zip(estimates, asked, there, strict=True):
            if want:
                estimate.observe(want, min(want, have))
        if turn >= rounds // 2:
            for name, way in (("uniform", [25] * 4), ("learned", asked), ("oracle", oracle)):
                filled[name] += sum(map(min, way, there))
                hoped[name] += sum(sum(tail[1 : n + 1]) for tail, n in zip(truth, way, strict=True))
    for found in (filled, hoped):
        assert found["uniform"] < found["learned"] <= found["oracle"]
        assert found["learned"] >= 0.95 * found["oracle"]


def _zero_bin(pool: dict[str, float]) -> list[float]:
    sizes = range(1, int(pool["cap"]) + 1)
    powers = [size ** -pool["beta"] for size in sizes]
    rest = 1 - pool["zero_bin"]
    return [pool["zero_bin"], *(rest * power / sum(powers) for power in powers)]


def test_the_eight_schools_are_met() -> None:
    case = SCORES["eight_schools"]
    found = random_effects(case["y"], case["se"])
    assert (found.mu, found.mu_error, found.q, found.tau2) == pytest.approx(
        (case["pooled"], case["pooled_se"], case["Q"], case["tau2"])
    )


def test_eighteen_batters_are_met() -> None:
    case = vectors("08_tca.json")["james_stein_baseball"]
    averages = [hits / 45 for hits in case["hits_of_45"]]
    kept, found = james_stein(averages, case["sigma2"] ** 0.5)
    assert kept == pytest.approx(case["shrink_factor"], rel=1e-12)
    assert found == pytest.approx(case["estimates"], rel=1e-12)
    mean = case["grand_mean"]
    assert sum(found) / 18 == pytest.approx(mean, rel=1e-12)
    assert (round(mean, 3), round(kept, 3), round(found[0], 3)) == (0.265, 0.212, 0.294)
    # Random effects of one error keep 1 - 17 / q where this keeps 1 - 15 / q.
    drawn = random_effects(averages, [case["sigma2"] ** 0.5] * 18)
    assert (1 - kept) * drawn.q == pytest.approx(15)
    wider = [mean + (1 - 17 / drawn.q) * (y - mean) for y in averages]
    assert drawn.means == pytest.approx(wider)


def test_venues_are_drawn_to_their_mean_by_what_is_not_known() -> None:
    case = SCORES["venue_shrinkage_example"]
    found = random_effects(case["markout_cost_bps"], case["se"])
    assert (found.mu, found.tau2, found.q) == pytest.approx((case["mu"], case["tau2"], case["Q"]))
    assert found.means == pytest.approx(case["shrunk"])
    assert found.deviations == pytest.approx(case["posterior_sd"])


def test_a_lucky_venue_cannot_top_the_table() -> None:
    found = random_effects([1.0, 1.1, -4.0], [0.1, 0.1, 3.0])
    assert found.means[2] > -1.0  # twelve lucky fills do not make it the best by far


@pytest.mark.parametrize("row", SCORES["score_examples"], ids=lambda row: row["v"])
def test_the_score_is_the_all_in_cost(row: Any) -> None:
    found = passive_cost(row["pf"], row["half"], row["reb"], row["AS"], row["clean"])
    assert found == pytest.approx(row["score"], rel=1e-12)
    assert routed(row) / E9 == pytest.approx(row["score"], abs=1e-6)


def routed(row: Any) -> int:
    """Return what the router makes of it, in integers; the clean-up crosses the spread."""
    record = Record(
        version=1,
        children_e9=0,
        fill_e9=round(row["pf"] * E9),
        rejects_e9=0,
        adverse_e9=round(row["AS"] * E9),
        missed_e9=0,
        latency_e9=0,
        ack_ns=None,
        leakage_e9=0,
        correction_e9=0,
        tail_lots=(),
        tail_e9=(),
        at_risk_e9=(),
    )
    fee_ppm = round(-row["reb"] * 100)
    terms = venue("V1", maker_fee_e9=0, taker_fee_e9=0, maker_fee_ppm=fee_ppm)
    if not row["half"]:
        terms = venue("V1", taker_fee_e9=0, taker_fee_ppm=fee_ppm)
        return midpoint(record, terms, 100 * E9, round(row["clean"] * E9)).total_e9
    prices = prices_of(Side.BUY, quote(9_999, 10_001))  # a basis point to the midpoint
    left = round((row["clean"] - row["half"]) * E9)
    book = venue_book("V1", venue=terms, size=10**9)  # so deep that one unit adds nothing
    return resting(record, book, prices, 1, left).total_e9


@given(
    st.lists(
        st.lists(st.integers(0, E9), min_size=1, max_size=8).map(lambda t: sorted(t, reverse=True)),
        min_size=1,
        max_size=3,
    ),
    st.integers(0, 20),
)
def test_the_routers_share_out_is_worth_what_greedy_is(chances: list[Any], units: int) -> None:
    tails = [[1.0, *(chance / E9 for chance in each)] for each in chances]
    edges = [1.0 + pool for pool in range(len(tails))]
    segments = [
        Segment(pool, unit, 1, chance, (1 + pool) * E9)
        for pool, each in enumerate(chances)
        for unit, chance in enumerate(each)
    ]
    given_out = share_out(segments, units)
    value = sum(edges[pool] * sum(tails[pool][1 : part + 1]) for pool, part in given_out.items())
    assert value == pytest.approx(greedy(tails, units, edges)[1], abs=1e-6)
