"""How little is known of a day's volume before it begins, and what measured days say of that."""

import json
from math import exp

import pytest

from schemas.messages.control import VolumeCurveDefined
from streams.models.volume import LEVEL_VARIANCE_MIN, forecast_day
from streams.models.volume_em import fit_log_volume
from tests.support.shared import shared

BINS = 12
BILLION = 1_000_000_000


def curve(**changes: int) -> VolumeCurveDefined:
    """Return a flat curve of a thousand in each bin, nearly without noise."""
    terms = {
        "a_eta_e9": 950_000_000,
        "a_mu_e9": 0,
        "var_eta_e9": 20_000_000,
        "var_mu_e9": 0,
        "var_noise_e9": 10_000_000,
        "days": 20,
    }
    return VolumeCurveDefined(
        instrument_id="ACME",
        model="fit-1",
        bin_ns=60 * BILLION,
        first_bin_ns=0,
        log_volume_e9=(round(6.907755279 * BILLION),) * BINS,
        **(terms | changes),
    )


@pytest.mark.parametrize("symbol", ["IBM", "SPY"])
def test_measured_days_differ_by_more_than_the_least_variance(symbol: str) -> None:
    """Four days of two symbols: 0.12 and 0.15, so 0.1 is no caution beyond the evidence."""
    facts = json.loads(shared("facts/us_equity_volume_curves.json").read_text())["symbols"][symbol]
    days = zip(facts["daily_volume_fraction"], facts["regular_session_volume"], strict=True)
    volumes = [max(1, round(part * total)) for parts, total in days for part in parts]
    found = fit_log_volume(volumes, facts["bins"]).model.var_eta
    assert LEVEL_VARIANCE_MIN < found < 2 * LEVEL_VARIANCE_MIN


def test_a_curve_that_no_days_were_fitted_to_knows_nothing_of_yesterday() -> None:
    fitted, assumed = forecast_day(curve(), (), 0), forecast_day(curve(days=0), (), 0)
    assert fitted.cv == pytest.approx((exp(LEVEL_VARIANCE_MIN + 0.01 / BINS) - 1) ** 0.5)
    assert assumed.cv == pytest.approx((exp(0.02 / (1 - 0.95**2) + 0.01 / BINS) - 1) ** 0.5)


def test_the_expected_volume_is_the_curves_however_little_is_known_of_it() -> None:
    expected = round(1_000 * exp((0.02 + 0.01) / 2))
    for days in (0, 20):
        assert forecast_day(curve(days=days), (), 0).volumes == (expected,) * BINS


def test_a_curve_that_says_it_is_certain_is_believed() -> None:
    sure = curve(var_eta_e9=0, var_noise_e9=0, days=0)
    assert forecast_day(sure, (2_000, 2_000), 2).volumes == (1_000,) * (BINS - 2)


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_forecast_wrong_by_half_is_found_out_within_a_few_bins(factor: float) -> None:
    seen = (round(1_000 * factor),) * 3
    found = forecast_day(curve(var_noise_e9=80_000_000), seen, 3).volumes[0]
    assert abs(found / (1_000 * factor) - 1) < 0.25
