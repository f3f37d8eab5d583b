"""Decode one message: names by its version's dictionary, groups nested, errors named."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from services.fix.decode.raw import Raw
from services.fix.dictionary import Dictionary, Item, Version, dictionary, dictionary_of
from services.fix.fields import LENGTHS

__all__ = ["Decoded", "Line", "decode"]

TRAILER = (93, 89, 10)
PASSWORDS = (554, 925)


class Line(NamedTuple):
    """One field of a message."""

    tag: int
    value: str
    name: str  # empty: no version knows the tag
    meaning: str  # the value's name, empty when it has none
    depth: int  # groups around it
    note: str  # what is wrong with it, empty when nothing is


@dataclass(slots=True)
class Decoded:
    """A message with names, and all that is wrong with it."""

    version: str
    type: str
    title: str
    lines: list[Line]
    errors: list[str] = field(default_factory=list)


def decode(raw: Raw, *, is_body: bool = False, begin_string: str = "", kind: str = "") -> Decoded:
    """Return the message with names. A body lacks header and trailer: they are told beside it."""
    first = dict(reversed(raw.pairs))
    version = begin_string or first.get(8, "")
    kind = kind or first.get(35, "")
    words = dictionary_of(version)
    layout = words.layout(kind)
    header = [] if is_body else [tag for tag, _ in raw.pairs if _is_header(words, tag)]
    known = (*words.header, *(layout.items if layout else ()))
    walker = _Walker(words, raw.pairs, layout is not None)
    lines = list(walker.walk(known))
    errors = [raw.trouble] if raw.trouble else []
    if not is_body:
        errors += _frame_errors(raw, header)
    title = layout.name if layout else words.value_name(35, kind)
    if layout is not None:
        present = {tag for tag, _ in raw.pairs}
        required = [tag for tag in layout.required() if tag not in present]
        errors += [f"required {words.name(tag)}({tag}) is missing" for tag in required]
    elif kind:
        errors.append(f"{words.version} has no message {kind}: groups are shown flat")
    errors += [f"{line.name or line.tag}({line.tag}): {line.note}" for line in lines if line.note]
    return Decoded(version, kind, title, lines, errors)


def _is_header(words: Dictionary, tag: int) -> bool:
    return any(item.tag == tag for item in words.header)


def _frame_errors(raw: Raw, header: Sequence[int]) -> Iterator[str]:
    """Yield what is wrong with the envelope: order of the first three, length, checksum."""
    pairs = raw.pairs
    if [tag for tag, _ in pairs[:3]] != [8, 9, 35]:
        yield f"begins with {', '.join(str(tag) for tag, _ in pairs[:3])}, not with 8, 9, 35"
    if not pairs or pairs[-1][0] != 10:
        yield "ends without CheckSum(10)"
        return
    sizes = [len(f"{tag}={value}") + 1 for tag, value in pairs]
    length = sum(sizes[2:-1])
    said = pairs[1][1] if len(pairs) > 1 and pairs[1][0] == 9 else ""
    if said and said != str(length):
        yield f"BodyLength(9) is {said}, the body has {length} bytes"
    total = sum(raw.text[: sum(sizes[:-1])]) % 256
    if pairs[-1][1] != f"{total:03d}":
        yield f"CheckSum(10) is {pairs[-1][1]}, the bytes sum to {total:03d}"
    for tag in (34, 49, 52, 56):
        if tag not in header:
            yield f"required header field {tag} is missing"


class _Walker:
    """Walks a message beside its layout, as deep as the layout's groups go."""

    def __init__(self, words: Dictionary, pairs: Sequence[tuple[int, str]], strict: bool) -> None:
        self.words, self.pairs, self.strict = words, pairs, strict
        self.at = 0

    def walk(self, items: Sequence[Item]) -> Iterator[Line]:
        """Yield the fields outside of groups and, after each count, its group's."""
        places = {item.tag: item for item in items}
        seen: set[int] = set()
        while self.at < len(self.pairs):
            tag, value = self.pairs[self.at]
            self.at += 1
            note = "comes twice" if tag in seen and self.strict else ""
            seen.add(tag)
            item = places.get(tag)
            if not note and item is None and self.strict and tag not in TRAILER:
                note = self._stranger(tag)
            if item is not None and item.group:
                inner = list(self._group(item, 1))
                yield self._line(tag, value, 0, note or _count_note(value, inner, item))
                yield from inner
            else:
                yield self._line(tag, value, 0, note)

    def _group(self, item: Item, depth: int) -> Iterator[Line]:
        """Yield fields while they are of the group; its first tag begins each entry."""
        places = {inner.tag: inner for inner in item.group}
        while self.at < len(self.pairs):
            tag, value = self.pairs[self.at]
            inner = places.get(tag)
            if inner is None:
                return
            self.at += 1
            if inner.group:
                nested = list(self._group(inner, depth + 1))
                yield self._line(tag, value, depth, _count_note(value, nested, inner))
                yield from nested
            else:
                yield self._line(tag, value, depth, "")

    def _stranger(self, tag: int) -> str:
        if self.words.name(tag):
            return "not in this message"
        if dictionary(Version.FIX50SP2).name(tag):
            return f"not a field of {self.words.version}"
        return "" if tag >= 5_000 else "no such field"

    def _line(self, tag: int, value: str, depth: int, note: str) -> Line:
        words = self.words if self.words.name(tag) else dictionary(Version.FIX50SP2)
        kind = words.fields.get(tag)
        meaning = words.value_name(tag, value)
        if not value:
            note = note or "has no value"
        elif kind and kind.values and not meaning and not note and tag not in (8, 35, 847):
            note = f"{value} is none of its values"
        shown = "***" if tag in PASSWORDS else value
        is_bytes = tag in LENGTHS.values()
        return Line(tag, repr(shown) if is_bytes else shown, words.name(tag), meaning, depth, note)


def _count_note(value: str, inner: Sequence[Line], item: Item) -> str:
    first = inner[0].tag if inner else 0
    entries = sum(line.tag == first and line.depth == inner[0].depth for line in inner)
    if inner and first != item.group[0].tag:
        return f"its entries begin with {first}, not with {item.group[0].tag}"
    return "" if value == str(entries) else f"says {value}, {entries} entries follow"
