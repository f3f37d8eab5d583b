"""What the compose files promise, as compose itself reads them."""

from typing import Any

import pytest

from infra.broker.ports import HOST
from tests.support.compose import Compose

pytestmark = pytest.mark.docker
FILES = ("docker-compose.yml", "compose.cluster.yml")
ENDS = ("topics", "cli")  # jobs: they end by themselves
OURS = {"topics", "engine", "venues", "planner", "clearing", "cli", "fix", "fix-tls"}
BROKERS = {"docker-compose.yml": 1, "compose.cluster.yml": 3}
DATA = "/var/lib/kafka/data"


@pytest.fixture(params=FILES)
def file(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def services(file: str) -> dict[str, Any]:
    found: dict[str, Any] = Compose(file, "penstock-read", {}).config()["services"]
    return found


def test_every_port_is_on_the_loopback_interface(services: dict[str, Any]) -> None:
    hosts = [port["host_ip"] for each in services.values() for port in each.get("ports", ())]
    assert len(hosts) >= 4
    assert set(hosts) == {HOST}


def test_every_service_that_stays_has_a_health_check(services: dict[str, Any]) -> None:
    # The image of ours brings its own: infra/docker/Dockerfile.
    without = [
        name
        for name, each in services.items()
        if name not in ENDS and "healthcheck" not in each and each["image"] != "penstock:local"
    ]
    assert without == []


def test_nothing_starts_before_what_it_needs(services: dict[str, Any]) -> None:
    needs = {
        name: {other: how["condition"] for other, how in each.get("depends_on", {}).items()}
        for name, each in services.items()
    }
    assert (
        needs["engine"]["topics"] == needs["venues"]["topics"] == "service_completed_successfully"
    )
    started_only = [name for name, each in needs.items() if "service_started" in each.values()]
    assert started_only == []


def test_the_log_of_every_broker_is_on_a_volume(file: str, services: dict[str, Any]) -> None:
    brokers = {name: each for name, each in services.items() if "KAFKA_NODE_ID" in _settings(each)}
    assert len(brokers) == BROKERS[file]
    for each in brokers.values():
        assert _settings(each)["KAFKA_LOG_DIRS"] == DATA
        assert [v["target"] for v in each["volumes"] if v["type"] == "volume"] == [DATA]


def test_three_brokers_keep_three_copies_and_two_acknowledge(
    file: str, services: dict[str, Any]
) -> None:
    settings, copies = _settings(services["kafka"]), BROKERS[file]
    assert settings["KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR"] == str(copies)
    if copies > 1:
        assert settings["KAFKA_MIN_INSYNC_REPLICAS"] == "2"
        assert services["topics"]["command"][-2:] == ["--replication-factor", "3"]


def test_every_client_of_a_cluster_knows_each_broker(services: dict[str, Any]) -> None:
    brokers = [name for name, each in services.items() if "KAFKA_NODE_ID" in _settings(each)]
    every = ",".join(f"{name}:9092" for name in sorted(brokers))
    told = {
        name: " ".join([*(each.get("command") or ()), *map(str, _settings(each).values())])
        for name, each in services.items()
        if "kafka" in each.get("depends_on", {}) or name == "cli"
    }
    assert told.keys() >= OURS - {"fix-tls"}
    assert [
        name for name, words in told.items() if "kafka:9092" in words and every not in words
    ] == []


def test_our_services_cannot_write_or_rise(services: dict[str, Any]) -> None:
    ours = {name: each for name, each in services.items() if each["image"].startswith("penstock")}
    assert ours.keys() == OURS
    for each in ours.values():
        assert each["read_only"] and each["cap_drop"] == ["ALL"]
        assert each["security_opt"] == ["no-new-privileges:true"]


def _settings(service: dict[str, Any]) -> dict[str, str]:
    return service.get("environment") or {}
