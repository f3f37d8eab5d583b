"""What one session was about to send, on disk before QuickFIX numbers it for good."""

import os
import struct
import zlib
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["Intent", "Intents"]

ROW: Final = struct.Struct(">BiqqqI")  # kind, epoch, ordinal, sequence, offset, checksum
BODY: Final = struct.Struct(">Biqqq")
MEANT, DONE = 1, 2
ROWS_MAX = 400_000  # then the file begins again with its newest row


class Intent(NamedTuple):
    """One row."""

    is_done: bool  # whether QuickFIX has persisted it, known for sure
    epoch: int
    ordinal: int
    sequence: int  # number that it was to have (FIX 34); 0 where nothing was sent
    offset: int  # of its FixSending; with `is_done`, everything up to there is dealt with


NOTHING: Final = Intent(is_done=True, epoch=0, ordinal=0, sequence=0, offset=-1)


class Intents:
    """Appended by one thread with one write a row, so a killed process leaves whole rows.

    An intent is written inside QuickFIX's lock when the number is known and before the message is
    persisted; a second row follows when it is. After a crash the newest row is compared with the
    store: its number below the store's next one means persisted. Not flushed to the disk itself:
    this is as safe against a crash of the machine as QuickFIX's own store is.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.is_new = not path.is_file()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._rows = os.fstat(self._file).st_size // ROW.size
        os.ftruncate(self._file, self._rows * ROW.size)

    def newest(self) -> Intent:
        """Return the newest row; ordinal 0 when there is none."""
        rows = self.last(1)
        return rows[-1] if rows else NOTHING

    def last(self, count: int) -> list[Intent]:
        """Return up to `count` rows, the newest last; rows that are damaged are left out."""
        size = min(count, self._rows) * ROW.size
        data = os.pread(self._file, size, self._rows * ROW.size - size)
        rows = []
        for kind, *values, checksum in ROW.iter_unpack(data):
            if zlib.crc32(BODY.pack(kind, *values)) == checksum:
                rows.append(Intent(kind == DONE, *values))
        return rows

    def write(self, intent: Intent) -> None:
        """Append a row. Raises OSError."""
        kind = DONE if intent.is_done else MEANT
        body = BODY.pack(kind, *intent[1:])
        os.write(self._file, body + zlib.crc32(body).to_bytes(4, "big"))
        self._rows += 1
        if self._rows >= ROWS_MAX and intent.is_done:
            self._begin_again(intent)

    def _begin_again(self, intent: Intent) -> None:
        beside = self._path.with_suffix(".new")
        body = BODY.pack(DONE, *intent[1:])
        beside.write_bytes(body + zlib.crc32(body).to_bytes(4, "big"))
        beside.replace(self._path)
        os.close(self._file)
        self._file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        self._rows = 1
