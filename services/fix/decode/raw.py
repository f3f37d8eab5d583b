"""Find FIX messages in text: SOH, pipes or ^A between fields, alone or within a log line."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from services.fix.fields import LENGTHS, SOH

__all__ = ["Raw", "raw_messages"]

# How logs and mails write SOH; a caret or backslash form is longer than the byte it stands for.
DELIMITERS: Final = (SOH, "|", "^A", "\\x01", "\\u0001", "<SOH>", "\u2401")
_START: Final = re.compile(
    r"(?<![0-9])8=(FIXT?\.[0-9.]+)(" + "|".join(map(re.escape, DELIMITERS)) + ")"
)


class Raw(NamedTuple):
    """A message as it stands in the text; `prefix` is what the line says before it."""

    prefix: str
    pairs: list[tuple[int, str]]
    text: bytes  # with SOH after each field
    trouble: str  # why the rest of it is no message; empty when all of it was read


def raw_messages(line: str) -> Iterator[Raw]:
    """Yield every message that a line holds; nothing when it holds none."""
    starts = list(_START.finditer(line))
    for number, start in enumerate(starts):
        end = starts[number + 1].start() if number + 1 < len(starts) else len(line)
        prefix = line[: start.start()].strip() if number == 0 else ""
        yield _read(prefix, line[start.start() : end].rstrip("\r\n"), start[2])


def _read(prefix: str, text: str, delimiter: str) -> Raw:
    pairs: list[tuple[int, str]] = []
    at, trouble = 0, ""
    while at < len(text):
        equals = text.find("=", at)
        tag = text[at:equals] if equals > 0 else ""
        if not (tag.isascii() and tag.isdigit() and len(tag) < 10):
            trouble = f"no tag=value at {text[at : at + 30]!r}"
            break
        end = _end_of_value(text, equals + 1, delimiter, pairs, int(tag))
        pairs.append((int(tag), text[equals + 1 : end]))
        at = end + len(delimiter)
        if tag == "10":
            break  # what follows in a log line is the log's
    joined = "".join(f"{tag}={value}{SOH}" for tag, value in pairs)
    # A terminal shows Latin-1 as it likes; what is not Latin-1 was never on the wire.
    return Raw(prefix, pairs, joined.encode("latin-1", "replace"), trouble)


def _end_of_value(
    text: str, start: int, delimiter: str, pairs: list[tuple[int, str]], tag: int
) -> int:
    """Return where the value ends: a data field by its length, another at the next field.

    A pipe within a text is no end: after one comes a tag, or the log's own words.
    """
    if pairs and LENGTHS.get(pairs[-1][0]) == tag and pairs[-1][1].isdigit():
        end = start + int(pairs[-1][1])
        if text.startswith(delimiter, end) or end == len(text):
            return end
    if tag == 10:
        found = re.match(r"[0-9]*", text[start:])
        return start + (found.end() if found else 0)
    at = text.find(delimiter, start)
    while at >= 0 and delimiter != SOH:
        following = text[at + len(delimiter) :]
        if not following or re.match(r"[0-9]{1,9}=", following):
            break
        at = text.find(delimiter, at + 1)
    return at if at >= 0 else len(text)
