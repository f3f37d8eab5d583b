"""A race of one parent against the model venue, and the oracle that watches every step of it."""

from collections.abc import Callable
from typing import Any

from schemas.messages.core import (
    Cause,
    ExecType,
    OrderStatus,
    RejectReason,
    RoutingLogic,
    Side,
    StrategyKind,
    TimeInForce,
    Urgency,
    VenueKind,
)
from schemas.messages.netting import EpochOpened, ParentOpened
from schemas.messages.routing import (
    ChildCanceled,
    ChildCancelRequested,
    ChildPlaced,
    ChildRejected,
    ChildStatusRequested,
    FillBooked,
    FillBusted,
    FillCorrected,
    SliceReturned,
)
from schemas.messages.strategy import SliceReleased
from schemas.messages.venues import ExecutionReport
from streams.routing import ROUTING, RoutingState, exposures, timers_of
from streams.routing.commands import (
    ApplyCancelReject,
    ApplyReport,
    CancelChildren,
    MarketBooks,
    ReportUndecodable,
    RouteSlice,
    WakeRouting,
)
from tests.support.builders import ACME, OPEN_NS, SECOND, instrument, quote, venue, venue_book
from tests.support.model_venue import Choose, ModelVenue

Decide = Callable[[RoutingState, Any], tuple[Any, ...]]

PARENT = ParentOpened(
    parent_id="P",
    group_id="",
    tenant="T1",
    instrument_id=ACME,
    side=Side.BUY,
    quantity=0,
    limit_price_e9=None,
    time_in_force=TimeInForce.DAY,
    strategy=StrategyKind.TWAP,
    urgency=Urgency.NEUTRAL,
    start_ns=0,
    end_ns=0,
    participation_cap_bps=0,
    is_dark_allowed=True,
    self_trade_id="",
    arrival_price_e9=None,
)
MARKET = MarketBooks(
    instrument=instrument(),
    quote=quote(),
    books=(
        venue_book("D1", venue=venue("D1", kind=VenueKind.DARK), bids=(), asks=()),
        venue_book("V1", size=9),
        venue_book("V2", size=7),
    ),
)
STEPS_MAX = 14
SETTLING_MAX = 200  # rounds after the race; a right router needs far fewer


