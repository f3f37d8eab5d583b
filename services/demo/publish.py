"""Publish messages from outside the engine: definitions at the start of a day, orders by hand."""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

from confluent_kafka import KafkaException, Producer

from streams.adapters.codec import AvroCodec
from streams.core.envelope import outside_envelope

FLUSH_SECONDS = 15.0


def publish(
    bootstrap: str,
    topic: str,
    messages: Iterable[tuple[str, int, Any]],
    *,
    at_ns: int,
    actor: str,
    log_id: bytes,
) -> int:
    """Write (key, partition, message)s and return their number once all are acknowledged.

    Event ids are a hash of log id, topic, actor, time and ordinal. Raises: KafkaException.
    """
    codec = AvroCodec()
    producer = Producer(
        {"bootstrap.servers": bootstrap, "enable.idempotence": True, "acks": "all", "linger.ms": 1}
    )
    count = 0
    for key, partition, message in messages:
        identity = log_id + f"/{topic}/{actor}/{at_ns}/{count}".encode()
        envelope = outside_envelope(blake2b(identity, digest_size=16).digest(), at_ns, actor)
        _produce(producer, topic, key, partition, codec.encode(envelope, message))
        count += 1
    if left := producer.flush(FLUSH_SECONDS):
        raise KafkaException(f"{left} of {count} messages to {topic} were not acknowledged")
    return count


def _produce(producer: Producer, topic: str, key: str, partition: int, value: bytes) -> None:
    """Queue one record, waiting while the client's queue is full."""
    while True:
        try:
            producer.produce(topic, key=key.encode(), value=value, partition=partition)
        except BufferError:
            producer.poll(0.1)
        else:
            return
