"""Errors of topic creation and of the log's identity.

* LogError (streams.core.errors)
  - TopicsError          the cluster refused to create or describe a topic
    - LogIdMissingError  nobody created the topics on this cluster
    - PartitionsError    a topic has another partition count: that is a new log generation
"""

from streams.core.errors import LogError

__all__ = ["LogIdMissingError", "PartitionsError", "TopicsError"]


class TopicsError(LogError):
    """The cluster refused an operation on a topic."""

    def __init__(self, topic: str, cause: str) -> None:
        super().__init__(f"topic {topic}: {cause}")
        self.topic = topic
        self.cause = cause


class LogIdMissingError(TopicsError):
    """The cluster holds no log id."""

    def __init__(self, topic: str) -> None:
        super().__init__(topic, "holds no log id, run `penstock topics create`")


class PartitionsError(TopicsError):
    """A topic's partition count differs from the wanted one; it never changes in a log's life."""

    def __init__(self, topic: str, found: int, wanted: int) -> None:
        super().__init__(topic, f"{found} partitions, {wanted} wanted")
        self.found = found
        self.wanted = wanted
