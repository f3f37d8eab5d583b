"""A transactional producer on Kafka; dropped, never reused, after any error."""

import contextlib

from confluent_kafka import KafkaException, Producer

from streams.adapters.kafka.errors import producer_error
from streams.adapters.kafka.settings import KafkaSettings
from streams.core.errors import AmbiguousCommitError, LogError

__all__ = ["KafkaProducer"]

QUEUE_FULL_S = 10.0


class KafkaProducer:
    """Implements ports.Producer. Explicit partitions, no callbacks: the commit tells all."""

    def __init__(self, settings: KafkaSettings, transactional_id: str) -> None:
        """Fence every older producer of the id. Raises FencedError, LogError."""
        self._id = transactional_id
        self._commit_timeout_s = settings.commit_timeout_s
        self._is_broken = False
        self._client = Producer(settings.producer(transactional_id))
        try:
            self._client.init_transactions(settings.request_timeout_s)
        except KafkaException as error:
            raise producer_error(f"{transactional_id}: init", error) from error

    def begin(self) -> None:
        self._check()
        try:
            self._client.begin_transaction()
        except KafkaException as error:
            raise self._broken("begin", error) from error

    def send(self, topic: str, partition: int, key: bytes, value: bytes) -> None:
        try:
            self._client.produce(topic, value, key, partition)
        except BufferError:
            self._send_when_there_is_room(topic, partition, key, value)
        except KafkaException as error:
            raise self._broken("send", error) from error

    def flush(self) -> None:
        try:
            unsent = self._client.flush(self._commit_timeout_s)
        except KafkaException as error:
            raise self._broken("flush", error) from error
        if unsent:
            self._is_broken = True
            raise AmbiguousCommitError(f"{self._id}: {unsent} records are not at the log")

    def commit(self) -> None:
        try:
            self._client.commit_transaction(self._commit_timeout_s)
        except KafkaException as error:
            raise self._broken("commit", error) from error

    def abort(self) -> None:
        try:
            self._client.abort_transaction(self._commit_timeout_s)
        except KafkaException as error:
            raise self._broken("abort", error) from error

    def close(self) -> None:
        self._is_broken = True
        with contextlib.suppress(KafkaException, RuntimeError):
            self._client.purge()

    def _send_when_there_is_room(
        self, topic: str, partition: int, key: bytes, value: bytes
    ) -> None:
        # The local queue is full: let the client send, then queue this one.
        if self._client.flush(QUEUE_FULL_S):
            self._is_broken = True
            raise AmbiguousCommitError(f"{self._id}: the queue stays full")
        self._client.produce(topic, value, key, partition)

    def _broken(self, what: str, error: KafkaException) -> LogError:
        self._is_broken = True
        return producer_error(f"{self._id}: {what}", error)

    def _check(self) -> None:
        if self._is_broken:
            raise AmbiguousCommitError(f"{self._id}: used again after an error")
