"""The limit: a transactional copy loop without codec, decisions or journal, on the same broker."""

import time
from typing import NamedTuple

from confluent_kafka import Consumer, Producer, TopicPartition


class Rate(NamedTuple):
    """A measured rate and what it was measured on."""

    records: int
    seconds: float

    @property
    def per_second(self) -> float:
        return self.records / self.seconds


def raw_copy(
    bootstrap: str, source: TopicPartition, target: TopicPartition, records: int, batch: int
) -> Rate:
    """Copy `records` records from `source` to `target`, `batch` a transaction, and time it.

    The clock runs from the first record consumed to the last commit. Raises KafkaException.
    """
    reader = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "penstock-bench",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "auto.offset.reset": "error",
            "fetch.queue.backoff.ms": 2,
            "fetch.wait.max.ms": 50,
            "queued.min.messages": 1_000_000,
        }
    )
    writer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "transactional.id": "penstock-bench-copy",
            "transaction.timeout.ms": 10_000,
            "linger.ms": 5,
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    writer.init_transactions()
    reader.assign([source])
    copied, started = 0, 0.0
    while copied < records:
        taken = [r for r in reader.consume(batch, 0.005) if r.error() is None]
        if not taken:
            continue
        started = started or time.perf_counter()
        writer.begin_transaction()
        for record in taken:
            writer.produce(target.topic, record.value(), record.key(), target.partition)
        writer.commit_transaction(10.0)
        copied += len(taken)
    seconds = time.perf_counter() - started
    reader.close()
    return Rate(copied, seconds)
