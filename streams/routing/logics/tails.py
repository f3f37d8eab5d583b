"""How much a dark venue probably holds, in steps of size, with optimism where nobody has looked.

A tail is the chance that at least so much is there. It is censored: only what was asked for is
seen. Beyond the largest size that enough orders could have shown, one more step is taken to be as
likely as the last, so that it is tried; beyond that nothing is expected.
Source: Ganchev, Nevmyvaka, Kearns, Vaughan 2009; SPEC section 3.
"""

from typing import Final, NamedTuple

from schemas.messages.core import OrderKind
from streams.core.market import VenueBook
from streams.routing.costs import E9
from streams.routing.logics import dark
from streams.routing.logics.desk import Desk
from streams.routing.state import Record

__all__ = ["Segment", "optimistic", "segments_of", "share_out"]

FIRST_DIVISOR: Final = 2  # an unknown venue is offered half of the quantity, and seen


class Segment(NamedTuple):
    """So much more at one pool, each unit with the same chance. Pools' chances never rise."""

    pool: int
    ordinal: int
    quantity: int
    chance_e9: int
    worth_e9: int  # of a filled unit, 1e-9 basis points

    @property
    def value_e9(self) -> int:
        return self.chance_e9 * self.worth_e9 // E9


def segments_of(desk: Desk, book: VenueBook, pool: int) -> list[Segment]:
    """Return what the venue is expected to hold, best chances first; nothing if worth nothing."""
    worth = dark.worth_e9(desk, book)
    if worth <= 0:
        return []
    record = desk.record(book, OrderKind.DARK)
    explored = desk.settings.explored_min * E9
    sizes = optimistic(record, explored, desk.quantity, desk.lot)
    segments: list[Segment] = []
    before = 0
    for ordinal, (size, chance) in enumerate(sizes):
        if chance <= 0 or before >= desk.quantity:
            break
        quantity = min(size, desk.quantity) - before
        if quantity > 0:
            segments.append(Segment(pool, ordinal, quantity, chance, worth))
        before = size
    return segments


def optimistic(record: Record, explored: int, quantity: int, lot: int) -> list[tuple[int, int]]:
    """Return (size up to which, chance) by size, ascending; chances never rise.

    Without any tail the first step is as likely as the record says.
    """
    if not record.tail_lots:
        size = max(lot, quantity // FIRST_DIVISOR // lot * lot)
        return [(size, record.fill_e9)]
    sizes: list[tuple[int, int]] = []
    last = before = E9
    for lots, tail, at_risk in zip(
        record.tail_lots, record.tail_e9, record.at_risk_e9, strict=True
    ):
        if at_risk < explored:
            sizes.append((lots * lot, last))  # the frontier: it is tried
            break
        last = min(last, tail)
        # Between two sizes the chance falls from the one to the other: their mean holds for a step.
        sizes.append((lots * lot, (before + last) // 2 if sizes else last))
        before = last
    return sizes


def share_out(segments: list[Segment], quantity: int) -> dict[int, int]:
    """Return the quantity of each pool that is expected to fill most value.

    The next unit always goes where chance x worth is largest, ties to the pool named first;
    optimal since no pool's chances rise. What is left then, beyond all that anybody has seen, goes
    on to the pool whose last unit is worth most: asking costs nothing there, and shows what it has.
    """
    given: dict[int, int] = {}
    for segment in sorted(segments, key=lambda each: (-each.value_e9, each.pool, each.ordinal)):
        if not quantity or segment.value_e9 <= 0:
            break
        part = min(segment.quantity, quantity)
        given[segment.pool] = given.get(segment.pool, 0) + part
        quantity -= part
    last: dict[int, int] = {}  # by pool, what its last unit is worth
    for segment in segments:
        last[segment.pool] = min(last.get(segment.pool, segment.value_e9), segment.value_e9)
    if quantity and last:
        pool = max(last, key=lambda each: (last[each], -each))
        if last[pool] > 0:
            given[pool] = given.get(pool, 0) + quantity
    return given
