"""What the runtime needs from the world, and what an application must offer to be hosted.

Adapters (kafka, memory, codec, clock) implement the first half; streams.shard (the engine) and
services.venues (the simulator) implement `Application`.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from schemas.messages.core import Envelope, RejectReason
from schemas.messages.runtime import JournalRecord
from streams.core.errors import DecodeError
from streams.core.timers import Timer

__all__ = [
    "Application",
    "Clock",
    "Codec",
    "Emitter",
    "Inbound",
    "Log",
    "Message",
    "Producer",
    "Reader",
    "Record",
    "RecordedBatch",
    "RecordedEvent",
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

    def close(self) -> None: ...


class Log(Protocol):
    """The store: partitions of records, markers included in the offsets."""

    def producer(self, transactional_id: str) -> Producer:
        """Return a producer after init_transactions: every older one of that id is fenced."""

    def reader(self) -> Reader: ...

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
        """Return UTC ns, never less than before."""


class Inbound(NamedTuple):
    """One input record, decoded; `error` says why when it could not be."""

    record: Record
    envelope: Envelope | None
    message: Message | None
    error: DecodeError | None


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
        """Bring the state to the end of a recorded batch, emitting nothing."""

    def snapshot(self) -> bytes:
        """Return the canonical bytes of the state: equal states give equal bytes."""

    def load(self, data: bytes) -> None:
        """Replace the state by that of a snapshot."""
