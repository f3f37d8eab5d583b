"""The volume model against vector 04b: forecasts, variances and the schedule they lead to."""

import json
from typing import Any

import pytest

from schemas.messages.control import VolumeCurveDefined
from streams.models.volume import (
    Estimate,
    LogVolumeModel,
    forecast_levels,
    forecast_volumes,
    model_version,
    one_step_forecasts,
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
    assert model_version(curve()) == "kalman-log-volume/1 fit-1"
