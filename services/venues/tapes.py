"""Open a recorded market: which of the two formats a folder holds."""

from pathlib import Path

from services.venues.binance_tape import open_binance
from services.venues.lobster_tape import open_lobster
from services.venues.scenario import Tape
from streams.core.errors import Error

__all__ = ["TapeError", "open_tape"]


class TapeError(Error):
    """A folder that holds no recorded market of a known format."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder}: no LOBSTER zip and no Binance folders binance_spot/*.gz")
        self.folder = folder


def open_tape(folder: Path, seed: int) -> Tape:
    """Return the tape in `folder`. Raises TapeError, OSError."""
    archives = sorted(folder.glob("LOBSTER*.zip"))
    if archives:
        return open_lobster(archives[0], seed)
    if (folder / "binance_spot").is_dir():
        return open_binance(folder)
    raise TapeError(folder)
