"""What was reported of each order, and who is to get it: state of instructions."""

import msgspec

from schemas.messages.clearing import AllocationReported
from schemas.messages.core import ClearingTransaction, Side
from schemas.messages.fix import FixAllocationInstructed
from schemas.messages.wire import read_allocation_reported, write_allocation_reported
from services.fix.clearers.shares import Share, split, whole_share
from streams.core.apportion import guarded_webster

__all__ = ["Instructions", "OrderBook", "Orders", "ReportedOrder"]


class ReportedOrder(msgspec.Struct, array_like=True):
    """An order with what clearing reports of it."""

    order_id: str
    client_order_id: str
    client_id: str
    account_id: str
    instrument_id: str
    side: Side
    quantity_scale: int
    trade_date: int
    records: dict[str, bytes] = {}  # newest report that stands, by record, the first one first

    def reports(self) -> list[AllocationReported]:
        return [read_allocation_reported(body, 0)[0] for body in self.records.values()]


class Orders(msgspec.Struct):
    """Every order that was given something: folded from clearing.reports."""

    by_id: dict[str, ReportedOrder] = {}
    ids: dict[str, list[str]] = {}  # orders by the client's id, which another client may use too

    def fold(self, report: AllocationReported) -> None:
        """Take a report."""
        order = self.by_id.get(report.order_id)
        if order is None:
            order = self.by_id[report.order_id] = ReportedOrder(
                report.order_id,
                report.client_order_id,
                report.client_id,
                report.account_id,
                report.instrument_id,
                report.side,
                report.quantity_scale,
                report.trade_date,
            )
            self.ids.setdefault(report.client_order_id, []).append(report.order_id)
        if report.transaction is ClearingTransaction.CANCEL:
            order.records.pop(report.record_id, None)
        else:
            order.records[report.record_id] = write_allocation_reported(report)

    def named(self, client_order_id: str, order_id: str) -> list[ReportedOrder]:
        """Return the orders that FIX 37 or 11 may mean."""
        names = [order_id] if order_id else self.ids.get(client_order_id, [])
        return [self.by_id[name] for name in names if name in self.by_id]


class Instructions(msgspec.Struct):
    """What stands of clients' instructions: folded from what we emitted."""

    by_id: dict[str, FixAllocationInstructed] = {}  # accepted, by session and the client's id
    by_order: dict[str, str] = {}  # the one that stands, by order
    names: dict[str, str] = {}  # newest id that the counterparty knows a report by, by report
    told: dict[str, int] = {}  # how often a report was told again under another id

    def find(self, session_id: str, instruction_id: str) -> FixAllocationInstructed | None:
        return self.by_id.get(f"{session_id}/{instruction_id}")

    def stands(self, message: FixAllocationInstructed) -> bool:
        """Return whether an instruction still divides its orders."""
        key = f"{message.session_id}/{message.instruction_id}"
        return any(self.by_order.get(order_id) == key for order_id in message.order_ids)

    def fold(self, message: FixAllocationInstructed) -> None:
        """Take an accepted instruction; a newer one for an order replaces an older one."""
        key = f"{message.session_id}/{message.instruction_id}"
        self.by_id[key] = message
        previous = self.find(message.session_id, message.previous_id)
        for order_id in () if previous is None else previous.order_ids:
            self.by_order.pop(order_id, None)
        for order_id in message.order_ids:
            if message.transaction is ClearingTransaction.CANCEL:
                self.by_order.pop(order_id, None)
            else:
                self.by_order[order_id] = key

    def of_order(self, order_id: str) -> FixAllocationInstructed | None:
        return self.by_id.get(self.by_order.get(order_id, ""))


class OrderBook:
    """Orders and instructions together: who gets what of a report."""

    def __init__(self, orders: Orders, instructions: Instructions) -> None:
        self._orders = orders
        self._instructions = instructions

    def shares(
        self, report: AllocationReported, instructed: FixAllocationInstructed | None = None
    ) -> tuple[Share, ...]:
        """Return who gets a report's content: those who are instructed, else its own account.

        Records are divided one after the other in the order of their first report, each so that
        what all of them gave so far is nearest to the instruction: with the last one it is exact.
        """
        instructed = instructed or self._instructions.of_order(report.order_id)
        if instructed is None or report.transaction is ClearingTransaction.CANCEL:
            return whole_share(report)
        weights = [share.quantity for share in instructed.shares]
        given = [0] * len(weights)
        for record_id, quantity in self._records(instructed, report):
            if sum(given) + quantity > sum(weights):
                return whole_share(report)  # more than was instructed: the client must say anew
            after = guarded_webster(weights, given, quantity)
            if record_id == report.record_id:
                parts = [b - a for a, b in zip(given, after, strict=True)]
                return split(report, [s.account_id for s in instructed.shares], parts)
            given = after
        return whole_share(report)

    def _records(
        self, instructed: FixAllocationInstructed, report: AllocationReported
    ) -> list[tuple[str, int]]:
        """Return the records that are divided, with their quantities; `report` is the newest."""
        found: dict[str, int] = {}
        for order_id in instructed.order_ids:
            order = self._orders.by_id.get(order_id)
            for each in () if order is None else order.reports():
                found[each.record_id] = each.quantity
        found[report.record_id] = report.quantity
        return list(found.items())
