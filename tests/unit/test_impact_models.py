"""Impact and the trilemma against published and re-derived numbers."""

from itertools import pairwise
from typing import Any

import pytest

from streams.models.frontier import Policy, Trilemma, completion, expected_unfilled
from streams.models.impact import (
    ALMGREN_2005,
    IStar,
    istar_cost,
    obizhaeva_wang_cost,
    obizhaeva_wang_trades,
    propagator_shares,
    square_root_cost,
    timing_risk,
)
from streams.models.schedule import AlmgrenChriss, almgren_chriss, expected_cost, variance
from tests.support.vectors import vectors

IMPACT: Any = vectors("06_impact.json")
FRONTIER: Any = vectors("11_frontier_and_survival.json")
GRID = [n / 1000 for n in range(10, 600)]


@pytest.mark.parametrize("name", ["IBM", "DRI"])
def test_the_published_table_of_2005_is_met(name: str) -> None:
    table = IMPACT["almgren2005_table"][name]
    given, exact = table["inputs"], table["rederived"]
    sigma_bp, size = 100 * given["sig"], given["X"] / given["V"]
    inverse = given["Th"] / given["V"]
    printed = table["published_rounded"]
    permanent = ALMGREN_2005.permanent(sigma_bp, size, inverse)
    assert permanent == pytest.approx(exact["I_bp"], rel=1e-9)
    assert round(inverse) == printed["inv_turnover"]
    assert (round(permanent / sigma_bp, 3), round(permanent)) == (
        printed["I_over_sigma"],
        printed["I_bp"],
    )
    for at, days in enumerate(table["T_days"]):
        temporary = ALMGREN_2005.temporary(sigma_bp, size / days)
        assert temporary == pytest.approx(exact["K_bp"][at], rel=1e-9)
        assert (round(temporary / sigma_bp, 3), round(temporary)) == (
            printed["K_over_sigma"][at],
            printed["K_bp"][at],
        )
        cost = ALMGREN_2005.cost(sigma_bp, size, inverse, days)
        assert cost == pytest.approx(exact["J_bp"][at], rel=1e-9)
        assert round(cost) == printed["J_bp"][at]


@pytest.mark.parametrize("row", IMPACT["square_root_law"], ids=lambda row: row["Q_over_V"])
def test_the_square_root_law_is_the_cross_check(row: Any) -> None:
    found = square_root_cost(row["sigma_daily_bps"], row["Q_over_V"], row["Y"])
    assert found == pytest.approx(row["avg_cost_bps_two_thirds"])


@pytest.mark.parametrize("row", IMPACT["istar"], ids=lambda row: row["Q_over_ADV"])
def test_the_i_star_formula_is_met(row: Any) -> None:
    given = {key: value for key, value in row["params"].items() if key != "Tm"}
    found = istar_cost(IStar(**given), row["Q_over_ADV"], row["annual_vol"], row["pov"])
    assert found == pytest.approx((row["I_bps"], row["MI_bps"], row["timing_risk_bps"]))


@pytest.mark.parametrize("row", IMPACT["obizhaeva_wang_discrete"], ids=lambda row: row["N"])
def test_a_refilling_book_is_taken_at_both_ends(row: Any) -> None:
    trades = obizhaeva_wang_trades(row["X"], row["rho"], row["T"], row["N"])
    assert trades == pytest.approx(row["trades"], rel=1e-6)


def test_many_steps_of_a_refilling_book_tend_to_its_continuous_limit() -> None:
    vector = IMPACT["obizhaeva_wang_limit_check"]
    trades = obizhaeva_wang_trades(1.0, vector["rho"], 1.0, vector["N"])
    assert trades[0] == pytest.approx(vector["first"], rel=1e-9)
    for row in IMPACT["ow_cost_vs_twap"]:
        found = obizhaeva_wang_cost(row["rho"], 1.0)
        assert found == pytest.approx(row["opt_closed_form"], rel=1e-12)
        assert found < row["twap"]


def test_impact_that_decays_as_a_power_is_traded_at_both_ends() -> None:
    vector = IMPACT["power_law_propagator"]
    found = propagator_shares(vector["gamma"], 10)
    assert sum(found) == pytest.approx(1.0)
    # The vector is a discrete optimum of 400 cells, .06 % from the closed form.
    assert found == pytest.approx(vector["deciles_schedule"], rel=1e-3)


