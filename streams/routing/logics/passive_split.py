"""Passive split: how much takes now and how much rests where, by Cont and Kukanov.

The planner solves it ahead for each size, with a certified distance from the best split. A solved
placement that is old, or whose queues and spread have moved on, is not used: then the closed form
of one venue decides, at the venue that ranks first, with an exponential outflow that explains how
often children have filled there.
Source: Cont and Kukanov 2017; SPEC section 1.
"""

from typing import Final, NamedTuple

from schemas.messages.core import OrderKind, RoutingLogic, Side, Urgency
from schemas.messages.plans import PlacementSolved
from streams.core.market import VenueBook
from streams.routing import costs
from streams.routing.costs import E9
from streams.routing.logics import sweep
from streams.routing.logics.desk import REST_NS, Desk, Leg, Passed, Proposal
from streams.routing.logics.sequential import rank

__all__ = ["CLOSED_FORM", "Single", "propose", "single_venue", "staleness"]

CLOSED_FORM: Final = "cont-kukanov-closed-form/1"
BPS: Final = 10_000
# What a share left over costs, in halves of taking it now: the more, the less rests.
LEFT_HALVES: Final = {Urgency.PASSIVE: 3, Urgency.NEUTRAL: 4, Urgency.URGENT: 8}


class Single(NamedTuple):
    """The split at one venue."""

    market_quantity: int
    limit_quantity: int


def propose(desk: Desk) -> Proposal | str:
    """Return the split, its model and its certificate, or why there is none."""
    if desk.minimum:
        return "a resting order keeps no minimum"
    ranked = rank(desk)
    if not ranked:
        return "no lit venue may be used"
    plan, stale = _plan(desk)
    gap: int | None = None
    if plan is None:
        best = ranked[0]
        split = _closed_form(desk, best)
        rests = {best.venue.venue_id: split.limit_quantity}
        legs, passed = _legs(desk, ranked, split.market_quantity, rests)
        score, model, reason = _closed_score(desk, legs, best), CLOSED_FORM, stale
    else:
        market, rests = _scaled(desk, plan)
        legs, passed = _legs(desk, ranked, market, rests)
        score, model, gap = plan.cost_bps_e9, plan.model, plan.gap_bps_e9
        reason = f"solved for {plan.quantity} at {plan.solved_ns}"
    if not legs:
        return "no venue takes a part"
    logic = RoutingLogic.PASSIVE_SPLIT
    return Proposal(logic, score, tuple(legs), tuple(passed), reason, model, gap)


def staleness(desk: Desk, plan: PlacementSolved) -> str:
    """Return why a solved placement no longer holds; empty while it does."""
    age_ns = desk.at_ns - plan.solved_ns
    drift_bps = desk.settings.placement_drift_bps
    if not 0 <= age_ns <= min(plan.valid_ns, desk.settings.placement_age_ns):
        return "the solved placement is old"
    spread_e9 = desk.quote.ask_e9 - desk.quote.bid_e9
    if abs(spread_e9 - plan.spread_e9) * BPS > plan.spread_e9 * drift_bps:
        return "the spread is another than it was solved for"
    books = {book.venue.venue_id: book for book in desk.lit}
    for leg in plan.legs:
        book = books.get(leg.venue_id)
        if leg.quantity and book is None:
            return "a venue of the solved placement cannot be used"
        if book is not None:
            moved = abs(_ahead(desk, book) - leg.ahead_quantity)
            if moved * BPS > max(leg.ahead_quantity, desk.lot) * drift_bps:
                return "a queue is another than it was solved for"
    return ""


