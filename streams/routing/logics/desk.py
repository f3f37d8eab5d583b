"""What one placing decision looks at, and the form of what a logic proposes."""

from typing import Final, NamedTuple

from schemas.messages.core import (
    Constraints,
    OrderKind,
    OrderType,
    RoutingLogic,
    VenueKind,
)
from streams.core.market import Quote, VenueBook
from streams.routing import costs
from streams.routing.commands import MarketBooks
from streams.routing.costs import FREE, Cost
from streams.routing.quoting import child_price
from streams.routing.records import Records
from streams.routing.state import Record, RoutingState, Slice
from streams.routing.venue_rules import VenueRules

__all__ = ["DARK_REST_NS", "NO_CONSTRAINTS", "REST_NS", "Desk", "Leg", "Passed", "Proposal"]

SECOND_NS: Final = 1_000_000_000
REST_NS: Final = 15 * SECOND_NS
DARK_REST_NS: Final = 3 * SECOND_NS
NO_CONSTRAINTS: Final = Constraints()


class Leg(NamedTuple):
    """An order for one venue."""

    book: VenueBook
    quantity: int
    price_e9: int | None
    shown_e9: int | None  # what the decision expects to pay, for the record
    cost: Cost
    reason: str
    order_type: OrderType = OrderType.LIMIT
    rest_ns: int = 0
    minimum: int = 0
    send_after_ns: int = 0
    is_post_only: bool = False


class Passed(NamedTuple):
    """A venue that gets nothing."""

    book: VenueBook
    cost: Cost
    reason: str


class Proposal(NamedTuple):
    """What a logic would do with a quantity; `score_e9` is its expected all-in cost per unit.

    `legs` stand by how much they are wanted: what lies beyond the slice belongs to the last ones.
    """

    logic: RoutingLogic
    score_e9: int
    legs: tuple[Leg, ...]
    passed: tuple[Passed, ...]
    reason: str
    model: str = ""
    gap_bps_e9: int | None = None


class Desk:
    """One decision's view: venues with what refuses them, records, prices and bounds.

    Everything is computed at most once, when a logic first asks for it.
    """

    def __init__(
        self,
        state: RoutingState,
        part: Slice,
        quantity: int,
        market: MarketBooks,
        quote: Quote,
        *,
        at_ns: int,
        rules: VenueRules,
        gated: frozenset[str],
    ) -> None:
        self.state = state
        self.part = part
        self.side = part.side
        self.quantity = quantity
        self.market = market
        self.quote = quote
        self.prices = costs.prices_of(part.side, quote)
        self.at_ns = at_ns
        self.rules = rules
        self.gated = gated
        self.settings = state.settings
        self.asked = part.constraints or NO_CONSTRAINTS
        # Less than the minimum is left: then all of it is the smallest execution accepted.
        self.minimum = min(self.asked.minimum_quantity, quantity)
        self.lot = market.instrument.lot
        self.lit: list[VenueBook] = []
        self.dark: list[VenueBook] = []
        self.refused: list[Passed] = []
        self._records: dict[OrderKind, Records] = {}
        self._resting: dict[str, Cost] = {}
        self._price_e9: int | None = None
        self._cleanup: int | None = None
        self._is_taking = part.logic is RoutingLogic.SWEEP
        self._is_choosy = bool(
            market.stopped_venue_ids or self.asked.venue_ids or self.asked.excluded_venue_ids
        )
        dark = VenueKind.DARK
        for book in market.books:
            is_dark = book.venue.kind is dark
            reason = self._refusal(book, is_dark=is_dark)
            if reason:
                self.refused.append(Passed(book, FREE, reason))
            else:
                (self.dark if is_dark else self.lit).append(book)

    @property
    def budget(self) -> int:
        """Return by how much this decision may still over-subscribe the slice."""
        return self.part.overfill_quantity - self.part.over

    @property
    def whole(self) -> int:
        """Return the quantity in whole lots; less than one goes out as it is."""
        return self.whole_lots(self.quantity)

    def whole_lots(self, quantity: int) -> int:
        """Return whole lots; what is less than one goes out as it is, or it would never trade."""
        return quantity // self.lot * self.lot or quantity

    @property
    def price_e9(self) -> int:
        """Return where a child rests by the slice's tactic."""
        if self._price_e9 is None:
            self._price_e9 = child_price(
                self.state, self.part, self.part.tactic, self.market, self.quote
            )
        return self._price_e9

    def records(self, kind: OrderKind) -> Records:
        """Return what is known of venues for that kind of order."""
        found = self._records.get(kind)
        if found is None:
            found = Records(self.state, kind, self.part.instrument_id, self.side)
            self._records[kind] = found
        return found

    def record(self, book: VenueBook, kind: OrderKind) -> Record:
        """Return what is known of the venue for that kind of order."""
        return self.records(kind)[book.venue.venue_id]

    def resting(self, book: VenueBook) -> Cost:
        """Return what resting all of the quantity there costs."""
        venue_id = book.venue.venue_id
        cost = self._resting.get(venue_id)
        if cost is None:
            record = self.record(book, OrderKind.PASSIVE)
            cost = costs.resting(record, book, self.prices, self.quantity, self.cleanup)
            self._resting[venue_id] = cost
        return cost

    @property
    def cleanup(self) -> int:
        """Return the fee of taking what did not fill, where it is least; 1e-9 basis points."""
        if self._cleanup is None:
            mid_e9 = self.prices.mid_e9
            venues = [book.venue for book in self.lit]
            self._cleanup = min(
                (costs.fee_bps_e9(v.taker_fee_e9, v.taker_fee_ppm, mid_e9) for v in venues),
                default=0,
            )
        return self._cleanup

    def tried(self, book: VenueBook) -> int:
        """Return how many children of the slice were there."""
        return self.part.attempts.get(book.venue.venue_id, 0)

    def _refusal(self, book: VenueBook, *, is_dark: bool) -> str:
        venue_id = book.venue.venue_id
        if self._is_choosy and (reason := self._unwanted(venue_id)):
            return reason
        if is_dark:
            if not self.part.is_dark_allowed:
                return "dark not allowed"
            if venue_id in self.gated:
                return "suspended for the parent: its fills lose too much"
            return self.rules.refusal(book, OrderType.MIDPOINT)
        if self._is_taking and self.rules.sweep_meets_own(
            book, self.side, self.part.limit_price_e9
        ):
            return "would meet our own order"
        return self.rules.refusal(book, OrderType.LIMIT)

    def _unwanted(self, venue_id: str) -> str:
        """Return who wants nothing sent to the venue; empty when nobody does."""
        if venue_id in self.market.stopped_venue_ids:
            return "stopped by the kill switch"
        if self.asked.venue_ids and venue_id not in self.asked.venue_ids:
            return "not among the owner's venues"
        return "excluded by the owner" if venue_id in self.asked.excluded_venue_ids else ""
