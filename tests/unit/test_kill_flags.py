"""What a local flag means, what of it is news, and how files and SIGUSR1 raise it."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.messages.core import KillScope
from streams.adapters.latch import FileLatch, default_directory
from streams.kill import Flag, flag_of, gone, raised, stops_child, unheard


def read(content: str) -> Flag:
    found = flag_of(raised("stop-1", content))
    assert isinstance(found, Flag)
    return found


@pytest.mark.parametrize(
    ("content", "scope", "scope_id"),
    [
        ('{"scope": "FIRM"}', KillScope.FIRM, ""),
        ('{"scope": "firm", "scope_id": "whatever"}', KillScope.FIRM, ""),
        ('{"scope": "account", "scope_id": "A1"}', KillScope.ACCOUNT, "A1"),
        ('{"scope": "account:A1"}', KillScope.ACCOUNT, "A1"),
        ('{"scope": "strategy:vwap"}', KillScope.STRATEGY, "VWAP"),
        ('{"scope": "Venue: V1 "}', KillScope.VENUE, "V1"),
        ('{"scope": "instrument:BRK:B"}', KillScope.INSTRUMENT, "BRK:B"),
    ],
)
def test_a_flag_says_what_it_stops(content: str, scope: KillScope, scope_id: str) -> None:
    flag = read(content)
    assert (flag.scope, flag.scope_id) == (scope, scope_id)


@pytest.mark.parametrize(
    "content",
    [
        "",
        " ",
        "stop!",
        "{}",
        "[]",
        "null",
        '{"scope": "everything"}',
        '{"scope": "UNKNOWN", "scope_id": "A1"}',
        '{"scope": "account"}',
        '{"scope": "account", "scope_id": " "}',
        '{"scope": "strategy:VWPA"}',
        '{"scope": "firm", "skope_id": "A1"}',
        '{"scope": "account", "scope_id": 7}',
        json.dumps({"scope": "account", "scope_id": "A" * 65}),
        '{"scope": "account", "scope_id": "A1"',
        "\ufffd\ufffd",
    ],
)
def test_what_cannot_be_read_stops_the_firm(content: str) -> None:
    flag = read(content)
    assert (flag.scope, flag.scope_id) == (KillScope.FIRM, "")
    assert flag.kill_id == "flag-stop-1"


def test_a_text_that_is_no_text_of_ours_stops_the_firm() -> None:
    flag = flag_of("no JSON")
    assert isinstance(flag, Flag) and flag.scope is KillScope.FIRM


def test_a_flag_may_say_who_why_and_by_which_name() -> None:
    content = {"scope": "firm", "kill_id": "K7", "reason": "r" * 501, "actor": "ann"}
    flag = read(json.dumps({**content, "is_canceling_orders": True}))
    assert (flag.kill_id, flag.actor, flag.is_canceling_orders) == ("K7", "ann", True)
    assert len(flag.reason) == 500


def test_only_changes_are_news() -> None:
    one, other = raised("one", ""), raised("other", "{}")
    assert unheard((), (one, other)) == (one, other)
    assert unheard(("one",), (one, other)) == (other,)
    assert unheard(("one", "other"), (one, other)) == ()
    assert unheard(("one", "other"), (other,)) == (gone("one"),)
    assert unheard(("one",), (other,)) == (other, gone("one"))
    assert flag_of(gone("one")) == "one"


@pytest.mark.parametrize(
    ("content", "is_stopped"),
    [
        ("", True),
        ('{"scope": "venue:V1"}', True),
        ('{"scope": "venue:V2"}', False),
        ('{"scope": "instrument:ACME"}', True),
        ('{"scope": "instrument:ACM"}', False),
        ('{"scope": "account:ACME"}', False),  # a gateway sees no account; the engine does
    ],
)
def test_a_gateway_stops_what_it_can_see(content: str, is_stopped: bool) -> None:
    assert stops_child(read(content), venue_id="V1", instrument_id="ACME") is is_stopped


def texts(latch: FileLatch) -> list[Flag]:
    flags = [flag_of(text) for text in latch.standing()]
    return [flag for flag in flags if isinstance(flag, Flag)]


def test_files_are_flags_in_the_order_of_their_names(tmp_path: Path) -> None:
    latch = FileLatch(tmp_path / "kill")
    assert latch.standing() == ()
    (tmp_path / "kill").mkdir()
    assert latch.standing() == ()
    (tmp_path / "kill" / "b.json").write_text("")
    (tmp_path / "kill" / "a.json").write_text('{"scope": "venue:V1"}')
    (tmp_path / "kill" / ".a.json.tmp").write_text("half of it")
    (tmp_path / "kill" / "readme.txt").write_text("not a flag")
    assert [flag.scope for flag in texts(latch)] == [KillScope.VENUE, KillScope.FIRM]
    (tmp_path / "kill" / "a.json").unlink()
    assert [flag.scope for flag in texts(latch)] == [KillScope.FIRM]


def test_a_file_edited_in_place_is_another_flag(tmp_path: Path) -> None:
    latch, file = FileLatch(tmp_path), tmp_path / "stop.json"
    file.write_text('{"scope": "account:A1"}')
    (before,) = latch.standing()
    file.write_text('{"scope": "account:A2"}')
    (after,) = latch.standing()
    first = flag_of(before)
    assert isinstance(first, Flag)
    assert unheard((first.flag,), (after,)) == (after, gone(first.flag))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_what_may_not_be_read_stops_the_firm(tmp_path: Path) -> None:
    file = tmp_path / "stop.json"
    file.write_text('{"scope": "account:A1"}')
    file.chmod(0)
    assert [flag.scope for flag in texts(FileLatch(tmp_path))] == [KillScope.FIRM]


def test_a_directory_that_is_none_stops_the_firm(tmp_path: Path) -> None:
    (tmp_path / "kill").write_text("a file where the flags should stand")
    assert [flag.scope for flag in texts(FileLatch(tmp_path / "kill"))] == [KillScope.FIRM]


def test_bytes_that_are_no_text_stop_the_firm(tmp_path: Path) -> None:
    (tmp_path / "stop.json").write_bytes(b"\xff\xfe" * 3_000)
    assert [flag.scope for flag in texts(FileLatch(tmp_path))] == [KillScope.FIRM]


@pytest.fixture
def own_signal() -> Iterator[None]:
    before = signal.getsignal(signal.SIGUSR1)
    yield
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.usefixtures("own_signal")
def test_the_signal_puts_a_file_that_outlives_the_process(tmp_path: Path) -> None:
    latch = FileLatch(tmp_path / "kill")
    latch.listen("engine-0")
    os.kill(os.getpid(), signal.SIGUSR1)
    os.kill(os.getpid(), signal.SIGUSR1)
    (flag,) = texts(latch)
    assert (flag.scope, flag.reason) == (KillScope.FIRM, "SIGUSR1")
    assert texts(FileLatch(tmp_path / "kill")) == [flag]
    assert latch.is_written


@pytest.mark.usefixtures("own_signal")
def test_the_signal_works_when_no_file_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    latch = FileLatch(tmp_path / "file" / "kill")
    latch.listen("engine-0")
    os.kill(os.getpid(), signal.SIGUSR1)
    assert [flag.reason for flag in texts(latch)][:1] == ["SIGUSR1"]
    assert not latch.is_written


def test_the_directory_is_the_same_for_every_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PENSTOCK_KILL_DIR", raising=False)
    assert default_directory() == Path(".penstock/kill")
    monkeypatch.setenv("PENSTOCK_KILL_DIR", "/var/lib/penstock/kill")
    assert default_directory() == Path("/var/lib/penstock/kill")
