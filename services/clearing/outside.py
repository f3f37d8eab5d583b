"""Write to clearing's topics from outside: answers, repairs, the verdict of a reconciliation."""

import time
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any

from confluent_kafka import KafkaException

from infra.topics import read_log_id
from schemas.messages.clearing import ReconciliationDone
from services.clearing.reconciliation.run import Entry
from services.cli.log import LogEntry, read_to_end
from services.demo.publish import publish
from streams.adapters.codec import AvroCodec
from streams.adapters.kafka import KafkaLog, KafkaSettings
from streams.core.envelope import outside_envelope
from streams.core.topics import CLEARING_REPORTS, CLEARING_STATUSES

__all__ = ["read_entries", "record", "say"]

PRODUCER = "clearing-reconcile"
REPORTS = (CLEARING_REPORTS,)
TRIES = 3


def read_entries(bootstrap: str, topics: Sequence[str]) -> Iterator[Entry]:
    """Yield what can be read of the topics; what cannot is the engine's dead letter.

    Raises: LookupError for a topic that does not exist; KafkaException when the cluster is away.
    """
    for entry in read_to_end(bootstrap, topics):
        if entry.envelope is not None:
            yield _entry(entry)


def say(bootstrap: str, messages: Sequence[Any], *, actor: str) -> None:
    """Write to clearing.statuses, acknowledged. Raises: KafkaException, TopicsError.

    Tried again when the cluster is slow to acknowledge: what is said twice says nothing new.
    """
    log_id = read_log_id(bootstrap)
    for attempt in range(TRIES):
        try:
            publish(
                bootstrap,
                CLEARING_STATUSES,
                [("", 0, message) for message in messages],
                at_ns=time.time_ns(),
                actor=actor,
                log_id=log_id,
            )
        except KafkaException:
            if attempt == TRIES - 1:
                raise
        else:
            return


def record(bootstrap: str, run_id: str, events: Sequence[Any], *, actor: str) -> bool:
    """Write a verdict to clearing.reports, whole or not at all; False when it stands there.

    Whoever else is about to write one is fenced before the log is read, so a run id is written
    once, however many try. Raises: LogError.
    """
    codec, log_id = AvroCodec(), read_log_id(bootstrap)
    producer = KafkaLog(KafkaSettings(bootstrap=bootstrap)).producer(PRODUCER)
    try:
        if any(_ends(entry.message, run_id) for entry in read_entries(bootstrap, REPORTS)):
            return False
        at_ns = time.time_ns()
        producer.begin()
        for ordinal, event in enumerate(events):
            identity = blake2b(log_id + f"{run_id}/{ordinal}".encode(), digest_size=16).digest()
            envelope = outside_envelope(identity, at_ns, actor)
            producer.send(CLEARING_REPORTS, 0, run_id.encode(), codec.encode(envelope, event))
        producer.commit()
    finally:
        producer.close()
    return True


def _ends(message: Any, run_id: str) -> bool:
    return isinstance(message, ReconciliationDone) and message.run_id == run_id


def _entry(entry: LogEntry) -> Entry:
    assert entry.envelope is not None
    return Entry(entry.topic, entry.partition, entry.offset, entry.envelope, entry.message)
