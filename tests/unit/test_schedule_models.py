"""Schedules against the vectors: Almgren-Chriss, its adaptation, and the general scheduler."""

from typing import Any

import numpy as np
import pytest

from streams.models.schedule import (
    AlmgrenChriss,
    PowerCase,
    almgren_chriss,
    expected_cost,
    optimum,
    participation_caps,
    power_schedule,
    risk_aversion_of_half_life,
    variance,
    with_drift,
)
from tests.support.vectors import vectors

AC: Any = vectors("02_almgren_chriss.json")
GENERAL: Any = vectors("02b_general_is_scheduler.json")


def case(shares: float = 1e6, days: float = 5.0, steps: int = 5, sigma: float = 0.95) -> Any:
    p = AC["params"]
    return AlmgrenChriss(shares, days, steps, sigma, p["epsilon"], p["eta"], p["gamma"])


@pytest.mark.parametrize("row", AC["rows"], ids=lambda r: r["lam"])
def test_the_closed_form_gives_the_table(row: Any) -> None:
    schedule = almgren_chriss(case(), row["lam"])
    assert schedule.trades == pytest.approx(row["n"], rel=1e-8, abs=1e-6)
    assert schedule.holdings == pytest.approx(row["x"], rel=1e-8, abs=1e-6)
    assert schedule.kappa == pytest.approx(row["kappa"], rel=1e-8)
    assert expected_cost(case(), schedule.trades) == pytest.approx(row["E"], rel=1e-8)
    assert variance(case(), schedule.trades) == pytest.approx(row["V"], rel=1e-8)
    assert solved_row(row["lam"]) == pytest.approx(schedule.holdings, rel=1e-8, abs=1e-6)


def solved_row(risk_aversion: float) -> list[float]:
    """Return the holdings as the tridiagonal system of the first-order conditions has them."""
    of = case()
    kappa_tilde2 = risk_aversion * of.sigma**2 / of.eta_tilde
    inner = of.steps - 1
    matrix = (2 + kappa_tilde2 * of.tau**2) * np.eye(inner) - np.eye(inner, k=1)
    matrix -= np.eye(inner, k=-1)
    ends = np.zeros(inner)
    ends[0] = of.shares
    return [of.shares, *map(float, np.linalg.solve(matrix, ends)), 0.0]


@pytest.mark.parametrize("row", [r for r in AC["rows"] if r["lam"] > 0], ids=lambda r: r["lam"])
def test_the_closed_form_knows_its_own_cost_and_risk(row: Any) -> None:
    assert optimum(case(), row["lam"]) == pytest.approx((row["E"], row["V"]), rel=1e-8)


def test_the_extremes_are_a_straight_line_and_one_trade() -> None:
    extremes = AC["closed_form_extremes"]
    line, once = [2e5] * 5, [1e6, 0.0, 0.0, 0.0, 0.0]
    assert expected_cost(case(), line) == pytest.approx(extremes["E_min_linear"], rel=1e-12)
    assert variance(case(), line) == pytest.approx(extremes["V_linear"], rel=1e-12)
    assert expected_cost(case(), once) == pytest.approx(extremes["E_immediate"], rel=1e-12)
    assert variance(case(), once) == extremes["V_immediate"] == 0.0


def test_twenty_steps_are_the_table_too() -> None:
    for name in ("N20_lam1e-06", "N20_lam2e-06"):
        row = AC[name]
        schedule = almgren_chriss(case(steps=20), row["lam"])
        assert schedule.kappa == pytest.approx(row["kappa"], rel=1e-8)
        assert schedule.holdings == pytest.approx(row["x"], rel=1e-8, abs=1e-6)


def test_a_drift_is_held_on_to() -> None:
    vector = AC["drift"]
    found = with_drift(case(), vector["lam"], vector["alpha"])
    assert found.holdings == pytest.approx(vector["x"], rel=1e-8, abs=1e-6)
    kappa = found.kappa
    assert vector["alpha"] / (2 * vector["lam"] * 0.95**2) == pytest.approx(vector["xbar"])
    assert kappa == pytest.approx(almgren_chriss(case(), vector["lam"]).kappa)


def test_the_discrete_rate_is_not_its_continuous_limit() -> None:
    for row in AC["continuous"]:
        found = almgren_chriss(case(), row["lam"]).kappa
        assert found == pytest.approx(row["kappa_discrete"], rel=1e-10)
        assert abs(found - row["kappa_ct"]) > 3e-3


def test_the_published_comparison_matches_to_its_decimals() -> None:
    for row in AC["drop_junit_comparison"]:
        trades = almgren_chriss(case(), row["lam"])
        mean, spread = expected_cost(case(), trades.trades), variance(case(), trades.trades)
        ours = [mean / 1e6, spread / 1e12, (mean + row["lam"] * spread) / 1e6, 1 / trades.kappa]
        for value, published, digits in zip(ours, row["drop"], (4, 4, 4, 2), strict=True):
            assert abs(value - published) <= 0.51 * 10**-digits


