"""Processes are told apart, ended within a bound, and Java is looked for where it was said."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra.broker.errors import JavaMissingError, PortTakenError
from infra.broker.java import find_java
from infra.broker.ports import HOST, check_free, pick_ports
from infra.broker.process import Identity, end, is_alive, spawn
from infra.broker.state import BrokerState, live_state, write_state

STUBBORN = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sys.stdout.write("ready\\n")
sys.stdout.flush()
time.sleep(60)
"""


def java_in(folder: Path, version: str) -> Path:
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (folder / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n')
    return folder


def test_java_home_is_used_when_new_enough(tmp_path: Path) -> None:
    home, wheel = java_in(tmp_path / "home", "17.0.2"), java_in(tmp_path / "wheel", "25.0.2")
    java = find_java(str(home), wheel)
    assert (java.program, java.major) == (home / "bin" / "java", 17)


def test_an_old_java_home_is_passed_over(tmp_path: Path) -> None:
    home, wheel = java_in(tmp_path / "home", "11.0.2"), java_in(tmp_path / "wheel", "25.0.2")
    assert find_java(str(home), wheel).program == wheel / "bin" / "java"


def test_without_java_the_error_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(JavaMissingError, match=r"no Java 17 or newer at JAVA_HOME=/nowhere and "):
        find_java("/nowhere", tmp_path)


def test_the_bundled_java_runs_kafka() -> None:
    assert find_java("").major >= 17


def test_a_port_that_somebody_listens_on_is_taken() -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen(1)
        port = other.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"port {HOST}:{port} is taken"):
            check_free(port)


def test_picked_ports_are_different_and_below_the_range_of_outgoing_connections() -> None:
    ports = pick_ports(8)
    assert len(set(ports)) == 8
    assert max(ports) < 32_768


def test_a_pid_used_again_is_not_taken_for_the_broker(tmp_path: Path) -> None:
    myself = Identity.of(os.getpid())
    assert myself is not None
    assert is_alive(myself)
    state = BrokerState(
        host=HOST, port=1, controller_port=2, cluster_id="c", kafka="4", java="25", pid=myself.pid
    )
    write_state(tmp_path, state.model_copy(update={"start_ticks": myself.start_ticks}))
    assert live_state(tmp_path) is not None
    write_state(tmp_path, state.model_copy(update={"start_ticks": myself.start_ticks - 1}))
    assert live_state(tmp_path) is None


def test_a_torn_state_file_is_no_broker(tmp_path: Path) -> None:
    (tmp_path / "broker.json").write_text('{"host": "127')
    assert live_state(tmp_path) is None


def test_a_process_that_ignores_sigterm_is_killed_after_the_bound(tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = spawn([sys.executable, "-c", STUBBORN], log=log, is_detached=True)
    identity = Identity.of(child.pid)
    assert identity is not None
    wait_for(log, "ready")
    started = time.monotonic()
    assert not end(identity, 0.3)
    assert 0.3 <= time.monotonic() - started < 5
    assert child.wait(5) == -signal.SIGKILL


def test_an_attached_process_ends_with_its_parent(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = (
        "import sys, time; from pathlib import Path; from infra.broker.process import spawn\n"
        f"spawn([{sys.executable!r}, '-c', {STUBBORN!r}], log=Path({str(log)!r}), "
        "is_detached=False)\ntime.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2])
    wait_for(log, "ready")
    (child_pid,) = children_of(parent.pid)
    child = Identity.of(child_pid)
    assert child is not None
    parent.kill()
    parent.wait(5)
    deadline = time.monotonic() + 5
    while is_alive(child) and time.monotonic() < deadline:
        os.sched_yield()
    assert not is_alive(child)


def children_of(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def wait_for(log: Path, text: str) -> None:
    deadline = time.monotonic() + 10
    while not log.exists() or text not in log.read_text():
        assert time.monotonic() < deadline, f"{text} not written"
        os.sched_yield()
