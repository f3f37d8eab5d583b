"""A market day of real processes on a real broker, for tests that kill, pause and poison it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

from infra.topics import create_topics
from schemas.messages.runtime import DeadLetter
from services.audit import CheckReport, check
from services.cli.log import DECISION_TOPICS, read_to_end
from services.cli.replay import replay_shards
from services.demo.day import define
from services.demo.progress import Progress, follow
from services.demo.summary import DaySummary
from services.venues.scenario import Scenario, definitions, plan_day
from streams.runtime.ports import Message
from streams.runtime.replay import ReplayReport

PARTITIONS = 4
STALL_SECONDS = 90.0
ENGINE = "services.engine.shard"


@dataclass(slots=True, kw_only=True)
class MarketDay:
    """One scenario on one cluster; `follow_to` turns until every shard has journalled a step."""

    bootstrap: str
    scenario: Scenario
    logs: Path
    partitions: int = PARTITIONS
    log_id: bytes = b""
    steps: int = 0
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    progress: Generator[Progress, None, None] | None = None

    def prepare(self) -> None:
        """Create the topics and publish the definitions."""
        day = plan_day(self.scenario)
        self.steps = day.steps
        self.log_id = create_topics(self.bootstrap, partitions=self.partitions)
        messages = definitions(self.scenario, day)
        define(self.bootstrap, messages, at_ns=day.terms.start_ns, log_id=self.log_id)
        self.progress = follow(self.bootstrap, self.partitions)

    def start_engines(self) -> None:
        """Start the supervisor, which starts one engine a shard."""
        self._start(
            "engines",
            "services.engine",
            f"--bootstrap={self.bootstrap}",
            "--mode=TAPE",
            f"--seed={self.scenario.seed}",
            "--snapshot-batches=40",
        )

    def start_simulator(self) -> None:
        self._start(
            "simulator",
            "services.venues",
            f"--bootstrap={self.bootstrap}",
            f"--seed={self.scenario.seed}",
            f"--minutes={self.scenario.minutes}",
            f"--orders={self.scenario.orders}",
            "--snapshot-batches=40",
        )

    def start_shard(self, name: str, shard: int, transaction_timeout_ms: int) -> None:
        """Start one engine by hand, without a supervisor."""
        self._start(
            name,
            ENGINE,
            f"--bootstrap={self.bootstrap}",
            f"--shard={shard}",
            "--mode=TAPE",
            f"--seed={self.scenario.seed}",
            f"--transaction-timeout-ms={transaction_timeout_ms}",
        )

    def kill(self, name: str) -> None:
        """SIGKILL a process that we started."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def engine_pids(self) -> list[int]:
        """Return the supervisor's engines that run now."""
        children = Path(f"/proc/{self.processes['engines'].pid}/task").glob("*/children")
        pids = [int(pid) for path in children for pid in path.read_text().split()]
        return sorted(pid for pid in pids if ENGINE in _command(pid))

    def follow_to(self, step: int) -> Progress:
        """Return once every shard has journalled `step`. Raises TimeoutError when nothing moves."""
        assert self.progress is not None
        moved, transactions = time.monotonic(), -1
        for progress in self.progress:
            if progress.done_step >= step:
                return progress
            if progress.transactions != transactions:
                moved, transactions = time.monotonic(), progress.transactions
            if time.monotonic() - moved > STALL_SECONDS:
                raise TimeoutError(f"{progress} stands still; {self.last_words()}")
        raise AssertionError("a journal has no end")

    def last_words(self) -> str:
        """Return the ends of the processes' logs."""
        return "\n".join(path.read_text()[-1_500:] for path in sorted(self.logs.glob("*.log")))

    def stop(self) -> None:
        """Stop what runs, the simulator first."""
        if self.progress is not None:
            self.progress.close()
        for process in reversed(self.processes.values()):
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            process.wait(30)
        self.processes.clear()

    def check(self) -> CheckReport:
        return check(self.bootstrap)

    def replay(self) -> list[ReplayReport]:
        return replay_shards(self.bootstrap)

    def summary(self) -> DaySummary:
        summary = DaySummary()
        for entry in read_to_end(self.bootstrap, DECISION_TOPICS):
            assert entry.envelope is not None, entry
            summary.add(entry.message)
        return summary

    def decisions(self) -> list[str]:
        """Return every decision without what differs between two logs: event ids and offsets."""
        tag = self.log_id.hex()[:6]
        lines = (
            f"{e.topic} {e.partition} {e.envelope.topic_seq} {e.envelope.at_ns} {_said(e.message)}"
            for e in read_to_end(self.bootstrap, DECISION_TOPICS)
            if e.envelope is not None and "event_id" not in str(e.message)
        )
        return sorted(line.replace(tag, "TAG") for line in lines)

    def _start(self, name: str, module: str, *arguments: str) -> None:
        with (self.logs / f"{name}.log").open("ab") as output:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            )


def _said(message: Message) -> str:
    if isinstance(message, DeadLetter):
        return f"{message.topic} {message.partition} {message.reason} {message.field}"
    return str(message)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""
