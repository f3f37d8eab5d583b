"""Our own sides, netted from the log: fills, allocations, cash, reports. No check is made here."""

from collections.abc import Callable
from typing import Any

import msgspec

from schemas.messages.allocation import (
    AllocationRestated,
    CashAllocated,
    CrossAllocated,
    FillAllocated,
)
from schemas.messages.clearing import (
    AllocationReported,
    ClearingRepaired,
    ClearingStatusChanged,
    ClearingSuspended,
    TradeCaptured,
)
from schemas.messages.core import (
    AllocationKind,
    CashEntry,
    ClearingStatus,
    Envelope,
    ExecType,
    RejectReason,
    Side,
)
from schemas.messages.intake import OrderAccepted, OrderReplaced
from schemas.messages.netting import CrossExecuted, ParentClosed
from schemas.messages.routing import FillBooked, FillBusted, FillCorrected, SuspenseRecorded
from schemas.messages.venues import ExecutionReport
from services.clearing.reconciliation.executions import Executions, told
from services.clearing.reference import Reference

__all__ = ["Cash", "Fill", "Order", "Pool", "Reported", "Sides", "pool_name", "record_source"]


SETTLED = "settled-"  # how the ExecID begins of a fill that people settled


class Order(msgspec.Struct, gc=False):
    """What an order asked for, at most."""

    account_id: str
    side: Side
    quantity: int


class Fill(msgspec.Struct, gc=False):
    """A fill as our log has it now."""

    fill_id: str
    child_id: str
    pool: str
    instrument_id: str
    side: Side
    paid: int
    error: int
    price_e9: int
    fee_e9: int
    executed_ns: int
    place: str
    is_in_pool: bool  # whether any of it was booked to the epoch: then its fee is the epoch's
    before: tuple[int, int, int]  # quantity, price, fee as first booked
    is_busted: bool = False
    is_corrected: bool = False

    @property
    def quantity(self) -> int:
        return self.paid + self.error


class Cash(msgspec.Struct, gc=False):
    """The newest division of a pool's, a fill's or a cross's cash."""

    version: int
    cash_e9: int
    fee_e9: int
    entries: dict[str, CashEntry]
    place: str


class Pool(msgspec.Struct):
    """One epoch: what it was filled with, and what its orders hold of that."""

    parent_id: str
    instrument_id: str
    fills: list[str] = []
    shares: dict[str, int] = {}
    executed_ns: int = 0


class Reported(msgspec.Struct):
    """Every report of one record, in the order of the log."""

    reports: list[Any] = []
    places: list[str] = []


class Crossed(msgspec.Struct, gc=False):
    """A cross as it was executed."""

    instrument_id: str
    quantity: int
    price_e9: int
    crossed_ns: int


def pool_name(parent_id: str, epoch: int) -> str:
    return f"{parent_id}#{epoch}"


class Sides:
    """Takes every record of the log, each partition in order; partitions in any interleaving."""

    def __init__(self) -> None:
        self.reference = Reference()
        self.executions = Executions()
        self.cumulative: dict[str, tuple[int, int, str]] = {}  # child -> venue time, count, place
        self.orders: dict[str, Order] = {}
        self.given: dict[str, int] = {}  # by order
        self.fills: dict[str, Fill] = {}
        self.allocated: dict[str, int] = {}  # by fill; its topic may be read before the fills'
        self.duplicate_fills: list[tuple[str, str]] = []
        self.settled_children: set[str] = set()  # by people, in part at least
        self.pools: dict[str, Pool] = {}
        self.closed_parents: set[str] = set()
        self.cash: dict[str, Cash] = {}  # by pool, fill or cross
        self.crosses: dict[str, Crossed] = {}
        self.crossed: dict[str, CrossAllocated] = {}
        self.reported: dict[str, Reported] = {}
        self.statuses: dict[str, ClearingStatus] = {}
        self.repaired: dict[str, set[str]] = {}  # fields that people decided, by record
        self.suspended: list[tuple[ClearingSuspended, str]] = []

    def take(self, envelope: Envelope, message: Any, place: str) -> None:
        """Fold one record; what no side is made of is passed over."""
        take = TAKES.get(type(message))
        if take is None:
            self.reference.fold(message, envelope.at_ns)
        else:
            take(self, envelope, message, place)

    def pool(self, parent_id: str, epoch: int, instrument_id: str = "") -> Pool:
        name = pool_name(parent_id, epoch)
        pool = self.pools.setdefault(name, Pool(parent_id, instrument_id))
        pool.instrument_id = pool.instrument_id or instrument_id
        return pool

    def is_wanted(self, day: int, instrument_id: str, at_ns: int) -> bool:
        return not day or self.reference.trade_date(instrument_id, at_ns) == day


