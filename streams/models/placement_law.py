"""Placement where the law of the outflows is known: what scenarios and integers are held against.

The planner solves on scenarios (`placement.solve`), since only they keep how venues move together;
the router falls back on the closed form in integers. Here is the readable exact form of both, for
outflows that are independent: without sampling error, and so to the share.
Units and search set as in `placement`. Source: Cont and Kukanov 2017; SPEC section 1.
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.integrate import quad

from streams.models.placement import Floats, Terms
from streams.models.placement_search import descend, starts

__all__ = ["law_cost", "single_cost", "single_venue", "solve_law"]


def single_venue(
    quantity: float,
    ahead: float,
    terms: Terms,
    cdf: Callable[[float], float],
    quantile: Callable[[float], float],
) -> tuple[float, float]:
    """Return (market, limit) at one venue in closed form; the limit part does not grow with size.

    `cdf` and `quantile` are of the outflow in the window.
    """
    earned = terms.half_spread + terms.rebates[0]
    crossed = terms.taking + earned
    held = earned + terms.impact
    at_front, at_back = cdf(ahead), cdf(ahead + quantity)
    if at_back > 0 and terms.under <= crossed / at_back - held:
        return 0.0, quantity
    if at_front > 0 and terms.under >= crossed / at_front - held:
        return quantity, 0.0
    limit = quantile(crossed / (terms.under + held)) - ahead
    limit = min(max(limit, 0.0), quantity)
    return quantity - limit, limit


def single_cost(
    limit: float, quantity: float, ahead: float, terms: Terms, survival: Callable[[float], float]
) -> float:
    """Return the expected cost of resting `limit` at one venue and taking the rest.

    The expected fill is the integral of P(outflow > x) over the queue's part that is ours.
    """
    filled = float(quad(survival, ahead, ahead + limit, epsabs=1e-10, epsrel=1e-12)[0])
    left = limit - filled
    return (
        terms.taking * (quantity - limit)
        - (terms.half_spread + terms.rebates[0]) * filled
        + terms.impact * (quantity + left)
        + terms.under * left
    )


def law_cost(split: Sequence[int], size: int, terms: Terms, laws: Sequence[Floats]) -> float:
    """Return the expected cost of (market, limit, limit...) under independent laws.

    `laws`: by venue, the probabilities that 0, 1, 2... units flow out behind the queue; what is
    missing to one is more than all of them.
    """
    total, earned = np.ones(1), 0.0
    for limit, rebate, law in zip(split[1:], terms.rebates, laws, strict=True):
        fills = np.zeros(limit + 1)
        known = law[:limit]
        fills[: len(known)] = known
        fills[limit] = max(0.0, 1.0 - float(known.sum()))
        earned += (terms.half_spread + rebate) * float(fills @ np.arange(limit + 1))
        total = np.convolve(total, fills)
    beyond = split[0] + np.arange(len(total)) - size
    left = float(total @ np.maximum(-beyond, 0))
    too_much = float(total @ np.maximum(beyond, 0))
    return (
        terms.taking * split[0]
        - earned
        + terms.impact * (sum(split) + left)
        + terms.under * left
        + terms.over * too_much
    )


def solve_law(size: int, terms: Terms, laws: Sequence[Floats]) -> tuple[tuple[int, ...], float]:
    """Return the best split found under independent laws, and its cost.

    The search starts from every corner, since the cost is not convex where over-filling is dear.
    """
    venues = len(laws)

    def cost(split: Sequence[int]) -> float:
        return law_cost(split, size, terms, laws)

    found = [descend(start, size, size * (1 + venues), cost) for start in starts(size, venues)]
    best, value = min(found, key=lambda each: each[1])
    return tuple(best), value
