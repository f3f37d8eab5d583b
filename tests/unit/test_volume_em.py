"""Fitting the log-volume model: known parameters found again, a likelihood that never falls."""

from math import exp, log
from random import Random
from typing import Any

import pytest

from streams.models.volume import Estimate, LogVolumeModel, one_step_forecasts
from streams.models.volume_em import fit_log_volume, log_likelihood, smoothed
from tests.support.vectors import vectors

# Without a mean to return to, the level of a day would fade to nothing at 0.97 a day.
TRUE = LogVolumeModel(0.998, 0.7, 0.04, 0.03, 0.06, (0.9, -0.1, -0.5, -0.4, -0.2, 0.3))
BINS = len(TRUE.phi)
LEVEL = 12.0


def simulated(model: LogVolumeModel, days: int, seed: int, missing: float = 0.02) -> list[Any]:
    """Return volumes of days that the model itself has drawn, some bins without any."""
    random, volumes = Random(seed), []
    eta, mu = LEVEL, 0.0
    for day in range(days):
        if day:
            eta = model.a_eta * eta + random.gauss(0, model.var_eta**0.5)
        for phi in model.phi:
            noise = random.gauss(0, model.var_noise**0.5)
            volumes.append(
                None if random.random() < missing else round(exp(eta + phi + mu + noise))
            )
            mu = model.a_mu * mu + random.gauss(0, model.var_mu**0.5)
    return volumes


def test_the_parameters_of_simulated_days_are_found_again() -> None:
    """Longer days tell a level from deviations: 20 bins, 150 days, tolerances of 3 errors."""
    curve = [1.0 - 1.6 * (i / 19) * (1 - i / 19) * 4 / 2 for i in range(20)]
    phi = tuple(value - sum(curve) / 20 for value in curve)
    true = LogVolumeModel(0.998, 0.7, 0.04, 0.04, 0.06, phi)
    fit = fit_log_volume(simulated(true, 150, seed=4), 20)
    found = fit.model
    assert fit.is_converged
    assert found.phi == pytest.approx(phi, abs=0.08)
    assert found.a_mu == pytest.approx(0.7, abs=0.07)
    assert found.var_mu == pytest.approx(0.04, rel=0.25)
    assert found.var_noise == pytest.approx(0.06, rel=0.15)
    assert found.var_eta == pytest.approx(0.04, rel=0.35)
    assert found.a_eta == pytest.approx(0.998, abs=0.01)


@pytest.mark.parametrize("seed", range(6))
def test_the_likelihood_never_falls_and_beats_that_of_the_truth(seed: int) -> None:
    volumes = simulated(TRUE, 12, seed, missing=0.1)
    fit = fit_log_volume(volumes, BINS)
    steps = list(zip(fit.likelihoods, fit.likelihoods[1:], strict=False))
    assert len(steps) > 3
    assert all(after >= before - 1e-9 * abs(before) for before, after in steps)
    truth = log_likelihood(TRUE, Estimate(LEVEL, 0.0, 1e-6, 0.0, 1e-6), volumes)
    assert fit.likelihoods[-1] > truth


def test_the_likelihood_is_that_of_the_one_step_forecasts_of_the_vector() -> None:
    case: Any = vectors("04b_vwap_synthetic.json")
    p, missing = case["params"], set(case["missing_bins"])
    model = LogVolumeModel(
        p["a_eta"], p["a_mu"], p["var_eta"], p["var_mu"], p["r"], tuple(p["phi"])
    )
    start = Estimate(p["x0"][0], p["x0"][1], p["V0"][0], p["V0"][1], p["V0"][2])
    volumes = [None if i in missing else v for i, v in enumerate(case["volume"])]
    expected = 0.0
    for volume, mean, variance in zip(
        volumes, case["one_step_log_forecast"], case["one_step_log_variance"], strict=True
    ):
        if volume is not None:
            expected -= (log(2 * 3.141592653589793 * variance)) / 2
            expected -= (log(volume) - mean) ** 2 / variance / 2
    assert log_likelihood(model, start, volumes) == pytest.approx(expected, abs=1e-7)
    fit = fit_log_volume(volumes, BINS)
    assert fit.likelihoods[-1] > expected


def test_the_smoother_agrees_with_conditioning_on_everything() -> None:
    """Two bins, one day: the posterior of a Gaussian pair by hand."""
    model = LogVolumeModel(1.0, 0.5, 0.1, 0.2, 0.3, (0.0, 0.0))
    start = Estimate(0.0, 0.0, 0.4, 0.0, 0.6)
    first, second = smoothed(model, start, [round(exp(3.0)), round(exp(4.0))])
    y = (log(round(exp(3.0))), log(round(exp(4.0))))
    # cov of (y1, y2): eta + mu1 + e1, eta + mu1 / 2 + w + e2
    s11, s12, s22 = 0.4 + 0.6 + 0.3, 0.4 + 0.3, 0.4 + 0.15 + 0.2 + 0.3
    whole = s11 * s22 - s12 * s12
    g1, g2 = (0.4 * s22 - 0.4 * s12) / whole, (0.4 * s11 - 0.4 * s12) / whole
    eta = g1 * y[0] + g2 * y[1]
    assert first.eta == pytest.approx(eta) and second.eta == pytest.approx(eta)
    assert first.var_eta == pytest.approx(0.4 - g1 * 0.4 - g2 * 0.4)


def test_a_shape_from_elsewhere_is_kept() -> None:
    volumes = simulated(TRUE, 3, seed=8)
    fit = fit_log_volume(volumes, BINS, shape=[phi + 5 for phi in TRUE.phi])
    assert fit.model.phi == pytest.approx(TRUE.phi)
    assert fit.likelihoods[-1] >= fit.likelihoods[0]


def test_one_day_and_bins_that_nobody_ever_saw_can_be_fitted() -> None:
    volumes = [None if i % BINS == 2 else v for i, v in enumerate(simulated(TRUE, 1, seed=5))]
    fit = fit_log_volume(volumes, BINS)
    predictions, _ = one_step_forecasts(fit.model, fit.start, volumes)
    assert all(prediction.variance > 0 for prediction in predictions)


def test_the_fit_forecasts_the_next_day_better_than_the_average_curve() -> None:
    """Out of sample, one bin ahead: mean absolute error of log volume, 26 bins, 60 days."""
    random = Random(2)
    phi = tuple(random.gauss(0, 0.5) for _ in range(26))
    true = TRUE._replace(phi=tuple(p - sum(phi) / 26 for p in phi), a_mu=0.75, var_mu=0.05)
    volumes = simulated(true, 80, seed=21)
    fit = fit_log_volume(volumes[: 60 * 26], 26)
    predictions, _ = one_step_forecasts(fit.model, fit.start, volumes)
    static = [
        sum(log(v) for v in volumes[i : 60 * 26 : 26] if v)
        / sum(1 for v in volumes[i : 60 * 26 : 26] if v)
        for i in range(26)
    ]
    ours = theirs = 0.0
    for ordinal in range(60 * 26, 80 * 26):
        if volumes[ordinal]:
            ours += abs(log(volumes[ordinal]) - predictions[ordinal].mean)
            theirs += abs(log(volumes[ordinal]) - static[ordinal % 26])
    assert ours < 0.8 * theirs
