"""Read a cluster's topics from start to end, decoded, for commands that look at the whole log."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage

from schemas.messages.core import Envelope
from streams.adapters.codec import AvroCodec
from streams.core.errors import DecodeError
from streams.core.topics import (
    AGGREGATIONS_EVENTS,
    ALLOCATIONS_EVENTS,
    CHILDREN_EVENTS,
    CLEARING_REPORTS,
    DEAD_LETTERS,
    DECISIONS_EVENTS,
    FILLS_EVENTS,
    ORDERS_COMMANDS,
    ORDERS_EVENTS,
    STRATEGIES_EVENTS,
    VENUES_REPORTS,
)

DECISION_TOPICS = (
    ORDERS_EVENTS,
    AGGREGATIONS_EVENTS,
    STRATEGIES_EVENTS,
    DECISIONS_EVENTS,
    CHILDREN_EVENTS,
    FILLS_EVENTS,
    ALLOCATIONS_EVENTS,
    DEAD_LETTERS,
)
STORY_TOPICS = (ORDERS_COMMANDS, *DECISION_TOPICS, VENUES_REPORTS, CLEARING_REPORTS)
POLL_SECONDS = 1.0
BATCH_RECORDS = 5_000


class LogEntry(NamedTuple):
    """A committed record and its meaning; `message` is a DecodeError where it has none."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    envelope: Envelope | None
    message: Any


def consumer(bootstrap: str, **changes: str | int | bool) -> Consumer:
    """Return a read_committed consumer without a group; `changes` are librdkafka's settings."""
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "penstock-cli",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
            "fetch.queue.backoff.ms": 2,
            "fetch.wait.max.ms": 50,
            # A broker that is away comes back or is reported by whoever waits for its records.
            "reconnect.backoff.max.ms": 500,
            "log_level": 0,
            **{name.replace("_", "."): value for name, value in changes.items()},
        }
    )


def partitions_of(reader: Consumer, topics: Sequence[str]) -> list[TopicPartition]:
    """Return every partition of the topics, from the beginning. Raises LookupError."""
    known = reader.list_topics(timeout=10).topics
    missing = [topic for topic in topics if topic not in known]
    if missing:
        raise LookupError(f"topic {missing[0]} is not on this cluster")
    return [
        TopicPartition(topic, partition, OFFSET_BEGINNING)
        for topic in topics
        for partition in sorted(known[topic].partitions)
    ]


def read_to_end(
    bootstrap: str, topics: Sequence[str], *, follow: bool = False
) -> Iterator[LogEntry]:
    """Yield every committed record of the topics; each partition in order, none of them forever.

    Raises: LookupError for a topic that does not exist; KafkaException when the cluster is away.
    """
    reader = consumer(bootstrap)
    codec = AvroCodec()
    try:
        open_partitions = partitions_of(reader, topics)
        unfinished = {(p.topic, p.partition) for p in open_partitions}
        reader.assign(open_partitions)
        while unfinished or follow:
            messages = reader.consume(BATCH_RECORDS, 0.05 if unfinished else POLL_SECONDS)
            for record in records(messages, unfinished):
                yield _entry(record, codec)
    finally:
        reader.close()


def read_batches(bootstrap: str, topics: Sequence[str]) -> Iterator[tuple[list[LogEntry], bool]]:
    """Yield what comes, for ever, and whether every partition was at its end by then.

    An idle second yields nothing but that. Raises: as read_to_end.
    """
    reader = consumer(bootstrap)
    codec = AvroCodec()
    try:
        open_partitions = partitions_of(reader, topics)
        unfinished = {(p.topic, p.partition) for p in open_partitions}
        reader.assign(open_partitions)
        while True:
            messages = reader.consume(BATCH_RECORDS, 0.05 if unfinished else POLL_SECONDS)
            entries = [_entry(record, codec) for record in records(messages, unfinished)]
            yield entries, not unfinished
    finally:
        reader.close()


class LogRecord(NamedTuple):
    """A committed record as the client gives it, every part present."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    value: bytes


def records(
    messages: Iterable[KafkaMessage], unfinished: set[tuple[str, int]] | None = None
) -> Iterator[LogRecord]:
    """Yield the records among a consumer's messages; a partition's end leaves `unfinished`.

    Raises: KafkaException for any other error of the client.
    """
    for message in messages:
        error = message.error()
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        if topic is None or partition is None:
            raise KafkaException(error)
        if error is None:
            yield LogRecord(
                topic, partition, offset or 0, message.timestamp()[1], message.value() or b""
            )
        elif error.code() != KafkaError._PARTITION_EOF:
            raise KafkaException(error)
        elif unfinished is not None:
            unfinished.discard((topic, partition))


def _entry(record: LogRecord, codec: AvroCodec) -> LogEntry:
    try:
        envelope, message = codec.decode(record.value)
    except DecodeError as error:
        return LogEntry(*record[:4], None, error)
    return LogEntry(*record[:4], envelope, message)
