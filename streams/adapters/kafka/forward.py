"""A reader moves forward only."""

from collections.abc import Mapping

from streams.runtime.ports import TopicPartition

__all__ = ["Forward"]


class Forward:
    """The next offset of each partition that is read.

    When the leader of a partition changes, or comes back after a kill, the client asks where its
    epoch ended and fetches again; what it had queued may then be delivered twice. Offsets have
    holes, markers and aborted records, so that only a repeat can be told, not a loss.
    Source: librdkafka issues 4261 and 4637, two ways to it that are mended.
    """

    __slots__ = ("_next", "repeats")

    def __init__(self, positions: Mapping[TopicPartition, int]) -> None:
        self._next = {(each.topic, each.partition): at for each, at in positions.items()}
        self.repeats = 0  # records passed over

    def is_new(self, topic: str, partition: int, offset: int) -> bool:
        """Return whether the record was not delivered before, and remember it."""
        name = (topic, partition)
        if offset < self._next.get(name, 0):
            self.repeats += 1
            return False
        self._next[name] = offset + 1
        return True
