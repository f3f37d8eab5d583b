"""What the log knows of each session, from a mark on: numbers received, ordinals sent."""

import json
from pathlib import Path
from typing import Final

import msgspec

from schemas.messages.fix import FixReceived, FixSent, FixSessionChanged
from streams.core.errors import Error
from streams.core.topics import FIX_RECEIVED
from streams.runtime.history import decode_own, read_to_end
from streams.runtime.ports import Codec, Log, TopicPartition

__all__ = ["ForeignStoreError", "Known", "Mark", "read_mark", "read_tail", "write_mark"]

FILE: Final = "received.json"


class ForeignStoreError(Error):
    """The store folder was used with another log: its numbers mean nothing here."""

    def __init__(self, folder: Path, log_id: str) -> None:
        super().__init__(f"the FIX store {folder} belongs to log {log_id}, not to this one")
        self.folder = folder


class Known(msgspec.Struct):
    """What fix.received says of one session."""

    epoch: int = 0
    day: int = 0
    sequence: int = 0  # newest message received in the epoch
    sent_ordinal: int = 0
    sent_sequence: int = 0
    is_logged_on: bool = False

    def fold(self, message: FixReceived | FixSent | FixSessionChanged) -> None:
        """Take in a record."""
        if message.session_epoch > self.epoch:
            self.epoch, self.day, self.sequence = message.session_epoch, message.session_day, 0
            self.sent_sequence = 0
        match message:
            case FixReceived() if message.session_epoch == self.epoch:
                self.sequence = max(self.sequence, message.sequence)
            case FixSent():
                self.sent_ordinal = max(self.sent_ordinal, message.ordinal)
                if message.session_epoch == self.epoch:
                    self.sent_sequence = max(self.sent_sequence, message.sequence)
            case FixSessionChanged():
                self.is_logged_on = message.is_logged_on


class Mark(msgspec.Struct):
    """Everything before `offset` is in `sessions`. Saves reading the log from its beginning."""

    log_id: str
    offset: int = 0
    sessions: dict[str, Known] = {}
    is_clean: bool = False  # written at a clean stop: the store's numbers are right as they are


def read_mark(folder: Path, log_id: str) -> Mark:
    """Return the mark of a store; an empty one for a new store. Raises ForeignStoreError."""
    path = folder / FILE
    if not path.is_file():
        return Mark(log_id)
    mark = msgspec.json.decode(path.read_bytes(), type=Mark)
    if mark.log_id != log_id:
        raise ForeignStoreError(folder, mark.log_id)
    return mark


def write_mark(folder: Path, mark: Mark) -> None:
    """Replace the mark in one step."""
    beside = folder / f"{FILE}.new"
    beside.write_text(json.dumps(msgspec.to_builtins(mark)))
    beside.replace(folder / FILE)


def read_tail(log: Log, codec: Codec, partition: int, mark: Mark) -> None:
    """Bring the mark to the end of fix.received as it stands now."""
    place = TopicPartition(FIX_RECEIVED, partition)
    for record in read_to_end(log, place, mark.offset):
        message = decode_own(codec, record)[1]
        if isinstance(message, FixReceived | FixSent | FixSessionChanged):
            mark.sessions.setdefault(message.session_id, Known()).fold(message)
        mark.offset = record.offset + 1
