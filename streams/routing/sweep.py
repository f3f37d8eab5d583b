"""Split a marketable quantity over venues at least all-in cost: exact, integers only."""

from collections.abc import Sequence
from heapq import heapify, heappop, heapreplace
from itertools import combinations
from typing import NamedTuple

from schemas.messages.core import Level, Side
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
    if owner_minimum > lot:
        return _chosen(books, side, limit_price_e9, lot, quantity, owner_minimum=owner_minimum)
    for book in books:
        if book.venue.minimum_quantity > lot:
            return _chosen(books, side, limit_price_e9, lot, quantity, owner_minimum=owner_minimum)
    return _merged(books, limit_price_e9, lot, quantity, is_buy=side is Side.BUY)


def _merged(
    books: Sequence[VenueBook],
    limit_price_e9: int | None,
    lot: int,
    quantity: int,
    *,
    is_buy: bool,
) -> tuple[list[Taken], list[tuple[int, int]]]:
    """Merge the venues' levels by cost: what `split` finds without minima.

    Plain tuples, no calls and no more levels than are taken: each level of a sweep passes here.
    """
    last = limit_price_e9 if is_buy or limit_price_e9 is None else -limit_price_e9
    sides: list[tuple[tuple[Level, ...], int, int]] = []
    queue: list[tuple[int, int, int]] = []  # cost, venue and price of each venue's next level
    for rank, book in enumerate(books):
        venue, levels = book.venue, book.asks if is_buy else book.bids
        fee_e9, ppm = venue.taker_fee_e9, venue.taker_fee_ppm
        sides.append((levels, fee_e9, ppm))
        if levels:
            price_e9 = levels[0].price_e9
            cost = price_e9 if is_buy else -price_e9
            if last is None or cost <= last:
                cost += fee_e9 + (price_e9 * ppm // _PPM if ppm else 0)
                queue.append((cost, rank, price_e9))
    heapify(queue)
    nexts, odd = [0] * len(sides), [0] * len(sides)  # `odd`: shown, but no whole lot yet
    taken: dict[int, list[int]] = {}
    parts: list[tuple[int, int]] = []
    while queue and quantity:
        cost, rank, price_e9 = queue[0]
        levels, fee_e9, ppm = sides[rank]
        at = nexts[rank]
        part = levels[at].quantity + odd[rank]
        odd[rank] = part % lot
        part -= odd[rank]
        if part:
            part = part if part < quantity else quantity
            quantity -= part
            parts.append((cost, part))
            if rank in taken:  # a venue's prices only get worse
                own = taken[rank]
                own[0] += part
                own[1] = price_e9
                own[2] += part * price_e9
            else:
                taken[rank] = [part, price_e9, part * price_e9, cost]
            if not quantity:
                break
        at += 1
        if at < len(levels):
            price_e9 = levels[at].price_e9
            cost = price_e9 if is_buy else -price_e9
            if last is None or cost <= last:
                nexts[rank] = at
                cost += fee_e9 + (price_e9 * ppm // _PPM if ppm else 0)
                heapreplace(queue, (cost, rank, price_e9))
                continue
        heappop(queue)
    return [Taken(rank, *own) for rank, own in taken.items()], parts


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
