"""The log on Apache Kafka, through confluent-kafka: `KafkaLog(KafkaSettings(bootstrap=...))`."""

from streams.adapters.kafka.log import KafkaLog
from streams.adapters.kafka.settings import KafkaSettings

__all__ = ["KafkaLog", "KafkaSettings"]
