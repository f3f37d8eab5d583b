"""How far the dark logic is from an oracle: pools whose hidden sizes only executions show.

Each round an order is split over four pools; a pool holds nothing with some chance, else a power
law of lots (SPEC section 3: the family that fits best). The learning is the scorecard's, the split
the router's, integer by integer; only venues, prices and the log are left out.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from random import Random
from typing import Final, NamedTuple

import msgspec

from streams.models.standard_error import Estimate, estimate
from streams.routing.logics.tails import Segment, optimistic, share_out
from streams.routing.settings import RoutingSettings
from streams.routing.state import Record
from streams.scorecard.prior import PRIOR_WEIGHT
from streams.scorecard.tails import LOTS, Tail, pooled_ends, tail_of

__all__ = ["SPLITS", "hidden_report", "play"]

E9: Final = 10**9
LOTS_MAX: Final = 200
WANTED: Final = 100  # lots a round
ROUNDS: Final = 400
OURS, ORACLE, CLAIRVOYANT = "ours", "oracle of the laws", "clairvoyant"
LEARNING: Final = 100  # rounds that do not count
# Chance of an empty pool, exponent of the power law of the others.
POOLS: Final = ((0.50, 1.2), (0.75, 1.05), (0.60, 1.6), (0.30, 2.2))


class Pool:
    """A pool's law. Lots from 1 to LOTS_MAX, P(s) falls as s^-exponent."""

    def __init__(self, empty: float, exponent: float) -> None:
        weights = [s**-exponent for s in range(1, LOTS_MAX + 1)]
        total, left = sum(weights), 1 - empty
        self.tail = [1.0]
        self._below = []
        for weight in weights:
            self.tail.append(left)
            left -= (1 - empty) * weight / total
            self._below.append(1 - left)

    def draw(self, random: Random) -> int:
        """Return what is there now."""
        part = random.random()
        empty = 1 - self.tail[1]
        if part < empty:
            return 0
        return min(bisect_left(self._below, part) + 1, LOTS_MAX)


class _Knows(NamedTuple):
    tails: list[Tail]
    asked: list[int]
    filled: list[int]


def _with(*, is_pooled: bool = True, is_optimistic: bool = True, is_whole: bool = True) -> "Split":
    """Return our split, or that without one of its parts."""
    explored = RoutingSettings().explored_min * E9 if is_optimistic else 0

    def split(knows: _Knows, _: Sequence[Pool], __: Sequence[int]) -> list[int]:
        """Censored tails with forgetting, drawn to all pools', one step more where unseen."""
        segments = []
        for at, tail in enumerate(knows.tails):
            ends = pooled_ends(knows.tails if is_pooled else [tail])
            record = msgspec.structs.replace(
                _NOTHING,
                tail_lots=LOTS,
                tail_e9=tail_of(tail, ends, PRIOR_WEIGHT),
                at_risk_e9=tuple(tail.at_risk),
            )
            before = 0
            for ordinal, (size, chance) in enumerate(optimistic(record, explored, WANTED, 1)):
                quantity = min(size, WANTED) - before
                if quantity > 0 and chance > 0:
                    segments.append(Segment(at, ordinal, quantity, chance, E9))
                before = size
        shown = sum(segment.quantity for segment in segments)
        given = share_out(segments, WANTED if is_whole else min(WANTED, shown))
        return [given.get(at, 0) for at in range(len(knows.tails))]

    return split


