"""What a venue's terms and its health let one placing decision do there."""

from math import lcm
from typing import Final, NamedTuple

from schemas.messages.core import BookState, OrderType, SelfTradeRule, Side, TimeInForce, VenueKind
from schemas.messages.routing import VenueSuspended
from streams.core.market import Venue, VenueBook
from streams.routing.commands import MarketBooks
from streams.routing.health import Standing, books_in_trouble, standing
from streams.routing.state import Child, RoutingState
from streams.routing.throttle import Throttle

__all__ = ["Fit", "VenueRules"]

PROBE_DIVISOR: Final = 10  # a probe is a tenth of what is to be placed, or the venue's least
# Sending would be for nothing, or would trade with ourselves. CANCEL_OLDEST takes the new order.
_GUARDED: Final = (SelfTradeRule.NONE, SelfTradeRule.CANCEL_NEWEST, SelfTradeRule.CANCEL_BOTH)
_OPEN: Final = Standing("")


class _Standings(dict[str, Standing]):
    """How each venue may be used; looked up when it is first asked for, as often as three times."""

    __slots__ = ("_at_ns", "_instrument_id", "_state")

    def __init__(self, state: RoutingState, instrument_id: str, at_ns: int) -> None:
        self._state = state
        self._instrument_id = instrument_id
        self._at_ns = at_ns

    def __missing__(self, venue_id: str) -> Standing:
        if not self._state.venues:
            return _OPEN
        found = standing(self._state, venue_id, self._instrument_id, self._at_ns)
        self[venue_id] = found
        return found


class Fit(NamedTuple):
    """What of a quantity may go to a venue, and at which price; `reason` when nothing may."""

    quantity: int
    price_e9: int | None
    reason: str = ""


class VenueRules:
    """Asked by one placing decision about each venue; it remembers what it let through."""

    def __init__(
        self, state: RoutingState, market: MarketBooks, at_ns: int, excluded: frozenset[str]
    ) -> None:
        self._state = state
        self._market = market
        self._at_ns = at_ns
        self._throttle = Throttle(state, at_ns)
        self._standings = _Standings(state, market.instrument.instrument_id, at_ns)
        self.waits_ns = 0  # when the first venue that is only throttled takes a message; 0: none is
        self.suspended: tuple[VenueSuspended, ...] = books_in_trouble(state, market, at_ns)
        self._excluded = excluded | {each.venue_id for each in self.suspended}
        self._oldest_ns = at_ns - market.age_max_ns  # of a book that is a quote
        self._own = _resting(state, market.instrument.instrument_id)

    def refusal(self, book: VenueBook, order_type: OrderType) -> str:
        """Return why the venue gets no child now; empty when it may get one."""
        venue = book.venue
        if venue.venue_id in self._excluded:
            return "suspended"
        if reason := self._standings[venue.venue_id].refusal:
            return reason
        # Nearly all of them are open, young and uncrossed.
        is_sound = book.state is BookState.OPEN and not book.crossed_since_ns
        is_sound = is_sound and book.at_ns >= self._oldest_ns
        if not is_sound and (reason := _state_refusal(book) or self._book_refusal(book)):
            return reason
        if venue.order_types and order_type not in venue.order_types:
            return f"takes no {order_type.value.lower()} orders"
        if due_ns := self._throttle.due_ns(venue.venue_id, venue.messages_per_s):
            self.waits_ns = min(self.waits_ns or due_ns, due_ns)
            return f"throttled: {venue.messages_per_s} messages a second"
        return ""

    def fit(
        self, book: VenueBook, side: Side, quantity: int, price_e9: int | None, least: int = 0
    ) -> Fit:
        """Return the quantity in the venue's lots and the price on its grid, never a worse one.

        `least`: the smallest execution that the order accepts; a smaller probe would not trade.
        """
        venue = book.venue
        if self._standings[venue.venue_id].is_probing:
            lot = self._lot(venue)
            probe = max(quantity // PROBE_DIVISOR, venue.minimum_quantity, least, lot)
            quantity = min(quantity, -(-probe // lot) * lot)
        if venue.lot:
            lot = self._lot(venue)
            quantity = quantity // lot * lot
            if not quantity:
                return Fit(0, None, f"less than the venue's lot of {venue.lot}")
        if quantity < venue.minimum_quantity:
            return Fit(0, None, "below the venue's minimum")
        if price_e9 is not None and venue.tick_e9:
            rest = price_e9 % venue.tick_e9
            price_e9 += -rest if side is Side.BUY else -price_e9 % venue.tick_e9
        if venue.venue_id in self._own and self._meets_own(venue, side, price_e9):
            return Fit(0, None, "would meet our own order")
        return Fit(quantity, price_e9)

    def sweep_meets_own(self, book: VenueBook, side: Side, limit_price_e9: int | None) -> bool:
        """Return whether taking all that is shown within the limit would take our own order."""
        if book.venue.venue_id not in self._own:
            return False
        levels = book.asks if side is Side.BUY else book.bids
        if not levels:
            return False
        worst_e9 = levels[-1].price_e9
        if limit_price_e9 is not None:
            nearest = min if side is Side.BUY else max
            worst_e9 = nearest(worst_e9, limit_price_e9)
        return self._meets_own(book.venue, side, worst_e9)

    def child_terms(self, venue: Venue) -> tuple[int, bool]:
        """Count a child of this decision; return when it may be canceled, whether it is a probe."""
        after_ns = venue.cancel_after_ns
        cancel_from_ns = self._at_ns + venue.latency_ns + after_ns if after_ns else 0
        self._throttle.take(venue.venue_id)
        return cancel_from_ns, self._standings[venue.venue_id].is_probing

    def _book_refusal(self, book: VenueBook) -> str:
        """Return what is wrong with what the venue shows; a dark venue shows nothing."""
        age_max_ns = self._market.age_max_ns
        if not age_max_ns or book.venue.kind is VenueKind.DARK:
            return ""
        if self._at_ns - book.at_ns > age_max_ns:
            return "its book is stale"
        crossed_ns = self._at_ns - book.crossed_since_ns if book.crossed_since_ns else 0
        if crossed_ns > self._market.crossed_max_ns:
            return "its book crosses the others'"
        return ""

    def _lot(self, venue: Venue) -> int:
        lot = self._market.instrument.lot
        return lcm(lot, venue.lot) if venue.lot else lot

    def _meets_own(self, venue: Venue, side: Side, price_e9: int | None) -> bool:
        if venue.self_trade_rule not in _GUARDED:
            return False
        for child in self._own.get(venue.venue_id, ()):
            if child.side is side:
                continue
            if price_e9 is None or child.price_e9 is None:
                return True
            gap = price_e9 - child.price_e9
            if gap >= 0 if side is Side.BUY else gap <= 0:
                return True
        return False


def _resting(state: RoutingState, instrument_id: str) -> dict[str, list[Child]]:
    """Return our orders that an order in the instrument may meet, by venue."""
    found: dict[str, list[Child]] = {}
    for child in state.children.values():
        if child.instrument_id != instrument_id or not child.is_open:
            continue
        if child.time_in_force is not TimeInForce.IOC:
            found.setdefault(child.venue_id, []).append(child)
    return found


def _state_refusal(book: VenueBook) -> str:
    if book.state is BookState.OPEN:
        return ""
    # A dark venue publishes no book, so that nobody may have said that it is open.
    if book.state is BookState.UNKNOWN and book.venue.kind is VenueKind.DARK:
        return ""
    return book.state.value.lower()
