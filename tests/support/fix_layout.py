"""A body held against the dictionary of its version: tags, order of groups, values, what lacks."""

import re
from decimal import Decimal, InvalidOperation

from services.fix.dictionary import Dictionary, Item, Version, dictionary
from services.fix.fields import Fields

__all__ = ["problems"]

NUMBERS = ("PRICE", "QTY", "AMT", "FLOAT", "PRICEOFFSET", "PERCENTAGE")
DATE = re.compile(r"\d{8}")
TIMESTAMP = re.compile(r"\d{8}-\d\d:\d\d:\d\d(\.\d{3}|\.\d{6}|\.\d{9})?")


def problems(version: str, message_type: str, body: Fields) -> list[str]:
    """Return what a peer that validates by the dictionary would refuse; none for a good one."""
    book = dictionary(Version(version))
    layout = book.layout(message_type)
    if layout is None:
        return [f"{version} has no {message_type}"]
    found: list[str] = []
    rest = _read(book, layout.items, list(body.pairs), found, is_group=False)
    found += [f"tag {tag} is none of {message_type}" for tag, _ in rest]
    return found


def _read(
    book: Dictionary,
    items: tuple[Item, ...],
    pairs: list[tuple[int, str]],
    found: list[str],
    *,
    is_group: bool,
) -> list[tuple[int, str]]:
    """Take the fields of one level, in any order outside of groups; return what is left."""
    known = {item.tag: item for item in items}
    seen: list[int] = []
    while pairs and pairs[0][0] in known:
        tag, value = pairs[0]
        if tag in seen:
            if is_group:
                break  # the next entry begins
            found.append(f"tag {tag} twice")
        seen.append(tag)
        pairs = pairs[1:]
        found += _value(book, tag, value)
        if known[tag].group:
            pairs = _group(book, known[tag], int(value), pairs, found)
    found += [f"lacks {i.tag}" for i in items if i.is_required and i.tag not in seen]
    places = [[item.tag for item in items].index(tag) for tag in seen]
    if is_group and places != sorted(places):
        found.append(f"group out of order: {seen}")
    return pairs


def _group(
    book: Dictionary, item: Item, count: int, pairs: list[tuple[int, str]], found: list[str]
) -> list[tuple[int, str]]:
    for _ in range(count):
        if not pairs or pairs[0][0] != item.group[0].tag:
            found.append(f"entry of {item.tag} does not begin with {item.group[0].tag}")
            return pairs
        pairs = _read(book, item.group, pairs, found, is_group=True)
    return pairs


def _value(book: Dictionary, tag: int, value: str) -> list[str]:
    kind = book.fields[tag]
    if kind.values and value not in kind.values and "MULTIPLE" not in kind.type:
        return [f"tag {tag} cannot be {value}"]
    if kind.type in NUMBERS:
        try:
            is_good = Decimal(value).is_finite() and "E" not in value
        except InvalidOperation:
            is_good = False
    elif kind.type in ("LOCALMKTDATE", "UTCDATE"):
        is_good = DATE.fullmatch(value) is not None
    elif kind.type == "UTCTIMESTAMP":
        is_good = TIMESTAMP.fullmatch(value) is not None
    elif kind.type == "CHAR":
        is_good = len(value) == 1
    elif kind.type == "BOOLEAN":
        is_good = value in ("Y", "N")
    elif kind.type in ("INT", "NUMINGROUP"):
        is_good = value.lstrip("-").isdecimal()
    else:
        is_good = bool(value)
    return [] if is_good else [f"tag {tag}: {value} is no {kind.type}"]
