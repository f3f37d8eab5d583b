"""QuickFIX's FileStore as files: whose it is, where its numbers stand, when they began."""

import fcntl
import os
from pathlib import Path
from typing import NamedTuple

from services.fix.settings import SessionSettings
from streams.core.errors import Error

__all__ = ["StoreNumbers", "StoreTakenError", "hold_store", "store_numbers"]

LOCK = "wire.lock"


class StoreTakenError(Error):
    """Another wire process holds the folder: two would hand out the same numbers."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"the FIX store {folder} is held by another process")
        self.folder = folder


class StoreNumbers(NamedTuple):
    """What a session's files say."""

    created: str  # when its numbers began, as QuickFIX writes it; "" without files
    next_sender: int
    next_target: int


def hold_store(folder: Path) -> int:
    """Take the folder for as long as this process lives; return the lock's descriptor.

    Raises: StoreTakenError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise StoreTakenError(folder) from error
    return descriptor


def store_numbers(folder: Path, session: SessionSettings) -> StoreNumbers:
    """Return where a session's store stands; numbers are 1 where it has no files.

    Source: FileStore.cpp of QuickFIX: `.session` holds the time of creation, `.seqnums` holds
            "sender : target", each the next number.
    """
    names = session.quickfix
    stem = f"{names['BeginString']}-{names['SenderCompID']}-{names['TargetCompID']}"
    if names.get("SessionQualifier"):
        stem += f"-{names['SessionQualifier']}"
    created = _read(folder / f"{stem}.session").strip("\x00 \n")
    numbers = _read(folder / f"{stem}.seqnums").split(":")
    if len(numbers) != 2:
        return StoreNumbers(created, 1, 1)
    return StoreNumbers(created, int(numbers[0]), int(numbers[1]))


def _read(path: Path) -> str:
    return path.read_text() if path.is_file() else ""
