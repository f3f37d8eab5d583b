"""What the shard asks of netting and allocation, in small: folds, rules, ledgers beside."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import msgspec

from schemas.messages.allocation import (
    AllocationRestated,
    CashAllocated,
    CrossAllocated,
    FillAllocated,
)
from schemas.messages.core import Cause, CrossKind, OrderStatus, PartyLevel, Side
from schemas.messages.intake import OrderCanceled, OrderClosed, OrderReplaced
from schemas.messages.netting import (
    CrossExecuted,
    EpochClosed,
    EpochOpened,
    MemberLeft,
    ParentClosed,
    ParentHeld,
)
from schemas.messages.routing import FillBooked, FillBusted, FillCorrected
from schemas.messages.strategy import ParentEnded
from streams.allocation import ALLOCATION, AllocationState
from streams.allocation.commands import AllocateCross, AllocateFill, FinishCash, RestateFill
from streams.netting import (
    NETTING,
    NettingState,
    cause_to_close,
    members,
    open_parents,
)
from streams.netting.commands import (
    CloseWindow,
    Crossing,
    EpochExposure,
    ParentExposure,
    Rebase,
    Restriction,
    SettleParent,
)
from tests.support.builders import ACME, OPEN_NS, TICK, instrument
from tests.support.builders import quote as quoted

PRICE_E9 = 10_000 * TICK


@dataclass
class Client:
    """What intake and the client know of an order."""

    quantity: int
    group: str
    side: Side
    cumulative: int = 0
    pending: OrderReplaced | OrderCanceled | None = None
    is_closed: bool = False


@dataclass
class Child:
    """A slice with one child: `live` is exposed; `unseen` of it stays so after a cancel."""

    parent_id: str
    epoch: int
    live: int
    fills: dict[str, int] = field(default_factory=dict)  # paid, not busted
    is_canceled: bool = False


@dataclass
class Desk:
    """What strategy and routing know of a parent."""

    epoch: int = 0
    room: int = 0
    is_held: bool = False
    is_ended: bool = False
    is_closed: bool = False
    ordered: int = 0


class ShardModel:
    """Netting and allocation under the rules of streams/shard, with ledgers of its own."""

    def __init__(self, ties: str = "abcdef") -> None:
        self.netting: NettingState = NETTING.initial()
        self.netting.id_prefix = f"{ties}.0"
        self.allocation: AllocationState = ALLOCATION.initial()
        self.now_ns = OPEN_NS
        self.clients: dict[str, Client] = {}
        self.children: list[Child] = []
        self.desks: dict[str, Desk] = {}
        self.bought: dict[str, int] = {}  # fill -> cash now
        self.events: list[Any] = []
        self.cash: dict[tuple[str, int], CashAllocated] = {}
        self.ordinal = 0
        self.is_crossing = True
        self.restrictions: tuple[Restriction, ...] = ()
        self.opted_out: frozenset[str] = frozenset()
        self.stopped: frozenset[str] = frozenset()

    # The shard's part: fold, then ask what follows.

    def record(self, *events: Any) -> None:
        """Fold a decision's events into every context, then do what each leads to."""
        self.fold(events)
        for event in events:
            self._follow(event)

    def fold(self, events: Sequence[Any]) -> None:
        for event in events:
            self.events.append(event)
            if isinstance(event, CrossExecuted):
                self.check_cross(event)
            NETTING.evolve(self.netting, event)
            ALLOCATION.evolve(self.allocation, event)
            self._fold(event)

    def ask_netting(self, command: Any) -> None:
        events = NETTING.decide(self.netting, command)
        self.fold(events)
        assert NETTING.decide(self.netting, command) == ()
        for event in events:
            self._follow(event)

    def ask_allocation(self, command: Any) -> None:
        events = ALLOCATION.decide(self.allocation, command)
        self.fold(events)
        assert ALLOCATION.decide(self.allocation, command) == ()
        for event in events:
            self._follow(event)

    def exposure(self, parent_id: str) -> ParentExposure:
        by_epoch: dict[int, int] = {}
        for child in self.children:
            if child.parent_id == parent_id and child.live:
                by_epoch[child.epoch] = by_epoch.get(child.epoch, 0) + child.live
        return ParentExposure(
            parent_id=parent_id,
            room=self.desks[parent_id].room,
            exposures=tuple(EpochExposure(e, by_epoch[e]) for e in sorted(by_epoch)),
        )

    def settle(self, parent_id: str) -> None:
        for _ in range(2):  # the second time there must be nothing left to do
            before = len(self.events)
            desk = self.desks[parent_id]
            self.ask_netting(
                SettleParent(
                    parent=self.exposure(parent_id), is_ended=desk.is_ended, at_ns=self.now_ns
                )
            )
        assert len(self.events) == before, "settling twice did something twice"

    def rebase(self, parent_id: str, cause: Cause) -> None:
        self.ask_netting(Rebase(parent=self.exposure(parent_id), cause=cause, at_ns=self.now_ns))

    def _fold(self, event: Any) -> None:
        match event:
            case EpochOpened():
                desk = self.desks.setdefault(event.parent_id, Desk())
                desk.epoch, desk.room, desk.is_held = event.epoch, event.quantity, False
                desk.ordered = event.parent_quantity
                assert event.quantity == sum(member.quantity for member in event.members)
                assert all(member.quantity > 0 for member in event.members)
            case EpochClosed():
                live = self.exposure(event.parent_id)
                tail = sum(e.quantity for e in live.exposures if e.epoch == event.epoch)
                assert event.tail_quantity == tail == sum(m.quantity for m in event.tail)
                self.desks[event.parent_id].room = 0
            case ParentHeld():
                self.desks[event.parent_id].is_held = True
            case ParentEnded():
                self.desks[event.parent_id].is_ended = True
            case ParentClosed():
                assert not self.exposure(event.parent_id).total, "closed while exposed"
                self.desks[event.parent_id].is_closed = True
                is_full = event.filled_quantity == event.quantity
                assert (event.status is OrderStatus.FILLED) <= is_full
            case FillAllocated() | AllocationRestated():
                for entry in event.entries:
                    self.clients[entry.order_id].cumulative += entry.quantity
            case CrossAllocated():
                assert sum(e.quantity for e in event.buys) == event.quantity
                assert sum(e.quantity for e in event.sells) == event.quantity
                assert sum(e.cash_e9 for e in event.buys) == sum(e.cash_e9 for e in event.sells)
                for cash in (*event.buys, *event.sells):
                    self.clients[cash.order_id].cumulative += cash.quantity
            case CashAllocated():
                before = self.cash.get((event.parent_id, event.epoch))
                assert event.version == (before.version if before else 0) + 1
                assert sum(e.cash_e9 for e in event.entries) == event.cash_e9
                assert sum(e.fee_e9 for e in event.entries) == event.fee_e9
                self.cash[event.parent_id, event.epoch] = event
            case OrderClosed():
                self.clients[event.order_id].is_closed = True
            case _:
                pass

    def check_cross(self, cross: CrossExecuted) -> None:
        """Owners meet themselves in own netting only; nobody meets whom he may not."""
        orders = self.netting.orders
        buys, sells = ([m.order_id for m in side] for side in (cross.buys, cross.sells))
        pairs = [(p.buy_order_id, p.sell_order_id) for p in cross.pairs]
        for one, other in pairs or list(product(buys, sells)):
            a, b = orders[one], orders[other]
            assert (a.owner == b.owner) == (cross.kind is CrossKind.OWN_NETTING)
            for wall in self.restrictions:
                names = [
                    {PartyLevel.ACCOUNT: o.account_id, PartyLevel.OWNER: o.owner}[wall.level]
                    for o in (a, b)
                ]
                assert sorted(names) != sorted((wall.one, wall.other)), f"{names} met"
        members = {*buys, *sells}
        assert not members & self.stopped
        assert not {orders[order_id].account_id for order_id in members} & self.opted_out

    def _follow(self, event: Any) -> None:
        match event:
            case CrossExecuted():
                self.ask_allocation(AllocateCross(cross=event, instrument=instrument()))
                for member in (*event.buys, *event.sells):
                    self.close_if_full(member.order_id)
            case FillBooked():
                self.ask_allocation(AllocateFill(fill=event))
                for order_id in members(self.netting, event.parent_id):
                    self.close_if_full(order_id)
                self.settle(event.parent_id)
            case FillBusted() | FillCorrected():
                self.ask_allocation(RestateFill(change=event))
                if event.epoch != self.desks[event.parent_id].epoch:
                    self.rebase(event.parent_id, Cause.BUST)
                self.settle(event.parent_id)
            case ParentHeld() | ParentEnded():
                self.settle(event.parent_id)
            case MemberLeft():
                self.finish(event.order_id)
            case ParentClosed():
                for order_id in members(self.netting, event.parent_id):
                    self.close(order_id, OrderStatus.EXPIRED)
                self.ask_allocation(FinishCash(parent_id=event.parent_id))
            case _:
                pass

    # Intake's part.

    def close_if_full(self, order_id: str) -> None:
        client = self.clients[order_id]
        if client.cumulative == client.quantity:
            self.close(order_id, OrderStatus.FILLED)

    def close(self, order_id: str, status: OrderStatus) -> None:
        client = self.clients[order_id]
        if not client.is_closed:
            self.record(
                OrderClosed(
                    order_id=order_id,
                    status=status,
                    cumulative_quantity=client.cumulative,
                    leaves_quantity=client.quantity - client.cumulative,
                    cause=Cause.FILL,
                )
            )

    def finish(self, order_id: str) -> None:
        client = self.clients[order_id]
        pending, client.pending = client.pending, None
        assert pending is not None, f"{order_id} left its parent unasked"
        if client.is_closed:
            return
        if isinstance(pending, OrderCanceled):
            client.is_closed = True
            self.record(pending)
        elif pending.quantity <= client.cumulative:
            self.close(order_id, OrderStatus.CANCELED)
        else:
            self.replace(order_id, pending)

    def replace(self, order_id: str, replaced: OrderReplaced) -> None:
        client = self.clients[order_id]
        client.quantity, client.group = replaced.quantity, replaced.group_id
        self.record(replaced)
        self.close_at_once()

    def close_at_once(self) -> None:
        cause = cause_to_close(self.netting, "T1", ACME)
        if cause is not None:
            self.close_window(cause)

    def close_window(self, cause: Cause = Cause.WINDOW_TIME) -> None:
        crossing = Crossing(declaration_id="D1", quote_age_max_ns=10**12, spread_max_bps=100)
        self.ask_netting(
            CloseWindow(
                tenant="T1",
                instrument_id=ACME,
                cause=cause,
                at_ns=self.now_ns,
                instrument=instrument(),
                quote=quoted(),
                crossing=crossing if self.is_crossing else None,
                own_netting=msgspec.structs.replace(crossing, declaration_id=""),
                restrictions=self.restrictions,
                opted_out_account_ids=self.opted_out,
                stopped_order_ids=self.stopped,
                parents=tuple(
                    self.exposure(parent_id) for parent_id in open_parents(self.netting, "T1", ACME)
                ),
            )
        )
