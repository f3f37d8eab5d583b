"""The gateway to clearers: reports of the log to FIX, answers of FIX to the log."""

from collections.abc import Iterator
from functools import partial
from typing import Any, ClassVar

from schemas.messages.clearing import (
    AllocationReported,
    ClearingAnswered,
    ClearingStatusChanged,
    TradeCaptured,
)
from schemas.messages.control import AccountDefined, InstrumentDefined
from schemas.messages.core import ClearingStatus, Envelope, RejectReason
from schemas.messages.fix import (
    FixAllocationInstructed,
    FixReceived,
    FixSending,
    FixSent,
    FixUnanswered,
)
from schemas.messages.wire import read_allocation_reported, write_allocation_reported
from services.fix.clearers.answers import ANSWERS, clearing_answer, read_answer
from services.fix.clearers.asking import Asking
from services.fix.clearers.instructions.answer import (
    ACCEPTED,
    RECEIVED,
    acknowledgement,
    refusal_text,
)
from services.fix.clearers.instructions.check import Known, Refused, check_instruction, digest
from services.fix.clearers.rejects import read_reject
from services.fix.clearers.speech import Speech, report_of_name
from services.fix.clearers.state import ClearersState, Told, version_of_report
from services.fix.clearers.terms import Allocations, ClearerSession
from services.fix.fields import Fields
from services.fix.gateway.application import Gateway, Heard, Outgoing, Published, Refusal
from services.fix.refusals import refused, refused_value
from services.fix.values import FixValueError
from streams.core.timers import Timer
from streams.core.topics import (
    CLEARING_REPORTS,
    CLEARING_STATUSES,
    CONTROL_COMMANDS,
    FIX_DECISIONS,
)
from streams.runtime.ports import Emitter, Inbound, RecordedBatch

__all__ = ["Clearers"]

FINAL = (
    ClearingStatus.ACCEPTED,
    ClearingStatus.REJECTED,
    ClearingStatus.REPAIRED,
    ClearingStatus.WITHDRAWN,
)
LAST_WORDS = (ClearingStatus.ACCEPTED, ClearingStatus.REJECTED)
TOLD = ("J", "AS", "AE", "AK")
SEQUENCES_MAX = 20_000  # newest sendings of a session that a reject may name by FIX 45


