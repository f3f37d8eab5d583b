"""Which tags a message of ours may have in each version: what a version lacks is left out."""

from functools import cache
from typing import Final

from services.fix.codes import Version
from services.fix.dictionary import Item, dictionary
from services.fix.fields import SOH, Fields

__all__ = ["has_message", "kept"]

# Tags of later versions that our dictionaries add (services/fix/dictionaries/derive.py).
ADDED: Final = {
    Version.FIX42: frozenset((528, 797, 847, 848, 849, 851, 957, 958, 959, 960)),
    Version.FIX44: frozenset((797, 957, 958, 959, 960)),
}


def has_message(version: Version, message_type: str) -> bool:
    """Return whether the version has such a message at all."""
    return dictionary(version).layout(message_type) is not None


def kept(version: Version, message_type: str, fields: Fields, *, is_plain: bool = False) -> Fields:
    """Return the fields that the version's message has; those of groups come as they are.

    `is_plain`: without those that only our dictionaries add to the version.
    """
    known = _tags(version, message_type)
    if is_plain:
        known = known - ADDED.get(version, frozenset())
    return Fields((tag, _latin(text)) for tag, text in fields.pairs if tag in known and text)


def _latin(text: str) -> str:
    """Return a text as FIX can carry it: names of the log may have any character."""
    text = text.replace(SOH, "?")
    return text if text.isascii() else text.encode("latin-1", "replace").decode("latin-1")


@cache
def _tags(version: Version, message_type: str) -> frozenset[int]:
    layout = dictionary(version).layout(message_type)
    assert layout is not None, f"{version} has no message {message_type}"
    return frozenset(_all(layout.items))


def _all(items: tuple[Item, ...]) -> list[int]:
    return [tag for item in items for tag in (item.tag, *_all(item.group))]
