"""Count a day from its log: what came in, what was done, what was given back."""

from collections import Counter
from typing import Any

import msgspec

from schemas.messages import allocation, intake, netting, routing


class DaySummary(msgspec.Struct):
    """Totals of a log; quantities are sums of smallest units over all instruments."""

    orders_accepted: int = 0
    orders_rejected: int = 0
    commands_repeated: int = 0
    crosses: int = 0
    crossed_quantity: int = 0
    parents: int = 0
    parents_filled: int = 0
    children: int = 0
    children_rejected: int = 0
    fills: int = 0
    filled_quantity: int = 0
    allocated_quantity: int = 0
    late_fills: int = 0
    busts: int = 0
    corrections: int = 0
    ordered_quantity: int = 0
    events: int = 0
    ordered_by_id: dict[str, int] = msgspec.field(default_factory=dict)
    given_by_order: Counter[str] = msgspec.field(default_factory=Counter)
    ordered_by_parent: dict[str, int] = msgspec.field(default_factory=dict)
    filled_by_parent: Counter[str] = msgspec.field(default_factory=Counter)
    error_by_fill: dict[str, int] = msgspec.field(default_factory=dict)
    rejects_by_reason: Counter[str] = msgspec.field(default_factory=Counter)

    @property
    def unallocated_quantity(self) -> int:
        return self.filled_quantity - self.allocated_quantity

    @property
    def error_account_quantity(self) -> int:
        """What the venues filled beyond the order, as it stands after busts and corrections."""
        return sum(self.error_by_fill.values())

    @property
    def overfilled_quantity(self) -> int:
        """Beyond what a parent or a source order asked for, by our own doing: always 0."""
        parents = sum(
            max(0, filled - self.ordered_by_parent.get(parent_id, 0))
            for parent_id, filled in self.filled_by_parent.items()
        )
        orders = sum(
            max(0, given - self.ordered_by_id.get(order_id, 0))
            for order_id, given in self.given_by_order.items()
        )
        return parents + orders

    def add(self, message: Any) -> None:
        """Count one event of the engine. Events of no interest only count as events."""
        self.events += 1
        match message:
            case intake.OrderAccepted():
                self.orders_accepted += 1
                self.ordered_by_id[message.order_id] = message.quantity
            case intake.OrderReplaced():
                self.ordered_by_id[message.order_id] = message.quantity
            case intake.OrderRejected() | intake.OrderCancelRejected():
                self.orders_rejected += isinstance(message, intake.OrderRejected)
                self.rejects_by_reason[message.reason] += 1
            case intake.CommandRepeated():
                self.commands_repeated += 1
            case netting.ParentOpened():
                self.parents += 1
            case netting.EpochOpened():
                self.ordered_by_parent[message.parent_id] = max(
                    message.parent_quantity, self.ordered_by_parent.get(message.parent_id, 0)
                )
            case netting.ParentClosed():
                self.parents_filled += message.filled_quantity == message.quantity
            case routing.ChildPlaced():
                self.children += 1
            case routing.ChildRejected():
                self.children_rejected += 1
            case _:
                self._add_execution(message)

    def _add_execution(self, message: Any) -> None:
        match message:
            case routing.FillBooked():
                self.fills += 1
                self.late_fills += message.late_quantity + message.error_quantity > 0
                self.error_by_fill[message.fill_id] = message.error_quantity
                self._filled(message.parent_id, message.quantity)
            case routing.FillBusted():
                self.busts += 1
                self.error_by_fill[message.fill_id] = 0
                self._filled(message.parent_id, -message.quantity)
            case routing.FillCorrected():
                self.corrections += 1
                self.error_by_fill[message.fill_id] = message.error_quantity
                self._filled(message.parent_id, message.quantity - message.previous_quantity)
            case allocation.CrossAllocated():
                self.crosses += 1
                self.crossed_quantity += message.quantity
                for cash in (*message.buys, *message.sells):
                    self.given_by_order[cash.order_id] += cash.quantity
            case allocation.FillAllocated() | allocation.AllocationRestated():
                for entry in message.entries:
                    self.allocated_quantity += entry.quantity
                    self.given_by_order[entry.order_id] += entry.quantity
            case _:
                pass

    def _filled(self, parent_id: str, quantity: int) -> None:
        self.filled_quantity += quantity
        self.filled_by_parent[parent_id] += quantity
