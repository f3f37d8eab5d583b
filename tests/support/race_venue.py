"""The model venue with everything else that venues do: replaces, pauses, cuts, lost reports."""

from schemas.messages.core import ExecType, OrderStatus
from schemas.messages.routing import ChildReplaceRequested
from schemas.messages.venues import ExecutionReport, OrderCancelReject
from tests.support.model_venue import Choose, ModelVenue, Order

__all__ = ["RaceVenue"]

WORKING = (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)


class RaceVenue(ModelVenue):
    """`open_quantity` counts a replace to more from the moment it was sent until it is refused."""

    def __init__(self, choose: Choose) -> None:
        super().__init__(choose)
        self.gross: dict[str, int] = {}  # executed, busts not taken off
        self.replaces: dict[str, ChildReplaceRequested] = {}  # on their way, by child
        self.taken: dict[str, int] = {}  # ordinal of the newest replace that was accepted
        self.paused: list[str] = []
        self.lost: list[ExecutionReport | OrderCancelReject] = []
        self.mute = 0  # so many of the next answers are lost

    def ask_replace(self, event: ChildReplaceRequested) -> None:
        self.replaces[event.child_id] = event
        self.open_quantity += max(event.quantity - event.previous_quantity, 0)
        self.inbox.append(("replace", event.child_id, event.request))

    def answer(self) -> None:
        what, child_id, request = self.inbox[0]
        said = len(self.outbox)
        if what == "replace":
            self.inbox.pop(0)
            self._replace(child_id, request)
        else:
            if what == "status" and not self.mute:
                self._say_again(child_id)
            super().answer()
        if self.mute:
            self.mute -= 1
            self.lost += self.outbox[said:]
            del self.outbox[said:]

    def fill(self, child_id: str, quantity: int) -> None:
        if child_id in self.paused:
            return
        self.gross[child_id] = self.gross.get(child_id, 0) + quantity
        super().fill(child_id, quantity)

    def close(self, child_id: str, status: OrderStatus, exec_type: ExecType) -> None:
        if child_id in self.paused:
            self.paused.remove(child_id)
        super().close(child_id, status, exec_type)

    def pause(self, child_id: str) -> None:
        """Pause an order, or let it go on."""
        order = self.orders[child_id]
        if child_id in self.paused:
            self.paused.remove(child_id)
            order.status = self._working(child_id)
            self._report(order, (ExecType.RESTATED, ExecType.NEW)[self._choose(2)])
        else:
            self.paused.append(child_id)
            order.status = OrderStatus.SUSPENDED
            self._report(order, ExecType.SUSPENDED)

    def cut(self, child_id: str, quantity: int) -> None:
        """Take quantity off an order by its own rule."""
        order = self.orders[child_id]
        if quantity >= order.leaves:
            self.close(child_id, OrderStatus.CANCELED, ExecType.CANCELED)
            return
        order.leaves -= quantity
        self.open_quantity -= quantity
        self._state_report(child_id, ExecType.RESTATED)

    def lose(self, index: int) -> None:
        """Drop a report on its way; a question brings it again."""
        self.lost.append(self.outbox.pop(index))

    def end(self, child_id: str) -> None:
        """Take an order off the book by phone: no report, and what is on its way is too late."""
        order = self.orders[child_id]
        self.inbox = [
            each for each in self.inbox if each[1] != child_id or each[0] not in ("new", "replace")
        ]
        asked = self.replaces.pop(child_id, None)
        if asked is not None:
            self.open_quantity -= max(asked.quantity - asked.previous_quantity, 0)
        self.open_quantity -= order.leaves
        order.leaves = 0
        order.status = OrderStatus.CANCELED
        for known in (self.live, self.paused):
            if child_id in known:
                known.remove(child_id)

    def _replace(self, child_id: str, request: int) -> None:
        order, asked = self.orders[child_id], self.replaces.pop(child_id)
        added = max(asked.quantity - asked.previous_quantity, 0)
        gross = self.gross.get(child_id, 0)
        is_full = order.status is OrderStatus.FILLED and added > 0
        is_open = child_id in self.live or (is_full and self._choose(2))
        if not is_open or not self._choose(4):
            self.open_quantity -= added
            self.outbox.append(
                OrderCancelReject(
                    venue_id=asked.venue_id,
                    instrument_id=asked.instrument_id,
                    child_id=child_id,
                    venue_order_id="",
                    request=request,
                    text="cannot be replaced",
                    transact_ns=0,
                    is_replace=True,
                )
            )
            return
        leaves = max(asked.quantity - gross, 0)
        self.open_quantity += leaves - order.leaves - added
        order.leaves = leaves
        self.taken[child_id] = request
        if leaves and child_id not in self.live:
            self.live.append(child_id)
        if not leaves:
            self.live.remove(child_id)
            if child_id in self.paused:
                self.paused.remove(child_id)
        if child_id not in self.paused:
            order.status = self._working(child_id) if leaves else OrderStatus.FILLED
        self._state_report(child_id, ExecType.REPLACED)

    def _working(self, child_id: str) -> OrderStatus:
        return WORKING[self.gross.get(child_id, 0) > 0]

    def _state_report(self, child_id: str, exec_type: ExecType) -> None:
        self._report(self.orders[child_id], exec_type)

    def _say_again(self, child_id: str) -> None:
        mine = [report for report in self.lost if report.child_id == child_id]
        self.lost = [report for report in self.lost if report.child_id != child_id]
        self.outbox += mine

    def _report(
        self, order: Order, exec_type: ExecType, quantity: int = 0, refers_to: str = ""
    ) -> str:
        child_id = order.placed.child_id
        self.request = self.taken.get(child_id, 0)
        self.order_quantity = self.gross.get(child_id, 0) + order.leaves
        return super()._report(order, exec_type, quantity, refers_to)
