"""A day on the compose cluster: two engines, standing venues, the demo, Prometheus."""

import json
import re
from collections.abc import Iterator
from functools import partial

import pytest

from tests.support.compose import PROVED, Compose, composed
from tests.support.counted_run import eventually
from tests.support.dashboards import Panel, panels

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]
ENGINES, SHARDS = 2, 4
# What may well be zero on a good day; every other panel must show that something happened.
QUIET = {
    "trading: Needs a person",
    "trading: Age of the oldest input",
    "engine: Engines that ended",
    "engine: Age of the oldest input",
}
LOOK_BACK_S = 120
CONFIG = "/etc/prometheus/prometheus.yml"


@pytest.fixture(scope="module")
def compose() -> Iterator[Compose]:
    """Everything but Grafana up, and a day played by the demo in its container."""
    # The seed is one with a bust, a correction and a refusal in so short a day.
    day = {"PENSTOCK_MINUTES": "4", "PENSTOCK_ORDERS": "400", "PENSTOCK_SEED": "8"}
    day |= {"PENSTOCK_STEP_MS": "2000", "PENSTOCK_SNAPSHOT_BATCHES": "50"}
    with composed("docker-compose.yml", "penstock-test", **day) as project:
        up = ("--profile", "obs", "up", "-d", "--no-build", "--scale", f"engine={ENGINES}")
        project.run(*up, "engine", "venues", "planner", "prometheus")
        healthy = {"engine": ENGINES, "venues": 1, "planner": 1, "kafka": 1, "prometheus": 1}
        project.await_healthy(healthy)
        yield project


@pytest.fixture(scope="module")
def played(compose: Compose) -> str:
    """Return what `docker compose run --rm cli demo` prints."""
    return compose.run("run", "--rm", "-T", "cli", "demo")


def test_the_demo_prints_its_table_and_proves_the_day(played: str) -> None:
    assert [words for words in PROVED if words not in played] == []
    assert re.search(r"\d+\s+parents worked", played), played
    assert re.search(r"^P\w+\.\d\.\d+ ", played, re.MULTILINE), "no row of a parent"
    assert "docker compose run --rm cli verify" in played


def test_another_day_is_refused_in_words(compose: Compose, played: str) -> None:
    told = compose.run("run", "--rm", "-T", "cli", "demo", "--seed=9", is_checked=False)
    assert "the venues service plays another day" in told


def test_the_shards_are_spread_over_the_engines(compose: Compose, played: str) -> None:
    running: list[int] = []

    def are_spread() -> bool:
        running[:] = [int(each["value"][1]) for each in compose.ask("penstock_supervisor_running")]
        return sorted(running) == [SHARDS // ENGINES] * ENGINES

    eventually(are_spread, f"{running} shards by engine", 30)


def test_every_target_is_scraped(compose: Compose, played: str) -> None:
    up = compose.ask("up")
    assert {each["metric"]["job"] for each in up} == {"engine", "venues", "planner", "prometheus"}
    assert all(each["value"][1] == "1" for each in up), up


@pytest.mark.parametrize("panel", panels(), ids=str)
def test_a_panel_is_answered(compose: Compose, played: str, panel: Panel) -> None:
    for query in panel.queries:
        eventually(partial(is_answered, compose, str(panel), query), query, 15)


def is_answered(compose: Compose, panel: str, query: str) -> bool:
    """Return whether the query has values over the day, other than 0 unless the panel is quiet."""
    answer = compose.ask(query, seconds=LOOK_BACK_S)
    values = [float(value) for series in answer for _, value in series["values"]]
    return any(values) or (panel in QUIET and bool(values))


def test_what_prometheus_counts_is_what_the_demo_counted(compose: Compose, played: str) -> None:
    def counted(query: str) -> int:
        return round(float(compose.ask(query)[0]["value"][1]))

    def told(words: str) -> int:
        found = re.search(rf"([\d,]+)\s+{words}", played)
        assert found, f"no {words} in {played}"
        return int(found[1].replace(",", ""))

    fills = 'sum(penstock_gateway_messages_total{direction="out",kind="TRADE"})'
    children = 'sum(penstock_gateway_messages_total{direction="in",kind="ChildPlaced"})'
    assert counted("sum(penstock_orders)") == told("orders accepted")
    assert counted(children) == told("children at the venues")
    assert counted(fills) >= told("fills;"), "the venues told a fill that nobody booked"
    assert counted("sum(penstock_open_parents)") == 0


def test_our_containers_run_as_nobody_special(compose: Compose) -> None:
    for service in ("engine", "venues", "planner"):
        assert compose.run("exec", "-T", service, "id", "-u").strip() == "10001"


def test_the_rules_of_prometheus_are_valid(compose: Compose) -> None:
    told = compose.run("exec", "-T", "prometheus", "promtool", "check", "config", CONFIG)
    assert "SUCCESS" in told


def test_clearing_reports_the_day(compose: Compose, played: str) -> None:
    compose.run("--profile", "clearing", "up", "-d", "--no-build", "--no-recreate", "clearing")
    compose.await_healthy({"clearing": 1})
    sent: list[dict[str, int]] = []

    def are_sent() -> bool:
        told = compose.run("run", "--rm", "-T", "cli", "clearing", "status", "--json")
        sent.append(json.loads(told)["counts"])
        return len(sent) > 1 and sent[-1] == sent[-2] and any(sent[-1].values())

    eventually(are_sent, f"clearing reports nothing: {sent}", 60)
    eventually(lambda: bool(compose.ask('up{job="clearing"} == 1')), "it is not scraped", 30)


def test_the_log_outlives_its_containers(compose: Compose, played: str) -> None:
    compose.run("--profile", "*", "down", "-t", "15")
    compose.run("up", "-d", "--no-build", "engine", "venues")
    compose.await_healthy({"engine": 1, "venues": 1, "kafka": 1})
    told = compose.run("run", "--rm", "-T", "cli", "verify", "--json")
    assert json.loads(told)["findings"] == []
