"""Create the topics of the catalog, idempotently."""

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from infra.topics.catalog import TopicSpec, read_catalog
from infra.topics.errors import PartitionsError, TopicsError
from infra.topics.log_id import ensure_log_id

__all__ = ["PARTITIONS", "create_topics"]

PARTITIONS = 4
TIMEOUT_S = 30.0


def create_topics(
    bootstrap: str, partitions: int = PARTITIONS, replication_factor: int = 1
) -> bytes:
    """Create what is missing and return the log id, the same on every call.

    Raises: PartitionsError when a topic is there with another partition count; TopicsError.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    topics = read_catalog().topic
    found = partition_counts(admin)
    for topic in topics:
        wanted = topic.partitions(partitions)
        if found.get(topic.name, wanted) != wanted:
            raise PartitionsError(topic.name, found[topic.name], wanted)
    missing = [topic for topic in topics if topic.name not in found]
    if missing:
        _create(admin, missing, partitions, replication_factor)
    return ensure_log_id(bootstrap)


def partition_counts(admin: AdminClient) -> dict[str, int]:
    """Return the partition count of every topic on the cluster."""
    try:
        metadata = admin.list_topics(timeout=TIMEOUT_S)
    except KafkaException as error:
        raise TopicsError("list", str(error)) from error
    return {name: len(topic.partitions) for name, topic in metadata.topics.items()}


def _create(
    admin: AdminClient, topics: list[TopicSpec], partitions: int, replication_factor: int
) -> None:
    new = [
        NewTopic(
            topic.name,
            num_partitions=topic.partitions(partitions),
            replication_factor=replication_factor,
            config=topic.config(),
        )
        for topic in topics
    ]
    futures = admin.create_topics(new, operation_timeout=TIMEOUT_S, request_timeout=TIMEOUT_S)
    for name, future in futures.items():
        try:
            future.result(TIMEOUT_S)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise TopicsError(name, error.args[0].str()) from error
