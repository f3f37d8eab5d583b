"""Fields that would make another order of it, and what they may say all the same, as HTML."""

from collections.abc import Sequence

from services.fix.clients.unworkable import WORKABLE
from services.fix.codes import Version
from services.fix.dictionary import dictionary
from services.fix.spec.html import Html, join, table, tag

__all__ = ["unworked"]


def unworked(versions: Sequence[Version]) -> Html:
    """Return the table of the fields that any of the versions has in a D."""
    rows = [
        [str(number), name, ", ".join(WORKABLE[number]) or "absent"]
        for number in sorted(WORKABLE)
        if (name := next((n for v in reversed(versions) if (n := dictionary(v).name(number))), ""))
    ]
    return join(
        [
            tag("h2", "Fields that are not worked", id="unworked"),
            tag("p", "A D, G or order of an E with any other value of these is refused, by 8 or 9 "
                "with VALUE_OUT_OF_RANGE, the tag, its value and what it may say."),
            table([("tag", "n"), ("", "name"), ("may say", "")], rows),
        ]
    )  # fmt: skip
