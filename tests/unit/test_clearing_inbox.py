"""Clearing is given whole transactions of the engines, in the order of each journal."""

import pytest

from services.audit import RawRecord
from services.clearing.application import ENGINE_TOPICS
from services.clearing.settings import clearing_settings
from streams.adapters.memory import MemoryLog
from streams.core import topics
from streams.core.errors import CorruptHistoryError
from streams.runtime.journal_inbox import IDLE_RECORDS_MAX, JournalInbox
from streams.runtime.ports import Batch, Resume, TopicPartition
from tests.support.audit_log import Batch as Written
from tests.support.audit_log import written
from tests.support.clearing_day import CODEC, LOG_ID
from tests.support.clearing_log import day, log_of
from tests.support.memory_shard import SteppedClock

SETTINGS = clearing_settings(1, LOG_ID)


def inbox_of(log: MemoryLog) -> JournalInbox:
    inbox = JournalInbox(log, CODEC, SETTINGS, ENGINE_TOPICS, SteppedClock())
    inbox.start(Resume(dict.fromkeys(SETTINGS.input_partitions, 0), 0, 0, 0))
    return inbox


def names(batch: Batch | None) -> list[str]:
    return [] if batch is None else [type(each.message).__name__ for each in batch.records]


def empty_log() -> MemoryLog:
    every = [value for name, value in vars(topics).items() if name.isupper()]
    return MemoryLog(dict.fromkeys(every, 1))


def log_without(place: int, batches: int) -> tuple[MemoryLog, RawRecord]:
    """Return a log that misses one allocation event, and that event."""
    log, whole = empty_log(), written(list(day().values())[:batches])
    events = [record for record in whole if record.topic == topics.ALLOCATIONS_EVENTS]
    for record in whole:
        if record is not events[place]:
            log.append(record.topic, 0, record.key, record.value)
    return log, events[place]


def test_half_a_transaction_is_not_given_before_the_rest_is_there() -> None:
    log, late = log_without(-1, 2)
    inbox = inbox_of(log)
    assert "FillBooked" not in names(inbox.take(0)), "the fills miss an allocation"
    assert inbox.take(0) is None
    assert not inbox.is_read()
    log.append(late.topic, 0, late.key, late.value)
    assert names(inbox.take(0)).count("FillBooked") == 4


def test_an_event_of_another_transaction_stops_clearing() -> None:
    log, _ = log_without(0, 3)
    with pytest.raises(CorruptHistoryError, match="is of seq 2, counted by seq 1"):
        inbox_of(log).take(0)


def test_a_batch_holds_what_its_journal_records_count_and_nothing_more() -> None:
    log = log_of(day())
    stray = log_of({"first": next(iter(day().values()))})
    inbox = inbox_of(log)
    batch = inbox.take(0)
    assert batch is not None
    assert names(batch).count("JournalRecord") == 1 + len(day())
    assert names(batch).count("FillBooked") == 6
    counts = {(each.topic, each.partition): each.count for each in batch.ranges}
    assert counts[topics.FILLS_EVENTS, 0] == 9
    assert inbox.take(0) is None
    assert inbox.is_read()
    # An event whose journal record has not come waits.
    log.append(topics.ORDERS_EVENTS, 0, b"", first_value(stray))
    assert inbox.take(0) is None
    assert not inbox.is_read()


def first_value(log: MemoryLog) -> bytes:
    records = log.partition(TopicPartition(topics.ORDERS_EVENTS, 0)).read(0, 1)[0]
    return records[0].value


def test_heartbeats_alone_are_no_reason_for_a_transaction() -> None:
    idle = [Written() for _ in range(IDLE_RECORDS_MAX - 2)]
    log = log_of({str(place): batch for place, batch in enumerate(idle)})
    inbox = inbox_of(log)
    assert inbox.take(0) is None
    assert inbox.take(0) is None
    last = written([*idle, Written()])[-1]
    log.append(last.topic, 0, last.key, last.value)
    batch = inbox.take(0)
    assert names(batch) == ["JournalRecord"] * IDLE_RECORDS_MAX
