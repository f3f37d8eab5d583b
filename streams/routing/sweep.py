"""Split a marketable quantity over venues at least all-in cost: exact, integers only.

Only the dearest units leave a choice: what is cheaper is taken wherever it stands. They go to the
venue of the better grade, then to one that is asked anyway, then to the one that shows most of
them, so that a deep book gets alone what several thin ones would share.
"""

from collections.abc import Callable, Collection, Sequence
from heapq import heapify, heappop, heapreplace
from itertools import combinations
from operator import itemgetter
from typing import NamedTuple

from schemas.messages.core import Level, Side
from streams.core.market import Venue, VenueBook

__all__ = [
    "Offer",
    "Step",
    "SweepVenue",
    "Taken",
    "all_in_e9",
    "consolidated",
    "split",
    "sweep_venue",
]

_PPM = 1_000_000
_NO_LIMIT = 1 << 64  # beyond every price, which is recorded with 64 bits


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
    grade: int = 0  # less is better, between equal costs

    @property
    def shown(self) -> int:
        return sum(step.quantity for step in self.steps)


class _Split(NamedTuple):
    quantity: int
    cost: int
    steps: list[Step]
    graded: int = 0  # grades of what is taken, summed
    venues: int = 0
    shown: int = 0  # by these venues


Offer = tuple[int, int, int, int]  # cost, quantity, rank of the venue, price


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
    grades: Sequence[int] = (),
) -> tuple[list[Taken], list[Offer]]:
    """Return what to take at each venue, and all of it by price, the cheapest first.

    As `split` over `sweep_venue`: most of `quantity`, at the least all-in cost, ties by `grades`
    (one of each book, less is better; all alike without) and then to the deepest. Where no venue
    has a minimum, which is nearly always, the venues' levels are merged and only as many are
    looked at as are taken.
    """
    grades = grades or [0] * len(books)
    if owner_minimum > lot or _has_minimum(books, lot):
        venues = tuple(
            sweep_venue(book, side, limit_price_e9, lot, owner_minimum)._replace(grade=grade)
            for book, grade in zip(books, grades, strict=True)
        )
        ranks = {venue.venue_id: rank for rank, venue in enumerate(venues)}
        offers = [
            (step.cost_e9, step.quantity, ranks[step.venue_id], step.price_e9)
            for step in split(venues, quantity)
        ]
        offers.sort(key=itemgetter(0, 2))
    else:
        offers = _merged(books, limit_price_e9, lot, quantity, grades, is_buy=side is Side.BUY)
    return _booked(offers, len(books)), offers


def _has_minimum(books: Sequence[VenueBook], lot: int) -> bool:
    for book in books:  # noqa: SIM110  # a generator would cost each sweep two microseconds
        if book.venue.minimum_quantity > lot:
            return True
    return False


