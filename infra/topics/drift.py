"""Compare a cluster's topics with the catalog."""

from collections.abc import Sequence
from typing import NamedTuple

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource

from infra.topics.catalog import TopicSpec, read_catalog
from infra.topics.create import TIMEOUT_S, partition_counts
from infra.topics.errors import TopicsError

__all__ = ["Drift", "check_topics", "drift_of"]

PARTITIONS_SETTING = "partitions"
EXISTS_SETTING = "exists"


class Drift(NamedTuple):
    """One difference; `is_error` means that the log cannot be worked with until it is mended."""

    topic: str
    setting: str
    wanted: str
    found: str
    is_error: bool


def check_topics(bootstrap: str, partitions: int | None = None) -> list[Drift]:
    """Return every difference between cluster and catalog, in the catalog's order.

    `partitions` None takes the count of the first keyed topic that exists, so that keyed topics
    which disagree among themselves show. Raises TopicsError.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    topics = read_catalog().topic
    counts = partition_counts(admin)
    present = [topic for topic in topics if topic.name in counts]
    return drift_of(topics, counts, _configs(admin, present), partitions)


def drift_of(
    topics: Sequence[TopicSpec],
    counts: dict[str, int],
    configs: dict[str, dict[str, str]],
    partitions: int | None = None,
) -> list[Drift]:
    """Return the differences between `topics` and what a cluster said."""
    if partitions is None:
        keyed = (counts[topic.name] for topic in topics if topic.keyed and topic.name in counts)
        partitions = next(keyed, 1)
    found: list[Drift] = []
    for topic in topics:
        if topic.name not in counts:
            found.append(Drift(topic.name, EXISTS_SETTING, "yes", "no", True))
            continue
        wanted = topic.partitions(partitions)
        count = counts[topic.name]
        if count != wanted:
            drift = Drift(topic.name, PARTITIONS_SETTING, str(wanted), str(count), True)
            found.append(drift)
        config = configs[topic.name]
        found += [
            Drift(topic.name, setting, value, config.get(setting, "(not said)"), False)
            for setting, value in topic.config().items()
            if config.get(setting) != value
        ]
    return found


def _configs(admin: AdminClient, topics: Sequence[TopicSpec]) -> dict[str, dict[str, str]]:
    if not topics:
        return {}
    resources = [ConfigResource(ConfigResource.Type.TOPIC, topic.name) for topic in topics]
    futures = admin.describe_configs(resources, request_timeout=TIMEOUT_S)
    configs: dict[str, dict[str, str]] = {}
    for resource, future in futures.items():
        try:
            entries = future.result(TIMEOUT_S)
        except KafkaException as error:
            raise TopicsError(resource.name, str(error)) from error
        configs[resource.name] = {name: entry.value for name, entry in entries.items()}
    return configs
