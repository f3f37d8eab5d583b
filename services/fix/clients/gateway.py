"""The gateway of clients: which message and which event is decided and folded where."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Final

import msgspec

from schemas.messages.allocation import (
    AllocationRestated,
    CashAllocated,
    CrossAllocated,
    FillAllocated,
)
from schemas.messages.core import CommandKind, Envelope, MassCancelScope, RejectReason
from schemas.messages.fix import FixReceived, FixSessionChanged
from schemas.messages.intake import (
    BasketAnswered,
    CommandRepeated,
    MassCancelAnswered,
    MassCancelOrder,
    NewOrder,
    OrderAccepted,
    OrderCanceled,
    OrderCancelRejected,
    OrderClosed,
    OrderRejected,
)
from schemas.messages.routing import FillCorrected
from services.fix.clients import folds
from services.fix.clients.asked import Indexed
from services.fix.clients.cash import calculated, paid
from services.fix.clients.commands import new_order, read_order, working
from services.fix.clients.executions import (
    corrected,
    last_of,
    restated,
    told,
    traded,
    transacted_ns,
)
from services.fix.clients.inquiries import dispute, mass_status, status
from services.fix.clients.layouts import has_message
from services.fix.clients.lifecycle import ORDER_EVENTS, after
from services.fix.clients.list_status import ALL_DONE, DONE, basket_answered, is_over, list_status
from services.fix.clients.lists import cancel_list, cancel_of, new_list, start_list, tell_list
from services.fix.clients.mass import mass_answered, mass_cancel
from services.fix.clients.refusals import Desk, business_reject
from services.fix.clients.reports import Report, report
from services.fix.clients.state import ClientsState, Trade, name_key
from services.fix.clients.terms import Seat
from services.fix.clients.told import accepted, changed, rejected, repeated
from services.fix.fields import Fields
from services.fix.gateway.application import Gateway, GatewayState, Heard, Published
from services.fix.values import FixValueError
from streams.core.topics import (
    AGGREGATIONS_EVENTS,
    ALLOCATIONS_EVENTS,
    CONTROL_COMMANDS,
    FILLS_EVENTS,
    ORDERS_COMMANDS,
    ORDERS_EVENTS,
)
from streams.runtime.ports import Emitter, Inbound, RecordedBatch

__all__ = ["ClientsGateway"]

HANDLERS: Final[dict[str, Callable[[Desk], Iterator[Any]]]] = {
    "F": working,
    "G": working,
    "H": status,
    "AF": mass_status,
    "q": mass_cancel,
    "CA": mass_cancel,
    "Q": dispute,
    "E": new_list,
    "K": cancel_list,
    "L": start_list,
    "M": tell_list,
}
ENDS: Final = (OrderCanceled, OrderClosed)
AGING: Final = ("D", "E", "G", "L")  # what asks for a trade; a cancel is never too old
NOT_AVAILABLE: Final = 4  # FIX 380: the application was not
MS: Final = 1_000_000


class ClientsGateway(Gateway):
    """fixin. An order's reports go to the session of its source; other sources are passed over."""

    engine_topics = (ORDERS_EVENTS, AGGREGATIONS_EVENTS, FILLS_EVENTS, ALLOCATIONS_EVENTS)
    single_topics = (CONTROL_COMMANDS,)
    publishes = (ORDERS_COMMANDS,)
    State: ClassVar[type[GatewayState]] = ClientsState
    state: ClientsState

    def __init__(self, number: int, seats: Mapping[str, Seat]) -> None:
        super().__init__(number)
        self._seats = dict(seats)
        self._read: tuple[FixReceived | None, NewOrder | FixValueError | None] = (None, None)
        self._now_ns = 0  # of the batch that is decided
        self._by_source = {seat.terms.source: seat for seat in seats.values()}

    def finish(self, out: Emitter) -> None:
        self._now_ns = out.at_ns
        super().finish(out)

    def restore(self, batch: RecordedBatch) -> None:
        self._now_ns = batch.journal.now_ns  # as when it was decided
        super().restore(batch)

    def on_heard(self, heard: Heard) -> Iterator[Any]:
        seat = self._seats.get(heard.message.session_id)
        if seat is None:
            return  # of a session that the file does not name any more
        heard = heard._replace(fields=Indexed(heard.fields.pairs))
        desk = Desk(self.state, seat, self.partitions, heard, self.number)
        kind = heard.message.message_type
        if (age := self._is_too_old(seat, heard.message)) is not None:
            name = heard.fields.get(66) if kind in ("E", "L") else heard.fields.get(11)
            yield from business_reject(desk, age, name, code=NOT_AVAILABLE)
            return
        if kind == "D":
            found = read_order(self.state, desk.asked)
            self._read = (heard.message, found)
            yield from new_order(desk, found)
            return
        handle = HANDLERS.get(kind)
        if handle is not None and has_message(seat.version, kind):
            yield from handle(desk)
            return
        types = ", ".join(each for each in ("D", *HANDLERS) if has_message(seat.version, each))
        error = FixValueError(RejectReason.UNEXPECTED_MESSAGE, "MsgType", kind, f"one of {types}")
        yield from business_reject(desk, error, heard.fields.get(11))

    def fold_heard(self, message: FixReceived, fields: Fields) -> None:
        seat = self._seats.get(message.session_id)
        if seat is None or self._is_too_old(seat, message) is not None:
            return  # nothing was taken of it: it may come again, under its own id
        if has_message(seat.version, message.message_type):
            # Live it was just read; a recovery reads it here.
            read, found = self._read
            folds.heard(
                self.state,
                seat,
                message,
                fields,
                partitions=self.partitions,
                found=found if read is message else None,
            )

    def on_changed(self, changed: FixSessionChanged) -> Iterator[Any]:
        """Cancel the orders of a session that is lost, where its terms say so."""
        seat = self._seats.get(changed.session_id)
        was_on = self.state.sessions.of(changed.session_id).is_logged_on
        if seat is None or changed.is_logged_on or not was_on:
            return
        if not seat.terms.cancel_on_disconnect:
            return
        name = f"disconnect/{changed.session_day}/{changed.transact_ns}"
        for partition in range(self.partitions):
            command = MassCancelOrder(
                tenant=seat.terms.tenant,
                source=seat.terms.source,
                client_order_id=name,
                trade_date=self.state.days.get(seat.terms.source) or changed.session_day,
                scope=MassCancelScope.SOURCE,
                scope_id=seat.terms.source,
                is_every_source=False,
            )
            yield Published(ORDERS_COMMANDS, command, name, partition, name, seat.actor)

    def on_event(self, envelope: Envelope, message: Any, at_ns: int) -> Iterator[Any]:
        match message:
            case FillAllocated() | CrossAllocated():
                yield from self._on_steps(envelope, traded(envelope, message))
            case CashAllocated():
                yield from self._on_cash(envelope, message)
            case FillCorrected():
                trades = {message.fill_id: folds.trade_of(message)}
                steps = corrected(self.state, envelope, message)
                yield from self._on_steps(envelope, steps, trades)
            case AllocationRestated():
                yield from self._on_steps(envelope, restated(self.state, envelope, message))
            case OrderAccepted() | OrderRejected() | CommandRepeated() | OrderCancelRejected():
                yield from self._on_answer(envelope, message)
            case BasketAnswered() | MassCancelAnswered():
                yield from self._on_answer(envelope, message)
            case _ if isinstance(message, ORDER_EVENTS):
                yield from self._on_change(envelope, message)

    def fold_event(self, envelope: Envelope, message: Any) -> None:
        folds.event(self.state, self._by_source, envelope, message)

    def _keep(self, inbound: Inbound) -> None:
        # A definition that cannot be read is the engine's dead letter and holds for nobody.
        if inbound.envelope is not None or inbound.record.topic != CONTROL_COMMANDS:
            super()._keep(inbound)

    def _is_too_old(self, seat: Seat, message: FixReceived) -> FixValueError | None:
        """Return why it is not worked any more: it came while nobody was here to decide it."""
        most_ms = seat.terms.order_age_max_ms
        age_ms = (self._now_ns - message.received_ns) // MS
        if not most_ms or message.message_type not in AGING or age_ms <= most_ms:
            return None
        bound = f"at most {most_ms}"
        return FixValueError(RejectReason.TOO_LATE, "order_age_max_ms", str(age_ms), bound)

    def _seat(self, message: Any) -> Seat | None:
        seat = self._by_source.get(message.source)
        return seat if seat is not None and seat.terms.tenant == message.tenant else None

    def _on_answer(self, envelope: Envelope, message: Any) -> Iterator[Any]:
        seat, state = self._seat(message), self.state
        if seat is None:
            return
        match message:
            case OrderAccepted():
                yield from accepted(seat, state, envelope, message)
                asked = state.lists.get(name_key(message.source, message.basket_id))
                if asked is not None and asked.is_canceling:
                    yield cancel_of(seat, folds.opened(message), self.partitions)
            case OrderRejected():
                yield from rejected(seat, state, envelope, message)
            case OrderCancelRejected():
                yield from changed(seat, state, envelope, message)
            case BasketAnswered():
                yield from basket_answered(seat, state, envelope, message)
            case CommandRepeated() if message.command is not CommandKind.MASS_CANCEL:
                yield from repeated(seat, state, envelope, message)
            case CommandRepeated() | MassCancelAnswered():
                yield from mass_answered(seat, state, envelope, message, self.partitions)

    def _on_change(self, envelope: Envelope, message: Any) -> Iterator[Any]:
        order = self.state.orders.get(message.order_id)
        seat = None if order is None else self._by_source.get(order.source)
        if order is None or seat is None:
            return
        yield from changed(seat, self.state, envelope, message)
        if not isinstance(message, ENDS):
            return
        ended = after(order, message)
        yield from calculated(seat, self.state.reference, ended, envelope, 0)
        asked = self.state.lists.get(name_key(order.source, order.list_id))
        if asked is not None and is_over(self.state, asked, ended):
            at_ns = envelope.at_ns
            yield from list_status(
                seat, self.state, asked, ALL_DONE, at_ns, after=ended, status=DONE
            )

    def _on_cash(self, envelope: Envelope, message: CashAllocated) -> Iterator[Any]:
        for place, (order, source, payment) in enumerate(paid(self.state, message)):
            payments = dict(order.payments)
            if payment is None:
                payments.pop(source, None)
            else:
                payments[source] = payment
            seat = self._by_source.get(order.source)
            if seat is None:
                continue
            known = msgspec.structs.replace(order, payments=payments)
            yield from calculated(seat, self.state.reference, known, envelope, place)

    def _on_steps(
        self, envelope: Envelope, steps: Iterator[Any], trades: Mapping[str, Trade] | None = None
    ) -> Iterator[Any]:
        """Tell of executions that are new, changed or gone; each as of then."""
        state = self.state
        trades = trades or state.trades
        latest: dict[str, Any] = {}
        for order_id, step in steps:
            order = latest.get(order_id) or state.orders.get(order_id)
            seat = None if order is None else self._by_source.get(order.source)
            if order is None or seat is None:
                continue  # of a session that the file does not name any more
            latest[order_id] = told(order, step)
            said = Report(
                step.exec_type,
                step.exec_id,
                transacted_ns(trades, step, envelope.at_ns),
                last=last_of(trades, step),
                reference_id=step.reference_id,
                text=step.text,
            )
            yield report(seat, state.reference, latest[order_id], said)
