"""Publish a configuration's changes: all of them and their hashes in one transaction."""

from collections.abc import Sequence
from contextlib import suppress
from hashlib import blake2b
from typing import Any, Final

from confluent_kafka import KafkaException, Producer

from schemas.messages.control import ConfigLoaded
from services.config.canonical import hashes, total
from services.config.files import Configuration
from streams.adapters.codec import AvroCodec
from streams.core.envelope import outside_envelope
from streams.core.topics import CONTROL_COMMANDS

__all__ = ["loaded", "publish"]

TRANSACTIONAL_ID: Final = "penstock-config"  # of two loads at a time, the older one is fenced
TIMEOUT_S: Final = 15.0


def loaded(configuration: Configuration, changed: Sequence[Any], effective_ns: int) -> ConfigLoaded:
    """Return the event that says which configuration was loaded."""
    messages = [definition.message for definition in configuration.definitions]
    return ConfigLoaded(
        content_sha256=total(messages),
        content_count=len(messages),
        definitions=hashes(changed),
        effective_ns=effective_ns,
    )


def publish(
    bootstrap: str, messages: Sequence[Any], *, at_ns: int, actor: str, log_id: bytes
) -> None:
    """Write the messages to control.commands in one transaction. Raises: KafkaException."""
    codec = AvroCodec()
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "log_level": 0,
            "transactional.id": TRANSACTIONAL_ID,
            "transaction.timeout.ms": int(TIMEOUT_S * 1_000),
            "linger.ms": 1,
        }
    )
    producer.init_transactions(TIMEOUT_S)
    producer.begin_transaction()
    try:
        for count, message in enumerate(messages):
            identity = log_id + f"/{CONTROL_COMMANDS}/{actor}/{at_ns}/{count}".encode()
            event_id = blake2b(identity, digest_size=16).digest()
            value = codec.encode(outside_envelope(event_id, at_ns, actor), message)
            _produce(producer, type(message).__name__.encode(), value)
        producer.commit_transaction(TIMEOUT_S)
    except KafkaException:
        with suppress(KafkaException):  # a fenced producer cannot even do that: nothing is there
            producer.abort_transaction(TIMEOUT_S)
        raise


def _produce(producer: Producer, key: bytes, value: bytes) -> None:
    """Queue one record, waiting while the client's queue is full."""
    while True:
        try:
            producer.produce(CONTROL_COMMANDS, key=key, value=value, partition=0)
        except BufferError:
            producer.poll(0.1)
        else:
            return