def _merged(
    books: Sequence[VenueBook],
    limit_price_e9: int | None,
    lot: int,
    quantity: int,
    grades: Sequence[int],
    *,
    is_buy: bool,
) -> list[Offer]:
    """Merge the venues' levels by cost: what `split` finds without minima.

    Plain tuples, no calls and no more levels than are taken: each level of a sweep passes here.
    """
    last = _NO_LIMIT if limit_price_e9 is None else limit_price_e9 if is_buy else -limit_price_e9
    count = len(books)
    sides, queue = _tops(books, last, is_buy=is_buy)
    nexts, odd = [0] * count, [0] * count  # `odd`: shown, but no whole lot yet
    offers: list[Offer] = []
    while queue and quantity:
        key = queue[0]
        rank = key % count
        levels, fee_e9, ppm = sides[rank]
        at = nexts[rank]
        level = levels[at]
        part = level.quantity + odd[rank]
        odd[rank] = rest = part % lot
        if part := part - rest:
            offers.append((key // count, part, rank, level.price_e9))
            if part >= quantity:
                cost = key // count
                tier = [other % count for other in queue if other // count == cost]
                tops = [(at, sides[at][0][nexts[at]]) for at in tier if at != rank]
                others = [
                    (cost, (top.quantity + odd[at]) // lot * lot, at, top.price_e9)
                    for at, top in tops
                ]
                shown = _depth(books, last, lot, is_buy=is_buy)
                return _dearest(offers, others, quantity, grades=grades, shown=shown)
            quantity -= part
        at += 1
        if at < len(levels):
            price_e9 = levels[at].price_e9
            cost = price_e9 if is_buy else -price_e9
            if cost <= last:
                nexts[rank] = at
                cost += fee_e9 + (price_e9 * ppm // _PPM if ppm else 0)
                heapreplace(queue, cost * count + rank)
                continue
        heappop(queue)
    return offers


def _tops(
    books: Sequence[VenueBook], last: int, *, is_buy: bool
) -> tuple[list[tuple[tuple[Level, ...], int, int]], list[int]]:
    """Return each venue's levels and fees, and a heap of the best level of each.

    In the heap stands cost * len(books) + rank, which orders as the pair would, in half the time.
    """
    sides: list[tuple[tuple[Level, ...], int, int]] = []
    queue: list[int] = []
    for rank, book in enumerate(books):
        venue, levels = book.venue, book.asks if is_buy else book.bids
        fee_e9, ppm = venue.taker_fee_e9, venue.taker_fee_ppm
        sides.append((levels, fee_e9, ppm))
        if levels:
            price_e9 = levels[0].price_e9
            cost = price_e9 if is_buy else -price_e9
            if cost <= last:
                cost += fee_e9 + (price_e9 * ppm // _PPM if ppm else 0)
                queue.append(cost * len(books) + rank)
    heapify(queue)
    return sides, queue


def _depth(
    books: Sequence[VenueBook], last: int, lot: int, *, is_buy: bool
) -> Callable[[int], int]:
    """Return what tells the whole lots that a venue shows up to the signed price `last`."""

    def shown(rank: int) -> int:
        found = 0
        for level in books[rank].asks if is_buy else books[rank].bids:
            if (level.price_e9 if is_buy else -level.price_e9) > last:
                break
            found += level.quantity
        return found // lot * lot

    return shown


def _dearest(
    offers: list[Offer],
    others: list[Offer],
    quantity: int,
    *,
    asked: Collection[int] = (),
    grades: Sequence[int],
    shown: Callable[[int], int],
) -> list[Offer]:
    """Return the offers, `quantity` of the dearest taken from the venues that are best for it.

    The last of `offers` shows at least `quantity`, and `others` are as dear. `asked`: venues that
    get an order anyway.
    """
    cost = offers[-1][0]
    left, tier = quantity - offers[-1][1], others
    while offers and offers[-1][0] == cost:
        tier.append(offers.pop())
        left += tier[-1][1]
    if len(tier) > 1:
        used = {offer[2] for offer in offers}
        used.update(asked)
        keys = [(grades[rank], rank not in used, -part) for _, part, rank, _ in tier]
        # What stands behind is looked at only where nothing else tells two of them apart.
        alike = len(set(keys)) < len(keys)
        merits = [
            (key, -shown(offer[2]) if alike else 0, offer[2], offer)
            for key, offer in zip(keys, tier, strict=True)
        ]
        merits.sort()
        tier = [merit[-1] for merit in merits]
    for _, part, rank, price_e9 in tier:
        if part and left:
            offers.append((cost, min(part, left), rank, price_e9))
            left -= min(part, left)
    return offers


def _booked(offers: Sequence[Offer], count: int) -> list[Taken]:
    """Return what is taken at each of `count` venues, by the first unit of each."""
    quantities, paid_e9, worst_e9 = [0] * count, [0] * count, [0] * count
    first: dict[int, int] = {}
    for cost, part, rank, price_e9 in offers:
        quantities[rank] += part
        paid_e9[rank] += part * price_e9
        worst_e9[rank] = price_e9  # a venue's prices only get worse
        if rank not in first:
            first[rank] = cost
    return [
        Taken(rank, quantities[rank], worst_e9[rank], paid_e9[rank], cost)
        for rank, cost in first.items()
    ]


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

    Equal costs go by grade, to few venues and to deep ones, at last to the one that comes first in
    `venues`. `quantity` is in whole lots.
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
    offered: list[Offer] = []
    forced_at: set[int] = set()
    rest = quantity
    for rank, venue in enumerate(venues):
        owed = venue.minimum if venue.venue_id in used else 0
        rest -= owed
        for step in venue.steps:
            forced = min(owed, step.quantity)
            owed -= forced
            if forced:
                steps.append(step._replace(quantity=forced))
                forced_at.add(rank)
            if step.quantity > forced:
                offered.append((step.cost_e9, step.quantity - forced, rank, step.price_e9))
        if owed or rest < 0:
            return None
    offered.sort(key=itemgetter(0, 2))
    for cost, part, rank, price_e9 in _wanted(venues, offered, rest, forced_at):
        steps.append(Step(venues[rank].venue_id, price_e9, part, cost))
    grades = {venue.venue_id: venue.grade for venue in venues}
    taken = {step.venue_id for step in steps}
    return _Split(
        sum(step.quantity for step in steps),
        sum(step.quantity * step.cost_e9 for step in steps),
        steps,
        sum(step.quantity * grades[step.venue_id] for step in steps),
        len(taken),
        sum(venue.shown for venue in venues if venue.venue_id in taken),
    )


def _wanted(
    venues: tuple[SweepVenue, ...], offered: list[Offer], quantity: int, asked: set[int]
) -> list[Offer]:
    """Return the cheapest of what is offered, the dearest of that where it is best taken."""
    offers: list[Offer] = []
    for at, offer in enumerate(offered):
        if not quantity:
            break
        offers.append(offer)
        if offer[1] >= quantity:
            others = [other for other in offered[at + 1 :] if other[0] == offer[0]]
            grades = [venue.grade for venue in venues]
            shown = [venue.shown for venue in venues]
            return _dearest(
                offers, others, quantity, asked=asked, grades=grades, shown=shown.__getitem__
            )
        quantity -= offer[1]
    return offers


def _is_better(candidate: _Split, best: _Split) -> bool:
    return _merit(candidate) < _merit(best)


def _merit(found: _Split) -> tuple[int, int, int, int, int]:
    return -found.quantity, found.cost, found.graded, found.venues, -found.shown


def _is_beyond(side: Side, price_e9: int, limit_price_e9: int) -> bool:
    return price_e9 > limit_price_e9 if side is Side.BUY else price_e9 < limit_price_e9
