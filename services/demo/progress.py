"""Follow a running day by its journals alone: a few records a step, nothing decoded twice."""

from collections.abc import Generator

import msgspec
from confluent_kafka import Consumer, TopicPartition

from schemas.messages.runtime import JournalRecord
from services.cli.log import consumer, records
from streams.adapters.codec import AvroCodec
from streams.core.topics import (
    ALLOCATIONS_EVENTS,
    CHILDREN_EVENTS,
    ENGINE_JOURNAL,
    FILLS_EVENTS,
    ORDERS_EVENTS,
    VENUES_JOURNAL,
)

COUNTED = (ORDERS_EVENTS, CHILDREN_EVENTS, FILLS_EVENTS, ALLOCATIONS_EVENTS)
POLL_SECONDS = 0.2
RECORDS_MAX = 500
FETCH_BYTES_MIN, FETCH_WAIT_MS = 1_000_000, 300


class Progress(msgspec.Struct):
    """How far a day is: steps journalled by every shard, records written per topic."""

    step: int = 0  # of the simulator
    step_by_shard: dict[int, int] = msgspec.field(default_factory=dict)
    transactions: int = 0
    counts: dict[str, int] = msgspec.field(default_factory=lambda: dict.fromkeys(COUNTED, 0))

    @property
    def done_step(self) -> int:
        """The step that every shard has journalled."""
        return min(self.step_by_shard.values(), default=0)

    def add(self, topic: str, shard: int, record: JournalRecord) -> None:
        """Take one journal record into account."""
        self.transactions += 1
        if topic == VENUES_JOURNAL:
            self.step = max(self.step, record.step)
            return
        self.step_by_shard[shard] = max(self.step_by_shard.get(shard, 0), record.step)
        for output in record.outputs:
            if output.topic in self.counts:
                self.counts[output.topic] += output.count


def follow(bootstrap: str, partitions: int) -> Generator[Progress, None, None]:
    """Yield the progress after each poll of the journals, for ever; the caller stops."""
    # A few fetches a second: each one costs the broker, and nobody reads a bar faster.
    reader: Consumer = consumer(
        bootstrap, fetch_min_bytes=FETCH_BYTES_MIN, fetch_wait_max_ms=FETCH_WAIT_MS
    )
    codec = AvroCodec()
    progress = Progress(step_by_shard=dict.fromkeys(range(partitions), 0))
    try:
        journals = [TopicPartition(ENGINE_JOURNAL, shard, 0) for shard in range(partitions)]
        reader.assign([*journals, TopicPartition(VENUES_JOURNAL, 0, 0)])
        while True:
            for record in records(reader.consume(RECORDS_MAX, POLL_SECONDS)):
                _, message = codec.decode(record.value)
                progress.add(record.topic, record.partition, message)
            yield progress
    finally:
        reader.close()
