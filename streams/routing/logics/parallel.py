"""Parallel: all venues at once, the sum never more than what is left, or by an explicit budget.

Each next lot goes where it lowers the expected cost most, so that a quantity which one venue would
absorb too slowly is spread. With an over-fill budget more is sent than is wanted; what is left of
it is asked back the moment that the slice is filled.
"""

from typing import Final

from schemas.messages.core import OrderKind, RoutingLogic
from streams.core.market import VenueBook
from streams.routing import costs
from streams.routing.costs import E9
from streams.routing.logics import dark
from streams.routing.logics.desk import REST_NS, Desk, Leg, Passed, Proposal
from streams.routing.logics.sequential import rank

__all__ = ["is_worth_weighing", "propose", "spread"]

PARTS: Final = 20  # the quantity is given away in so many parts, whole lots each
# An order of fewer lots than that is hardly seen (a share's round lot), and costs a message all the
# same: the rule splits no smaller. A strategy that names the logic, or a budget, may.
PART_LOTS_MIN: Final = 100


def propose(desk: Desk) -> Proposal | str:
    """Return dark children for their part and lit ones for the rest, or why there is no split."""
    if desk.minimum:
        return "a resting order keeps no minimum"
    books = rank(desk)
    least = least_part(desk)
    if len(books) < 2 or desk.whole < 2 * least:
        return "there is nothing to split"
    legs, passed = dark.bids(desk, desk.resting(books[0]).total_e9)
    rest = desk.whole_lots(desk.quantity - sum(leg.quantity for leg in legs))
    given = spread(desk, books, rest + desk.budget // desk.lot * desk.lot, least=least)
    rests: list[Leg] = []
    for book, quantity in zip(books, given, strict=True):
        record = desk.record(book, OrderKind.PASSIVE)
        fit = desk.rules.fit(book, desk.side, quantity, desk.price_e9) if quantity else None
        if fit is None or not fit.quantity:
            reason = "its next lot would fill too seldom" if fit is None else fit.reason
            passed.append(Passed(book, desk.resting(book), reason))
            continue
        cost = costs.resting(record, book, desk.prices, fit.quantity, desk.cleanup)
        rests.append(
            Leg(
                book,
                fit.quantity,
                fit.price_e9,
                fit.price_e9,
                cost,
                "part of a split",
                rest_ns=REST_NS,
            )
        )
    if not rests:
        return "no venue takes a part"
    return Proposal(
        RoutingLogic.PARALLEL,
        _score(desk, legs, rests),
        (*legs, *rests),
        tuple(passed),
        "all venues at once, more than wanted" if desk.budget else "all venues at once",
    )


def is_worth_weighing(desk: Desk) -> bool:
    """Return whether a split could save more than what one more venue learns by it.

    A bound from above: it takes the best venue's fills as if nothing of the quantity were in its
    own way. By the prior of what showing up costs: a record's own says it of that venue alone.
    """
    best = rank(desk)[0]
    record, depth = desk.record(best, OrderKind.PASSIVE), costs.depth_at_touch(best)
    alone = costs.expected_fill_e9(record, depth, desk.quantity)
    ideal = desk.quantity * record.fill_e9
    saved = _value(desk, best) * max(0, ideal - alone) // (desk.quantity * E9)
    return desk.budget >= desk.lot or saved > desk.settings.leakage_bps_e9


def least_part(desk: Desk) -> int:
    """Return the smallest part that the rule sends to a venue of its own, smallest units."""
    is_asked = desk.part.logic is RoutingLogic.PARALLEL or desk.budget >= desk.lot
    return desk.lot if is_asked else PART_LOTS_MIN * desk.lot


def spread(desk: Desk, books: list[VenueBook], quantity: int, *, least: int = 0) -> list[int]:
    """Return the quantity of each venue: every part goes where it is worth most.

    Fills saturate, so that what the next part is worth never rises: no other division of the parts
    is expected to be worth more. Ties go to the venue that ranks first.
    `least`: no part is smaller, smallest units.
    Rounds: whole lots; an odd rest goes with the last part.
    """
    lot, given = desk.lot, [0] * len(books)
    part = max(lot, least, quantity // PARTS // lot * lot)
    facts = [(desk.record(book, OrderKind.PASSIVE), costs.depth_at_touch(book)) for book in books]
    values = [_value(desk, book) for book in books]
    rest = quantity
    while rest > 0:
        step = part if rest >= 2 * part else rest
        best, gain = -1, -1
        for at, (record, depth) in enumerate(facts):
            worth = values[at] * costs.hazard_e9(record, depth, given[at]) // E9
            if worth > gain:
                best, gain = at, worth
        if best < 0:
            break
        given[best] += step
        rest -= step
    return given


def _value(desk: Desk, book: VenueBook) -> int:
    """Return what a fill there saves against making up for it at the other side."""
    venue, (_, mid_e9, _, half) = book.venue, desk.prices
    record = desk.record(book, OrderKind.PASSIVE)
    maker = costs.fee_bps_e9(venue.maker_fee_e9, venue.maker_fee_ppm, mid_e9)
    return max(0, 2 * half + desk.cleanup + record.missed_e9 - maker - record.adverse_e9)


def _score(desk: Desk, bids: list[Leg], legs: list[Leg]) -> int:
    """Return the cost per unit wanted: what fills, what has to be made up for, what is too much.

    What a venue gives away counts for the part that is sent there, and what fills beyond the slice
    is unwound over the spread.
    Rounds: down.
    """
    _, mid_e9, _, half = desk.prices
    halves, records = costs.halves_of(desk.part.urgency), desk.records(OrderKind.PASSIVE)
    hidden = sum(leg.quantity for leg in bids)
    wanted, placed = desk.quantity - hidden, sum(leg.quantity for leg in legs)
    filled = earned = left = always = 0
    for leg in legs:
        venue, quantity = leg.book.venue, leg.quantity
        record = records[venue.venue_id]
        part = costs.expected_fill_e9(record, costs.depth_at_touch(leg.book), quantity)
        maker = costs.fee_bps_e9(venue.maker_fee_e9, venue.maker_fee_ppm, mid_e9)
        filled += part
        earned += part * (maker + record.adverse_e9 - half)
        left += quantity * (desk.cleanup + (half + record.missed_e9) * halves // 2)
        always += quantity * (leg.cost.latency_e9 + record.correction_e9 + leg.cost.leakage_e9)
    missed, excess = max(0, wanted * E9 - filled), max(0, filled - wanted * E9)
    paid = (earned + missed * left // placed + excess * 2 * half) // E9
    paid += always * wanted // placed
    paid += sum(leg.quantity * costs.urgent(leg.cost, desk.part.urgency) for leg in bids)
    return paid // desk.quantity