def record_source(report: AllocationReported) -> str:
    """Return what an allocation report is about: an epoch, a fill or a cross."""
    if report.kind is AllocationKind.EPOCH:
        return pool_name(report.parent_id, report.epoch)
    if report.kind is AllocationKind.FILL and report.parts:
        return report.parts[0].fill_id
    return report.cross_id or report.record_id.partition("@")[2]


def _told(sides: Sides, _: Envelope, event: ExecutionReport, place: str) -> None:
    row = told(event, place)
    if row is not None:
        sides.executions.add(row)
    known = sides.cumulative.get(event.child_id)
    if known is None or _is_newer(event, known[0], known[1]):
        counted = (event.transact_ns, event.cumulative_quantity, place)
        sides.cumulative[event.child_id] = counted


def _is_newer(event: ExecutionReport, at_ns: int, count: int) -> bool:
    """Return whether a report counts more newly than one at `at_ns` that had `count`.

    Of the same instant the higher count is newer, in whatever order they were told: only a bust or
    a correction lowers it.
    """
    is_change = event.exec_type in (ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT)
    is_further = is_change or event.cumulative_quantity >= count
    return event.transact_ns > at_ns or (event.transact_ns == at_ns and is_further)


def _accepted(sides: Sides, _: Envelope, event: OrderAccepted, place: str) -> None:
    sides.orders[event.order_id] = Order(event.account_id, event.side, event.quantity)


def _replaced(sides: Sides, _: Envelope, event: OrderReplaced, place: str) -> None:
    order = sides.orders.get(event.order_id)
    if order is not None:
        order.quantity = max(order.quantity, event.quantity)


def _booked(sides: Sides, envelope: Envelope, event: FillBooked, place: str) -> None:
    if event.fill_id in sides.fills:
        sides.duplicate_fills.append((event.fill_id, place))
        return
    if event.exec_id.startswith(SETTLED):
        sides.settled_children.add(event.child_id)
    pool = sides.pool(event.parent_id, event.epoch, event.instrument_id)
    executed_ns = envelope.source_ns or envelope.at_ns
    pool.fills.append(event.fill_id)
    pool.executed_ns = max(pool.executed_ns, executed_ns)
    sides.fills[event.fill_id] = Fill(
        fill_id=event.fill_id,
        child_id=event.child_id,
        pool=pool_name(event.parent_id, event.epoch),
        instrument_id=event.instrument_id,
        side=event.side,
        paid=event.quantity,
        error=event.error_quantity,
        price_e9=event.price_e9,
        fee_e9=event.fee_e9,
        executed_ns=executed_ns,
        place=place,
        is_in_pool=event.quantity > 0,
        before=(event.quantity + event.error_quantity, event.price_e9, event.fee_e9),
    )


def _kept(sides: Sides, _: Envelope, event: SuspenseRecorded, place: str) -> None:
    """What is kept as told already is of a child that people settled."""
    if event.reason is RejectReason.NOTHING_CHANGED:
        sides.settled_children.add(event.child_id)


