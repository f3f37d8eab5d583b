"""`penstock demo --attach`: whoever runs already plays the day, the demo proves it."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from infra.broker.ports import pick_ports
from infra.topics import create_topics
from tests.support.counted_run import eventually
from tests.support.own_broker import OwnBroker

pytestmark = [pytest.mark.broker, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
DAY = {
    "PENSTOCK_VENUES_SEED": "5",
    "PENSTOCK_VENUES_MINUTES": "1",
    "PENSTOCK_VENUES_ORDERS": "120",
    "PENSTOCK_VENUES_STEP_MS": "1000",
}


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", *words]


@pytest.fixture
def standing(own_broker: OwnBroker, tmp_path: Path) -> Iterator[str]:
    """Start two hosts of engines and standing venues; return the cluster when all are ready."""
    bootstrap = own_broker.bootstrap
    create_topics(bootstrap)
    # Shards serve beside their host, on the ports after its own.
    first, *_ = pick_ports(1)
    second, venues = first + 10, first + 20
    engine = ("services.engine", f"--bootstrap={bootstrap}", "--mode=TAPE", "--seed=5")
    programs = (
        (*engine, f"--metrics-port={first}"),
        (*engine, f"--metrics-port={second}"),
        (
            "services.venues",
            f"--bootstrap={bootstrap}",
            "--is-standing=true",
            f"--metrics-port={venues}",
        ),
    )
    with ExitStack() as stack:
        for number, words in enumerate(programs):
            output = stack.enter_context((tmp_path / f"{number}.log").open("wb"))
            process = subprocess.Popen(
                command(*words), stdout=output, stderr=output, env=environment()
            )
            stack.callback(process.wait, 30)
            stack.callback(process.terminate)
        for port in (first, second, venues):
            eventually(lambda port=port: is_ready(port), f"port {port} is not ready")  # type: ignore[misc]  # bound now
        yield bootstrap


def environment() -> dict[str, str]:
    return {**os.environ, **DAY, "PYTHONPATH": str(ROOT)}


def is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def demo(bootstrap: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("services.cli.main", "demo", "--attach", f"--bootstrap={bootstrap}", *words),
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )


def test_the_demo_opens_a_standing_market_and_proves_its_day(standing: str) -> None:
    other = demo(standing, "--seed=6")
    assert other.returncode == 1
    assert "the venues service plays another day" in other.stdout
    first = demo(standing, "--json")
    assert first.returncode == 0, first.stdout + first.stderr[-3_000:]
    result = json.loads(first.stdout)
    assert result["orders_accepted"] + result["orders_rejected"] == 120
    assert result["filled_quantity"] == result["allocated_quantity"] > 0
    assert result["replay_equal"] is True
    assert result["invariants_failed"] == []
    again = demo(standing, "--json")
    assert again.returncode == 0, again.stderr[-3_000:]
    shown = json.loads(again.stdout)
    same = ("state_hash", "events", "fills", "tca")
    assert [shown[name] for name in same] == [result[name] for name in same]
