"""What every kind of gateway does alike: order of inputs, duplicates, ordinals, recovery."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple

import msgspec

from schemas.messages.core import Envelope, RejectReason
from schemas.messages.fix import (
    FixReceived,
    FixRefused,
    FixSending,
    FixSent,
    FixSessionChanged,
)
from schemas.messages.runtime import JournalRecord
from services.fix.codes import text_of
from services.fix.fields import Fields
from services.fix.gateway.sessions import Sessions
from services.fix.settings import TEXT_BYTES_MAX
from streams.core.errors import CorruptHistoryError
from streams.core.topics import ENGINE_JOURNAL, FIX_DECISIONS, FIX_RECEIVED, FIX_SENDING
from streams.runtime.plain import PlainApplication
from streams.runtime.ports import Emitter, Inbound, RecordedBatch

__all__ = ["Gateway", "GatewayState", "Heard", "Outgoing", "Published", "Refusal"]

NEVER_ANSWERED = ("j", "3")  # or two sides reject each other for ever
THROTTLED, OTHER = "8", "0"  # FIX 380


class Outgoing(NamedTuple):
    """A FIX message to send."""

    session_id: str
    message_type: str  # FIX 35
    fields: Fields  # after the standard header, in order
    subject: str  # what it is about, for people
    is_possible_resend: bool = False  # sent before, and asked again for its answer (FIX 97)
    age_max_ms: int = 0  # when it could not leave for so long it is not sent; 0: it is


class Published(NamedTuple):
    """An event for another topic."""

    topic: str
    message: Any
    key: str
    partition: int
    correlation_id: str
    actor: str = ""


class Refusal(NamedTuple):
    """A FIX message that was refused, for the log; its answer is an Outgoing beside it."""

    heard: "Heard"
    answer_type: str
    reason: RejectReason
    field: str
    value: str
    bound: str
    text: str


class Heard(NamedTuple):
    """A FIX message that came for the first time."""

    message: FixReceived
    fields: Fields
    at_ns: int  # when it is decided


class GatewayState(msgspec.Struct):
    """Base of each kind's state."""

    sessions: Sessions = msgspec.field(default_factory=Sessions)