def _busted(sides: Sides, _: Envelope, event: FillBusted, place: str) -> None:
    fill = sides.fills.get(event.fill_id)
    if fill is not None:
        fill.is_busted, fill.place = True, place
        fill.paid = fill.error = fill.fee_e9 = 0


def _corrected(sides: Sides, _: Envelope, event: FillCorrected, place: str) -> None:
    fill = sides.fills.get(event.fill_id)
    if fill is not None:
        fill.is_corrected = True
        fill.paid, fill.error = event.quantity, event.error_quantity
        fill.price_e9, fill.fee_e9, fill.place = event.price_e9, event.fee_e9, place


def _allocated(
    sides: Sides, _: Envelope, event: FillAllocated | AllocationRestated, place: str
) -> None:
    pool = sides.pool(event.parent_id, event.epoch)
    for entry in event.entries:
        pool.shares[entry.order_id] = pool.shares.get(entry.order_id, 0) + entry.quantity
        sides.given[entry.order_id] = sides.given.get(entry.order_id, 0) + entry.quantity
        sides.allocated[event.fill_id] = sides.allocated.get(event.fill_id, 0) + entry.quantity


def _cash(sides: Sides, _: Envelope, event: CashAllocated, place: str) -> None:
    name = event.fill_id or pool_name(event.parent_id, event.epoch)
    known = sides.cash.get(name)
    if known is None or event.version >= known.version:
        entries = {entry.order_id: entry for entry in event.entries}
        sides.cash[name] = Cash(event.version, event.cash_e9, event.fee_e9, entries, place)


def _cross(sides: Sides, _: Envelope, event: CrossExecuted, place: str) -> None:
    sides.crosses[event.cross_id] = Crossed(
        event.instrument_id, event.quantity, event.price_e9, event.crossed_ns
    )


def _crossed(sides: Sides, _: Envelope, event: CrossAllocated, place: str) -> None:
    sides.crossed[event.cross_id] = event
    entries = {entry.order_id: entry for entry in (*event.buys, *event.sells)}
    cash_e9 = sum(entry.cash_e9 for entry in event.buys)
    sides.cash[event.cross_id] = Cash(1, cash_e9, 0, entries, place)
    for entry in (*event.buys, *event.sells):
        sides.given[entry.order_id] = sides.given.get(entry.order_id, 0) + entry.quantity


def _parent_closed(sides: Sides, _: Envelope, event: ParentClosed, place: str) -> None:
    sides.closed_parents.add(event.parent_id)


def _reported(
    sides: Sides, _: Envelope, event: AllocationReported | TradeCaptured, place: str
) -> None:
    record = sides.reported.setdefault(event.record_id, Reported())
    record.reports.append(event)
    record.places.append(place)


def _status(sides: Sides, _: Envelope, event: ClearingStatusChanged, place: str) -> None:
    sides.statuses[event.report_id] = event.status


def _repaired(sides: Sides, _: Envelope, event: ClearingRepaired, place: str) -> None:
    sides.statuses[event.report_id] = ClearingStatus.REPAIRED
    fields = sides.repaired.setdefault(event.record_id, set())
    fields.update(change.field.lower() for change in event.changes)


def _suspended(sides: Sides, _: Envelope, event: ClearingSuspended, place: str) -> None:
    sides.suspended.append((event, place))


TAKES: dict[type, Callable[[Sides, Envelope, Any, str], None]] = {
    ExecutionReport: _told,
    OrderAccepted: _accepted,
    OrderReplaced: _replaced,
    FillBooked: _booked,
    FillBusted: _busted,
    FillCorrected: _corrected,
    SuspenseRecorded: _kept,
    FillAllocated: _allocated,
    AllocationRestated: _allocated,
    CashAllocated: _cash,
    CrossExecuted: _cross,
    CrossAllocated: _crossed,
    ParentClosed: _parent_closed,
    AllocationReported: _reported,
    TradeCaptured: _reported,
    ClearingStatusChanged: _status,
    ClearingRepaired: _repaired,
    ClearingSuspended: _suspended,
}
