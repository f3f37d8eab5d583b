"""Sweep: simultaneous orders through the consolidated book at the least all-in price.

What is large against the best prices also bids in the dark pools at the same moment: the dearest
units of the sweep are left to the midpoint where that is expected to be cheaper, and one exposure
covers both.
"""

from typing import Final, NamedTuple

from schemas.messages.core import OrderKind, RoutingLogic, Side
from streams.core.market import VenueBook
from streams.routing import costs
from streams.routing.costs import E9
from streams.routing.logics import dark
from streams.routing.logics.desk import DARK_REST_NS, Desk, Leg, Passed, Proposal
from streams.routing.logics.tails import Segment, segments_of
from streams.routing.sweep import Step, split, sweep_venue

__all__ = ["equalized", "over_subscribed", "propose", "take"]

BPS: Final = 10_000


class _Taken(NamedTuple):
    legs: list[Leg]
    passed: list[Passed]
    score_e9: int
    placed: int


def propose(desk: Desk) -> Proposal:
    """Return the orders that take, and the midpoint bids beside them for a large quantity."""
    ranked = _ranked(desk)
    steps = _steps(desk, ranked, desk.whole)
    hidden, passed = _hidden(desk, steps)
    if hidden:
        wanted = desk.quantity - sum(leg.quantity for leg in hidden)
        steps = _steps(desk, ranked, wanted // desk.lot * desk.lot)
    taken = _take(desk, ranked, steps)
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
    plain = _take(desk, ranked, _steps(desk, ranked, desk.whole))
    more = desk.whole + desk.budget // desk.lot * desk.lot
    taken = _take(desk, ranked, _steps(desk, ranked, more))
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
    return equalized(desk, _take(desk, ranked, _steps(desk, ranked, quantity)).legs)


def equalized(desk: Desk, legs: list[Leg]) -> list[Leg]:
    """Return the orders with the waits that let all of them arrive at the same time."""
    if not desk.settings.is_latency_equalized or len(legs) < 2:
        return legs
    slowest = max(leg.book.venue.latency_ns for leg in legs)
    return [leg._replace(send_after_ns=slowest - leg.book.venue.latency_ns) for leg in legs]


def _ranked(desk: Desk) -> list[tuple[VenueBook, int]]:
    """Return lit venues with what taking the first lot there costs, the best first.

    Ties of price go to that order: to the better record, not to the first name.
    """
    entries = []
    for book in desk.lit:
        record = desk.record(book, OrderKind.AGGRESSIVE)
        missed = E9 - record.fill_e9 * (E9 - record.rejects_e9) // E9
        rank = missed + record.leakage_e9 + record.correction_e9
        entries.append((rank, book.venue.venue_id, book))
    entries.sort(key=lambda entry: entry[:2])
    return [(book, rank) for rank, _, book in entries]


def _steps(desk: Desk, ranked: list[tuple[VenueBook, int]], quantity: int) -> list[Step]:
    lot = min(desk.lot, quantity) or desk.lot
    limit = desk.part.limit_price_e9
    venues = tuple(sweep_venue(book, desk.side, limit, lot, desk.minimum) for book, _ in ranked)
    return split(venues, quantity)


def _take(desk: Desk, ranked: list[tuple[VenueBook, int]], steps: list[Step]) -> _Taken:
    legs: list[Leg] = []
    passed: list[Passed] = []
    paid = placed = 0
    own: dict[str, list[Step]] = {}
    for step in sorted(steps, key=lambda each: each.cost_e9):
        own.setdefault(step.venue_id, []).append(step)
    order = {venue_id: at for at, venue_id in enumerate(own)}
    for book, _ in sorted(ranked, key=lambda each: order.get(each[0].venue.venue_id, len(order))):
        mine = own.get(book.venue.venue_id)
        record = desk.record(book, OrderKind.AGGRESSIVE)
        if mine is None:
            cost = costs.taking(record, book, desk.side, desk.quote, desk.quantity)
            passed.append(Passed(book, cost, "nothing shown within the limit is cheaper"))
            continue
        prices = [step.price_e9 for step in mine]
        worst = max(prices) if desk.side is Side.BUY else min(prices)
        offered = sum(step.quantity for step in mine)
        average = sum(step.quantity * step.price_e9 for step in mine) // offered
        cost = costs.taking(record, book, desk.side, desk.quote, offered, price_e9=average)
        quantity, price, reason = desk.rules.fit(book, desk.side, offered, worst, desk.minimum)
        if not quantity:
            passed.append(Passed(book, cost, reason))
            continue
        minimum = min(desk.minimum, quantity)
        legs.append(Leg(book, quantity, price, price, cost, "cheapest all in", minimum=minimum))
        paid += quantity * cost.total_e9
        placed += quantity
    return _Taken(legs, passed, paid // placed if placed else 0, placed)


def _hidden(desk: Desk, steps: list[Step]) -> tuple[list[Leg], list[Passed]]:
    """Return midpoint bids for the dearest units of the sweep, where they are worth it."""
    if not desk.dark:
        return [], []
    best = _at_best(desk, steps)
    if not steps or desk.quantity * BPS <= best * desk.settings.large_bps:
        return [], [Passed(book, costs.FREE, "dark venues are not swept") for book in desk.dark]
    passed: list[Passed] = []
    segments: list[Segment] = []
    for at, book in enumerate(desk.dark):
        if reason := dark.refusal(desk, book):
            passed.append(Passed(book, costs.FREE, reason))
        else:
            segments += segments_of(desk, book, at)
    given = _left_to_the_dark(desk, steps, segments)
    legs: list[Leg] = []
    for at, quantity in sorted(given.items()):
        book = desk.dark[at]
        leg = dark.bid(desk, book, quantity // desk.lot * desk.lot, DARK_REST_NS)
        if isinstance(leg, Passed):
            passed.append(leg)
            continue
        cost = costs.midpoint(desk.record(book, OrderKind.DARK), book.venue, desk.quote, 0)
        legs.append(leg._replace(cost=cost, reason="cheaper than the dearest of the sweep"))
    return legs, passed


def _at_best(desk: Desk, steps: list[Step]) -> int:
    """Return what stands at the best price of the other side, over all venues."""
    prices = [step.price_e9 for step in steps]
    best = (min if desk.side is Side.BUY else max)(prices, default=0)
    books = ((book.asks if desk.side is Side.BUY else book.bids) for book in desk.lit)
    return sum(level.quantity for levels in books for level in levels if level.price_e9 == best)


def _left_to_the_dark(desk: Desk, steps: list[Step], segments: list[Segment]) -> dict[int, int]:
    """Give the dearest units to the best chances while that is expected to be cheaper.

    Both sequences only get worse from unit to unit, so that the first pair that does not pay ends
    it. What a midpoint bid misses is swept later, by a spread's half dearer.
    """
    mid_e9, sign = desk.quote.midpoint_e9, 1 if desk.side is Side.BUY else -1
    late = costs.half_spread_bps_e9(desk.quote)
    dearest = sorted(((step.cost_e9, step.quantity) for step in steps), reverse=True)
    given: dict[int, int] = {}
    queue = sorted(segments, key=lambda each: (-each.value_e9, each.pool, each.ordinal))
    at, left = 0, dearest[0][1]
    for segment in queue:
        room = segment.quantity
        while room and at < len(dearest):
            lit = (dearest[at][0] - sign * mid_e9) * BPS * E9 // mid_e9
            cost = costs.half_spread_bps_e9(desk.quote) - segment.worth_e9
            gain = segment.chance_e9 * (lit - cost) // E9 - (E9 - segment.chance_e9) * late // E9
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


def _over_score(desk: Desk, plain: _Taken, legs: list[Leg]) -> int:
    """Return the cost per unit: fewer misses, against what unwinding an excess costs."""
    back = 2 * costs.half_spread_bps_e9(desk.quote)
    filled = sum(leg.quantity * desk.record(leg.book, OrderKind.AGGRESSIVE).fill_e9 for leg in legs)
    sure = sum(
        leg.quantity * desk.record(leg.book, OrderKind.AGGRESSIVE).fill_e9 for leg in plain.legs
    )
    excess = max(0, filled // E9 - desk.quantity)
    missed = max(0, desk.quantity - sure // E9) - max(0, desk.quantity - filled // E9)
    return plain.score_e9 + (excess - missed) * back // desk.quantity
