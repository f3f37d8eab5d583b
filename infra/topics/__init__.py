"""Topics of the log: the catalog (infra/topics.toml), creation, drift, the log's identity."""

from infra.topics.catalog import TopicSpec, read_catalog, topic_names
from infra.topics.create import PARTITIONS, create_topics
from infra.topics.drift import Drift, check_topics
from infra.topics.log_id import read_log_id

__all__ = [
    "PARTITIONS",
    "Drift",
    "TopicSpec",
    "check_topics",
    "create_topics",
    "read_catalog",
    "read_log_id",
    "topic_names",
]
