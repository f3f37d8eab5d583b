"""Flags as files: `<directory>/*.json`, and SIGUSR1, which puts one there."""

import os
import signal
from hashlib import blake2b
from pathlib import Path
from types import FrameType
from typing import Final

from streams.kill import raised

__all__ = ["FileLatch", "default_directory", "flag_files"]

CONTENT_BYTES_MAX: Final = 4_096
SUFFIX: Final = ".json"
FIRM_NOW: Final = '{"scope": "FIRM", "reason": "SIGUSR1", "actor": "signal"}\n'


def default_directory() -> Path:
    """Return where the flags of this host stand: PENSTOCK_KILL_DIR, else .penstock/kill."""
    return Path(os.environ.get("PENSTOCK_KILL_DIR") or Path(".penstock", "kill"))


class FileLatch:
    """Implements runtime.KillLatch. Every process of a host reads one directory.

    A flag's name holds a digest of its content, so that a file edited in place is another flag. A
    directory that is not there holds none; one that cannot be read stops the firm.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._unwritten: list[str] = []  # signals for which no file could be put there
        self.is_written = True

    def listen(self, name: str) -> None:
        """Let SIGUSR1 put a flag of the whole firm into the directory, where it outlives us."""

        def on_signal(_number: int, _frame: FrameType | None) -> None:
            self.put(f"sigusr1-{name}", FIRM_NOW)

        signal.signal(signal.SIGUSR1, on_signal)

    def put(self, name: str, content: str) -> None:
        """Raise a flag: as a file, and if that fails in this process alone."""
        hidden = self._directory / f".{name}.{os.getpid()}"
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            hidden.write_text(content)
            hidden.replace(self._directory / f"{name}{SUFFIX}")
        except OSError:
            self.is_written = False
            self._unwritten = [*dict.fromkeys([*self._unwritten, _text(name, content.encode())])]

    def standing(self) -> tuple[str, ...]:
        """Return the text of every flag, files in the order of their names."""
        try:
            names = sorted(os.listdir(self._directory))
        except FileNotFoundError:
            return tuple(self._unwritten)
        except OSError as error:
            return (*self._unwritten, _text(f"unreadable-{error.errno}", b""))
        if not names:
            return tuple(self._unwritten)
        texts = [self._read(name) for name in names if name.endswith(SUFFIX)]
        return (*self._unwritten, *(text for text in texts if text))

    def _read(self, name: str) -> str:
        """Return the text of a file; empty when it has gone meanwhile."""
        try:
            with open(self._directory / name, "rb") as file:
                content = file.read(CONTENT_BYTES_MAX)
        except FileNotFoundError:
            return ""
        except OSError:
            content = b""
        return _text(name.removesuffix(SUFFIX), content)


def flag_files(directory: Path) -> list[tuple[Path, str]]:
    """Return the files of a directory with the names of their flags, in the order of their names.

    Raises: OSError for a file that cannot be read.
    """
    files = sorted(directory.glob(f"*{SUFFIX}"))
    return [(file, _name(file.stem, file.read_bytes()[:CONTENT_BYTES_MAX])) for file in files]


def _name(stem: str, content: bytes) -> str:
    return f"{stem}-{blake2b(content, digest_size=4).hexdigest()}"


def _text(stem: str, content: bytes) -> str:
    return raised(_name(stem, content), content.decode(errors="replace"))
