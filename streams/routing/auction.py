"""Place a slice that is for a call auction: who holds one, how much of it goes where, until when.

What the auctions leave comes back to the strategy; nothing of it is sent into continuous trading.
"""

from math import lcm
from typing import Any, Final, NamedTuple

from schemas.messages.core import (
    Cause,
    OrderType,
    PhaseKind,
    RouteAlternative,
    RoutingLogic,
    Side,
    Tactic,
    TimeInForce,
)
from schemas.messages.routing import ChildPlaced, RouteDecided
from streams.core.apportion import largest_remainder
from streams.core.market import AUCTION_REPORTS_NS, Auction, Venue, VenueBook
from streams.routing.commands import MarketBooks
from streams.routing.health import standing
from streams.routing.placement import ACK_TIMEOUT_NS, NO_CONSTRAINTS, returned
from streams.routing.state import Child, RoutingState, Slice
from streams.routing.throttle import Throttle

__all__ = ["AUCTION_TIMES", "is_locked", "place_auction"]

AUCTION_TIMES: Final = {
    PhaseKind.OPENING_AUCTION: TimeInForce.AT_OPEN,
    PhaseKind.CLOSING_AUCTION: TimeInForce.AT_CLOSE,
}


def is_locked(child: Child, at_ns: int) -> bool:
    """Return whether its venue lets nobody out now, since it is calling the auction.

    A cancel is not asked for then: the answer is known, and the exposure stays whatever it is.
    """
    return 0 < child.cancel_until_ns <= at_ns < child.rest_until_ns


def place_auction(
    state: RoutingState,
    part: Slice,
    quantity: int,
    market: MarketBooks,
    at_ns: int,
    *,
    cause: Cause,
    holds: bool,
    excluded: str = "",
) -> tuple[Any, ...]:
    """Return the decision, its children, and what no auction takes.

    The split follows what the others bring: by the quantity that each auction would trade now,
    else by what each venue's earlier auctions traded, else all of it at the primary venue.
    """
    return _AuctionPlacement(state, part, market, at_ns, excluded).events(
        quantity, cause, holds=holds
    )


