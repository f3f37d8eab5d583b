"""Read a folder of configuration: TOML and CSV, every problem with its place."""

import csv
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from services.config.concerns import CONCERNS, Concern, label_of
from services.config.problems import ConfigError, Place, Problem
from services.config.rows import Row
from streams.core.errors import OffGridError

__all__ = ["Configuration", "Defined", "read"]

SUFFIXES: Final = (".toml", ".csv")
VALUE_MAX: Final = 60  # characters of a wrong value that are shown


class Defined(NamedTuple):
    """A definition and where it stands."""

    message: Any
    place: Place


class Configuration(NamedTuple):
    """What a folder says, in the order of publishing."""

    definitions: tuple[Defined, ...]
    concerns: tuple[Concern, ...]  # of which there is a file


def read(folder: Path) -> Configuration:
    """Return what the files say; rows without an instant of their own have 0 there.

    Raises: ConfigError with every problem; OSError.
    """
    problems: list[Problem] = []
    definitions: list[Defined] = []
    files = {path for path in folder.iterdir() if path.suffix in SUFFIXES}
    concerns = []
    for concern in CONCERNS.values():
        own = sorted(path for path in files if path.stem == concern.file and _is_own(path, concern))
        files -= set(own)
        if own:
            concerns.append(concern)
        for path in own:
            definitions += _definitions(path, concern, problems)
    known = ", ".join(CONCERNS)
    problems += [
        Problem("UNKNOWN_FILE", Place(path.name), "", "", f"not among: {known}")
        for path in sorted(files)
    ]
    if not concerns and not problems:
        problems.append(Problem("NO_FILES", Place(str(folder)), "", "", f"none of: {known}"))
    problems += _twice(definitions)
    if problems:
        raise ConfigError(problems)
    return Configuration(tuple(definitions), tuple(concerns))


def _is_own(path: Path, concern: Concern) -> bool:
    return path.suffix == ".toml" or concern.has_csv


def _definitions(path: Path, concern: Concern, problems: list[Problem]) -> Iterator[Defined]:
    rows = _csv_rows if path.suffix == ".csv" else _toml_rows
    try:
        for place, fields in rows(path, concern):
            for message in _messages(concern.row, fields, place, problems):
                yield Defined(message, place)
    except (tomllib.TOMLDecodeError, csv.Error, UnicodeDecodeError) as error:
        problems.append(Problem("NOT_READABLE", Place(path.name), "", "", str(error)))
    except ValueError as error:
        problems.append(Problem("UNKNOWN_TABLE", Place(path.name), "", "", str(error)))


def _toml_rows(path: Path, concern: Concern) -> Iterator[tuple[Place, dict[str, Any]]]:
    document = tomllib.loads(path.read_text())
    for row, fields in concern.tables(concern.table, document):
        name = fields.get(concern.names[0], "") if isinstance(fields, dict) else ""
        yield Place(path.name, f"{row} {name}".rstrip() if name not in row.split() else row), fields


def _csv_rows(path: Path, concern: Concern) -> Iterator[tuple[Place, dict[str, Any]]]:
    with path.open(newline="") as file:
        reader = csv.DictReader(file, restkey="", strict=True)
        for cells in reader:
            place = Place(path.name, f"line {reader.line_num} {cells.get(concern.names[0], '')}")
            yield place, concern.row.parse_text({k: v for k, v in cells.items() if v})


def _messages(
    row: type[Row], fields: dict[str, Any], place: Place, problems: list[Problem]
) -> tuple[Any, ...]:
    try:
        return row.model_validate(fields).messages()
    except ValidationError as error:
        problems += [_problem(place, each) for each in error.errors()]
    except OffGridError as error:
        bound = f"a multiple of {error.increment:f}"
        problems.append(Problem("OFF_GRID", place, error.name, str(error.value), bound))
    except ValueError as error:
        problems.append(Problem("VALUE_ERROR", place, "", "", str(error)))
    return ()


def _problem(place: Place, error: Any) -> Problem:
    field = ".".join(str(part) for part in error["loc"])
    value = "" if error["type"] == "missing" or not field else _shown(error["input"])
    return Problem(error["type"].upper(), place, field, value, error["msg"])


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= VALUE_MAX else text[:VALUE_MAX] + "…"


def _twice(definitions: list[Defined]) -> Iterator[Problem]:
    """Yield what is defined twice for one instant."""
    seen: dict[tuple[str, int], Place] = {}
    for message, place in definitions:
        key = (label_of(message), getattr(message, "effective_ns", 0))
        if key in seen:
            first = " ".join(seen[key])
            yield Problem("DUPLICATE_SUBJECT", place, key[0], "", f"stands in {first} already")
        seen[key] = place
