"""How the impact of a trade fades: what a schedule pays for it, and what the cheapest one is.

A book that refills exponentially (Obizhaeva and Wang), or a kernel that falls as a power of time
(Bouchaud). Costs are those of the transient part alone, for a price that moves by one unit of cost
per share at the instant of the trade; times are trading days.
"""

from collections.abc import Sequence
from math import exp, log

import numpy as np
from numpy.typing import NDArray

__all__ = ["decay_e9", "power_law_schedule", "resilient_cost", "steady_resilient_cost"]

BILLION = 1_000_000_000


def resilient_cost(trades: Sequence[float], resilience: float, days: float) -> float:
    """Return what equally spaced trades pay when impact fades as exp(-resilience t).

    Each pays what the earlier ones left, and half of its own.
    Source: Obizhaeva and Wang; SPEC section 6.
    """
    fade = exp(-resilience * days / (len(trades) - 1)) if len(trades) > 1 else 1.0
    left = cost = 0.0
    for trade in trades:
        cost += trade * (left + trade / 2)
        left = (left + trade) * fade
    return cost


def steady_resilient_cost(shares: float, resilience: float, days: float) -> float:
    """Return what trading at one rate pays in the same book."""
    x = resilience * days
    return shares**2 * (x - 1 + exp(-x)) / x**2


def power_law_schedule(exponent: float, cells: int) -> NDArray[np.float64]:
    """Return the part of an order that each cell of time gets when impact fades as t^-exponent.

    Shape:  (cells,) float64, summing to 1.
    Source: Bouchaud's propagator, linear in size; the interior tends to [t (T - t)]^-(1 - g) / 2;
            SPEC section 6.
    """
    # The kernel averaged over two cells a distance apart, exactly: second differences of t^(2 - g).
    power = 2 - exponent
    distance = np.arange(cells + 1, dtype=np.float64)
    primitive = distance**power
    kernel = np.empty(cells)
    kernel[0] = 2 * primitive[1]
    kernel[1:] = primitive[2:] - 2 * primitive[1:-1] + primitive[:-2]
    matrix = kernel[np.abs(np.subtract.outer(np.arange(cells), np.arange(cells)))]
    parts = np.asarray(np.linalg.solve(matrix, np.ones(cells)), dtype=np.float64)
    whole: NDArray[np.float64] = parts / parts.sum()
    return whole


def decay_e9(half_life_ns: int, step_ns: int) -> int:
    """Return what is left of an impact after a step, parts per billion.

    Rounds: half even.
    """
    return round(exp(-log(2) * step_ns / half_life_ns) * BILLION)