class _AuctionPlacement(NamedTuple):
    """One placing decision."""

    state: RoutingState
    part: Slice
    market: MarketBooks
    at_ns: int
    excluded: str  # a venue suspended by this very decision

    def events(self, quantity: int, cause: Cause, *, holds: bool) -> tuple[Any, ...]:
        """Return all that is decided; `holds`: another child of the slice exposes quantity."""
        part, market = self.part, self.market
        held = {each.venue_id: each for each in market.auctions if each.kind is part.auction}
        usable: list[tuple[VenueBook, Auction]] = []
        alternatives: list[RouteAlternative] = []
        for book in market.books:
            venue_id = book.venue.venue_id
            auction = held.get(venue_id)
            reason = self._forbidden(book) or self._closed(book, auction)
            if reason or auction is None:
                alternatives.append(_alternative(venue_id, 0, None, reason))
            else:
                usable.append((book, auction))
        parts, rule = _split(usable, quantity, market.instrument.lot)
        children: list[ChildPlaced] = []
        for (book, auction), share in zip(usable, parts, strict=True):
            reason = rule if share else f"{rule}: not needed"
            price = self._price(book.venue) if share else None
            alternatives.append(_alternative(auction.venue_id, share, price, reason))
            if share:
                ordinal = part.placed + len(children) + 1
                children.append(self._child(book.venue, auction, share, price, ordinal))
        decided = RouteDecided(
            slice_id=part.slice_id,
            parent_id=part.parent_id,
            logic=RoutingLogic.PARALLEL if len(children) > 1 else RoutingLogic.SEQUENTIAL,
            quantity=quantity,
            scorecard_version=self.state.reports,
            book_event_ids=(),
            alternatives=tuple(sorted(alternatives, key=lambda each: each.quantity == 0)),
            cause=cause,
        )
        rest = quantity - sum(child.quantity for child in children)
        is_closed = not children and not holds
        return (decided, *children, *returned(part, rest, Cause.AUCTION, is_closed=is_closed))

    def _forbidden(self, book: VenueBook) -> str:
        """Return who wants nothing sent to the venue; empty when nobody does."""
        venue, asked = book.venue, self.part.constraints or NO_CONSTRAINTS
        venue_id, kind = venue.venue_id, self._order_type()
        health = standing(self.state, venue_id, self.part.instrument_id, self.at_ns).refusal
        refusal = "suspended" if venue_id == self.excluded else health
        throttled_ns = Throttle(self.state, self.at_ns).due_ns(venue_id, venue.messages_per_s)
        rungs = (
            (venue_id in self.market.stopped_venue_ids, "stopped by the kill switch"),
            (
                bool(asked.venue_ids) and venue_id not in asked.venue_ids,
                "not among the owner's venues",
            ),
            (venue_id in asked.excluded_venue_ids, "excluded by the owner"),
            (asked.minimum_quantity > 0, "an auction keeps no minimum"),
            (not book.venue.is_enabled, "disabled"),
            (bool(refusal), refusal),
            (
                bool(venue.order_types) and kind not in venue.order_types,
                f"takes no {kind.value.lower()} orders",
            ),
            (throttled_ns > 0, f"throttled: {venue.messages_per_s} messages a second"),
            (bool(self.part.attempts.get(venue_id)), "tried before"),
        )
        return next((text for is_broken, text in rungs if is_broken), "")

    def _closed(self, book: VenueBook, auction: Auction | None) -> str:
        """Return why the venue's auction takes nothing now; empty when it does."""
        if auction is None:
            return "holds no such auction"
        if auction.is_final or self.at_ns >= auction.uncross_ns:
            return "its auction is over"
        # It has to be there before the cut-off, not to be sent before it.
        is_late = self.at_ns + book.venue.latency_ns >= auction.cutoff_ns
        return "after the cut-off of its auction" if is_late else ""

    def _order_type(self) -> OrderType:
        return OrderType.MARKET if self.part.limit_price_e9 is None else OrderType.LIMIT

    def _price(self, venue: Venue) -> int | None:
        """Return the limit on both grids; None takes whatever price the auction makes."""
        limit_e9, terms = self.part.limit_price_e9, self.market.instrument
        if limit_e9 is None:
            return None
        is_buy = self.part.side is Side.BUY
        price_e9 = terms.floor_to_tick(limit_e9) if is_buy else terms.ceil_to_tick(limit_e9)
        if venue.tick_e9:
            price_e9 += -(price_e9 % venue.tick_e9) if is_buy else -price_e9 % venue.tick_e9
        return price_e9

    def _child(
        self,
        venue: Venue,
        auction: Auction,
        quantity: int,
        price_e9: int | None,
        ordinal: int,
    ) -> ChildPlaced:
        part, quote = self.part, self.market.quote
        return ChildPlaced(
            child_id=f"{part.slice_id}.{ordinal}",
            slice_id=part.slice_id,
            parent_id=part.parent_id,
            epoch=part.epoch,
            venue_id=auction.venue_id,
            instrument_id=part.instrument_id,
            side=part.side,
            quantity=quantity,
            order_type=self._order_type(),
            price_e9=price_e9,
            time_in_force=AUCTION_TIMES[part.auction],
            minimum_quantity=0,
            self_trade_id=part.self_trade_id,
            is_short_sale=part.is_short_sale,
            arrival_price_e9=None if quote is None else quote.midpoint_e9,
            placed_ns=self.at_ns,
            ack_due_ns=self.at_ns + ACK_TIMEOUT_NS,
            rest_until_ns=auction.uncross_ns + AUCTION_REPORTS_NS,
            tactic=Tactic.AUCTION,
            cancel_from_ns=self.at_ns + venue.latency_ns + venue.cancel_after_ns
            if venue.cancel_after_ns
            else 0,
            cancel_until_ns=auction.cutoff_ns,
            trade_date=self.market.instrument.trade_date,
            messages_per_s=venue.messages_per_s,
        )


def _split(
    usable: list[tuple[VenueBook, Auction]], quantity: int, lot: int
) -> tuple[list[int], str]:
    """Return the quantity of each auction, and the rule that gave it.

    Rounds: whole lots, the venue's own too, largest remainders first; what is below a venue's
            minimum goes to the largest part. An odd rest goes out only when there is nothing else.
    """
    if not usable:
        return [], ""
    rules = (
        ("share of what the auctions would trade", [each.quantity for _, each in usable]),
        ("share of earlier auctions", [each.traded_quantity for _, each in usable]),
        ("primary venue", [int(each.is_primary) for _, each in usable]),
        ("first that holds one", [int(number == 0) for number in range(len(usable))]),
    )
    rule, weights = next((rule, weights) for rule, weights in rules if any(weights))
    parts = [lots * lot for lots in largest_remainder(quantity // lot, weights)]
    largest = max(range(len(weights)), key=lambda i: (weights[i], -i))
    for i, (book, _) in enumerate(usable):
        parts[i] = _whole(parts[i], book.venue, lot)
        if i != largest and parts[i] < book.venue.minimum_quantity:
            parts[i] = 0
    others = sum(part for i, part in enumerate(parts) if i != largest)
    parts[largest] = (quantity // lot * lot or quantity) - others
    parts[largest] = _whole(parts[largest], usable[largest][0].venue, lot)
    if parts[largest] < usable[largest][0].venue.minimum_quantity:
        parts[largest] = 0
    return parts, rule


def _whole(quantity: int, venue: Venue, lot: int) -> int:
    """Return as much of it as is whole lots of a venue that has its own."""
    own = lcm(lot, venue.lot) if venue.lot else 1
    return quantity // own * own


def _alternative(
    venue_id: str, quantity: int, price_e9: int | None, reason: str
) -> RouteAlternative:
    return RouteAlternative(
        venue_id=venue_id, score_e9=0, quantity=quantity, price_e9=price_e9, reason=reason
    )
