"""A real broker: ready means committed, restarts keep everything, and nothing is left behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition

from infra.broker import BrokerSettings, EmbeddedBroker, running_bootstrap, stop_broker
from infra.broker.archive import archive_path
from infra.broker.errors import (
    AlreadyRunningError,
    DiskFullError,
    NotRunningError,
    PortTakenError,
    StartError,
)
from infra.broker.jars import provide_jars, read_lock
from infra.broker.java import find_java
from infra.broker.ports import HOST
from infra.broker.process import Identity, is_alive, wait_gone
from infra.broker.ready import READY_TOPIC
from infra.topics import create_topics, read_log_id

pytestmark = pytest.mark.broker
ROOT = Path(__file__).parents[2]


def identity_of(broker: EmbeddedBroker) -> Identity:
    identity = Identity.of(broker.pid)
    assert identity is not None
    return identity


def committed(bootstrap: str) -> list[bytes | None]:
    """Return the committed values of the readiness topic."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "test",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
        }
    )
    try:
        consumer.assign([TopicPartition(READY_TOPIC, 0, 0)])
        message = consumer.poll(10)
        return [] if message is None else [message.value()]
    finally:
        consumer.close()


def test_ready_means_that_a_transaction_has_committed(embedded_broker: EmbeddedBroker) -> None:
    assert committed(embedded_broker.bootstrap) == [b"ready"]


def test_a_clean_restart_and_a_crash_keep_records_and_ports(
    embedded_broker: EmbeddedBroker,
) -> None:
    bootstrap, log_id = embedded_broker.bootstrap, create_topics(embedded_broker.bootstrap)
    embedded_broker.restart()
    assert (embedded_broker.bootstrap, read_log_id(bootstrap)) == (bootstrap, log_id)
    embedded_broker.kill()
    assert not embedded_broker.is_running
    embedded_broker.restart()
    assert (embedded_broker.bootstrap, read_log_id(bootstrap)) == (bootstrap, log_id)


def test_a_stop_leaves_nothing_running(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path) as broker:
        identity = identity_of(broker)
        assert running_bootstrap(tmp_path) == broker.bootstrap
        assert broker.stop()
        assert not is_alive(identity)
        assert running_bootstrap(tmp_path) == ""
        assert broker.stop()  # again is nothing


def test_a_broker_that_hangs_is_killed_after_the_bound(tmp_path: Path) -> None:
    settings = BrokerSettings(stop_timeout_s=1)
    with EmbeddedBroker(tmp_path, settings=settings) as broker:
        identity = identity_of(broker)
        os.kill(broker.pid, signal.SIGSTOP)
        assert not broker.stop()
        assert not is_alive(identity)


def test_kill_9_of_the_parent_ends_the_broker(tmp_path: Path) -> None:
    code = (
        "import sys; from infra.broker import EmbeddedBroker\n"
        f"broker = EmbeddedBroker({str(tmp_path)!r}).start()\n"
        "sys.stdout.write(f'{broker.pid}\\n'); sys.stdout.flush(); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        identity = Identity.of(int(parent.stdout.readline()))
        assert identity is not None
        assert is_alive(identity)
        parent.kill()
    assert wait_gone(identity, 5)


def run_cli(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from services.cli.broker import app; app()", *words]
    return subprocess.run(
        command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=120
    )


def test_a_daemon_outlives_its_starter_and_is_stopped_from_elsewhere(tmp_path: Path) -> None:
    where = ("--data", str(tmp_path))
    started = run_cli("start", *where)
    try:
        assert started.returncode == 0, started.stderr
        assert committed(running_bootstrap(tmp_path)) == [b"ready"]
        with pytest.raises(AlreadyRunningError, match="is in use by the broker with pid"):
            EmbeddedBroker(tmp_path).start()
        assert run_cli("status", *where).returncode == 0
    finally:
        stopped = run_cli("stop", *where)
    assert stopped.returncode == 0, stopped.stderr
    assert run_cli("status", *where).returncode == 1
    with pytest.raises(NotRunningError, match="no broker runs on"):
        stop_broker(tmp_path)


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen(1)
        port = other.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"port {HOST}:{port} is taken"):
            EmbeddedBroker(tmp_path, port=port).start()


def test_too_little_disk_is_named_before_anything_starts(tmp_path: Path) -> None:
    settings = BrokerSettings(free_mb_min=10**12)
    with pytest.raises(DiskFullError, match=r"MB free, at least 1000000000000 MB needed"):
        EmbeddedBroker(tmp_path, settings=settings).start()


def test_a_broker_that_ends_early_shows_the_end_of_its_log(tmp_path: Path) -> None:
    meta = tmp_path / "logs" / "meta.properties"
    meta.parent.mkdir()
    meta.write_text("version=1\ncluster.id=x\nnode.id=7\ndirectory.id=AAAAAAAAAAAAAAAAAAAAAQ\n")
    with pytest.raises(StartError, match=r"(?s)the broker ended with 1; end of .*node.id"):
        EmbeddedBroker(tmp_path).start()
    assert running_bootstrap(tmp_path) == ""


@pytest.mark.parametrize("content", [b"", b"not an archive" * 1000], ids=["empty", "garbage"])
def test_a_broken_start_up_archive_does_no_harm(tmp_path: Path, content: bytes) -> None:
    shared = BrokerSettings()
    cache = tmp_path / "cache"
    cache.mkdir()
    provide_jars(shared, read_lock())
    (cache / "jars").symlink_to(shared.cache / "jars")
    settings = BrokerSettings(cache=cache)
    archive = archive_path(settings, find_java(), provide_jars(settings, read_lock()))
    archive.parent.mkdir()
    archive.write_bytes(content)
    with EmbeddedBroker(tmp_path / "data", settings=settings) as broker:
        assert committed(broker.bootstrap) == [b"ready"]


def test_a_second_start_tells_how_long_it_took(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with EmbeddedBroker(tmp_path) as broker:
        broker.stop()
        started = time.monotonic()
        broker.start()
        took = time.monotonic() - started
    with capsys.disabled():
        sys.stdout.write(f" [second start to the first committed transaction: {took:.2f} s] ")
    assert took < 30
