"""The line to the engines: one message to kill.commands, and what every shard answers."""

import time
from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException, Producer, TopicPartition

from schemas.avro import registry
from services.cli.log import consumer, records
from services.kill.answers import Answers
from streams.adapters.codec import AvroCodec
from streams.core.envelope import outside_envelope
from streams.core.errors import Error
from streams.core.topics import CHILDREN_EVENTS, DECISIONS_EVENTS, FILLS_EVENTS, KILL_COMMANDS

__all__ = ["Line", "UnreachableError"]

REACH_S = 3.0  # somebody waits for a stop: after that a file has to do
BATCH_RECORDS = 5_000
POLL_S = 0.05
FRAME_BYTES = 5
WATCHED = (DECISIONS_EVENTS, CHILDREN_EVENTS, FILLS_EVENTS)
ENDS = ("routing.ChildCanceled", "routing.ChildRejected", "routing.FillBooked")


class UnreachableError(Error):
    """The log did not answer within REACH_S."""


class Line:
    """Reads what is said from `look_back_s` ago on, or all that was ever said of kills."""

    def __init__(
        self, bootstrap: str, *, from_start: bool = False, look_back_s: float = 0.0
    ) -> None:
        """Raises UnreachableError."""
        self._bootstrap = bootstrap
        self._codec = AvroCodec()
        self.answers = Answers()
        names = ("kill.",) if from_start else ("kill.", *ENDS)
        ids = {number for name, number in registry().items() if name.startswith(names)}
        self._wanted = frozenset(number.to_bytes(4, "big") for number in ids)
        self._reader = consumer(bootstrap, **{"socket_timeout_ms": int(REACH_S * 1_000)})
        try:
            topics = (DECISIONS_EVENTS,) if from_start else WATCHED
            self._open = self._assign(topics, None if from_start else look_back_s)
        except (KafkaException, LookupError) as error:
            self._reader.close()
            raise UnreachableError(f"{bootstrap}: {_words(error)}") from error

    def _assign(self, topics: tuple[str, ...], look_back_s: float | None) -> set[tuple[str, int]]:
        known = self._reader.list_topics(timeout=REACH_S).topics
        missing = [topic for topic in topics if topic not in known]
        if missing:
            raise LookupError(f"topic {missing[0]} is not on this cluster")
        self.shards = frozenset(known[DECISIONS_EVENTS].partitions)
        places = [
            TopicPartition(topic, number, OFFSET_BEGINNING)
            for topic in topics
            for number in known[topic].partitions
        ]
        if look_back_s is not None:
            # The ends first: what comes after them is read, whatever the clock says of it.
            ends = [self._reader.get_watermark_offsets(place, REACH_S)[1] for place in places]
            for place in places:
                place.offset = int((time.time() - look_back_s) * 1_000)
            places = self._reader.offsets_for_times(places, REACH_S)
            for place, end in zip(places, ends, strict=True):
                place.offset = min(place.offset, end) if place.offset >= 0 else end
        self._reader.assign(places)
        return {(place.topic, place.partition) for place in places}

    def say(self, message: Any, actor: str) -> None:
        """Write one message and return when the log has it. Raises UnreachableError."""
        at_ns = time.time_ns()
        identity = f"{type(message).__name__}/{actor}/{at_ns}/{message.kill_id}".encode()
        event_id = blake2b(identity, digest_size=16).digest()
        value = self._codec.encode(outside_envelope(event_id, at_ns, actor), message)
        producer = Producer(
            {
                "bootstrap.servers": self._bootstrap,
                "enable.idempotence": True,
                "acks": "all",
                "message.timeout.ms": int(REACH_S * 1_000),
                "log_level": 0,
            }
        )
        failures: list[str] = []
        producer.produce(
            KILL_COMMANDS,
            key=message.kill_id.encode(),
            value=value,
            partition=0,
            on_delivery=lambda error, _: failures.append(str(error)) if error else None,
        )
        if producer.flush(2 * REACH_S) or failures:
            # It may be under way still; the same kill twice does no harm.
            raise UnreachableError(f"{self._bootstrap}: {''.join(failures) or 'no answer'}")

    def read_to_end(self) -> Answers:
        """Read what is there now. Raises UnreachableError."""
        self._read_until(lambda: not self._open, 60.0)
        if self._open:
            raise UnreachableError(f"{self._bootstrap}: no end of {DECISIONS_EVENTS}")
        return self.answers

    def wait(self, is_answered: Callable[[Answers], bool], wait_s: float) -> bool:
        """Read until the answers are there; False when they are not after `wait_s`."""
        self._read_until(lambda: is_answered(self.answers), wait_s)
        return is_answered(self.answers)

    def close(self) -> None:
        self._reader.close()

    def _read_until(self, is_enough: Callable[[], bool], wait_s: float) -> None:
        deadline = time.monotonic() + wait_s
        while not is_enough() and time.monotonic() < deadline:
            for envelope, message in self._read():
                self.answers.take(envelope, message)

    def _read(self) -> Iterator[tuple[Any, Any]]:
        try:
            for record in records(self._reader.consume(BATCH_RECORDS, POLL_S), self._open):
                if record.value[1:FRAME_BYTES] in self._wanted:
                    yield self._codec.decode(record.value)
        except KafkaException as error:
            raise UnreachableError(f"{self._bootstrap}: {_words(error)}") from error


def _words(error: Exception) -> str:
    """Return the client's sentence, or ours."""
    cause = error.args[0] if error.args else error
    return cause.str() if isinstance(cause, KafkaError) else str(cause)
