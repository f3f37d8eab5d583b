"""`penstock demo --fix`: a short day through four gateways with real QuickFIX sessions."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tests.support.fix_peer  # noqa: F401  # says what is missing where QuickFIX is not there
from tests.support.own_broker import OwnBroker

ROOT = Path(__file__).parents[2]
DEMO = ("-m", "services.cli.main", "demo", "--fix")
SHORT = ("--json", "--minutes=1", "--orders=90", "--seed=5", "--speed=5")


def run(arguments: tuple[str, ...], timeout_s: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
    )


@pytest.mark.broker
@pytest.mark.slow
def test_a_day_through_fix_is_proved(own_broker: OwnBroker) -> None:
    done = run((*DEMO, *SHORT, f"--bootstrap={own_broker.bootstrap}"), 300)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    result = json.loads(done.stdout)
    assert result["invariants_failed"] == []
    assert result["is_reproducible"] is False
    assert result["orders_accepted"] + result["orders_rejected"] > 80
    assert result["filled_quantity"] == result["allocated_quantity"] > 0
    assert result["unallocated_quantity"] == result["overfilled_quantity"] == 0
    assert result["clearing"]["breaks"] == 0
    fix: dict[str, Any] = result["fix"]
    assert fix["differences"] == 0
    assert fix["replay_equal"] is True
    sent = fix["messages"]
    assert sent["oms"]["D"] >= 90
    # A child that is asked back before it went out is never sent; none is sent twice.
    assert 0 < sent["venues"]["D"] <= result["children"]
    assert sent["clients"]["8/0"] == result["orders_accepted"]
    assert sent["market"]["8/F"] > 0
    assert sum(fix["acts"].values()) > 0
    assert fix["resend_requests"] or "GAP" not in fix["acts"]
