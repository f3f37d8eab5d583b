"""Publish commands and await the engine's answers: the events that they caused."""

import time
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from infra.topics import read_log_id
from schemas.messages import intake
from services.cli.log import consumer, records
from streams.adapters.codec import AvroCodec
from streams.core.envelope import outside_envelope
from streams.core.errors import DecodeError, Error
from streams.core.topics import ORDERS_COMMANDS, ORDERS_EVENTS

__all__ = ["Answer", "Asked", "NoAnswerError", "ask", "partitions"]

FLUSH_S: Final = 15.0
LAST: Final[dict[Any, Any]] = {  # what ends the answers to a command that has many
    intake.NewBasket: intake.BasketAnswered,
    intake.MassCancelOrder: intake.MassCancelAnswered,
}
REFUSED: Final = (intake.OrderRejected, intake.OrderCancelRejected)


class NoAnswerError(Error):
    """The engine did not answer in time; it may still carry the command out."""


class Asked(NamedTuple):
    """A command and the partition that it goes to."""

    partition: int
    key: str
    message: Any


class Answer(NamedTuple):
    """Every event that a command caused directly; `final` is the one that answers it."""

    final: Any
    events: tuple[Any, ...]

    @property
    def is_refused(self) -> bool:
        is_accepted: bool = getattr(self.final, "is_accepted", True)
        return isinstance(self.final, REFUSED) or not is_accepted


def partitions(bootstrap: str) -> int:
    """Return the number of partitions of orders.commands. Raises: LookupError."""
    reader = consumer(bootstrap)
    try:
        topic = reader.list_topics(ORDERS_COMMANDS, timeout=10).topics[ORDERS_COMMANDS]
    finally:
        reader.close()
    if topic.error is not None:
        raise LookupError(f"topic {ORDERS_COMMANDS} is not on this cluster")
    return len(topic.partitions)


def ask(bootstrap: str, commands: Sequence[Asked], *, actor: str, timeout_s: float) -> list[Answer]:
    """Publish the commands and return their answers in the same order.

    Raises: NoAnswerError, KafkaException.
    """
    reader = _at_the_end(bootstrap, {command.partition for command in commands})
    try:
        ids = _publish(bootstrap, commands, actor)
        events: dict[bytes, list[Any]] = {event_id: [] for event_id in ids}
        final: dict[bytes, Any] = {}
        wanted = dict(zip(ids, commands, strict=True))
        until_s = time.monotonic() + timeout_s
        while len(final) < len(wanted):
            if time.monotonic() > until_s:
                raise NoAnswerError(f"no answer within {timeout_s:g} s; is an engine running?")
            for event_id, event in _caused(reader, wanted.__contains__):
                events[event_id].append(event)
                if _is_last(wanted[event_id].message, event):
                    final.setdefault(event_id, event)
    finally:
        reader.close()
    return [Answer(final[event_id], tuple(events[event_id])) for event_id in ids]


def _is_last(command: Any, event: Any) -> bool:
    kind = LAST.get(type(command))
    return kind is None or isinstance(event, kind | intake.CommandRepeated)


def _at_the_end(bootstrap: str, wanted: set[int]) -> Consumer:
    """Return a reader of orders.events that sees what is written from now on."""
    reader = consumer(bootstrap)
    ends = []
    for partition in sorted(wanted):
        place = TopicPartition(ORDERS_EVENTS, partition)
        _, end = reader.get_watermark_offsets(place, timeout=10)
        ends.append(TopicPartition(ORDERS_EVENTS, partition, end))
    reader.assign(ends)
    return reader


def _publish(bootstrap: str, commands: Sequence[Asked], actor: str) -> list[bytes]:
    codec, log_id, at_ns = AvroCodec(), read_log_id(bootstrap), time.time_ns()
    producer = Producer(
        {"bootstrap.servers": bootstrap, "enable.idempotence": True, "acks": "all", "linger.ms": 0}
    )
    ids = []
    for ordinal, (partition, key, message) in enumerate(commands):
        identity = log_id + f"/{ORDERS_COMMANDS}/{actor}/{key}/{at_ns}/{ordinal}".encode()
        ids.append(blake2b(identity, digest_size=16).digest())
        value = codec.encode(outside_envelope(ids[-1], at_ns, actor), message)
        producer.produce(ORDERS_COMMANDS, key=key.encode(), value=value, partition=partition)
    if left := producer.flush(FLUSH_S):
        raise KafkaException(f"{left} of {len(commands)} commands were not acknowledged")
    return ids


def _caused(reader: Consumer, is_ours: Callable[[bytes], bool]) -> list[tuple[bytes, Any]]:
    """Return what came now and was caused by one of our commands."""
    codec, found = AvroCodec(), []
    for record in records(reader.consume(500, 0.1)):
        try:
            envelope, message = codec.decode(record.value)
        except DecodeError:
            continue  # not ours: the engine writes what this version reads
        if is_ours(envelope.causation_id):
            found.append((envelope.causation_id, message))
    return found