def _even(knows: _Knows, _: Sequence[Pool], __: Sequence[int]) -> list[int]:
    return [WANTED // len(knows.tails)] * len(knows.tails)


def _by_fill_rate(knows: _Knows, _: Sequence[Pool], __: Sequence[int]) -> list[int]:
    """What raw fill-rate history leads to: the better a pool filled, the more it gets."""
    rates = [(1 + f) / (2 + a) for a, f in zip(knows.asked, knows.filled, strict=True)]
    parts = [int(WANTED * rate / sum(rates)) for rate in rates]
    parts[0] += WANTED - sum(parts)
    return parts


def _oracle(_: _Knows, pools: Sequence[Pool], __: Sequence[int]) -> list[int]:
    """Knows every pool's law, not what is there now: the best that learning can come to."""
    given = [0] * len(pools)
    for _unit in range(WANTED):
        at = max(range(len(pools)), key=lambda n: pools[n].tail[min(given[n] + 1, LOTS_MAX)])
        given[at] += 1
    return given


def _clairvoyant(_: _Knows, __: Sequence[Pool], there: Sequence[int]) -> list[int]:
    """Knows what is there now: no rule can do that."""
    left, given = WANTED, []
    for size in there:
        given.append(min(size, left))
        left -= given[-1]
    return given


Split = Callable[[_Knows, Sequence[Pool], Sequence[int]], list[int]]
SPLITS: Final[dict[str, Split]] = {
    OURS: _with(),
    "ours, no more than was seen": _with(is_whole=False),
    "ours, no step beyond what was seen": _with(is_optimistic=False),
    "ours, each pool by itself": _with(is_pooled=False),
    "even split": _even,
    "by fill rate": _by_fill_rate,
    ORACLE: _oracle,
    CLAIRVOYANT: _clairvoyant,
}
_NOTHING: Final = Record(0, 0, 0, 0, 0, 0, None, None, 0, 0, (), (), ())


def play(name: str, seed: int) -> float:
    """Return the mean fill a round, lots, after the rounds of learning."""
    random, pools = Random(seed), [Pool(*law) for law in POOLS]
    knows = _Knows([Tail() for _ in pools], [0] * len(pools), [0] * len(pools))
    split, total = SPLITS[name], 0
    for number in range(ROUNDS):
        there = [pool.draw(random) for pool in pools]
        given = split(knows, pools, there)
        assert sum(given) <= WANTED
        for at, quantity in enumerate(given):
            filled = min(quantity, there[at])
            if quantity:
                knows.tails[at].observe(quantity, filled, 1)
            knows.asked[at] += quantity
            knows.filled[at] += filled
            total += filled if number >= LEARNING else 0
    return total / (ROUNDS - LEARNING)


def hidden_report(seeds: int) -> str:
    """Return the table: what each split filled, seed by seed less what others did.

    By seed: the same draws for all, so that a seed is a pair and the cluster of its rounds.
    """
    found = {name: [play(name, seed) for seed in range(1, seeds + 1)] for name in SPLITS}
    against = (OURS, ORACLE, CLAIRVOYANT)
    names = [f"less {name}" if name == OURS else f"less the {name}" for name in against]
    head = ["split", "lots a round", "of the clairvoyant", *(f"{n} ± SE" for n in names)]
    lines = [
        "## The dark logic against its oracles",
        "",
        f"Four pools with the chances of being empty and exponents {POOLS}, {WANTED} lots a round, "
        f"{ROUNDS} rounds of which the first {LEARNING} do not count, seeds 1 to {seeds}, the same "
        "draws for every split. The oracle of the laws knows how often a pool holds how much, the "
        "clairvoyant what is there now. A difference with * is significant.",
        "",
        f"| {' | '.join(head)} |",
        f"|{' --- |' * len(head)}",
    ]
    best = _over(found[CLAIRVOYANT]).mean
    for name, fills in found.items():
        mean = _over(fills)
        cells = [name, f"{mean.mean:.2f} ± {mean.clustered:.2f}", f"{mean.mean / best:.1%}"]
        cells += ["" if name == other else _less(fills, found[other]) for other in against]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _less(fills: Sequence[float], others: Sequence[float]) -> str:
    less = _over([a - b for a, b in zip(fills, others, strict=True)])
    return f"{less.mean:+.3f} ± {less.clustered:.3f}{' *' if less.is_significant else ''}"


def _over(values: Sequence[float]) -> Estimate:
    return estimate(values, [1.0] * len(values), [*range(len(values))])
