"""What a process tells of itself: counted at the commit, merged by host, served over HTTP."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from prometheus_client import CollectorRegistry

from schemas.messages.core import ClockMode
from services.metrics import probe
from services.metrics.fleet import FleetMetrics
from services.metrics.gateway import GatewayMetrics
from services.metrics.health import Health
from services.metrics.host import HostMetrics
from services.metrics.server import MetricsServer, serve
from services.metrics.tally import Tally
from streams.core import topics
from streams.runtime.host import ShardHost
from streams.runtime.inbox import TapeInbox
from streams.runtime.ports import Application, Batch, Inbound, Record
from tests.support.counting_app import OUTPUT, CountingApp
from tests.support.memory_shard import (
    CODEC,
    START_NS,
    STEP_NS,
    SteppedClock,
    committed,
    publish_day,
    settings,
    shard_log,
)

SHARD = {"service": "engine", "shard": "0"}
STEPS = 6
ALIVE = Health(silent_s_max=60, starting_s_max=60)


def ran_day(registry: CollectorRegistry, counted: list[int]) -> ShardHost:
    """Run a small day under watch."""

    def count(_: Application, now_ns: int) -> None:
        counted.append(now_ns)

    log = shard_log()
    publish_day(log, STEPS)
    chosen = settings(ClockMode.TAPE)
    host = ShardHost(
        log,
        CODEC,
        chosen,
        make_application=CountingApp,
        inbox=TapeInbox(log, CODEC, chosen),
        clock=SteppedClock(),
        pause=lambda _: None,
        observer=HostMetrics(registry, "engine", 0, count=count),
    )
    host.take_over()
    while host.turn():
        pass
    assert len(committed(log)) > STEPS
    return host


def test_a_day_is_counted_as_it_was_journalled() -> None:
    registry, counted = CollectorRegistry(), list[int]()
    host = ran_day(registry, counted)

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"penstock_{name}", {**SHARD, **labels})

    assert value("batches_total", kind="BATCH") == STEPS
    assert value("batches_total", kind="OWNER_STARTED") == 1
    assert value("take_overs_total") == 1
    # Three commands a step in all, and a watermark a step on each timed topic.
    timed = (topics.ORDERS_COMMANDS, topics.MARKET_DATA, topics.VENUES_REPORTS)
    assert sum(value("inputs_total", topic=topic) or 0 for topic in timed) == 6 * STEPS
    assert value("inputs_total", topic=topics.CONTROL_COMMANDS) == 1
    seq = host.end.topic_seqs[next(each for each in host.end.topic_seqs if each.topic == OUTPUT)]
    assert value("events_total", topic=OUTPUT) == seq + 1
    assert value("batch_seconds_count", phase="decide") == STEPS + 1
    assert value("batch_seconds_count", phase="commit") == STEPS + 1
    assert value("journal_seq") == host.end.seq
    assert value("step") == STEPS
    assert value("watermark_seconds") == (START_NS + STEPS * STEP_NS) / 1e9
    assert (value("snapshot_bytes") or 0) > 0
    assert value("input_age_seconds") == 0
    assert counted[-1] == host.end.now_ns, "idle, it counts what the last batch has left"


def record(timestamp_ms: int) -> Inbound:
    return Inbound(Record("t", 0, 0, timestamp_ms, b"", b""), None, None, None)


def test_the_age_is_that_of_the_oldest_input_in_work() -> None:
    metrics = HostMetrics(CollectorRegistry(), "engine", 0, wall_ns=lambda: 10_000_000_000)
    metrics.taken(Batch([record(9_000), record(7_500)], (), 0, 0, 0))
    assert metrics.input_age_s() == 2.5
    metrics.taken(Batch((), (), 0, 0, 0))
    assert metrics.input_age_s() == 0


def test_a_gateway_shows_its_tally() -> None:
    registry, tally = CollectorRegistry(), Tally()
    GatewayMetrics(registry, "simulator", tally)
    tally.heard["ChildPlaced"] += 3
    tally.told["TRADE"] += 2
    tally.executed["TRADE"] += 500

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, {"gateway": "simulator", **labels})

    assert value("penstock_gateway_messages_total", direction="in", kind="ChildPlaced") == 3
    assert value("penstock_gateway_messages_total", direction="out", kind="TRADE") == 2
    assert value("penstock_gateway_quantity_total", kind="TRADE") == 500


@contextmanager
def served(registry: CollectorRegistry, health: Health = ALIVE) -> Iterator[str]:
    server = MetricsServer(registry, health, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.close()


def ask(address: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_host_shows_its_shards_as_one_and_says_which_is_silent() -> None:
    first, second, host = CollectorRegistry(), CollectorRegistry(), CollectorRegistry()
    ran_day(first, [])
    HostMetrics(second, "engine", 3)
    with served(first) as one, served(second) as two, served(host) as all_of_them:
        addresses = {0: f"{one}/metrics", 3: f"{two}/metrics", 5: "http://127.0.0.1:9/metrics"}
        FleetMetrics(host, lambda: addresses)
        code, text = ask(f"{all_of_them}/metrics")
    assert code == 200
    lines = text.splitlines()
    assert 'penstock_batches_total{kind="BATCH",service="engine",shard="0"} 6.0' in lines
    assert 'penstock_journal_seq{service="engine",shard="3"} 0.0' in lines
    assert [line for line in lines if line.startswith("penstock_shard_up")] == [
        'penstock_shard_up{shard="0"} 1.0',
        'penstock_shard_up{shard="3"} 1.0',
        'penstock_shard_up{shard="5"} 0.0',
    ]
    assert lines.count("# TYPE penstock_journal_seq gauge") == 1


def test_health_is_told_apart_from_readiness() -> None:
    now_s, is_ready = [100.0], [False]
    health = Health(
        silent_s_max=5,
        starting_s_max=50,
        is_ready=lambda: is_ready[0],
        clock=lambda: now_s[0],
    )
    with served(CollectorRegistry(), health) as address:
        assert ask(f"{address}/livez") == (200, "ok\n")
        assert ask(f"{address}/readyz") == (503, "starting\n")
        health.turned()
        assert ask(f"{address}/readyz") == (503, "waiting for its parts\n")
        is_ready[0] = True
        assert ask(f"{address}/readyz") == (200, "ok\n")
        now_s[0] += 6
        assert ask(f"{address}/livez") == (503, "silent for 6.0 s, bound 5 s\n")
        assert ask(f"{address}/readyz")[0] == 503
        assert ask(f"{address}/elsewhere")[0] == 404


def test_a_start_that_takes_too_long_is_not_alive() -> None:
    now_s = [0.0]
    health = Health(silent_s_max=5, starting_s_max=50, clock=lambda: now_s[0])
    now_s[0] = 49.0
    assert health.dead() == ""
    now_s[0] = 51.0
    assert health.dead() == "silent for 51.0 s, bound 50 s"


def test_the_probe_fails_for_what_is_unready_or_away(capsys: pytest.CaptureFixture[str]) -> None:
    with served(CollectorRegistry(), Health(silent_s_max=5, starting_s_max=50)) as address:
        assert probe.main(f"{address}/livez") == 0
        assert probe.main(f"{address}/readyz") == 1
    assert "starting" in capsys.readouterr().err
    assert probe.main("http://127.0.0.1:9/readyz") == 1


def test_a_taken_port_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    with served(CollectorRegistry()) as address:
        port = int(address.rpartition(":")[2])
        serve(CollectorRegistry(), ALIVE, "127.0.0.1", port)
    assert f"no metrics on 127.0.0.1:{port}" in caplog.text
