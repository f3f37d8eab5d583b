"""The volume model against vector 04b: forecasts, variances and the schedule they lead to."""

import json
from math import exp
from random import Random
from typing import Any

import pytest

from schemas.messages.control import VolumeCurveDefined
from streams.models.volume import (
    Estimate,
    LogVolumeModel,
    filtered,
    forecast_day,
    forecast_levels,
    forecast_volumes,
    model_version,
    one_step_forecasts,
    variation,
)
from tests.support.shared import shared


def vector() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shared("quant/vectors/04b_vwap_synthetic.json").read_text())
    return found


def model_of(params: dict[str, Any]) -> tuple[LogVolumeModel, Estimate]:
    model = LogVolumeModel(
        a_eta=params["a_eta"],
        a_mu=params["a_mu"],
        var_eta=params["var_eta"],
        var_mu=params["var_mu"],
        var_noise=params["r"],
        phi=tuple(params["phi"]),
    )
    (eta, mu), (var_eta, covariance, var_mu) = params["x0"], params["V0"]
    return model, Estimate(eta, mu, var_eta, covariance, var_mu)


def observed(case: dict[str, Any]) -> list[int | None]:
    missing = set(case["missing_bins"])
    return [None if i in missing else volume for i, volume in enumerate(case["volume"])]


def curve(**changes: Any) -> VolumeCurveDefined:
    terms: dict[str, Any] = {
        "instrument_id": "ACME",
        "model": "fit-1",
        "bin_ns": 60_000_000_000,
        "first_bin_ns": 0,
        "log_volume_e9": (9_000_000_000, 8_000_000_000, 7_000_000_000, 8_500_000_000),
        "a_eta_e9": 970_000_000,
        "a_mu_e9": 700_000_000,
        "var_eta_e9": 40_000_000,
        "var_mu_e9": 30_000_000,
        "var_noise_e9": 60_000_000,
    }
    return VolumeCurveDefined(**(terms | changes))


def test_one_step_forecasts_and_variances_equal_the_vector() -> None:
    case = vector()
    model, start = model_of(case["params"])
    predictions, _ = one_step_forecasts(model, start, observed(case))
    means = [prediction.mean for prediction in predictions]
    assert means == pytest.approx(case["one_step_log_forecast"], abs=1e-9)
    variances = [prediction.variance for prediction in predictions]
    assert variances == pytest.approx(case["one_step_log_variance"], abs=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_the_filter_of_a_shard_is_the_reference_to_the_bit(seed: int) -> None:
    random = Random(seed)
    model, start = model_of(vector()["params"])
    for bins in range(len(model.phi)):
        volumes = [random.choice((None, 0, random.randrange(1, 10**9))) for _ in range(bins)]
        assert filtered(model, start, volumes) == one_step_forecasts(model, start, volumes)[1]


def test_level_forecasts_of_the_last_day_equal_the_vector() -> None:
    case = vector()
    model, start = model_of(case["params"])
    volumes, first = observed(case), (case["n_days"] - 1) * case["n_bins"]
    for row in case["schedule"]["rows"]:
        _, state = one_step_forecasts(model, start, volumes[: first + row["bin"]])
        levels = list(forecast_levels(model, state, row["bin"]))
        assert levels == pytest.approx(row["forecast_remaining"], rel=1e-9)


def test_a_day_starts_at_its_curve_and_ends_with_nothing_to_forecast() -> None:
    forecast = forecast_volumes(curve(), (), 0)
    assert forecast[0] == 8773  # exp(9 + (.04 + .03 / .51 + .06) / 2)
    assert len(forecast) == 4
    assert forecast_volumes(curve(), (8000, 3000, None, 5000), 4) == ()


def test_busy_bins_raise_the_forecast_and_missing_bins_say_nothing() -> None:
    quiet = forecast_volumes(curve(), (None, 0), 2)
    usual = forecast_volumes(curve(), (8103, 2981), 2)
    busy = forecast_volumes(curve(), (16206, 5962), 2)
    assert all(more > less for more, less in zip(busy, usual, strict=True))
    # Without information the mean stays and only the uncertainty is larger, hence the level.
    assert all(more > less for more, less in zip(quiet, usual, strict=True))


def test_a_curve_without_uncertainty_is_forecast_as_it_stands() -> None:
    certain = curve(var_eta_e9=0, var_mu_e9=0, var_noise_e9=0)
    assert forecast_volumes(certain, (123_456,), 1) == (2981, 1097, 4915)


def test_a_forecast_names_the_code_and_the_fit() -> None:
    assert model_version(curve()) == "kalman-log-volume/2 fit-1"


def test_the_closing_auction_follows_the_level_of_the_day() -> None:
    # exp(10 + (.04 + .02) / 2) before anything is known of the day
    auctions = curve(closing_log_volume_e9=10 * 10**9, auction_var_e9=20_000_000)
    assert forecast_day(auctions, (), 0).closing == 22_697
    busy = forecast_day(auctions, (30_000, 10_000, 4_000), 3)
    quiet = forecast_day(auctions, (3_000, 1_000, 400), 3)
    assert quiet.closing < 22_697 < busy.closing
    assert (busy.opening, forecast_day(curve(), (), 0).closing) == (0, 0)


def test_the_opening_auction_is_over_with_the_first_bin() -> None:
    opening = curve(opening_log_volume_e9=10 * 10**9)
    assert forecast_day(opening, (), 0).opening > 0
    assert forecast_day(opening, (None,), 1).opening > 0  # a late open
    assert forecast_day(opening, (9_000,), 1).opening == 0


def test_the_variation_of_what_is_to_come_is_that_of_simulated_days() -> None:
    random, sums = Random(11), []
    model = LogVolumeModel(0.97, 0.7, 0.04, 0.03, 0.06, (9.0, 8.0, 7.5, 8.0, 8.8, 9.3))
    start = Estimate(0.0, 0.0, 0.05, 0.004, 0.02)
    for _ in range(40_000):
        eta = random.gauss(0, 0.05**0.5)
        mu = 0.004 / 0.05 * eta + random.gauss(0, (0.02 - 0.004**2 / 0.05) ** 0.5)
        whole = 0.0
        for phi in model.phi:
            whole += exp(phi + eta + mu + random.gauss(0, 0.06**0.5))
            mu = 0.7 * mu + random.gauss(0, 0.03**0.5)
        sums.append(whole)
    mean = sum(sums) / len(sums)
    spread = (sum((each - mean) ** 2 for each in sums) / len(sums)) ** 0.5
    levels = list(forecast_levels(model, start, 0))
    assert sum(levels) == pytest.approx(mean, rel=0.01)
    assert variation(model, start, levels) == pytest.approx(spread / mean, rel=0.04)


def test_what_has_traded_makes_the_rest_surer() -> None:
    volumes = (8_000, 3_000, 1_100, 4_900)
    unseen = forecast_day(curve(), (None, None, None), 3)
    assert forecast_day(curve(), volumes[:3], 3).cv < unseen.cv
    assert forecast_day(curve(), volumes, 4) == ((), 0.0, 0, 0)
