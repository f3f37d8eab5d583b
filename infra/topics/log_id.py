"""The log's identity: 16 random bytes, written once when its topics are made."""

import base64
import json
import secrets
import time
from collections.abc import Callable
from typing import TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from infra.topics.errors import LogIdMissingError, TopicsError
from streams.core.topics import LOG

__all__ = ["LOG_ID_BYTES", "ensure_log_id", "read_log_id"]

LOG_ID_BYTES = 16
KEY = b"log"
TIMEOUT_S = 15.0
INIT_TIMEOUT_S = 60.0  # a cluster that has just started elects its coordinators first
POLL_S = 0.05
Found = TypeVar("Found")


def read_log_id(bootstrap: str) -> bytes:
    """Return the log id of a cluster. Raises LogIdMissingError, TopicsError."""
    found = _first_record(bootstrap)
    if found is None:
        raise LogIdMissingError(LOG)
    return found


def ensure_log_id(bootstrap: str) -> bytes:
    """Return the log id, writing a new one if there is none.

    Two creators may both write; the record with the lowest offset is the id, for everybody and for
    ever, because the topic is never compacted and never expires.
    """
    # Every broker but the controller hears of a new topic a little later.
    found = _once_there(lambda: _first_record(bootstrap))
    if found is not None:
        return found
    record = {
        "log_id": base64.b16encode(secrets.token_bytes(LOG_ID_BYTES)).decode().lower(),
        "created_ns": time.time_ns(),
    }
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "log_level": 0,
            "transactional.id": "penstock-log-id",
            "transaction.timeout.ms": 10_000,
            "linger.ms": 0,
        }
    )
    try:
        producer.init_transactions(INIT_TIMEOUT_S)
        producer.begin_transaction()
        producer.produce(LOG, json.dumps(record).encode(), key=KEY, partition=0)
        producer.commit_transaction(TIMEOUT_S)
    except KafkaException as error:
        raise TopicsError(LOG, str(error)) from error
    # A commit is answered before its marker stands in the partition: until then nobody sees it.
    return _once_there(lambda: read_log_id(bootstrap))


def _once_there(ask: Callable[[], Found]) -> Found:
    """Ask again while there is no log id, for some seconds."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        try:
            return ask()
        except LogIdMissingError:
            if time.monotonic() > deadline:
                raise
        time.sleep(POLL_S)


def _first_record(bootstrap: str) -> bytes | None:
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "log_level": 0,  # who asks is told by the error, once
            "group.id": "penstock-log-id",  # asked for by the client; nothing is committed
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "allow.auto.create.topics": False,
            "fetch.wait.max.ms": 10,
        }
    )
    try:
        # Asked first: a consumer of a missing topic says nothing for 30 s.
        if consumer.list_topics(LOG, timeout=TIMEOUT_S).topics[LOG].error is not None:
            raise LogIdMissingError(LOG)
        consumer.assign([TopicPartition(LOG, 0, 0)])
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            message = consumer.poll(0.2)
            if message is None:
                continue
            error = message.error()
            if error is None:
                return _parse(message.value() or b"")
            if error.code() == KafkaError._PARTITION_EOF:
                return None
        raise TopicsError(LOG, f"not readable at {bootstrap} within {TIMEOUT_S:g} s")
    except KafkaException as error:
        raise TopicsError(LOG, str(error)) from error
    finally:
        consumer.close()


def _parse(value: bytes) -> bytes:
    try:
        log_id = bytes.fromhex(json.loads(value)["log_id"])
    except (ValueError, KeyError, TypeError) as error:
        raise TopicsError(LOG, f"record 0 is not a log id: {value[:80]!r}") from error
    if len(log_id) != LOG_ID_BYTES:
        raise TopicsError(LOG, f"log id of {len(log_id)} bytes, {LOG_ID_BYTES} wanted")
    return log_id
