"""Expected market volume per bin: a Kalman filter on log volume (Chen, Feng, Palomar 2016).

Auctions are no bins: each has a log volume of its own that shares the level of the day.
"""

from collections.abc import Iterator, Sequence
from math import exp, expm1, log, sqrt
from typing import NamedTuple

from schemas.messages.control import VolumeCurveDefined

__all__ = [
    "DayForecast",
    "Estimate",
    "LogVolumeModel",
    "Prediction",
    "filtered",
    "forecast_day",
    "forecast_levels",
    "forecast_volumes",
    "model_version",
    "one_step_forecasts",
    "variation",
]

VERSION = "kalman-log-volume/2"
# Of log volume, from one day to the next. EM over the measured days of two US symbols finds 0.12
# and 0.15 (tests/unit/test_volume_level.py), SPEC section 4 names 0.07 of a third over 104 days.
LEVEL_VARIANCE_MIN = 0.1
LOG_MAX = 40.0  # of a volume: 2.4e17; a bin that nobody will ever see must still fit 64 bits


class LogVolumeModel(NamedTuple):
    """y = eta + phi[bin] + mu + noise: a daily level, a fixed curve, an intraday deviation."""

    a_eta: float
    a_mu: float
    var_eta: float
    var_mu: float
    var_noise: float
    phi: tuple[float, ...]


class Estimate(NamedTuple):
    """What is known of (eta, mu): means and the three entries of the covariance."""

    eta: float
    mu: float
    var_eta: float
    covariance: float
    var_mu: float


class DayForecast(NamedTuple):
    """What is left of a day, in smallest units; 0 for an auction that is over or unknown."""

    volumes: tuple[int, ...]  # by bin
    cv: float  # coefficient of variation of their sum
    opening: int
    closing: int


class Prediction(NamedTuple):
    """One step ahead, before the observation: log volume and the variance of its error."""

    mean: float
    variance: float


def one_step_forecasts(
    model: LogVolumeModel, start: Estimate, volumes: Sequence[int | None]
) -> tuple[list[Prediction], Estimate]:
    """Return the forecast made before each bin, and the state predicted for the bin after the last.

    Shape:  volumes (days * bins,), from the first bin of a day on; None or 0 is a missing bin.
    Source: SPEC section 4; the day boundary moves eta, every bin moves mu.
    """
    bins = len(model.phi)
    state, predictions = start, []
    for ordinal, volume in enumerate(volumes):
        phi = model.phi[ordinal % bins]
        predictions.append(_predict(model, state, phi))
        if volume:
            state = _update(model, state, log(volume) - phi)
        state = _advance(model, state, is_new_day=(ordinal + 1) % bins == 0)
    return predictions, state


def filtered(model: LogVolumeModel, start: Estimate, volumes: Sequence[int | None]) -> Estimate:
    """Return the state that `one_step_forecasts` ends with, to the bit, for a part of one day.

    A shard asks for it at every bin: without an object per bin it takes a quarter of the time.
    """
    eta, mu, var_eta, covariance, var_mu = start
    a_mu, a_mu2, noise, drift = model.a_mu, model.a_mu * model.a_mu, model.var_noise, model.var_mu
    for phi, volume in zip(model.phi, volumes, strict=False):
        if volume:
            to_eta, to_mu = var_eta + covariance, covariance + var_mu
            variance = to_eta + to_mu + noise
            if variance > 0:
                surprise = (log(volume) - phi - eta - mu) / variance
                eta, mu = eta + to_eta * surprise, mu + to_mu * surprise
                var_eta -= to_eta * to_eta / variance
                covariance -= to_eta * to_mu / variance
                var_mu -= to_mu * to_mu / variance
        mu, covariance, var_mu = a_mu * mu, a_mu * covariance, a_mu2 * var_mu + drift
    return Estimate(eta, mu, var_eta, covariance, var_mu)


def forecast_levels(model: LogVolumeModel, state: Estimate, first_bin: int) -> Iterator[float]:
    """Yield the expected volume of each bin left in the day, in smallest units.

    Source: SPEC section 4: exp(mean + variance / 2), variance from the same recursion; at most
            exp(LOG_MAX).
    """
    # The same steps as _predict and _advance within a day, without an object per bin.
    mu, covariance, var_mu = state.mu, state.covariance, state.var_mu
    a_mu, certain = model.a_mu, state.var_eta + model.var_noise
    for phi in model.phi[first_bin:]:
        yield exp(min(state.eta + phi + mu + (certain + 2 * covariance + var_mu) / 2, LOG_MAX))
        mu, covariance = a_mu * mu, a_mu * covariance
        var_mu = a_mu * a_mu * var_mu + model.var_mu


def forecast_volumes(
    curve: VolumeCurveDefined, observed: Sequence[int | None], first_bin: int
) -> tuple[int, ...]:
    """Return the expected volume of each bin from `first_bin` to the end of the day.

    `observed` holds the bins before `first_bin`; None (or 0) is a bin without information.
    Units:  smallest units of the instrument.
    Rounds: half even.
    Source: SPEC section 4. The day starts at the curve with var_eta as the level's uncertainty and
            with the stationary variance of the deviation.
    """
    return forecast_day(curve, observed, first_bin).volumes


