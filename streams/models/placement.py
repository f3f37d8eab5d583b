"""How much to take now and how much to rest in which queue, so that the window costs least.

An order of L units behind Q others fills min(L, (outflow - Q)+). What is left over at the end of
the window is paid for, and so is what came too much. Costs are per unit in any one unit of money,
quantities in any one unit of size; scenarios are joint outflows of all venues in recent windows.
Source: Cont and Kukanov 2017; SPEC section 1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array

__all__ = ["MODEL", "Placement", "Terms", "expected_cost", "lower_bound", "single_venue", "solve"]

MODEL = "cont-kukanov-lp/1"
Floats = np.ndarray[Any, np.dtype[np.float64]]
STEPS = (64, 32, 16, 8, 4, 2, 1)


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


class _Window(NamedTuple):
    """One problem on its scenarios, in the order of expected_cost's arguments."""

    size: int
    terms: Terms
    passed: Floats
    weights: Floats


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
    window = _Window(size, terms, passed, mass)
    most = size * (1 + venues) if beyond is None else size + beyond
    best, cost = _search([round(each) for each in relaxed], window, most)
    if cost - bound > tolerance:
        even = [0, *([-(-size // venues)] * venues)]
        alone = [[0, *(size * (at == own) for at in range(venues))] for own in range(venues)]
        for start in (even, [size, *([0] * venues)], *alone):
            found, value = _search(start, window, most)
            if value < cost:
                best, cost = found, value
    return Placement(best[0], tuple(best[1:]), cost, min(bound, cost))


def _search(start: Sequence[int], window: _Window, most: int) -> tuple[list[int], float]:
    """Descend by single steps and exchanges of 64 units down to 1 until none of them helps."""
    size = window.size
    at = _feasible(list(start), size, most)
    value = expected_cost(at, *window)
    moves = [*_moves(len(at))]
    for step in STEPS:
        has_moved = True
        while has_moved:
            has_moved = False
            for up, down in moves:
                tried = at.copy()
                if up >= 0:
                    tried[up] += step
                if down >= 0:
                    tried[down] -= step
                if not _is_feasible(tried, size, most):
                    continue
                cost = expected_cost(tried, *window)
                if cost < value - 1e-12:
                    at, value, has_moved = tried, cost, True
    return at, value


def _moves(count: int) -> list[tuple[int, int]]:
    """Return (part that grows, part that shrinks); -1 for none."""
    exchanges = [(up, down) for up in range(count) for down in range(count) if up != down]
    return [*((up, -1) for up in range(count)), *((-1, down) for down in range(count)), *exchanges]


def _feasible(split: list[int], size: int, most: int) -> list[int]:
    """Return the nearest split of the search set: what is too much rests less, the last first."""
    market = min(max(split[0], 0), size)
    limits = [min(max(each, 0), size - market) for each in split[1:]]
    too_much = market + sum(limits) - most
    for at in range(len(limits) - 1, -1, -1):
        less = min(max(too_much, 0), limits[at])
        limits[at] -= less
        too_much -= less
    return [max(market, size - sum(limits)), *limits]


def _is_feasible(split: Sequence[int], size: int, most: int) -> bool:
    market, room = split[0], size - split[0]
    return (
        0 <= market <= size
        and all(0 <= each <= room for each in split[1:])
        and size <= sum(split) <= most
    )
