"""Read a version's data file: written by `derive.py` from QuickFIX's XML, kept in the repo."""

import json
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import NamedTuple

__all__ = [
    "Dictionary",
    "FieldKind",
    "Item",
    "Layout",
    "Version",
    "dictionary",
    "dictionary_of",
]


class Version(StrEnum):
    """Versions that we speak; the value is the data file's name."""

    FIX42 = "FIX42"
    FIX44 = "FIX44"
    FIX50SP2 = "FIX50SP2"  # over FIXT 1.1


class FieldKind(NamedTuple):
    """What a tag means."""

    name: str
    type: str  # as in the specification: PRICE, UTCTIMESTAMP, NUMINGROUP
    values: dict[str, str]  # empty: any value


class Item(NamedTuple):
    """A tag's place in a message; `group` holds what may repeat after a count."""

    tag: int
    is_required: bool
    group: tuple["Item", ...] = ()


class Layout(NamedTuple):
    """A message: its name and its fields in order, without header and trailer."""

    name: str
    items: tuple[Item, ...]

    def required(self) -> tuple[int, ...]:
        """Return the tags that every such message has."""
        return tuple(item.tag for item in self.items if item.is_required)

    def find(self, tag: int) -> Item | None:
        """Return a tag's place outside of groups."""
        return next((item for item in self.items if item.tag == tag), None)


class Dictionary(NamedTuple):
    """One version. Messages are those of trading; fields are named for all."""

    version: Version
    fields: dict[int, FieldKind]
    header: tuple[Item, ...]
    messages: dict[str, Layout]

    def name(self, tag: int) -> str:
        """Return a tag's name; empty when the version has none."""
        kind = self.fields.get(tag)
        return kind.name if kind else ""

    def value_name(self, tag: int, value: str) -> str:
        """Return a value's name, several for a list of values; empty when it has none."""
        kind = self.fields.get(tag)
        if kind is None or not kind.values:
            return ""
        if value in kind.values or "MULTIPLE" not in kind.type:
            return kind.values.get(value, "")
        return " ".join(kind.values.get(word, "?") for word in value.split())

    def tag(self, name: str) -> int:
        """Return the tag of a name. Raises LookupError."""
        for tag, kind in self.fields.items():
            if kind.name == name:
                return tag
        raise LookupError(f"{self.version} has no field {name}")


@cache
def dictionary(version: Version) -> Dictionary:
    """Return a version's dictionary."""
    data = json.loads(Path(__file__).with_name(f"{version}.json").read_text())
    return Dictionary(
        version,
        {
            int(tag): FieldKind(name, kind, values[0] if values else {})
            for tag, (name, kind, *values) in data["fields"].items()
        },
        _items(data["header"]),
        {kind: Layout(name, _items(layout)) for kind, (name, layout) in data["messages"].items()},
    )


def dictionary_of(begin_string: str) -> Dictionary:
    """Return the dictionary that reads a message; the nearest one for versions between ours."""
    if begin_string.startswith("FIXT") or begin_string.startswith("FIX.5"):
        return dictionary(Version.FIX50SP2)
    old = ("FIX.4.0", "FIX.4.1", "FIX.4.2")
    return dictionary(Version.FIX42 if begin_string in old else Version.FIX44)


def _items(layout: str) -> tuple[Item, ...]:
    return _read(iter(layout.split()))


def _read(words: Iterator[str]) -> tuple[Item, ...]:
    items: list[Item] = []
    for word in words:
        if word == ")":
            break
        if word == "(":
            items[-1] = items[-1]._replace(group=_read(words))
        else:
            items.append(Item(int(word.rstrip("!")), word.endswith("!")))
    return tuple(items)
