"""A shard, its clients, a careless venue and people with kill switches; the law of the kill."""

from collections.abc import Callable
from typing import Any

from schemas.messages.core import ExecType as Exec
from schemas.messages.core import (
    KillScope,
    OrderType,
    Side,
    StrategyKind,
    TimeInForce,
    Urgency,
)
from schemas.messages.core import OrderStatus as Status
from schemas.messages.intake import (
    OrderAccepted,
    OrderCanceled,
    OrderClosed,
    OrderReplaced,
    OrderRestated,
)
from schemas.messages.kill import KillConfirmed, KillEngaged, KillReleased
from schemas.messages.netting import CrossExecuted, EpochOpened, ParentOpened
from schemas.messages.routing import ChildCancelRequested, ChildPlaced, ChildStatusRequested
from streams.core import topics
from tests.support.builders import (
    SECOND,
    TICK,
    account_defined,
    book_updated,
    cancel_order,
    crossing_declared,
    new_order,
    replace_order,
)
from tests.support.kills import approve, engage, flag, propose
from tests.support.model_venue import Choose, ModelVenue
from tests.support.shard_host import trading_host

__all__ = ["KillWorld"]

PERSONS = ("ann", "bob", "cat")
SCOPES = (
    (KillScope.FIRM, ""),
    (KillScope.CLIENT, "C1"),
    (KillScope.ACCOUNT, "A1"),
    (KillScope.ACCOUNT, "B1"),
    (KillScope.DESK, "D2"),
    (KillScope.SOURCE, "OMS2"),
    (KillScope.STRATEGY, "IMMEDIATE"),
    (KillScope.STRATEGY, "TWAP"),
    (KillScope.INSTRUMENT, "ACME"),
    (KillScope.VENUE, "V1"),
    (KillScope.VENUE, "V2"),
)
CLIENTS = {"A1": "C1", "A2": "C1", "B1": "C2"}
STEPS_MAX = 150
SETTLING_MAX = 40