class Clearers(Gateway):
    """Sessions of kind "clearers". `sessions`: in the file's order; the first that takes a report
    is told it."""

    keyed_topics: ClassVar[tuple[str, ...]] = (CLEARING_REPORTS,)
    single_topics: ClassVar[tuple[str, ...]] = (CONTROL_COMMANDS,)
    single_publishes: ClassVar[tuple[str, ...]] = (CLEARING_STATUSES,)
    State = ClearersState
    state: ClearersState

    def __init__(self, number: int, sessions: tuple[ClearerSession, ...]) -> None:
        super().__init__(number)
        self._sessions = {each.session_id: each for each in sessions}
        self._instructs = any(each.terms.instructions for each in sessions)
        self._asking = Asking(number, {each.session_id: each.terms for each in sessions})
        self._at_ns = 0  # of the batch that is decided or folded

    # What comes from the log.

    def on_event(self, envelope: Envelope, message: Any, at_ns: int) -> Iterator[Any]:
        speech = Speech(self.state, envelope.at_ns)
        match message:
            case AllocationReported():
                session = self._taker(message)
                if session is not None:
                    yield speech.allocation(session, message)
            case TradeCaptured():
                session = self._taker(message)
                if session is not None:
                    yield speech.capture(session, message)
            case ClearingStatusChanged(status=ClearingStatus.ACCEPTED):
                body = self.state.read.unconfirmed.get(message.report_id)
                if body is not None:
                    report = read_allocation_reported(body, 0)[0]
                    for each in self._sessions.values():
                        if each.confirms(report):
                            yield from speech.confirmations(each, report)

    def fold_event(self, envelope: Envelope, message: Any) -> None:
        state = self.state
        match message:
            case InstrumentDefined():
                state.read.symbols[message.instrument_id] = message.symbol
            case AccountDefined():
                if message.is_enabled:
                    state.read.accounts[message.account_id] = message.client_id
                else:
                    state.read.accounts.pop(message.account_id, None)
            case AllocationReported():
                if self._instructs:
                    state.read.orders.fold(message)
                if any(each.confirms(message) for each in self._sessions.values()):
                    state.read.unconfirmed[message.report_id] = write_allocation_reported(message)
            case ClearingStatusChanged() if message.status in FINAL:
                self._fold_status(message)

    # What comes by FIX.

    def on_heard(self, heard: Heard) -> Iterator[Any]:
        session = self._sessions.get(heard.message.session_id)
        kind = heard.message.message_type
        if session is None:
            return  # of a session that the file does not name any more
        if kind in ANSWERS:
            yield from self._on_answer(session, heard)
        elif kind == "J":
            yield from self._on_instruction(session, heard)
        elif kind in ("j", "3"):
            yield from self._on_reject(session, heard)
        else:
            bound = ", ".join((*ANSWERS, "J", "j"))
            reason = RejectReason.UNEXPECTED_MESSAGE
            yield from refused(session.version, heard, reason, field="35", value=kind, bound=bound)

    def fold_sent(self, sent: FixSent) -> None:
        """Know the number that a report has in its session, and wait from now on."""
        report_id = self.state.ours.ordinals.get(sent.session_id, {}).pop(sent.ordinal, "")
        if not report_id:
            return
        sequences = self.state.ours.sequences.setdefault(sent.session_id, {})
        sequences.pop(sent.sequence, None)
        sequences[sent.sequence] = report_id
        if len(sequences) > SEQUENCES_MAX:
            del sequences[next(iter(sequences))]
        self._asking.put_off(self.state, report_id, self._at_ns)

    def fold_output(self, message: Any) -> None:
        match message:
            case FixSending() if message.message_type in TOLD:
                self._fold_told(message)
            case ClearingAnswered():
                self._fold_answered(message)
            case FixAllocationInstructed():
                self.state.ours.instructions.fold(message)
            case FixUnanswered():
                self._asking.close(self.state, message.report_id)

    # ports.Application, where a gateway with timers differs.

    def pop_due(self, now_ns: int) -> Timer | None:
        return self._asking.timers.pop_due(now_ns)

    def next_due_ns(self) -> int | None:
        return self._asking.timers.next_due_ns()

    def fire(self, timer: Timer, out: Emitter) -> None:
        """Ask again, or tell people; while the session is away, wait."""
        self._at_ns = out.at_ns
        report_id = self._asking.report_id(timer.timer_id)
        decided = list(self._asking.due(self.state, report_id, out.at_ns))
        self._asking.put_off(self.state, report_id, out.at_ns)
        self._emit_all(iter(decided), out, None)

    def finish(self, out: Emitter) -> None:
        self._at_ns = out.at_ns
        super().finish(out)

    def restore(self, batch: RecordedBatch) -> None:
        """Fold a batch as it was decided: its timers first."""
        self._at_ns = batch.journal.now_ns
        for fired in batch.journal.timers:
            self._asking.clear(Timer(fired.due_ns, fired.timer_id))
            report_id = self._asking.report_id(fired.timer_id)
            self._asking.put_off(self.state, report_id, self._at_ns)
        super().restore(batch)

    def load(self, data: bytes) -> None:
        super().load(data)
        self._asking.load(self.state)

    def _keep(self, inbound: Inbound) -> None:
        # A definition that cannot be read is the engine's dead letter and holds for nobody.
        if inbound.envelope is not None or inbound.record.topic != CONTROL_COMMANDS:
            super()._keep(inbound)

    def _taker(self, report: AllocationReported | TradeCaptured) -> ClearerSession | None:
        return next((each for each in self._sessions.values() if each.takes(report)), None)

    def _on_answer(self, session: ClearerSession, heard: Heard) -> Iterator[Any]:
        """Yield the answer for clearing, which knows what may follow what."""
        try:
            answer = read_answer(session.version, heard)
        except FixValueError as error:
            yield from refused_value(session.version, heard, error)
            return
        report_id, _, is_confirmation = report_of_name(answer.report_id)
        told = self.state.ours.told.get(version_of_report(report_id)[0])
        if is_confirmation:
            # Affirmed or not, the clearer has accepted it: only a refusal is news, for people.
            if answer.status is ClearingStatus.REJECTED and session.terms.confirmations:
                yield self._answered(
                    session, clearing_answer(answer, session.session_id), report_id
                )
            return
        if told is not None and told.session_id != session.session_id:
            yield from refused(
                session.version,
                heard,
                RejectReason.UNKNOWN_REPORT,
                field="report",
                value=answer.report_id,
                bound="a report that this session was told",
            )
            return
        # One that we never told goes on too: clearing keeps it for people.
        said = clearing_answer(answer, session.terms.clearer_id)
        yield self._answered(session, said, report_id)

    def _on_instruction(self, session: ClearerSession, heard: Heard) -> Iterator[Any]:
        """Yield what becomes of a client's allocation instruction."""
        if not session.terms.instructions or not heard.fields.get(70):
            reason = (
                RejectReason.FIELD_EMPTY
                if session.terms.instructions
                else RejectReason.NOT_ENTITLED
            )
            bound = "AllocID" if session.terms.instructions else "sessions whose terms say so"
            yield from refused(session.version, heard, reason, field="70", value="", bound=bound)
            return
        state, name = self.state, heard.fields.get(70)
        before = state.ours.instructions.find(session.session_id, name)
        say = partial(acknowledgement, session.version, heard.fields, at_ns=heard.at_ns)
        to = partial(Outgoing, session.session_id, "P", subject=name)
        if before is not None and before.digest == digest(heard.fields):
            yield to(say(status=ACCEPTED))  # a repeat is answered as it was
            return
        read = state.read
        known = Known(session, read.orders, state.ours.instructions, read.accounts, read.symbols)
        checked = check_instruction(known, heard.fields)
        if before is not None:
            reason = RejectReason.DUPLICATE_ORDER
            checked = Refused(1, (7,), reason, "70", name, "an id for each instruction")
        yield to(say(status=RECEIVED))
        if isinstance(checked, Refused):
            yield to(say(status=checked.level, refused=checked))
            text = refusal_text(checked)
            bound = checked.bound
            yield Refusal(heard, "P", checked.reason, checked.field, checked.value, bound, text)
            return
        yield to(say(status=ACCEPTED))
        key = session.session_id
        yield Published(FIX_DECISIONS, checked, key, self.number, checked.order_ids[0])
        yield from self._told_again(checked, heard.at_ns)

    def _told_again(self, message: FixAllocationInstructed, at_ns: int) -> Iterator[Any]:
        """Yield what stands of the orders, as it is to be given now. It is folded already."""
        for order_id in message.order_ids:
            for report in self.state.read.orders.by_id[order_id].reports():
                session = self._taker(report)
                is_rejected = self.state.read.rejected.get(report.record_id) == report.version
                is_single = session is None or session.terms.allocations is Allocations.CONFIRMATION
                if session is not None and not is_single and not is_rejected:
                    yield Speech(self.state, at_ns).told_again(session, report)

    def _on_reject(self, session: ClearerSession, heard: Heard) -> Iterator[Any]:
        """Yield the rejection of a report that a counterparty cannot take at all."""
        reject = read_reject(heard, self.state.ours.sequences.get(session.session_id, {}))
        if reject is None or reject.report_id not in self.state.ours.open:
            reason = RejectReason.UNKNOWN_REPORT
            value = heard.fields.get(379) or heard.fields.get(45)
            bound = "a report that waits for its answer"
            yield from refused(session.version, heard, reason, field="45", value=value, bound=bound)
        elif not reject.is_passing:
            said = clearing_answer(reject.answer, session.terms.clearer_id)
            yield self._answered(session, said, report_of_name(reject.report_id)[0])

    def _answered(
        self, session: ClearerSession, message: ClearingAnswered, report_id: str
    ) -> Published:
        said = ClearingAnswered(
            report_id=report_id,
            clearer_id=message.clearer_id,
            status=message.status,
            reason=message.reason,
            reference=message.reference,
            answered_ns=message.answered_ns,
        )
        return Published(CLEARING_STATUSES, said, "", 0, report_id, f"fix:{session.session_id}")

    def _fold_status(self, message: ClearingStatusChanged) -> None:
        """Take clearing's word: nothing is asked of it any more, nor of what came before."""
        state, record_id = self.state, message.record_id
        state.read.settled[record_id] = max(state.read.settled.get(record_id, 0), message.version)
        if message.status is ClearingStatus.REJECTED:
            state.read.rejected[record_id] = max(
                state.read.rejected.get(record_id, 0), message.version
            )
        for version in range(1, message.version + 1):
            self._asking.close(state, f"{record_id}:{version}")
            state.read.unconfirmed.pop(f"{record_id}:{version}", None)

    def _fold_told(self, message: FixSending) -> None:
        state, name = self.state, message.subject
        report_id, is_again, is_confirmation = report_of_name(name)
        if is_confirmation:
            self._fold_confirmed(message, report_id)
            return
        state.ours.ordinals.setdefault(message.session_id, {})[message.ordinal] = name
        state.ours.told.setdefault(version_of_report(report_id)[0], Told(message.session_id))
        if is_again:
            state.ours.instructions.names[report_id] = name
            state.ours.instructions.told[report_id] = (
                state.ours.instructions.told.get(report_id, 0) + 1
            )
            return
        self._asking.sent(state, message, self._at_ns)

    def _fold_confirmed(self, message: FixSending, report_id: str) -> None:
        fields = Fields.parse(message.body)
        key = f"{message.session_id}/{version_of_report(report_id)[0]}"
        known = self.state.ours.confirmed.setdefault(key, {})
        if fields.get(666) == "2":
            known.pop(fields.get(79), None)
        else:
            known[fields.get(79)] = message.subject

    def _fold_answered(self, message: ClearingAnswered) -> None:
        state = self.state
        record_id, version = version_of_report(message.report_id)
        told = state.ours.told.get(record_id)
        if message.status is ClearingStatus.RECEIVED:
            self._asking.received(state, message.report_id, self._at_ns)
        elif message.status in LAST_WORDS and told is not None:
            told.settled = max(told.settled, version)
            for each in range(1, version + 1):
                self._asking.close(state, f"{record_id}:{each}")
            if message.status is ClearingStatus.REJECTED:
                # Told again under another id and refused: what it was to replace still stands.
                state.ours.instructions.names.pop(message.report_id, None)

    def fold_heard(self, message: FixReceived, fields: Fields) -> None:
        """Nothing: what an answer means is in what we published of it."""
