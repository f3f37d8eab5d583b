"""The counting engine as real processes on a real broker: feed, kill, and judge what it leaves."""

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from infra.topics import create_topics
from schemas.messages.core import ClockMode
from services.engine.settings import EngineSettings
from streams.adapters.codec import AvroCodec
from streams.adapters.kafka import KafkaLog, KafkaSettings
from streams.core import topics
from streams.runtime.history import read_to_end
from streams.runtime.ports import TopicPartition
from streams.runtime.replay import ReplayReport, replay
from streams.runtime.settings import HostSettings
from tests.support.counting_app import OUTPUT, CountingApp, command

ROOT = Path(__file__).parents[2]
DEADLINE_S = 60.0
ENGINE = "tests.support.counting_engine"


def eventually(is_true: Callable[[], bool], what: str, deadline_s: float = DEADLINE_S) -> None:
    """Ask again until it is so. Raises AssertionError at the deadline."""
    deadline = time.monotonic() + deadline_s
    while not is_true():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def catches(pid: int, number: int) -> bool:
    """Return whether a process has a handler of a signal; one that is starting has none yet."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


@dataclass(slots=True)
class CountedRun:
    """One shard, its inputs and the processes that want to own it."""

    bootstrap: str
    log_id: bytes
    shard: int = 0
    fed: int = 0
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @classmethod
    def on(cls, bootstrap: str) -> "CountedRun":
        return cls(bootstrap, create_topics(bootstrap, partitions=2))

    @property
    def log(self) -> KafkaLog:
        return KafkaLog(KafkaSettings(bootstrap=self.bootstrap))

    def engine_settings(self) -> EngineSettings:
        return EngineSettings(
            bootstrap=self.bootstrap,
            snapshot_batches=20,
            transaction_timeout_ms=2_000,
            mode=ClockMode.LIVE,
        )

    def host_settings(self) -> HostSettings:
        return self.engine_settings().host(self.shard, self.log_id)

    def start(self) -> subprocess.Popen[bytes]:
        """Start one engine process of the shard."""
        arguments = [*self.engine_settings().arguments(), f"--shard={self.shard}"]
        process = subprocess.Popen([sys.executable, "-m", ENGINE, *arguments], cwd=ROOT)
        self.processes.append(process)
        return process

    def feed(self, count: int) -> None:
        """Write `count` more commands, in one transaction."""
        codec = AvroCodec()
        producer = self.log.producer("feeder")
        producer.begin()
        for _ in range(count):
            self.fed += 1
            value = codec.encode(*command(self.fed, f"name{self.fed % 7}", self.fed, 1))
            producer.send(topics.ORDERS_COMMANDS, self.shard, b"", value)
        producer.commit()
        producer.close()

    def causes(self) -> list[bytes]:
        """Return the input that each committed `counted` event names, in order."""
        codec = AvroCodec()
        found = []
        for record in read_to_end(self.log, TopicPartition(OUTPUT, self.shard), 0):
            envelope, message = codec.decode(record.value)
            if message.context == "counted":
                found.append(envelope.causation_id)
        return found

    def await_all_counted(self) -> None:
        """Return when an event for every input is committed."""
        eventually(lambda: len(self.causes()) >= self.fed, "inputs stay uncounted")

    def replayed(self) -> ReplayReport:
        make = lambda: CountingApp(timer_every=0)  # noqa: E731  # as the engine makes it
        return replay(self.log, AvroCodec(), self.host_settings(), make)

    def check_exactly_once(self) -> None:
        """Each input led to one event, in order; the journal decides again to the same bytes."""
        found = [int.from_bytes(cause, "big") for cause in self.causes()]
        wanted = range(1, self.fed + 1)
        odd = next((at for at, (a, b) in enumerate(zip(found, wanted, strict=False)) if a != b), -1)
        around = found[max(odd - 2, 0) : odd + 8]
        assert found == [*wanted], f"{len(found)} for {self.fed} inputs; from {odd} on: {around}"
        report = self.replayed()
        assert report.difference is None, report.difference
        assert report.inputs == self.fed

    def end(self) -> None:
        """Kill whatever still runs."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
