"""What the memory log can do that a broker cannot be asked for: expire, delay, lose."""

import pytest

from streams.adapters.memory import Fault, Faults, MemoryLog, SimulatedCrash
from streams.core.errors import AmbiguousCommitError, FencedError, RetentionError
from streams.runtime.ports import TopicPartition

ONE = TopicPartition("topic", 0)


def values(log: MemoryLog) -> list[bytes]:
    records, _ = log.partition(ONE).read(0, 100)
    return [record.value for record in records]


def commits(faults: dict[int, Fault], late_calls: int = 100) -> MemoryLog:
    """A log on which call 3, after init, begin and send, is the first commit."""
    return MemoryLog({"topic": 1}, faults=Faults(faults, late_calls=late_calls))


def test_a_late_commit_lands_on_the_next_transaction_of_the_same_epoch() -> None:
    log = commits({3: Fault.REQUEST_LATE})
    producer = log.producer("id")
    producer.begin()
    producer.send(*ONE, b"", b"first")
    with pytest.raises(AmbiguousCommitError):
        producer.commit()
    producer.abort()
    producer.begin()
    producer.send(*ONE, b"", b"half of the second")
    log.deliver_late()
    assert values(log) == [b"half of the second"]


def test_a_late_commit_of_a_fenced_epoch_does_nothing() -> None:
    log = commits({3: Fault.REQUEST_LATE})
    producer = log.producer("id")
    producer.begin()
    producer.send(*ONE, b"", b"first")
    with pytest.raises(AmbiguousCommitError):
        producer.commit()
    successor = log.producer("id")
    successor.begin()
    successor.send(*ONE, b"", b"second")
    log.deliver_late()
    assert values(log) == []
    successor.commit()
    assert values(log) == [b"second"]


def test_a_late_commit_arrives_after_so_many_calls() -> None:
    log = commits({3: Fault.REQUEST_LATE}, late_calls=2)
    producer = log.producer("id")
    producer.begin()
    producer.send(*ONE, b"", b"first")
    with pytest.raises(AmbiguousCommitError):
        producer.commit()
    assert log.stable_offset(ONE) == 0
    assert log.end_offset(ONE) == 2  # the marker is there


@pytest.mark.parametrize(
    ("fault", "expected"), [(Fault.ANSWER_LOST, [b"first"]), (Fault.REQUEST_LOST, [])]
)
def test_an_ambiguous_commit_may_or_may_not_have_been_carried_out(
    fault: Fault, expected: list[bytes]
) -> None:
    log = commits({3: fault})
    producer = log.producer("id")
    producer.begin()
    producer.send(*ONE, b"", b"first")
    with pytest.raises(AmbiguousCommitError):
        producer.commit()
    log.producer("id")
    assert values(log) == expected


@pytest.mark.parametrize(
    ("fault", "expected"), [(Fault.CRASH_BEFORE, []), (Fault.CRASH_AFTER, [b"first"])]
)
def test_a_crash_comes_before_or_after_the_call(fault: Fault, expected: list[bytes]) -> None:
    log = commits({3: fault})
    producer = log.producer("id")
    producer.begin()
    producer.send(*ONE, b"", b"first")
    with pytest.raises(SimulatedCrash):
        producer.commit()
    assert values(log) == expected


def test_an_expired_transaction_is_aborted_and_its_producer_fenced() -> None:
    log = MemoryLog({"topic": 1})
    producer = log.producer("id")
    producer.begin()
    producer.send(*ONE, b"", b"late")
    log.expire("id")
    assert log.stable_offset(ONE) == log.end_offset(ONE) == 2
    with pytest.raises(FencedError):
        producer.commit()
    assert values(log) == []


def test_a_reader_names_what_retention_deleted() -> None:
    log = MemoryLog({"topic": 1})
    for _ in range(5):
        log.append("topic", 0, b"", b"x")
    log.truncate(ONE, 3)
    with pytest.raises(RetentionError) as refused:
        log.reader().assign({ONE: 1})
    assert (refused.value.topic, refused.value.partition) == ONE
    assert (refused.value.wanted, refused.value.start) == (1, 3)
