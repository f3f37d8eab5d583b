"""The page: one self-contained HTML file for a counterparty's developer."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from services.fix.codes import Version
from services.fix.settings import Kind, SessionSettings
from services.fix.spec.catalog import Entry, FieldRow, catalog
from services.fix.spec.examples import examples
from services.fix.spec.html import Html, join, table, tag
from services.fix.spec.references import refusals, session_rules, strategies
from services.fix.spec.unworked import unworked

__all__ = ["page"]

STYLE: Final = Path(__file__).with_name("style.css")
NAMES: Final = {
    Version.FIX42: "4.2",
    Version.FIX44: "4.4",
    Version.FIX50SP2: "5.0 SP2",
}
GROUPS: Final = {
    "session": ("Session messages", "They keep the connection; no order depends on them."),
    "clients": ("Orders and executions", "What an order management system sends and is told."),
    "clearers": ("Allocations and clearing", "What clearers and custodians are told and answer."),
}
WAYS: Final = {"in": "you to us", "out": "we to you", "both": "both ways"}
VALUES_MAX: Final = 24  # longer tables of values are the dictionary's business


def page(
    session: SessionSettings | None = None,
    version: Version | None = None,
    kind: Kind | None = None,
) -> str:
    """Return the file's text; of a session, what its version and kind have. Needs no QuickFIX."""
    versions = (version,) if version else tuple(Version)
    groups = ("session", kind) if kind in (Kind.CLIENTS, Kind.CLEARERS) else tuple(GROUPS)
    entries = [e for e in catalog() if e.versions & {*versions} and e.group in groups]
    who = f" for session {session.session_id}" if session else ""
    body = tag(
        "div",
        tag("nav", _menu(entries)),
        tag(
            "main",
            tag("h1", f"Penstock: rules of engagement{who}"),
            tag("p", _lead(versions), class_="lead"),
            session_rules(session),
            *_groups(entries, versions),
            strategies(),
            unworked(versions),
            refusals(versions),
            examples(versions, NAMES),
        ),
        class_="frame",
    )
    head = join(
        [
            Html('<meta charset="utf-8">'),
            Html('<meta name="viewport" content="width=device-width, initial-scale=1">'),
            tag("title", f"Penstock FIX rules of engagement{who}"),
            tag("style", Html(STYLE.read_text())),
        ]
    )
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>{body}</body></html>\n'


def _lead(versions: Sequence[Version]) -> Html:
    *others, last = (f"FIX {NAMES[version]}" for version in versions)
    spoken = f"{', '.join(others)} and {last}" if others else last
    told = (
        f"We speak {spoken}. This page is written by the code that speaks it: the tables are those "
        "it validates by, and every example is a message that it has read or written."
    )
    return Html(told)


def _menu(entries: Sequence[Entry]) -> Html:
    parts: list[Html] = [tag("b", "Session"), _link("rules", "", "Rules of the session")]
    for group, (title, _) in GROUPS.items():
        own = [each for each in entries if each.group == group]
        parts += [tag("b", title)] if own else []
        parts += [_link(f"m-{each.type}", each.type, _spaced(each.title)) for each in own]
    parts.append(tag("b", "Reference"))
    for key, title in (
        ("strategies", "Strategies"), ("unworked", "Fields that are not worked"),
        ("refusals", "Refusals"), ("examples", "Examples"),
    ):  # fmt: skip
        parts.append(_link(key, "", title))
    return join(parts)


def _link(key: str, code: str, title: str) -> Html:
    return tag("a", tag("code", code) if code else "", title, href=f"#{key}")


def _groups(entries: Sequence[Entry], versions: Sequence[Version]) -> Iterator[Html]:
    for group, (title, text) in GROUPS.items():
        own = [each for each in entries if each.group == group]
        if own:
            yield tag("h2", title, id=group)
            yield tag("p", text)
            yield from (_entry(each, versions) for each in own)


def _entry(entry: Entry, versions: Sequence[Version]) -> Html:
    missing = [NAMES[v] for v in versions if v not in entry.versions]
    only = f" · not in {', '.join(missing)}" if missing else ""
    way = tag("span", WAYS[entry.way], class_=f"way-{entry.way}")
    heading = tag(
        "h3", tag("span", entry.type, class_="type"), _spaced(entry.title), id=f"m-{entry.type}"
    )
    shown = [version for version in versions if version in entry.versions]
    marks = len(versions) > 1
    head = [("tag", "n"), ("field", "name"), ("", "need")]
    head += [(NAMES[version], "v") for version in shown] if marks else []
    rows = [_field(row, shown, marks=marks) for row in entry.fields if row.versions & {*versions}]
    return join(
        [heading, tag("p", way, only, class_="tag-line"), tag("p", entry.text),
         table([*head, ("meaning", "")], rows)]
    )  # fmt: skip


def _field(row: FieldRow, shown: Sequence[Version], *, marks: bool) -> list[object]:
    cells: list[object] = [
        tag("code", row.tag),
        tag("span", row.name, class_=row.need),
        tag("span", row.need, class_=row.need),
    ]
    if marks:
        yes, no = tag("span", "✓", class_="yes"), tag("span", "-", class_="no")
        cells += [yes if version in row.versions else no for version in shown]
    return [*cells, row.note or _values(row)]


def _values(row: FieldRow) -> Html | str:
    if not row.values or len(row.values) > VALUES_MAX:
        return ""
    parts = (f"{value} {name.replace('_', ' ').lower()}" for value, name in row.values.items())
    return "; ".join(parts)


def _spaced(title: str) -> str:
    """Return OrderCancelRequest as Order Cancel Request."""
    return "".join(f" {c}" if c.isupper() and n else c for n, c in enumerate(title))
