"""Engine processes: one a shard, watched, restarted with a growing pause."""

import logging
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from services.ending import CORRUPT, FENCED, STOPPED
from services.engine.settings import EngineSettings

__all__ = ["Children", "Ended"]

REASONS = {STOPPED: "stopped", CORRUPT: "corrupt", FENCED: "fenced"}
PAUSE_FIRST_S, PAUSE_MAX_S = 0.5, 10.0
POLL_S = 0.02
log = logging.getLogger("penstock.engine")


@dataclass(slots=True)
class Child:
    """One engine process."""

    process: subprocess.Popen[bytes]
    pipe: int
    started_s: float
    heard_s: float = 0.0  # 0: no turn yet


@dataclass(slots=True)
class Ended:
    """What happened since the last look."""

    fenced: list[int] = field(default_factory=list)
    hung: list[int] = field(default_factory=list)
    corrupt: list[int] = field(default_factory=list)


class Children:
    """The engines of this host. `module` is the program that runs one shard."""

    def __init__(self, settings: EngineSettings, module: str = "services.engine.shard") -> None:
        self._settings = settings
        self._module = module
        self._selector = selectors.DefaultSelector()
        self._running: dict[int, Child] = {}
        self._wanted: set[int] = set()
        self._pause_s: dict[int, float] = {}
        self._not_before_s: dict[int, float] = {}
        self.corrupt: set[int] = set()
        self.ends: Counter[str] = Counter()  # by reason, of engines that ended by themselves

    @property
    def wanted(self) -> set[int]:
        return set(self._wanted)

    @property
    def processes(self) -> dict[int, int]:
        """Return the process id of each engine that runs, by shard."""
        return {shard: child.process.pid for shard, child in [*self._running.items()]}

    @property
    def silent(self) -> set[int]:
        """Return the wanted shards whose engine has not had its first turn."""
        heard = {shard for shard, child in [*self._running.items()] if child.heard_s}
        return self._wanted - heard

    def want(self, shard: int) -> None:
        """Keep an engine of this shard running from now on."""
        self._wanted.add(shard)

    def release(self, shards: list[int]) -> None:
        """Stop these engines, all at once, and return when they are gone."""
        self._wanted.difference_update(shards)
        children = [self._running[shard] for shard in shards if shard in self._running]
        for child in children:
            child.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + self._settings.stop_timeout_s
        for child in children:
            try:
                child.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
        for shard in shards:
            if shard in self._running:
                self._forget(shard)

    def pass_on(self, number: signal.Signals) -> None:
        """Send a signal to every engine that runs."""
        for child in self._running.values():
            child.process.send_signal(number)

    def look(self) -> Ended:
        """Hear the engines, reap those that ended, kill those that hang, start what is wanted."""
        ended = Ended()
        now_s = time.monotonic()
        for key, _ in self._selector.select(0):
            os.read(key.fd, 4096)
            self._running[key.data].heard_s = now_s
        for shard, child in list(self._running.items()):
            code = child.process.poll()
            if code is None and self._is_hung(child, now_s):
                log.error("shard %d is silent: killed", shard)
                child.process.kill()
                child.process.wait()
                code = FENCED
                ended.hung.append(shard)
                self.ends["hung"] += 1
            elif code is not None:
                self.ends[REASONS.get(code, "failed")] += 1
            if code is not None:
                self._forget(shard)
                self._judge(shard, code, now_s - child.started_s, ended)
        for shard in sorted(self._wanted - self._running.keys() - self.corrupt):
            if now_s >= self._not_before_s.get(shard, 0.0):
                self._start(shard)
        return ended

    def _judge(self, shard: int, code: int, lived_s: float, ended: Ended) -> None:
        log.warning("shard %d ended with code %d after %.1f s", shard, code, lived_s)
        if code == CORRUPT:
            self.corrupt.add(shard)
            ended.corrupt.append(shard)
        elif code == FENCED:
            self._wanted.discard(shard)  # until a fresh assignment gives it to us
            ended.fenced.append(shard)
        elif code != STOPPED or shard in self._wanted:
            pause_s = self._pause_s.get(shard, PAUSE_FIRST_S)
            if lived_s > PAUSE_MAX_S:
                pause_s = PAUSE_FIRST_S
            self._not_before_s[shard] = time.monotonic() + pause_s
            self._pause_s[shard] = min(PAUSE_MAX_S, pause_s * 2)

    def _is_hung(self, child: Child, now_s: float) -> bool:
        if child.heard_s:
            return now_s - child.heard_s > self._settings.hang_timeout_s
        return now_s - child.started_s > self._settings.recovery_timeout_s

    def _start(self, shard: int) -> None:
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        more = [f"--shard={shard}", f"--watch-fd={writing}", f"--parent-pid={os.getpid()}"]
        command = [sys.executable, "-m", self._module, *self._settings.arguments(), *more]
        process = subprocess.Popen(command, pass_fds=(writing,), stdin=subprocess.DEVNULL)
        os.close(writing)
        self._selector.register(reading, selectors.EVENT_READ, shard)
        self._running[shard] = Child(process, reading, time.monotonic())
        log.info("shard %d runs as process %d", shard, process.pid)

    def _forget(self, shard: int) -> None:
        child = self._running.pop(shard)
        self._selector.unregister(child.pipe)
        os.close(child.pipe)
