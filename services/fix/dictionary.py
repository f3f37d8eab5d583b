"""The sessions' data dictionaries for people and tests: names, values, layout of messages.

QuickFIX validates by the same files (services/fix/dictionaries); this needs no QuickFIX.
"""

from functools import cache
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element, parse

from services.fix.codes.versions import Version
from services.fix.dictionaries import dictionary_path

__all__ = [
    "Dictionary",
    "FieldKind",
    "Item",
    "Layout",
    "Version",
    "dictionary",
    "dictionary_of",
]


# FIX 5.0 keeps header and messages of the session in FIXT 1.1.
_FILES: Final = {
    Version.FIX42: ("FIX42",),
    Version.FIX44: ("FIX44",),
    Version.FIX50SP2: ("FIXT11", "FIX50SP2"),
}


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


class Dictionary:
    """One version. Layouts are made when they are asked for: 5.0 SP2 has long ones."""

    def __init__(self, version: Version, roots: list[Element]) -> None:
        self.version = version
        self.fields: dict[int, FieldKind] = {}
        self._tags: dict[str, int] = {}
        self._components = {c.attrib["name"]: c for r in roots for c in r.iterfind("components/*")}
        self._messages: dict[str, Element] = {}
        self._layouts: dict[str, Layout] = {}
        for root in roots:
            for field in root.iterfind("fields/field"):
                self._add_field(field)
            for message in root.iterfind("messages/message"):
                self._messages.setdefault(message.attrib["msgtype"], message)
        header = next(each for root in roots for each in root.iterfind("header") if len(each))
        self.header = self._items(header)

    def layout(self, msg_type: str) -> Layout | None:
        """Return a message's layout; None when the version has no such message."""
        message = self._messages.get(msg_type)
        if message is not None and msg_type not in self._layouts:
            self._layouts[msg_type] = Layout(message.attrib["name"], self._items(message))
        return self._layouts.get(msg_type)

    @property
    def message_types(self) -> tuple[str, ...]:
        return tuple(self._messages)

    def name(self, tag: int) -> str:
        """Return a tag's name; empty when the version has none."""
        kind = self.fields.get(tag)
        return kind.name if kind else ""

    def tag(self, name: str) -> int:
        """Return the tag of a name. Raises KeyError."""
        return self._tags[name]

    def value_name(self, tag: int, value: str) -> str:
        """Return a value's name, several for a list of values; empty when it has none."""
        kind = self.fields.get(tag)
        if kind is None or not kind.values:
            return ""
        if value in kind.values or "MULTIPLE" not in kind.type:
            return kind.values.get(value, "")
        return " ".join(kind.values.get(word, "?") for word in value.split())

    def _add_field(self, field: Element) -> None:
        tag, name = int(field.attrib["number"]), field.attrib["name"]
        self._tags[name] = tag
        values = {v.attrib["enum"]: v.attrib["description"] for v in field.iterfind("value")}
        self.fields.setdefault(tag, FieldKind(name, field.attrib["type"], values))

    def _items(self, of: Element) -> tuple[Item, ...]:
        items: list[Item] = []
        for child in of:
            name, is_required = child.attrib["name"], child.attrib["required"] == "Y"
            if child.tag == "component":
                inner = self._items(self._components[name])
                # A field is required only where its component is.
                items += [i._replace(is_required=i.is_required and is_required) for i in inner]
            else:
                group = self._items(child) if child.tag == "group" else ()
                items.append(Item(self._tags[name], is_required, group))
        return tuple(items)


@cache
def dictionary(version: Version) -> Dictionary:
    """Return a version's dictionary."""
    return Dictionary(version, [parse(dictionary_path(n)).getroot() for n in _FILES[version]])


def dictionary_of(begin_string: str) -> Dictionary:
    """Return the dictionary that reads a message; the nearest one for versions between ours."""
    if begin_string.startswith(("FIXT", "FIX.5")):
        return dictionary(Version.FIX50SP2)
    old = ("FIX.4.0", "FIX.4.1", "FIX.4.2")
    return dictionary(Version.FIX42 if begin_string in old else Version.FIX44)
