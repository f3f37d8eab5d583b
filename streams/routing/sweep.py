"""Split a marketable quantity over venues at least all-in cost: exact, integers only."""

from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heapreplace
from itertools import combinations
from typing import Final, NamedTuple

from schemas.messages.core import Side
from streams.core.market import Venue, VenueBook

__all__ = ["Step", "SweepVenue", "Taken", "all_in_e9", "consolidated", "split", "sweep_venue"]

_PPM = 1_000_000


class Step(NamedTuple):
    """Quantity taken at one price of one venue."""

    venue_id: str
    price_e9: int
    quantity: int
    cost_e9: int  # all-in cost of one whole unit, signed so that less is better


class Taken(NamedTuple):
    """What a sweep takes at one venue. Quantities in whole lots."""

    rank: int  # of the venue among those that were asked
    quantity: int
    worst_e9: int  # price of the last unit
    paid_e9: int  # price times quantity, summed
    best_cost_e9: int  # all-in cost of its first unit


class SweepVenue(NamedTuple):
    venue_id: str
    minimum: int  # smallest order accepted, whole lots; 0 when any lot is
    steps: tuple[Step, ...]  # from the best price on, quantities in whole lots


class _Split(NamedTuple):
    quantity: int
    cost: int
    steps: list[Step]


def all_in_e9(venue: Venue, side: Side, price_e9: int) -> int:
    """Return signed price plus taker fee of one whole unit, 1e-9 currency units; less is better.

    Rounds: the part of the fee that is on notional, down.
    """
    signed = price_e9 if side is Side.BUY else -price_e9
    return signed + venue.taker_fee_e9 + price_e9 * venue.taker_fee_ppm // _PPM


def consolidated(
    books: Sequence[VenueBook],
    side: Side,
    limit_price_e9: int | None,
    lot: int,
    quantity: int,
    *,
    owner_minimum: int = 0,
) -> tuple[list[Taken], list[tuple[int, int]]]:
    """Return what to take at each venue, the cheapest first, and all of it as (cost, quantity).

    As `split` over `sweep_venue`: most of `quantity`, at the least all-in cost, ties to the venue
    that comes first. Where no venue has a minimum, which is nearly always, the
    venues' levels are merged and only as many are looked at as are taken.
    """
    if owner_minimum > lot or any(book.venue.minimum_quantity > lot for book in books):
        return _chosen(books, side, limit_price_e9, lot, quantity, owner_minimum=owner_minimum)
    sign = 1 if side is Side.BUY else -1
    queue: list[tuple[int, int]] = []  # cost and venue of each venue's next level
    sides: list[Iterator[tuple[int, int, int]]] = []
    nexts: list[tuple[int, int, int]] = []
    for rank, book in enumerate(books):
        offers = _offers(book, sign, limit_price_e9, lot)
        sides.append(offers)
        first = next(offers, _NONE)
        nexts.append(first)
        if first[1]:
            queue.append((first[0], rank))
    heapify(queue)
    taken: dict[int, list[int]] = {}
    parts: list[tuple[int, int]] = []
    while quantity and queue:
        cost, rank = queue[0]
        _, offered, price_e9 = nexts[rank]
        part = min(offered, quantity)
        quantity -= part
        parts.append((cost, part))
        own = taken.get(rank)
        if own is None:
            taken[rank] = [part, price_e9, part * price_e9, cost]
        else:  # a venue's prices only get worse
            own[0] += part
            own[1] = price_e9
            own[2] += part * price_e9
        if not quantity:
            break
        following = nexts[rank] = next(sides[rank], _NONE)
        if following[1]:
            heapreplace(queue, (following[0], rank))
        else:
            heappop(queue)
    return [Taken(rank, *own) for rank, own in taken.items()], parts


_NONE: Final = (0, 0, 0)


