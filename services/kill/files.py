"""Flags of this host: raised by hand when a stop must not wait for the log, lowered by hand too."""

import json
import secrets
import time
from collections.abc import Iterable
from pathlib import Path

from schemas.messages.kill import EngageKill
from streams.adapters.latch import FileLatch, flag_files

__all__ = ["kill_id_of", "lower", "raise_file"]


def kill_id_of() -> str:
    """Return a new id that people can read to each other."""
    return f"K{time.strftime('%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(2)}"


def raise_file(directory: Path, message: EngageKill, actor: str) -> Path:
    """Write the kill as a flag file; return it. Raises OSError where no file can be written."""
    content = {
        "scope": message.scope.value,
        "scope_id": message.scope_id,
        "kill_id": message.kill_id,
        "reason": message.reason,
        "actor": actor,
        "is_canceling_orders": message.is_canceling_orders,
    }
    latch = FileLatch(directory)
    latch.put(message.kill_id, json.dumps(content))
    file = directory / f"{message.kill_id}.json"
    if not latch.is_written:
        raise OSError(f"{file} cannot be written")
    return file


def lower(directory: Path, flags: Iterable[str]) -> list[Path]:
    """Remove the files of these flags, if they stand here; return those removed."""
    names = set(flags)
    gone = []
    for file, flag in flag_files(directory):
        if flag in names:
            file.unlink(missing_ok=True)
            gone.append(file)
    return gone
