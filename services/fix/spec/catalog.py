"""Read the catalog of messages: what they are for, and which fields they have in each version."""

import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from services.fix.codes import Version
from services.fix.dictionary import Dictionary, Item, dictionary

__all__ = ["Entry", "FieldRow", "catalog"]

FILE = Path(__file__).with_name("catalog.toml")
NEEDS = {"!": "required", "?": "conditional"}


class FieldRow(NamedTuple):
    """One field of a message."""

    tag: int
    name: str
    need: str  # required, conditional, optional
    versions: frozenset[Version]  # whose message has it
    note: str
    values: dict[str, str]  # of the newest version that has it


class Entry(NamedTuple):
    """One message type."""

    type: str
    title: str
    group: str
    way: str  # in, out or both: as we see it
    text: str
    versions: frozenset[Version]
    fields: tuple[FieldRow, ...]


@cache
def catalog() -> tuple[Entry, ...]:
    """Return every message in the file's order."""
    data = tomllib.loads(FILE.read_text())
    notes = {int(tag): note for tag, note in data["notes"].items()}
    return tuple(_entry(each, notes) for each in data["message"])


def _entry(data: dict[str, str], notes: dict[int, str]) -> Entry:
    layouts = {version: dictionary(version).layout(data["type"]) for version in Version}
    known = {v: _tags(layout.items) for v, layout in layouts.items() if layout is not None}
    title = next(layout.name for layout in reversed(layouts.values()) if layout is not None)
    rows = tuple(_row(word, known, notes) for word in data["fields"].split())
    return Entry(
        data["type"], title, data["group"], data["way"], data["text"], frozenset(known), rows
    )


def _row(word: str, known: dict[Version, frozenset[int]], notes: dict[int, str]) -> FieldRow:
    need = NEEDS.get(word[-1], "optional")
    tag = int(word.rstrip("!?"))
    words = [dictionary(version) for version in reversed(Version)]
    return FieldRow(
        tag,
        next((d.name(tag) for d in words if d.name(tag)), "LocateID"),
        need,
        frozenset(v for v, tags in known.items() if tag in tags or tag >= 5_000),
        notes.get(tag, ""),
        _values(words, tag),
    )


def _values(words: list[Dictionary], tag: int) -> dict[str, str]:
    kinds = (d.fields.get(tag) for d in words)
    return next((kind.values for kind in kinds if kind is not None), {})


def _tags(items: tuple[Item, ...]) -> frozenset[int]:
    found: set[int] = set()
    for item in items:
        found |= {item.tag, *_tags(item.group)}
    return frozenset(found)