def _offers(
    book: VenueBook, sign: int, limit_price_e9: int | None, lot: int
) -> Iterator[tuple[int, int, int]]:
    """Yield cost, quantity in whole lots of the running total, and price, the best first."""
    fee_e9, fee_ppm = book.venue.taker_fee_e9, book.venue.taker_fee_ppm
    shown = whole = 0
    for level in book.asks if sign > 0 else book.bids:
        price_e9 = level.price_e9
        if limit_price_e9 is not None and (price_e9 - limit_price_e9) * sign > 0:
            return
        shown += level.quantity
        part = shown // lot * lot - whole
        if part:
            whole += part
            cost = sign * price_e9 + fee_e9
            yield (cost + price_e9 * fee_ppm // _PPM if fee_ppm else cost), part, price_e9


def _chosen(
    books: Sequence[VenueBook],
    side: Side,
    limit_price_e9: int | None,
    lot: int,
    quantity: int,
    *,
    owner_minimum: int,
) -> tuple[list[Taken], list[tuple[int, int]]]:
    venues = tuple(sweep_venue(book, side, limit_price_e9, lot, owner_minimum) for book in books)
    ranks = {book.venue.venue_id: rank for rank, book in enumerate(books)}
    steps = sorted(split(venues, quantity), key=lambda step: (step.cost_e9, ranks[step.venue_id]))
    taken: dict[int, list[int]] = {}
    for step in steps:
        own = taken.setdefault(ranks[step.venue_id], [0, 0, 0, step.cost_e9])
        own[0] += step.quantity
        own[1] = step.price_e9
        own[2] += step.quantity * step.price_e9
    parts = [(step.cost_e9, step.quantity) for step in steps]
    return [Taken(rank, *own) for rank, own in taken.items()], parts


def sweep_venue(
    book: VenueBook, side: Side, limit_price_e9: int | None, lot: int, owner_minimum: int = 0
) -> SweepVenue:
    """Return what one venue shows within the limit, in whole lots of its running total.

    `owner_minimum` is the smallest execution that the owner accepts.
    """
    steps: list[Step] = []
    shown = 0
    for level in book.asks if side is Side.BUY else book.bids:
        if limit_price_e9 is not None and _is_beyond(side, level.price_e9, limit_price_e9):
            break
        lots_before = shown // lot
        shown += level.quantity
        quantity = (shown // lot - lots_before) * lot
        if quantity:
            cost = all_in_e9(book.venue, side, level.price_e9)
            steps.append(Step(book.venue.venue_id, level.price_e9, quantity, cost))
    least = max(book.venue.minimum_quantity, owner_minimum)
    minimum = -(-least // lot) * lot if least > lot else 0
    return SweepVenue(book.venue.venue_id, minimum, tuple(steps))


def split(venues: tuple[SweepVenue, ...], quantity: int) -> list[Step]:
    """Return the steps that fill most of `quantity` and, among those, cost least.

    Equal costs go to the venue that comes first in `venues`. `quantity` is in whole lots.
    A venue's minimum makes the problem a choice of venues: each subset of those that have one is
    tried (they are few), and within one, taking every minimum first and then the
    cheapest steps is optimal because a venue's steps never get cheaper.
    """
    choosy = tuple(venue.venue_id for venue in venues if venue.minimum)
    best = _Split(0, 0, [])
    for count in range(len(choosy), -1, -1):
        for used in combinations(choosy, count):
            allowed = tuple(v for v in venues if v.venue_id not in choosy or v.venue_id in used)
            candidate = _greedy(allowed, used, quantity)
            if candidate is not None and _is_better(candidate, best):
                best = candidate
    return best.steps


def _greedy(venues: tuple[SweepVenue, ...], used: tuple[str, ...], quantity: int) -> _Split | None:
    steps: list[Step] = []
    offered: list[tuple[int, int, Step]] = []
    rest = quantity
    for rank, venue in enumerate(venues):
        owed = venue.minimum if venue.venue_id in used else 0
        rest -= owed
        for step in venue.steps:
            forced = min(owed, step.quantity)
            owed -= forced
            if forced:
                steps.append(step._replace(quantity=forced))
            offered.append((step.cost_e9, rank, step._replace(quantity=step.quantity - forced)))
        if owed or rest < 0:
            return None
    for _, _, step in sorted(offered, key=lambda offer: offer[:2]):
        taken = min(step.quantity, rest)
        if taken:
            steps.append(step._replace(quantity=taken))
            rest -= taken
    total = sum(step.quantity for step in steps)
    return _Split(total, sum(step.quantity * step.cost_e9 for step in steps), steps)


def _is_better(candidate: _Split, best: _Split) -> bool:
    return (-candidate.quantity, candidate.cost) < (-best.quantity, best.cost)


def _is_beyond(side: Side, price_e9: int, limit_price_e9: int) -> bool:
    return price_e9 > limit_price_e9 if side is Side.BUY else price_e9 < limit_price_e9
