"""Each event once and in order: the contiguous topic_seq of every topic and partition."""

from streams.core.errors import Error

__all__ = ["GapError", "Sequences"]


class GapError(Error):
    """Events are missing before this one: the reader must read `first` to `last` again."""

    def __init__(self, topic: str, partition: int, first: int, last: int) -> None:
        super().__init__(f"{topic}[{partition}]: topic_seq {first} to {last} were not shown")
        self.topic = topic
        self.partition = partition
        self.first = first
        self.last = last


class Sequences:
    """What has been applied, by topic and partition."""

    def __init__(self) -> None:
        self._next: dict[tuple[str, int], int] = {}

    def is_new(self, topic: str, partition: int, topic_seq: int) -> bool:
        """Return whether to apply an event, and note it; False for a repeat.

        A writer outside numbers nothing (-1): its events are applied each time they are shown.
        Raises: GapError, and notes nothing.
        """
        if topic_seq < 0:
            return True
        expected = self._next.get((topic, partition), 0)
        if topic_seq > expected:
            raise GapError(topic, partition, expected, topic_seq - 1)
        if topic_seq < expected:
            return False
        self._next[topic, partition] = expected + 1
        return True
