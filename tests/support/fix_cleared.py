"""Clearing, its gateway and wire as processes on a real broker; three clearers on QuickFIX."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

from confluent_kafka import Producer

from infra.topics import create_topics
from schemas.messages.clearing import AllocationReported, TradeCaptured
from schemas.messages.core import ClearingStatus, JournalKind
from services.clearing.clearer import Rule
from services.clearing.ledger import Ledger, report_id
from services.clearing.outside import read_entries
from streams.core import topics
from tests.support.audit_log import Batch, Writer
from tests.support.clearing_log import day
from tests.support.fix_clearer import Booked, FixClearer
from tests.support.fix_clearer_process import ClearerPeer
from tests.support.fix_peer import FixPeer
from tests.support.fix_wire import WireProcess, acceptor_toml, session_toml

__all__ = ["SESSIONS", "FixCleared"]

ROOT = Path(__file__).parents[2]
NUMBER = 12
PATIENCE_S = 90.0
# Session, version and terms; the first that takes a report is told it.
SESSIONS = {
    "buy-42": ("FIX42", "FIX.4.2", 'allocations = "J"\nclients = ["client-D"]'),
    "street-44": ("FIX44", "FIX.4.4", "captures = true"),
    "allocations-50": ("FIX50SP2", "FIXT.1.1", 'allocations = "AS"'),
}
Reports = AllocationReported | TradeCaptured


class FixCleared:
    """The engine is a script here: `commit` writes a batch of the day of clearing_log."""

    def __init__(self, bootstrap: str, folder: Path, port: int, rule: Rule) -> None:
        self.bootstrap = bootstrap
        create_topics(bootstrap, partitions=1)
        self.days = day()
        self.clearers = {name: FixClearer(row[0], rule) for name, row in SESSIONS.items()}
        sessions = [
            session_toml(name, name.upper(), begin) + f"[session.terms]\nanswer_s = 5\n{terms}\n"
            for name, (_, begin, terms) in SESSIONS.items()
        ]
        toml = acceptor_toml(NUMBER, port, *sessions, kind="clearers", name="clearers")
        self.wire = WireProcess(folder, bootstrap, toml)
        self.peers = {
            name: FixPeer(folder / name, port, sender=name.upper(), target="PENSTOCK", begin=begin)
            for name, (_, begin, _) in SESSIONS.items()
        }
        self._folder = folder
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 1, "log_level": 0})
        self._writer = Writer()
        self._writer.batch(JournalKind.OWNER_STARTED, Batch())
        self._written = 0
        self.runs = {
            name: ClearerPeer(peer, self.clearers[name]) for name, peer in self.peers.items()
        }

    def __enter__(self) -> Self:
        self.start("clearing", "services.clearing", f"--bootstrap={self.bootstrap}")
        self.wire.start()
        self.start_gateway()
        for peer in self.peers.values():
            peer.start()
        for peer in self.peers.values():
            peer.await_logon()
        return self

    def __exit__(self, *_: object) -> None:
        for name in [*self._processes]:
            self.kill(name)
        self.wire.kill()
        for peer in self.peers.values():
            peer.kill()

    def start(self, name: str, module: str, *words: str) -> None:
        with (self._folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", module, *words],
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env={**os.environ, "PENSTOCK_CLEARING_RECONCILE": "false"},
            )

    def start_gateway(self) -> None:
        words = [f"--bootstrap={self.bootstrap}", f"--file={self.wire.file}"]
        words += ["--snapshot-batches=5", "--transaction-timeout-ms=2000"]
        self.start("gateway", "services.fix.gateway", *words)

    def kill(self, name: str) -> None:
        """End a process as kill -9 does; it must still have been there."""
        process = self._processes.pop(name)
        is_alive = process.poll() is None
        process.kill()
        process.wait()
        assert is_alive, (self._folder / f"{name}.log").read_text()[-2_000:]

    def commit(self, *names: str) -> None:
        """Commit batches of the day."""
        for name in names:
            self._writer.batch(JournalKind.BATCH, self.days[name])
        for record in self._writer.records[self._written :]:
            self._producer.produce(record.topic, record.value, record.key, record.partition)
        self._written = len(self._writer.records)
        assert self._producer.flush(30) == 0

    def work(self) -> bool:
        """Let the clearers read what came and answer it; whether anything was new."""
        return any([each.work() for each in self.runs.values()])

    def settle(self) -> None:
        """Go on until clearing has every answer. Raises AssertionError at the deadline."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            if not self.work():
                for each in self.runs.values():
                    each.flush()
            left = self.unanswered()
            if not left:
                return
            assert time.monotonic() < deadline, f"unanswered: {left}; {self.words()}"
            time.sleep(0.2)

    def reports(self) -> list[Any]:
        return [e.message for e in read_entries(self.bootstrap, [topics.CLEARING_REPORTS])]

    def ledger(self) -> Ledger:
        found = Ledger()
        for message in self.reports():
            found.fold(message)
        return found

    def unanswered(self) -> list[str]:
        """Return reports that have no last word; all of the day must have been reported."""
        records = self.ledger().records
        due = (ClearingStatus.SENT, ClearingStatus.RECEIVED)
        found = [
            report_id(name, number)
            for name, record in records.items()
            for number, version in enumerate(record.versions, start=1)
            if version.status in due
        ]
        return found if records else ["everything"]

    def books(self, name: str) -> dict[str, Booked]:
        """Return what clearing says that a clearer holds."""
        told = {each.report_id: each for each in self.reports() if isinstance(each, Reports)}
        standing = [
            told[report_id(record_id, record.standing)]
            for record_id, record in self.ledger().records.items()
            if record.standing
        ]
        return {each.report_id: booked(each) for each in standing if session_of(each) == name}

    def words(self) -> str:
        return (self._folder / "gateway.log").read_text()[-1_500:] + self.wire.words()[-1_500:]


def session_of(report: Reports) -> str:
    if isinstance(report, TradeCaptured):
        return "street-44"
    return "buy-42" if report.client_id == "client-D" else "allocations-50"


def booked(report: Reports) -> Booked:
    """Return a report as a FIX clearer must have it; nobody sells short here."""
    quantity, side = report.quantity * 10**9, "1" if report.side == "BUY" else "2"
    if isinstance(report, TradeCaptured):
        return Booked(side, quantity, report.cash_e9, None, report.fee_e9, ())
    accounts = ((report.clearing_account, quantity),)
    return Booked(side, quantity, report.cash_e9, report.net_cash_e9, report.fee_e9, accounts)
