"""A race of one parent, strategy and allocation included, against the model venue and time."""

from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from schemas.messages.core import (
    Cause,
    ExecType,
    Member,
    OrderStatus,
    SelfTradeRule,
    StrategyKind,
    VenueKind,
)
from schemas.messages.netting import EpochOpened
from schemas.messages.routing import (
    ChildCanceled,
    ChildCancelRequested,
    ChildPlaced,
    ChildRejected,
    ChildReplaced,
    ChildReplaceRejected,
    ChildReplaceRequested,
    ChildRestated,
    FillBooked,
    FillBusted,
    FillCorrected,
    SliceReturned,
)
from schemas.messages.strategy import ParentEnded, SliceReleased
from streams.allocation import ALLOCATION
from streams.allocation.commands import AllocateFill, RestateFill
from streams.routing import ROUTING, exposures
from streams.routing.commands import (
    CancelChildren,
    ChangeConnection,
    MarketBooks,
    ReplaceChild,
    RouteSlice,
    SettleChild,
    WakeRouting,
)
from streams.strategy import STRATEGY, room
from streams.strategy import timers_of as strategy_timers_of
from streams.strategy.commands import Begin, MarketState, Recalibrate, Wake
from tests.support import exposure_race
from tests.support.builders import SECOND, TICK, instrument, quote, venue, venue_book
from tests.support.exposure_race import PARENT, Decide, Race
from tests.support.model_venue import Choose
from tests.support.race_desk import approved, settleable, settled_by_phone, unanswered
from tests.support.race_venue import RaceVenue

__all__ = ["ENTROPY", "MARKET", "ChildRace"]

ENTROPY = bytes(range(16))
VENUE_IDS = ("D1", "V1", "V2")
# V2 bounds messages, lets nothing young be canceled and would let us trade with ourselves.
_D1 = venue_book("D1", venue=venue("D1", kind=VenueKind.DARK), bids=(), asks=())
_V1 = venue_book("V1", size=9)
_V2 = venue_book(
    "V2",
    size=7,
    venue=venue(
        "V2", messages_per_s=3, cancel_after_ns=2 * SECOND, self_trade_rule=SelfTradeRule.NONE
    ),
)
MARKETS = tuple(
    MarketBooks(instrument=instrument(), quote=quote(), books=books)
    for books in ((_D1, _V1, _V2), (_D1, _V1, _V2), (_V2,), (_V1,))
)
MARKET = MARKETS[0]
STATE = MarketState(
    instrument=MARKET.instrument, quote=MARKET.quote, others_quantity=10_000, is_open=True
)
WORKING = (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)
WINDOW_NS = 30 * SECOND
STEPS_MAX = 24
SILENCE = 12  # waits, of which five questions need some ten
KINDS = (StrategyKind.IMMEDIATE, StrategyKind.IMMEDIATE, StrategyKind.TWAP)
RESTING_E9 = 9_999 * TICK  # a limit at which children rest


