"""Hidden liquidity by size, with forgetting: the product-limit tail in integers.

Sizes are lots on a fixed grid. An order for v lots of which r filled says nothing of what was there
beyond v: streams/models/dark.py is the same in floats, share by share.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from streams.scorecard.estimate import E9, MEMORY

__all__ = ["LOTS", "SIZES", "Tail", "pooled_ends", "tail_of"]

LOTS: Final = (1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 300, 500, 1_000, 2_000, 5_000, 10_000)
SIZES: Final = len(LOTS)


class Tail(msgspec.Struct, array_like=True):
    """Effective counts by size, 1e-9: orders that could see it, and those that saw less."""

    at_risk: list[int] = msgspec.field(default_factory=lambda: [0] * SIZES)
    ended: list[int] = msgspec.field(default_factory=lambda: [0] * SIZES)

    def observe(self, asked: int, filled: int, lot: int) -> None:
        """Learn from an order of `asked` of which `filled` executed, both smallest units.

        At size s it is seen whether s lots were there if all smaller sizes were, and s was asked.
        """
        keep = E9 - E9 // MEMORY
        self.at_risk = [each * keep // E9 for each in self.at_risk]
        self.ended = [each * keep // E9 for each in self.ended]
        for ordinal, lots in enumerate(LOTS):
            size = lots * lot
            if size > asked:
                return
            self.at_risk[ordinal] += E9
            if filled < size:
                self.ended[ordinal] += E9
                return


def pooled_ends(tails: Sequence[Tail]) -> tuple[int, ...]:
    """Return the chance at each size that no more was there, over several pools; 1e-9.

    A half where nobody knows anything, which counts like one order among the others.
    """
    return tuple(
        (E9 // 2 + sum(each.ended[ordinal] for each in tails))
        * E9
        // (E9 + sum(each.at_risk[ordinal] for each in tails))
        for ordinal in range(SIZES)
    )


def tail_of(tail: Tail, prior: Sequence[int], weight: int) -> tuple[int, ...]:
    """Return the chance that at least so much is there, the hazards drawn to the prior's.

    Units:  1e-9; `weight` orders, 1e-9.
    Rounds: down.
    Source: Ganchev, Nevmyvaka, Kearns, Vaughan 2009; SPEC section 3.
    """
    left, chances = E9, []
    for ordinal in range(SIZES):
        risk = tail.at_risk[ordinal] + weight
        if risk:
            ended = (tail.ended[ordinal] * E9 + weight * prior[ordinal]) // risk
            left = left * (E9 - min(ended, E9)) // E9
        chances.append(left)
    return tuple(chances)
