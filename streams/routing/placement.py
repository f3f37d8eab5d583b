"""Place what no child holds: rest it venue by venue, or sweep the consolidated book."""

from typing import Any, Final

from schemas.messages.core import (
    Cause,
    Constraints,
    OrderType,
    RouteAlternative,
    RoutingLogic,
    Side,
    Tactic,
    TimeInForce,
    VenueKind,
)
from schemas.messages.routing import ChildPlaced, RouteDecided, SliceDeferred, SliceReturned
from streams.core.market import Quote, VenueBook
from streams.routing import scorecard
from streams.routing.commands import MarketBooks
from streams.routing.pricing import shown_quantity
from streams.routing.quoting import child_price
from streams.routing.state import RoutingState, Slice
from streams.routing.sweep import split, sweep_venue
from streams.routing.venue_rules import VenueRules

__all__ = ["ACK_TIMEOUT_NS", "CHILDREN_PER_SLICE_MAX", "Placement", "returned"]

SECOND_NS: Final = 1_000_000_000
# A tape's step is one second and an answer takes one, so five leave room for a slow venue.
ACK_TIMEOUT_NS: Final = 5 * SECOND_NS
REST_NS: Final = 15 * SECOND_NS
DARK_REST_NS: Final = 3 * SECOND_NS
DARK_SHARE_BPS: Final = 5_000
# A midpoint fill saves half the spread: below two ticks that is less than one tick.
DARK_SPREAD_TICKS_MIN: Final = 2
# A dark order accepts no execution below a quarter of it, against probing by small orders.
DARK_MINIMUM_DIVISOR: Final = 4
# A venue that cancels at once would otherwise be asked for ever within one slice.
CHILDREN_PER_SLICE_MAX: Final = 40
NO_CONSTRAINTS: Final = Constraints()


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
    """One placing decision: collects alternatives and children until `events` closes it."""

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
        self._rest = quantity
        self._asked = part.constraints or NO_CONSTRAINTS
        # Less than the minimum is left: then all of it is the smallest execution accepted.
        self._minimum = min(self._asked.minimum_quantity, quantity)
        self._children: list[ChildPlaced] = []
        self._alternatives: list[RouteAlternative] = []

    def events(self) -> tuple[Any, ...]:
        """Return the decision, its children, and what no venue takes."""
        quote = self._market.quote
        if quote is not None and self._part.placed < CHILDREN_PER_SLICE_MAX:
            if self._part.logic is RoutingLogic.SWEEP:
                self._sweep(quote)
            else:
                self._rest_passively(quote)
        else:
            reason = "no quote" if quote is None else "too many children"
            for book in self._market.books:
                self._pass_over(book, 0, reason)
        decided = RouteDecided(
            slice_id=self._part.slice_id,
            parent_id=self._part.parent_id,
            logic=self._part.logic,
            quantity=self._quantity,
            scorecard_version=self._state.reports,
            book_event_ids=tuple(book.event_id for book in self._market.books),
            alternatives=tuple(sorted(self._alternatives, key=lambda a: a.quantity == 0)),
            cause=self._cause,
        )
        is_closed = not self._children and not self._holds
        rest: tuple[SliceDeferred | SliceReturned, ...] = deferred(
            self._part, self._rest, self._rules.waits_ns, market=self._market
        )
        if not rest:
            rest = returned(self._part, self._rest, Cause.VENUE, is_closed=is_closed)
        assert self._rest + sum(child.quantity for child in self._children) == self._quantity
        return (*self._rules.suspended, decided, *self._children, *rest)

    def _sweep(self, quote: Quote) -> None:
        usable = []
        for book in self._market.books:
            reason = self._refusal(book) or (
                "dark venues are not swept" if book.venue.kind is VenueKind.DARK else ""
            )
            if reason:
                self._pass_over(book, 0, reason)
            else:
                score = scorecard.aggressive_score_e9(self._state, book.venue, quote)
                usable.append((score, book.venue.venue_id, book))
        usable.sort(key=lambda entry: entry[:2])
        side = self._part.side
        lot = min(self._market.instrument.lot, self._whole(self._rest))
        steps = split(
            tuple(
                sweep_venue(book, side, self._part.limit_price_e9, lot, self._minimum)
                for _, _, book in usable
            ),
            self._whole(self._rest),
        )
        for score, venue_id, book in usable:
            own = [step for step in steps if step.venue_id == venue_id]
            if not own:
                self._pass_over(book, score, "nothing shown within the limit is cheaper")
                continue
            prices = [step.price_e9 for step in own]
            worst = max(prices) if side is Side.BUY else min(prices)
            offered = sum(step.quantity for step in own)
            quantity, price, reason = self._rules.fit(book, side, offered, worst, self._minimum)
            if not quantity:
                self._pass_over(book, score, reason)
                continue
            self._choose(book, score, quantity, price, "cheapest all in")
            self._place(quote, book, quantity, price, minimum=min(self._minimum, quantity))

    def _rest_passively(self, quote: Quote) -> None:
        for book in self._market.books:
            if book.venue.kind is VenueKind.DARK:
                self._try_dark(quote, book)
        usable = []
        for book in self._market.books:
            if book.venue.kind is VenueKind.DARK:
                continue
            reason = self._refusal(book) or (
                "a resting order keeps no minimum" if self._minimum else ""
            )
            if reason:
                self._pass_over(book, 0, reason)
            else:
                score = scorecard.passive_score_e9(self._state, book.venue, quote)
                tried = self._part.attempts.get(book.venue.venue_id, 0)
                usable.append((tried, score, book.venue.venue_id, book))
        quantity = self._whole(self._rest)
        price = child_price(self._state, self._part, self._part.tactic, self._market, quote)
        for tried, score, _, book in sorted(usable, key=lambda entry: entry[:3]):
            if quantity == 0:
                self._pass_over(book, score, f"ranked after {tried} attempts, not needed")
            else:
                fit = self._rules.fit(book, self._part.side, quantity, price)
                if not fit.quantity:
                    self._pass_over(book, score, fit.reason)
                    continue
                reason = f"best score after {tried} attempts"
                self._choose(book, score, fit.quantity, fit.price_e9, reason)
                self._place(quote, book, fit.quantity, fit.price_e9, rest_ns=REST_NS)
                quantity -= fit.quantity

    def _try_dark(self, quote: Quote, book: VenueBook) -> None:
        part, lot = self._part, self._market.instrument.lot
        venue = book.venue
        quantity = self._quantity * DARK_SHARE_BPS // 10_000 // lot * lot
        fee = scorecard.fee_bps_e9(venue.taker_fee_e9, venue.taker_fee_ppm, quote.midpoint_e9)
        saving = scorecard.half_spread_bps_e9(quote) - fee
        spread_min = DARK_SPREAD_TICKS_MIN * self._market.instrument.tick_at(quote.bid_e9)
        limit = part.limit_price_e9
        if not part.is_dark_allowed:
            reason = "dark not allowed"
        elif refusal := self._refusal(book):
            reason = refusal
        elif part.attempts.get(venue.venue_id):
            reason = "tried before"
        elif quote.ask_e9 - quote.bid_e9 < spread_min or saving <= 0:
            reason = "spread not worth it"
        elif limit is not None and _is_worse(part.side, quote.midpoint_e9, limit):
            reason = "midpoint beyond the limit"
        elif quantity == 0 or quantity < venue.minimum_quantity:
            reason = "below the venue's minimum"
        elif quantity < self._minimum:
            reason = "below the owner's minimum"
        elif not (fit := self._rules.fit(book, part.side, quantity, limit, self._minimum)).quantity:
            reason = fit.reason
        else:
            quantity = fit.quantity
            smallest = quantity // DARK_MINIMUM_DIVISOR // lot * lot
            self._choose(book, -saving, quantity, quote.midpoint_e9, "saves half the spread")
            self._place(
                quote,
                book,
                quantity,
                fit.price_e9,
                order_type=OrderType.MIDPOINT,
                rest_ns=DARK_REST_NS,
                minimum=max(venue.minimum_quantity, smallest, self._minimum),
            )
            return
        self._pass_over(book, -saving, reason)

    def _shown(self, quantity: int, book: VenueBook) -> int:
        """Return what a resting child shows, in whole lots; 0 when that is all of it."""
        levels = book.bids if self._part.side is Side.BUY else book.asks
        return shown_quantity(
            quantity,
            self._asked.display_quantity,
            self._part.display_share_bps,
            levels,
            self._market.instrument.lot,
        )

    def _tactic(self, order_type: OrderType) -> Tactic:
        """Return how a child meets the quote, as far as the slice says how."""
        is_dark = order_type is OrderType.MIDPOINT and self._part.tactic is not Tactic.UNKNOWN
        return Tactic.MIDPOINT if is_dark else self._part.tactic

    def _whole(self, quantity: int) -> int:
        """Return whole lots; what is less than one goes out as it is, or it would never trade."""
        lot = self._market.instrument.lot
        return quantity // lot * lot or quantity

    def _forbidden(self, venue_id: str) -> str:
        """Return who forbids the venue, whatever its state; empty when nobody does."""
        asked = self._asked
        if venue_id in self._market.stopped_venue_ids:
            return "stopped by the kill switch"
        if asked.venue_ids and venue_id not in asked.venue_ids:
            return "not among the owner's venues"
        return "excluded by the owner" if venue_id in asked.excluded_venue_ids else ""

    def _refusal(self, book: VenueBook) -> str:
        venue_id = book.venue.venue_id
        is_dark = book.venue.kind is VenueKind.DARK
        if forbidden := self._forbidden(venue_id):
            return forbidden
        return self._rules.refusal(book, OrderType.MIDPOINT if is_dark else OrderType.LIMIT)

    def _choose(
        self, book: VenueBook, score_e9: int, quantity: int, price_e9: int | None, reason: str
    ) -> None:
        self._alternatives.append(
            RouteAlternative(
                venue_id=book.venue.venue_id,
                score_e9=score_e9,
                quantity=quantity,
                price_e9=price_e9,
                reason=reason,
            )
        )

    def _pass_over(self, book: VenueBook, score_e9: int, reason: str) -> None:
        self._alternatives.append(
            RouteAlternative(
                venue_id=book.venue.venue_id,
                score_e9=score_e9,
                quantity=0,
                price_e9=None,
                reason=reason,
            )
        )

    def _place(
        self,
        quote: Quote,
        book: VenueBook,
        quantity: int,
        price_e9: int | None,
        *,
        order_type: OrderType = OrderType.LIMIT,
        rest_ns: int = 0,
        minimum: int = 0,
    ) -> None:
        part = self._part
        is_lit = book.venue.kind is not VenueKind.DARK
        ordinal = part.placed + len(self._children) + 1
        self._rest -= quantity
        self._children.append(
            ChildPlaced(
                child_id=f"{part.slice_id}.{ordinal}",
                slice_id=part.slice_id,
                parent_id=part.parent_id,
                epoch=part.epoch,
                venue_id=book.venue.venue_id,
                instrument_id=part.instrument_id,
                side=part.side,
                quantity=quantity,
                order_type=order_type,
                price_e9=price_e9,
                time_in_force=TimeInForce.DAY if rest_ns else TimeInForce.IOC,
                minimum_quantity=minimum,
                self_trade_id=part.self_trade_id,
                is_short_sale=part.is_short_sale,
                display_quantity=self._shown(quantity, book) if rest_ns and is_lit else 0,
                arrival_price_e9=quote.midpoint_e9,
                placed_ns=self._at_ns,
                ack_due_ns=self._at_ns + ACK_TIMEOUT_NS,
                rest_until_ns=self._at_ns + rest_ns if rest_ns else 0,
                tactic=self._tactic(order_type),
                **self._rules.child_terms(book.venue),
            )
        )


def _is_worse(side: Side, price_e9: int, limit_price_e9: int) -> bool:
    return price_e9 > limit_price_e9 if side is Side.BUY else price_e9 < limit_price_e9
