"""What trading costs before it is done: impact, its cross-checks, and how it decays.

Costs are positive when bad. Volatility `sigma` is daily and carries the unit of the result, basis
points mostly; shares and average daily volume are in the same unit; times are trading days.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import asin, cos, exp, inf, sin, sqrt

__all__ = [
    "ALMGREN_2005",
    "IStar",
    "PowerImpact",
    "istar_cost",
    "obizhaeva_wang_cost",
    "obizhaeva_wang_trades",
    "propagator_shares",
    "square_root_cost",
    "timing_risk",
]

TURNOVER_EXPONENT = 0.25


@dataclass(frozen=True, slots=True)
class PowerImpact:
    """Permanent impact linear in size, temporary impact a power of the rate.

    Source: Almgren, Thum, Hauptmann, Li 2005; SPEC section 6.
    """

    gamma: float  # permanent coefficient
    eta: float  # temporary coefficient
    beta: float  # exponent of the rate

    def permanent(self, sigma: float, size: float, inverse_turnover: float) -> float:
        """Return gamma sigma (X / V) (Theta / V)^1/4; `size` is X / V."""
        return float(self.gamma * sigma * size * inverse_turnover**TURNOVER_EXPONENT)

    def temporary(self, sigma: float, rate: float) -> float:
        """Return eta sigma rate^beta; `rate` is X / (V T), shares a day over daily volume."""
        return float(self.eta * sigma * rate**self.beta)

    def cost(self, sigma: float, size: float, inverse_turnover: float, days: float) -> float:
        """Return the expected cost against arrival of trading `size` steadily over `days`.

        Spread not included. Half the permanent part is paid on average.
        """
        temporary = self.temporary(sigma, size / days)
        return self.permanent(sigma, size, inverse_turnover) / 2 + temporary

    def best_horizon(self, sigma: float, size: float, risk_aversion: float) -> float:
        """Return the days of the steady order that minimizes cost + risk_aversion x risk^2.

        Units:  risk_aversion per unit of sigma; inf when it is zero.
        Source: SPEC section 6, with risk = sigma sqrt(T / 3).
        """
        if risk_aversion == 0:
            return inf
        top = 3 * self.beta * self.eta * sigma * size**self.beta
        return float((top / (risk_aversion * sigma**2)) ** (1 / (1 + self.beta)))


# Fitted on 29,509 orders of US large caps, 2001 to 2003: a prior, to be updated on own fills.
ALMGREN_2005 = PowerImpact(gamma=0.314, eta=0.142, beta=0.6)


def timing_risk(sigma: float, days: float) -> float:
    """Return the standard deviation of the cost of a steady order: sigma sqrt(T / 3)."""
    return sigma * sqrt(days / 3)


def square_root_cost(sigma: float, size: float, coefficient: float = 1.0) -> float:
    """Return the average cost of a steady order by the square-root law: 2/3 of its peak impact.

    `coefficient` must be fitted; it is of the order of one. A cross-check, not a forecast.
    """
    return 2 / 3 * coefficient * sigma * sqrt(size)


@dataclass(frozen=True, slots=True)
class IStar:
    """Parameters of Kissell's I-Star. Published fits vary; none is a truth to ship."""

    a1: float
    a2: float
    a3: float
    a4: float
    b1: float


def istar_cost(
    parameters: IStar, size: float, annual_sigma: float, participation: float
) -> tuple[float, float, float]:
    """Return instantaneous impact, market impact and timing risk.

    Units:  basis points; `size` is shares over average daily volume, `annual_sigma` a fraction.
    Source: Kissell, as documented by public packages; SPEC section 6.
    """
    p = parameters
    instant = p.a1 * size**p.a2 * annual_sigma**p.a3
    market = p.b1 * instant * participation**p.a4 + (1 - p.b1) * instant
    risk = annual_sigma * sqrt(size * (1 - participation) / (3 * 250 * participation)) * 1e4
    return instant, market, risk


def obizhaeva_wang_trades(shares: float, resilience: float, days: float, steps: int) -> list[float]:
    """Return the steps + 1 trades that are cheapest in a block book that refills exponentially.

    Source: Obizhaeva and Wang; SPEC section 6.
    """
    decay = exp(-resilience * days / steps)
    edge = shares / (2 + (steps - 1) * (1 - decay))
    middle: Sequence[float] = [(1 - decay) * edge] * (steps - 1)
    return [edge, *middle, edge]


def obizhaeva_wang_cost(resilience: float, days: float) -> float:
    """Return the transient cost of those trades in the continuous limit, over depth x shares^2.

    Source: Obizhaeva and Wang; SPEC section 6.
    """
    return 1 / (resilience * days + 2)


def propagator_shares(decay: float, parts: int, steps: int = 200) -> list[float]:
    """Return what each equal part of the time takes when impact decays as a power of it.

    The density is (t (T - t))^-(1 - decay)/2; sines take its poles out of the integral.
    Source: Bouchaud's propagator with linear impact; SPEC section 6.
    """
    edges = [asin(sqrt(k / parts)) for k in range(parts + 1)]
    areas = []
    for low, high in pairwise(edges):
        width = (high - low) / steps
        points = [low + (n + 0.5) * width for n in range(steps)]
        areas.append(sum((sin(at) * cos(at)) ** decay for at in points) * width)
    whole = sum(areas)
    return [area / whole for area in areas]
