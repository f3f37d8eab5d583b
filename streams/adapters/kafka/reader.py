"""A read_committed reader of assigned partitions on Kafka."""

from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka import TopicPartition as KafkaPartition

from streams.adapters.kafka.errors import error_of
from streams.adapters.kafka.forward import Forward
from streams.adapters.kafka.offsets import Offsets
from streams.core.errors import LogError, RetentionError
from streams.runtime.ports import Record, TopicPartition

__all__ = ["KafkaReader"]

LOST = frozenset({KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE})
STOPPED = frozenset(
    {
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_TOPIC,
        KafkaError._UNKNOWN_PARTITION,
        KafkaError._FATAL,
    }
)


class KafkaReader:
    """Implements ports.Reader."""

    def __init__(self, settings: dict[str, Any], offsets: Offsets) -> None:
        self._client = Consumer(settings)
        self._offsets = offsets
        self._known: dict[TopicPartition, int] = {}  # assigned, then ends that were reached
        self._forward = Forward({})

    def assign(self, positions: dict[TopicPartition, int]) -> None:
        starts = self._offsets.starts(positions)
        ends = self._offsets.ends(positions)
        for name, position in positions.items():
            if position < starts[name]:
                raise RetentionError(name.topic, name.partition, position, starts[name])
            if position > ends[name]:
                raise LogError(f"{name.topic}[{name.partition}]: offset {position} is past its end")
        self._known = dict(positions)
        self._forward = Forward(positions)
        self._client.assign([KafkaPartition(*name, at) for name, at in positions.items()])

    def poll(self, records_max: int, timeout_ms: int) -> list[Record]:
        try:
            messages: list[Any] = self._client.consume(records_max, 0)
            if not messages and timeout_ms:
                first = self._client.poll(timeout_ms / 1_000)
                if first is None:
                    return []
                messages = [first]
                if records_max > 1:
                    messages += self._client.consume(records_max - 1, 0)
        except KafkaException as raised:
            raise LogError(f"read: {error_of(raised).str()}") from raised
        records: list[Record] = []
        for message in messages:
            error = message.error()
            if error is not None:
                self._heed(message, error)
                continue
            topic, partition, offset = message.topic(), message.partition(), message.offset()
            if not self._forward.is_new(topic, partition, offset):
                continue
            records.append(
                Record(
                    topic,
                    partition,
                    offset,
                    message.timestamp()[1],
                    message.key() or b"",
                    message.value() or b"",
                )
            )
        return records

    def position(self, partition: TopicPartition) -> int:
        (found,) = self._client.position([KafkaPartition(*partition)])
        return max(self._known[partition], found.offset)

    def close(self) -> None:
        self._client.close()

    def _heed(self, message: Any, error: KafkaError) -> None:
        """Note an end reached; stop for what will not pass; let the client reconnect otherwise."""
        code = error.code()
        if code == KafkaError._PARTITION_EOF:
            name = TopicPartition(message.topic(), message.partition())
            self._known[name] = max(self._known[name], message.offset())
        elif code in LOST:
            name = TopicPartition(message.topic(), message.partition())
            start = self._offsets.starts([name])[name]
            raise RetentionError(name.topic, name.partition, self.position(name), start)
        elif code in STOPPED:
            raise LogError(f"read of {message.topic()}: {error.str()}")
