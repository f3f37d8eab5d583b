"""What every log must do: one suite, passed by the memory log and by Kafka."""

import time
import uuid
from collections.abc import Callable

import pytest

from streams.adapters.kafka import KafkaLog, KafkaSettings
from streams.adapters.memory import MemoryLog
from streams.core import topics
from streams.core.errors import FencedError, LogError
from streams.runtime.ports import Log, Reader, Record, TopicPartition
from tests.support.broker import broker, own_broker  # noqa: F401  # fixtures

DEADLINE_S = 20.0
TOPIC = topics.TCA_RESULTS
SECOND = topics.DECISIONS_EVENTS
ONE = TopicPartition(TOPIC, 1)
TWO = TopicPartition(SECOND, 2)


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.broker)])
def log(request: pytest.FixtureRequest) -> Log:
    if request.param == "memory":
        return MemoryLog({TOPIC: 4, SECOND: 4})
    return KafkaLog(KafkaSettings(bootstrap=request.getfixturevalue("broker").bootstrap))


@pytest.fixture
def own_id() -> str:
    """A transactional id that no other test uses."""
    return f"contract-{uuid.uuid4().hex}"


def read_until(reader: Reader, is_enough: Callable[[list[Record]], bool]) -> list[Record]:
    """Poll until enough records are there or the deadline passes."""
    records: list[Record] = []
    deadline = time.monotonic() + DEADLINE_S
    while not is_enough(records) and time.monotonic() < deadline:
        records.extend(reader.poll(100, 50))
    return records


def values_from(log: Log, positions: dict[TopicPartition, int], count: int) -> list[bytes]:
    """Read until `count` records are there, and once more for what must not come."""
    reader = log.reader()
    reader.assign(positions)
    records = read_until(reader, lambda found: len(found) >= count)
    records.extend(reader.poll(100, 200))
    reader.close()
    return [record.value for record in records]


