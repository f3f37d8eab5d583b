"""Liquidity seeking: look for hidden quantity over the dark venues, and learn from its absence.

Where the next unit goes is decided by censored tails and by what a fill there is worth. A venue
whose fills turn against us is left out for the parent, and one that pings gets larger minima.
"""

from typing import Final

from schemas.messages.core import OrderKind, RoutingLogic
from streams.routing import costs
from streams.routing.costs import E9
from streams.routing.logics import dark
from streams.routing.logics.desk import DARK_REST_NS, Desk, Leg, Passed, Proposal
from streams.routing.logics.sequential import rank
from streams.routing.logics.tails import Segment, segments_of, share_out

__all__ = ["propose"]

# Small sizes are the likely ones: less of them is shut out than where the quantity is known.
SEEKING_DIVISOR: Final = 16
# What the time in the dark costs that finds nothing: a tenth of a basis point for a second of it.
LATE_E9: Final = 3 * E9 // 10


def propose(desk: Desk) -> Proposal | str:
    """Return midpoint orders for all that is worth looking for, or why there is nothing."""
    if not desk.dark:
        return "no dark venue may be used"
    passed: list[Passed] = []
    segments: list[Segment] = []
    for at, book in enumerate(desk.dark):
        if reason := dark.refusal(desk, book):
            passed.append(Passed(book, costs.FREE, reason))
        else:
            segments += segments_of(desk, book, at)
    given = share_out(segments, desk.quantity)
    ranked = rank(desk)
    other = desk.prices.half_bps_e9
    if ranked:
        other = costs.urgent(desk.resting(ranked[0]), desk.part.urgency)
    legs: list[Leg] = []
    for at, book in enumerate(desk.dark):
        cost = costs.midpoint(
            desk.record(book, OrderKind.DARK), book.venue, desk.prices.mid_e9, other
        )
        quantity = given.get(at, 0) // desk.lot * desk.lot
        if not quantity:
            if not any(each.book is book for each in passed):
                passed.append(Passed(book, cost, "others are more likely to hold it"))
            continue
        leg = dark.bid(desk, book, quantity, DARK_REST_NS, SEEKING_DIVISOR)
        if isinstance(leg, Passed):
            passed.append(leg._replace(cost=cost))
        else:
            legs.append(leg._replace(cost=cost, reason="likely to hold so much"))
    passed += [Passed(book, desk.resting(book), "only dark venues are asked") for book in ranked]
    if not legs:
        return "no dark venue is worth asking"
    return Proposal(
        RoutingLogic.LIQUIDITY_SEEKING,
        _score(desk, legs, segments, other),
        tuple(legs),
        tuple(passed),
        "hidden quantity first",
    )


def _score(desk: Desk, legs: list[Leg], segments: list[Segment], other: int) -> int:
    """Return the cost per unit; what is not found rests at the best lit venue. Rounds: down."""
    found = paid = 0
    for leg in legs:
        at, left = desk.dark.index(leg.book), leg.quantity
        hit = desk.prices.half_bps_e9 - dark.worth_e9(desk, leg.book)
        for segment in (each for each in segments if each.pool == at):
            part = min(left, segment.quantity) * segment.chance_e9 // E9
            found += part
            paid += part * hit
            left -= min(left, segment.quantity)
    late = LATE_E9 * costs.halves_of(desk.part.urgency) // 2
    missed = desk.quantity - found
    return (paid + missed * (other + late)) // desk.quantity
