"""Sequential: dark where a midpoint fill is likely, else the best venue; then the next one.

One child holds the quantity. What it does not fill is canceled after its time, and goes on to the
venue that ranks next once the cancel is acknowledged: never before, since it may fill until then.
"""

from schemas.messages.core import RoutingLogic
from streams.core.market import VenueBook
from streams.routing import costs
from streams.routing.logics import dark
from streams.routing.logics.desk import REST_NS, Desk, Leg, Passed, Proposal

__all__ = ["propose", "rank"]


def propose(desk: Desk) -> Proposal:
    """Return dark children for their part, and one lit child for the rest."""
    ranked = rank(desk)
    best = ranked[0] if ranked and not desk.minimum else None
    other_e9 = 0 if best is None else desk.resting(best).total_e9
    bids, passed = dark.bids(desk, other_e9)
    quantity = desk.whole_lots(desk.quantity - sum(leg.quantity for leg in bids))
    legs = list(bids)
    for book in ranked:
        cost, tried = desk.resting(book), desk.tried(book)
        if desk.minimum:
            passed.append(Passed(book, cost, "a resting order keeps no minimum"))
        elif not quantity:
            passed.append(Passed(book, cost, f"ranked after {tried} attempts, not needed"))
        else:
            fit = desk.rules.fit(book, desk.side, quantity, desk.price_e9)
            if not fit.quantity:
                passed.append(Passed(book, cost, fit.reason))
                continue
            reason = f"best score after {tried} attempts"
            legs.append(
                Leg(book, fit.quantity, fit.price_e9, fit.price_e9, cost, reason, rest_ns=REST_NS)
            )
            quantity -= fit.quantity
    return Proposal(
        RoutingLogic.SEQUENTIAL,
        _score(desk, legs, other_e9),
        tuple(legs),
        tuple(passed),
        "one child at a time, the best venue first",
    )


def rank(desk: Desk) -> list[VenueBook]:
    """Return the lit venues by attempts of the slice, then expected cost, then name."""
    return sorted(
        desk.lit,
        key=lambda book: (desk.tried(book), desk.resting(book).total_e9, book.venue.venue_id),
    )


def _score(desk: Desk, legs: list[Leg], other_e9: int) -> int:
    """Return the cost per unit, by urgency. Rounds: down."""
    placed = sum(leg.quantity for leg in legs)
    if not placed:
        return 0
    paid = sum(leg.quantity * costs.urgent(leg.cost, desk.part.urgency) for leg in legs)
    return (paid + (desk.quantity - placed) * other_e9) // desk.quantity
