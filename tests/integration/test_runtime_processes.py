"""Engines as processes on a real broker: killed, paused, supervised; nothing lost or doubled."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from services.ending import FENCED, STOPPED
from tests.support.broker import own_broker  # noqa: F401  # fixture
from tests.support.counted_run import ENGINE, ROOT, CountedRun, catches, eventually
from tests.support.own_broker import OwnBroker

pytestmark = pytest.mark.broker


@pytest.fixture
def run(own_broker: OwnBroker) -> Iterator[CountedRun]:  # noqa: F811  # the fixture
    counted = CountedRun.on(own_broker.bootstrap)
    yield counted
    counted.end()


@pytest.mark.slow
def test_an_engine_killed_again_and_again_counts_each_input_once(run: CountedRun) -> None:
    dice = random.Random(5)
    for _ in range(5):
        before = len(run.causes())
        engine = run.start()
        run.feed(dice.randint(100, 4_000))
        eventually(lambda floor=before: len(run.causes()) > floor, "no output")  # type: ignore[misc]  # bound now
        until = time.monotonic() + dice.random() * 0.3
        while time.monotonic() < until:
            run.feed(50)
        engine.kill()
        engine.wait()
    last = run.start()
    run.await_all_counted()
    # Those before it may have counted all: a process that is starting would just die of the signal.
    eventually(lambda: catches(last.pid, signal.SIGTERM), "the last engine does not begin")
    last.terminate()
    assert last.wait(20) == STOPPED
    run.check_exactly_once()


@pytest.mark.slow
def test_an_engine_paused_past_its_timeout_is_fenced_by_its_successor(run: CountedRun) -> None:
    first = run.start()
    run.feed(500)
    run.await_all_counted()
    run.feed(2_000)
    os.kill(first.pid, signal.SIGSTOP)
    paused_s = time.monotonic()
    second = run.start()
    run.feed(500)
    run.await_all_counted()
    transaction_timeout_s = run.engine_settings().transaction_timeout_ms / 1_000
    eventually(lambda: time.monotonic() - paused_s > 2 * transaction_timeout_s, "time stands still")
    os.kill(first.pid, signal.SIGCONT)
    assert first.wait(20) == FENCED
    run.feed(500)
    run.await_all_counted()
    second.terminate()
    assert second.wait(20) == STOPPED
    run.check_exactly_once()


def test_an_idle_engine_notices_that_it_was_replaced(run: CountedRun) -> None:
    first = run.start()
    run.feed(10)
    run.await_all_counted()
    second = run.start()
    assert first.wait(20) == FENCED
    second.terminate()
    assert second.wait(20) == STOPPED


@pytest.mark.slow
def test_a_broker_killed_under_load_is_waited_for(
    run: CountedRun,
    own_broker: OwnBroker,  # noqa: F811  # the fixture
) -> None:
    engine = run.start()
    run.feed(3_000)
    eventually(lambda: len(run.causes()) > 0, "no output")
    own_broker.kill()
    own_broker.start()
    run.feed(500)
    run.await_all_counted()
    assert engine.poll() is None
    engine.terminate()
    assert engine.wait(30) == STOPPED
    run.check_exactly_once()


def test_the_supervisor_runs_every_shard_and_restarts_a_killed_engine(run: CountedRun) -> None:
    settings = run.engine_settings()
    program = (
        "import sys; from services.engine.children import Children;"
        "from services.engine.supervisor import Supervisor;"
        "from services.engine.settings import EngineSettings;"
        "settings = EngineSettings(_cli_parse_args=True);"
        f"sys.exit(Supervisor(settings, Children(settings, {ENGINE!r})).run())"
    )
    supervisor = subprocess.Popen([sys.executable, "-c", program, *settings.arguments()], cwd=ROOT)
    run.processes.append(supervisor)
    run.feed(100)
    run.await_all_counted()
    engines = children_of(supervisor.pid)
    assert len(engines) == 2
    for pid in engines:
        os.kill(pid, signal.SIGKILL)
    run.feed(100)
    run.await_all_counted()
    restarted = children_of(supervisor.pid)
    assert not set(engines) & set(restarted)
    supervisor.terminate()
    assert supervisor.wait(30) == 0
    assert not any(is_running(pid) for pid in restarted)
    run.check_exactly_once()


def test_engines_die_with_their_supervisor(run: CountedRun) -> None:
    program = (
        "import sys; from services.engine.children import Children;"
        "from services.engine.supervisor import Supervisor;"
        "from services.engine.settings import EngineSettings;"
        "settings = EngineSettings(_cli_parse_args=True);"
        f"sys.exit(Supervisor(settings, Children(settings, {ENGINE!r})).run())"
    )
    arguments = run.engine_settings().arguments()
    supervisor = subprocess.Popen([sys.executable, "-c", program, *arguments], cwd=ROOT)
    run.processes.append(supervisor)
    eventually(lambda: len(children_of(supervisor.pid)) == 2, "engines do not start")
    engines = children_of(supervisor.pid)
    supervisor.kill()
    supervisor.wait()
    eventually(lambda: not any(is_running(pid) for pid in engines), "orphans", 10)


def children_of(pid: int) -> list[int]:
    """Return the child processes, as the kernel lists them."""
    with open(f"/proc/{pid}/task/{pid}/children") as listed:
        return [int(word) for word in listed.read().split()]


def is_running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