def await_stable(log: Log, partition: TopicPartition) -> int:
    """Return the end once no transaction is open and every marker is written."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        end = log.end_offset(partition)
        if log.stable_offset(partition) == end:
            return end
    raise AssertionError("a transaction stays open")


def test_a_committed_transaction_is_read_in_order_over_its_partitions(
    log: Log, own_id: str
) -> None:
    starts = {ONE: log.end_offset(ONE), TWO: log.end_offset(TWO)}
    producer = log.producer(own_id)
    producer.begin()
    for number in range(3):
        producer.send(*ONE, b"k", b"one %d" % number)
        producer.send(*TWO, b"k", b"two %d" % number)
    producer.commit()
    found = values_from(log, starts, 6)
    assert [value for value in found if value.startswith(b"one")] == [b"one 0", b"one 1", b"one 2"]
    assert [value for value in found if value.startswith(b"two")] == [b"two 0", b"two 1", b"two 2"]


def test_a_record_comes_back_as_it_was_sent(log: Log, own_id: str) -> None:
    start = await_stable(log, ONE)
    producer = log.producer(own_id)
    producer.begin()
    producer.send(*ONE, b"key", b"value")
    producer.commit()
    reader = log.reader()
    reader.assign({ONE: start})
    (record,) = read_until(reader, bool)
    reader.close()
    assert record[:3] == (TOPIC, 1, start)
    assert record[4:] == (b"key", b"value")


def test_markers_take_offsets(log: Log, own_id: str) -> None:
    start = await_stable(log, ONE)
    producer = log.producer(own_id)
    for _ in range(2):
        producer.begin()
        producer.send(*ONE, b"", b"x")
        producer.commit()
    assert await_stable(log, ONE) == start + 4
    reader = log.reader()
    reader.assign({ONE: start})
    records = read_until(reader, lambda found: len(found) == 2)
    assert [record.offset for record in records] == [start, start + 2]
    reader.close()


def test_the_position_passes_trailing_markers_and_aborted_records(log: Log, own_id: str) -> None:
    start = await_stable(log, ONE)
    producer = log.producer(own_id)
    producer.begin()
    producer.send(*ONE, b"", b"kept")
    producer.commit()
    producer.begin()
    producer.send(*ONE, b"", b"dropped")
    _flush(log, ONE, start + 3)
    producer.abort()
    end = await_stable(log, ONE)
    assert end == start + 4
    reader = log.reader()
    reader.assign({ONE: start})
    assert reader.position(ONE) == start
    seen: list[Record] = []
    deadline = time.monotonic() + DEADLINE_S
    while reader.position(ONE) < end and time.monotonic() < deadline:
        seen.extend(reader.poll(100, 50))
    assert reader.position(ONE) == end
    assert [record.value for record in seen] == [b"kept"]
    reader.close()


def test_an_open_transaction_holds_readers_and_the_stable_offset_back(
    log: Log, own_id: str
) -> None:
    start = await_stable(log, ONE)
    opened, other = log.producer(own_id), log.producer(own_id + "-other")
    opened.begin()
    opened.send(*ONE, b"", b"first")
    _flush(log, ONE, start + 1)
    other.begin()
    other.send(*ONE, b"", b"second")
    other.commit()
    reader = log.reader()
    reader.assign({ONE: start})
    assert reader.poll(100, 300) == []
    assert log.stable_offset(ONE) == start
    opened.commit()
    records = read_until(reader, lambda found: len(found) == 2)
    assert [record.value for record in records] == [b"first", b"second"]
    reader.close()


def test_a_new_producer_aborts_what_its_predecessor_left_open(log: Log, own_id: str) -> None:
    start = await_stable(log, ONE)
    old = log.producer(own_id)
    old.begin()
    old.send(*ONE, b"", b"lost")
    _flush(log, ONE, start + 1)
    new = log.producer(own_id)
    new.begin()
    new.send(*ONE, b"", b"kept")
    new.commit()
    assert values_from(log, {ONE: start}, 1) == [b"kept"]


def test_a_fenced_producer_cannot_commit(log: Log, own_id: str) -> None:
    start = await_stable(log, ONE)
    old = log.producer(own_id)
    old.begin()
    old.send(*ONE, b"", b"from the old owner")
    log.producer(own_id)
    with pytest.raises(FencedError):
        old.commit()
    assert values_from(log, {ONE: start}, 0) == []


def test_a_producer_fenced_while_idle_learns_it_by_its_next_commit(log: Log, own_id: str) -> None:
    start = await_stable(log, ONE)
    old = log.producer(own_id)
    old.begin()
    old.send(*ONE, b"", b"before")
    old.commit()
    log.producer(own_id)
    with pytest.raises(FencedError):
        _transact(old.begin, lambda: old.send(*ONE, b"", b"after"), old.commit)
    assert values_from(log, {ONE: start}, 1) == [b"before"]


def test_a_reader_refuses_an_offset_past_the_end(log: Log) -> None:
    reader = log.reader()
    with pytest.raises(LogError):
        reader.assign({ONE: log.end_offset(ONE) + 1})
    reader.close()


def test_partitions_are_counted_and_an_unknown_topic_is_refused(log: Log) -> None:
    assert log.partitions(TOPIC) == 4
    with pytest.raises(LogError):
        log.partitions("no.such.topic")


def test_a_poll_returns_no_more_than_was_asked_for(log: Log, own_id: str) -> None:
    start = await_stable(log, ONE)
    producer = log.producer(own_id)
    producer.begin()
    for _ in range(20):
        producer.send(*ONE, b"", b"x")
    producer.commit()
    reader = log.reader()
    reader.assign({ONE: start})
    sizes: list[int] = []
    deadline = time.monotonic() + DEADLINE_S
    while sum(sizes) < 20 and time.monotonic() < deadline:
        sizes.append(len(reader.poll(7, 50)))
    reader.close()
    assert sum(sizes) == 20
    assert max(sizes) <= 7


def _flush(log: Log, partition: TopicPartition, end: int) -> None:
    """Wait until what was sent without a commit stands in the log."""
    deadline = time.monotonic() + DEADLINE_S
    while log.end_offset(partition) < end:
        assert time.monotonic() < deadline, "nothing was written"


def _transact(*calls: Callable[[], None]) -> None:
    for call in calls:
        call()
