"""One engine process on the wall clock and a real broker, its clients, its market, its venue."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infra.topics import create_topics
from schemas.messages.core import OrderType, StrategyKind, Urgency
from schemas.messages.routing import ChildPlaced
from services.cli.log import LogEntry, read_to_end
from services.demo.publish import publish
from streams.core import topics
from tests.support.builders import (
    ACME,
    TICK,
    account_defined,
    book_updated,
    cancel_confirmed,
    instrument_defined,
    new_order,
    venue_defined,
)
from tests.support.counted_run import eventually

__all__ = ["LiveDesk"]

HOUR_NS = 3_600 * 1_000_000_000
ROOT = Path(__file__).parents[2]


@dataclass(slots=True, kw_only=True)
class LiveDesk:
    """A log of one shard; `kill_dir` is where its host's flags stand."""

    bootstrap: str
    kill_dir: Path
    logs: Path
    log_id: bytes = b""
    trade_date: int = 20_250_615
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    orders: int = 0

    def open(self) -> None:
        """Create the topics and define what is traded from an hour ago to in an hour."""
        self.log_id = create_topics(self.bootstrap, partitions=1)
        now_ns = time.time_ns()
        session = {"session_open_ns": now_ns - HOUR_NS, "session_close_ns": now_ns + HOUR_NS}
        definitions = [
            instrument_defined(trade_date=self.trade_date, **session),
            *[account_defined(f"A{n}") for n in range(1, 10)],
            *[venue_defined(f"V{n}") for n in range(1, 4)],
        ]
        self.say(topics.CONTROL_COMMANDS, definitions)

    def start(self) -> subprocess.Popen[bytes]:
        """Start the engine of the shard."""
        command = [
            *(sys.executable, "-m", "services.engine.shard", f"--bootstrap={self.bootstrap}"),
            *("--shard=0", "--mode=LIVE", f"--kill-dir={self.kill_dir}"),
        ]
        with (self.logs / "engine.log").open("ab") as output:
            process = subprocess.Popen(
                command, stdout=output, stderr=output, env={**os.environ, "PYTHONPATH": str(ROOT)}
            )
        self.processes.append(process)
        return process

    def stop(self) -> None:
        """Stop every engine."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(30)

    def say(self, topic: str, messages: Iterable[Any], actor: str = "test") -> None:
        """Write messages to the one partition of a topic."""
        at_ns = time.time_ns()
        placed = [(ACME, 0, message) for message in messages]
        publish(self.bootstrap, topic, placed, at_ns=at_ns, actor=actor, log_id=self.log_id)

    def quote(self) -> None:
        """Say the books again: what is older than two seconds is no quote."""
        self.say(topics.MARKET_DATA, [book_updated(f"V{n}") for n in range(1, 4)])

    def await_children(self, count: int) -> None:
        """Return when at least so many children were ever sent, the market being quoted."""

        def are_sent() -> bool:
            self.quote()
            return len(self.messages(topics.CHILDREN_EVENTS, ChildPlaced)) >= count

        eventually(are_sent, f"fewer than {count} children")

    def trade(self, count: int) -> None:
        """Refresh the books, and let clients send urgent orders that rest below the market."""
        self.quote()
        fresh = range(self.orders, self.orders + count)
        self.orders += count
        self.say(
            topics.ORDERS_COMMANDS,
            [
                new_order(
                    f"c{number}",
                    account_id=f"A{1 + number % 9}",
                    quantity=100 + number,
                    trade_date=self.trade_date,
                    strategy=StrategyKind.IMMEDIATE,
                    order_type=OrderType.LIMIT,
                    limit_price_e9=(9_900 + number % 90) * TICK,
                    urgency=Urgency.URGENT,
                )
                for number in fresh
            ],
        )

    def cancel_children(self) -> None:
        """Answer for the venues: every child is off the book."""
        self.say(
            topics.VENUES_REPORTS,
            [
                cancel_confirmed(child, side=child.side, transact_ns=time.time_ns())
                for child in self.messages(topics.CHILDREN_EVENTS, ChildPlaced)
            ],
        )

    def entries(self, topic: str, kind: type[Any]) -> list[LogEntry]:
        """Return the committed records of a kind."""
        found = read_to_end(self.bootstrap, [topic])
        return [entry for entry in found if isinstance(entry.message, kind)]

    def messages(self, topic: str, kind: type[Any]) -> list[Any]:
        return [entry.message for entry in self.entries(topic, kind)]

    def penstock(self, *arguments: str) -> tuple[int, Any]:
        """Run the command line with --json; return its exit code and what it printed."""
        done = subprocess.run(
            [*(sys.executable, "-m", "services.cli.main"), *arguments, "--json"],
            capture_output=True,
            check=False,
            timeout=60,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "PENSTOCK_BOOTSTRAP": self.bootstrap,
                "PENSTOCK_KILL_DIR": str(self.kill_dir),
            },
        )
        text = done.stdout.decode()
        return done.returncode, json.loads(text) if text.strip() else done.stderr.decode()