class KillWorld:
    """One random day. The law, told by the events alone:

    from KillEngaged to KillReleased no child is sent, no order accepted and no cross executed that
    the kill covers; and once the venue has answered everything, every kill is confirmed.
    """

    def __init__(self, choose: Choose) -> None:
        self._choose = choose
        accounts = [account_defined(name, client_id=client) for name, client in CLIENTS.items()]
        self.host = trading_host(crossing_declared(), *accounts)
        self.venue = ModelVenue(choose)
        self.orders: dict[str, OrderAccepted] = {}
        self.open: set[str] = set()
        self.strategies: dict[str, StrategyKind] = {}
        self.members: dict[tuple[str, int], tuple[str, ...]] = {}  # by parent and epoch
        self.kills: dict[str, KillEngaged] = {}
        self.confirmed: set[str] = set()
        self.sent = self.stops = self.releases = 0
        self._ids = 0

    def run(self) -> None:
        """Act at random, hold the law after every batch, then settle and release."""
        actions = self._actions()
        for _ in range(10 + self._choose(STEPS_MAX)):
            actions[self._choose(len(actions))]()
            self._step((0, 1, SECOND, 3 * SECOND)[self._choose(4)])
        for _ in range(SETTLING_MAX):
            self._answer_all()
            self._step(SECOND)
        unconfirmed = set(self.kills) - self.confirmed
        assert not unconfirmed, f"the venue answered all, {unconfirmed} are not confirmed"
        self.host.flags.clear()
        for kill_id in list(self.kills):
            self._say(propose(kill_id), "ann")
            self._say(approve(kill_id), "bob")
        self._step(1)
        assert not self.kills, "two persons release every kill"

    def _actions(self) -> list[Callable[[], None]]:
        clients = [*[self._order] * 6, *[self._change] * 2]
        venue = [*[self._deliver] * 6, *[self._answer] * 4, *[self._fill] * 4, self._close]
        stops = [self._engage, self._engage, self._raise_flag, self._propose, self._approve]
        ends = [self._lower_flag, self._lower_flag, *[self._release] * 3]
        return [*clients, *venue, *stops, *ends, self._bust, self._crash, lambda: None]

    # What clients, venues and people do.

    def _order(self) -> None:
        choose = self._choose
        self._ids += 1
        limit = (None, 9_990, 10_000, 10_010)[choose(4)]
        self.host.put(
            topics.ORDERS_COMMANDS,
            new_order(
                f"c{self._ids}",
                account_id=("A1", "A2", "B1")[choose(3)],
                desk_id=("D1", "D2")[choose(2)],
                source=("OMS", "OMS2")[choose(2)],
                side=(Side.BUY, Side.SELL)[choose(2)],
                quantity=1 + choose(300),
                order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
                limit_price_e9=None if limit is None else limit * TICK,
                strategy=(StrategyKind.IMMEDIATE, StrategyKind.TWAP)[choose(2)],
                urgency=(Urgency.NEUTRAL, Urgency.URGENT)[choose(2)],
                time_in_force=(TimeInForce.DAY, TimeInForce.DAY, TimeInForce.IOC)[choose(3)],
            ),
        )

    def _change(self) -> None:
        if not self.orders:
            return
        order = list(self.orders.values())[self._choose(len(self.orders))]
        self._ids += 1
        same = {"source": order.source, "instrument_id": order.instrument_id}
        command: Any = cancel_order(f"c{self._ids}", order.client_order_id, **same)
        if self._choose(2):
            terms = {"quantity": 1 + self._choose(300), "limit_price_e9": order.limit_price_e9}
            command = replace_order(f"c{self._ids}", order.client_order_id, **same, **terms)
        self.host.put(topics.ORDERS_COMMANDS, command)

    def _answer(self) -> None:
        if self.venue.inbox:
            self.venue.answer()

    def _deliver(self) -> None:
        outbox = self.venue.outbox
        if outbox:
            self.host.put(topics.VENUES_REPORTS, outbox.pop(self._choose(len(outbox))))

    def _fill(self) -> None:
        if self.venue.live:
            child_id = self.venue.live[self._choose(len(self.venue.live))]
            self.venue.fill(child_id, 1 + self._choose(self.venue.orders[child_id].leaves))

    def _close(self) -> None:
        if self.venue.live:
            child_id = self.venue.live[self._choose(len(self.venue.live))]
            self.venue.close(child_id, Status.CANCELED, Exec.CANCELED)

    def _bust(self) -> None:
        if self.venue.executions:
            self.venue.bust(self._choose(len(self.venue.executions)))

    def _engage(self) -> None:
        scope, scope_id = SCOPES[self._choose(len(SCOPES))]
        self._ids += 1
        changes = {"kill_id": f"K{self._ids}", "is_canceling_orders": self._choose(4) == 0}
        self._say(engage(scope, scope_id, **changes), PERSONS[self._choose(3)])

    def _propose(self) -> None:
        if self.kills:
            kill_id = list(self.kills)[self._choose(len(self.kills))]
            self._say(propose(kill_id), PERSONS[self._choose(3)])

    def _approve(self) -> None:
        if self.kills:
            kill_id = list(self.kills)[self._choose(len(self.kills))]
            self._say(approve(kill_id), PERSONS[self._choose(3)])

    def _release(self) -> None:
        """Two persons end the oldest kill, as soon as no flag stands in the way."""
        for kill_id in list(self.kills)[:1]:
            self._say(propose(kill_id), "ann")
            self._say(approve(kill_id), "bob")

    def _raise_flag(self) -> None:
        scope, scope_id = SCOPES[self._choose(len(SCOPES))]
        name = f"f{self._choose(3)}"
        self.host.flags = [text for text in self.host.flags if f'"{name}"' not in text]
        self.host.flags.append(flag(name, scope=scope.value, scope_id=scope_id))

    def _lower_flag(self) -> None:
        if self.host.flags:
            del self.host.flags[self._choose(len(self.host.flags))]

    def _crash(self) -> None:
        self.host.recover()

    def _say(self, message: Any, actor: str) -> None:
        self.host.put(topics.KILL_COMMANDS, message, actor=actor)

    def _answer_all(self) -> None:
        while self.venue.inbox:
            self.venue.answer()
        while self.venue.outbox:
            self._deliver()

    # What the shard writes, and the law.

    def _step(self, after_ns: int) -> None:
        if self._choose(8):
            self.host.put(topics.MARKET_DATA, *[book_updated(f"V{n}") for n in range(1, 4)])
        for message in self.host.step(self.host.now_ns + after_ns):
            self._watch(message)

    def _watch(self, message: Any) -> None:
        match message:
            case OrderAccepted():
                self._hold_order(message.order_id, message, "accepted")
                self.orders[message.order_id] = message
                self.open.add(message.order_id)
            case OrderReplaced():
                self.open.add(message.order_id)
            case OrderCanceled() | OrderClosed():
                self.open.discard(message.order_id)
            case OrderRestated():
                ended = (Status.FILLED, Status.CANCELED, Status.EXPIRED)
                change = self.open.discard if message.status in ended else self.open.add
                change(message.order_id)
            case ParentOpened():
                self.strategies[message.parent_id] = message.strategy
            case EpochOpened():
                members = tuple(member.order_id for member in message.members)
                self.members[message.parent_id, message.epoch] = members
            case CrossExecuted():
                for share in (*message.buys, *message.sells):
                    self._hold_order(share.order_id, self.orders[share.order_id], "crossed")
            case ChildPlaced():
                self.sent += 1
                self._hold_child(message)
                self.venue.place(message)
            case ChildCancelRequested():
                self.venue.ask("cancel", message.child_id, message.request)
            case ChildStatusRequested():
                self.venue.ask("status", message.child_id, message.request)
            case _:
                self._watch_kills(message)

    def _watch_kills(self, message: Any) -> None:
        match message:
            case KillEngaged():
                self.stops += 1
                self.kills[message.kill_id] = message
            case KillConfirmed():
                self.confirmed.add(message.kill_id)
            case KillReleased():
                self.releases += 1
                assert message.proposed_by != message.approved_by
                del self.kills[message.kill_id]

    def _hold_order(self, order_id: str, terms: OrderAccepted, what: str) -> None:
        for kill in self.kills.values():
            assert not _covers(kill, terms), f"order {order_id} {what} under {kill}"

    def _hold_child(self, child: ChildPlaced) -> None:
        strategy = self.strategies[child.parent_id]
        for kill in self.kills.values():
            named = {
                KillScope.FIRM: True,
                KillScope.INSTRUMENT: kill.scope_id == child.instrument_id,
                KillScope.STRATEGY: kill.scope_id == strategy,
                KillScope.VENUE: kill.scope_id == child.venue_id,
            }
            assert not named.get(kill.scope, False), f"{child} sent under {kill}"
            for order_id in self.members[child.parent_id, child.epoch]:
                is_covered = order_id in self.open and _covers(kill, self.orders[order_id])
                assert not is_covered, f"{child} sent for {order_id} under {kill}"


def _covers(kill: KillEngaged, terms: OrderAccepted) -> bool:
    match kill.scope:
        case KillScope.FIRM:
            return True
        case KillScope.CLIENT:
            return CLIENTS[terms.account_id] == kill.scope_id
        case KillScope.VENUE:
            return False
        case _:
            value: str = getattr(terms, _FIELDS[kill.scope])
            return value == kill.scope_id


_FIELDS = {
    KillScope.ACCOUNT: "account_id",
    KillScope.DESK: "desk_id",
    KillScope.SOURCE: "source",
    KillScope.STRATEGY: "strategy",
    KillScope.INSTRUMENT: "instrument_id",
}
