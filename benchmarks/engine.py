"""The engine and the bench venue as processes, and what the log says of their work."""

import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from confluent_kafka import Consumer, TopicPartition

from infra.broker.process import spawn
from schemas.messages.intake import OrderClosed, OrderRejected
from services.cli.log import consumer, records
from streams.adapters.codec import AvroCodec
from streams.core.topics import ENGINE_JOURNAL, ORDERS_EVENTS

STALL_SECONDS = 60.0
CLOSED_NAMES = (OrderClosed, OrderRejected)


class Running(NamedTuple):
    engine: subprocess.Popen[bytes]
    venue: subprocess.Popen[bytes]
    logs: Path

    def rss_mb(self) -> int:
        """Return the engine's resident memory now."""
        pages = int(Path(f"/proc/{self.engine.pid}/statm").read_text().split()[1])
        return pages * resource.getpagesize() // 1_000_000


@contextmanager
def running(bootstrap: str, *engine_arguments: str) -> Iterator[Running]:
    """Run one engine shard and the bench venue until the block ends."""
    with TemporaryDirectory(prefix="penstock-bench-logs-") as folder:
        logs = Path(folder)
        made = Running(
            _start(
                logs / "engine.log",
                "services.engine.shard",
                f"--bootstrap={bootstrap}",
                "--shard=0",
                f"--kill-dir={logs}",  # no flag of this folder stops a benchmark
                *engine_arguments,
            ),
            _start(logs / "venue.log", "benchmarks.venue", bootstrap),
            logs,
        )
        try:
            wait_for_owner(bootstrap, made)
            yield made
        finally:
            for process in made[:2]:
                process.terminate()
                process.wait()


def _start(log: Path, *arguments: str) -> subprocess.Popen[bytes]:
    return spawn([sys.executable, "-m", *arguments], log=log, is_detached=False)


def wait_for_owner(bootstrap: str, made: Running) -> None:
    """Return once the engine has journalled that it owns the shard. Raises RuntimeError."""
    reader: Consumer = consumer(bootstrap)
    reader.assign([TopicPartition(ENGINE_JOURNAL, 0, 0)])
    try:
        for _ in range(300):
            if made.engine.poll() is not None:
                raise RuntimeError((made.logs / "engine.log").read_text()[-2_000:])
            if any(records(reader.consume(1, 0.2))):
                return
        raise RuntimeError("the engine did not start within a minute")
    finally:
        reader.close()


def wait_for_closed(bootstrap: str, orders: int) -> float:
    """Return when (monotonic) the last of `orders` orders was seen closed. Raises TimeoutError."""
    reader, codec = consumer(bootstrap), AvroCodec()
    reader.assign([TopicPartition(ORDERS_EVENTS, 0, 0)])
    closed, moved = 0, time.monotonic()
    while closed < orders:
        for record in records(reader.consume(5_000, 0.05)):
            if isinstance(codec.decode(record.value)[1], CLOSED_NAMES):
                closed, moved = closed + 1, time.monotonic()
        if time.monotonic() - moved > STALL_SECONDS:
            raise TimeoutError(f"{closed} of {orders} orders closed, nothing for a minute")
    reader.close()
    return moved
