"""Ways to plant a break in what a reconciliation reads: change, leave out, add, repeat."""

from collections.abc import Callable
from typing import Any

import msgspec

from services.clearing.reconciliation.run import Entry

__all__ = ["Entries", "Plant", "add", "change", "last", "leave_out"]

Entries = list[Entry]
Plant = Callable[[Entries], Entries]


def last(entries: Entries, kind: type[Any], **wanted: Any) -> int:
    """Return the index of the last message of that kind whose fields have these values."""
    found = [
        index
        for index, entry in enumerate(entries)
        if isinstance(entry.message, kind)
        and all(getattr(entry.message, name) == value for name, value in wanted.items())
    ]
    assert found, f"no {kind.__name__} with {wanted}"
    return found[-1]


def change(kind: type[Any], wanted: dict[str, Any], **fields: Any) -> Plant:
    """Replace fields of that message; a callable is given the old value."""

    def plant(entries: Entries) -> Entries:
        index = last(entries, kind, **wanted)
        message = entries[index].message
        new = {
            name: value(getattr(message, name)) if callable(value) else value
            for name, value in fields.items()
        }
        entries[index] = entries[index]._replace(message=msgspec.structs.replace(message, **new))
        return entries

    return plant


def leave_out(kind: type[Any], **wanted: Any) -> Plant:
    """Drop that message."""

    def plant(entries: Entries) -> Entries:
        del entries[last(entries, kind, **wanted)]
        return entries

    return plant


def add(kind: type[Any], wanted: dict[str, Any], **fields: Any) -> Plant:
    """Write that message once more, with these fields changed."""

    def plant(entries: Entries) -> Entries:
        entry = entries[last(entries, kind, **wanted)]
        message = msgspec.structs.replace(entry.message, **fields)
        offset = max(each.offset for each in entries) + 1
        return [*entries, entry._replace(message=message, offset=offset)]

    return plant
