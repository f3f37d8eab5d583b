"""Become the owner of a shard: fence, read the journal, restore the state."""

from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple

from schemas.messages.core import JournalKind
from streams.core.errors import CorruptHistoryError, FencedError, LogError, RetentionError
from streams.runtime.history import History, journal_records, read_to_end
from streams.runtime.journal import JournalEnd
from streams.runtime.ports import Application, Codec, Log, Producer, TopicPartition
from streams.runtime.settings import SLOTS, HostSettings
from streams.runtime.snapshots import GENERATIONS, newest_snapshot

__all__ = ["Restored", "await_stable", "check_last_record", "fence", "input_positions", "restore"]

STABLE_POLLS_MAX = 3_000


class Restored(NamedTuple):
    """A state at the end of its journal."""

    application: Application
    end: JournalEnd
    generation: int  # of the next snapshot
    batches: int  # restored ones, that no snapshot holds


def fence(log: Log, settings: HostSettings) -> list[Producer]:
    """Fence every former owner, all slots in ascending order; return those in use."""
    producers = [log.producer(settings.transactional_id(slot)) for slot in range(SLOTS)]
    for producer in producers[settings.slots :]:
        producer.close()
    return producers[: settings.slots]


def await_stable(log: Log, partition: TopicPartition, pause: Callable[[float], None]) -> None:
    """Return when no transaction is open on the partition. Raises LogError after 30 s."""
    for _ in range(STABLE_POLLS_MAX):
        if log.stable_offset(partition) == log.end_offset(partition):
            return
        pause(0.01)
    raise LogError(f"{partition}: a transaction stays open")


def check_last_record(log: Log, settings: HostSettings, hashes: set[bytes]) -> None:
    """Raise FencedError when the journal ends with a record that is none of ours.

    `hashes`: of our last committed record and of the one whose commit is in doubt.
    """
    # The end may be markers and aborted records, so read back until a record stands there.
    end, back = log.stable_offset(settings.journal), 8
    start = log.start_offset(settings.journal)
    while True:
        position = max(start, end - back)
        records = list(read_to_end(log, settings.journal, position))
        if records or position == start:
            break
        back *= 8
    if records and sha256(records[-1].value).digest() not in hashes:
        raise FencedError(f"the journal of shard {settings.shard} has gone on without us")


def restore(
    log: Log,
    codec: Codec,
    settings: HostSettings,
    make_application: Callable[[], Application],
) -> Restored:
    """Load the newest snapshot and fold what was recorded after it.

    Raises CorruptHistoryError, RetentionError.
    """
    application = make_application()
    snapshot = newest_snapshot(log, codec, settings)
    if snapshot is None:
        end = JournalEnd(log_id=settings.log_id)
        position, generation, known = log.start_offset(settings.journal), 0, {}
        if position > 0:
            raise RetentionError(*settings.journal, 0, position)
    else:
        application.load(snapshot.data)
        end, position, known = snapshot.end, snapshot.journal_position, snapshot.output_positions
        generation = (snapshot.generation + 1) % GENERATIONS
    for partition in output_partitions(settings, application):
        end.topic_seqs.setdefault(partition, -1)
    inputs, outputs = wanted(settings, application, end, known)
    history = History(log, codec, settings, inputs=inputs, outputs=outputs)
    restored = 0
    try:
        for envelope, journal in journal_records(log, codec, settings, position, end):
            if journal.kind is not JournalKind.BATCH:
                continue
            application.restore(history.read(envelope, journal).recorded())
            restored += 1
            expected = journal.state_hash
            if expected is not None and sha256(application.snapshot()).digest() != expected:
                raise CorruptHistoryError(f"state after batch {envelope.seq} differs from its hash")
    finally:
        history.close()
    return Restored(application, end, generation, restored)


def output_partitions(
    settings: HostSettings, application: Application
) -> tuple[TopicPartition, ...]:
    """Return the partitions that the application writes to."""
    if settings.outputs:
        return settings.outputs
    topics = (
        *application.output_topics,
        *((settings.dead_letters,) if settings.dead_letters else ()),
    )
    return tuple(TopicPartition(topic, settings.shard) for topic in dict.fromkeys(topics))


def wanted(
    settings: HostSettings,
    application: Application,
    end: JournalEnd,
    known: dict[TopicPartition, int],
) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
    """Return what this application wants to see again, and from where: inputs, outputs."""
    inputs = {
        each: end.positions.get(each, 0)
        for each in settings.input_partitions
        if each.topic in application.restore_inputs
    }
    if not application.restore_outputs:
        return inputs, {}
    return inputs, {each: known.get(each, 0) for each in output_partitions(settings, application)}


def input_positions(log: Log, settings: HostSettings, end: JournalEnd) -> dict[TopicPartition, int]:
    """Return where each input goes on. Raises RetentionError when that is deleted."""
    positions = {each: end.positions.get(each, 0) for each in settings.input_partitions}
    for partition, position in positions.items():
        start = log.start_offset(partition)
        if position < start:
            raise RetentionError(*partition, position, start)
        if position > log.end_offset(partition):
            raise CorruptHistoryError(f"{partition} ends before journalled position {position}")
    return positions
