"""Delete the catalog's topics: the end of a log generation, for tests and for nothing else."""

import time

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from infra.topics.catalog import topic_names
from infra.topics.create import TIMEOUT_S, partition_counts
from infra.topics.errors import TopicsError

__all__ = ["delete_topics"]

POLL_S = 0.05


def delete_topics(bootstrap: str) -> None:
    """Delete every topic of the catalog and return when the cluster has forgotten them.

    Raises: TopicsError.
    """
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    present = sorted(set(topic_names()) & set(partition_counts(admin)))
    if not present:
        return
    for name, future in admin.delete_topics(present, operation_timeout=TIMEOUT_S).items():
        try:
            future.result(TIMEOUT_S)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise TopicsError(name, error.args[0].str()) from error
    deadline = time.monotonic() + TIMEOUT_S
    while set(present) & set(partition_counts(admin)):
        if time.monotonic() > deadline:
            raise TopicsError(present[0], f"still listed {TIMEOUT_S:g} s after its deletion")
        time.sleep(POLL_S)
