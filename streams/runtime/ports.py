"""What the runtime needs from the world, and what an application must offer to be hosted.

Adapters (kafka, memory, codec, clock) implement the first half; streams.shard (the engine) and
services.venues (the simulator) implement `Application`.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from schemas.messages.core import ConsumedRange, Envelope, RejectReason
from schemas.messages.runtime import JournalRecord
from streams.core.errors import DecodeError, Error
from streams.core.timers import Timer

__all__ = [
    "Application",
    "Batch",
    "Clock",
    "ClockJumpError",
    "Codec",
    "Emitter",
    "Inbound",
    "Inbox",
    "Log",
    "Message",
    "Producer",
    "Reader",
    "Record",
    "RecordedBatch",
    "RecordedEvent",
    "Resume",
    "TopicPartition",
]

Message = Any  # a frozen Struct of schemas.messages


class TopicPartition(NamedTuple):
    topic: str
    partition: int


class Record(NamedTuple):
    """One committed record as it stands in the log."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes
    value: bytes


class Producer(Protocol):
    """A transactional producer. Every method may raise FencedError or AmbiguousCommitError."""

    def begin(self) -> None: ...

    def send(self, topic: str, partition: int, key: bytes, value: bytes) -> None: ...

    def flush(self) -> None:
        """Return when all that was sent is at the log, ready to be committed or aborted."""

    def commit(self) -> None:
        """Return only when every record of the transaction is committed."""

    def abort(self) -> None: ...

    def close(self) -> None:
        """Drop it without committing anything; never raises."""


class Reader(Protocol):
    """A read_committed reader of assigned partitions; no consumer group."""

    def assign(self, positions: dict[TopicPartition, int]) -> None:
        """Read these partitions from these offsets on. Raises RetentionError on a missing one."""

    def poll(self, records_max: int, timeout_ms: int) -> list[Record]:
        """Return committed records, each partition in offset order; [] after the timeout."""

    def position(self, partition: TopicPartition) -> int:
        """Return where the next read of it starts: past markers and aborted records once seen."""

    def close(self) -> None: ...


class Log(Protocol):
    """The store: partitions of records, markers included in the offsets."""

    def producer(self, transactional_id: str) -> Producer:
        """Return a producer after init_transactions: every older one of that id is fenced."""

    def reader(self, *, is_standing: bool = False) -> Reader:
        """Return a reader that nothing is assigned to.

        One that is standing reads for as long as its process lives and is asked for what comes, not
        for the ends of partitions, which it may learn half a second late.
        """

    def start_offset(self, partition: TopicPartition) -> int: ...

    def end_offset(self, partition: TopicPartition) -> int:
        """Return the high watermark: the offset after the last record or marker."""

    def stable_offset(self, partition: TopicPartition) -> int:
        """Return the last stable offset: where the first open transaction begins, or the end."""

    def partitions(self, topic: str) -> int:
        """Return the partition count. Raises LogError when the topic does not exist."""


class Codec(Protocol):
    """Bytes of the wire <-> messages. The one interface that a faster codec must satisfy."""

    def encode(self, envelope: Envelope, message: Message) -> bytes: ...

    def decode(self, value: bytes) -> tuple[Envelope, Message]:
        """Raises DecodeError with BAD_MAGIC, UNKNOWN_SCHEMA or BODY_UNDECODABLE."""


class Clock(Protocol):
    def now_ns(self) -> int:
        """Return UTC ns, never less than before. Raises ClockJumpError over the bound."""

    def floor(self, now_ns: int) -> None:
        """Never return less than `now_ns` from here on. Raises ClockJumpError over the bound."""


class ClockJumpError(Error):
    """The clock moved by more than its bound: a person must look before trading goes on."""

    def __init__(self, jump_ns: int, bound_ns: int) -> None:
        super().__init__(f"clock jumped by {jump_ns} ns, bound {bound_ns} ns")
        self.jump_ns = jump_ns
        self.bound_ns = bound_ns


class Inbound(NamedTuple):
    """One input record, decoded; `error` says why when it could not be."""

    record: Record
    envelope: Envelope | None
    message: Message | None
    error: DecodeError | None


