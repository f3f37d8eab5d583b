"""The internal cross: guards, who takes part, and how much meets."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from schemas.messages.core import Member, QuoteEvidence, Side
from schemas.messages.netting import CrossExecuted
from streams.core.apportion import cross_shares
from streams.core.market import Quote
from streams.netting.commands import CloseWindow, Crossing
from streams.netting.state import Order

__all__ = ["Interest", "eligible", "execute", "guard", "shares_of"]


class Interest(NamedTuple):
    """What one order could give to a cross, smallest units."""

    order: Order
    quantity: int


def guard(quote: Quote | None, crossing: Crossing | None, at_ns: int) -> str:
    """Return the first guard that forbids a cross now; empty when none does.

    Source: SPEC section 10; SEC Rule 17a-7 (current market price).
    """
    if crossing is None:
        return "crossing not declared"
    if quote is None:
        return "quote missing"
    # spread / mid in basis points, both sides times the sum: 2 x 10,000.
    spread, both = quote.ask_e9 - quote.bid_e9, quote.ask_e9 + quote.bid_e9
    refusals = (
        ("quote one-sided", quote.bid_e9 <= 0 or quote.ask_e9 <= 0),
        ("quote locked", spread == 0),
        ("quote crossed", spread < 0),
        ("quote stale", at_ns - quote.at_ns > crossing.quote_age_max_ns),
        ("quote wide", spread * 20_000 > crossing.spread_max_bps * both),
    )
    return next((reason for reason, is_refused in refusals if is_refused), "")


def eligible(interests: Iterable[Interest], quote: Quote, at_ns: int) -> list[Interest]:
    """Return who may take part: allowed, started, and the midpoint within its limit."""
    both = quote.bid_e9 + quote.ask_e9
    return [
        interest
        for interest in interests
        if interest.quantity > 0
        and interest.order.is_cross_allowed
        and interest.order.start_ns <= at_ns
        and _is_within(interest.order, both)
    ]


def _is_within(order: Order, both_e9: int) -> bool:
    if order.limit_price_e9 is None:
        return True
    limit = 2 * order.limit_price_e9
    return both_e9 <= limit if order.side is Side.BUY else both_e9 >= limit


def execute(
    cross_id: str, command: CloseWindow, buys: Sequence[Interest], sells: Sequence[Interest]
) -> CrossExecuted | None:
    """Return the cross of two sides; None when nobody is left once own accounts stand aside."""
    quote, crossing = command.quote, command.crossing
    assert quote is not None and crossing is not None, "guard said yes"
    both = {i.order.account_id for i in buys} & {i.order.account_id for i in sells}
    sides = [
        tuple(
            Member(order_id=i.order.order_id, quantity=i.quantity)
            for i in side
            if i.order.account_id not in both
        )
        for side in (buys, sells)
    ]
    quantity = min(sum(member.quantity for member in side) for side in sides)
    if not quantity:
        return None
    return CrossExecuted(
        cross_id=cross_id,
        tenant=command.tenant,
        instrument_id=command.instrument_id,
        quantity=quantity,
        price_e9=quote.midpoint_e9,
        evidence=QuoteEvidence(
            bid_e9=quote.bid_e9,
            ask_e9=quote.ask_e9,
            bid_venue_id=quote.bid_venue_id,
            ask_venue_id=quote.ask_venue_id,
            bid_event_id=quote.bid_event_id,
            ask_event_id=quote.ask_event_id,
            quote_ns=quote.at_ns,
        ),
        declaration_id=crossing.declaration_id,
        buys=sides[0],
        sells=sides[1],
        crossed_ns=command.at_ns,
    )


def shares_of(cross: CrossExecuted) -> Mapping[str, int]:
    """Return what each order of either side gets; an order is on one side only."""
    result = {}
    for side in (cross.buys, cross.sells):
        shares = cross_shares(cross.cross_id, cross.quantity, side)
        for member, share in zip(side, shares, strict=True):
            if share:
                result[member.order_id] = share
    return result
