"""`penstock fix run`: the wire and the gateway of each file, watched and restarted."""

import logging
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from services.ending import CORRUPT, STOPPED

__all__ = ["Fleet", "Part", "parts_of"]

PAUSE_FIRST_S: Final = 0.5
PAUSE_MAX_S: Final = 10.0
LIVED_S: Final = 30.0  # after so long a life the next restart comes at once again
SILENT_S: Final = 60.0
STARTING_S: Final = 600.0
STOP_S: Final = 20.0
LOOK_S: Final = 0.1
log = logging.getLogger("penstock.fix")


@dataclass(slots=True)
class Part:
    """One process to keep running."""

    name: str
    command: list[str]
    order: int  # those of lower order are stopped first
    process: subprocess.Popen[bytes] | None = None
    pipe: int = -1
    started_s: float = 0.0
    heard_s: float = 0.0  # 0: no turn yet
    pause_s: float = PAUSE_FIRST_S
    not_before_s: float = 0.0
    is_given_up: bool = False


def parts_of(
    files: tuple[Path, ...],
    bootstrap: str,
    *,
    store: Path,
    metrics_host: str,
    metrics_port: int,
    more: list[str],
) -> list[Part]:
    """Return both processes of each gateway's file. `more`: options of the gateways.

    A wire is stopped before its gateway: first the counterparties hear a Logout, then what they
    had sent is decided to the end. Ports from `metrics_port` on: wire, gateway, wire, gateway.
    """
    parts = []
    for number, file in enumerate(files):
        port = metrics_port + 2 * number if metrics_port else 0
        common = [f"--bootstrap={bootstrap}", f"--file={file}"]
        for order, module, own in (
            (0, "services.fix.wire", [f"--store={store}"]),
            (1, "services.fix.gateway", more),
        ):
            metrics = [f"--metrics-host={metrics_host}", f"--metrics-port={port + order}"]
            command = [sys.executable, "-m", module, *common, *own, *(metrics if port else [])]
            parts.append(Part(f"{module.rpartition('.')[2]} of {file.stem}", command, order))
    return parts


@dataclass(slots=True)
class Fleet:
    """Keeps its parts running until told to stop."""

    parts: list[Part]
    _selector: selectors.DefaultSelector = field(default_factory=selectors.DefaultSelector)

    def run(self, should_stop: Callable[[], bool]) -> int:
        """Return 1 when a part stopped for good, else 0."""
        try:
            while not should_stop():
                self._turn()
        finally:
            for order in sorted({part.order for part in self.parts}):
                self._stop([part for part in self.parts if part.order == order])
        return CORRUPT if any(part.is_given_up for part in self.parts) else STOPPED

    def _turn(self) -> None:
        for key, _ in self._selector.select(LOOK_S):
            if os.read(key.fd, 4096):
                key.data.heard_s = time.monotonic()
            else:
                time.sleep(LOOK_S)  # it has just ended
        now_s = time.monotonic()
        for part in self.parts:
            if part.process is None:
                if not part.is_given_up and now_s >= part.not_before_s:
                    self._start(part)
                continue
            code = part.process.poll()
            if code is None and self._is_hung(part, now_s):
                log.error("%s is silent: killed", part.name)
                part.process.kill()
                code = part.process.wait()
            if code is not None:
                self._ended(part, code, now_s)

    def _start(self, part: Part) -> None:
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        command = [*part.command, f"--watch-fd={writing}", f"--parent-pid={os.getpid()}"]
        # In a group of its own: a Ctrl-C of the terminal is for us, who stop the parts in turn.
        part.process = subprocess.Popen(
            command, pass_fds=(writing,), stdin=subprocess.DEVNULL, process_group=0
        )
        os.close(writing)
        part.pipe, part.started_s, part.heard_s = reading, time.monotonic(), 0.0
        self._selector.register(reading, selectors.EVENT_READ, part)
        log.info("%s runs as process %d", part.name, part.process.pid)

    def _ended(self, part: Part, code: int, now_s: float) -> None:
        lived_s = now_s - part.started_s
        self._forget(part)
        if code == CORRUPT:
            log.error("%s stopped for good: a person must look", part.name)
            part.is_given_up = True
            return
        log.warning("%s ended with code %d after %.1f s", part.name, code, lived_s)
        part.pause_s = PAUSE_FIRST_S if lived_s > LIVED_S else part.pause_s
        part.not_before_s = now_s + part.pause_s
        part.pause_s = min(PAUSE_MAX_S, 2 * part.pause_s)

    def _stop(self, parts: list[Part]) -> None:
        running = [part for part in parts if part.process is not None]
        for part in running:
            assert part.process is not None
            part.process.terminate()
        deadline_s = time.monotonic() + STOP_S
        for part in running:
            assert part.process is not None
            try:
                part.process.wait(max(0.0, deadline_s - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.error("%s does not stop: killed", part.name)
                part.process.kill()
                part.process.wait()
            self._forget(part)

    def _forget(self, part: Part) -> None:
        self._selector.unregister(part.pipe)
        os.close(part.pipe)
        part.process = None

    @staticmethod
    def _is_hung(part: Part, now_s: float) -> bool:
        if part.heard_s:
            return now_s - part.heard_s > SILENT_S
        return now_s - part.started_s > STARTING_S
