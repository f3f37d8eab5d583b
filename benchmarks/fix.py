"""Orders to acknowledgments by FIX: wire, Kafka, gateway, engine, and QuickFIX's own echo beside.

`python -m benchmarks.fix`. The orders begin in an hour: what is measured ends with 150=0.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.cluster import cluster
from benchmarks.engine import running
from benchmarks.fix_client import Client, Latencies
from benchmarks.fix_stages import stamps, table
from infra.broker.ports import pick_ports
from infra.broker.process import spawn

GATEWAY = """
name = "bench"
number = 0
kind = "clients"
[quickfix]
ConnectionType = "acceptor"
SocketAcceptPort = "{port}"
[[session]]
session_id = "bench"
[session.quickfix]
BeginString = "FIX.4.4"
SenderCompID = "PENSTOCK"
TargetCompID = "BENCH"
[session.terms]
tenant = "T"
source = "BENCH-OMS"
desk_id = "D1"
accounts = ["*"]
"""
READY_S = 3.0  # of the engine's venue: its first books
SETTLE_S = 3.0  # after the flood: the log hears of its last messages, and a snapshot is due
MARKS_S = 1.0  # until the log has what the wire sent last


class Found(NamedTuple):
    """What one side came to."""

    per_second: float
    paced: Latencies
    due_s: dict[bytes, float]  # of the paced run, wall clock, by ClOrdID
    acked_s: dict[bytes, float]


def measure(port: int, *, orders: int, window: int, per_second: int, seconds: int) -> Found:
    """Flood, then keep a pace. Raises: RuntimeError for a refusal, TimeoutError."""
    client = Client(port)
    client.flood(orders // 10 or 1, window)  # the broker compiles its code meanwhile
    rate = client.flood(orders, window)
    time.sleep(SETTLE_S)
    paced = client.pace(per_second, seconds)
    found = Found(rate, paced, client.wall(client.sent_s), client.wall(client.acked_s))
    client.close()
    return found


@contextmanager
def gateway(folder: Path, bootstrap: str, port: int) -> Iterator[None]:
    """Run one wire and one gateway."""
    file = folder / "bench.toml"
    file.write_text(GATEWAY.format(port=port))
    common = (f"--bootstrap={bootstrap}", f"--file={file}")
    commands = (
        ("services.fix.gateway", *common),
        ("services.fix.wire", *common, f"--store={folder / 'stores'}"),
    )
    processes = [
        spawn(
            [sys.executable, "-m", *command],
            log=folder / f"{command[0]}.log",
            is_detached=False,
        )
        for command in commands
    ]
    try:
        yield
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            process.wait()


@contextmanager
def echo(folder: Path, port: int) -> Iterator[None]:
    """Run QuickFIX's echo."""
    command = [sys.executable, "-m", "benchmarks.fix_echo", str(port), str(folder)]
    process = spawn(command, log=folder / "echo.log", is_detached=False)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fix", description=__doc__)
    parser.add_argument("--orders", type=int, default=20_000, help="of the flood")
    parser.add_argument("--window", type=int, default=2_000, help="most orders unanswered")
    parser.add_argument("--per-second", type=int, default=500, help="of the paced run")
    parser.add_argument("--seconds", type=int, default=20, help="of the paced run")
    given = parser.parse_args()
    print(
        f"{os.cpu_count()} cores, Python {platform.python_version()}, FIX.4.4, one session; "
        f"{given.orders:,} orders, {given.window:,} at once; then {given.per_second:,}/s for "
        f"{given.seconds} s; one wire, one gateway, one engine shard, one broker; FileStore"
    )
    ports = pick_ports(2)
    with TemporaryDirectory(prefix="penstock-bench-fix-") as name:
        folder = Path(name)
        with echo(folder, ports[0]):
            limit = measure(ports[0], **vars(given))
        show("QuickFIX's echo", limit)
        with (
            cluster() as made,
            # Four ids in turn, as benchmarks/latency.py: with one, each transaction waits for the
            # markers of the last.
            running(made.bootstrap, "--slots=4"),
            gateway(folder, made.bootstrap, ports[1]),
        ):
            time.sleep(READY_S)
            ours = measure(ports[1], **vars(given))
            time.sleep(MARKS_S)
            ways = stamps(made.bootstrap, ours.due_s, ours.acked_s)
        show("gateway", ours)
        print("\n".join(table(ways)))
    ratio = ours.per_second / limit.per_second
    slower = ours.paced.p50 / limit.paced.p50
    print(f"ratio of the rates {ratio:.3f}; p50 is {slower:.1f} times the echo's")


def show(name: str, found: Found) -> None:
    paced = found.paced
    print(
        f"{name}: {found.per_second:,.0f} acknowledgments/s; paced p50 {paced.p50:.2f} ms, "
        f"p99 {paced.p99:.2f} ms, worst {paced.worst:.2f} ms"
    )


if __name__ == "__main__":
    main()
