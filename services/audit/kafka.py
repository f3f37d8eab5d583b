"""Read the whole log from Kafka and check it."""

from collections.abc import Sequence
from typing import Any

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
)
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

from services.audit.checker import BEFORE_FIX, ENGINE_JOURNAL, TOPICS, Checker
from services.audit.findings import CheckReport
from services.audit.records import Partition, RawRecord

__all__ = ["check"]

BATCH_RECORDS = 5_000
AHEAD_RECORDS_MAX = 20_000  # of one partition before the others get a turn
TIMEOUT_S = 30.0


def check(bootstrap: str, partitions: Sequence[int] | None = None) -> CheckReport:
    """Check the committed log of a cluster, all shards or some, up to now.

    While others write, events behind the last journal record read are left for the next check.

    Raises: KafkaException when the cluster is away; LookupError for a topic that is missing.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "log_level": 0,
            "group.id": "penstock-audit",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
            "fetch.queue.backoff.ms": 2,
            "fetch.wait.max.ms": 50,
            "fetch.message.max.bytes": 4_194_304,
            "queued.max.messages.kbytes": 65_536,
        }
    )
    try:
        places = _places(consumer, partitions)
        admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
        # Journals first: whatever they count is then within the ends of the other topics.
        ends = _ends(admin, [place for place in places if ".journal" in place.topic])
        ends |= _ends(admin, [place for place in places if place not in ends])
        journals = consumer.list_topics(ENGINE_JOURNAL, timeout=TIMEOUT_S).topics
        checker = Checker(len(journals[ENGINE_JOURNAL].partitions))
        _read(consumer, ends, checker)
        return checker.finish(is_quiet=_ends(admin, places) == ends)
    finally:
        consumer.close()


def _places(consumer: Consumer, partitions: Sequence[int] | None) -> list[Partition]:
    """Return what to read. A shard needs the unkeyed inputs too, which have one partition."""
    known = consumer.list_topics(timeout=TIMEOUT_S).topics
    missing = [topic for topic in TOPICS if topic not in known and topic not in BEFORE_FIX]
    if missing:
        raise LookupError(f"topic {missing[0]} is not on this cluster")
    return [
        Partition(topic, number)
        for topic in TOPICS
        if topic in known
        for number in sorted(known[topic].partitions)
        if partitions is None or number in partitions or len(known[topic].partitions) == 1
    ]


def _ends(admin: AdminClient, places: Sequence[Partition]) -> dict[Partition, int]:
    """Return the last stable offsets: where committed records end."""
    if not places:
        return {}
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # the client has no types here
    found = admin.list_offsets(
        {Place(*partition): latest for partition in places},
        isolation_level=IsolationLevel.READ_COMMITTED,
        request_timeout=TIMEOUT_S,
    )
    return {Partition(p.topic, p.partition): f.result().offset for p, f in found.items()}


def _read(consumer: Consumer, ends: dict[Partition, int], checker: Checker) -> None:
    """Feed every record before `ends`; a partition that runs far ahead waits for the others."""
    unread = {partition for partition, end in ends.items() if end > 0}
    consumer.assign([Place(*partition, OFFSET_BEGINNING) for partition in unread])
    paused: list[Place] = []
    while unread:
        records = consumer.consume(BATCH_RECORDS, 0.05)
        for record in records:
            partition = Partition(record.topic() or "", record.partition() or 0)
            if _feed(record, checker, ends.get(partition, 0)):
                unread.discard(partition)
        checker.advance()
        if paused:
            consumer.resume(paused)
        # A batch may need more of one partition than is kept: without records nobody waits.
        waiting = checker.waiting() if records else {}
        paused = [Place(*p) for p in unread if waiting.get(p, 0) > AHEAD_RECORDS_MAX]
        if paused:
            consumer.pause(paused)


def _feed(record: Any, checker: Checker, end: int) -> bool:
    """Hand over the record; return whether the partition is read to `end`."""
    error = record.error()
    if error is not None:
        if error.code() == KafkaError._PARTITION_EOF:
            return True
        raise KafkaException(error)
    offset = record.offset()
    if offset < end:
        key, value = record.key() or b"", record.value() or b""
        checker.add(RawRecord(record.topic(), record.partition(), offset, key, value))
    return bool(offset >= end - 1)
