"""The engine's side of a race with a venue: it places, asks, and keeps books of what it is told."""

from collections.abc import Callable, Iterable
from random import Random
from typing import Any, Final

from schemas.messages.core import ExecType, OrderStatus
from schemas.messages.venues import ConnectionChanged, ExecutionReport, OrderCancelReject
from tests.support.fix_model_venue import ModelVenue
from tests.support.fix_venues import cancel, child, replace, status

__all__ = ["ModelEngine"]

CLOSED: Final = (
    OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED,
)  # fmt: skip
CANCEL, REPLACE, STATUS = 0, 1, 2
# A fill, a bust or a replace may open an order again; only a full one is closed by them.
REOPENING: Final = (ExecType.TRADE, ExecType.TRADE_CANCEL, ExecType.REPLACED)


class ModelEngine:
    """`commit` writes a batch of children's events."""

    def __init__(self, dice: Random, commit: Callable[..., None]) -> None:
        self._dice = dice
        self._commit = commit
        self.placed: dict[str, Any] = {}
        self.net: dict[str, dict[str, int]] = {}  # child: executions, 0 for a bust
        self.closed: dict[str, str] = {}  # child: ExecID of what closed it
        self.executions: list[str] = []
        self._requests: dict[str, list[int]] = {}
        self._is_replacing: dict[str, bool] = {}
        self._is_acknowledged: dict[str, bool] = {}

    def place(self, waits: tuple[int, ...] = (0, 0, 5_000_000)) -> str:
        child_id = f"P.1.{len(self.placed) + 1}"
        quantity, wait_ns = self._dice.randint(1, 9) * 100, self._dice.choice(waits)
        self.placed[child_id] = child(child_id, quantity, send_after_ns=wait_ns)
        self._requests[child_id] = [0, 0, 0]
        self._commit(self.placed[child_id])
        return child_id

    def cancel(self) -> None:
        self._request(CANCEL, cancel)

    def ask(self) -> None:
        self._request(STATUS, status)

    def ask_all(self) -> None:
        """Ask for everything open, as the engine does when a session is back."""
        for child_id in self.open():
            self._request(STATUS, status, child_id)

    def replace(self) -> None:
        live = [k for k in self.open() if self._is_acknowledged.get(k)]
        live = [k for k in live if not self._is_replacing.get(k)]
        if live:
            child_id = self._dice.choice(live)
            self._is_replacing[child_id] = True
            quantity = self._dice.randint(1, 9) * 100
            self._request(REPLACE, lambda n, _: replace(n, quantity, child_id), child_id)

    def open(self) -> list[str]:
        return [child_id for child_id in self.placed if child_id not in self.closed]

    def fold(self, reports: Iterable[Any]) -> None:
        """Hear what venues say."""
        for report in reports:
            match report:
                case ExecutionReport():
                    self._fold_report(report)
                case OrderCancelReject() if report.is_replace:
                    self._is_replacing[report.child_id] = False
                case ConnectionChanged() if report.is_connected:
                    self.ask_all()

    def differences(self, venue: ModelVenue, *, is_gap_filled: bool = False) -> list[str]:
        """Return the children of which engine and venue have another picture.

        `is_gap_filled`: a D that was on the way when the connection broke is not sent again; the
        venue, asked, knows no such order, which ends the child.
        """
        found = []
        for child_id in self.placed:
            order = venue.orders.get(child_id)
            net = sum(self.net.get(child_id, {}).values())
            if order is None:
                end = self.closed.get(child_id, "")
                is_unknown = is_gap_filled and end == "0"
                if not (is_unknown or end.endswith("/unsent")):
                    found.append(f"{child_id} is lost: {end}")
            elif net != order.net or (child_id in self.closed) == order.is_open:
                found.append(f"{child_id}: {net} of {order.net}, {order.status}")
        return found

    def _request(self, kind: int, make: Callable[[int, str], Any], child_id: str = "") -> None:
        live = self.open()
        if live:
            chosen = child_id or self._dice.choice(live)
            self._requests[chosen][kind] += 1
            self._commit(make(self._requests[chosen][kind], chosen))

    def _fold_report(self, report: ExecutionReport) -> None:
        child_id = report.child_id
        assert child_id in self.placed, f"a report of nobody: {report}"
        net = self.net.setdefault(child_id, {})
        self._is_acknowledged[child_id] = True
        if report.exec_type in (ExecType.TRADE, ExecType.TRADE_CANCEL):
            assert report.exec_id not in self.executions, f"{report.exec_id} told twice"
            self.executions.append(report.exec_id)
            if report.exec_ref_id:
                net[report.exec_ref_id] = 0  # for good, though the fill may come after it
            else:
                net.setdefault(report.exec_id, report.last_quantity)
        elif report.exec_type is ExecType.REPLACED:
            self._is_replacing[child_id] = False
        closing = (OrderStatus.FILLED,) if report.exec_type in REOPENING else CLOSED
        if report.order_status in closing:
            self.closed.setdefault(child_id, report.exec_id)
