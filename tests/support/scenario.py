"""Scenarios as data: what the world does, line by line, and what the engine writes for it."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from schemas.messages import allocation, intake, netting, routing
from schemas.messages.core import ExecType, OrderStatus, OrderType, Side, StrategyKind, Urgency
from schemas.messages.venues import OrderCancelReject
from streams.core import topics
from tests.support.builders import (
    SECOND,
    TICK,
    book_updated,
    cancel_order,
    execution_report,
    mass_cancel_order,
    new_order,
    replace_order,
)
from tests.support.shard_host import ListHost, trading_host

__all__ = ["A2", "HELD", "ONE_ORDER", "TWO_ORDERS", "URGENT", "Desk", "Step", "play"]


class Step(NamedTuple):
    """One batch: what happens, and the briefs of what is written, in order."""

    action: tuple[Any, ...]
    expected: Sequence[str]


# How many of them begin: an order that is worked at once; two orders in one parent.
A2 = {"account_id": "A2"}
URGENT = {"urgency": Urgency.URGENT}
ONE_ORDER = [
    Step(
        ("buy", "c1", 100, URGENT),
        [
            "OrderAccepted c1 BUY 100",
            "WindowClosed buy 100 sell 0",
            "ParentOpened BUY 100",
            "EpochOpened 1: 100 c1=100",
            "ChildPlaced BUY 100 epoch 1",
        ],
    )
]
TWO_ORDERS = [
    Step(("buy", "c1", 100), ["OrderAccepted c1 BUY 100"]),
    Step(
        ("buy", "c2", 200, A2),
        [
            "OrderAccepted c2 BUY 200",
            "WindowClosed buy 300 sell 0",
            "ParentOpened BUY 300",
            "EpochOpened 1: 300 c1=100 c2=200",
            "ChildPlaced BUY 300 epoch 1",
        ],
    ),
]
HELD = ["ParentHeld c1", "ChildCancelRequested CLIENT"]  # once c1 wants to leave


class Desk:
    """Acts on a shard as clients and a venue would; an action is one batch one second later."""

    def __init__(self, host: ListHost | None = None) -> None:
        self.host = trading_host() if host is None else host
        self.children: list[routing.ChildPlaced] = []  # open at the venue, oldest first
        self.executions: list[tuple[routing.ChildPlaced, str, int]] = []
        self._filled: dict[str, int] = {}
        self._names: dict[str, str] = {}  # order id -> client order id

    def act(self, verb: str, *arguments: Any) -> list[str]:
        """Do one thing, and return the briefs of what the engine wrote."""
        seconds = arguments[0] if verb == "wait" else 1
        if verb != "wait":
            changes = arguments[-1] if arguments and isinstance(arguments[-1], dict) else {}
            positional = arguments[:-1] if changes else arguments
            getattr(self, f"_{verb}")(*positional, **changes)
        return [line for _ in range(seconds) for line in self._pass_second()]

    def _pass_second(self) -> list[str]:
        self.host.put(topics.MARKET_DATA, *[book_updated(f"V{n}") for n in range(1, 4)])
        messages = self.host.step(self.host.now_ns + SECOND)
        for message in messages:
            if isinstance(message, routing.ChildPlaced):
                self.children.append(message)
            if isinstance(message, intake.OrderAccepted):
                self._names[message.order_id] = message.client_order_id
        return [line for message in messages if (line := self.brief(message))]

    def brief(self, message: Any) -> str:
        """Return one line for people; empty for messages that no scenario is about."""
        write = _BRIEFS.get(type(message))
        return "" if write is None else f"{type(message).__name__} {write(self, message)}"

    def name(self, order_id: str) -> str:
        return self._names.get(order_id, order_id)

    def _buy(self, client_order_id: str, quantity: int, **changes: Any) -> None:
        """Buy at once with a limit of 99.90: it rests below the market."""
        order = {
            "strategy": StrategyKind.IMMEDIATE,
            "order_type": OrderType.LIMIT,
            "limit_price_e9": 9_990 * TICK,
            **changes,
        }
        self._order(new_order(client_order_id, quantity=quantity, **order))

    def _sell(self, client_order_id: str, quantity: int, **changes: Any) -> None:
        order = {"side": Side.SELL, "limit_price_e9": 10_010 * TICK, **changes}
        self._buy(client_order_id, quantity, **order)

    def _cancel(self, client_order_id: str, original: str, **changes: Any) -> None:
        self._order(cancel_order(client_order_id, original, **changes))

    def _replace(
        self, client_order_id: str, original: str, quantity: int, ticks: int, **changes: Any
    ) -> None:
        terms = {"quantity": quantity, "limit_price_e9": ticks * TICK, **changes}
        self._order(replace_order(client_order_id, original, **terms))

    def _mass_cancel(self, client_order_id: str, **changes: Any) -> None:
        self._order(mass_cancel_order(client_order_id, **changes))

    def _define(self, *definitions: Any) -> None:
        self.host.put(topics.CONTROL_COMMANDS, *definitions)

    def _order(self, message: Any) -> None:
        self.host.put(topics.ORDERS_COMMANDS, message)

    def _acknowledge(self) -> None:
        self._report(self.children[0], ExecType.NEW, OrderStatus.NEW)

    def _fill(self, quantity: int, child: routing.ChildPlaced | None = None) -> None:
        """Fill the oldest open child, or one that the venue says is off its book."""
        child = self.children[0] if child is None else child
        filled = self._filled[child.child_id] = self._filled.get(child.child_id, 0) + quantity
        is_full = filled == child.quantity
        status = OrderStatus.FILLED if is_full else OrderStatus.PARTIALLY_FILLED
        exec_id = self._report(child, ExecType.TRADE, status, last_quantity=quantity)
        self.executions.append((child, exec_id, quantity))
        if is_full and child in self.children:
            self.children.remove(child)

    def _fill_late(self, quantity: int, index: int) -> None:
        """Report a fill of the `index`th child ever placed, whatever became of it."""
        self._fill(quantity, self.host.messages(routing.ChildPlaced)[index])

    def _confirm_cancel(self, cumulative_quantity: int = 0) -> None:
        child = self.children.pop(0)
        changes = {"cumulative_quantity": cumulative_quantity, "leaves_quantity": 0}
        self._report(child, ExecType.CANCELED, OrderStatus.CANCELED, **changes)

    def _expire(self) -> None:
        """Let the venue give up what an IOC child did not get."""
        child = self.children.pop(0)
        self._report(child, ExecType.EXPIRED, OrderStatus.EXPIRED, leaves_quantity=0)

    def _refuse_cancel(self) -> None:
        child = self.children[0]
        refusal = OrderCancelReject(
            venue_id=child.venue_id,
            instrument_id=child.instrument_id,
            child_id=child.child_id,
            venue_order_id="",
            request=1,
            text="too late",
            transact_ns=self.host.now_ns,
        )
        self.host.put(topics.VENUES_REPORTS, refusal)

    def _reject(self) -> None:
        child = self.children.pop(0)
        self._report(child, ExecType.REJECTED, OrderStatus.REJECTED, leaves_quantity=0)

    def _bust(self, index: int) -> None:
        child, exec_id, quantity = self.executions[index]
        self._filled[child.child_id] -= quantity
        changes = {"exec_ref_id": exec_id, "last_quantity": quantity}
        self._report(child, ExecType.TRADE_CANCEL, OrderStatus.PARTIALLY_FILLED, **changes)

    def _correct(self, index: int, quantity: int) -> None:
        child, exec_id, before = self.executions[index]
        self._filled[child.child_id] += quantity - before
        changes = {"exec_ref_id": exec_id, "last_quantity": quantity}
        self._report(child, ExecType.TRADE_CORRECT, OrderStatus.PARTIALLY_FILLED, **changes)

    def _report(
        self, child: routing.ChildPlaced, kind: ExecType, status: OrderStatus, **changes: Any
    ) -> str:
        exec_id = f"e{len(self.host.batches)}"
        filled = self._filled.get(child.child_id, 0)
        report = execution_report(
            child.child_id,
            exec_id,
            **{
                "venue_id": child.venue_id,
                "exec_type": kind,
                "order_status": status,
                "side": child.side,
                "last_quantity": 0,
                "last_price_e9": child.price_e9,
                "cumulative_quantity": filled,
                "leaves_quantity": child.quantity - filled,
                "transact_ns": self.host.now_ns,
                **changes,
            },
        )
        self.host.put(topics.VENUES_REPORTS, report)
        return exec_id


def play(steps: Sequence[Step], host: ListHost | None = None) -> Desk:
    """Carry out the steps and compare what is written with what is expected.

    With one venue unless `host` has more: a scenario is of orders and children, not of routes.
    """
    desk = Desk(trading_host(venues=1) if host is None else host)
    for number, step in enumerate(steps, 1):
        written = desk.act(*step.action)
        assert written == list(step.expected), f"step {number}: {step.action}"
    return desk


def _members(desk: Desk, message: Any) -> str:
    parts = [f"{desk.name(m.order_id)}={m.quantity}" for m in message.members]
    return f"{message.epoch}: {message.quantity} {' '.join(parts)}".rstrip()


def _shares(desk: Desk, message: Any) -> str:
    return " ".join(f"{desk.name(e.order_id)}{e.quantity:+}" for e in message.entries)


def _tail(desk: Desk, message: netting.EpochClosed) -> str:
    parts = [f"{desk.name(m.order_id)}={m.quantity}" for m in message.tail]
    return f"{message.epoch}: tail {message.tail_quantity} {' '.join(parts)}".rstrip()


def _end(desk: Desk, message: Any) -> str:
    return f"{desk.name(message.order_id)} {message.status} {message.cumulative_quantity}"


_BRIEFS: dict[type[Any], Callable[[Desk, Any], str]] = {
    intake.OrderAccepted: lambda d, m: f"{m.client_order_id} {m.side} {m.quantity}",
    intake.OrderRejected: lambda d, m: f"{m.client_order_id} {m.reason}",
    intake.OrderCancelRejected: lambda d, m: f"{m.client_order_id} {m.reason}",
    intake.OrderPendingCancel: lambda d, m: f"{m.client_order_id}",
    intake.OrderPendingReplace: lambda d, m: f"{m.client_order_id} {m.quantity}",
    intake.OrderCanceled: lambda d, m: (
        f"{m.client_order_id} filled {m.cumulative_quantity} canceled {m.canceled_quantity}"
    ),
    intake.OrderReplaced: lambda d, m: (
        f"{m.client_order_id} {m.quantity} filled {m.cumulative_quantity}"
    ),
    intake.OrderClosed: _end,
    intake.OrderRestated: _end,
    intake.OrderDoneForDay: lambda d, m: (
        f"{d.name(m.order_id)} filled {m.cumulative_quantity} leaves {m.leaves_quantity}"
    ),
    intake.OrderResumed: lambda d, m: f"{d.name(m.order_id)} {m.trade_date}",
    intake.MassCancelAnswered: lambda d, m: (
        f"{m.client_order_id} {m.canceled_count} {m.pending_count} {m.too_late_count} {m.reason}"
    ),
    intake.BasketAnswered: lambda d, m: (
        f"{m.basket_id} {m.accepted_count} {m.rejected_count} {m.reason}"
    ),
    intake.CommandRepeated: lambda d, m: f"{m.client_order_id} {m.is_accepted}",
    netting.CrossExecuted: lambda d, m: f"{m.quantity} @ {m.price_e9 / 1e9:.3f}",
    netting.WindowClosed: lambda d, m: (
        f"buy {m.buy_quantity} sell {m.sell_quantity} {m.no_cross_reason}".rstrip()
    ),
    netting.ParentOpened: lambda d, m: f"{m.side} {m.quantity}",
    netting.EpochOpened: _members,
    netting.EpochClosed: _tail,
    netting.TailResolved: lambda d, m: f"{m.epoch}: {m.quantity}",
    netting.ParentHeld: lambda d, m: " ".join(map(d.name, m.order_ids)),
    netting.MemberLeft: lambda d, m: f"{d.name(m.order_id)} {m.cumulative_quantity}",
    netting.ParentClosed: lambda d, m: f"{m.status} {m.filled_quantity}/{m.quantity}",
    routing.ChildPlaced: lambda d, m: f"{m.side} {m.quantity} epoch {m.epoch}",
    routing.ChildCancelRequested: lambda d, m: f"{m.cause}",
    routing.ChildCancelRejected: lambda d, m: f"{m.request}",
    routing.ChildRejected: lambda d, m: f"{m.quantity}",
    routing.ChildCanceled: lambda d, m: (
        f"free {m.canceled_quantity} outstanding {m.outstanding_quantity}"
    ),
    routing.FillBooked: lambda d, m: (
        f"{m.quantity} late {m.late_quantity} error {m.error_quantity}"
    ),
    routing.FillBusted: lambda d, m: f"{m.quantity} error {m.error_quantity}",
    routing.FillCorrected: lambda d, m: f"{m.previous_quantity} -> {m.quantity}",
    allocation.FillAllocated: _shares,
    allocation.AllocationRestated: _shares,
    allocation.CashAllocated: lambda d, m: f"{m.epoch} v{m.version} {m.cash_e9 / 1e9:.2f}",
}
