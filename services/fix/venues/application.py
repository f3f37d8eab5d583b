"""The gateway to venues as an application of the runtime."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from schemas.messages.control import InstrumentDefined
from schemas.messages.core import Envelope, ExecType
from schemas.messages.fix import FixReceived, FixSending, FixSent, FixSessionChanged
from schemas.messages.routing import (
    ChildCancelRequested,
    ChildPlaced,
    ChildReplaceRequested,
    ChildStatusRequested,
)
from schemas.messages.venues import ConnectionChanged, ExecutionReport, OrderCancelReject
from services.fix.fields import Fields
from services.fix.gateway.application import Gateway, GatewayState, Heard, Published
from services.fix.values import FixValueError
from services.fix.venues.answers import is_unsent, own_answers, too_old
from services.fix.venues.copies import copy_key, fold_copy, fold_told, recovered
from services.fix.venues.hearing import hear, hear_reject, reference_of, reject_subject
from services.fix.venues.ids import read_id
from services.fix.venues.reports import (
    execution_report,
    fold_report,
    is_refusal_of_request,
    telling_of,
)
from services.fix.venues.sending import (
    NO_CAUSE,
    PRIORITY,
    due_ns,
    next_entries,
    note_sent,
    outgoing_of,
)
from services.fix.venues.state import Child, Queued, Stage, VenuesState, child_of
from services.fix.venues.terms import VenueTerms
from streams.core.murmur import partition_of
from streams.core.timers import Timer
from streams.core.topics import CHILDREN_EVENTS, CONTROL_COMMANDS, VENUES_REPORTS
from streams.runtime.ports import Emitter, RecordedBatch

__all__ = ["VenuesGateway"]

MS_NS: Final = 1_000_000
SEQUENCES_KEPT: Final = 1_000  # of a session's newest messages, for rejects that name a number
TIMER_ID: Final = "venues:due:all"


class VenuesGateway(Gateway):
    """Children to venues, reports to the engine.

    Events only let messages wait (`VenuesState.queues`); what may go is sent when the batch ends,
    by its time, which is journalled. So a throttled message, or one that is to arrive together
    with others, survives a restart, and a child that was not sent yet can still be taken back.
    """

    engine_topics: ClassVar[tuple[str, ...]] = (CHILDREN_EVENTS,)
    single_topics: ClassVar[tuple[str, ...]] = (CONTROL_COMMANDS,)
    publishes: ClassVar[tuple[str, ...]] = (VENUES_REPORTS,)
    State: ClassVar[type[GatewayState]] = VenuesState

    def __init__(self, number: int, sessions: Mapping[str, VenueTerms]) -> None:
        """`sessions`: terms by session; at most one session a venue takes orders."""
        super().__init__(number)
        self._terms = dict(sessions)
        ordering = [(k, terms) for k, terms in self._terms.items() if terms.role == "orders"]
        self._session_of = {terms.venue_id: session_id for session_id, terms in ordering}
        self._at_ns = 0  # time of the batch
        self._is_woken = False

    # Time

    def next_due_ns(self) -> int | None:
        state: VenuesState = self.state
        dues = [
            due_ns(state, self._terms[session_id], session_id)
            for session_id in self._session_of.values()
            if state.sessions.of(session_id).is_logged_on
        ]
        dues += [copy.due_ns for copy in state.copies.values()]
        return min((due for due in dues if due is not None), default=None)

    def pop_due(self, now_ns: int) -> Timer | None:
        """Return one timer a batch: whatever is due by then goes when it ends."""
        due = self.next_due_ns()
        if self._is_woken or due is None or due > now_ns:
            return None
        self._is_woken = True
        return Timer(due, TIMER_ID)

    def fire(self, timer: Timer, out: Emitter) -> None:
        """Wait for the end of the batch."""

    def finish(self, out: Emitter) -> None:
        self._at_ns = out.at_ns
        super().finish(out)
        self._is_woken = False
        for session_id in self._session_of.values():
            self._answer(session_id, out)
            self._send(session_id, out)
        for copy in list(self.state.copies.values()):
            if copy.due_ns <= out.at_ns:
                self._emit_all(iter([self._report(recovered(copy))]), out, None)

    def restore(self, batch: RecordedBatch) -> None:
        self._at_ns = batch.journal.now_ns
        super().restore(batch)

    # Events of the engine

    def on_event(self, envelope: Envelope, message: Any, at_ns: int) -> Iterator[Any]:
        """Decide nothing: see `finish`."""
        yield from ()

    def fold_event(self, envelope: Envelope, message: Any) -> None:
        state: VenuesState = self.state
        match message:
            case InstrumentDefined():
                state.scales.setdefault(message.instrument_id, message.quantity_scale)
            case ChildPlaced() if message.child_id not in state.children:
                session_id = self._session_of.get(message.venue_id)
                if session_id is not None:
                    state.children[message.child_id] = child_of(message, session_id)
                    due = self._at_ns + message.send_after_ns
                    self._enqueue(session_id, "D", message.child_id, 0, (due, envelope))
            case ChildCancelRequested() | ChildReplaceRequested() | ChildStatusRequested():
                child = state.children.get(message.child_id)
                if child is not None:
                    self._fold_request(child, envelope, message)
            case _:
                pass

    def _fold_request(self, child: Child, envelope: Envelope, message: Any) -> None:
        now = (self._at_ns, envelope)
        match message:
            case ChildCancelRequested():
                child.cancels = message.request
                self._enqueue(child.session_id, "F", message.child_id, message.request, now)
            case ChildReplaceRequested():
                child.replaces = message.request
                child.asked_quantity = message.quantity
                child.asked_price_e9 = message.price_e9
                self._enqueue(child.session_id, "G", message.child_id, message.request, now)
            case ChildStatusRequested():
                # Without a session there is nobody to ask; the logon asks.
                is_asked = self._terms[child.session_id].status_requests != "none"
                if is_asked and self.state.sessions.of(child.session_id).is_logged_on:
                    self._enqueue(child.session_id, "H", message.child_id, message.request, now)

    def _enqueue(
        self, session_id: str, kind: str, child_id: str, request: int, when: tuple[int, Envelope]
    ) -> None:
        due, cause = when
        entry = Queued(kind, child_id, request, due, cause.event_id, cause.source_ns or cause.at_ns)
        self.state.enqueue(session_id, entry)

    # What comes by FIX

    def on_heard(self, heard: Heard) -> Iterator[Any]:
        terms = self._terms.get(heard.message.session_id)
        if terms is None:
            return
        for each in hear(self.state, terms, heard):
            is_report = isinstance(each, ExecutionReport | OrderCancelReject)
            yield self._report(each) if is_report else each

    def fold_heard(self, message: FixReceived, fields: Fields) -> None:
        state: VenuesState = self.state
        terms = self._terms.get(message.session_id)
        if terms is None:
            return
        if terms.role == "orders":
            state.begin_day(message.session_day)
        if terms.role == "drop-copy" and message.message_type != "8":
            return  # its words move no child
        telling = telling_of(state, terms, fields)
        if message.message_type in ("j", "3"):
            self._fold_reject(message, fields)
            return
        if message.message_type != "8":
            if telling.child is not None:
                state.advance(telling.child, telling.child_id, Stage.ANSWERED)
            return
        try:
            report = execution_report(telling, message, fields)
        except FixValueError:
            return
        if terms.role == "drop-copy":
            fold_copy(state, terms, message.session_id, report, self._at_ns)
            return
        state.told_on(report.venue_id, message.session_day)
        if report.exec_type is not ExecType.ORDER_STATUS:
            fold_told(state, report)
        if telling.child is not None and not is_refusal_of_request(telling, report):
            fold_report(state, telling.child, report, message.session_day)

    def _fold_reject(self, message: FixReceived, fields: Fields) -> None:
        state: VenuesState = self.state
        kind, child_id = reject_subject(state, message.session_id, fields)
        number = reference_of(fields)
        if kind:
            child = state.children.get(child_id)
            if kind == "D" and child is not None and child.stage < Stage.ANSWERED:
                state.advance(child, child_id, Stage.CLOSED)
                child.closed_day = message.session_day
        elif number:
            # The mark that says what had this number may come after the reject.
            words = state.refused.setdefault(message.session_id, {})
            words[number] = fields.get(58) or f"35={message.message_type}"
            if len(words) > SEQUENCES_KEPT:
                del words[next(iter(words))]

    def on_sent(self, sent: FixSent) -> Iterator[Any]:
        state: VenuesState = self.state
        words = state.refused.get(sent.session_id, {}).get(sent.sequence)
        subject = state.subjects.get(sent.session_id, {}).get(sent.ordinal, "")
        child_id = subject.removeprefix("D ")
        child = state.children.get(child_id)
        if child is not None and not (sent.sequence or sent.is_possible_resend):
            yield self._report(too_old(child_id, child, self._at_ns))
        elif words is not None and subject:
            for each in hear_reject(state, subject, words, sent.sent_ns):
                yield self._report(each)

    def fold_sent(self, sent: FixSent) -> None:
        state: VenuesState = self.state
        terms = self._terms.get(sent.session_id)
        subject = state.subjects.get(sent.session_id, {}).pop(sent.ordinal, "")
        if terms is None or not subject or not (sent.sequence or sent.is_possible_resend):
            return
        if state.epochs.get(sent.session_id) != sent.session_epoch:
            state.epochs[sent.session_id] = sent.session_epoch
            state.sequences[sent.session_id] = {}
        numbers = state.sequences[sent.session_id]
        if sent.sequence:  # otherwise it is in doubt, and was not sent
            numbers[sent.sequence] = subject
        if len(numbers) > SEQUENCES_KEPT:
            del numbers[next(iter(numbers))]
        was_refused = state.refused.get(sent.session_id, {}).pop(sent.sequence, None) is not None
        kind, _, name = subject.partition(" ")
        child = state.children.get(read_id(name).child_id)
        if kind != "D" or child is None:
            return
        if was_refused and child.stage < Stage.ANSWERED:
            state.advance(child, name, Stage.CLOSED)
            child.closed_day = sent.session_day
            return
        state.advance(child, name, Stage.SENT)
        if sent.is_possible_resend and terms.status_requests != "none":
            # Its mark was lost: nobody knows how often it arrived, so it is asked for.
            state.enqueue(sent.session_id, Queued("H", name, 0, 0, NO_CAUSE, 0))
        is_asked = terms.ack_timeout_ms and terms.status_requests != "none"
        if is_asked and child.stage < Stage.ANSWERED:
            late = state.late.setdefault(sent.session_id, {})
            late.pop(name, None)  # the last one is due last
            late[name] = self._at_ns + terms.ack_timeout_ms * MS_NS

    def on_changed(self, changed: FixSessionChanged) -> Iterator[Any]:
        """Say on every partition whether orders reach the venue.

        A logon after a logon means that the session was lost and nobody was left to say so.
        """
        terms = self._terms.get(changed.session_id)
        if terms is None or terms.role != "orders":
            return
        if changed.is_logged_on and self.state.sessions.of(changed.session_id).is_logged_on:
            text = "the session was lost unseen"
            yield from self._connection(terms.venue_id, False, text, changed.transact_ns)
        yield from self._connection(
            terms.venue_id, changed.is_logged_on, changed.text, changed.transact_ns
        )

    def fold_changed(self, changed: FixSessionChanged) -> None:
        """Ask, at a logon, for what was given to the venue and has no answer.

        A question goes out after the D that it is about, whether that went out before or waits
        in the wire. Nobody believes that children are gone because a session was: where the venue
        promises to cancel them, every open one is asked for.
        """
        state: VenuesState = self.state
        session_id = changed.session_id
        terms = self._terms.get(session_id)
        if terms is None or terms.role != "orders":
            return
        for kind in ("H", "AF"):
            queue = state.queue(session_id)
            for each in [key for key in queue if key.startswith(f"{kind} ")]:
                del queue[each]
        if not changed.is_logged_on or terms.status_requests == "none":
            return
        state.begin_day(changed.session_day)
        if terms.status_requests == "mass":
            state.enqueue(session_id, Queued("AF", "", 0, 0, NO_CAUSE, 0))
        beyond = Stage.CLOSED if terms.cancel_on_disconnect else Stage.ANSWERED
        for child_id, child in state.children.items():
            if child.session_id == session_id and Stage.GIVEN <= child.stage < beyond:
                state.enqueue(session_id, Queued("H", child_id, 0, 0, NO_CAUSE, 0))

    # What we decided

    def fold_output(self, message: Any) -> None:
        state: VenuesState = self.state
        match message:
            case FixSending() if message.session_id in self._terms:
                self._fold_sending(message)
            case ExecutionReport():
                if is_unsent(message):
                    child = state.children[message.child_id]
                    state.dequeue(child.session_id, message.child_id, *PRIORITY)
                    state.advance(child, message.child_id, Stage.CLOSED)
                    child.closed_day = state.days[-1] if state.days else 0
                elif copy_key(message) in state.copies:
                    fold_told(state, message)
            case OrderCancelReject() if message.is_replace:
                replacing = state.children.get(message.child_id)
                if replacing is not None:
                    state.dequeue(replacing.session_id, message.child_id, "G")
            case _:
                pass

    def _fold_sending(self, sending: FixSending) -> None:
        state: VenuesState = self.state
        session_id, kind = sending.session_id, sending.message_type
        subjects = state.subjects.setdefault(session_id, {})
        subjects[sending.ordinal] = f"{kind} {sending.subject}"
        note_sent(state, self._terms[session_id], session_id, self._at_ns)
        if kind == "Q":
            return
        child_id = "" if kind == "AF" else read_id(sending.subject).child_id
        state.dequeue(session_id, child_id, kind)
        if kind == "H":
            state.unlate(state.children[child_id], child_id)
        if kind == "D":
            state.advance(state.children[child_id], child_id, Stage.GIVEN)

    def _answer(self, session_id: str, out: Emitter) -> None:
        state: VenuesState = self.state
        waiting = own_answers(
            state,
            self._terms[session_id],
            session_id,
            is_logged_on=state.sessions.of(session_id).is_logged_on,
            at_ns=out.at_ns,
        )
        for entry, answer in list(waiting):
            self._emit(self._report(answer), out, entry)

    def _send(self, session_id: str, out: Emitter) -> None:
        state: VenuesState = self.state
        terms = self._terms[session_id]
        if not state.sessions.of(session_id).is_logged_on:
            return
        while entries := next_entries(state, terms, session_id, out.at_ns):
            for entry in entries:
                outgoing = outgoing_of(state, terms, session_id, entry, out.at_ns)
                self._emit(self._sending(outgoing), out, entry)

    def _emit(self, published: Published, out: Emitter, entry: Queued) -> None:
        out.emit(
            published.topic,
            published.message,
            key=published.key,
            causation_id=entry.cause,
            correlation_id=published.correlation_id,
            source_ns=entry.source_ns,
            partition=published.partition,
            actor=published.actor,
        )
        self._fold_output(published.message)

    def _report(self, message: ExecutionReport | OrderCancelReject) -> Published:
        """Return a report for the shard that has the child, whatever instrument it names."""
        child = self.state.children.get(message.child_id)
        key = child.instrument_id if child is not None else message.instrument_id
        chain = child.parent_id if child is not None else message.child_id
        partition = partition_of(key, self.partitions)
        return Published(VENUES_REPORTS, message, key, partition, chain, message.venue_id)

    def _connection(
        self, venue_id: str, is_connected: bool, text: str, at_ns: int
    ) -> Iterator[Published]:
        for partition in range(self.partitions):
            message = ConnectionChanged(
                venue_id=venue_id, is_connected=is_connected, text=text, transact_ns=at_ns
            )
            key = str(partition)
            yield Published(VENUES_REPORTS, message, key, partition, venue_id, venue_id)
