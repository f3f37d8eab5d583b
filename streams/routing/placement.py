"""Place what no child holds: choose a logic, carry out what it proposes, give back the rest."""

from typing import Any, Final

from schemas.messages.core import (
    Cause,
    LogicAlternative,
    OrderType,
    RejectReason,
    RouteAlternative,
    RoutingLogic,
    Side,
    Tactic,
    TimeInForce,
    VenueKind,
    VenueTrouble,
)
from schemas.messages.routing import (
    ChildPlaced,
    RouteDecided,
    SliceDeferred,
    SliceReturned,
    VenueSuspended,
)
from streams.core.calendar import NEVER_NS
from streams.core.market import Quote, VenueBook
from streams.routing.commands import MarketBooks
from streams.routing.costs import FREE, Cost
from streams.routing.logics.choice import choose
from streams.routing.logics.desk import NO_CONSTRAINTS, Desk, Leg, Proposal
from streams.routing.markouts import bad_markouts
from streams.routing.pricing import shown_quantity
from streams.routing.state import RoutingState, Slice
from streams.routing.venue_rules import VenueRules

__all__ = ["ACK_TIMEOUT_NS", "CHILDREN_PER_SLICE_MAX", "NO_CONSTRAINTS", "Placement", "returned"]

SECOND_NS: Final = 1_000_000_000
# A tape's step is one second and an answer takes one, so five leave room for a slow venue.
ACK_TIMEOUT_NS: Final = 5 * SECOND_NS
# A venue that cancels at once would otherwise be asked for ever within one slice.
CHILDREN_PER_SLICE_MAX: Final = 40
PART_MAX: Final = 1 << 59  # of a score, which is recorded with 64 bits


def returned(
    part: Slice, quantity: int, cause: Cause, *, is_closed: bool
) -> tuple[SliceReturned, ...]:
    """Return the event that gives quantity back to the strategy; nothing for nothing."""
    if quantity == 0:
        return ()
    return (
        SliceReturned(
            slice_id=part.slice_id,
            parent_id=part.parent_id,
            epoch=part.epoch,
            quantity=quantity,
            is_closed=is_closed,
            cause=cause,
        ),
    )


def deferred(
    part: Slice, quantity: int, due_ns: int, *, market: MarketBooks
) -> tuple[SliceDeferred, ...]:
    """Return the event that lets quantity wait for a throttled venue, if it opens in time."""
    if quantity == 0 or not 0 < due_ns < part.deadline_ns:
        return ()
    return (
        SliceDeferred(
            slice_id=part.slice_id,
            parent_id=part.parent_id,
            epoch=part.epoch,
            instrument_id=market.instrument.instrument_id,
            quantity=quantity,
            due_ns=due_ns,
            reason="every venue that would do is throttled",
        ),
    )


