"""Where partitions begin and end, asked of the brokers."""

import time
from collections.abc import Iterable

from confluent_kafka import IsolationLevel, KafkaError, KafkaException
from confluent_kafka import TopicPartition as KafkaPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

from streams.adapters.kafka.errors import error_of
from streams.adapters.kafka.settings import KafkaSettings
from streams.core.errors import LogError
from streams.runtime.ports import TopicPartition

__all__ = ["Offsets"]


PASSING = frozenset(  # a partition whose leader is just being found
    {
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.UNKNOWN_LEADER_EPOCH,
    }
)
PASSING_S = 15.0  # a broker under load takes seconds for the partitions of a new topic
RETRY_S = 0.05
EARLIEST = OffsetSpec.earliest()  # type: ignore[no-untyped-call]  # the client has no types
LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # likewise


class Offsets:
    """One admin client, made when it is first needed. Every method raises LogError."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._admin: AdminClient | None = None

    def starts(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return self._ask(partitions, EARLIEST, IsolationLevel.READ_UNCOMMITTED)

    def ends(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return self._ask(partitions, LATEST, IsolationLevel.READ_UNCOMMITTED)

    def stable_ends(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return self._ask(partitions, LATEST, IsolationLevel.READ_COMMITTED)

    def counts(self, topic: str) -> int:
        """Return the number of partitions. Raises LogError when the topic does not exist."""
        try:
            metadata = self._client().list_topics(topic, timeout=self._settings.request_timeout_s)
        except KafkaException as error:
            self._admin = None
            raise LogError(f"topic {topic}: {error_of(error).str()}") from error
        found = metadata.topics[topic]
        if found.error is not None:
            raise LogError(f"topic {topic}: {found.error.str()}")
        return len(found.partitions)

    def _ask(
        self, partitions: Iterable[TopicPartition], spec: OffsetSpec, isolation: IsolationLevel
    ) -> dict[TopicPartition, int]:
        request = {KafkaPartition(*name): spec for name in partitions}
        deadline = time.monotonic() + PASSING_S
        while request:
            try:
                futures = self._client().list_offsets(
                    request,
                    isolation_level=isolation,
                    request_timeout=self._settings.request_timeout_s,
                )
                return {
                    TopicPartition(asked.topic, asked.partition): future.result().offset
                    for asked, future in futures.items()
                }
            except KafkaException as error:
                # A client that knew the cluster before a restart keeps asking with an old leader
                # epoch, for ever: the next question goes through a new one.
                self._admin = None
                found = error_of(error)
                if found.code() not in PASSING or time.monotonic() > deadline:
                    raise LogError(f"offsets: {found.str()}") from error
            time.sleep(RETRY_S)
        return {}

    def _client(self) -> AdminClient:
        if self._admin is None:
            self._admin = AdminClient(self._settings.admin())
        return self._admin