class Gateway(PlainApplication):
    """Implements ports.Application; a kind says what its inputs mean.

    A batch holds whole batches of the engines. When it ends, their events are decided, each
    shard's in the order of its journal, then what came by FIX. A kind *decides* (`on_event`,
    `on_heard`, `on_sent`, `on_changed`: yields, changes nothing) and *folds* (`fold_event`,
    `fold_heard`, `fold_output`). What `fold_event` and `fold_heard` change must not depend on what
    `fold_output` changes: a recovery folds a batch's inputs first and then what was emitted of it,
    and decides nothing again.
    """

    called = "a gateway"
    engine_topics: ClassVar[tuple[str, ...]] = ()  # engine topics that the kind follows
    keyed_topics: ClassVar[tuple[str, ...]] = ()  # other inputs, every partition of them
    single_topics: ClassVar[tuple[str, ...]] = ()  # other inputs of one partition, read first
    publishes: ClassVar[tuple[str, ...]] = ()  # keyed topics that it writes to besides FIX's own
    single_publishes: ClassVar[tuple[str, ...]] = ()  # and those of one partition
    State: ClassVar[type[GatewayState]] = GatewayState
    restore_outputs = True

    def __init__(self, number: int) -> None:
        self.number = number  # partition of the fix.* topics
        self.watched: tuple[int, ...] = ()  # other gateways whose fix.received it reads
        self.messages_per_s: dict[str, int] = {}  # most that each session may send; its file says
        self.partitions = 1  # of what it publishes: engine shards; its host says how many
        self.state: Any = self.State()
        self.said: Counter[str] = Counter()  # since the start, by kind; for people, not for state
        self._events: list[Inbound] = []
        self._received: list[Inbound] = []
        self.output_topics = (FIX_SENDING, FIX_DECISIONS, *self.publishes, *self.single_publishes)
        self.restore_inputs = (
            FIX_RECEIVED,
            *self.single_topics,
            *self.keyed_topics,
            *((ENGINE_JOURNAL, *self.engine_topics) if self.engine_topics else ()),
        )

    # What a kind overrides. `Decided`: Outgoing | Published | Refusal.

    def on_event(self, envelope: Envelope, message: Any, at_ns: int) -> Iterator[Any]:
        """Decide what an event of the log leads to, before it is folded."""
        yield from ()

    def on_heard(self, heard: Heard) -> Iterator[Any]:
        """Decide what a message by FIX leads to, before it is folded."""
        yield from ()

    def on_sent(self, sent: FixSent) -> Iterator[Any]:
        """Decide what it leads to that a message went out."""
        yield from ()

    def on_changed(self, changed: FixSessionChanged) -> Iterator[Any]:
        """Decide what a logon or a lost session leads to."""
        yield from ()

    def fold_event(self, envelope: Envelope, message: Any) -> None:
        """Change the state by an event of the log."""

    def fold_heard(self, message: FixReceived, fields: Fields) -> None:
        """Change the state by a message by FIX."""

    def fold_sent(self, sent: FixSent) -> None:
        """Change the state by what went out."""

    def fold_changed(self, changed: FixSessionChanged) -> None:
        """Change the state by a logon or a lost session."""

    def fold_output(self, message: Any) -> None:
        """Change the state by what we decided ourselves."""

    # ports.Application

    def apply(self, inbound: Inbound, out: Emitter) -> None:
        """Keep it until the batch is whole."""
        self._keep(inbound)

    def finish(self, out: Emitter) -> None:
        """Decide the batch: events first, then FIX."""
        for envelope, message in self._taken_events():
            self._emit_all(self.on_event(envelope, message, out.at_ns), out, envelope)
            self.fold_event(envelope, message)
        for inbound in self._received:
            self._decide_received(inbound, out)
        self._received = []

    def restore(self, batch: RecordedBatch) -> None:
        """Fold a recorded batch: what was read, then what was emitted of it."""
        for inbound in batch.inputs:
            self._keep(inbound)
        for envelope, message in self._taken_events():
            self.fold_event(envelope, message)
        for inbound in self._received:
            self._fold_received(inbound.message)
        self._received = []
        for event in batch.outputs:
            self._fold_output(event.message)

    def snapshot(self) -> bytes:
        return msgspec.msgpack.encode(self.state)

    def load(self, data: bytes) -> None:
        self.state = msgspec.msgpack.decode(data, type=self.State)

    def _keep(self, inbound: Inbound) -> None:
        if inbound.envelope is None:
            record = inbound.record
            where = f"{record.topic}[{record.partition}]@{record.offset}"
            raise CorruptHistoryError(f"{where}: {inbound.error}")
        if inbound.record.topic == FIX_RECEIVED:
            self._received.append(inbound)
        else:
            self._events.append(inbound)

    def _taken_events(self) -> list[tuple[Envelope, Any]]:
        """Return the events, reference data first, each shard's in its journal's order."""
        events = [(e.envelope, e.message) for e in self._events if e.envelope is not None]
        self._events = []
        # From outside (shard -1) nothing but the order of reading is known; sorted() keeps it.
        return sorted(events, key=_journal_order)

    def _decide_received(self, inbound: Inbound, out: Emitter) -> None:
        message, cause = inbound.message, inbound.envelope
        match message:
            case FixReceived() if self.state.sessions.is_new(message):
                decided = self._on_refused if message.refusal else self._on_new
                self._emit_all(decided(message, out.at_ns), out, cause)
            case FixSent() if self.state.sessions.is_news(message):
                self._emit_all(self.on_sent(message), out, cause)
            case FixSessionChanged():
                self._emit_all(self.on_changed(message), out, cause)
        self._fold_received(message)

    def _on_new(self, message: FixReceived, at_ns: int) -> Iterator[Any]:
        fields = _parsed(message)
        if fields is not None:
            yield from self.on_heard(Heard(message, fields, at_ns))
            return
        # QuickFIX has read it, so this is a hole in our reading; it must not stop the others.
        heard = Heard(message, Fields(), at_ns)
        reason, bound = RejectReason.BODY_UNDECODABLE, "tag=value and SOH"
        value = message.text[:80].decode("latin-1")
        yield Refusal(heard, "", reason, "text", value, bound, "the message cannot be read")

    def _on_refused(self, message: FixReceived, at_ns: int) -> Iterator[Any]:
        """Answer what the wire passed on only to be refused. Source: FIX j, 380=8 or 0."""
        reason = RejectReason(message.refusal)
        if reason is RejectReason.MESSAGE_RATE:
            field, most = "messages_per_s", self.messages_per_s.get(message.session_id, 0)
            value = self.state.sessions.of(message.session_id).rate(message.received_ns)
        else:
            field, most, value = "text_bytes", TEXT_BYTES_MAX, _length(message.text)
        bound = f"at most {most}" if most else "as many as agreed"
        text = text_of(reason, bound, str(value), field)
        answer = "" if message.message_type in NEVER_ANSWERED else "j"
        if answer:
            code = THROTTLED if reason is RejectReason.MESSAGE_RATE else OTHER
            fields = Fields().add(45, message.sequence).add(58, text)
            fields.add(372, message.message_type).add(380, code)
            yield Outgoing(message.session_id, answer, fields, str(message.sequence))
        heard = Heard(message, Fields(), at_ns)
        yield Refusal(heard, answer, reason, field, str(value), bound, text)

    def _fold_received(self, message: Any) -> None:
        sessions: Sessions = self.state.sessions
        match message:
            case FixReceived() if sessions.is_new(message):
                sessions.fold_received(message)
                fields = _parsed(message)
                if not message.refusal and fields is not None:
                    self.fold_heard(message, fields)
            case FixSent() if sessions.is_news(message):
                sessions.fold_sent(message)
                self.fold_sent(message)
            case FixSessionChanged():
                sessions.fold_changed(message)
                self.fold_changed(message)

    def _fold_output(self, message: Any) -> None:
        if isinstance(message, FixSending):
            self.state.sessions.fold_sending(message)
        self.fold_output(message)

    def _emit_all(self, decided: Iterator[Any], out: Emitter, cause: Envelope | None) -> None:
        for each in decided:
            published = self._published(each)
            out.emit(
                published.topic,
                published.message,
                key=published.key,
                causation_id=bytes(16) if cause is None else cause.event_id,
                correlation_id=published.correlation_id,
                source_ns=0 if cause is None else cause.source_ns or cause.at_ns,
                partition=published.partition,
                actor=published.actor,
            )
            self.said[type(published.message).__name__] += 1
            self._fold_output(published.message)

    def _published(self, decided: Any) -> Published:
        if isinstance(decided, Outgoing):
            return self._sending(decided)
        if isinstance(decided, Refusal):
            heard = decided.heard.message
            refused = FixRefused(
                session_id=heard.session_id,
                session_day=heard.session_day,
                session_epoch=heard.session_epoch,
                sequence=heard.sequence,
                message_type=heard.message_type,
                answer_type=decided.answer_type,
                reason=decided.reason,
                field=decided.field,
                value=decided.value,
                bound=decided.bound,
                text=decided.text,
            )
            key = heard.session_id
            return Published(FIX_DECISIONS, refused, key, self.number, key)
        assert isinstance(decided, Published)
        return decided

    def _sending(self, outgoing: Outgoing) -> Published:
        session_id = outgoing.session_id
        message = FixSending(
            session_id=session_id,
            ordinal=self.state.sessions.of(session_id).ordinal + 1,
            message_type=outgoing.message_type,
            body=outgoing.fields.body(),
            subject=outgoing.subject,
            is_possible_resend=outgoing.is_possible_resend,
            age_max_ms=outgoing.age_max_ms,
        )
        return Published(FIX_SENDING, message, session_id, self.number, outgoing.subject)


def _length(text: bytes) -> int:
    """Return how many bytes a message had of which the wire kept the beginning alone (FIX 9)."""
    before, _, rest = text.partition(b"\x019=")
    size, _, _ = rest.partition(b"\x01")
    whole = len(before) + len(size) + len(b"|9=|10=xxx|") + int(size) if size.isdigit() else 0
    return max(whole, len(text))


def _parsed(message: FixReceived) -> Fields | None:
    try:
        return Fields.parse(message.text)
    except ValueError:
        return None


def _journal_order(event: tuple[Envelope, Any]) -> tuple[int, int, int]:
    envelope, message = event
    index = 1 << 31 if isinstance(message, JournalRecord) else envelope.index
    return envelope.shard, max(envelope.seq, -1), index
