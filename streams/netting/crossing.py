"""The internal cross: guards, who takes part, and how much meets."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from schemas.messages.core import (
    BookState,
    CrossGuard,
    CrossKind,
    CrossPair,
    LimitState,
    Member,
    PartyLevel,
    QuoteEvidence,
    Side,
    TradingStatus,
)
from schemas.messages.netting import CrossExecuted
from streams.core.crossed import crossed_shares
from streams.core.market import Quote
from streams.netting import pairing
from streams.netting.commands import CloseWindow, Crossing, Restriction
from streams.netting.state import Order

__all__ = [
    "REASONS",
    "Interest",
    "bars",
    "by_owner",
    "eligible",
    "execute",
    "guard",
    "has_taker",
    "shares_of",
]

Name = tuple[PartyLevel, str]
REASONS: Mapping[CrossGuard, str] = {
    CrossGuard.NONE: "",
    CrossGuard.NOT_DECLARED: "crossing not declared",
    CrossGuard.HALTED: "instrument halted",
    CrossGuard.AUCTION: "instrument in auction",
    CrossGuard.PAUSED: "trading paused",
    CrossGuard.LIMIT_STATE: "price at its limit",
    CrossGuard.NO_QUOTE: "quote missing",
    CrossGuard.ONE_SIDED: "quote one-sided",
    CrossGuard.LOCKED: "quote locked",
    CrossGuard.CROSSED: "quote crossed",
    CrossGuard.STALE: "quote stale",
    CrossGuard.WIDE: "quote wide",
    CrossGuard.NO_MEDIAN: "median spread unknown",
    CrossGuard.WIDER_THAN_MEDIAN: "quote wider than its median",
    CrossGuard.NO_ELIGIBLE_PAIR: "no eligible pair",
}
INTERRUPTIONS = {
    BookState.HALTED: CrossGuard.HALTED,
    BookState.AUCTION: CrossGuard.AUCTION,
    BookState.PAUSED: CrossGuard.PAUSED,
}


class Interest(NamedTuple):
    """What one order could give to a cross, smallest units."""

    order: Order
    quantity: int


def guard(command: CloseWindow, rules: Crossing | None) -> CrossGuard:
    """Return the first guard that forbids a cross now; NONE when none does.

    Source: SPEC section 10; SEC Rule 17a-7 (current market price).
    """
    quote = command.quote
    if rules is None:
        return CrossGuard.NOT_DECLARED
    interrupted = _interruption(command)
    if interrupted is not None:
        return interrupted
    if quote is None:
        return CrossGuard.NO_QUOTE
    # spread / mid in basis points, both sides times the sum: 2 x 10,000.
    spread, both = quote.ask_e9 - quote.bid_e9, quote.ask_e9 + quote.bid_e9
    median, is_asked = command.median_spread_e9 or 0, rules.spread_median_bps > 0
    refusals = (
        (CrossGuard.ONE_SIDED, quote.bid_e9 <= 0 or quote.ask_e9 <= 0),
        (CrossGuard.LOCKED, spread == 0),
        (CrossGuard.CROSSED, spread < 0),
        (CrossGuard.STALE, command.at_ns - quote.at_ns > rules.quote_age_max_ns),
        (CrossGuard.WIDE, spread * 20_000 > rules.spread_max_bps * both),
        (CrossGuard.NO_MEDIAN, is_asked and not median),
        (
            CrossGuard.WIDER_THAN_MEDIAN,
            is_asked and spread * 10_000 > rules.spread_median_bps * median,
        ),
    )
    return next((each for each, is_refused in refusals if is_refused), CrossGuard.NONE)


def _interruption(command: CloseWindow) -> CrossGuard | None:
    """Return what interrupts continuous trading, of the whole market or at a lit venue."""
    instrument, quote = command.instrument, command.quote
    if instrument.is_halted:
        is_pause = instrument.status is TradingStatus.PAUSED
        return CrossGuard.PAUSED if is_pause else CrossGuard.HALTED
    if instrument.is_auction:
        return CrossGuard.AUCTION
    both = quote.bid_e9 + quote.ask_e9 if quote is not None else 0
    is_below = both < 2 * instrument.lower_band_e9
    is_above = both > 2 * instrument.upper_band_e9 > 0
    if instrument.limit_state is not LimitState.NONE or (quote and (is_below or is_above)):
        return CrossGuard.LIMIT_STATE
    return INTERRUPTIONS.get(command.interruption)


def eligible(interests: Iterable[Interest], quote: Quote, command: CloseWindow) -> list[Interest]:
    """Return who may take part: client and order consent, started, midpoint within its limit."""
    both = quote.bid_e9 + quote.ask_e9
    return [
        interest
        for interest in interests
        if interest.quantity > 0 and _may_take(interest.order, both, command)
    ]


def has_taker(orders: Iterable[Order], quote: Quote, command: CloseWindow) -> bool:
    """Return whether one of the orders would be eligible if it had a quantity."""
    both, at_ns = quote.bid_e9 + quote.ask_e9, command.at_ns
    return any(order.start_ns <= at_ns and _may_take(order, both, command) for order in orders)


def _may_take(order: Order, both_e9: int, command: CloseWindow) -> bool:
    return (
        order.is_cross_allowed
        and order.account_id not in command.opted_out_account_ids
        and order.order_id not in command.stopped_order_ids
        and order.start_ns <= command.at_ns
        and not _has_minimum(order)
        and _is_within(order, both_e9)
    )


def _has_minimum(order: Order) -> bool:
    """Return whether the owner takes no small execution: a share of a cross may be one."""
    return order.constraints is not None and order.constraints.minimum_quantity > 0


def _is_within(order: Order, both_e9: int) -> bool:
    if order.limit_price_e9 is None:
        return True
    limit = 2 * order.limit_price_e9
    return both_e9 <= limit if order.side is Side.BUY else both_e9 >= limit


def by_owner(
    buys: Sequence[Interest], sells: Sequence[Interest]
) -> list[tuple[list[Interest], list[Interest]]]:
    """Return the two sides of every owner that is on both, in order of its first buy."""
    selling: dict[str, list[Interest]] = {}
    for interest in sells:
        selling.setdefault(interest.order.owner, []).append(interest)
    buying: dict[str, list[Interest]] = {}
    for interest in buys:
        if interest.order.owner in selling:
            buying.setdefault(interest.order.owner, []).append(interest)
    return [(mine, selling[owner]) for owner, mine in buying.items()]


def bars(
    restrictions: Iterable[Restriction], owners: Iterable[str]
) -> frozenset[tuple[Name, Name]]:
    """Return who may not meet whom, both ways; nobody of `owners` meets his own."""
    pairs = [((each.level, each.one), (each.level, each.other)) for each in restrictions]
    pairs += [((PartyLevel.OWNER, owner),) * 2 for owner in owners]
    return frozenset(pairs) | frozenset((other, one) for one, other in pairs)


def execute(
    cross_id: str,
    kind: CrossKind,
    command: CloseWindow,
    rules: Crossing,
    sides: tuple[Sequence[Interest], Sequence[Interest]],
) -> CrossExecuted | None:
    """Return the cross of two sides; None when nobody may meet anybody."""
    quote = command.quote
    assert quote is not None, "guard said yes"
    buys, sells = (
        tuple(
            Member(
                order_id=i.order.order_id, quantity=i.quantity, tier=1 if i.order.is_house else 0
            )
            for i in side
        )
        for side in sides
    )
    quantity = min(sum(m.quantity for m in buys), sum(m.quantity for m in sells))
    if not quantity:
        return None
    lot = command.instrument.allocation_lot
    pairs = _restricted_pairs((cross_id, lot), kind, command.restrictions, sides, (buys, sells))
    if pairs is not None:
        quantity = sum(pair.quantity for pair in pairs)
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
        declaration_id=rules.declaration_id,
        buys=buys,
        sells=sells,
        crossed_ns=command.at_ns,
        kind=kind,
        pairs=pairs or (),
        lot=lot,
        trade_date=command.instrument.trade_date,
        median_spread_e9=(command.median_spread_e9 or 0) if rules.spread_median_bps else 0,
    )


def _restricted_pairs(
    rule: tuple[str, int],
    kind: CrossKind,
    restrictions: Sequence[Restriction],
    sides: tuple[Sequence[Interest], Sequence[Interest]],
    members: tuple[Sequence[Member], Sequence[Member]],
) -> tuple[CrossPair, ...] | None:
    """Return who meets whom; None when everybody may meet everybody.

    Units:  `rule` is what ties are broken by, the cross's id, and the lot of shares.
    """
    owners: frozenset[str] = frozenset()
    if kind is CrossKind.CLIENT_CROSS:
        buying, selling = ({i.order.owner for i in side} for side in sides)
        owners = frozenset(buying & selling)  # own netting was barred to them
    if not restrictions and not owners:
        return None
    barred = bars(restrictions, sorted(owners))
    concerned = frozenset(one for one, _ in barred)
    buys, sells = ([_names(i.order, concerned) for i in side] for side in sides)
    is_barred = _rule(barred)
    others = tuple(dict.fromkeys(sells))
    if not any(is_barred(one, other) for one in dict.fromkeys(buys) for other in others):
        return None
    return pairing.fair_pairs(
        *rule,
        pairing.Side(members[0], buys),
        pairing.Side(members[1], sells),
        is_barred,
    )


def _names(order: Order, concerned: frozenset[Name]) -> tuple[Name, ...]:
    names = (
        (PartyLevel.ACCOUNT, order.account_id),
        (PartyLevel.CLIENT, order.client_id),
        (PartyLevel.OWNER, order.owner),
    )
    return tuple(name for name in names if name in concerned)


def _rule(
    barred: frozenset[tuple[Name, Name]],
) -> Callable[[tuple[Name, ...], tuple[Name, ...]], bool]:
    return lambda ones, others: any((a, b) in barred for a in ones for b in others)


def shares_of(cross: CrossExecuted) -> Mapping[str, int]:
    """Return what each order of either side gets; an order is on one side only."""
    result = {}
    for side, shares in zip((cross.buys, cross.sells), crossed_shares(cross), strict=True):
        for member, share in zip(side, shares, strict=True):
            if share:
                result[member.order_id] = share
    return result
