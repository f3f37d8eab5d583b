"""How far the engines have come, for a market that goes by the clock but leaves nobody behind."""

from schemas.messages.core import JournalKind
from schemas.messages.runtime import JournalRecord
from streams.core.topics import ENGINE_JOURNAL
from streams.runtime.history import decode_own
from streams.runtime.ports import Codec, Log, Reader, TopicPartition

__all__ = ["EngineSteps"]

AHEAD_STEPS = 1  # what the market may be ahead of the slowest engine
TAIL_OFFSETS = 64  # read of a journal at first; a step takes a record and a marker
RECORDS_MAX = 2_000
POLL_MS = 5


class EngineSteps:
    """Newest step that each engine has journalled."""

    def __init__(self, log: Log, codec: Codec, partitions: int) -> None:
        self._log = log
        self._codec = codec
        self._journals = [TopicPartition(ENGINE_JOURNAL, n) for n in range(partitions)]
        self._done: dict[int, int] = {}
        self._reader: Reader | None = None

    def start(self, step: int) -> None:
        """Forget everything; `step` is the newest of the market's own."""
        self.close()
        # Who was let go on with this step had heard of the one that bounds it.
        self._done = dict.fromkeys(
            (each.partition for each in self._journals), max(0, step - 1 - AHEAD_STEPS)
        )
        self._reader = self._log.reader(is_standing=True)
        self._reader.assign({each: self._tail(each) for each in self._journals})

    def may_follow(self, step: int) -> bool:
        """Return whether every engine is near enough for the step after `step`."""
        if self._is_near(step):
            return True
        assert self._reader is not None
        for record in self._reader.poll(RECORDS_MAX, POLL_MS):
            _, message = decode_own(self._codec, record)
            if isinstance(message, JournalRecord) and message.kind is JournalKind.BATCH:
                newest = max(self._done[record.partition], message.step)
                self._done[record.partition] = newest
        return self._is_near(step)

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _is_near(self, step: int) -> bool:
        return all(done >= step - AHEAD_STEPS for done in self._done.values())

    def _tail(self, journal: TopicPartition) -> int:
        start, end = self._log.start_offset(journal), self._log.end_offset(journal)
        return max(start, end - TAIL_OFFSETS)
