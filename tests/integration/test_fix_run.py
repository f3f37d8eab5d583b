"""`penstock fix run`: both processes of a gateway, started again when they end, stopped in turn."""

import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.broker.ports import pick_ports
from tests.support.broker import Cluster
from tests.support.counted_run import eventually
from tests.support.fix_peer import FixPeer
from tests.support.fix_wire import ROOT, acceptor_toml, order, session_toml

pytestmark = pytest.mark.broker

NUMBER = 13
TERMS = """
[session.terms]
tenant = "HOUSE"
source = "DESK"
desk_id = "CASH"
accounts = ["*"]
"""


class Command:
    """The command as a process, with what it logs."""

    def __init__(self, folder: Path, bootstrap: str, toml: str, port: int) -> None:
        self.log = folder / "run.log"
        file = folder / "run.toml"
        file.write_text(toml)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "services.cli.main", "fix", "run", str(file)),
                    *(f"--bootstrap={bootstrap}", f"--store={folder / 'stores'}"),
                    f"--metrics-port={port}",
                ],
                stderr=log,
                cwd=ROOT,
                start_new_session=True,
            )

    def processes(self, part: str) -> list[int]:
        """Return the processes of a part, the newest last."""
        found = re.findall(rf"{part} of run runs as process (\d+)", self.log.read_text())
        return [int(each) for each in found]


@contextmanager
def run(folder: Path, bootstrap: str, toml: str, port: int) -> Iterator[Command]:
    command = Command(folder, bootstrap, toml, port)
    try:
        yield command
    finally:
        if command.process.poll() is None:
            command.process.kill()  # and with it, by the kernel, what it started
        command.process.wait()


def read(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return str(answer.read().decode())


def test_what_ends_is_started_again_and_a_stop_says_goodbye(
    tmp_path: Path, broker: Cluster
) -> None:
    port, metrics, _ = sorted(pick_ports(3))
    toml = acceptor_toml(NUMBER, port, session_toml("desk", "DESK") + TERMS, name="run")
    with (
        run(tmp_path, broker.bootstrap, toml, metrics) as command,
        FixPeer(tmp_path / "peer", port, sender="DESK", target="PENSTOCK") as peer,
    ):
        peer.await_logon()
        peer.send("D", order("1", t55="NOBODY"))
        assert peer.take("8").get(39) == "8"  # no such instrument: the gateway itself says so
        shown = read(metrics, "/metrics")
        assert 'penstock_fix_logged_on{gateway="run",session="desk"} 1.0' in shown
        assert read(metrics, "/readyz") == "ok\n"
        for part in ("wire", "gateway"):
            subprocess.run(["kill", "-9", str(command.processes(part)[-1])], check=True)
            eventually(lambda part=part: len(command.processes(part)) == 2, f"a new {part}")  # type: ignore[misc]
        eventually(lambda: peer.count("A") >= 2, "logged on again")
        peer.await_logon()
        peer.send("D", order("2", t55="NOBODY"))
        assert peer.take("8").get(11) == "2"
        os.killpg(command.process.pid, signal.SIGINT)  # as Ctrl-C does
        assert peer.take("5").get(58) == "the gateway stops"
        assert command.process.wait(60) == 0
        assert peer.count("8") == 2


def test_a_file_that_is_wrong_is_refused_in_words(tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(acceptor_toml(1, 1, session_toml("desk", "DESK"), kind="oms"))
    done = subprocess.run(
        [sys.executable, "-m", "services.cli.main", "fix", "run", str(file), "--bootstrap=x:1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Invalid value" in done.stderr
