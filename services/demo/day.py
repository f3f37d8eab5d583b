"""Run one market day: definitions, engines and simulator as processes, until all has journalled."""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from infra.broker.process import Identity, end, spawn
from services.config.publish import publish
from services.demo.progress import Progress, follow
from services.demo.received import ChildWatch
from streams.core.errors import Error

STOP_SECONDS = 10.0
STALL_SECONDS = 60.0


class DayError(Error):
    """A process of the day ended before the day did, or nothing moves any more."""


class Processes:
    """The engine and the simulator as children; they die with us and are stopped by pid."""

    def __init__(self, log_folder: Path) -> None:
        self._log_folder = log_folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, arguments: Sequence[str]) -> None:
        command = [sys.executable, "-m", *arguments]
        log = self._log_folder / f"{name}.log"
        self._running[name] = spawn(command, log=log, is_detached=False)

    def check(self) -> None:
        """Raise DayError, with the end of its log, if one has ended by itself."""
        for name, process in self._running.items():
            code = process.poll()
            if code:
                log = (self._log_folder / f"{name}.log").read_text(errors="replace")
                raise DayError(f"{name} ended with {code}\n{log[-2_000:]}")

    def stop(self, name: str) -> None:
        """SIGTERM, and SIGKILL after ten seconds."""
        process = self._running.pop(name)
        identity = Identity.of(process.pid)
        if process.poll() is None and identity is not None:
            end(identity, STOP_SECONDS)
        process.wait()

    def stop_all(self) -> None:
        for name in reversed([*self._running]):
            self.stop(name)


class Edges(Protocol):
    """Gateways of the day: services/demo/gateways.py."""

    def start(self, processes: Processes) -> None: ...

    def await_logons(self, check: Callable[[], None]) -> None: ...

    def await_quiet(self, check: Callable[[], None]) -> None: ...


def define(bootstrap: str, messages: Sequence[Any], *, at_ns: int, log_id: bytes) -> None:
    """Publish the day's reference data before anybody decides on it, all of it or none."""
    publish(bootstrap, messages, at_ns=at_ns, actor="demo", log_id=log_id)


def run_day(
    bootstrap: str,
    *,
    engine: Sequence[str],
    planner: Sequence[str],
    simulator: Sequence[str],
    partitions: int,
    steps: int,
    log_folder: Path,
    show: Callable[[Progress], None],
    edges: Edges | None = None,
) -> ChildWatch:
    """Run to the final watermark. `engine`, `planner`, `simulator`: module and arguments of each.

    Returns when a child was first seen by a gateway's reader. Raises DayError.
    `edges`: gateways that are there before the market opens, and come to rest after its close.
    """
    processes = Processes(log_folder)
    watch = ChildWatch(bootstrap, partitions)
    watch.start()
    try:
        processes.start("planner", planner)
        processes.start("engine", engine)
        if edges is not None:
            edges.start(processes)
            edges.await_logons(processes.check)
        processes.start("simulator", simulator)
        follow_day(bootstrap, partitions, steps, show, check=processes.check)
        if edges is not None:
            edges.await_quiet(processes.check)
    finally:
        watch.stop()
        processes.stop_all()
    return watch


def follow_day(
    bootstrap: str,
    partitions: int,
    steps: int,
    show: Callable[[Progress], None],
    check: Callable[[], None] = lambda: None,
) -> None:
    """Return when every shard has journalled the last step. `check` may raise at each look.

    Raises: DayError when nothing is journalled for a minute.
    """
    moved_at, moved_to = time.monotonic(), -1
    for progress in follow(bootstrap, partitions):
        show(progress)
        if progress.done_step >= steps:
            return
        check()
        if progress.transactions != moved_to:
            moved_at, moved_to = time.monotonic(), progress.transactions
        if time.monotonic() - moved_at > STALL_SECONDS:
            raise DayError(f"nothing was journalled for {STALL_SECONDS:.0f} s")
