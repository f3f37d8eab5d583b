"""How much to take now and how much to rest in which queue, so that the window costs least.

An order of L units behind Q others fills min(L, (outflow - Q)+). What is left over at the end of
the window is paid for, and so is what came too much. Costs are per unit in any one unit of money,
quantities in any one unit of size; scenarios are joint outflows of all venues in recent windows.
`placement_law` has the exact form for known laws, which the scenario form is tested against.
Source: Cont and Kukanov 2017; SPEC section 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array

from streams.models.placement_search import descend, starts

__all__ = ["MODEL", "Floats", "Placement", "Terms", "expected_cost", "lower_bound", "solve"]

MODEL = "cont-kukanov-lp/1"
Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a window costs. `rebates` are effective: less the expected adverse selection."""

    half_spread: float
    taker_fee: float
    rebates: tuple[float, ...]  # by venue
    impact: float  # per unit displayed or sent
    under: float  # penalty per unit left over
    over: float  # penalty per unit too much

    @property
    def taking(self) -> float:
        return self.half_spread + self.taker_fee


@dataclass(frozen=True, slots=True)
class Placement:
    """A split with its certificate: no split whatever costs less than `bound` on the scenarios."""

    market: int
    limits: tuple[int, ...]
    cost: float
    bound: float

    @property
    def gap(self) -> float:
        return self.cost - self.bound


def expected_cost(
    split: Sequence[float],
    size: float,
    terms: Terms,
    passed: Floats,
    weights: Floats,
) -> float:
    """Return the mean cost of (market, limit, limit...) over the scenarios.

    `passed` is what flows out behind the queue: (outflow - queue)+, scenarios by venues.
    """
    market, limits = split[0], np.asarray(split[1:], dtype=np.float64)
    fills = np.minimum(passed, limits)
    executed = market + fills.sum(axis=1)
    left = np.maximum(size - executed, 0.0)
    too_much = np.maximum(executed - size, 0.0)
    earned = fills @ (terms.half_spread + np.asarray(terms.rebates))
    cost = (
        terms.taking * market
        - earned
        + terms.impact * (market + limits.sum() + left)
        + terms.under * left
        + terms.over * too_much
    )
    return float(weights @ cost)


def lower_bound(
    size: float, terms: Terms, passed: Floats, weights: Floats, beyond: float | None = None
) -> tuple[float, tuple[float, ...]]:
    """Return a cost that no split goes below, and the split that attains it in the easier problem.

    With the over-fill penalty lowered to half spread + least rebate the problem is convex, and
    cost rises with that penalty: its optimum bounds the true one from below. An LP. `beyond`: most
    that all parts together may exceed the size by; None for no such bound.
    """
    count, venues = passed.shape
    over = min(terms.over, terms.half_spread + min(terms.rebates))
    fills, lefts = 1 + venues, 1 + venues + count * venues
    cost = np.zeros(lefts + count)
    cost[0] = terms.taking + terms.impact + over
    cost[1:fills] = terms.impact
    gain = over - terms.half_spread - np.asarray(terms.rebates)
    cost[fills:lefts] = (weights[:, None] * gain).ravel()
    cost[lefts:] = weights * (terms.under + over + terms.impact)
    upper = np.full(lefts + count, np.inf)
    upper[:fills] = size
    upper[fills:lefts] = passed.ravel()
    found = linprog(
        cost,
        A_ub=_rows(count, venues),
        b_ub=np.concatenate(
            (
                np.zeros(count * venues),
                np.full(count, -size),
                [-size, venues * size if beyond is None else size + beyond],
                np.full(venues, size),
            )
        ),
        bounds=np.column_stack((np.zeros_like(upper), upper)),
        method="highs",
    )
    if found.status != 0:
        raise ArithmeticError(f"the linear program has no optimum: {found.message}")
    split = tuple(float(each) for each in found.x[:fills])
    return float(found.fun) - over * size, split


def _rows(count: int, venues: int) -> Any:
    """Return the constraints: fill <= limit, left >= size - executed, and the search set."""
    fills, lefts = 1 + venues, 1 + venues + count * venues
    scenario, venue = np.divmod(np.arange(count * venues), venues)
    flat = np.arange(count * venues)
    each = np.arange(count)
    last = count * venues + count
    rows = [flat, flat, count * venues + scenario, count * venues + each, count * venues + each]
    columns = [fills + flat, 1 + venue, fills + flat, lefts + each, np.zeros(count, dtype=int)]
    values = [np.ones(flat.size), -np.ones(flat.size), -np.ones(flat.size), -np.ones(count)]
    values.append(-np.ones(count))
    rows += [np.full(1 + venues, last)]  # market + limits >= size
    columns += [np.arange(1 + venues)]
    values += [-np.ones(1 + venues)]
    rows += [np.full(1 + venues, last + 1)]  # market + limits <= size + beyond
    columns += [np.arange(1 + venues)]
    values += [np.ones(1 + venues)]
    rows += [last + 2 + np.arange(venues), last + 2 + np.arange(venues)]  # limit <= size - market
    columns += [1 + np.arange(venues), np.zeros(venues, dtype=int)]
    values += [np.ones(venues), np.ones(venues)]
    shape = (last + 2 + venues, lefts + count)
    placed = (np.concatenate(rows), np.concatenate(columns))
    return coo_array((np.concatenate(values), placed), shape=shape).tocsr()


def solve(
    size: int,
    terms: Terms,
    queues: Sequence[float] | Floats,
    outflows: Floats,
    *,
    weights: Floats | None = None,
    tolerance: float = 0.0,
    beyond: int | None = None,
) -> Placement:
    """Return the best integer split found, with its certified distance from any other.

    `tolerance`: a gap up to which the first search is enough; beyond it the search starts again
    from other points, since the true cost is not convex where over-filling is dear. `beyond`: as
    for the bound; with 0 nothing can be over-filled, and the problem is convex.
    """
    passed = np.maximum(outflows - np.asarray(queues, dtype=np.float64), 0.0)
    mass = np.full(len(passed), 1.0 / len(passed)) if weights is None else weights / weights.sum()
    bound, relaxed = lower_bound(size, terms, passed, mass, beyond)
    venues = passed.shape[1]
    most = size * (1 + venues) if beyond is None else size + beyond

    def price(split: Sequence[int]) -> float:
        return expected_cost(split, size, terms, passed, mass)

    best, cost = descend([round(each) for each in relaxed], size, most, price)
    if cost - bound > tolerance:
        for start in starts(size, venues):
            found, value = descend(start, size, most, price)
            if value < cost:
                best, cost = found, value
    return Placement(best[0], tuple(best[1:]), cost, min(bound, cost))
