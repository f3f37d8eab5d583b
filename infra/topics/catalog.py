"""The list of topics, read from infra/topics.toml: the only place that names their settings."""

import tomllib
from enum import StrEnum
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["CATALOG", "Catalog", "Cleanup", "Role", "TopicSpec", "read_catalog", "topic_names"]

CATALOG = Path(__file__).parents[1] / "topics.toml"


class Role(StrEnum):
    """What a topic is for."""

    INPUT = "input"
    OUTPUT = "output"
    JOURNAL = "journal"
    SNAPSHOT = "snapshot"
    VIEW = "view"
    LOG = "log"


class Cleanup(StrEnum):
    """Kafka's cleanup.policy."""

    DELETE = "delete"
    COMPACT = "compact"


class TopicSpec(BaseModel):
    """One topic. Units: retention_ms, -1 unlimited; retention_bytes, -1 unlimited."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z]+(\.[a-z-]+)+\.v[0-9]+$")
    keyed: bool
    count: int = Field(default=1, ge=1)  # partitions of a topic that is not keyed
    role: Role
    writers: str
    cleanup: Cleanup = Cleanup.DELETE
    retention_ms: int = Field(default=-1, ge=-1)
    retention_bytes: int = Field(default=-1, ge=-1)
    max_message_bytes: int = Field(default=4 * 1024 * 1024, gt=0)

    def partitions(self, keyed_partitions: int) -> int:
        """Return the partition count in a log generation with that many shards."""
        return keyed_partitions if self.keyed else self.count

    def config(self) -> dict[str, str]:
        """Return every Kafka setting that we state, defaults included: `check` compares these."""
        return {
            "cleanup.policy": self.cleanup.value,
            "max.message.bytes": str(self.max_message_bytes),
            "message.timestamp.type": "CreateTime",
            "retention.bytes": str(self.retention_bytes),
            "retention.ms": str(self.retention_ms),
        }


class Catalog(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int
    topic: tuple[TopicSpec, ...]


def read_catalog(path: Path = CATALOG) -> Catalog:
    """Return a catalog file's content. Raises pydantic.ValidationError."""
    return Catalog.model_validate(tomllib.loads(path.read_text()))


@cache
def topic_names() -> tuple[str, ...]:
    """Return the names of all topics, in the file's order."""
    return tuple(topic.name for topic in read_catalog().topic)
