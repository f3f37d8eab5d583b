"""The gateway of the simulator's venues: one acceptor session each."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Final

from schemas.messages.control import InstrumentDefined
from schemas.messages.core import Envelope, RejectReason
from schemas.messages.fix import FixReceived, FixSessionChanged
from schemas.messages.runtime import JournalRecord
from schemas.messages.venues import ConnectionChanged, ExecutionReport, OrderCancelReject
from services.fix.acts import ACT, Act
from services.fix.fields import Fields
from services.fix.gateway.application import Gateway, Heard, Outgoing, Published, Refusal
from services.fix.market import mischief, reports, requests
from services.fix.market.state import Asked, Held, MarketState, Order
from services.fix.market.terms import MarketSession
from services.fix.refusals import REJECTS
from services.fix.values import FixValueError
from streams.core.murmur import partition_of
from streams.core.topics import CONTROL_COMMANDS, VENUES_EXECUTIONS, VENUES_JOURNAL, VENUES_ORDERS

__all__ = ["MarketGateway"]

# Numbers of the venue's own cancels: the counterparty's requests count from 1 and stay below.
OWN_REQUESTS: Final = 1 << 20
FOR_PEOPLE: Final = ("Q", "3", "j")  # disputes and refusals: an answer would be answered again
Known = tuple[str, Order]


class MarketGateway(Gateway):
    """Decides on what came by FIX and what venues said; its own outputs change no state of it.

    The simulator's journal tells its steps: the clock of whatever is said late.
    """

    keyed_topics: ClassVar[tuple[str, ...]] = (VENUES_EXECUTIONS,)
    single_topics: ClassVar[tuple[str, ...]] = (CONTROL_COMMANDS, VENUES_JOURNAL)
    publishes: ClassVar[tuple[str, ...]] = (VENUES_ORDERS,)
    State = MarketState
    state: MarketState

    def __init__(self, number: int, sessions: Mapping[str, MarketSession]) -> None:
        super().__init__(number)
        self._sessions = sessions
        self._by_venue = {each.terms.venue_id: each for each in sessions.values()}
        self._heard: dict[str, Callable[[MarketSession, Heard], Iterator[Any]]] = {
            "D": self._order,
            "F": self._cancel,
            "G": self._replace,
            "H": self._question,
            **dict.fromkeys(FOR_PEOPLE, lambda session, heard: iter(())),
        }

    # From the counterparty.

    def on_heard(self, heard: Heard) -> Iterator[Any]:
        session = self._sessions[heard.message.session_id]
        decide = self._heard.get(heard.message.message_type, self._unsupported)
        yield from decide(session, heard)

    def fold_heard(self, message: FixReceived, fields: Fields) -> None:
        state, session_id = self.state, message.session_id
        match message.message_type:
            case "D" if fields.get(11) not in state.ids:
                try:
                    read = requests.read_order(state, fields)
                except FixValueError:
                    return
                state.orders[fields.get(11)] = requests.order_of(session_id, fields, read)
                state.ids[fields.get(11)] = fields.get(11)
            case "F" | "G":
                is_replace = message.message_type == "G"
                found = self._taken(session_id, fields, is_replace=is_replace)
                if isinstance(found, FixValueError):
                    return
                order_id, order = found
                order.asked.append(Asked(fields.get(11), is_replace))
                state.ids[fields.get(11)] = order_id
            case "H":
                known = state.order_of(session_id, fields.get(11))
                if known is not None:
                    known[1].questions.append(fields.get(790))

    def _order(self, session: MarketSession, heard: Heard) -> Iterator[Any]:
        fields, venue_id = heard.fields, session.terms.venue_id
        client_order_id = fields.get(11)
        known = self.state.order_of(session.session_id, client_order_id)
        if known is not None and heard.message.is_possible_resend:
            yield self._told(known[0], requests.questioned(known[0], venue_id, known[1]))
            return
        try:
            if client_order_id in self.state.ids:
                raise _refusal(RejectReason.DUPLICATE_ORDER, "11", client_order_id, "a new ClOrdID")
            read = requests.read_order(self.state, fields)
        except FixValueError as error:
            answer = reports.order_refused(session, fields, error, self._exec_id(heard))
            yield from self._refused(session, heard, error, "8", answer)
            return
        placed = requests.placed(session.session_id, venue_id, fields, read)
        yield self._told(client_order_id, placed)

    def _cancel(self, session: MarketSession, heard: Heard) -> Iterator[Any]:
        found = self._taken(session.session_id, heard.fields, is_replace=False)
        if isinstance(found, FixValueError):
            yield from self._request_refused(session, heard, found, is_replace=False)
            return
        order_id, order = found
        request = len(order.asked) + 1
        venue_id = session.terms.venue_id
        yield self._told(order_id, requests.canceled(order_id, venue_id, order, request))

    def _replace(self, session: MarketSession, heard: Heard) -> Iterator[Any]:
        found = self._taken(session.session_id, heard.fields, is_replace=True)
        if isinstance(found, FixValueError):
            yield from self._request_refused(session, heard, found, is_replace=True)
            return
        order_id, order = found
        read = requests.read_order(self.state, heard.fields)
        request = len(order.asked) + 1
        replaced = requests.replaced(order_id, session.terms.venue_id, order, request, read)
        yield self._told(order_id, replaced)

    def _question(self, session: MarketSession, heard: Heard) -> Iterator[Any]:
        known = self.state.order_of(session.session_id, heard.fields.get(11))
        if known is None:
            answer = reports.unknown_status(session, heard.fields, self._exec_id(heard))
            yield Outgoing(session.session_id, "8", answer, heard.fields.get(11))
            return
        venue_id = session.terms.venue_id
        yield self._told(known[0], requests.questioned(known[0], venue_id, known[1]))

    def _unsupported(self, session: MarketSession, heard: Heard) -> Iterator[Any]:
        message = heard.message
        answer = reports.unsupported(message.sequence, message.message_type)
        reason = RejectReason.UNEXPECTED_MESSAGE
        error = _refusal(reason, "35", message.message_type, "one of D, F, G, H, Q")
        if message.message_type in REJECTS:
            text = answer.get(58)
            yield Refusal(heard, "", reason, error.field, error.value, error.bound, text)
            return
        yield from self._refused(session, heard, error, "j", answer)

    def _taken(self, session_id: str, fields: Fields, *, is_replace: bool) -> Known | FixValueError:
        """Return the order that an F or G means, or why it does not reach the book."""
        own, original = fields.get(11), fields.get(41)
        known = self.state.order_of(session_id, original)
        if known is None:
            return _refusal(RejectReason.UNKNOWN_ORDER, "41", original, "an order of the session")
        if own in self.state.ids:
            return _refusal(RejectReason.DUPLICATE_ORDER, "11", own, "a new ClOrdID")
        if is_replace:
            try:
                requests.read_order(self.state, fields)
            except FixValueError as error:
                return error
        return known

    def _request_refused(
        self, session: MarketSession, heard: Heard, error: FixValueError, *, is_replace: bool
    ) -> Iterator[Any]:
        known = self.state.order_of(session.session_id, heard.fields.get(41))
        order = None if known is None else known[1]
        answer = reports.request_refused(session, heard.fields, error, order, is_replace=is_replace)
        yield from self._refused(session, heard, error, "9", answer)

    def _refused(
        self,
        session: MarketSession,
        heard: Heard,
        error: FixValueError,
        answer_type: str,
        answer: Fields,
    ) -> Iterator[Any]:
        yield Outgoing(session.session_id, answer_type, answer, heard.fields.get(11))
        text = answer.get(58)
        yield Refusal(heard, answer_type, error.reason, error.field, error.value, error.bound, text)

    def on_changed(self, changed: FixSessionChanged) -> Iterator[Any]:
        """Cancel what is open when a session is lost, if the venue promises that."""
        session = self._sessions.get(changed.session_id)
        was_on = self.state.sessions.of(changed.session_id).is_logged_on
        if session is None or changed.is_logged_on or not was_on:
            return
        if session.terms.cancel_on_disconnect:
            for order_id, order in self.state.orders.items():
                if order.session_id == session.session_id and order.is_open:
                    yield self._own_cancel(session, order_id, order)

    # From the venues.

    def on_event(self, envelope: Envelope, message: Any, at_ns: int) -> Iterator[Any]:
        match message:
            case ExecutionReport() if found := self._found(message.venue_id, message.child_id):
                session, order = found
                if not self._due_step(session, message):
                    yield from self._sent(session, order, message)
                if mischief.is_unsolicited(session, message):
                    yield self._own_cancel(session, message.child_id, order)
            case OrderCancelReject() if message.request < OWN_REQUESTS:
                rejected = self._rejected(message)
                if rejected is not None and not self._slow_until(message.child_id):
                    yield rejected
            case ConnectionChanged():
                yield from self._linked(message)
            case JournalRecord() if message.step > self.state.step:
                for held in self.state.held:
                    if held.due_step <= message.step:
                        fields = Fields(held.pairs)
                        yield Outgoing(held.session_id, held.message_type, fields, held.subject)

    def fold_event(self, envelope: Envelope, message: Any) -> None:
        state = self.state
        match message:
            case InstrumentDefined():
                state.scales[message.instrument_id] = message.quantity_scale
                state.symbols[message.symbol] = message.instrument_id
                state.symbols[message.instrument_id] = message.instrument_id
            case ExecutionReport() if found := self._found(message.venue_id, message.child_id):
                session, order = found
                if due := self._due_step(session, message):
                    self._hold(due, message.child_id, [*self._sent(session, order, message)])
                if mischief.is_slow(session, message):
                    state.slow[message.child_id] = due
                order.fold(message)
            case OrderCancelReject() if message.request < OWN_REQUESTS:
                rejected = self._rejected(message)
                if rejected is not None:
                    if due := self._slow_until(message.child_id):
                        self._hold(due, message.child_id, [rejected])
                    order = state.orders[message.child_id]
                    order.asked[message.request - 1].is_pending = False
            case ConnectionChanged():
                state.links[message.venue_id] = message.is_connected
            case JournalRecord() if message.step > state.step:
                state.step = message.step
                state.held = [each for each in state.held if each.due_step > message.step]
                state.slow = {k: due for k, due in state.slow.items() if due > message.step}

    def _linked(self, message: ConnectionChanged) -> Iterator[Outgoing]:
        """Cut a venue's session, or let it come back; every shard's partition says it."""
        session = self._by_venue.get(message.venue_id)
        was_connected = self.state.links.get(message.venue_id, True)
        if session is not None and was_connected is not message.is_connected:
            act = Act.LINK_BACK if message.is_connected else Act.LINK_LOST
            yield _act(session, Fields().add(58, act))

    def _found(self, venue_id: str, order_id: str) -> tuple[MarketSession, Order] | None:
        session, order = self._by_venue.get(venue_id), self.state.orders.get(order_id)
        return None if session is None or order is None else (session, order)

    def _rejected(self, reject: OrderCancelReject) -> Outgoing | None:
        found = self._found(reject.venue_id, reject.child_id)
        if found is None or not 0 < reject.request <= len(found[1].asked):
            return None
        fields = reports.cancel_reject(*found, reject)
        return Outgoing(found[0].session_id, "9", fields, fields.get(11))

    def _sent(
        self, session: MarketSession, order: Order, report: ExecutionReport
    ) -> Iterator[Outgoing]:
        """Yield a report as its session sends it, with what the session does before and again."""
        for body in mischief.acts_before(session, report):
            yield _act(session, body)
        scale = self.state.scales.get(order.instrument_id, 1)
        fields = reports.execution_report(session, order, report, scale)
        is_again = report.exec_id in order.told
        said = Outgoing(session.session_id, "8", fields, report.exec_id, is_again)
        yield said
        if mischief.is_said_twice(session, report):
            yield said

    def _due_step(self, session: MarketSession, report: ExecutionReport) -> int:
        """Return until the end of which step a report waits; 0 for not at all."""
        until = self._slow_until(report.child_id)
        if until:
            return until
        if mischief.is_slow(session, report):
            return self.state.step + 1 + session.terms.misbehavior.slow_steps
        delay = mischief.delay_steps(session, report)
        return self.state.step + delay if delay else 0

    def _slow_until(self, order_id: str) -> int:
        return self.state.slow.get(order_id, 0)

    def _hold(self, due_step: int, order_id: str, sent: list[Outgoing]) -> None:
        self.state.held += [
            Held(
                due_step=due_step,
                order_id=order_id,
                session_id=each.session_id,
                message_type=each.message_type,
                pairs=each.fields.pairs,
                subject=each.subject,
            )
            for each in sent
        ]

    def _own_cancel(self, session: MarketSession, order_id: str, order: Order) -> Published:
        request = OWN_REQUESTS + len(order.asked) + 1
        canceled = requests.canceled(order_id, session.terms.venue_id, order, request)
        return self._told(order_id, canceled)

    def _told(self, order_id: str, message: Any) -> Published:
        """Return a message to the simulator."""
        partition = partition_of(message.instrument_id, self.partitions)
        return Published(VENUES_ORDERS, message, message.instrument_id, partition, order_id)

    def _exec_id(self, heard: Heard) -> str:
        """Return an ExecID for an answer that is of no order: of its question."""
        message = heard.message
        return f"{message.session_day}-{message.session_epoch}-{message.sequence}"


def _act(session: MarketSession, body: Fields) -> Outgoing:
    return Outgoing(session.session_id, ACT, body, body.get(58))


def _refusal(reason: RejectReason, field: str, value: str, bound: str) -> FixValueError:
    return FixValueError(reason, field, value, bound)
