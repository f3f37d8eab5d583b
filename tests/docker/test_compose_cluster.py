"""A day on three brokers, one of which is killed."""

import re
import subprocess

import pytest

from tests.support.compose import PROVED, Compose, composed
from tests.support.counted_run import eventually

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]


def test_a_killed_broker_of_three_costs_nothing() -> None:
    day = {"PENSTOCK_MINUTES": "2", "PENSTOCK_ORDERS": "200", "PENSTOCK_STEP_MS": "2000"}
    day |= {"PENSTOCK_PLANNER_WAIT_MS": "0"}  # no planner here: nobody would answer
    with composed("compose.cluster.yml", "penstock-test-3", **day) as cluster:
        cluster.run("up", "-d", "--no-build", "engine", "venues")
        cluster.await_healthy({"kafka": 1, "kafka-2": 1, "kafka-3": 1, "engine": 1, "venues": 1})
        demo = cluster.start("run", "--rm", "-T", "cli", "demo")
        eventually(lambda: orders_in(cluster) > 0, "the day does not begin", 60)
        cluster.run("kill", "-s", "SIGKILL", "kafka-2")
        assert demo.poll() is None, "the day was over before the kill"
        played = finished(demo)
        assert [words for words in PROVED if words not in played] == []


def orders_in(cluster: Compose) -> int:
    """Return the orders that the engine has accepted, by its own metrics."""
    page = "http://127.0.0.1:9464/metrics"
    program = f"import urllib.request as u; print(u.urlopen({page!r}).read().decode())"
    text = cluster.run("exec", "-T", "engine", "python", "-c", program)
    found = re.findall(r"^penstock_orders\{.*\} (\S+)$", text, re.MULTILINE)
    return round(sum(map(float, found)))


def finished(process: subprocess.Popen[str]) -> str:
    out, _ = process.communicate(timeout=400)
    assert process.returncode == 0, out[-6_000:]
    return out
