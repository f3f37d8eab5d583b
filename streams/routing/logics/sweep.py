"""Sweep: simultaneous orders through the consolidated book at the least all-in price.

What is large against the best prices also bids in the dark pools at the same moment: the dearest
units of the sweep are left to the midpoint where that is expected to be cheaper, and one exposure
covers both.
"""

from operator import itemgetter
from typing import Final, NamedTuple

from schemas.messages.core import OrderKind, OrderType, RoutingLogic, Side
from streams.core.market import VenueBook
from streams.routing import costs
from streams.routing.costs import E9
from streams.routing.logics import dark
from streams.routing.logics.desk import DARK_REST_NS, Desk, Leg, Passed, Proposal
from streams.routing.logics.tails import Segment, segments_of
from streams.routing.sweep import Offer, Taken, consolidated

__all__ = ["equalized", "over_subscribed", "propose", "take"]

BPS: Final = 10_000
# Of the half spread: what a part filled of four in five says to a few children is off by so much.
UNSCORED_DIVISOR: Final = 8


class _Sweep(NamedTuple):
    legs: list[Leg]
    passed: list[Passed]
    score_e9: int
    placed: int


def propose(desk: Desk) -> Proposal:
    """Return the orders that take, and the midpoint bids beside them for a large quantity."""
    ranked = _ranked(desk)
    found, parts = _found(desk, ranked, desk.whole)
    hidden, passed = _hidden(desk, parts)
    if hidden:
        wanted = desk.quantity - sum(leg.quantity for leg in hidden)
        found, _ = _found(desk, ranked, wanted // desk.lot * desk.lot)
    taken = _take(desk, ranked, found)
    legs = equalized(desk, taken.legs)
    return Proposal(
        RoutingLogic.SWEEP,
        taken.score_e9,
        (*hidden, *legs),
        (*taken.passed, *passed),
        "takes all that is shown at once" + (", bids in the dark beside it" if hidden else ""),
    )


def over_subscribed(desk: Desk) -> Proposal | str:
    """Return a sweep for more than is wanted, by the budget: what is shown may be gone."""
    if desk.budget < desk.lot:
        return "no over-fill budget"
    ranked = _ranked(desk)
    plain = _take(desk, ranked, _found(desk, ranked, desk.whole)[0])
    more = desk.whole + desk.budget // desk.lot * desk.lot
    taken = _take(desk, ranked, _found(desk, ranked, more)[0])
    legs = sorted(taken.legs, key=lambda each: each.cost.total_e9)
    beyond = taken.placed - desk.whole
    if beyond <= 0:
        return "nothing more is shown"
    return Proposal(
        RoutingLogic.PARALLEL,
        _over_score(desk, plain, legs),
        tuple(equalized(desk, legs)),
        tuple(taken.passed),
        f"takes {beyond} more than wanted, since some of what is shown may be gone",
    )


def take(desk: Desk, quantity: int) -> list[Leg]:
    """Return the orders that take `quantity`, or what is shown of it."""
    ranked = _ranked(desk)
    return equalized(desk, _take(desk, ranked, _found(desk, ranked, quantity)[0]).legs)


def equalized(desk: Desk, legs: list[Leg]) -> list[Leg]:
    """Return the orders with the waits that let all of them arrive at the same time."""
    if not desk.settings.is_latency_equalized or len(legs) < 2:
        return legs
    slowest = max(leg.book.venue.latency_ns for leg in legs)
    return [leg._replace(send_after_ns=slowest - leg.book.venue.latency_ns) for leg in legs]


def _ranked(desk: Desk) -> tuple[list[VenueBook], list[int]]:
    """Return the lit venues, the best record first, and the grade of each: less is better.

    What a record costs beside price and fee decides between equal prices. A lead within the error
    of the scores is luck: all that lag by no more have the best grade, and the deepest of them is
    asked. A venue without a score is known by a few children at most.
    """
    records, half = desk.records(OrderKind.AGGRESSIVE), desk.prices.half_bps_e9
    entries = []
    for book in desk.lit:
        venue_id = book.venue.venue_id
        record = records[venue_id]
        missed = E9 - record.fill_e9 * (E9 - record.rejects_e9) // E9
        cost = missed * (half + record.missed_e9) // E9 + record.leakage_e9 + record.correction_e9
        error = record.error_e9 if record.children_e9 else half // UNSCORED_DIVISOR
        entries.append((cost, venue_id, error, book))
    entries.sort(key=_FIRST_TWO)
    least = entries[0][0] if entries else 0
    near = least + (entries[0][2] if entries else 0)
    grades = [
        0 if cost <= near or cost - error <= least else rank
        for rank, (cost, _, error, _) in enumerate(entries)
    ]
    return [entry[3] for entry in entries], grades


_FIRST_TWO: Final = itemgetter(0, 1)
_Ranked = tuple[list[VenueBook], list[int]]


def _found(desk: Desk, ranked: _Ranked, quantity: int) -> tuple[list[Taken], list[Offer]]:
    books, grades = ranked
    return consolidated(
        books,
        desk.side,
        desk.part.limit_price_e9,
        min(desk.lot, quantity) or desk.lot,
        quantity,
        owner_minimum=desk.minimum,
        grades=grades,
    )


_WHY: Final = "cheapest all in"


def _take(desk: Desk, ranked: _Ranked, found: list[Taken]) -> _Sweep:
    books, _ = ranked
    legs: list[Leg] = []
    passed: list[Passed] = []
    paid = placed = 0
    used = set()
    records, prices, least = desk.records(OrderKind.AGGRESSIVE), desk.prices, desk.minimum
    # Each of these is asked for at every venue of every sweep.
    side, fit, limit = desk.side, desk.rules.fit, OrderType.LIMIT
    for rank, offered, worst_e9, paid_e9, _ in found:
        used.add(rank)
        book = books[rank]
        record = records[book.venue.venue_id]
        cost = costs.taking(record, book, prices, offered, price_e9=paid_e9 // offered)
        quantity, price_e9, reason = fit(book, side, offered, worst_e9, least)
        if not quantity:
            passed.append(Passed(book, cost, reason))
            continue
        smallest = least if least < quantity else quantity
        # By position, in the order of Leg: one of them is made for every venue of every sweep.
        legs.append(Leg(book, quantity, price_e9, price_e9, cost, _WHY, limit, 0, smallest))
        paid += quantity * cost.total_e9
        placed += quantity
    for rank, book in enumerate(books):
        if rank not in used:
            cost = costs.taking(records[book.venue.venue_id], book, prices, desk.quantity)
            passed.append(Passed(book, cost, "nothing shown within the limit is cheaper"))
    return _Sweep(legs, passed, paid // placed if placed else 0, placed)


def _hidden(desk: Desk, parts: list[Offer]) -> tuple[list[Leg], list[Passed]]:
    """Return midpoint bids for the dearest units of the sweep, where they are worth it."""
    if not desk.dark:
        return [], []
    if not parts or desk.quantity * BPS <= _at_best(desk) * desk.settings.large_bps:
        return [], [Passed(book, costs.FREE, "dark venues are not swept") for book in desk.dark]
    passed: list[Passed] = []
    segments: list[Segment] = []
    for at, book in enumerate(desk.dark):
        if reason := dark.refusal(desk, book):
            passed.append(Passed(book, costs.FREE, reason))
        else:
            segments += segments_of(desk, book, at)
    given = _left_to_the_dark(desk, parts, segments)
    legs: list[Leg] = []
    for at, quantity in sorted(given.items()):
        book = desk.dark[at]
        leg = dark.bid(desk, book, quantity // desk.lot * desk.lot, DARK_REST_NS)
        if isinstance(leg, Passed):
            passed.append(leg)
            continue
        cost = costs.midpoint(desk.record(book, OrderKind.DARK), book.venue, desk.prices.mid_e9, 0)
        legs.append(leg._replace(cost=cost, reason="cheaper than the dearest of the sweep"))
    return legs, passed


def _at_best(desk: Desk) -> int:
    """Return what stands at the best price of the other side, over all venues."""
    is_buy = desk.side is Side.BUY
    sides = ((book.asks if is_buy else book.bids) for book in desk.lit)
    tops = [levels[0] for levels in sides if levels]
    best_e9 = (min if is_buy else max)((level.price_e9 for level in tops), default=0)
    return sum(level.quantity for level in tops if level.price_e9 == best_e9)


def _left_to_the_dark(desk: Desk, parts: list[Offer], segments: list[Segment]) -> dict[int, int]:
    """Give the dearest units to the best chances while that is expected to be cheaper.

    Both sequences only get worse from unit to unit, so that the first pair that does not pay ends
    it. What a midpoint bid misses is swept later, by a spread's half dearer.
    """
    sign, mid_e9, _, half = desk.prices
    dearest = parts[::-1]
    given: dict[int, int] = {}
    queue = sorted(segments, key=lambda each: (-each.value_e9, each.pool, each.ordinal))
    at, left = 0, dearest[0][1]
    for segment in queue:
        room = segment.quantity
        while room and at < len(dearest):
            lit = (dearest[at][0] - sign * mid_e9) * BPS * E9 // mid_e9
            cost = half - segment.worth_e9
            gain = segment.chance_e9 * (lit - cost) // E9 - (E9 - segment.chance_e9) * half // E9
            if gain <= 0:
                return given
            part = min(room, left)
            given[segment.pool] = given.get(segment.pool, 0) + part
            room -= part
            left -= part
            if not left:
                at += 1
                left = dearest[at][1] if at < len(dearest) else 0
    return given


def _over_score(desk: Desk, plain: _Sweep, legs: list[Leg]) -> int:
    """Return the cost per unit: fewer misses, against what unwinding an excess costs."""
    back = 2 * desk.prices.half_bps_e9
    filled = sum(leg.quantity * desk.record(leg.book, OrderKind.AGGRESSIVE).fill_e9 for leg in legs)
    sure = sum(
        leg.quantity * desk.record(leg.book, OrderKind.AGGRESSIVE).fill_e9 for leg in plain.legs
    )
    excess = max(0, filled // E9 - desk.quantity)
    missed = max(0, desk.quantity - sure // E9) - max(0, desk.quantity - filled // E9)
    return plain.score_e9 + (excess - missed) * back // desk.quantity
