"""`penstock fix cert` passes our own gateway, and fails one that does not do what it should."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra.broker.ports import pick_ports
from tests.support.live_desk import ROOT, LiveDesk
from tests.support.live_fix import Quotes, gateway
from tests.support.own_broker import OwnBroker

pytest.importorskip("tests.support.fix_peer")  # says that QuickFIX is missing where it is
pytestmark = pytest.mark.broker

WRONG = """
title = "What nobody does"
timeout_s = 3
[values]
quantity = "1"
[[step]]
name = "Logon"
do = "logon"
[[step]]
name = "Too much"
do = "send"
type = "1"
body = "112=x"
expect = [{ type = "0", fields = { 112 = "y" } }]
"""


def certify(folder: Path, *more: str) -> tuple[int, list[dict[str, Any]]]:
    """Run the command; return its exit code and its report."""
    command = [
        *(sys.executable, "-m", "services.cli.main", "fix", "cert", "--json"),
        *("--session", "foreign", "--gateway", str(folder / "fixin.toml")),
        *("--store", str(folder / "numbers"), *more),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=180, cwd=ROOT, check=False
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_our_own_gateway_passes_and_a_wrong_expectation_fails(
    tmp_path: Path, own_broker: OwnBroker
) -> None:
    (port,) = pick_ports(1)
    desk = LiveDesk(bootstrap=own_broker.bootstrap, kill_dir=tmp_path / "kill", logs=tmp_path)
    desk.open()
    desk.start()
    quotes = Quotes(desk, is_canceling=True)
    try:
        with gateway(tmp_path, own_broker.bootstrap, port):
            code, report = certify(tmp_path)
            bad = [each for each in report if each["outcome"] == "fail"]
            assert (code, bad) == (0, []), json.dumps(bad, indent=1)
            passed = {each["step"] for each in report if each["outcome"] == "pass"}
            assert len(passed) == 28
            skipped = [each["step"] for each in report if each["outcome"] == "skipped"]
            assert skipped == ["Fill", "Mass cancel by CA", "Bust of the execution"]
            _decoded(desk.bootstrap)
            wrong = tmp_path / "wrong.toml"
            wrong.write_text(WRONG)
            code, report = certify(tmp_path, "--script", str(wrong))
            assert code == 1
            assert [each["outcome"] for each in report][-1] == "fail"
    finally:
        quotes.stop()
        desk.stop()


def _decoded(bootstrap: str) -> None:
    """What was said stands in the log, and `penstock fix decode` reads it without an error."""
    command = [
        *(sys.executable, "-m", "services.cli.main", "fix", "decode", "--json"),
        *("--bootstrap", bootstrap, "--session", "foreign"),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, cwd=ROOT, check=False
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    messages = [each for each in lines if "type" in each]
    assert done.returncode == 0, [each for each in messages if each["errors"]]
    assert {"D", "G", "F", "E", "K", "L", "M", "AF", "q", "8", "9", "N", "r"} <= {
        each["type"] for each in messages
    }
    assert any(" is out as 34=" in each["head"] for each in lines)
