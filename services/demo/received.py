"""Note when a gateway's reader first sees each child: the far end of the order-to-child latency."""

import threading
import time

from confluent_kafka import Consumer, TopicPartition

from services.cli.log import consumer, records
from streams.core.topics import CHILDREN_EVENTS

POLL_SECONDS = 0.1
RECORDS_MAX = 1_000
FETCH_WAIT_MS = 500  # of an empty fetch; a record ends it at once


class ChildWatch(threading.Thread):
    """Reads children.events as a venue gateway does; keeps the wall clock of each arrival."""

    def __init__(self, bootstrap: str, partitions: int) -> None:
        super().__init__(name="child-watch", daemon=True)
        self.seen_ms: dict[tuple[int, int], float] = {}  # by (partition, offset)
        self._cluster = bootstrap
        self._partitions = partitions
        self._stopped = threading.Event()

    def run(self) -> None:
        reader: Consumer = consumer(self._cluster, fetch_wait_max_ms=FETCH_WAIT_MS)
        reader.assign([TopicPartition(CHILDREN_EVENTS, p, 0) for p in range(self._partitions)])
        while not self._stopped.is_set():
            # poll() returns with the first record; consume() would wait for a full batch.
            first = reader.poll(POLL_SECONDS)
            now_ms = time.time() * 1_000
            messages = [first, *reader.consume(RECORDS_MAX, 0)] if first is not None else []
            for record in records(messages):
                self.seen_ms[record.partition, record.offset] = now_ms
        reader.close()

    def stop(self) -> None:
        self._stopped.set()
        self.join()