def test_solving_again_after_each_full_fill_changes_nothing() -> None:
    left, rolling = 1e6, []
    for step in range(5):
        days = float(5 - step)
        trade = almgren_chriss(case(left, days, 5 - step), 1e-6).trades[0]
        rolling.append(trade)
        left -= trade
    assert rolling == pytest.approx(AC["time_consistency"]["static"], abs=1e-2)


def test_partial_fills_move_the_later_targets() -> None:
    vector, left = AC["rolling_with_partial_fills"], 1e6
    for row, ratio in zip(vector["path"], vector["fill_ratio"], strict=True):
        step = row["k"]
        target = almgren_chriss(case(left, float(5 - step), 5 - step), vector["lam"]).trades[0]
        assert target == pytest.approx(row["target"], rel=1e-8)
        left -= ratio * target


def test_a_doubled_volatility_hurries_the_rest() -> None:
    vector = AC["rolling_sigma_doubles_at_t2"]
    trades = almgren_chriss(case(vector["remaining"], 3.0, 3, sigma=1.9), 1e-6).trades
    assert trades == pytest.approx(vector["n"], rel=1e-8)


def test_an_extreme_urgency_does_not_overflow() -> None:
    trades = almgren_chriss(case(days=50.0, steps=500), 1e6).trades
    assert trades[0] == pytest.approx(1e6, rel=1e-9)
    assert sum(trades) == pytest.approx(1e6)


def test_a_half_life_is_a_risk_aversion() -> None:
    for row in vectors("11_frontier_and_survival.json")["urgency_from_half_life"]:
        found = risk_aversion_of_half_life(case(sigma=0.95), row["half_life_days"])
        assert found == pytest.approx(row["lambda_"], rel=1e-9)


@pytest.mark.parametrize("row", GENERAL["volume_curve_capped"], ids=lambda r: r["lam"])
def test_the_general_scheduler_meets_the_solver(row: Any) -> None:
    costs = [row["eta"] * row["sigma_bp"] * v ** -row["beta"] for v in row["volume"]]
    variances = [row["sigma_bp"] ** 2 * w for w in row["variance_weights"]]
    caps = participation_caps(row["volume"], row["pov_cap"])
    power = PowerCase(costs, variances, caps, row["beta"], row["lam"])
    schedule = power_schedule(power, row["X"])
    assert sum(schedule.trades) == pytest.approx(row["X"], rel=1e-12)
    assert schedule.trades == pytest.approx(row["n"], rel=1e-4, abs=1e-7)
    assert power.objective(schedule.trades) == pytest.approx(row["slsqp_objective"], rel=1e-6)


def test_without_risk_aversion_the_schedule_is_the_volume_curve() -> None:
    volume = [3.0, 1.0, 2.0]
    costs = [v**-0.6 for v in volume]
    trades = power_schedule(PowerCase(costs, [1.0] * 3, [10.0] * 3, 0.6, 0.0), 1.2).trades
    assert trades == pytest.approx([0.6, 0.2, 0.4], rel=1e-9)


def test_with_linear_impact_it_is_almgren_chriss() -> None:
    linear = case()
    costs, variances = [linear.eta_tilde] * 5, [linear.sigma**2] * 5
    found = power_schedule(PowerCase(costs, variances, [1e9] * 5, 1.0, 1e-6), 1e6).trades
    assert found == pytest.approx(almgren_chriss(linear, 1e-6).trades, rel=1e-6)


def test_what_the_caps_cannot_take_is_named() -> None:
    schedule = power_schedule(PowerCase([1.0] * 3, [1.0] * 3, [2.0, 3.0, 1.0], 0.6, 0.1), 10.0)
    assert (schedule.trades, schedule.unfilled) == ((2.0, 3.0, 1.0), 4.0)


def test_the_infinite_horizon_follows_the_power_law() -> None:
    vector = GENERAL["power_law_closed_form"]
    days, bins = 40.0, 8_000  # days of T*: the grid of the vector
    tau = days * vector["T_star_days"] / bins
    costs = [vector["eta_sigma_bp"] * tau ** -vector["beta"]] * bins
    variances = [vector["sigma_bp"] ** 2 * tau] * bins
    caps = [1.0] * bins
    power = PowerCase(costs, variances, caps, vector["beta"], vector["lam"])
    left = power_schedule(power, vector["X"]).holdings
    assert vector["T_star_days"] == pytest.approx(_scale(vector), rel=1e-9)
    rows = zip(vector["t_over_Tstar"], vector["x_over_X"], vector["numeric_x_over_X"], strict=True)
    for at, closed, numeric in rows:
        found = left[round(at * vector["T_star_days"] / tau)] / vector["X"]
        assert closed == pytest.approx((1 + at / 4) ** -4, rel=1e-12)  # beta is .6
        assert found == pytest.approx(closed, abs=1e-6)
        assert found == pytest.approx(numeric, abs=1e-8)


def _scale(vector: Any) -> float:
    """Return T*, the time scale of the infinite horizon under power-law impact."""
    beta = vector["beta"]
    top = beta * vector["eta_sigma_bp"] * vector["X"] ** (beta - 1)
    return float((top / (vector["lam"] * vector["sigma_bp"] ** 2)) ** (1 / (beta + 1)))
