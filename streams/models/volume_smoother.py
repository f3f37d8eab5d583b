"""All that is known of each bin's state: the filter forward, Rauch, Tung and Striebel backward.

Plain tuples of floats: a fit runs this a hundred times over years of bins.
Source: SPEC section 4.
"""

from collections.abc import Sequence
from math import log, pi
from typing import NamedTuple

from streams.models.volume import Estimate, LogVolumeModel

__all__ = ["Moments", "Pass", "filtered", "moments_of"]

# Of (eta, mu): the means, then var_eta, covariance, var_mu.
State = tuple[float, float, float, float, float]
# The same by all observations, then the covariances of eta and of mu with one bin before.
Moments = tuple[float, float, float, float, float, float, float]
LOG_2_PI = log(2 * pi)


class Pass(NamedTuple):
    """One run of the filter over the log volumes."""

    predicted: list[State]  # before each bin
    updated: list[State]  # with the bin's own volume
    likelihood: float


def filtered(model: LogVolumeModel, start: Estimate, logs: Sequence[float | None]) -> Pass:
    """Return what is known of each bin before and with its own volume; None is a missing bin."""
    phi, bins, noise = model.phi, len(model.phi), model.var_noise
    a_mu, var_mu = model.a_mu, model.var_mu
    predicted: list[State] = []
    updated: list[State] = []
    likelihood = 0.0
    eta, mu, p, c, q = start
    for ordinal, value in enumerate(logs):
        slot = ordinal % bins
        if slot:
            mu, c, q = a_mu * mu, a_mu * c, a_mu * a_mu * q + var_mu
        elif ordinal:
            a_eta = model.a_eta
            eta, mu = a_eta * eta, a_mu * mu
            p, c, q = a_eta * a_eta * p + model.var_eta, a_eta * a_mu * c, a_mu * a_mu * q + var_mu
        predicted.append((eta, mu, p, c, q))
        if value is not None:
            to_eta, to_mu = p + c, c + q
            variance = to_eta + to_mu + noise
            error = value - phi[slot] - eta - mu
            surprise = error / variance
            likelihood -= (LOG_2_PI + log(variance) + error * surprise) / 2
            eta, mu = eta + to_eta * surprise, mu + to_mu * surprise
            p, c, q = (
                p - to_eta * to_eta / variance,
                c - to_eta * to_mu / variance,
                q - to_mu * to_mu / variance,
            )
        updated.append((eta, mu, p, c, q))
    return Pass(predicted, updated, likelihood)


def moments_of(model: LogVolumeModel, passed: Pass) -> list[Moments]:
    """Return the moments of each bin by all observations, those after it too."""
    bins, a_mu = len(model.phi), model.a_mu
    updated, predicted = passed.updated, passed.predicted
    eta, mu, p, c, q = updated[-1]
    found: list[Moments] = []
    for ordinal in range(len(updated) - 2, -1, -1):
        h_eta, h_mu, hp, hc, hq = updated[ordinal]
        n_eta, n_mu, np, nc, nq = predicted[ordinal + 1]
        a_eta = model.a_eta if (ordinal + 1) % bins == 0 else 1.0
        # The gain J is P A' times the inverse of the prediction's covariance, 2 by 2.
        whole = np * nq - nc * nc
        u1, u2, w1, w2 = hp * a_eta, hc * a_mu, hc * a_eta, hq * a_mu
        j11, j12 = (u1 * nq - u2 * nc) / whole, (u2 * np - u1 * nc) / whole
        j21, j22 = (w1 * nq - w2 * nc) / whole, (w2 * np - w1 * nc) / whole
        found.append((eta, mu, p, c, q, p * j11 + c * j12, c * j21 + q * j22))
        d_eta, d_mu, dp, dc, dq = eta - n_eta, mu - n_mu, p - np, c - nc, q - nq
        k11, k12, k21, k22 = (
            j11 * dp + j12 * dc,
            j11 * dc + j12 * dq,
            j21 * dp + j22 * dc,
            j21 * dc + j22 * dq,
        )
        eta, mu = h_eta + j11 * d_eta + j12 * d_mu, h_mu + j21 * d_eta + j22 * d_mu
        p, c, q = hp + k11 * j11 + k12 * j12, hc + k11 * j21 + k12 * j22, hq + k21 * j21 + k22 * j22
    found.append((eta, mu, p, c, q, 0.0, 0.0))
    found.reverse()
    return found
