"""Where the events of one batch are gathered: ids, topic sequences, bytes and their digest."""

from hashlib import blake2b, sha256
from typing import Any, NamedTuple

from schemas.messages.core import Envelope, RejectReason, TopicOutput
from schemas.messages.runtime import DeadLetter
from streams.core.errors import CorruptHistoryError
from streams.runtime.journal import (
    NO_EVENT,
    JournalEnd,
    digest_prefix,
    event_id_prefix,
)
from streams.runtime.ports import Codec, Inbound, Message, TopicPartition
from streams.runtime.settings import HostSettings

__all__ = ["BatchEmitter", "Output"]

EVENT_ID_BYTES = 16


class Output(NamedTuple):
    """One event as it goes to the log."""

    topic: str
    partition: int
    key: bytes
    value: bytes


class Stream:
    """What one batch has written to one partition."""

    __slots__ = ("count", "last", "prefix")

    def __init__(self, prefix: bytes, last: int) -> None:
        self.prefix = prefix
        self.last = last  # newest topic_seq
        self.count = 0


class BatchEmitter:
    """Implements ports.Emitter for the batch after `end`."""

    __slots__ = (
        "_codec",
        "_dead_letters",
        "_digest",
        "_end",
        "_id_hasher",
        "_name",
        "_streams",
        "at_ns",
        "entropy",
        "outputs",
        "seq",
        "shard",
    )

    def __init__(
        self, codec: Codec, settings: HostSettings, end: JournalEnd, at_ns: int, entropy: bytes
    ) -> None:
        self.shard = settings.shard
        self.seq = end.seq + 1
        self.at_ns = at_ns
        self.entropy = entropy
        self.outputs: list[Output] = []
        self._codec = codec
        self._end = end
        self._name = settings.name
        self._dead_letters = settings.dead_letters
        prefix = event_id_prefix(end.log_id, self.shard, self.seq)
        self._id_hasher = blake2b(prefix, digest_size=EVENT_ID_BYTES)
        self._digest: list[bytes] = []  # what is hashed, in index order
        self._streams: dict[tuple[str, int], Stream] = {}

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
        """Add an event and return its event_id."""
        number = self.shard if partition is None else partition
        stream = self._streams.get((topic, number))
        if stream is None:
            stream = self._streams[topic, number] = self._open(topic, number)
        index = len(self.outputs)
        hasher = self._id_hasher.copy()  # of journal.event_id, which differs by the index only
        hasher.update(index.to_bytes(4, "big"))
        own_id = hasher.digest()
        stream.last += 1
        stream.count += 1
        envelope = Envelope(
            event_id=own_id,
            shard=self.shard,
            seq=self.seq,
            index=index,
            topic_seq=stream.last,
            at_ns=self.at_ns,
            source_ns=source_ns,
            actor=actor or self._name,
            causation_id=causation_id,
            correlation_id=correlation_id,
        )
        value = self._codec.encode(envelope, message)
        self._digest += stream.prefix, value
        self.outputs.append(Output(topic, number, key.encode(), value))
        return own_id

    def dead_letter(
        self, inbound: Inbound, reason: RejectReason, field: str, value: str, bound: str
    ) -> bytes:
        """Copy an input to the dead letters.

        Raises CorruptHistoryError where every input is our own.
        """
        record = inbound.record
        where = f"{record.topic}[{record.partition}]@{record.offset}"
        if self._dead_letters is None:
            raise CorruptHistoryError(f"{where}: {field} {value}: {bound}")
        letter = DeadLetter(
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            reason=reason,
            field=field,
            value=value,
            bound=bound,
            key=record.key,
            body=record.value,
        )
        return self.emit(
            self._dead_letters,
            letter,
            key=where,
            causation_id=NO_EVENT if inbound.envelope is None else inbound.envelope.event_id,
            correlation_id="" if inbound.envelope is None else inbound.envelope.correlation_id,
            source_ns=0 if inbound.envelope is None else inbound.envelope.source_ns,
        )

    def model(self, name: str, compute: Any) -> Any:
        """Return what the model says now; a replay overrides this."""
        return compute()

    def digest(self) -> bytes:
        """Return SHA-256 over topic (UTF-8), partition (4 bytes big-endian), value, by index."""
        return sha256(b"".join(self._digest)).digest()

    def close(self) -> tuple[TopicOutput, ...]:
        """Advance the topic sequences; return the journal's rows, every partition ever written.

        A batch that fails after this is undone by a take-over, which reads them anew.
        """
        topic_seqs = self._end.topic_seqs
        for (topic, partition), stream in self._streams.items():
            topic_seqs[TopicPartition(topic, partition)] = stream.last
        return tuple(
            TopicOutput(
                topic=target.topic,
                partition=target.partition,
                count=self._streams[target].count if target in self._streams else 0,
                last_topic_seq=last,
            )
            for target, last in sorted(topic_seqs.items())
        )

    def _open(self, topic: str, partition: int) -> "Stream":
        last = self._end.topic_seqs.get(TopicPartition(topic, partition), -1)
        return Stream(digest_prefix(topic, partition), last)
