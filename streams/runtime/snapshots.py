"""Snapshots: a state cut into records, and a pointer that says where and of what they are."""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple

from schemas.messages.core import Envelope, TopicOutput, TopicPosition
from schemas.messages.runtime import SnapshotChunk, SnapshotPointer
from streams.core.errors import CorruptHistoryError
from streams.runtime.emitter import Output
from streams.runtime.history import decode_own, read_to_end
from streams.runtime.journal import NO_EVENT, JournalEnd, event_id
from streams.runtime.ports import Codec, Log, Message, TopicPartition
from streams.runtime.settings import HostSettings

__all__ = ["GENERATIONS", "Snapshot", "newest_snapshot", "snapshot_records"]

CHUNK_BYTES = 900_000  # a record must stay below the broker's 1 MB
GENERATIONS = 2


class Snapshot(NamedTuple):
    """A state that verified, and the journal's end that it belongs to."""

    data: bytes
    end: JournalEnd
    journal_position: int
    output_positions: dict[TopicPartition, int]
    generation: int


def snapshot_records(
    log: Log,
    codec: Codec,
    settings: HostSettings,
    end: JournalEnd,
    *,
    data: bytes,
    outputs: Iterable[TopicPartition],
    generation: int,
) -> Iterator[Output]:
    """Yield the chunks and the pointer of the state after `end`, between two batches.

    Positions are end offsets of now: the next batch's records can only stand behind them. The
    pointers of two generations have two keys, so compaction keeps both.
    """
    snapshot_id = f"{settings.shard}-{end.seq}"
    parts = [data[at : at + CHUNK_BYTES] for at in range(0, len(data), CHUNK_BYTES)] or [b""]
    pointer = SnapshotPointer(
        snapshot_id=snapshot_id,
        journal_seq=end.seq,
        journal_hash=end.hash,
        journal_position=log.end_offset(settings.journal),
        first_offset=log.end_offset(settings.snapshots),
        chunks=len(parts),
        digest=sha256(data).digest(),
        inputs=_positions(end.positions),
        outputs=_positions({each: log.end_offset(each) for each in outputs}),
        outputs_seq=tuple(
            TopicOutput(topic=each.topic, partition=each.partition, count=0, last_topic_seq=last)
            for each, last in sorted(end.topic_seqs.items())
        ),
        incarnation=end.incarnation,
        watermark_ns=end.watermark_ns,
        step=end.step,
    )
    targets: list[tuple[TopicPartition, str, Message]] = []
    for number, part in enumerate(parts):
        chunk = SnapshotChunk(snapshot_id=snapshot_id, chunk=number, chunks=len(parts), data=part)
        targets.append((settings.snapshots, f"{snapshot_id}-{number}", chunk))
    targets.append((settings.pointers, f"{settings.shard}-{generation}", pointer))
    for ordinal, (target, key, message) in enumerate(targets, 1):
        envelope = _envelope(settings, end, end.index + ordinal)
        value = codec.encode(envelope, message)
        yield Output(target.topic, target.partition, key.encode(), value)


def newest_snapshot(log: Log, codec: Codec, settings: HostSettings) -> Snapshot | None:
    """Return the newest snapshot whose chunks are all there and match their digest.

    Raises CorruptHistoryError when a record of ours cannot be decoded or is of another log.
    """
    log_id = settings.log_id
    for generation, envelope, pointer in _pointers(log, codec, settings, log_id):
        data = _data(log, codec, settings, pointer)
        if data is None or sha256(data).digest() != pointer.digest:
            continue
        end = JournalEnd(
            log_id=log_id,
            seq=pointer.journal_seq,
            hash=pointer.journal_hash,
            incarnation=pointer.incarnation,
            now_ns=envelope.at_ns,
            watermark_ns=pointer.watermark_ns,
            step=pointer.step,
            positions=_by_partition(pointer.inputs),
            topic_seqs={
                TopicPartition(each.topic, each.partition): each.last_topic_seq
                for each in pointer.outputs_seq
            },
        )
        outputs = _by_partition(pointer.outputs)
        return Snapshot(data, end, pointer.journal_position, outputs, generation)
    return None


def _pointers(
    log: Log, codec: Codec, settings: HostSettings, log_id: bytes
) -> list[tuple[int, Envelope, SnapshotPointer]]:
    found: list[tuple[int, Envelope, SnapshotPointer]] = []
    start = log.start_offset(settings.pointers)
    for record in read_to_end(log, settings.pointers, start):
        envelope, message = decode_own(codec, record)
        if not isinstance(message, SnapshotPointer) or envelope.event_id != event_id(
            log_id, settings.shard, envelope.seq, envelope.index
        ):
            raise CorruptHistoryError(f"{record.topic}@{record.offset} is not of this log")
        generation = int(record.key.decode().rpartition("-")[2])
        found.append((generation, envelope, message))
    found.sort(key=lambda each: -each[2].journal_seq)
    return found


def _data(log: Log, codec: Codec, settings: HostSettings, pointer: SnapshotPointer) -> bytes | None:
    """Return the joined chunks, None when some are gone."""
    if pointer.first_offset < log.start_offset(settings.snapshots):
        return None
    parts: dict[int, bytes] = {}
    for record in read_to_end(log, settings.snapshots, pointer.first_offset):
        _, message = decode_own(codec, record)
        if isinstance(message, SnapshotChunk) and message.snapshot_id == pointer.snapshot_id:
            parts[message.chunk] = message.data
            if len(parts) == pointer.chunks:
                return b"".join(parts[number] for number in range(pointer.chunks))
    return None


def _envelope(settings: HostSettings, end: JournalEnd, index: int) -> Envelope:
    """A snapshot is no event: it stands in no topic sequence."""
    return Envelope(
        event_id=event_id(end.log_id, settings.shard, end.seq, index),
        shard=settings.shard,
        seq=end.seq,
        index=index,
        topic_seq=-1,
        at_ns=end.now_ns,
        source_ns=0,
        actor=settings.name,
        causation_id=event_id(end.log_id, settings.shard, end.seq, end.index)
        if end.index >= 0
        else NO_EVENT,
        correlation_id=f"{settings.shard}-{end.seq}",
    )


def _positions(by_partition: dict[TopicPartition, int]) -> tuple[TopicPosition, ...]:
    return tuple(
        TopicPosition(topic=each.topic, partition=each.partition, position=position)
        for each, position in sorted(by_partition.items())
    )


def _by_partition(positions: tuple[TopicPosition, ...]) -> dict[TopicPartition, int]:
    return {TopicPartition(each.topic, each.partition): each.position for each in positions}
