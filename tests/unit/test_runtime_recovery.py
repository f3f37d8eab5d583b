"""A take-over believes only what verifies, and refuses to go on without what it needs."""

from itertools import pairwise

import msgspec
import pytest

from schemas.messages.core import ClockMode, JournalKind, RejectReason
from schemas.messages.runtime import DeadLetter, JournalRecord, SnapshotChunk, SnapshotPointer
from streams.adapters.memory import MemoryLog
from streams.core import topics
from streams.core.errors import CorruptHistoryError, FencedError, RetentionError
from streams.runtime.host import ShardHost
from streams.runtime.journal import event_id
from streams.runtime.ports import TopicPartition
from streams.runtime.replay import replay
from streams.runtime.settings import engine_settings
from tests.support.counting_app import OUTPUT, CountingApp, command
from tests.support.memory_shard import (
    CODEC,
    LOG_ID,
    START_NS,
    committed,
    host,
    messages,
    publish_day,
    put,
    settings,
    shard_log,
)

TAPE = settings(ClockMode.TAPE)
LIVE = settings(ClockMode.LIVE)
JOURNAL = TopicPartition(topics.ENGINE_JOURNAL, 0)


def day(steps: int = 10, *, is_saved: bool = False) -> tuple[MemoryLog, ShardHost]:
    """A finished day. Snapshots stand after every fourth batch."""
    log = shard_log()
    publish_day(log, steps)
    shard = host(log, TAPE)
    shard.take_over()
    while shard.turn():
        pass
    if is_saved:
        shard.save()
    return log, shard


def rewrite(log: MemoryLog, topic: str, number: int, value: bytes) -> None:
    """Change the n-th committed record of a topic behind everybody's back."""
    partition = log.partition(TopicPartition(topic, 0))
    offset = committed(log, topic)[number].offset
    entry = partition._entries[offset]
    assert entry.record is not None
    partition._entries[offset] = entry._replace(record=entry.record._replace(value=value))


def edited(log: MemoryLog, topic: str, number: int, **changes: object) -> bytes:
    """Return the n-th message of a topic with fields changed, encoded."""
    envelope, message = CODEC.decode(committed(log, topic)[number].value)
    return CODEC.encode(envelope, msgspec.structs.replace(message, **changes))


def test_the_first_record_says_who_owns_the_shard_and_each_owner_counts_on() -> None:
    log, _ = day()
    host(log, TAPE).take_over()
    owners = [
        m for m in messages(log, topics.ENGINE_JOURNAL) if m.kind is JournalKind.OWNER_STARTED
    ]
    assert [owner.incarnation for owner in owners] == [1, 2]
    assert owners[1].now_ns == START_NS + 10 * 1_000_000_000


def test_the_journal_names_ids_that_follow_from_log_shard_seq_and_index() -> None:
    log, _ = day()
    for record in (*committed(log), *committed(log, topics.ENGINE_JOURNAL)):
        envelope, _ = CODEC.decode(record.value)
        assert envelope.event_id == event_id(LOG_ID, 0, envelope.seq, envelope.index)


def test_topic_sequences_are_contiguous_over_owners() -> None:
    log, _ = day()
    host(log, TAPE).take_over()
    publish_more(log)
    shard = host(log, TAPE)
    shard.take_over()
    shard.turn()
    for topic in (OUTPUT, topics.ENGINE_JOURNAL):
        found = [CODEC.decode(record.value)[0].topic_seq for record in committed(log, topic)]
        assert found == list(range(len(found)))


def publish_more(log: MemoryLog) -> None:
    from schemas.messages.market import Watermark
    from tests.support.memory_shard import STEP_NS, TIMED

    put(log, topics.ORDERS_COMMANDS, *command(999, "ant", 5, START_NS + 10 * STEP_NS))
    mark = Watermark(step=11, watermark_ns=START_NS + 11 * STEP_NS, step_ns=STEP_NS, is_final=True)
    for topic in TIMED:
        put(log, topic, command(0, "", 0, mark.watermark_ns)[0], mark)


def test_a_snapshot_gives_the_same_state_as_the_whole_journal() -> None:
    log, shard = day(is_saved=True)
    assert messages(log, topics.ENGINE_SNAPSHOT_POINTERS)
    restored = host(log, TAPE)
    restored.take_over()
    assert restored.application.snapshot() == shard.application.snapshot()
    assert restored.end.positions == shard.end.positions


def test_two_generations_of_pointers_have_two_keys() -> None:
    log, _ = day(12)
    keys = [record.key for record in committed(log, topics.ENGINE_SNAPSHOT_POINTERS)]
    assert keys == [b"0-0", b"0-1", b"0-0"]


