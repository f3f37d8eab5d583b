"""A tiny venue that is honest about its own book and careless about the order of its reports."""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from schemas.messages.core import ExecType, Liquidity, OrderStatus, TimeInForce
from schemas.messages.routing import ChildPlaced
from schemas.messages.venues import ExecutionReport, OrderCancelReject

Choose = Callable[[int], int]  # an integer in [0, n)
PRICE_E9 = 99_900_000_000  # better than any limit of the races


class Execution(NamedTuple):
    child_id: str
    exec_id: str
    quantity: int


class Order:
    """One child as the venue has it."""

    __slots__ = ("is_immediate", "leaves", "net", "placed", "status")

    def __init__(self, placed: ChildPlaced) -> None:
        self.placed = placed
        self.is_immediate = placed.time_in_force is TimeInForce.IOC
        self.net = 0  # executed, busts and corrections applied
        self.leaves = placed.quantity
        self.status = OrderStatus.UNKNOWN  # not arrived yet


class ModelVenue:
    """Every venue of the race in one: requests wait in `inbox`, reports in `outbox`.

    `open_quantity` is the truth that routing must cover: executed (net of busts) plus what may
    still execute, over all orders, those under way included.
    """

    def __init__(self, choose: Choose) -> None:
        self._choose = choose
        self.orders: dict[str, Order] = {}
        self.inbox: list[tuple[str, str, int]] = []  # what, child, request
        self.outbox: list[ExecutionReport | OrderCancelReject] = []
        self.executions: list[Execution] = []
        self.live: list[str] = []
        self.open_quantity = 0
        self.excess = 0  # executed beyond its orders, by corrections upwards
        self.taken_back = 0  # by busts and corrections downwards
        self.changes: Counter[str] = Counter()  # busts and corrections, by child
        self._exec_ids = 0
        self.request = 0  # what the next report says of replaces and of the quantity in force
        self.order_quantity = 0

    def place(self, placed: ChildPlaced) -> None:
        self.orders[placed.child_id] = Order(placed)
        self.open_quantity += placed.quantity
        self.inbox.append(("new", placed.child_id, 0))

    def ask(self, what: str, child_id: str, request: int) -> None:
        self.inbox.append((what, child_id, request))

    def answer(self) -> None:
        """Work on the oldest request."""
        what, child_id, request = self.inbox.pop(0)
        order = self.orders[child_id]
        if what == "new":
            self._arrive(order)
        elif what == "status":
            self._report(order, ExecType.ORDER_STATUS)
        elif order.leaves and self._choose(6):
            self.close(child_id, OrderStatus.CANCELED, ExecType.CANCELED)
        else:
            self.outbox.append(_cancel_reject(order.placed, request))

    def fill(self, child_id: str, quantity: int) -> None:
        order = self.orders[child_id]
        order.net += quantity
        order.leaves -= quantity
        order.status = OrderStatus.PARTIALLY_FILLED if order.leaves else OrderStatus.FILLED
        if not order.leaves:
            self.live.remove(child_id)
        exec_id = self._report(order, ExecType.TRADE, quantity)
        self.executions.append(Execution(child_id, exec_id, quantity))

    def close(self, child_id: str, status: OrderStatus, exec_type: ExecType) -> None:
        order = self.orders[child_id]
        self.open_quantity -= order.leaves
        order.leaves = 0
        order.status = status
        if child_id in self.live:
            self.live.remove(child_id)
        self._report(order, exec_type)

    def bust(self, index: int) -> None:
        """Take an execution back; what it took from the order does not return to the book."""
        gone = self.executions.pop(index)
        order = self.orders[gone.child_id]
        order.net -= gone.quantity
        self.changes[gone.child_id] += 1
        self.open_quantity -= gone.quantity
        self.taken_back += gone.quantity
        self._report(order, ExecType.TRADE_CANCEL, gone.quantity, gone.exec_id)

    def correct(self, index: int, quantity: int) -> None:
        old = self.executions[index]
        order = self.orders[old.child_id]
        change = quantity - old.quantity
        order.net += change
        self.changes[old.child_id] += 1
        self.open_quantity += change
        self.excess += max(change, 0)
        self.taken_back += max(-change, 0)
        exec_id = self._report(order, ExecType.TRADE_CORRECT, quantity, old.exec_id)
        # The next change refers to the correction or to the execution itself: both are in use.
        self.executions[index] = Execution(
            old.child_id, exec_id if self._choose(2) else old.exec_id, quantity
        )

    def _arrive(self, order: Order) -> None:
        child_id = order.placed.child_id
        if self._choose(8) == 0:
            self.close(child_id, OrderStatus.REJECTED, ExecType.REJECTED)
            return
        order.status = OrderStatus.NEW
        self.live.append(child_id)
        if self._choose(10):  # some venues answer with the first fill
            self._report(order, ExecType.NEW)
        if order.is_immediate:
            taken = self._choose(order.leaves + 1)
            if taken:
                self.fill(child_id, taken)
            if order.leaves:
                self.close(child_id, OrderStatus.EXPIRED, ExecType.EXPIRED)

    def _report(
        self, order: Order, exec_type: ExecType, quantity: int = 0, refers_to: str = ""
    ) -> str:
        self._exec_ids += 1
        exec_id = str(self._exec_ids)
        placed = order.placed
        self.outbox.append(
            ExecutionReport(
                venue_id=placed.venue_id,
                instrument_id=placed.instrument_id,
                child_id=placed.child_id,
                venue_order_id="",
                exec_id=exec_id,
                exec_ref_id=refers_to,
                exec_type=exec_type,
                order_status=order.status,
                side=placed.side,
                last_quantity=quantity,
                last_price_e9=PRICE_E9 if quantity else None,
                cumulative_quantity=order.net,
                leaves_quantity=order.leaves,
                fee_e9=0,
                liquidity=Liquidity.ADDED,
                text="",
                transact_ns=self._exec_ids,
                request=self.request,
                order_quantity=self.order_quantity,
            )
        )
        return exec_id


def _cancel_reject(placed: ChildPlaced, request: int) -> OrderCancelReject:
    return OrderCancelReject(
        venue_id=placed.venue_id,
        instrument_id=placed.instrument_id,
        child_id=placed.child_id,
        venue_order_id="",
        request=request,
        text="too late to cancel",
        transact_ns=0,
    )
