"""The rules of engagement name every message of the gateways, and every example is good FIX."""

from html import escape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.main import app
from services.fix.clearers.answers import ANSWERS
from services.fix.clients.gateway import HANDLERS
from services.fix.clients.unworkable import WORKABLE
from services.fix.codes import Version
from services.fix.decode import decode, raw_messages
from services.fix.spec.catalog import catalog
from services.fix.spec.conversations import conversations
from services.fix.spec.page import page
from services.fix.spec.references import told_reasons
from streams.parameters import DEFINITIONS, rows

ENTRIES = {entry.type: entry for entry in catalog()}
HEADER = (8, 9, 34, 35, 49, 52, 56, 10)
VOID = ("meta",)
SAID = {version: conversations(version) for version in Version}
PAGE = page()


def test_every_message_that_a_gateway_handles_is_in_it() -> None:
    assert {*HANDLERS, *ANSWERS, "J", "3", "j", "A", "0", "1", "2", "4", "5"} <= {*ENTRIES}
    for entry in ENTRIES.values():
        assert f'id="m-{entry.type}"' in PAGE
        assert entry.versions, entry.type
        for row in entry.fields:
            assert row.versions, f"no version has {row.tag} in {entry.type}"


def test_every_field_that_a_version_requires_is_told() -> None:
    from services.fix.dictionary import dictionary

    for entry in ENTRIES.values():
        for version in entry.versions:
            layout = dictionary(version).layout(entry.type)
            assert layout is not None
            missing = {*layout.required()} - {row.tag for row in entry.fields}
            assert not missing, f"{entry.type} of {version} lacks {missing}"


@pytest.mark.parametrize("version", Version)
def test_every_example_is_a_good_message_whose_fields_are_all_told(version: Version) -> None:
    kinds = set()
    for conversation in SAID[version]:
        assert any(each.is_ours for each in conversation.exchanges), conversation.key
        for exchange in conversation.exchanges:
            made = decode(next(raw_messages(exchange.text.decode("latin-1"))))
            assert made.errors == [], (conversation.key, exchange.text)
            told = {row.tag for row in ENTRIES[made.type].fields if version in row.versions}
            said = {line.tag for line in made.lines} - {*HEADER}
            assert said <= told, f"{made.type}: {said - told} is said and not told"
            kinds.add(made.type)
    assert {"D", "8", "F", "G", "9", "j", "E", "N", "H"} <= kinds


def test_the_examples_show_what_their_titles_say() -> None:
    types = {}
    for conversation in SAID[Version.FIX44]:
        made = [decode(next(raw_messages(e.text.decode()))) for e in conversation.exchanges]
        values = [{line.tag: line.value for line in each.lines} for each in made]
        types[conversation.key] = [each.get(150, each[35]) for each in values]
    assert types["life"] == ["D", "0", "F"]
    assert types["change"] == ["D", "0", "G", "5", "F", "4"]
    assert types["refused"] == ["D", "8", "D", "8", "F", "9", "D", "j"]
    assert "H" in types["bust"]
    assert types["mass"][0] == "q"
    assert "r" in types["mass"]


def test_strategies_and_refusals_are_told() -> None:
    for kind, definition in DEFINITIONS.items():
        assert f"847={definition.fix_value}" in PAGE
        for row in rows(kind):
            assert f'<td class="name">{row.about.fix_name}</td>' in PAGE
            assert escape(row.about.meaning) in PAGE
    reasons = told_reasons()
    assert len(reasons) > 50
    assert all(f"<code>{reason.value}</code>" in PAGE for reason in reasons)


def test_fields_that_are_not_worked_are_told_with_what_they_may_say() -> None:
    table = PAGE.partition('id="unworked"')[2].partition("</table>")[0]
    for number, allowed in WORKABLE.items():
        row = table.partition(f'<td class="n">{number}</td>')[2].partition("</tr>")[0]
        assert row.endswith(f'<td class="">{", ".join(allowed) or "absent"}</td>'), number
    of_42 = page(version=Version.FIX42)
    assert "StopPx" in of_42
    assert "PegPriceType" not in of_42  # a version is told what it has


class Balance(HTMLParser):
    """Reads a page and remembers what is open, and every address that it would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        told = {name: value or "" for name, value in attrs}
        self.fetched += [told[name] for name in ("src", "href") if name in told]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_fetches_nothing() -> None:
    balance = Balance()
    balance.feed(PAGE)
    assert balance.open == []
    ids = {part.partition('"')[0] for part in PAGE.split('id="')[1:]}
    assert balance.fetched
    assert all(each[0] == "#" and each[1:] in ids for each in balance.fetched)


def test_a_sessions_page_has_its_version_only(tmp_path: Path) -> None:
    file = tmp_path / "gate.toml"
    file.write_text(
        'name = "gate"\nnumber = 1\nkind = "clients"\n[[session]]\nsession_id = "oms1"\n'
        'password_env = "SECRET_OF_OMS1"\n[session.quickfix]\nBeginString = "FIX.4.2"\n'
        'SenderCompID = "US"\nTargetCompID = "THEM<1>"\n'
    )
    out = tmp_path / "spec.html"
    arguments = ["fix", "spec", "--out", str(out), "--session", "oms1", "--gateway", str(file)]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    text = out.read_text()
    assert "THEM&lt;1&gt;" in text
    assert "8=FIX.4.2|" in text
    assert "8=FIX.4.4|" not in text
    assert 'id="m-D"' in text
    assert 'id="m-J"' not in text
    assert "SECRET_OF_OMS1" not in text
    assert CliRunner().invoke(app, [*arguments[:4], "--session", "oms1"]).exit_code == 2
    assert CliRunner().invoke(app, [*arguments[:5], "oms2", *arguments[6:]]).exit_code == 2
