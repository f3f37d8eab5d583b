"""Small pieces of HTML; every text is escaped here and nowhere else."""

from collections.abc import Iterable, Sequence
from html import escape

__all__ = ["Html", "join", "table", "tag", "text"]


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def text(value: object) -> Html:
    """Return the value as HTML; what is HTML already stays so."""
    return value if isinstance(value, Html) else Html(escape(str(value)))


def tag(name: str, *inner: object, **attributes: str) -> Html:
    """Return an element; `class_` and `for_` stand for class and for."""
    told = "".join(f' {key.rstrip("_")}="{escape(value)}"' for key, value in attributes.items())
    return Html(f"<{name}{told}>{join(inner)}</{name}>")


def join(parts: Iterable[object]) -> Html:
    """Return the parts one after another."""
    return Html("".join(text(part) for part in parts))


def table(head: Sequence[tuple[str, str]], rows: Iterable[Sequence[object]]) -> Html:
    """Return a table. `head`: title and class of each column."""
    titles = join(tag("th", title, class_=kind) for title, kind in head)
    body = join(
        tag(
            "tr", *(tag("td", cell, class_=kind) for cell, (_, kind) in zip(row, head, strict=True))
        )
        for row in rows
    )
    return tag(
        "div", tag("table", tag("thead", tag("tr", titles)), tag("tbody", body)), class_="scroll"
    )
