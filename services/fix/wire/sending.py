"""Reads fix.sending: the newest for all sessions, and again what one of them has missed."""

from collections.abc import Callable, Iterator
from typing import Final

from schemas.messages.fix import FixSending
from services.fix.wire.line import Line
from streams.core.topics import FIX_SENDING
from streams.runtime.history import decode_own
from streams.runtime.ports import Codec, Log, Reader, TopicPartition

__all__ = ["SendingReader", "reread"]

RECORDS_MAX: Final = 500
WAIT_MS: Final = 100


class SendingReader:
    """Gives each new message to the line of its session, on a thread of its own."""

    def __init__(self, log: Log, codec: Codec, partition: int, lines: dict[str, Line]) -> None:
        self._codec = codec
        self._lines = lines
        self._place = TopicPartition(FIX_SENDING, partition)
        self.start = log.stable_offset(self._place)
        self._reader: Reader = log.reader(is_standing=True)
        self._reader.assign({self._place: self.start})

    def run(self, is_stopped: Callable[[], bool]) -> None:
        """Read until stopped. Raises: LogError, CorruptHistoryError."""
        while not is_stopped():
            records = self._reader.poll(RECORDS_MAX, WAIT_MS)
            for record in records:
                message = decode_own(self._codec, record)[1]
                line = self._lines.get(message.session_id)
                if line is not None:  # a session that the file names no more waits for its return
                    line.offer(message, record.offset, record.timestamp_ms)
            if records:
                for line in self._lines.values():
                    line.passed(records[-1].offset + 1)


def reread(
    log: Log, codec: Codec, partition: int, session_id: str, offset: int
) -> Iterator[tuple[FixSending | None, int, int]]:
    """Yield the messages of a session from an offset on.

    Each comes with the offset after it and the time of its record, wall clock, ms.

    None for a message means: that is how far the log is read, for now.
    """
    place = TopicPartition(FIX_SENDING, partition)
    # A gateway of which nothing was ever asked has no first offset to go on from.
    position = max(offset, log.start_offset(place))
    if position >= log.stable_offset(place):
        yield None, position, 0
        return
    reader = log.reader()
    try:
        reader.assign({place: position})
        while True:
            records = reader.poll(RECORDS_MAX, WAIT_MS)
            for record in records:
                position = record.offset + 1
                message = decode_own(codec, record)[1]
                if message.session_id == session_id:
                    yield message, position, record.timestamp_ms
            if not records:
                # Markers of transactions are offsets too, and nothing is ever read of them.
                position = max(position, reader.position(place))
            yield None, position, 0
    finally:
        reader.close()
