"""A market opens when its reference data stand on the log, not before."""

from collections.abc import Sequence

from streams.core.errors import DecodeError
from streams.core.topics import CONTROL_COMMANDS
from streams.runtime.ports import Batch, Codec, Inbox, Log, Message, Reader, Resume, TopicPartition

__all__ = ["OpeningInbox"]

RECORDS_MAX = 1_000


class OpeningInbox:
    """Wraps the inbox of a day: nothing comes from it until all `awaited` have been published.

    For a simulator that is started long before the desk that defines instruments and accounts. A
    day under way has opened already.
    """

    def __init__(self, inner: Inbox, log: Log, codec: Codec, awaited: Sequence[Message]) -> None:
        self._inner = inner
        self._log = log
        self._codec = codec
        self._awaited = awaited
        self._missing: list[Message] = []
        self._reader: Reader | None = None

    def start(self, resume: Resume) -> None:
        self.close()
        self._inner.start(resume)
        if resume.step:
            return
        self._missing = [*self._awaited]
        self._reader = self._log.reader()
        self._reader.assign({TopicPartition(CONTROL_COMMANDS, 0): 0})

    def take(self, wait_ms: int) -> Batch | None:
        """Return what the inner inbox has, once the market is open."""
        if self._missing and not self._is_open(wait_ms):
            return None
        return self._inner.take(wait_ms)

    def close(self) -> None:
        self._inner.close()
        self._missing = []
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _is_open(self, wait_ms: int) -> bool:
        assert self._reader is not None
        for record in self._reader.poll(RECORDS_MAX, wait_ms):
            try:
                _, message = self._codec.decode(record.value)
            except DecodeError:
                continue  # the engines keep what cannot be read
            if message in self._missing:
                self._missing.remove(message)
        return not self._missing
