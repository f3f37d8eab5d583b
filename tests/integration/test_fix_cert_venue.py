"""`penstock fix cert` passes a venue that keeps to FIX, and fails one that forgets its orders."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from infra.broker.ports import pick_ports
from services.fix.fields import Fields
from tests.support.fix_peer import FixPeer
from tests.support.live_desk import ROOT

GATEWAY = """
name = "fixout"
number = 2
kind = "venues"
[quickfix]
ConnectionType = "initiator"
SocketConnectHost = "127.0.0.1"
SocketConnectPort = "{port}"
[[session]]
session_id = "v1"
[session.quickfix]
BeginString = "FIX.4.4"
SenderCompID = "PENSTOCK"
TargetCompID = "VENUE"
[session.terms]
venue_id = "V1"
version = "FIX44"
"""


class Venue:
    """Answers what a peer hears, in a thread; `is_forgetful`: takes a ClOrdID twice."""

    def __init__(self, peer: FixPeer, *, is_forgetful: bool) -> None:
        self._peer, self._is_forgetful = peer, is_forgetful
        self._orders: dict[str, Fields] = {}  # by the ClOrdID that is in force
        self._used: set[str] = set()
        self._reports = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        at = 0
        while not self._over.wait(0.02):
            while at < len(self._peer.seen):
                self._hear(self._peer.seen[at])
                at += 1

    def _hear(self, message: Fields) -> None:
        name, original = message.get(11), message.get(41)
        match message.get(35):
            case "D" if name in self._used and not self._is_forgetful:
                self._report(message, name, "8", "8")
            case "D":
                self._used.add(name)
                self._orders[name] = message
                self._report(message, name, "0", "0")
            case "H":
                self._report(self._orders[name], name, "I", "0")
            case "F" | "G" if original not in self._orders:
                body = Fields().add(37, "NONE").add(11, name).add(41, original).add(39, "8")
                self._peer.send("9", body.add(434, "1").add(102, "1"))
            case "G":
                self._orders.pop(original)
                self._orders[name] = message
                self._report(message, name, "5", "0", original)
            case "F":
                self._report(self._orders.pop(original), name, "4", "4", original)

    def _report(
        self, order: Fields, name: str, exec_type: str, status: str, original: str = ""
    ) -> None:
        self._reports += 1
        leaves = order.get(38) if status == "0" else "0"
        body = Fields().add(37, "V1").add(11, name).add(41, original).add(17, f"e{self._reports}")
        body.add(150, exec_type).add(39, status).add(55, "ACME").add(54, order.get(54))
        self._peer.send("8", body.add(38, order.get(38)).add(151, leaves).add(14, 0).add(6, 0))


def certify(folder: Path, *, is_forgetful: bool) -> tuple[int, list[dict[str, Any]]]:
    """Run the command against a venue; return its exit code and its report."""
    (port,) = pick_ports(1)
    file = folder / "fixout.toml"
    file.write_text(GATEWAY.format(port=port))
    command = [
        *(sys.executable, "-m", "services.cli.main", "fix", "cert", "--json", "--session", "v1"),
        *("--gateway", str(file), "--store", str(folder / "numbers")),
    ]
    peer = FixPeer(folder / "venue", port, sender="VENUE", target="PENSTOCK", acceptor=True)
    with peer, Venue(peer, is_forgetful=is_forgetful):
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=180, cwd=ROOT, check=False
        )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_a_venue_that_keeps_to_fix_passes(tmp_path: Path) -> None:
    code, report = certify(tmp_path, is_forgetful=False)
    bad = [each for each in report if each["outcome"] == "fail"]
    assert (code, bad) == (0, []), json.dumps(bad, indent=1)
    skipped = {each["step"] for each in report if each["outcome"] == "skipped"}
    assert skipped == {"Fill", "Mass cancel", "Bust of the execution"}


@pytest.mark.slow
def test_a_venue_that_takes_an_order_twice_fails(tmp_path: Path) -> None:
    code, report = certify(tmp_path, is_forgetful=True)
    bad = [each["step"] for each in report if each["outcome"] == "fail"]
    assert (code, bad) == (1, ["The same ClOrdID again is refused"])
