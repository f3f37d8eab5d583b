"""The best whole numbers for a split: descent by single steps and exchanges, whatever its price.

A split is (market, limit, limit...). Its search set: 0 <= market <= size, each limit between 0
and size - market, the sum between the size and the most that may be sent.
"""

from collections.abc import Callable, Sequence

__all__ = ["descend", "starts"]

STEPS = (64, 32, 16, 8, 4, 2, 1)
LEAST_GAIN = 1e-12  # less than that is rounding, and might be gained for ever


def descend(
    start: Sequence[int], size: int, most: int, cost: Callable[[Sequence[int]], float]
) -> tuple[list[int], float]:
    """Descend by single steps and exchanges of 64 units down to 1 until none of them helps."""
    at = _feasible(list(start), size, most)
    value = cost(at)
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
                found = cost(tried)
                if found < value - LEAST_GAIN:
                    at, value, has_moved = tried, found, True
    return at, value


def starts(size: int, venues: int) -> list[list[int]]:
    """Return where a search starts that nothing points: even limits, all taken, one venue each."""
    even = [0, *([-(-size // venues)] * venues)]
    alone = [[0, *(size * (at == own) for at in range(venues))] for own in range(venues)]
    return [even, [size, *([0] * venues)], *alone]


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