class ChildRace(Race):
    """As Race, and: the strategy releases, fills are divided, children change where they stand.

    More laws:
    d. the strategy's room is the room that the events leave;
    e. what the orders were given is what was paid, and no order gets more than it asked for;
    f. no child lives after the end, and a venue is never sent more messages than it takes.
    """

    venue: RaceVenue

    def __init__(self, choose: Choose, *, has_busts: bool, decide: Decide = ROUTING.decide) -> None:
        self.strategy = STRATEGY.initial()
        self.allocation = ALLOCATION.initial()
        self.members: tuple[Member, ...] = ()
        self.given: dict[str, int] = {}
        self.sent: list[int] = []
        self._todo: deque[Any] = deque()
        self._is_busy = False
        super().__init__(choose, has_busts=has_busts, decide=decide)
        self.venue = RaceVenue(choose)
        self.market = MARKETS[choose(len(MARKETS))]
        self._open()

    def _open(self) -> None:
        small = 1 + self._choose(self.ordered) if self.ordered > 1 else self.ordered
        weights = [small, self.ordered - small] if small < self.ordered else [small]
        self.members = tuple(
            Member(order_id=f"O{n}", quantity=weight) for n, weight in enumerate(weights)
        )
        opened = EpochOpened(
            parent_id="P",
            epoch=1,
            quantity=self.ordered,
            parent_quantity=self.ordered,
            members=self.members,
            cause=Cause.OPENED,
        )
        parent = msgspec.structs.replace(
            PARENT,
            quantity=self.ordered,
            strategy=KINDS[self._choose(3)],
            limit_price_e9=RESTING_E9 if self._choose(3) else None,
            start_ns=self.at_ns,
            end_ns=self.at_ns + WINDOW_NS * (1 if self._choose(8) else 5),
            participation_cap_bps=10_000,
        )
        for event in (parent, opened):
            STRATEGY.evolve(self.strategy, event)
            ALLOCATION.evolve(self.allocation, event)

    def run(self) -> None:
        begin = Begin(parent_id="P", at_ns=self.at_ns, entropy=ENTROPY, market=STATE, forecast=None)
        self._work(begin)
        for _ in range(self._choose(STEPS_MAX) + 6):
            self._step()
        self._end()
        self._check_end()

    def _end(self) -> None:
        self.venue.mute = 0
        for _ in range(exposure_race.SETTLING_MAX):
            if not self._settle() and not self._reconnect():
                break

    def _check_end(self) -> None:
        assert self.exposed == 0, f"{self.exposed} still exposed at the end"
        assert exposures(self.state, "P") == ()
        assert not self.state.children and not self.state.slices
        assert self.venue.open_quantity == self.paid + self.error, "a share was lost or doubled"
        assert sum(self.given.values()) == self.paid, "given is not what was paid"
        assert not self.venue.live, "a child lives after the end"
        if not self._has_busts:
            assert self.error == self.late == 0, "an honest venue's fill was called its error"

    def _reconnect(self) -> bool:
        """The session comes back: lost reports are sent again (FIX resend), and venues are asked
        for what nobody answered; True if anything was open.
        """
        held = {child.venue_id: None for child in self.state.children.values()}
        lost, self.venue.lost = self.venue.lost, []
        self.venue.outbox += lost
        for venue_id in held:
            for is_connected in (False, True):
                self._command(
                    ChangeConnection(venue_id=venue_id, is_connected=is_connected, at_ns=self.at_ns)
                )
        return bool(held or lost)

    def _step(self) -> None:
        """Let one thing happen that can happen now."""
        there, choose = self.venue, self._choose
        can: list[Callable[[], None]] = [self._wait]
        if not choose(6):
            can += [self._disturb, self._change_connection, self._mute]
            can += [self._fall_silent] * 3
        if settleable(self.venue, self.state):
            can += [self._settle_some] * 6
        if there.outbox:
            can += [self._deliver] * 5
            can.append(lambda: there.lose(choose(len(there.outbox))))
        if there.inbox:
            can += [there.answer] * 5
        if there.live:
            can += [self._fill_some] * 3
            can += [self._replace_some] * 4
            can += [self._pause_some, self._cut_some, self._close_some]
        if self._has_busts and there.executions:
            can += [lambda: self._change(choose(len(there.executions)))] * 2
        can[choose(len(can))]()

    def _wait(self) -> None:
        self._pass_time((1 + self._choose(8)) * SECOND * (1 if self._choose(5) else 12))

    def _mute(self) -> None:
        """Let the venues lose the next answers, whatever they are asked."""
        self.venue.mute = self._choose(9)

    def _fall_silent(self) -> None:
        """Let the venues lose every answer until some child is escalated, or nothing waits."""
        self.venue.mute = 10**6
        for _ in range(SILENCE):
            while self.venue.inbox:
                self.venue.answer()
            self._wait()
            if unanswered(self.state):
                break
        self.venue.mute = 0

    def _change(self, index: int) -> None:
        child_id = self.venue.executions[index].child_id
        if child_id not in self.state.settled or not self.venue.changes[child_id]:
            super()._change(index)

    def _settle_some(self) -> None:
        """Let one person say what a venue told by phone, and another agree."""
        children = settleable(self.venue, self.state)
        child = children[self._choose(len(children))]
        said = settled_by_phone(self.venue, self.state, child, self._choose)
        for message, actor in ((said, "ana"), (approved(said), "ben")):
            self._command(
                SettleChild(
                    message=message,
                    actor=actor,
                    at_ns=self.at_ns,
                    market=self.market,
                    current_epoch=1,
                    room=self.room,
                )
            )

    def _some(self) -> str:
        return self.venue.live[self._choose(len(self.venue.live))]

    def _fill_some(self) -> None:
        child_id = self._some()
        self.venue.fill(child_id, 1 + self._choose(self.venue.orders[child_id].leaves))

    def _pause_some(self) -> None:
        self.venue.pause(self._some())

    def _close_some(self) -> None:
        self.venue.close(self._some(), OrderStatus.CANCELED, ExecType.CANCELED)

    def _cut_some(self) -> None:
        child_id = self._some()
        if child_id not in self.venue.replaces:
            self.venue.cut(child_id, 1 + self._choose(self.venue.orders[child_id].leaves))

    def _change_connection(self) -> None:
        self._command(
            ChangeConnection(
                venue_id=VENUE_IDS[self._choose(3)],
                is_connected=bool(self._choose(2)),
                at_ns=self.at_ns,
            )
        )

    def _replace_some(self) -> None:
        children = [child for child in self.state.children.values() if child.status in WORKING]
        if not children:
            return
        child = children[self._choose(len(children))]
        self._command(
            ReplaceChild(
                child_id=child.child_id,
                quantity=1 + self._choose(child.quantity + 2),
                price_e9=(9_997 + self._choose(3)) * TICK,
                cause=Cause.PRICE,
                at_ns=self.at_ns,
            )
        )

    def _release(self) -> None:
        """The strategy releases; nobody else does."""

    def _pass_time(self, ns: int) -> None:
        self.at_ns += ns
        due = [timer for timer, due_ns in self.timers.items() if due_ns <= self.at_ns]
        for timer in due:
            if self.timers.pop(timer, None) is None:
                continue
            if timer.startswith("strategy"):
                self._work(
                    Wake(
                        parent_id="P",
                        at_ns=self.at_ns,
                        entropy=ENTROPY,
                        market=STATE,
                        forecast=None,
                    )
                )
            else:
                self._command(WakeRouting(timer_id=timer, at_ns=self.at_ns, market=self.market))

    def _command(self, command: Any) -> None:
        self._work(command)
        assert exposures(self.state, "P") == (((1, self.exposed),) if self.exposed else ())

    def _work(self, command: Any) -> None:
        """Carry out a command and all that follows from it, as the shard does."""
        self._todo.append(command)
        if self._is_busy:
            return
        self._is_busy = True
        while self._todo:
            each = self._todo.popleft()
            is_strategy = isinstance(each, Begin | Wake | Recalibrate)
            events = (
                STRATEGY.decide(self.strategy, each)
                if is_strategy
                else self._decide(self.state, each)
            )
            for event in events:
                self._record(event)
            for event in events:
                self._pay(event)
            for event in events:
                self._follow(event)
        self._is_busy = False

    def _record(self, event: Any) -> None:
        STRATEGY.evolve(self.strategy, event)
        for timer, due_ns in strategy_timers_of(event, self.strategy):
            if due_ns is None:
                self.timers.pop(timer, None)
            else:
                self.timers[timer] = due_ns
        if isinstance(event, FillBooked | FillBusted | FillCorrected):
            ALLOCATION.evolve(self.allocation, event)
        super()._record(event)
        if "P" in self.strategy.parents:
            assert room(self.strategy, "P") == self.room, "the strategy counts another room"

    def _pay(self, event: Any) -> None:
        match event:
            case FillBooked() if event.quantity:
                self._give(AllocateFill(fill=event))
            case FillBusted() | FillCorrected():
                self._give(RestateFill(change=event))

    def _give(self, command: Any) -> None:
        for shared in ALLOCATION.decide(self.allocation, command):
            ALLOCATION.evolve(self.allocation, shared)
            for entry in getattr(shared, "entries", ()):
                self.given[entry.order_id] = self.given.get(entry.order_id, 0) + entry.quantity
        for member in self.members:
            given = self.given.get(member.order_id, 0)
            assert 0 <= given <= member.quantity, f"{member.order_id} was given {given}"

    def _follow(self, event: Any) -> None:
        match event:
            case SliceReleased():
                self._todo.append(
                    RouteSlice(slice_id=event.slice_id, at_ns=self.at_ns, market=self.market)
                )
            case FillBooked():
                self._recalibrate(Cause.FILL)
            case ChildRejected() | ChildCanceled() | SliceReturned():
                self._recalibrate(Cause.RETURNED)
            case FillBusted():
                self._recalibrate(Cause.BUST)
            case FillCorrected():
                self._recalibrate(Cause.CORRECTION)
            case ParentEnded():
                self._todo.append(
                    CancelChildren(parent_id="P", cause=event.cause, at_ns=self.at_ns)
                )

    def _recalibrate(self, cause: Cause) -> None:
        self._todo.append(
            Recalibrate(parent_id="P", cause=cause, at_ns=self.at_ns, entropy=ENTROPY, market=STATE)
        )

    def _book(self, event: Any) -> None:
        match event:
            case ChildReplaceRequested():
                self.unplaced -= max(event.quantity - event.previous_quantity, 0)
                self._note_message(event.venue_id)
                self.venue.ask_replace(event)
            case ChildReplaced() | ChildReplaceRejected() | ChildRestated():
                self.unplaced += event.freed_quantity
            case _:
                if isinstance(event, ChildPlaced | ChildCancelRequested):
                    self._note_message(event.venue_id)
                super()._book(event)

    def _note_message(self, venue_id: str) -> None:
        """Hold every second against the bound of the venue that has one."""
        if venue_id != "V2":
            return
        self.sent = [at_ns for at_ns in self.sent if at_ns > self.at_ns - SECOND]
        self.sent.append(self.at_ns)
        assert len(self.sent) <= 3, "more messages in a second than the venue takes"
