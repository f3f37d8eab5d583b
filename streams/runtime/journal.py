"""The journal: what a shard has done, as a hash chain; and the ids that follow from it."""

from dataclasses import dataclass, field
from hashlib import blake2b, sha256
from typing import Final

from schemas.messages.core import Envelope
from schemas.messages.runtime import JournalRecord
from streams.core.errors import CorruptHistoryError
from streams.runtime.ports import TopicPartition

__all__ = ["NO_EVENT", "JournalEnd", "digest_prefix", "event_id", "tape_entropy"]

NO_EVENT: Final = bytes(16)
NO_HASH: Final = bytes(32)


def event_id(log_id: bytes, shard: int, seq: int, index: int) -> bytes:
    """Return BLAKE2b-128 of log id (16 bytes), shard (4), seq (8), index (4), big-endian."""
    return event_id_at(event_id_prefix(log_id, shard, seq), index)


def event_id_prefix(log_id: bytes, shard: int, seq: int) -> bytes:
    return log_id + shard.to_bytes(4, "big") + seq.to_bytes(8, "big")


def event_id_at(prefix: bytes, index: int) -> bytes:
    return blake2b(prefix + index.to_bytes(4, "big"), digest_size=16).digest()


def tape_entropy(seed: int, shard: int, step: int) -> bytes:
    """Return BLAKE2b-128 of seed, shard and step, each 8 bytes big-endian and signed."""
    parts = (number.to_bytes(8, "big", signed=True) for number in (seed, shard, step))
    return blake2b(b"".join(parts), digest_size=16).digest()


def digest_prefix(topic: str, partition: int) -> bytes:
    """Return what stands before each value of the partition in an output digest."""
    return topic.encode() + partition.to_bytes(4, "big")


@dataclass(slots=True, kw_only=True)
class JournalEnd:
    """What a shard's journal says up to one record."""

    log_id: bytes
    seq: int = -1
    index: int = -1  # of the last record, which is the last event of its batch
    hash: bytes = NO_HASH  # SHA-256 of the last record's value
    incarnation: int = 0
    now_ns: int = 0
    watermark_ns: int = 0
    step: int = 0
    positions: dict[TopicPartition, int] = field(default_factory=dict)
    topic_seqs: dict[TopicPartition, int] = field(default_factory=dict)  # newest written

    def follow(self, envelope: Envelope, record: JournalRecord, value: bytes) -> None:
        """Go on to the next record. Raises CorruptHistoryError when it does not follow."""
        where = f"journal record {envelope.seq} of shard {envelope.shard}"
        if envelope.seq != self.seq + 1:
            raise CorruptHistoryError(f"{where} follows record {self.seq}")
        if record.previous_hash != self.hash:
            raise CorruptHistoryError(
                f"{where}: previous hash {record.previous_hash.hex()}, chain has {self.hash.hex()}"
            )
        if record.log_id != self.log_id:
            raise CorruptHistoryError(f"{where}: log id {record.log_id.hex()}, topic has another")
        if record.incarnation < self.incarnation:
            raise CorruptHistoryError(f"{where}: incarnation {record.incarnation} after a later")
        self.seq = envelope.seq
        self.index = envelope.index
        self.hash = sha256(value).digest()
        self.incarnation = record.incarnation
        self.now_ns = max(self.now_ns, record.now_ns)
        self.watermark_ns = record.watermark_ns or self.watermark_ns
        self.step = record.step or self.step
        for consumed in record.ranges:
            partition = TopicPartition(consumed.topic, consumed.partition)
            known = self.positions.get(partition)
            if known is not None and consumed.first_offset < known:
                raise CorruptHistoryError(f"{where} reads {partition} again from {known} down")
            self.positions[partition] = consumed.next_position
        for output in record.outputs:
            partition = TopicPartition(output.topic, output.partition)
            self.topic_seqs[partition] = output.last_topic_seq