class Race:
    """Releases, routes, delivers and lets time pass, as `choose` says; asserts after every event.

    Held quantity is what the events say that children may still fill. The laws:
    a. paid + exposed + room is what was ordered, and none of them is ever negative;
    b. what the venue executed or may execute never exceeds what is paid or held;
    c. at the end nothing is exposed, and paid + error is what the venue executed.
    """

    def __init__(self, choose: Choose, *, has_busts: bool, decide: Decide = ROUTING.decide) -> None:
        self._choose = choose
        self._decide = decide
        self._has_busts = has_busts
        self.venue = ModelVenue(choose)
        self.market = MARKET
        self.state = ROUTING.initial()
        self.at_ns = OPEN_NS
        self.timers: dict[str, int] = {}
        self.ordered = 1 + choose(30)
        self.room = self.ordered
        self.exposed = self.unplaced = self.paid = self.error = self.late = 0
        self._errors: dict[str, int] = {}  # by fill
        self.slices = 0
        self.delivered: list[Any] = []
        self.seen: list[str] = []  # names of the events
        ROUTING.evolve(self.state, PARENT)
        opened = EpochOpened(
            parent_id="P",
            epoch=1,
            quantity=self.ordered,
            parent_quantity=self.ordered,
            members=(),
            cause=Cause.OPENED,
        )
        ROUTING.evolve(self.state, opened)

    def run(self) -> None:
        """Race, then settle, then compare with the venue."""
        self._release()
        for _ in range(self._choose(STEPS_MAX) + 3):
            self._step()
        for _ in range(SETTLING_MAX):
            if not self._settle():
                break
        assert self.exposed == 0, f"{self.exposed} still exposed at the end"
        assert exposures(self.state, "P") == ()
        assert not self.state.children
        assert not self.state.slices
        assert self.venue.open_quantity == self.paid + self.error, "a share was lost or doubled"
        if not self._has_busts:
            assert self.error == self.late == 0, "an honest venue's fill was called its error"

    def _step(self) -> None:
        venue, choose = self.venue, self._choose
        action = choose(16)
        if action <= 3 and venue.outbox:
            self._deliver()
        elif action <= 6 and venue.inbox:
            venue.answer()
        elif action <= 10 and venue.live:
            child_id = venue.live[choose(len(venue.live))]
            venue.fill(child_id, 1 + choose(venue.orders[child_id].leaves))
        elif action == 11:
            self._pass_time(choose(12) * SECOND)
        elif action == 12 and venue.live:
            child_id = venue.live[choose(len(venue.live))]
            venue.close(child_id, OrderStatus.CANCELED, ExecType.CANCELED)
        elif action == 13 and self._has_busts and venue.executions:
            self._change(choose(len(venue.executions)))
        elif action == 14:
            self._disturb()
        elif action == 15 and self.room:
            self._release()

    def _settle(self) -> bool:
        """Let the venue answer and report everything, and the earliest timer fire."""
        while self.venue.inbox:
            self.venue.answer()
        while self.venue.outbox:
            self._deliver()
        if not self.timers:
            return bool(self.venue.inbox)
        self._pass_time(max(min(self.timers.values()) - self.at_ns, 0))
        return True

    def _deliver(self) -> None:
        outbox = self.venue.outbox
        index = self._choose(len(outbox))
        message = outbox.pop(index)
        self._command(self.command_of(message))
        self.delivered.append(message)
        if self._choose(5) == 0:
            self._command(self.command_of(self.delivered[self._choose(len(self.delivered))]))

    def command_of(self, message: Any) -> Any:
        """Return the command that the shard would make of a venue's message now."""
        if isinstance(message, ExecutionReport):
            return ApplyReport(
                report=message,
                at_ns=self.at_ns,
                market=self.market,
                current_epoch=1,
                room=self.room,
            )
        return ApplyCancelReject(reject=message, at_ns=self.at_ns)

    def _pass_time(self, ns: int) -> None:
        self.at_ns += ns
        due = [timer for timer, due_ns in self.timers.items() if due_ns <= self.at_ns]
        for timer in due:
            if self.timers.pop(timer, None) is not None:
                self._command(WakeRouting(timer_id=timer, at_ns=self.at_ns, market=self.market))

    def _release(self) -> None:
        self.slices += 1
        terms: dict[str, Any] = {
            "slice_id": f"P.{self.slices}",
            "parent_id": "P",
            "epoch": 1,
            "instrument_id": ACME,
            "side": Side.BUY,
            "quantity": 1 + self._choose(self.room),
            "limit_price_e9": None,
            "logic": (RoutingLogic.SEQUENTIAL, RoutingLogic.SWEEP)[self._choose(4) == 0],
            "is_dark_allowed": True,
            "deadline_ns": self.at_ns + (1 + self._choose(16)) * SECOND,
            "self_trade_id": "",
            "cause": Cause.BIN,
        }
        released = SliceReleased(**{**terms, **self._terms()})
        self._record(released)
        self._command(RouteSlice(slice_id=released.slice_id, at_ns=self.at_ns, market=self.market))

    def _terms(self) -> dict[str, Any]:
        """Return what a slice asks beside its quantity; for races with more to watch."""
        return {}

    def _change(self, index: int) -> None:
        quantity = self.venue.executions[index].quantity
        changed = self._choose(quantity + 2)
        if changed == 0:
            self.venue.bust(index)
        else:
            self.venue.correct(index, changed)

    def _disturb(self) -> None:
        what = self._choose(3)
        if what == 0:
            self._command(CancelChildren(parent_id="P", cause=Cause.HELD, at_ns=self.at_ns))
        elif what == 1:
            venue_id = ("", "V1", "V2")[self._choose(3)]
            reason = RejectReason.BODY_UNDECODABLE
            self._command(ReportUndecodable(venue_id=venue_id, reason=reason, at_ns=self.at_ns))
        elif self.venue.live:
            self.venue.close(self.venue.live[0], OrderStatus.EXPIRED, ExecType.EXPIRED)

    def _command(self, command: Any) -> None:
        events = self._decide(self.state, command)
        if events:
            for event in events:
                self._record(event)
            assert exposures(self.state, "P") == (((1, self.exposed),) if self.exposed else ())

    def _record(self, event: Any) -> None:
        ROUTING.evolve(self.state, event)
        self.seen.append(type(event).__name__)
        for timer, due_ns in timers_of(event, self.state):
            if due_ns is None:
                self.timers.pop(timer, None)
            else:
                self.timers[timer] = due_ns
        self._book(event)
        self._watch()

    def _book(self, event: Any) -> None:
        match event:
            case ChildPlaced():
                self.unplaced -= event.quantity
                self.venue.place(event)
            case FillBooked():
                self.exposed -= event.quantity - event.late_quantity
                self.room -= event.late_quantity
                self.late += event.late_quantity
                self.paid += event.quantity
                self.error += event.error_quantity
                self._errors[event.fill_id] = event.error_quantity
            case ChildCanceled():
                self.unplaced += event.canceled_quantity
            case ChildRejected():
                self.unplaced += event.quantity
            case SliceReturned():
                self.unplaced -= event.quantity
                self.exposed -= event.quantity
                self.room += event.quantity
            case ChildCancelRequested():
                self.venue.ask("cancel", event.child_id, event.request)
            case ChildStatusRequested():
                self.venue.ask("status", event.child_id, event.request)
            case FillBusted():
                self.room += event.quantity
                self.paid -= event.quantity
                self.error -= event.error_quantity
            case FillCorrected():
                decrease = event.previous_quantity - event.quantity
                self.room += decrease
                self.paid -= decrease
                self.error += event.error_quantity - self._errors[event.fill_id]
                self._errors[event.fill_id] = event.error_quantity
            case SliceReleased():
                self.unplaced += event.quantity
                self.exposed += event.quantity
                self.room -= event.quantity

    def _watch(self) -> None:
        assert self.paid + self.exposed + self.room == self.ordered
        assert self.room >= 0, "released or paid late more than there was room for"
        assert self.exposed >= self.unplaced >= 0, "placed more than was released"
        assert self.paid <= self.ordered, "over-filled"
        covered = self.paid + self.exposed - self.unplaced
        if self._has_busts:
            # A bust that its child's last word overtook frees quantity while a fill is still on its
            # way: nobody holds that fill, and it is paid late or goes to the error account.
            covered += self.error + self.venue.excess + self.venue.taken_back
        assert self.venue.open_quantity <= covered, (
            f"the venue may fill {self.venue.open_quantity}, covered are {covered}"
        )
