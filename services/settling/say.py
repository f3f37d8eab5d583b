"""Say what became of a child, and wait for the engine's word on it."""

import time
from hashlib import blake2b
from typing import Final, NamedTuple

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from infra.topics import read_log_id
from schemas.messages.control import ChildSettled
from schemas.messages.core import SettlementStage
from schemas.messages.runtime import DeadLetter
from services.cli.log import consumer, records
from streams.adapters.codec import AvroCodec
from streams.core.envelope import outside_envelope
from streams.core.errors import DecodeError, Error
from streams.core.topics import CHILDREN_EVENTS, CONTROL_COMMANDS, DEAD_LETTERS

__all__ = ["NoAnswerError", "Refused", "say_and_wait"]

FLUSH_S: Final = 15.0


class NoAnswerError(Error):
    """The engine did not answer in time; it may still carry it out."""


class Refused(NamedTuple):
    """Why the engine did not take it."""

    reason: str
    field: str
    value: str
    bound: str


def say_and_wait(
    bootstrap: str, message: ChildSettled, *, actor: str, wait_s: float
) -> ChildSettled | Refused:
    """Put it on control.commands; return what the engine wrote of it, or its refusal.

    Raises: NoAnswerError, KafkaException.
    """
    reader = _at_the_end(bootstrap)
    try:
        event_id = _publish(bootstrap, message, actor)
        until_s = time.monotonic() + wait_s
        while time.monotonic() <= until_s:
            answer = _answer(reader, event_id)
            if answer is not None:
                return answer
    finally:
        reader.close()
    raise NoAnswerError(f"no answer within {wait_s:g} s; is an engine running?")


def _answer(reader: Consumer, event_id: bytes) -> ChildSettled | Refused | None:
    codec = AvroCodec()
    for record in records(reader.consume(500, 0.1)):
        try:
            envelope, message = codec.decode(record.value)
            if isinstance(message, ChildSettled) and envelope.causation_id == event_id:
                return message
            is_ours = isinstance(message, DeadLetter) and message.topic == CONTROL_COMMANDS
            if is_ours and codec.decode(message.body)[0].event_id == event_id:
                return Refused(message.reason.value, message.field, message.value, message.bound)
        except DecodeError:
            continue  # a letter about what nobody can read
    return None


def _at_the_end(bootstrap: str) -> Consumer:
    reader = consumer(bootstrap)
    ends = []
    known = reader.list_topics(timeout=10).topics
    for topic in (CHILDREN_EVENTS, DEAD_LETTERS):
        for partition in sorted(known[topic].partitions if topic in known else ()):
            place = TopicPartition(topic, partition)
            _, end = reader.get_watermark_offsets(place, timeout=10)
            ends.append(TopicPartition(topic, partition, end))
    reader.assign(ends)
    return reader


def _publish(bootstrap: str, message: ChildSettled, actor: str) -> bytes:
    at_ns, is_approval = time.time_ns(), message.stage is SettlementStage.APPROVED
    identity = f"/{CONTROL_COMMANDS}/{actor}/{message.child_id}/{is_approval}/{at_ns}"
    event_id = blake2b(read_log_id(bootstrap) + identity.encode(), digest_size=16).digest()
    value = AvroCodec().encode(outside_envelope(event_id, at_ns, actor), message)
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "acks": "all"})
    producer.produce(CONTROL_COMMANDS, key=message.child_id.encode(), value=value, partition=0)
    if producer.flush(FLUSH_S):
        raise KafkaException("the settlement was not acknowledged")
    return event_id
