"""From days to the curve of the next one, and what the fit is worth on the days it has seen."""

import json
from collections.abc import Iterable, Sequence
from math import log
from pathlib import Path
from statistics import fmean, pvariance
from typing import NamedTuple

from schemas.messages.control import VolumeCurveDefined
from services.volumemodel.days import Day
from services.volumemodel.sessions import Session
from streams.models.volume import LogVolumeModel, one_step_forecasts
from streams.models.volume_em import Fit, fit_log_volume, smoothed

__all__ = ["Fitted", "FittingError", "fit", "shape_of"]

VERSION = "em-log-volume/1"
DAYS_MIN = 2  # one day cannot tell its level from its curve
AUCTION_VARIANCE = 0.09  # of log volume, while there are too few auctions to tell
AUCTIONS_MIN = 5
BILLION = 1_000_000_000


class FittingError(ValueError):
    """Days that no curve can be made of; the message says why."""


class Fitted(NamedTuple):
    """A curve for the next session and how it was found."""

    curve: VolumeCurveDefined
    first_date: int
    last_date: int
    fit: Fit
    error: float  # mean absolute error of log volume, one bin ahead
    static_error: float  # the same of the average curve of all days


def fit(days: Sequence[Day], session: Session, shape: Sequence[float] | None = None) -> Fitted:
    """Return the curve of one instrument for that session. Raises: FittingError.

    Half days are left out: their close comes where other days have noon.
    `shape`: log of the parts of a day by bin, when the days are too few to tell it.
    """
    whole = [day for day in days if not day.is_half_day]
    bins = max((len(day.volumes) for day in whole), default=0)
    usable = [day for day in whole if len(day.volumes) == bins and any(day.volumes)]
    least = 1 if shape is not None else DAYS_MIN
    if len(usable) < least:
        raise FittingError(f"{len(usable)} whole days of {bins} bins, at least {least} are needed")
    if len({day.bin_ns for day in usable}) > 1:
        raise FittingError("days of different bins; collect them again with one --bin")
    volumes = [volume or None for day in usable for volume in day.volumes]
    found = fit_log_volume(volumes, bins, shape=shape)
    states = smoothed(found.model, found.start, volumes)
    errors = _errors(found, volumes, bins)
    last = usable[-1]
    levels = [states[ordinal * bins].eta for ordinal in range(len(usable))]
    level = found.model.a_eta * states[-1].eta
    unknown = found.model.a_eta**2 * states[-1].var_eta + found.model.var_eta
    opening, closing, variance = _auctions(usable, levels, level)
    curve = VolumeCurveDefined(
        instrument_id=last.instrument_id,
        model=f"{VERSION} {usable[0].trade_date}-{last.trade_date}",
        bin_ns=last.bin_ns,
        first_bin_ns=session.open_ns,
        log_volume_e9=tuple(round((level + phi) * BILLION) for phi in found.model.phi),
        a_eta_e9=round(found.model.a_eta * BILLION),
        a_mu_e9=round(found.model.a_mu * BILLION),
        # The engine starts the day at its curve: this is how little is known of the day's level.
        var_eta_e9=round(unknown * BILLION),
        var_mu_e9=round(found.model.var_mu * BILLION),
        var_noise_e9=round(found.model.var_noise * BILLION),
        opening_log_volume_e9=opening,
        closing_log_volume_e9=closing,
        auction_var_e9=round(variance * BILLION) if opening is not None or closing else 0,
        days=len(usable),
    )
    return Fitted(curve, usable[0].trade_date, last.trade_date, found, *errors)


def shape_of(facts: Path, symbol: str, bins: int) -> tuple[float, ...]:
    """Return the log of the parts of a day by bin, from measured curves. Raises: FittingError."""
    try:
        parts = json.loads(facts.read_text())["symbols"][symbol]["mean_volume_fraction"]
    except (OSError, ValueError, KeyError) as error:
        raise FittingError(f"{facts}: no curve of {symbol}") from error
    fine = [part / bins for part in parts for _ in range(bins)]  # common grid of both
    width = len(parts)
    sums = [sum(fine[i * width : (i + 1) * width]) for i in range(bins)]
    return tuple(log(max(part, 1e-12)) for part in sums)


def _errors(found: Fit, volumes: Sequence[int | None], bins: int) -> tuple[float, float]:
    """Return the mean absolute errors of the model and of the average curve, log volume."""
    predictions, _ = one_step_forecasts(found.model, found.start, volumes)
    logs = [log(volume) if volume else None for volume in volumes]
    averages = [
        fmean([v for v in logs[slot::bins] if v is not None] or [0.0]) for slot in range(bins)
    ]
    ours = [abs(v - p.mean) for v, p in zip(logs, predictions, strict=True) if v is not None]
    static = [abs(v - averages[i % bins]) for i, v in enumerate(logs) if v is not None]
    return fmean(ours), fmean(static)


def _auctions(
    days: Sequence[Day], levels: Sequence[float], level: float
) -> tuple[int | None, int | None, float]:
    """Return the prior mean of both auctions' log volume on the next day, and its variance.

    An auction stands so far above or below its day's level.
    """
    found: list[int | None] = []
    spreads: list[float] = []
    for volumes in ([day.opening for day in days], [day.closing for day in days]):
        above = _above(volumes, levels)
        found.append(round((level + fmean(above)) * BILLION) if above else None)
        if len(above) >= AUCTIONS_MIN:
            spreads.append(pvariance(above))
    return found[0], found[1], max(spreads, default=AUCTION_VARIANCE)


def _above(volumes: Iterable[int], levels: Sequence[float]) -> list[float]:
    pairs = zip(volumes, levels, strict=True)
    return [log(volume) - level for volume, level in pairs if volume]


def parameters(model: LogVolumeModel) -> dict[str, float]:
    """Return what a person reads of a fit."""
    names = ("a_eta", "a_mu", "var_eta", "var_mu", "var_noise")
    return {name: round(getattr(model, name), 6) for name in names}