def _plan(desk: Desk) -> tuple[PlacementSolved | None, str]:
    bucket = max(0, (desk.quantity // desk.lot).bit_length() - 1)
    for plan in desk.market.placements:
        if plan.side is desk.side and plan.size_bucket == bucket:
            stale = staleness(desk, plan)
            return (None if stale else plan), stale
    return None, "nothing was solved for this size"


def _scaled(desk: Desk, plan: PlacementSolved) -> tuple[int, dict[str, int]]:
    """Return taking and resting, brought to the slice's quantity and its over-fill budget.

    What rests does not grow with the quantity: more of it takes, less of it takes less, and only
    what still does not fit rests less. Rounds: down to lots, the rest takes.
    """
    lot, wanted = desk.lot, desk.whole
    rests = {leg.venue_id: leg.quantity // lot * lot for leg in plan.legs if leg.quantity}
    resting = sum(rests.values())
    market = max(0, plan.market_quantity + wanted - plan.quantity)
    market = max(market // lot * lot, wanted - resting)
    most = wanted + max(0, desk.budget) // lot * lot
    market = min(market, wanted)
    if market + resting > most:
        room = most - market
        rests = {
            venue_id: quantity * room // (resting * lot) * lot
            for venue_id, quantity in rests.items()
        }
        market += max(0, wanted - market - sum(rests.values()))
    return market, rests


def _legs(
    desk: Desk, ranked: list[VenueBook], market: int, rests: dict[str, int]
) -> tuple[list[Leg], list[Passed]]:
    legs: list[Leg] = []
    passed: list[Passed] = []
    taken = sweep.take(desk, market) if market else []
    legs += [leg._replace(reason="the part that takes") for leg in taken]
    for book in ranked:
        quantity = rests.get(book.venue.venue_id, 0)
        if not quantity:
            passed.append(Passed(book, desk.resting(book), "nothing rests there"))
            continue
        fit = desk.rules.fit(book, desk.side, quantity, desk.price_e9)
        if not fit.quantity:
            passed.append(Passed(book, desk.resting(book), fit.reason))
            continue
        record = desk.record(book, OrderKind.PASSIVE)
        cost = costs.resting(record, book, desk.prices, fit.quantity, desk.cleanup)
        legs.append(
            Leg(
                book,
                fit.quantity,
                fit.price_e9,
                fit.price_e9,
                cost,
                "the part that rests",
                rest_ns=REST_NS,
            )
        )
    used = {leg.book.venue.venue_id for leg in legs}
    return legs, [each for each in passed if each.book.venue.venue_id not in used]


def _closed_score(desk: Desk, legs: list[Leg], best: VenueBook) -> int:
    """Return the cost per unit wanted; what finds no place rests at the best venue. Rounds: down.

    As a rival counts it: a split that places half of the slice is not half as dear.
    """
    urgency = desk.part.urgency
    paid = sum(leg.quantity * costs.urgent(leg.cost, urgency) for leg in legs)
    left = max(0, desk.quantity - sum(leg.quantity for leg in legs))
    return (paid + left * costs.urgent(desk.resting(best), urgency)) // desk.quantity


def _closed_form(desk: Desk, book: VenueBook) -> Single:
    record, venue = desk.record(book, OrderKind.PASSIVE), book.venue
    mid_e9, half = desk.prices.mid_e9, desk.prices.half_bps_e9
    fee = costs.fee_bps_e9(venue.taker_fee_e9, venue.taker_fee_ppm, mid_e9)
    rebate = -costs.fee_bps_e9(venue.maker_fee_e9, venue.maker_fee_ppm, mid_e9) - record.adverse_e9
    left = (half + fee) * LEFT_HALVES.get(desk.part.urgency, 4) // 2 + record.missed_e9
    chance = min(max(record.fill_e9 * (E9 - record.rejects_e9) // E9, 1), E9 - 1)
    ahead = _ahead(desk, book)
    # The outflow whose chance to pass the queue is the one that children had: exp(-Q / mean).
    mean = ahead * E9 // max(1, -_ln_e9(chance))
    found = single_venue(desk.whole, ahead, mean, left, half=half, fee=fee, rebate=rebate)
    limit = found.limit_quantity // desk.lot * desk.lot
    return Single(desk.whole - limit, limit)


def single_venue(
    quantity: int,
    ahead: int,
    outflow_mean: int,
    left_e9: int,
    *,
    half: int,
    fee: int,
    rebate: int,
    impact: int = 0,
) -> Single:
    """Return the optimal split at one venue behind `ahead` units, outflow exponential.

    Units:  costs in 1e-9 basis points; `left_e9` is lambda_u, `impact` theta of SPEC section 1.
    Rounds: the resting part down.
    """
    if half + rebate <= 0:
        return Single(quantity, 0)  # a fill there is worth nothing
    if outflow_mean <= 0:  # nobody stands before us, or nothing is known of who leaves
        return Single(0, quantity) if ahead == 0 else Single(quantity, 0)
    q_e9 = (2 * half + fee + rebate) * E9 // (left_e9 + half + rebate + impact)
    if q_e9 >= E9:
        return Single(0, quantity)
    reached = -_ln_e9(E9 - q_e9) * outflow_mean // E9
    resting = min(quantity, max(0, reached - ahead))
    return Single(quantity - resting, resting)


def _ahead(desk: Desk, book: VenueBook) -> int:
    """Return what stands before a child that joins at its price, in all that is better too."""
    is_buy = desk.side is Side.BUY
    levels = book.bids if is_buy else book.asks
    price_e9 = desk.price_e9
    if is_buy:
        return sum(level.quantity for level in levels if level.price_e9 >= price_e9)
    return sum(level.quantity for level in levels if level.price_e9 <= price_e9)


_SCALE: Final = 10**18
_LN2: Final = 693_147_180_559_945_309  # 1e-18


def _ln_e9(value_e9: int) -> int:
    """Return the natural logarithm of a positive 1e-9 number in 1e-9, the error below 2e-9.

    Integers, so that every machine decides alike: ln(m 2^k) by the series of artanh.
    """
    shift = value_e9.bit_length() - E9.bit_length()
    numerator, denominator = (value_e9, E9 << shift) if shift >= 0 else (value_e9 << -shift, E9)
    ratio = (numerator - denominator) * _SCALE // (numerator + denominator)
    square = ratio * ratio // _SCALE
    term, total = ratio, 0
    for odd in range(1, 60, 2):
        total += term // odd
        term = term * square // _SCALE
        if not term:
            break
    return (2 * total + shift * _LN2) // 10**9
