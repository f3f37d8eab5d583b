"""Scripts of certifications say good FIX, and a play tells what was expected and what was seen."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.fix.cert.identity import CertificationError, peer_of
from services.fix.cert.run import body_of, play, values_of
from services.fix.cert.script import SCRIPTS, Script, read_script
from services.fix.codes import Version
from services.fix.decode import decode, raw_messages
from services.fix.dictionary import dictionary
from services.fix.fields import SOH, Fields, framed
from services.fix.settings import GatewayFile, Kind

SCRIPT = Script.model_validate(
    {
        "title": "t",
        "timeout_s": 1,
        "values": {"quantity": "5", "order": "11={id1}|38={quantity}|58="},
        "step": [
            {"name": "in", "do": "logon"},
            {
                "name": "order",
                "do": "send",
                "type": "D",
                "body": "{order}",
                "expect": [{"type": "8", "fields": {"11": "{id1}", "150": "0|A", "17": "*"}}],
            },
            {"name": "fill", "do": "wait", "needs": "market"},
            {"name": "mass", "do": "send", "type": "q", "body": "11={id2}"},
            {"name": "out", "do": "logout"},
        ],
    }
)


class FakeLine:
    """Implements what `play` asks of a Line: logs on at once, and answers as it is told."""

    def __init__(self, answers: list[Fields]) -> None:
        self.heard: list[Fields] = []
        self.words = dictionary(Version.FIX42)
        self.is_logged_on = False
        self.done: list[tuple[str, dict[str, Any]]] = []
        self._answers = answers

    def do(self, what: str, **more: Any) -> None:
        self.done.append((what, more))
        self.is_logged_on = {"logon": True, "logout": False}.get(what, self.is_logged_on)
        if what == "send":
            self.heard += self._answers

    def wait_until(self, is_so: Callable[[], bool], timeout_s: float) -> bool:
        return is_so()


def played(*answers: Fields) -> tuple[FakeLine, list[tuple[str, str]]]:
    line = FakeLine(list(answers))
    results = list(play(SCRIPT, line, run="R", own={}, have=frozenset()))  # type: ignore[arg-type]
    return line, [(each.step, each.outcome.word) for each in results]


def test_a_play_passes_skips_and_fails() -> None:
    good = Fields([(35, "8"), (11, "R-1"), (150, "A"), (17, "e1")])
    line, words = played(good)
    assert dict(words[:2]) == {"in": "pass", "order": "pass"}
    assert dict(words[2:]) == {"fill": "skipped", "mass": "skipped", "out": "pass"}
    assert ("send", {"type": "D", "body": f"11=R-1{SOH}38=5{SOH}"}) in line.done
    for changed in ((35, "9"), (11, "R-2"), (150, "8"), (17, "")):
        wrong = Fields([changed if changed[0] == tag else (tag, v) for tag, v in good.pairs])
        assert played(wrong)[1][1] == ("order", "FAIL"), changed


@pytest.mark.parametrize("kind", SCRIPTS)
@pytest.mark.parametrize("version", Version)
def test_every_step_of_our_scripts_sends_good_fix(kind: Kind, version: Version) -> None:
    script = read_script(SCRIPTS[kind])
    assert {"logon", "logout", "disconnect", "forget", "skip"} <= {s.do for s in script.step}
    values = values_of(script, "R", {})
    # Steps that are to be refused for what they lack.
    meant = ("Price", "ClOrdID")
    for step in script.step:
        if not step.type or dictionary(version).layout(step.type) is None:
            continue
        header = Fields([(35, step.type), (34, "2"), (49, "A"), (52, "20260302-14:30:00")])
        header.add(56, "B")
        text = framed(version.begin_string, header, body_of(step, values).encode())
        made = decode(next(raw_messages(text.decode())))
        errors = [each for each in made.errors if not any(word in each for word in meant)]
        assert errors == [], (step.name, made.errors)


def test_a_peer_stands_where_the_client_stands_and_where_we_stand(tmp_path: Path) -> None:
    def file(kind: str, **quickfix: str) -> GatewayFile:
        own = {"BeginString": "FIX.4.4", "SenderCompID": "US", "TargetCompID": "THEM"}
        session = {"session_id": "s", "quickfix": own, "password_env": "SECRET"}
        return GatewayFile.model_validate(
            {"name": "g", "number": 0, "kind": kind, "quickfix": quickfix, "session": [session]}
        )

    ours = file("clients", SocketAcceptPort="9876", ConnectionType="acceptor")
    told = peer_of(ours, ours.session[0], folder=tmp_path, heartbeat_s=2)
    assert (told["sender"], told["target"]) == ("THEM", "US")
    assert told["settings"]["SocketConnectPort"] == "9876"
    assert told["settings"]["ConnectionType"] == "initiator"
    assert "SocketAcceptPort" not in told["settings"]
    venue = file("venues", SocketConnectPort="1", SocketConnectHost="v", ConnectionType="initiator")
    told = peer_of(venue, venue.session[0], folder=tmp_path, heartbeat_s=2)
    assert (told["sender"], told["target"], told["password_env"]) == ("US", "THEM", "SECRET")
    with pytest.raises(CertificationError):
        peer_of(file("clients"), ours.session[0], folder=tmp_path, heartbeat_s=2)
