"""A world for the scorecard: children sent, filled and canceled, and the quotes that follow."""

from collections.abc import Callable
from typing import Any

from schemas.messages.core import MarkedQuote, OrderKind, OrderType, Side, TimeInForce, VenueKind
from schemas.messages.routing import ChildAcknowledged, ChildRejected
from schemas.messages.scorecard import FillsMarked, InstrumentBucketed, VenueScored
from streams.core.market import Venue
from streams.scorecard import MARK_TIMER, SCORECARD, ScorecardState, due_marks, timers_of
from streams.scorecard.commands import BucketMarket, MarkFills, ScoreVenues
from streams.scorecard.estimate import E9
from tests.support.builders import ACME, OPEN_NS, SECOND, TICK, venue
from tests.support.routing import booked, canceled, placed

__all__ = ["BUCKET", "Street"]

BUCKET = "medium"
MID_E9 = 10_000 * TICK
VENUES = (venue("D1", kind=VenueKind.DARK), venue("V1"), venue("V2"))


class Street:
    """Plays children against a quote that a test moves; every event is folded as it comes."""

    def __init__(self, venues: tuple[Venue, ...] = VENUES) -> None:
        self.state = SCORECARD.initial()
        self.venues = venues
        self.at_ns = OPEN_NS
        self.midpoint_e9: Callable[[int], int | None] = lambda _at_ns: MID_E9
        self.events: list[Any] = []
        self.timers: dict[str, int | None] = {}
        self._count = 0
        self.tell(InstrumentBucketed(instrument_id=ACME, bucket=BUCKET, lot=1, tick_bps_e9=E9))

    def tell(self, event: Any) -> None:
        """Fold one event and keep its timers."""
        self.events.append(event)
        SCORECARD.evolve(self.state, event)
        self.timers |= dict(timers_of(event, self.state))

    def send(self, venue_id: str = "V1", **changes: Any) -> str:
        """Place a child of 100 and acknowledge it a millisecond later; return its id."""
        self._count += 1
        child_id = f"P.1.{self._count}"
        fields = {
            "venue_id": venue_id,
            "placed_ns": self.at_ns,
            "arrival_price_e9": self.midpoint_e9(self.at_ns),
            **changes,
        }
        self.tell(placed(child_id, **fields))
        self.tell(
            ChildAcknowledged(
                child_id=child_id,
                slice_id="P.1",
                parent_id="P",
                epoch=1,
                venue_id=venue_id,
                instrument_id=ACME,
                venue_order_id=child_id,
                ack_latency_ns=1_000_000,
            )
        )
        return child_id

    def take(self, venue_id: str = "V1", **changes: Any) -> str:
        """Place a child that takes at once."""
        ticks = {"time_in_force": TimeInForce.IOC, "price_e9": MID_E9 + TICK, **changes}
        return self.send(venue_id, **ticks)

    def hide(self, venue_id: str = "D1", **changes: Any) -> str:
        """Place a child pegged to the midpoint."""
        return self.send(venue_id, **{"order_type": OrderType.MIDPOINT, **changes})

    def reject(self, child_id: str, venue_id: str = "V1") -> None:
        self.tell(
            ChildRejected(
                child_id=child_id,
                slice_id="P.1",
                parent_id="P",
                epoch=1,
                venue_id=venue_id,
                instrument_id=ACME,
                quantity=100,
                text="",
            )
        )

    def fill(self, child_id: str, quantity: int = 100, price_e9: int = MID_E9, **more: Any) -> None:
        """Fill at this instant."""
        self._count += 1
        times = {"transact_ns": self.at_ns, "booked_ns": self.at_ns}
        cash = {"price_e9": price_e9, "cash_e9": price_e9 * quantity}
        self.tell(booked(f"e{self._count}", quantity, child_id=child_id, **times, **cash, **more))

    def cancel(self, child_id: str, quantity: int = 100, outstanding: int = 0) -> None:
        at = {"canceled_ns": self.at_ns}
        self.tell(canceled(quantity, outstanding, child_id=child_id, **at))

    def wait(self, seconds: int) -> None:
        """Let time pass; marks are made as their timer asks."""
        until_ns = self.at_ns + seconds * SECOND
        while (due_ns := self.timers.get(MARK_TIMER)) is not None and due_ns <= until_ns:
            self.at_ns = max(self.at_ns, due_ns)
            self.timers[MARK_TIMER] = None
            self.mark()
        self.at_ns = until_ns

    def mark(self) -> FillsMarked:
        marks = tuple(self._quote(*due) for due in due_marks(self.state, self.at_ns))
        (event,) = SCORECARD.decide(self.state, MarkFills(at_ns=self.at_ns, marks=marks))
        self.tell(event)
        assert isinstance(event, FillsMarked)
        return event

    def score(self, half_bps: int = 1) -> dict[str, VenueScored]:
        """Score what is due and return it by venue and kind."""
        market = BucketMarket(bucket=BUCKET, half_spread_bps_e9=half_bps * E9, midpoint_e9=MID_E9)
        command = ScoreVenues(at_ns=self.at_ns, venues=self.venues, markets=(market,))
        found = SCORECARD.decide(self.state, command)
        for event in found:
            self.tell(event)
        return {self.name(event): event for event in found}

    @staticmethod
    def name(event: VenueScored) -> str:
        prefix = "" if event.side is Side.BUY else "sell "
        kinds = {OrderKind.PASSIVE: "rest", OrderKind.AGGRESSIVE: "take", OrderKind.DARK: "hide"}
        return f"{prefix}{kinds.get(event.kind, event.kind)} {event.venue_id}"

    def again(self) -> ScorecardState:
        """Return the state that a recovery would fold."""
        return SCORECARD.fold(self.events)

    def _quote(self, instrument_id: str, at_ns: int) -> MarkedQuote:
        midpoint_e9 = self.midpoint_e9(at_ns)
        return MarkedQuote(
            instrument_id=instrument_id,
            at_ns=at_ns,
            bid_e9=None if midpoint_e9 is None else midpoint_e9 - TICK,
            ask_e9=None if midpoint_e9 is None else midpoint_e9 + TICK,
        )
