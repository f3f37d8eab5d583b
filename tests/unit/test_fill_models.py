"""Fill probabilities against solved and simulated numbers."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.models.fills import (
    Flow,
    balanced_up_integral,
    balanced_up_probability,
    breaks_even,
    competing_incidence,
    expected_fill,
    fill_time_cdf,
    up_probabilities,
    wins_race,
)
from streams.scorecard.curve import AGES_NS, BINS, Curve, Hazards, incidence
from streams.shard.estimates import up_probability_e9
from tests.support.vectors import vectors

QUEUES: Any = vectors("07a_queue_fill_probability.json")
SURVIVAL: Any = vectors("11_frontier_and_survival.json")
SCORES: Any = vectors("12_sor_scorecard.json")
E9 = 1_000_000_000


def test_queue_lengths_say_where_the_price_goes() -> None:
    case = QUEUES["cst_p_up"]
    found = up_probabilities(case["lam"], case["mu"], case["theta"], 5)
    for row, expected in zip(found, case["p"], strict=True):
        assert row == pytest.approx(expected, abs=1e-6)  # it is printed to six places


def test_a_place_in_the_queue_says_whether_we_are_filled_first() -> None:
    case = QUEUES["cst_p_exec"]
    found = wins_race(case["lam"], case["mu"], case["theta"], 5)
    for row, expected in zip(found, case["p"], strict=True):
        assert row == pytest.approx(expected, abs=1e-6)  # it is printed to six places


@pytest.mark.parametrize("row", SURVIVAL["time_to_fill_cdf"], ids=lambda r: (r["position"], r["t"]))
def test_the_time_to_fill_is_hypo_exponential(row: Any) -> None:
    found = fill_time_cdf(row["position"], row["mu"], row["theta"], row["t"])
    assert found == pytest.approx(row["cdf"], abs=1e-9)


BALANCED = QUEUES["cont_de_larrard"]


@pytest.mark.parametrize("row", BALANCED, ids=lambda r: (r["bid"], r["ask"]))
def test_the_integral_is_the_walk_of_a_balanced_book(row: Any) -> None:
    bid, ask = row["bid"], row["ask"]
    found = balanced_up_integral(bid, ask)
    assert found == pytest.approx(row["p_up_integral"], abs=1e-9)
    walk = up_probabilities(1.0, 1.0, 0.0, max(bid, ask), depth=80)[bid - 1][ask - 1]
    assert walk == pytest.approx(row["p_up_markov_trunc80"], abs=1e-9)
    assert found == pytest.approx(walk, abs=3e-4)


@pytest.mark.parametrize("row", BALANCED, ids=lambda r: (r["bid"], r["ask"]))
def test_the_arc_tangent_is_nearer_to_it_than_the_linear_imbalance(row: Any) -> None:
    found = balanced_up_probability(row["bid"], row["ask"])
    assert found == pytest.approx(row["arctan"], abs=1e-12)
    exact = balanced_up_integral(row["bid"], row["ask"])
    assert abs(found - exact) <= abs(row["linear"] - exact) + 1e-9


@given(st.integers(1, 10**7), st.integers(1, 10**7))
def test_the_integers_of_a_shard_follow_the_arc_tangent(bid: int, ask: int) -> None:
    assert up_probability_e9(bid, ask) / E9 == pytest.approx(
        balanced_up_probability(bid, ask), abs=1e-3
    )


def flow() -> Flow:
    case = SURVIVAL["gamma_poisson"]
    learned = Flow.prior(case["prior"][0], case["prior"][1], case["rho"])
    for count in case["counts"]:
        learned = learned.seen(count)
    return learned


def test_outflow_is_learned_and_forgotten() -> None:
    case, learned = SURVIVAL["gamma_poisson"], flow()
    assert (learned.shape, learned.rate) == pytest.approx(tuple(case["posterior"]), abs=1e-9)
    assert learned.mean(case["horizon"]) == pytest.approx(case["mean"])
    assert learned.reaches(8, case["horizon"]) == pytest.approx(case["P_ge_8"])
    assert learned.reaches(12, case["horizon"]) == pytest.approx(case["P_ge_12"])


def test_the_expected_fill_counts_what_stands_before() -> None:
    case, learned = SURVIVAL["expected_fill"], flow()
    behind, size = case["Q"], case["L"]
    assert learned.reaches(behind + 1, 2.0) == pytest.approx(case["P_any"])
    assert learned.reaches(behind + size, 2.0) == pytest.approx(case["P_full"])
    assert expected_fill(learned, behind, size, 2.0) == pytest.approx(case["expected"])


def test_what_moved_away_is_no_censored_fill() -> None:
    case = SURVIVAL["aalen_johansen"]
    table = competing_incidence([(time, end) for time, end in case["obs"]])
    for row, expected in zip(table, case["table"], strict=True):
        assert (row.time, row.at_risk) == (expected["t"], expected["at_risk"])
        assert (row.filled, row.away, row.surviving) == pytest.approx(
            (expected["cif_fill"], expected["cif_away"], expected["surv"])
        )
        assert row.filled + row.away + row.surviving == pytest.approx(1)
    assert table[-1].filled < case["table"][-1]["naive_1_minus_km"]


@given(st.lists(st.tuples(st.integers(1, BINS), st.integers(0, 2)), min_size=1, max_size=40))
def test_the_scorecards_integers_are_that_incidence(ends: list[tuple[int, int]]) -> None:
    """By bins of age, whose ends count as the instants here."""
    curve = Curve()
    for ordinal, end in ends:
        tell = (curve.censored, curve.filled, curve.gone)[end]
        tell(AGES_NS[ordinal - 1], E9)
    found = incidence(curve, Hazards((0,) * BINS, (0,) * BINS), 0)
    for row in competing_incidence([(float(ordinal), end) for ordinal, end in ends]):
        at = int(row.time) - 1
        assert found.fill[at] / E9 == pytest.approx(row.filled, abs=1e-7)
        assert found.away[at] / E9 == pytest.approx(row.away, abs=1e-7)


@pytest.mark.parametrize("row", SCORES["break_even_fill_prob"], ids=lambda row: row["alpha_bps"])
def test_a_strong_drift_is_worth_crossing(row: Any) -> None:
    found = breaks_even(
        row["alpha_bps"],
        row["half"],
        row["taker_fee"],
        row["rebate"],
        adverse=row["AS"],
        decay=row["alpha_decay_mult"],
    )
    assert found == pytest.approx(row["p_star"])
