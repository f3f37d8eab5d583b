"""TCA from the log: what each child, parent and source order cost. Topic tca.results."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

import msgspec

from schemas.messages.allocation import (
    AllocationRestated,
    CashAllocated,
    CrossAllocated,
    FillAllocated,
)
from schemas.messages.core import Envelope, Side, TcaLevel, Wait
from schemas.messages.intake import OrderAccepted, OrderCanceled, OrderClosed, OrderReplaced
from schemas.messages.market import TradePrinted
from schemas.messages.netting import EpochOpened, ParentClosed, ParentOpened, WindowClosed
from schemas.messages.routing import (
    ChildCanceled,
    ChildPlaced,
    ChildRejected,
    FillBooked,
    FillBusted,
    FillCorrected,
)
from schemas.messages.tca import TcaRow
from streams.core.topics import (
    AGGREGATIONS_EVENTS,
    ALLOCATIONS_EVENTS,
    CHILDREN_EVENTS,
    FILLS_EVENTS,
    MARKET_DATA,
    ORDERS_EVENTS,
)
from streams.models.tca import average_price_e9, performance_e9, round_half_even
from streams.views.sequence import Sequences
from streams.views.tape import IntervalAverage, Tape

__all__ = ["TCA_TOPICS", "TcaView"]

TCA_TOPICS: Final = (
    ORDERS_EVENTS,
    AGGREGATIONS_EVENTS,
    CHILDREN_EVENTS,
    FILLS_EVENTS,
    ALLOCATIONS_EVENTS,
    MARKET_DATA,
)
FOREVER_NS: Final = 1 << 62


@dataclass(slots=True)
class Subject:
    """A child, parent or order: what was asked for and when. Known from its first event on."""

    instrument_id: str
    side: Side
    ordered: int
    arrival_e9: int | None
    since_ns: int
    until_ns: int = FOREVER_NS


@dataclass(frozen=True, slots=True)
class Fill:
    """A fill as it stands now, after busts and corrections."""

    child_id: str
    parent_id: str
    epoch: int
    quantity: int
    price_e9: int
    fee_e9: int
    at_ns: int


@dataclass(slots=True)
class Executed:
    """Sums of executions. `notional_e9` is price times quantity, in smallest units."""

    quantity: int = 0
    crossed: int = 0
    notional_e9: int = 0
    fee_e9: int = 0
    last_ns: int = 0

    def add(self, quantity: int, notional_e9: int, fee_e9: int) -> None:
        self.quantity += quantity
        self.notional_e9 += notional_e9
        self.fee_e9 += fee_e9


@dataclass(slots=True)
class TcaView:
    """Folds the log in any order between topics; equal facts give equal rows."""

    _sequences: Sequences = field(default_factory=Sequences)
    _children: dict[str, Subject] = field(default_factory=dict)
    _parents: dict[str, Subject] = field(default_factory=dict)
    _orders: dict[str, Subject] = field(default_factory=dict)
    _fills: dict[str, Fill] = field(default_factory=dict)
    # (parent, epoch) -> order -> quantity given so far
    _shares: dict[tuple[str, int], dict[str, int]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(int))
    )
    _cash: dict[tuple[str, int], CashAllocated] = field(default_factory=dict)
    _fill_cash: dict[str, CashAllocated] = field(default_factory=dict)  # where it stands by itself
    _crosses: dict[str, CrossAllocated] = field(default_factory=dict)
    _waits: dict[str, list[Wait]] = field(default_factory=lambda: defaultdict(list))
    _tapes: dict[str, Tape] = field(default_factory=lambda: defaultdict(Tape))

    def fold(self, topic: str, partition: int, envelope: Envelope, message: Any) -> None:
        """Apply an event; a repeat changes nothing.

        Raises: GapError when events before it were not shown; nothing is applied then, and the
                reader reads them and this one again.
        """
        if self._sequences.is_new(topic, partition, envelope.topic_seq):
            self._apply(envelope, message)

    def related(self, name: str) -> set[str]:
        """Return the ids that a parent or order has to do with, its own included."""
        pairs = {(key[0], order) for key, shares in self._shares.items() for order in shares}
        parents = {parent for parent, order in pairs if name in (parent, order)}
        parents |= {name} & self._parents.keys()
        orders = {order for parent, order in pairs if name == parent}
        children = {child for child in self._children if child.rsplit(".", 2)[0] in parents}
        return {name} | parents | orders | children

    def waits(self, order_id: str) -> tuple[Wait, ...]:
        """Return the order's waits for netting windows, in order of time."""
        return tuple(self._waits.get(order_id, ()))

    def rows(self) -> list[TcaRow]:
        """Return a row per parent, order and child, each level in order of their ids."""
        pools = self._pools()
        levels = (
            (TcaLevel.PARENT, self._parents, self._by(lambda fill: fill.parent_id)),
            (TcaLevel.ORDER, self._orders, self._by_order(pools)),
            (TcaLevel.CHILD, self._children, self._by(lambda fill: fill.child_id)),
        )
        return [
            self._row(level, name, subjects[name], executed.get(name, Executed()))
            for level, subjects, executed in levels
            for name in sorted(subjects, key=_natural)
        ]

    def digest(self) -> str:
        """Return the SHA-256 of the rows, hex: equal logs give equal digests."""
        return sha256(msgspec.msgpack.encode(self.rows())).hexdigest()

    def _apply(self, envelope: Envelope, message: Any) -> None:
        match message:
            case TradePrinted():
                at_ns = envelope.source_ns or envelope.at_ns
                self._tapes[message.instrument_id].add(
                    at_ns, message.price_e9, message.quantity, message.own_quantity
                )
            case FillBooked() | FillBusted() | FillCorrected():
                self._apply_fill(envelope, message)
            case FillAllocated() | AllocationRestated():
                shares = self._shares[message.parent_id, message.epoch]
                for entry in message.entries:
                    shares[entry.order_id] += entry.quantity
            case CashAllocated():
                if message.fill_id:
                    self._fill_cash[message.fill_id] = message
                else:
                    self._cash[message.parent_id, message.epoch] = message
            case CrossAllocated():
                self._crosses[message.cross_id] = message
            case _:
                self._apply_subject(envelope, message)

    def _apply_fill(
        self, envelope: Envelope, message: FillBooked | FillBusted | FillCorrected
    ) -> None:
        if isinstance(message, FillBusted):
            self._fills.pop(message.fill_id, None)
            return
        before = self._fills.get(message.fill_id)
        self._fills[message.fill_id] = Fill(
            child_id=message.child_id,
            parent_id=message.parent_id,
            epoch=message.epoch,
            quantity=message.quantity,
            price_e9=message.price_e9,
            fee_e9=message.fee_e9,
            at_ns=before.at_ns if before else envelope.at_ns,
        )

    def _apply_subject(self, envelope: Envelope, message: Any) -> None:
        match message:
            case OrderAccepted():
                self._orders[message.order_id] = _subject(message, message.accepted_ns)
            case OrderReplaced():
                self._orders[message.order_id].ordered = message.quantity
            case OrderClosed() | OrderCanceled():
                self._orders[message.order_id].until_ns = envelope.at_ns
            case ParentOpened():
                self._parents[message.parent_id] = _subject(message, envelope.at_ns)
            case WindowClosed():
                for wait in message.waits:
                    self._waits[wait.order_id].append(wait)
            case EpochOpened():
                self._parents[message.parent_id].ordered = message.parent_quantity
            case ParentClosed():
                self._parents[message.parent_id].until_ns = envelope.at_ns
            case ChildPlaced():
                self._children[message.child_id] = _subject(message, envelope.at_ns)
            case ChildCanceled() | ChildRejected():
                self._children[message.child_id].until_ns = envelope.at_ns
            case _:
                pass

    def _by(self, owner: Any) -> dict[str, Executed]:
        found: dict[str, Executed] = defaultdict(Executed)
        for fill in self._fills.values():
            executed = found[owner(fill)]
            executed.add(fill.quantity, fill.price_e9 * fill.quantity, fill.fee_e9)
            executed.last_ns = max(executed.last_ns, fill.at_ns)
        return found

    def _pools(self) -> dict[tuple[str, int], Executed]:
        found: dict[tuple[str, int], Executed] = defaultdict(Executed)
        for fill in self._fills.values():
            pool = found[fill.parent_id, fill.epoch]
            pool.add(fill.quantity, fill.price_e9 * fill.quantity, fill.fee_e9)
        return found

    def _by_order(self, pools: dict[tuple[str, int], Executed]) -> dict[str, Executed]:
        """Return what each order got: its part of every epoch's pool, and its crosses.

        All orders of an epoch trade at the epoch's average price; fees are those of CashAllocated
        once it is known, before that in proportion. Where each fill's cash stands by itself, an
        order trades at the prices of the fills that it had part in.
        """
        found: dict[str, Executed] = defaultdict(Executed)
        by_fill = {(own.parent_id, own.epoch) for own in self._fill_cash.values()}
        for fill_id, own in self._fill_cash.items():
            if fill_id in self._fills:  # else busted, and its cash is about to say so
                for entry in own.entries:
                    notional_e9 = self._fills[fill_id].price_e9 * entry.quantity
                    found[entry.order_id].add(entry.quantity, notional_e9, entry.fee_e9)
        for key, shares in self._shares.items():
            if key in by_fill:
                continue
            pool, cash = pools.get(key, Executed()), self._cash.get(key)
            fees = {entry.order_id: entry.fee_e9 for entry in cash.entries} if cash else {}
            for order_id, quantity in shares.items():
                if pool.quantity and quantity:
                    notional_e9 = round_half_even(pool.notional_e9 * quantity, pool.quantity)
                    part = round_half_even(pool.fee_e9 * quantity, pool.quantity)
                    found[order_id].add(quantity, notional_e9, fees.get(order_id, part))
        for cross in self._crosses.values():
            for entry in (*cross.buys, *cross.sells):
                executed = found[entry.order_id]
                executed.add(entry.quantity, cross.price_e9 * entry.quantity, entry.fee_e9)
                executed.crossed += entry.quantity
        return found

    def _row(self, level: TcaLevel, name: str, subject: Subject, executed: Executed) -> TcaRow:
        until_ns, quantity = subject.until_ns, executed.quantity
        if until_ns == FOREVER_NS and level is TcaLevel.CHILD and quantity >= subject.ordered:
            until_ns = executed.last_ns  # a child that fills ends with its last fill
        market = self._interval(subject, until_ns)

        def against(benchmark_e9: int | None) -> int | None:
            benchmark = (benchmark_e9 or 0) * quantity
            return performance_e9(subject.side, quantity, executed.notional_e9, benchmark)

        return TcaRow(
            level=level,
            id=name,
            instrument_id=subject.instrument_id,
            side=subject.side,
            ordered_quantity=subject.ordered,
            quantity=quantity,
            crossed_quantity=executed.crossed,
            average_price_e9=average_price_e9(executed.notional_e9, quantity),
            arrival_price_e9=subject.arrival_e9,
            interval_vwap_e9=market.all_e9,
            others_vwap_e9=market.others_e9,
            arrival_performance_e9=against(subject.arrival_e9),
            vwap_performance_e9=against(market.all_e9),
            fee_e9=executed.fee_e9,
        )

    def _interval(self, subject: Subject, until_ns: int) -> IntervalAverage:
        tape = self._tapes.get(subject.instrument_id)
        if tape is None:
            return IntervalAverage(None, None)
        return tape.average(subject.since_ns, until_ns)


def _subject(message: OrderAccepted | ParentOpened | ChildPlaced, since_ns: int) -> Subject:
    return Subject(
        instrument_id=message.instrument_id,
        side=message.side,
        ordered=message.quantity,
        arrival_e9=message.arrival_price_e9,
        since_ns=since_ns,
    )


def _natural(name: str) -> tuple[tuple[int, str], ...]:
    """Order `P1.2.10` behind `P1.2.9`."""
    return tuple(_natural_parts(name))


def _natural_parts(name: str) -> Iterator[tuple[int, str]]:
    for part in name.split("."):
        yield (int(part), "") if part.isdecimal() else (-1, part)