@pytest.mark.parametrize("damaged", [1, 2])
def test_a_snapshot_with_a_false_digest_is_passed_over(damaged: int) -> None:
    log, shard = day()
    chunks = committed(log, topics.ENGINE_SNAPSHOTS)
    assert len(chunks) == 2
    for number in range(len(chunks) - damaged, len(chunks)):
        value = edited(log, topics.ENGINE_SNAPSHOTS, number, data=b"another state")
        rewrite(log, topics.ENGINE_SNAPSHOTS, number, value)
    restored = host(log, TAPE)
    restored.take_over()
    assert restored.application.snapshot() == shard.application.snapshot()


def test_a_state_of_many_chunks_is_joined_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.runtime.snapshots.CHUNK_BYTES", 7)
    log, shard = day(is_saved=True)
    assert any(m.chunks > 3 for m in messages(log, topics.ENGINE_SNAPSHOTS))
    restored = host(log, TAPE)
    restored.take_over()
    assert restored.application.snapshot() == shard.application.snapshot()


@pytest.mark.parametrize(
    "topic",
    [topics.ENGINE_JOURNAL, OUTPUT, topics.ENGINE_SNAPSHOTS, topics.ENGINE_SNAPSHOT_POINTERS],
)
def test_a_record_of_ours_that_cannot_be_decoded_stops_the_shard(topic: str) -> None:
    log, _ = day()
    rewrite(log, topic, len(committed(log, topic)) - 1, b"\x00\x00\x00")
    with pytest.raises(CorruptHistoryError):
        host(log, TAPE).take_over()


def test_a_journal_record_that_was_changed_breaks_the_chain() -> None:
    log, _ = day()
    number = len(committed(log, topics.ENGINE_JOURNAL)) - 2
    value = edited(log, topics.ENGINE_JOURNAL, number, code_version="forged")
    rewrite(log, topics.ENGINE_JOURNAL, number, value)
    with pytest.raises(CorruptHistoryError, match="chain"):
        host(log, TAPE).take_over()


def test_an_event_that_was_changed_contradicts_its_digest() -> None:
    log, _ = day()
    number = len(committed(log)) - 1
    rewrite(log, OUTPUT, number, edited(log, OUTPUT, number, content="bee 1 1000000"))
    with pytest.raises(CorruptHistoryError, match="digest"):
        host(log, TAPE).take_over()


def test_a_state_that_differs_from_its_recorded_hash_stops_the_shard() -> None:
    class Forgetful(CountingApp):
        def _evolve(self, message: object, at_ns: int) -> None:
            if "8" not in str(message):
                super()._evolve(message, at_ns)  # type: ignore[arg-type]  # handed through

    log, _ = day(4)
    drop_snapshots(log)
    with pytest.raises(CorruptHistoryError, match="hash"):
        host(log, TAPE, Forgetful).take_over()


def drop_snapshots(log: MemoryLog) -> None:
    """Make every snapshot fail its digest, so that the journal is read from its start."""
    for number in range(len(committed(log, topics.ENGINE_SNAPSHOTS))):
        value = edited(log, topics.ENGINE_SNAPSHOTS, number, data=b"")
        rewrite(log, topics.ENGINE_SNAPSHOTS, number, value)


def test_an_input_that_retention_deleted_is_named_and_the_start_refused() -> None:
    log, _ = day()
    partition = TopicPartition(topics.MARKET_DATA, 0)
    put(log, topics.MARKET_DATA, *command(1, "ant", 1, 0))
    log.truncate(partition, log.partition(partition).end)
    with pytest.raises(RetentionError) as refused:
        host(log, TAPE).take_over()
    assert (refused.value.topic, refused.value.partition) == partition
    assert refused.value.wanted < refused.value.start


def test_a_journal_whose_start_is_gone_is_refused_without_a_snapshot() -> None:
    log, _ = day(3)
    log.truncate(JOURNAL, 1)
    with pytest.raises(RetentionError, match=r"engine\.journal"):
        host(log, TAPE).take_over()


def test_an_input_shorter_than_its_journalled_position_is_refused() -> None:
    log, _ = day()
    partition = log.partition(TopicPartition(topics.ORDERS_COMMANDS, 0))
    del partition._entries[3:]
    with pytest.raises(CorruptHistoryError, match="journalled position"):
        host(log, TAPE).take_over()


def test_an_owner_in_doubt_stops_when_another_has_gone_on() -> None:
    log, shard = day()
    host(log, TAPE).take_over()
    with pytest.raises(FencedError):
        shard.take_over()