class Placement:
    """One placing decision: what a logic proposes becomes children, the rest goes back."""

    def __init__(
        self,
        state: RoutingState,
        part: Slice,
        quantity: int,
        market: MarketBooks,
        at_ns: int,
        *,
        cause: Cause,
        holds: bool,
        excluded: str = "",
    ) -> None:
        self._state = state
        self._part = part
        self._quantity = quantity
        self._market = market
        self._at_ns = at_ns
        self._cause = cause
        self._holds = holds  # whether another child of the slice still exposes quantity
        # `excluded`: a venue suspended by this very decision.
        self._rules = VenueRules(state, market, at_ns, frozenset({excluded}))
        self._gated: dict[str, VenueSuspended] = {}
        self._asked = part.constraints or NO_CONSTRAINTS

    def events(self) -> tuple[Any, ...]:
        """Return the decision, its children, and what no venue takes."""
        quote = self._market.quote
        if quote is None or self._part.placed >= CHILDREN_PER_SLICE_MAX:
            reason = "no quote" if quote is None else "too many children"
            passed = [_alternative(book, FREE, 0, None, reason) for book in self._market.books]
            return self._closed(self._decided(self._part.logic, passed, ()), ())
        desk = self._desk(quote)
        chosen, weighed = choose(desk)
        legs = self._within(chosen)
        # Those that get something stand first.
        alternatives = [
            _alternative(leg.book, leg.cost, leg.quantity, leg.shown_e9, leg.reason) for leg in legs
        ]
        alternatives += [
            _alternative(each.book, each.cost, 0, None, each.reason)
            for each in (*chosen.passed, *desk.refused)
        ]
        told = {each.venue_id for each in alternatives}
        alternatives += [
            _alternative(book, FREE, 0, None, "not asked by this logic")
            for book in self._market.books
            if book.venue.venue_id not in told
        ]
        decided = self._decided(
            chosen.logic, alternatives, weighed, chosen.model, chosen.gap_bps_e9
        )
        return self._closed(decided, self._children(quote, legs))

    def _desk(self, quote: Quote) -> Desk:
        ledger = self._state.parents.get(self._part.parent_id)
        if ledger is not None and self._part.is_dark_allowed:
            for venue_id, loss_e9 in bad_markouts(
                ledger, self._state.settings, self._part.side, quote, self._at_ns
            ):
                self._gated[venue_id] = VenueSuspended(
                    venue_id=venue_id,
                    reason=RejectReason.UNKNOWN,
                    until_ns=NEVER_NS,
                    trouble=VenueTrouble.MARKOUT,
                    instrument_id=self._part.instrument_id,
                    parent_id=self._part.parent_id,
                    value_e9=loss_e9,
                    bound_e9=self._state.settings.markout_bound_bps_e9,
                )
        gated = set(self._gated) | set(ledger.gated if ledger is not None else ())
        return Desk(
            self._state,
            self._part,
            self._quantity,
            self._market,
            quote,
            at_ns=self._at_ns,
            rules=self._rules,
            gated=frozenset(gated),
        )

    def _within(self, chosen: Proposal) -> tuple[Leg, ...]:
        """Return the legs as far as slice and over-fill budget bear them: never more, by nobody."""
        room = self._quantity + max(0, self._part.overfill_quantity - self._part.over)
        legs: list[Leg] = []
        for leg in chosen.legs:
            quantity = leg.quantity if leg.quantity < room else room
            room -= quantity
            if quantity and quantity >= leg.minimum:
                legs.append(leg if quantity == leg.quantity else leg._replace(quantity=quantity))
        return tuple(legs)

    def _children(self, quote: Quote, legs: tuple[Leg, ...]) -> tuple[ChildPlaced, ...]:
        """Return the orders; what lies beyond the slice belongs to the last ones."""
        part, at_ns, midpoint_e9 = self._part, self._at_ns, quote.midpoint_e9
        slice_id, ordinal, wanted = part.slice_id, part.placed, self._quantity
        trade_date, children = self._market.instrument.trade_date, []
        # What is the same for all: a sweep makes a child for every venue.
        parent_id, epoch, instrument_id = part.parent_id, part.epoch, part.instrument_id
        side, self_trade_id, is_short_sale = part.side, part.self_trade_id, part.is_short_sale
        day, at_once, tactic = TimeInForce.DAY, TimeInForce.IOC, part.tactic
        has_tactic = tactic is not Tactic.UNKNOWN
        child_terms = self._rules.child_terms
        for leg in legs:
            ordinal += 1
            venue, quantity, rest_ns = leg.book.venue, leg.quantity, leg.rest_ns
            over = quantity - wanted if quantity > wanted else 0
            wanted += over - quantity
            cancel_from_ns, is_probe = child_terms(venue)
            # A bid beside a sweep must be back before its slice is.
            until_ns = min(at_ns + rest_ns, part.deadline_ns) if rest_ns else 0
            children.append(
                ChildPlaced(
                    child_id=f"{slice_id}.{ordinal}",
                    slice_id=slice_id,
                    parent_id=parent_id,
                    epoch=epoch,
                    venue_id=venue.venue_id,
                    instrument_id=instrument_id,
                    side=side,
                    quantity=quantity,
                    order_type=leg.order_type,
                    price_e9=leg.price_e9,
                    time_in_force=day if rest_ns else at_once,
                    minimum_quantity=leg.minimum,
                    self_trade_id=self_trade_id,
                    arrival_price_e9=midpoint_e9,
                    placed_ns=at_ns,
                    ack_due_ns=at_ns + leg.send_after_ns + ACK_TIMEOUT_NS,
                    rest_until_ns=until_ns,
                    is_short_sale=is_short_sale,
                    display_quantity=self._shown(leg) if rest_ns else 0,
                    tactic=self._tactic(leg) if has_tactic else tactic,
                    send_after_ns=leg.send_after_ns,
                    overfill_quantity=over,
                    cancel_from_ns=cancel_from_ns,
                    is_probe=is_probe,
                    trade_date=trade_date,
                    messages_per_s=venue.messages_per_s,
                )
            )
        return tuple(children)

    def _decided(
        self,
        logic: RoutingLogic,
        alternatives: list[RouteAlternative],
        weighed: tuple[LogicAlternative, ...],
        model: str = "",
        gap_bps_e9: int | None = None,
    ) -> RouteDecided:
        return RouteDecided(
            slice_id=self._part.slice_id,
            parent_id=self._part.parent_id,
            logic=logic,
            quantity=self._quantity,
            scorecard_version=self._state.reports,
            book_event_ids=tuple([book.event_id for book in self._market.books]),
            alternatives=tuple(alternatives),
            cause=self._cause,
            logics=weighed,
            model=model,
            gap_bps_e9=gap_bps_e9,
        )

    def _closed(self, decided: RouteDecided, children: tuple[ChildPlaced, ...]) -> tuple[Any, ...]:
        placed = sum(child.quantity - child.overfill_quantity for child in children)
        rest = self._quantity - placed
        assert rest >= 0, "a logic places more than the slice wants"
        is_closed = not children and not self._holds
        back: tuple[SliceDeferred | SliceReturned, ...] = deferred(
            self._part, rest, self._rules.waits_ns, market=self._market
        )
        if not back:
            back = returned(self._part, rest, Cause.VENUE, is_closed=is_closed)
        return (*self._rules.suspended, *self._gated.values(), decided, *children, *back)

    def _shown(self, leg: Leg) -> int:
        """Return what a resting child shows, in whole lots; 0 when that is all of it."""
        book = leg.book
        if book.venue.kind is VenueKind.DARK:
            return 0
        levels = book.bids if self._part.side is Side.BUY else book.asks
        return shown_quantity(
            leg.quantity,
            self._asked.display_quantity,
            self._part.display_share_bps,
            levels,
            self._market.instrument.lot,
        )

    def _tactic(self, leg: Leg) -> Tactic:
        """Return how a child meets the quote, where the slice says how."""
        if leg.order_type is OrderType.MIDPOINT:
            return Tactic.MIDPOINT
        return self._part.tactic if leg.rest_ns else Tactic.CROSS


def _alternative(
    book: VenueBook, cost: Cost, quantity: int, price_e9: int | None, reason: str
) -> RouteAlternative:
    if not -PART_MAX < min(cost) <= max(cost) < PART_MAX:
        cost = Cost(*(max(-PART_MAX, min(part, PART_MAX)) for part in cost))
    fee, spread, slippage, latency, leakage = cost
    return RouteAlternative(
        venue_id=book.venue.venue_id,
        score_e9=fee + spread + slippage + latency + leakage,
        quantity=quantity,
        price_e9=price_e9,
        reason=reason,
        fee_e9=fee,
        spread_e9=spread,
        slippage_e9=slippage,
        latency_e9=latency,
        leakage_e9=leakage,
    )
