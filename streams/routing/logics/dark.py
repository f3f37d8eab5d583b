"""Bids at the midpoint of dark venues: how much, with which smallest execution, and where not."""

from typing import Final

from schemas.messages.core import OrderKind, OrderType, Side
from streams.core.market import VenueBook
from streams.routing import costs
from streams.routing.costs import E9, FREE
from streams.routing.logics.desk import DARK_REST_NS, Desk, Leg, Passed

__all__ = ["bid", "bids", "minimum_of", "refusal", "worth_e9"]

BPS: Final = 10_000
# Nobody is met at a midpoint that may not be one: SPEC section 5, anti-gaming.
SPREADS_MAX: Final = 3
YOUNG_NS: Final = 50 * 1_000_000
SHARE_BPS: Final = 5_000
# A midpoint fill saves half the spread: below two ticks that is less than one tick.
SPREAD_TICKS_MIN: Final = 2
# A dark order accepts no execution below a quarter of it, against probing by small orders.
MINIMUM_DIVISOR: Final = 4
LIKELY_E9: Final = E9 // 2
SELDOM_E9: Final = E9 // 50
KNOWN_E9: Final = 5 * E9  # children, before a venue counts as known


def bids(desk: Desk, other_e9: int) -> tuple[list[Leg], list[Passed]]:
    """Return the dark part of a resting slice: all of it where a fill is likely, else half."""
    legs: list[Leg] = []
    passed: list[Passed] = []
    rest = desk.quantity
    for book in desk.dark:
        record = desk.record(book, OrderKind.DARK)
        cost = costs.midpoint(record, book.venue, desk.prices.mid_e9, other_e9)
        is_known = record.children_e9 >= KNOWN_E9
        chance = record.fill_e9 if is_known else 0
        wanted = rest if chance >= LIKELY_E9 else min(rest, desk.quantity * SHARE_BPS // BPS)
        quantity = wanted // desk.lot * desk.lot
        reason = refusal(desk, book)
        if not reason and desk.tried(book):
            reason = "tried before"
        if not reason and is_known and chance < SELDOM_E9:
            reason = "its midpoint seldom fills"
        if not reason and is_known and desk.lit and cost.total_e9 >= other_e9:
            reason = "a lit venue is cheaper"
        leg = Passed(book, cost, reason) if reason else bid(desk, book, quantity, DARK_REST_NS)
        if isinstance(leg, Passed):
            passed.append(leg._replace(cost=cost))
            continue
        why = "a midpoint fill is likely" if chance >= LIKELY_E9 else "saves half the spread"
        legs.append(leg._replace(cost=cost, reason=why))
        rest -= leg.quantity
    return legs, passed


def bid(
    desk: Desk, book: VenueBook, quantity: int, rest_ns: int, divisor: int = MINIMUM_DIVISOR
) -> Leg | Passed:
    """Return a midpoint order within the owner's limit, or why the venue gets none."""
    least = desk.minimum
    if quantity == 0 or quantity < book.venue.minimum_quantity:
        return Passed(book, FREE, "below the venue's minimum")
    if quantity < least:
        return Passed(book, FREE, "below the owner's minimum")
    fit = desk.rules.fit(book, desk.side, quantity, desk.part.limit_price_e9, least)
    if not fit.quantity:
        return Passed(book, FREE, fit.reason)
    smallest = minimum_of(desk, book, fit.quantity, divisor)
    return Leg(
        book,
        fit.quantity,
        fit.price_e9,
        desk.quote.midpoint_e9,
        FREE,
        "",
        order_type=OrderType.MIDPOINT,
        rest_ns=rest_ns,
        minimum=max(book.venue.minimum_quantity, smallest, least),
    )


def minimum_of(desk: Desk, book: VenueBook, quantity: int, divisor: int) -> int:
    """Return the smallest execution that is accepted of a dark order. Rounds: down to lots.

    A `divisor`-th of it, twice as much after each ping, at last all or nothing.
    """
    ledger = desk.state.parents.get(desk.part.parent_id)
    pings = 0 if ledger is None else ledger.pings.get(book.venue.venue_id, 0)
    return quantity // max(1, divisor >> min(pings, 8)) // desk.lot * desk.lot


def refusal(desk: Desk, book: VenueBook) -> str:
    """Return why a midpoint fill would be worth nothing there now; empty when it is."""
    quote, limit = desk.quote, desk.part.limit_price_e9
    age_ns, usual_e9 = desk.at_ns - quote.at_ns, desk.market.spread_bps_e9
    spread_min = SPREAD_TICKS_MIN * desk.market.instrument.tick_at(quote.bid_e9)
    if quote.ask_e9 - quote.bid_e9 < spread_min or worth_e9(desk, book) <= 0:
        return "spread not worth it"
    if limit is not None and _is_worse(desk.side, quote.midpoint_e9, limit):
        return "midpoint beyond the limit"
    if usual_e9 and 2 * desk.prices.half_bps_e9 > SPREADS_MAX * usual_e9:
        return "spread far beyond its median"
    # A book of this very instant is as old as a tape's step allows: its age is not known.
    if 0 < age_ns < YOUNG_NS:
        return "quote too young"
    return ""


def worth_e9(desk: Desk, book: VenueBook) -> int:
    """Return what a filled unit is worth: half the spread less fee and adverse selection."""
    venue = book.venue
    fee = costs.fee_bps_e9(venue.taker_fee_e9, venue.taker_fee_ppm, desk.prices.mid_e9)
    adverse = desk.record(book, OrderKind.DARK).adverse_e9
    return desk.prices.half_bps_e9 - fee - adverse


def _is_worse(side: Side, price_e9: int, limit_price_e9: int) -> bool:
    return price_e9 > limit_price_e9 if side is Side.BUY else price_e9 < limit_price_e9
