"""Fit the log-volume model to several days: expectation and maximization in closed form.

Each step makes the likelihood larger, and so does a leap along two of them, which is taken back
when it does not. Auctions are no bins; a bin without volume is missing.
Source: SPEC section 4; Chen, Feng, Palomar 2016; leaps: Varadhan and Roland 2008 (SQUAREM).
"""

from collections.abc import Sequence
from itertools import pairwise
from math import exp, log, sqrt
from typing import NamedTuple

from streams.models.volume import Estimate, LogVolumeModel
from streams.models.volume_smoother import Moments, filtered, moments_of

__all__ = ["Fit", "fit_log_volume", "log_likelihood", "smoothed"]

VARIANCE_MIN, VARIANCE_MAX = 1e-9, 1e3
A_ETA_MAX = 1.0  # a level may wander
A_MU_MAX = 0.999  # a deviation fades; otherwise it would be a level
CYCLES_MAX = 300
GAIN_MIN = 1e-6  # of the likelihood in a cycle, per observation: less is no news
START_A, START_VARIANCE = 0.9, 0.05

Logs = Sequence[float | None]


class Fit(NamedTuple):
    """Parameters, the state before the first bin, and how the likelihood grew to them."""

    model: LogVolumeModel
    start: Estimate
    likelihoods: tuple[float, ...]  # of the first guess and after each cycle

    @property
    def is_converged(self) -> bool:
        return len(self.likelihoods) <= CYCLES_MAX


def fit_log_volume(
    volumes: Sequence[int | None], bins: int, *, shape: Sequence[float] | None = None
) -> Fit:
    """Return the model under which the volumes are most likely.

    Shape:  volumes (days * bins,), day by day; None or 0 is a missing bin.
    `shape` keeps the curve within the day at that (log, any level): what few days cannot tell.
    """
    assert len(volumes) % bins == 0 and any(volumes)
    logs = _logs(volumes)
    model, start = _first_guess(logs, bins, shape)
    likelihoods = [filtered(model, start, logs).likelihood]
    seen = sum(value is not None for value in logs)
    while len(likelihoods) <= CYCLES_MAX:
        model, start, likelihood = _cycle(model, start, logs, is_shape_kept=shape is not None)
        gain = likelihood - likelihoods[-1]
        likelihoods.append(likelihood)
        if gain < GAIN_MIN * seen:
            break
    return Fit(model, start, tuple(likelihoods))


def log_likelihood(model: LogVolumeModel, start: Estimate, volumes: Sequence[int | None]) -> float:
    """Return the log density of the log volumes under the model."""
    return filtered(model, start, _logs(volumes)).likelihood


def smoothed(
    model: LogVolumeModel, start: Estimate, volumes: Sequence[int | None]
) -> list[Estimate]:
    """Return the state of each bin by all observations, those after it too."""
    passed = filtered(model, start, _logs(volumes))
    return [Estimate(*moments[:5]) for moments in moments_of(model, passed)]


def _logs(volumes: Sequence[int | None]) -> list[float | None]:
    return [log(volume) if volume else None for volume in volumes]


def _first_guess(
    logs: Logs, bins: int, shape: Sequence[float] | None
) -> tuple[LogVolumeModel, Estimate]:
    known = [value for value in logs if value is not None]
    level = sum(known) / len(known)
    if shape is None:
        columns = [[v for v in logs[i::bins] if v is not None] for i in range(bins)]
        means = [sum(column) / len(column) if column else level for column in columns]
    else:
        assert len(shape) == bins
        means = list(shape)
    middle = sum(means) / bins
    phi = tuple([mean - middle for mean in means])
    first = [v - phi[i] for i, v in enumerate(logs[:bins]) if v is not None] or [level]
    model = LogVolumeModel(START_A, START_A, *(START_VARIANCE,) * 3, phi)
    return model, Estimate(sum(first) / len(first), 0.0, START_VARIANCE, 0.0, START_VARIANCE)


def _cycle(
    model: LogVolumeModel, start: Estimate, logs: Logs, *, is_shape_kept: bool
) -> tuple[LogVolumeModel, Estimate, float]:
    """Return the parameters after two steps, or a leap beyond them, and their likelihood."""
    points = [_vector(model, start)]
    for _ in range(2):
        moments = moments_of(model, filtered(model, start, logs))
        model, start = _maximized(model, moments, logs, is_shape_kept=is_shape_kept)
        points.append(_vector(model, start))
    likelihood = filtered(model, start, logs).likelihood
    leap = _leap(*points)
    if leap is not None:
        far_model, far_start = _parameters(leap)
        far = filtered(far_model, far_start, logs).likelihood
        if far > likelihood:
            return far_model, far_start, far
    return model, start, likelihood