def test_an_idle_live_shard_commits_heartbeats_and_no_others() -> None:
    log = shard_log()
    shard = host(log, LIVE)
    shard.take_over()
    for _ in range(40):
        shard.turn()
    journal = messages(log, topics.ENGINE_JOURNAL)
    assert [m.kind for m in journal] == [JournalKind.OWNER_STARTED] + [JournalKind.HEARTBEAT] * (
        len(journal) - 1
    )
    gaps = [b.now_ns - a.now_ns for a, b in pairwise(journal)]
    assert len(gaps) >= 5
    assert all(1_000_000_000 <= gap < 1_500_000_000 for gap in gaps)
    assert [(row.topic, row.last_topic_seq) for row in journal[-1].outputs] == [
        (topics.DEAD_LETTERS, -1),
        (OUTPUT, -1),
    ]


def test_a_timer_fires_live_without_any_input() -> None:
    log = shard_log()
    shard = host(log, LIVE)
    shard.take_over()
    for ordinal in range(1, 4):
        put(log, topics.ORDERS_COMMANDS, *command(ordinal, "ant", 1, 0))
    for _ in range(30):
        shard.turn()
    assert "reported" in [m.context for m in messages(log)]
    fired = [m for m in messages(log, topics.ENGINE_JOURNAL) if m.timers]
    assert [len(m.ranges) for m in fired] == [0]
    assert fired[0].timers[0].due_ns <= fired[0].now_ns


POISON = {
    "wrong magic": (b"\x01\x00\x00\x00\x01body", RejectReason.BAD_MAGIC),
    "too short for a frame": (b"\x00\x00", RejectReason.BAD_MAGIC),
    "unknown schema": (b"\x00\x7f\xff\xff\xffbody", RejectReason.UNKNOWN_SCHEMA),
    "truncated": (CODEC.encode(*command(1, "ant", 1, 0))[:-4], RejectReason.BODY_UNDECODABLE),
    "with a rest": (CODEC.encode(*command(1, "ant", 1, 0)) + b"x", RejectReason.BODY_UNDECODABLE),
    "empty": (b"", RejectReason.BAD_MAGIC),
}


@pytest.mark.parametrize("name", POISON)
def test_a_poisoned_record_is_kept_and_the_rest_goes_on(name: str) -> None:
    value, reason = POISON[name]
    log = shard_log()
    put(log, topics.ORDERS_COMMANDS, *command(1, "ant", 5, 0))
    log.append(topics.ORDERS_COMMANDS, 0, b"key", value)
    put(log, topics.ORDERS_COMMANDS, *command(2, "ant", 6, 0))
    shard = host(log, LIVE)
    shard.take_over()
    shard.turn()
    (letter,) = messages(log, topics.DEAD_LETTERS)
    assert isinstance(letter, DeadLetter)
    assert (letter.topic, letter.partition, letter.offset) == (topics.ORDERS_COMMANDS, 0, 1)
    assert (letter.reason, letter.key, letter.body) == (reason, b"key", value)
    assert [m.context for m in messages(log)] == ["counted", "errors", "counted"]
    record = messages(log, topics.ENGINE_JOURNAL)[-1]
    assert isinstance(record, JournalRecord)
    assert [each.count for each in record.ranges] == [3]
    assert record.output_count == 4
    assert replay(log, CODEC, LIVE, CountingApp).is_equal


@pytest.mark.parametrize(("shard", "letters"), [(0, 1), (1, 0)])
def test_what_every_shard_reads_is_kept_as_a_dead_letter_by_shard_0(
    shard: int, letters: int
) -> None:
    log = shard_log(partitions=2)
    log.append(topics.CONTROL_COMMANDS, 0, b"", b"no frame")
    owner = host(log, engine_settings(shard, ClockMode.LIVE, LOG_ID))
    owner.take_over()
    owner.turn()
    assert len(messages(log, topics.DEAD_LETTERS, shard)) == letters
    assert [m.context for m in messages(log, OUTPUT, shard)] == ["errors"]


def test_messages_of_a_snapshot_are_what_the_topics_say() -> None:
    log, _ = day()
    assert all(isinstance(m, SnapshotChunk) for m in messages(log, topics.ENGINE_SNAPSHOTS))
    pointers = messages(log, topics.ENGINE_SNAPSHOT_POINTERS)
    assert all(isinstance(m, SnapshotPointer) for m in pointers)
    assert [m.snapshot_id for m in pointers] == ["0-4", "0-8"]
