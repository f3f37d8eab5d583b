"""A snapshot that is due waits for a moment in which nobody waits for the shard, not for ever."""

from hashlib import sha256

from schemas.messages.core import ClockMode, JournalKind
from schemas.messages.runtime import JournalRecord, SnapshotPointer
from streams.adapters.memory import MemoryLog
from streams.core import topics
from streams.runtime.host import ShardHost
from streams.runtime.replay import replay
from tests.support.counting_app import CountingApp, command
from tests.support.memory_shard import (
    CODEC,
    START_NS,
    host,
    messages,
    publish_day,
    put,
    settings,
    shard_log,
)

PATIENT = settings(ClockMode.LIVE, snapshot_batches=4, snapshot_patience=3)


def patient_shard() -> tuple[MemoryLog, ShardHost]:
    log = shard_log()
    shard = host(log, PATIENT)
    shard.take_over()
    return log, shard


def work(log: MemoryLog, shard: ShardHost, batches: int) -> None:
    for ordinal in range(batches):
        put(
            log, topics.ORDERS_COMMANDS, *command(shard.end.seq * 100 + ordinal, "ant", 1, START_NS)
        )
        assert shard.turn()


def snapshots(log: MemoryLog) -> list[SnapshotPointer]:
    return messages(log, topics.ENGINE_SNAPSHOT_POINTERS)


def test_a_snapshot_that_is_due_waits_while_there_is_work() -> None:
    log, shard = patient_shard()
    work(log, shard, 11)
    assert snapshots(log) == []


def test_it_is_taken_at_the_first_turn_without_any() -> None:
    log, shard = patient_shard()
    work(log, shard, 5)
    assert shard.turn()
    (pointer,) = snapshots(log)
    newest: JournalRecord = messages(log, topics.ENGINE_JOURNAL)[-1]
    assert (newest.kind, newest.ranges, newest.output_count) == (JournalKind.BATCH, (), 0)
    assert pointer.journal_seq == shard.end.seq
    assert newest.state_hash == pointer.digest == sha256(shard.application.snapshot()).digest()


def test_an_idle_shard_takes_no_second_one() -> None:
    log, shard = patient_shard()
    work(log, shard, 5)
    for _ in range(20):
        shard.turn()
    assert len(snapshots(log)) == 1


def test_work_that_never_ends_does_not_put_it_off_for_ever() -> None:
    log, shard = patient_shard()
    work(log, shard, 25)
    assert len(snapshots(log)) == 2


def test_a_tape_takes_it_at_the_same_batch_whatever_happens() -> None:
    log = shard_log()
    publish_day(log, 10)
    shard = host(log, settings(ClockMode.TAPE, snapshot_batches=4, snapshot_patience=3))
    shard.take_over()
    while shard.turn():
        pass
    assert len(snapshots(log)) == 2


def test_another_owner_and_a_replay_come_to_the_same_state() -> None:
    log, shard = patient_shard()
    work(log, shard, 6)
    shard.turn()
    work(log, shard, 3)
    other = host(log, PATIENT)
    other.take_over()
    assert other.application.snapshot() == shard.application.snapshot()
    report = replay(log, CODEC, PATIENT, CountingApp)
    assert report.is_equal, report.difference
