"""Hidden liquidity: tails from censored executions, and who gets the next share.

A tail T(s) is the probability that a pool holds at least s units; T(0) = 1. Only what was asked
for is seen: an execution of v out of v says that at least v were there, and no more.
The readable reference, share by share in floats: streams/scorecard/tails.py learns the same in
integers on a grid of sizes, streams/routing/logics/tails.py shares out by it.
Source: Ganchev, Nevmyvaka, Kearns, Vaughan 2009; SPEC section 3.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import sqrt

__all__ = ["TailEstimate", "greedy", "pooled_hazard"]


@dataclass(slots=True)
class TailEstimate:
    """Product-limit estimate of one pool, with forgetting. Counts are effective numbers."""

    units_max: int
    memory: float = 1.0  # part of every count that one more observation keeps
    ended: list[float] = field(default_factory=list)  # D[s]: exactly s were there
    at_risk: list[float] = field(default_factory=list)  # N[s]: it was seen whether more than s were

    def __post_init__(self) -> None:
        self.ended = self.ended or [0.0] * (self.units_max + 1)
        self.at_risk = self.at_risk or [0.0] * (self.units_max + 1)

    def observe(self, asked: int, filled: int) -> None:
        """Learn from an order of `asked` units of which `filled` executed.

        Nothing is learned at s = asked: what was filled whole may have been only a part.
        """
        for s in range(self.units_max + 1):
            self.ended[s] *= self.memory
            self.at_risk[s] *= self.memory
        for s in range(min(asked, self.units_max + 1)):
            if filled >= s:
                self.at_risk[s] += 1
            if filled == s:
                self.ended[s] += 1

    def tail(self) -> list[float]:
        """Return T(0..units_max), and 0 beyond the last size that anybody could see."""
        return self._product(
            [1.0 if n == 0 else d / n for d, n in zip(self.ended, self.at_risk, strict=True)]
        )

    def shrunk_tail(self, pooled: Sequence[float], weight: float) -> list[float]:
        """Return the tail with its hazards drawn to those of all pools by `weight` observations."""
        return self._product(
            [
                (d + weight * p) / (n + weight)
                for d, n, p in zip(self.ended, self.at_risk, pooled, strict=True)
            ]
        )

    def optimistic_tail(self, effective_min: float) -> list[float]:
        """Return the tail with one unit of optimism beyond what enough observations support.

        The guarantee of the paper asks for 10^9 observations; a handful serves in practice.
        """
        tail = self.tail()
        cutoff = 0
        while cutoff < self.units_max and self.at_risk[cutoff] >= effective_min:
            cutoff += 1
        if cutoff >= self.units_max:
            return tail
        held = max(tail[cutoff + 1], tail[cutoff])
        return [*tail[: cutoff + 1], held, *tail[cutoff + 2 :]]

    def standard_errors(self) -> list[float]:
        """Return Greenwood's standard error of the tail."""
        total, errors = 0.0, [0.0]
        for value, d, n in zip(self.tail()[1:], self.ended, self.at_risk, strict=False):
            if n > d:
                total += d / (n * (n - d))
            errors.append(value * sqrt(total))
        return errors

    @staticmethod
    def _product(hazards: Sequence[float]) -> list[float]:
        tail = [1.0]
        for hazard in hazards[:-1]:
            tail.append(tail[-1] * (1 - hazard))
        return tail


def pooled_hazard(pools: Sequence[TailEstimate]) -> list[float]:
    """Return the hazard by size over all pools of one bucket; 1/2 where nobody knows anything."""
    sums = zip(
        (sum(each) for each in zip(*(pool.ended for pool in pools), strict=True)),
        (sum(each) for each in zip(*(pool.at_risk for pool in pools), strict=True)),
        strict=True,
    )
    return [0.5 if n == 0 else d / n for d, n in sums]


def greedy(
    tails: Sequence[Sequence[float]], units: int, weights: Sequence[float], floor: float = 0.0
) -> tuple[list[int], float]:
    """Return the units for each pool that fill most value, and that expected value.

    `weights` is what a filled unit is worth at each pool. Each unit goes where weight x T(next) is
    largest, ties to the first; it stops at `floor`. Optimal for known tails, which never rise.
    """
    given, value = [0] * len(tails), 0.0
    heap: list[tuple[float, int]] = []
    for pool, tail in enumerate(tails):
        if len(tail) > 1:
            heappush(heap, (-weights[pool] * tail[1], pool))
    for _ in range(units):
        if not heap or -heap[0][0] <= floor:
            break
        gain, pool = heappop(heap)
        value -= gain
        given[pool] += 1
        if given[pool] + 1 < len(tails[pool]):
            heappush(heap, (-weights[pool] * tails[pool][given[pool] + 1], pool))
    return given, value