def forecast_day(
    curve: VolumeCurveDefined, observed: Sequence[int | None], first_bin: int
) -> DayForecast:
    """Return what the rest of the day is expected to bring, and how sure that is.

    The opening auction is over with the first bin that has information.
    Rounds: half even.
    """
    assert len(observed) == first_bin
    model, start = _day_model(curve)
    state = filtered(model, start, observed)
    levels = list(forecast_levels(model, state, first_bin))
    is_opened = any(observed)
    return DayForecast(
        volumes=tuple([round(level) for level in levels]),
        cv=variation(model, state, levels),
        opening=0 if is_opened else _auction(curve, state, curve.opening_log_volume_e9),
        closing=_auction(curve, state, curve.closing_log_volume_e9),
    )


def variation(model: LogVolumeModel, state: Estimate, levels: Sequence[float]) -> float:
    """Return the coefficient of variation of the sum of `levels`, the bins from `state` on.

    The sum is taken as lognormal; the variance of its logarithm is that of the average of the
    bins' logarithms, each weighted with its part of the sum, covariances included.
    Source: SPEC section 11, where completion takes volume to come as lognormal (mean, cv).
    """
    whole = sum(levels)
    if whole <= 0:
        return 0.0
    a_mu, covariance, var_mu = model.a_mu, state.covariance, state.var_mu
    total, shared = state.var_eta, 0.0  # shared: of earlier bins' deviations with this one's
    for level in levels:
        weight = level / whole
        total += weight * weight * (var_mu + model.var_noise)
        total += 2 * weight * (shared + covariance)
        shared = a_mu * (shared + weight * var_mu)
        covariance *= a_mu
        var_mu = a_mu * a_mu * var_mu + model.var_mu
    return sqrt(expm1(min(max(total, 0.0), LOG_MAX)))


def _auction(curve: VolumeCurveDefined, state: Estimate, log_volume_e9: int | None) -> int:
    """Return the expected volume of an auction on a day of this level; 0 where there is none."""
    if log_volume_e9 is None:
        return 0
    spread = state.var_eta + curve.auction_var_e9 / 1e9
    return round(exp(min(log_volume_e9 / 1e9 + state.eta + spread / 2, LOG_MAX)))


def model_version(curve: VolumeCurveDefined) -> str:
    """Return what a recorded forecast names as its origin: this code and the fitted curve."""
    return f"{VERSION} {curve.model}"


def _day_model(curve: VolumeCurveDefined) -> tuple[LogVolumeModel, Estimate]:
    a_mu, var_mu = curve.a_mu_e9 / 1e9, curve.var_mu_e9 / 1e9
    model = LogVolumeModel(
        a_eta=curve.a_eta_e9 / 1e9,
        a_mu=a_mu,
        var_eta=curve.var_eta_e9 / 1e9,
        var_mu=var_mu,
        var_noise=curve.var_noise_e9 / 1e9,
        phi=tuple([mean / 1e9 for mean in curve.log_volume_e9]),
    )
    is_stationary = abs(a_mu) < 1
    spread = var_mu / (1 - a_mu * a_mu) if is_stationary else var_mu
    variance = _level_variance(curve)
    # The volume that is expected is the curve's, however little is known of the level.
    level = (model.var_eta - variance) / 2
    return model, Estimate(level, 0.0, variance, 0.0, spread)


def _level_variance(curve: VolumeCurveDefined) -> float:
    """Return how little is known of the day's level before its first bin.

    A curve that no days were fitted to knows nothing of yesterday: its level varies as levels do,
    over all days. None is believed to know a level better than LEVEL_VARIANCE_MIN, unless it says
    that it is certain: a forecast that is wrong by half must be found out within the day.
    """
    variance, a_eta = curve.var_eta_e9 / 1e9, curve.a_eta_e9 / 1e9
    if variance <= 0:
        return 0.0
    if not curve.days and abs(a_eta) < 1:
        variance /= 1 - a_eta * a_eta
    return max(variance, LEVEL_VARIANCE_MIN)


def _predict(model: LogVolumeModel, state: Estimate, phi: float) -> Prediction:
    variance = state.var_eta + 2 * state.covariance + state.var_mu + model.var_noise
    return Prediction(state.eta + phi + state.mu, variance)


def _update(model: LogVolumeModel, state: Estimate, deviation: float) -> Estimate:
    to_eta = state.var_eta + state.covariance
    to_mu = state.covariance + state.var_mu
    variance = to_eta + to_mu + model.var_noise
    if variance <= 0:  # nothing is uncertain: there is nothing to learn
        return state
    surprise = (deviation - state.eta - state.mu) / variance
    return Estimate(
        eta=state.eta + to_eta * surprise,
        mu=state.mu + to_mu * surprise,
        var_eta=state.var_eta - to_eta * to_eta / variance,
        covariance=state.covariance - to_eta * to_mu / variance,
        var_mu=state.var_mu - to_mu * to_mu / variance,
    )


def _advance(model: LogVolumeModel, state: Estimate, *, is_new_day: bool) -> Estimate:
    a_eta, drift = (model.a_eta, model.var_eta) if is_new_day else (1.0, 0.0)
    return Estimate(
        eta=a_eta * state.eta,
        mu=model.a_mu * state.mu,
        var_eta=a_eta * a_eta * state.var_eta + drift,
        covariance=a_eta * model.a_mu * state.covariance,
        var_mu=model.a_mu * model.a_mu * state.var_mu + model.var_mu,
    )