def _leap(
    before: Sequence[float], once: Sequence[float], twice: Sequence[float]
) -> list[float] | None:
    """Return where two steps point to, by their change; None when they do not change."""
    first = [b - a for a, b in zip(before, once, strict=True)]
    change = [c - 2 * b + a for a, b, c in zip(before, once, twice, strict=True)]
    bent = sum(part * part for part in change)
    if bent == 0:
        return None
    length = sqrt(sum(part * part for part in first) / bent)
    if length <= 1:  # no further than the two steps themselves
        return None
    return [
        a + 2 * length * r + length * length * v
        for a, r, v in zip(before, first, change, strict=True)
    ]


def _vector(model: LogVolumeModel, start: Estimate) -> list[float]:
    """Return the parameters where they may take any value, variances as logarithms."""
    return [
        model.a_eta,
        model.a_mu,
        log(model.var_eta),
        log(model.var_mu),
        log(model.var_noise),
        start.eta,
        start.mu,
        log(start.var_eta),
        start.covariance / sqrt(start.var_eta * start.var_mu),
        log(start.var_mu),
        *model.phi,
    ]


def _parameters(vector: Sequence[float]) -> tuple[LogVolumeModel, Estimate]:
    """Return the parameters of a vector, each within what it may be."""
    a_eta, a_mu, var_eta, var_mu, noise, eta, mu, p, correlation, q, *phi = vector
    p, q = _variance(p), _variance(q)
    covariance = min(max(correlation, -0.99), 0.99) * sqrt(p * q)
    middle = sum(phi) / len(phi)
    model = LogVolumeModel(
        min(max(a_eta, 0.0), A_ETA_MAX),
        min(max(a_mu, 0.0), A_MU_MAX),
        _variance(var_eta),
        _variance(var_mu),
        _variance(noise),
        tuple([part - middle for part in phi]),
    )
    return model, Estimate(eta, mu, p, covariance, q)


def _variance(logarithm: float) -> float:
    return exp(min(max(logarithm, log(VARIANCE_MIN)), log(VARIANCE_MAX)))


def _maximized(
    model: LogVolumeModel, moments: Sequence[Moments], logs: Logs, *, is_shape_kept: bool
) -> tuple[LogVolumeModel, Estimate]:
    """Return the parameters under which what was expected of the states is most likely."""
    bins = len(model.phi)
    phi = model.phi if is_shape_kept else _curve(moments, logs, bins, model.phi)
    noise, seen = 0.0, 0
    for ordinal, (value, (eta, mu, p, c, q, _, _)) in enumerate(zip(logs, moments, strict=True)):
        if value is not None:
            error = value - phi[ordinal % bins] - eta - mu
            noise += error * error + p + 2 * c + q
            seen += 1
    deviations = [(now[1], last[1], now[4], last[4], now[6]) for last, now in pairwise(moments)]
    a_mu, var_mu = _regressed(deviations, A_MU_MAX, (model.a_mu, model.var_mu))
    nights = [(moments[t - 1], moments[t]) for t in range(bins, len(moments), bins)]
    levels = [(now[0], last[0], now[2], last[2], now[5]) for last, now in nights]
    a_eta, var_eta = _regressed(levels, A_ETA_MAX, (model.a_eta, model.var_eta))
    eta, mu, p, c, q, _, _ = moments[0]
    start = Estimate(eta, mu, max(p, VARIANCE_MIN), c, max(q, VARIANCE_MIN))
    noise = max(noise / seen, VARIANCE_MIN)
    return LogVolumeModel(a_eta, a_mu, var_eta, var_mu, noise, phi), start


def _regressed(
    pairs: Sequence[tuple[float, float, float, float, float]],
    a_max: float,
    before: tuple[float, float],
) -> tuple[float, float]:
    """Return persistence within 0..a_max and innovation variance of a state; before for none.

    Each pair: mean, mean one step before, their variances, their covariance.
    """
    if not pairs:
        return before
    own = sum([mean * mean + var for mean, _, var, _, _ in pairs])
    past = sum([last * last + var for _, last, _, var, _ in pairs])
    cross = sum([mean * last + lag for mean, last, _, _, lag in pairs])
    a = min(max(cross / past, 0.0), a_max) if past > 0 else before[0]
    variance = (own - 2 * a * cross + a * a * past) / len(pairs)
    return a, max(variance, VARIANCE_MIN)


def _curve(
    moments: Sequence[Moments], logs: Logs, bins: int, before: Sequence[float]
) -> tuple[float, ...]:
    """Return the curve with mean zero that fits best; a bin that nobody saw keeps what it had.

    With weights n and means c of what is left in each bin, the constraint moves each by 1 / n.
    """
    sums, counts = [0.0] * bins, [0] * bins
    for ordinal, (value, moment) in enumerate(zip(logs, moments, strict=True)):
        if value is not None:
            sums[ordinal % bins] += value - moment[0] - moment[1]
            counts[ordinal % bins] += 1
    kept = sum([old for old, count in zip(before, counts, strict=True) if not count])
    means = [part / n if n else 0.0 for part, n in zip(sums, counts, strict=True)]
    excess = (sum(means) + kept) / sum([1 / n for n in counts if n])
    return tuple(
        [
            mean - excess / n if n else old
            for mean, n, old in zip(means, counts, before, strict=True)
        ]
    )
