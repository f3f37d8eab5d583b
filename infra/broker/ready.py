"""Readiness: the broker is ready when it has committed a transaction, not when it says so."""

import socket
import time
from collections.abc import Callable

from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

__all__ = ["READY_TOPIC", "commit_transaction"]

READY_TOPIC = "__penstock_ready"  # two underscores: internal, in no list of topics
POLL_S = 0.01
CLIENT = {
    # A broker that is still starting refuses connections; the default waits grow to 10 s.
    "reconnect.backoff.ms": 10,
    "reconnect.backoff.max.ms": 50,
    "retry.backoff.ms": 10,
    "retry.backoff.max.ms": 50,
    "log_level": 0,  # refused connections are expected here
    "allow.auto.create.topics": False,
}


def commit_transaction(bootstrap: str, timeout_s: float, check: Callable[[], None]) -> None:
    """Return when a transaction has been committed.

    `check` is called between attempts and raises to give up early (the process has ended).
    Raises: TimeoutError with the last cause.
    """
    deadline = time.monotonic() + timeout_s
    _until(deadline, check, lambda: _connect(bootstrap))
    _until(deadline, check, lambda: _create_topic(bootstrap))
    _until(deadline, check, lambda: _commit(bootstrap))


def _until(deadline: float, check: Callable[[], None], attempt: Callable[[], None]) -> None:
    while True:
        check()
        try:
            attempt()
        except (KafkaException, ConnectionRefusedError) as error:
            if time.monotonic() > deadline:
                raise TimeoutError(str(error)) from error
        else:
            return


def _connect(bootstrap: str) -> None:
    # By a bare socket: a client whose first connection is refused answers its caller after 1 s.
    host, _, port = bootstrap.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1.0).close()
    except ConnectionRefusedError:
        time.sleep(POLL_S)
        raise


def _create_topic(bootstrap: str) -> None:
    admin = AdminClient({**CLIENT, "bootstrap.servers": bootstrap})
    if READY_TOPIC in admin.list_topics(timeout=1.0).topics:
        return
    topic = NewTopic(
        READY_TOPIC, 1, 1, config={"cleanup.policy": "delete", "retention.ms": "3600000"}
    )
    admin.create_topics([topic], operation_timeout=5.0)[READY_TOPIC].result(timeout=5.0)


def _commit(bootstrap: str) -> None:
    producer = Producer(
        {
            **CLIENT,
            "bootstrap.servers": bootstrap,
            "transactional.id": READY_TOPIC,
            "transaction.timeout.ms": 5000,
            "linger.ms": 0,
        }
    )
    producer.init_transactions(2.0)
    producer.begin_transaction()
    producer.produce(READY_TOPIC, b"ready", partition=0)
    producer.commit_transaction(5.0)
