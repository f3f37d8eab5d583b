"""An archive of days: one JSON file per trade date, since no log keeps its prints for months."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from services.volumemodel.days import Day, merged

__all__ = ["ArchiveError", "read", "write"]

NAME = "{}.volumes.json"


class ArchiveError(ValueError):
    """A file that is no day; the message names it."""


def write(folder: Path, days: Iterable[Day]) -> list[Path]:
    """Write each date's days beside what the archive has of other instruments."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    dates: dict[int, list[Day]] = {}
    for day in days:
        dates.setdefault(day.trade_date, []).append(day)
    for trade_date, new in sorted(dates.items()):
        path = folder / NAME.format(trade_date)
        kept = merged([*(_read_file(path) if path.exists() else ()), *new])
        rows = [day._asdict() for day in kept]
        text = json.dumps({"trade_date": trade_date, "instruments": rows}, indent=1)
        half = path.with_suffix(".part")
        half.write_text(text + "\n")
        half.replace(path)  # a reader finds the old file or the new one, never a part
        written.append(path)
    return written


def read(folder: Path) -> list[Day]:
    """Return the days of all files. Raises: ArchiveError."""
    return [day for path in sorted(folder.glob(NAME.format("*"))) for day in _read_file(path)]


def _read_file(path: Path) -> list[Day]:
    try:
        rows = json.loads(path.read_text())["instruments"]
        return [_day(row) for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArchiveError(f"{path}: {error!r}") from error


def _day(row: dict[str, Any]) -> Day:
    day = Day(**{**row, "volumes": tuple(row["volumes"])})
    counts = (*day.volumes, day.opening, day.closing)
    if day.bin_ns < 1 or not day.volumes:
        raise ValueError(f"{day.instrument_id}: no bins")
    if not all(isinstance(count, int) and count >= 0 for count in counts):
        raise ValueError(f"{day.instrument_id}: a volume is not a whole number of units")
    return day
