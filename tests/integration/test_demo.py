"""`penstock demo --json`: one object with every promised field, from a day that was proved."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEMO = ("-m", "services.cli.main", "demo", "--json", "--minutes=1", "--orders=120", "--seed=5")
FIELDS = [
    "seed",
    "tape",
    "orders_accepted",
    "orders_rejected",
    "crossed_quantity",
    "parents",
    "children",
    "fills",
    "filled_quantity",
    "allocated_quantity",
    "unallocated_quantity",
    "overfilled_quantity",
    "busts",
    "events",
    "transactions",
    "replay_equal",
    "invariants_failed",
    "clearing",
    "latency_ms",
    "elapsed_s",
    "tca",
]


@pytest.mark.broker
@pytest.mark.slow
def test_the_demo_prints_one_object_with_every_field() -> None:
    done = subprocess.run(
        [sys.executable, *DEMO],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    result = json.loads(done.stdout)
    assert [name for name in FIELDS if name not in result] == []
    assert result["seed"] == 5
    assert result["orders_accepted"] + result["orders_rejected"] == 120
    assert result["filled_quantity"] == result["allocated_quantity"] > 0
    assert result["unallocated_quantity"] == result["overfilled_quantity"] == 0
    assert result["replay_equal"] is True
    assert result["invariants_failed"] == []
    assert result["clearing"]["captures"] > 0
    assert result["clearing"]["allocations"] > 0
    assert result["clearing"]["breaks"] == 0
    assert result["latency_ms"].keys() >= {"p50", "p99"}
    assert len(result["tca"]) == result["parents"]
