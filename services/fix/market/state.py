"""What the gateway of the venues remembers: orders with their ClOrdIDs, and what waits."""

import msgspec

from schemas.messages.core import ExecType, OrderStatus, Side
from schemas.messages.venues import ExecutionReport
from services.fix.gateway.application import GatewayState

__all__ = ["Asked", "Held", "MarketState", "Order"]

EXECUTIONS = (ExecType.TRADE, ExecType.TRADE_CORRECT, ExecType.TRADE_CANCEL)


class Asked(msgspec.Struct):
    """An F or G of an order."""

    client_order_id: str
    is_replace: bool
    is_pending: bool = True


class Order(msgspec.Struct):
    """An order as its counterparty wrote it. FIX values are texts, as they came."""

    session_id: str
    instrument_id: str
    symbol: str  # FIX 55
    side: str  # FIX 54
    kind: Side
    order_type: str  # FIX 40
    time_in_force: str  # FIX 59
    account: str  # FIX 1
    quantity: int  # in force, smallest units
    price_e9: int | None  # in force
    client_order_id: str  # by which it is known now: of the D or of the newest G taken
    asked: list[Asked] = []  # the n-th has request n
    questions: list[str] = []  # FIX 790 of each H that is not answered; empty ones too
    status: OrderStatus = OrderStatus.PENDING_NEW
    cumulative: int = 0
    leaves: int = 0
    is_open: bool = True
    executions: dict[str, tuple[int, int]] = {}  # by ExecID: quantity and price as they stand
    told: list[str] = []  # ExecIDs of executions, busts and corrections

    def average_e9(self, report: ExecutionReport) -> int:
        """Return FIX 6 with a report. Rounds: down to 1e-9."""
        rows = self._with(report).values()
        quantity = sum(row[0] for row in rows)
        return sum(row[0] * row[1] for row in rows) // quantity if quantity else 0

    def pending(self, *, is_replace: bool) -> Asked | None:
        """Return the oldest request of the kind that is not answered."""
        each: Asked
        for each in self.asked:
            if each.is_pending and each.is_replace is is_replace:
                return each
        return None

    def fold(self, report: ExecutionReport) -> None:
        """Take a report of the venue into account; an execution told again changes nothing."""
        if report.exec_type in EXECUTIONS:
            if report.exec_id in self.told:
                return
            self.executions = self._with(report)
            self.told.append(report.exec_id)
        match report.exec_type:
            case ExecType.CANCELED if asked := self.pending(is_replace=False):
                asked.is_pending = False
            case ExecType.REPLACED if 0 < report.request <= len(self.asked):
                asked = self.asked[report.request - 1]
                asked.is_pending = False
                self.client_order_id = asked.client_order_id
                self.quantity, self.price_e9 = report.order_quantity, report.price_e9
            case ExecType.ORDER_STATUS if self.questions:
                self.questions.pop(0)
        self.status = report.order_status
        self.cumulative, self.leaves = report.cumulative_quantity, report.leaves_quantity
        self.is_open = report.leaves_quantity > 0

    def _with(self, report: ExecutionReport) -> dict[str, tuple[int, int]]:
        if report.exec_type not in EXECUTIONS or report.exec_id in self.told:
            return self.executions
        key = report.exec_ref_id or report.exec_id
        quantity = 0 if report.exec_type is ExecType.TRADE_CANCEL else report.last_quantity
        return {**self.executions, key: (quantity, report.last_price_e9 or 0)}


class Held(msgspec.Struct):
    """A message that a venue tells later."""

    due_step: int  # told when the market has come to its end
    order_id: str
    session_id: str
    message_type: str
    pairs: list[tuple[int, str]]
    subject: str


class MarketState(GatewayState):
    """A fold of what came by FIX and of what the venues said; of our own outputs nothing."""

    scales: dict[str, int] = msgspec.field(default_factory=dict)  # instrument: units to a whole one
    symbols: dict[str, str] = msgspec.field(default_factory=dict)  # symbol: instrument
    orders: dict[str, Order] = msgspec.field(default_factory=dict)  # by the ClOrdID of the D
    ids: dict[str, str] = msgspec.field(default_factory=dict)  # every ClOrdID taken: order
    step: int = 0  # of the market, by its journal
    held: list[Held] = msgspec.field(default_factory=list)
    slow: dict[str, int] = msgspec.field(default_factory=dict)  # order: told after that step
    links: dict[str, bool] = msgspec.field(default_factory=dict)  # venue: whether it can be reached

    def order_of(self, session_id: str, *client_order_ids: str) -> tuple[str, Order] | None:
        """Return the first order of the session that one of the ids names."""
        for each in client_order_ids:
            order_id = self.ids.get(each, "")
            order = self.orders.get(order_id)
            if order is not None and order.session_id == session_id:
                return order_id, order
        return None