@pytest.mark.parametrize("row", IMPACT["optimal_twap_horizon_athl"], ids=lambda r: r["lam_per_bp"])
def test_the_best_horizon_balances_impact_and_risk(row: Any) -> None:
    ibm = IMPACT["almgren2005_table"]["IBM"]["inputs"]
    size, inverse = ibm["X"] / ibm["V"], ibm["Th"] / ibm["V"]
    days = ALMGREN_2005.best_horizon(157.0, size, row["lam_per_bp"])
    assert days == pytest.approx(row["T_days"], rel=1e-6)
    assert ALMGREN_2005.cost(157.0, size, inverse, days) == pytest.approx(row["J_bp"], rel=1e-6)
    assert timing_risk(157.0, days) == pytest.approx(row["risk_bp"], rel=1e-6)


def trilemma() -> Trilemma:
    given = FRONTIER["trilemma_frontier_IBM"]["inputs"]
    return Trilemma(
        size=given["X_over_V"],
        sigma=given["sigma_bp"],
        inverse_turnover=given["Theta_over_V"],
        volume_cv=given["volume_cv"],
        half_spread=given["half_spread_bp"],
        cleanup_participation=given["cleanup_pov"],
    )


@pytest.mark.parametrize(
    "row", FRONTIER["trilemma_frontier_IBM"]["rows"], ids=lambda row: row["pov"]
)
def test_every_point_of_the_frontier_is_met(row: Any) -> None:
    point = trilemma().point(row["pov"])
    found = (point.days, point.impact, point.risk, point.completion, point.unfilled, point.total)
    assert found == pytest.approx(
        (
            row["T_days"],
            row["impact_bp"],
            row["risk_bp"],
            row["completion_prob"],
            row["expected_unfilled_frac"],
            row["total_bp"],
        ),
        rel=1e-9,
        abs=1e-15,
    )


@pytest.mark.parametrize("row", FRONTIER["policy_choice"], ids=lambda row: row["lambda_per_bp"])
def test_the_policy_chooses_as_worked_out(row: Any) -> None:
    free = trilemma().choose(Policy(row["lambda_per_bp"], 1.0), GRID)
    assert free is not None
    assert free.participation == pytest.approx(row["pov"], rel=1e-9)
    assert (free.total, free.risk, free.completion) == pytest.approx(
        (row["total_bp"], row["risk_bp"], row["completion"]), rel=1e-9
    )
    sure = trilemma().choose(Policy(row["lambda_per_bp"], 1.0, 0.95), GRID)
    assert sure is not None
    assert sure.participation == pytest.approx(row["pov_completion95"], rel=1e-9)


def test_a_floor_that_the_cap_forbids_has_no_point() -> None:
    assert trilemma().choose(Policy(1e-3, 0.10, 0.95), GRID) is None


def test_the_frontier_leaves_out_what_another_point_beats() -> None:
    points = trilemma().frontier(GRID)
    for slower, faster in pairwise(points):
        assert slower.completion <= faster.completion
        assert slower.risk > faster.risk
        assert slower.total <= faster.total


def test_a_certain_volume_needs_no_distribution() -> None:
    assert (completion(2.0, 1.0, 0.0), completion(0.5, 1.0, 0.0)) == (0.0, 1.0)
    assert expected_unfilled(1.0, 0.25, 2.0, 0.0) == 0.5


def test_along_the_linear_frontier_cost_rises_by_lambda_a_unit_of_variance() -> None:
    case = AlmgrenChriss(1e6, 5.0, 5, 0.95, 0.0625, 2.5e-6, 2.5e-7)
    vector = FRONTIER["ac_frontier"]
    for risk_aversion, cost, spread in zip(
        vector["lambdas"], vector["E"], vector["V"], strict=True
    ):
        trades = almgren_chriss(case, risk_aversion).trades
        assert expected_cost(case, trades) == pytest.approx(cost, rel=1e-8)
        assert variance(case, trades) == pytest.approx(spread, rel=1e-8)
        step = 1e-3 * risk_aversion
        low, high = (
            almgren_chriss(case, risk_aversion + change).trades for change in (-step, step)
        )
        slope = (expected_cost(case, high) - expected_cost(case, low)) / (
            variance(case, high) - variance(case, low)
        )
        assert slope == pytest.approx(-risk_aversion, rel=1e-3)
