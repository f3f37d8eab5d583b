"""The log on a Kafka cluster."""

from streams.adapters.kafka.offsets import Offsets
from streams.adapters.kafka.producer import KafkaProducer
from streams.adapters.kafka.reader import KafkaReader
from streams.adapters.kafka.settings import KafkaSettings
from streams.runtime.ports import Producer, Reader, TopicPartition

__all__ = ["KafkaLog"]


class KafkaLog:
    """Implements ports.Log."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._offsets = Offsets(settings)

    def producer(self, transactional_id: str) -> Producer:
        return KafkaProducer(self._settings, transactional_id)

    def reader(self, *, is_standing: bool = False) -> Reader:
        return KafkaReader(self._settings.consumer(is_standing=is_standing), self._offsets)

    def start_offset(self, partition: TopicPartition) -> int:
        return self._offsets.starts([partition])[partition]

    def end_offset(self, partition: TopicPartition) -> int:
        return self._offsets.ends([partition])[partition]

    def stable_offset(self, partition: TopicPartition) -> int:
        return self._offsets.stable_ends([partition])[partition]

    def partitions(self, topic: str) -> int:
        return self._offsets.counts(topic)