class Batch(NamedTuple):
    """What an inbox hands to one transaction."""

    records: Sequence[Inbound]  # as read: run after run, in the order of `ranges`
    ranges: tuple[ConsumedRange, ...]  # in merge order of topics, watermarks counted
    now_ns: int
    watermark_ns: int  # 0 in LIVE
    step: int  # 0 in LIVE


class Resume(NamedTuple):
    """Where an inbox starts after a take-over."""

    positions: dict[TopicPartition, int]  # one per input of the settings
    now_ns: int  # last journalled clock reading
    watermark_ns: int  # last journalled market time, 0 at the beginning
    step: int  # last journalled step, 0 at the beginning


class Inbox(Protocol):
    """Where batches come from: LiveInbox, TapeInbox, or the simulator's steps."""

    def start(self, resume: Resume) -> None:
        """Forget everything and go on from there; called after each take-over."""

    def take(self, wait_ms: int) -> Batch | None:
        """Return the next batch, or None when there is none within about `wait_ms`."""

    def close(self) -> None: ...


class Emitter(Protocol):
    """What an application writes to during one batch. Ids are known at once."""

    shard: int
    seq: int
    at_ns: int
    entropy: bytes  # 16 bytes, journalled

    def emit(
        self,
        topic: str,
        message: Message,
        *,
        key: str,
        causation_id: bytes,
        correlation_id: str,
        source_ns: int = 0,
        partition: int | None = None,
        actor: str = "",
    ) -> bytes:
        """Add an event and return its event_id. `partition` defaults to the shard's own."""

    def dead_letter(
        self, inbound: Inbound, reason: RejectReason, field: str, value: str, bound: str
    ) -> bytes:
        """Copy an input to dead.letters with the reason; return the dead letter's event_id."""

    def model(self, name: str, compute: Any) -> Any:
        """Call a model outside the deciders.

        Live it returns compute(); a replay returns the message recorded at this place instead,
        computes too, and reports a difference as class "model". The caller emits the result.
        """


class RecordedEvent(NamedTuple):
    """A message of ours, read back."""

    topic: str
    envelope: Envelope
    message: Message


class RecordedBatch(NamedTuple):
    """One journal record with what it read and wrote, for recovery."""

    journal: JournalRecord
    journal_envelope: Envelope
    inputs: Sequence[Inbound]  # in merge order; only topics in Application.restore_inputs
    outputs: Sequence[RecordedEvent]  # by index; empty unless Application.restore_outputs


class Application(Protocol):
    """One shard's business. The runtime owns the logs, the offsets and the time."""

    output_topics: tuple[str, ...]
    restore_inputs: tuple[str, ...]  # input topics that recovery must read again
    restore_outputs: bool  # whether recovery folds the recorded outputs

    def unheard(self, standing: tuple[str, ...]) -> tuple[str, ...]:
        """Return what `standing` flags of this host say that the state does not know yet.

        In the order to apply; a flag that the state knows and that stands no more is news too.
        """

    def signal(self, text: str, out: Emitter) -> None:
        """Decide what a local flag leads to, before anything else of its batch."""

    def apply(self, inbound: Inbound, out: Emitter) -> None:
        """Decide one input to its end. Undecodable inputs come too, with `error` set."""

    def pop_due(self, now_ns: int) -> Timer | None:
        """Remove and return the first timer due, by (due_ns, id)."""

    def next_due_ns(self) -> int | None: ...

    def fire(self, timer: Timer, out: Emitter) -> None:
        """Decide what a due timer leads to."""

    def finish(self, out: Emitter) -> None:
        """Called once at the end of each batch, after the timers."""

    def restore(self, batch: RecordedBatch) -> None:
        """Bring the state to the end of a recorded batch, emitting nothing. Heartbeats and
        OwnerStarted change no state and are not shown."""

    def snapshot(self) -> bytes:
        """Return the canonical bytes of the state: equal states give equal bytes."""

    def load(self, data: bytes) -> None:
        """Replace the state by that of a snapshot."""
