"""Fading impact against the verified numbers: what schedules pay, and which one is cheapest."""

from typing import Any

import numpy as np
import pytest

from streams.models.impact import obizhaeva_wang_trades, propagator_shares
from streams.models.propagator import (
    decay_e9,
    power_law_schedule,
    resilient_cost,
    steady_resilient_cost,
)
from tests.support.vectors import vectors

IMPACT: Any = vectors("06_impact.json")
STEPS = 400  # the grid of the vector


@pytest.mark.parametrize("row", IMPACT["ow_cost_vs_twap"], ids=lambda row: row["rho"])
def test_the_cheapest_schedule_pays_what_the_closed_form_says(row: Any) -> None:
    trades = obizhaeva_wang_trades(1.0, row["rho"], 1.0, STEPS)
    cost = resilient_cost(trades, row["rho"], 1.0)
    assert cost == pytest.approx(row["opt"], rel=1e-9)
    assert row["opt_closed_form"] == pytest.approx(1 / (row["rho"] + 2), rel=1e-12)
    fine = obizhaeva_wang_trades(1.0, row["rho"], 1.0, 20 * STEPS)
    limit = resilient_cost(fine, row["rho"], 1.0)
    assert limit == pytest.approx(row["opt_closed_form"], rel=1e-6)
    assert abs(limit - row["opt_closed_form"]) < abs(cost - row["opt_closed_form"])


@pytest.mark.parametrize("row", IMPACT["ow_cost_vs_twap"], ids=lambda row: row["rho"])
def test_equal_trades_pay_more(row: Any) -> None:
    equal = resilient_cost([1 / (STEPS + 1)] * (STEPS + 1), row["rho"], 1.0)
    assert equal == pytest.approx(row["twap"], rel=1e-9)
    assert steady_resilient_cost(1.0, row["rho"], 1.0) == pytest.approx(equal, rel=3e-3)
    saving = 100 * (1 - row["opt"] / row["twap"])
    assert saving == pytest.approx(row["saving_pct"], rel=1e-6)


def test_the_blocks_of_a_fine_grid_are_those_of_the_limit() -> None:
    check = IMPACT["obizhaeva_wang_limit_check"]
    trades = obizhaeva_wang_trades(1.0, check["rho"], 1.0, check["N"])
    assert trades[0] == pytest.approx(check["first"], rel=1e-6)
    assert trades[0] == pytest.approx(check["limit"], rel=1e-3)


def test_a_power_law_wants_its_deciles() -> None:
    check = IMPACT["power_law_propagator"]
    parts = power_law_schedule(check["gamma"], check["N"])
    assert parts.sum() == pytest.approx(1.0)
    deciles = parts.reshape(10, -1).sum(axis=1)
    assert deciles == pytest.approx(check["deciles_schedule"], rel=1e-9)
    # The closed form's deciles: the limit that the cells tend to inside.
    closed = propagator_shares(check["gamma"], 10)
    assert closed == pytest.approx(check["deciles_schedule"], rel=1e-3)
    times = (np.arange(check["N"]) + 0.5) / check["N"]
    density = (times * (1 - times)) ** (-(1 - check["gamma"]) / 2)
    shape = density / density.sum()
    inner = slice(check["N"] // 20, -check["N"] // 20)
    assert np.abs(
        parts[inner] / shape[inner] * shape[inner].sum() / parts[inner].sum() - 1
    ).max() < (2 * check["max_rel_err_interior_vs_closed_form"])


def test_half_is_left_after_a_half_life() -> None:
    assert decay_e9(120, 120) == 500_000_000
    assert decay_e9(120, 240) == 250_000_000
    assert decay_e9(120, 0) == 1_000_000_000
