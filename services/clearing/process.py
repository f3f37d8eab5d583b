"""Clearing as a process: settings, the loop, and the reconciliation when a session has ended."""

import logging
import subprocess
import sys
import time

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from infra.topics import read_log_id
from services.clearing.application import Clearing
from services.clearing.host import clearing_host
from services.clearing.sessions import ended_days
from services.clearing.settings import CLEARER_ID, clearing_settings
from services.ending import Stop
from streams.adapters.codec import AvroCodec
from streams.adapters.kafka import KafkaLog, KafkaSettings
from streams.core.topics import ORDERS_COMMANDS
from streams.runtime.host import ShardHost

__all__ = ["ClearingSettings", "run_clearing"]

LOOK_SECONDS = 1.0
log = logging.getLogger("penstock.clearing")


class ClearingSettings(BaseSettings):
    """From the command line or the environment (PENSTOCK_CLEARING_...)."""

    model_config = SettingsConfigDict(
        env_prefix="PENSTOCK_CLEARING_", cli_kebab_case=True, cli_prog_name="penstock-clearing"
    )

    bootstrap: str = Field(description="HOST:PORT of the Kafka cluster")
    clearer_id: str = Field(CLEARER_ID, description="Who is told")
    snapshot_batches: int = Field(500, ge=1, description="Batches between two snapshots")
    transaction_timeout_ms: int = Field(10_000, ge=1_000)
    grace_s: int = Field(
        300, ge=0, description="Market seconds after a session until it is reconciled"
    )
    reconcile: bool = Field(True, description="Whether each session is reconciled when it ended")

    def kafka(self) -> KafkaSettings:
        return KafkaSettings(
            bootstrap=self.bootstrap, transaction_timeout_ms=self.transaction_timeout_ms
        )


class SessionEnds:
    """Starts a reconciliation, a process of its own, for each trade date that has ended.

    What was found stands on clearing.reports under a run id that follows from the date, so one that
    was recorded before a restart is not recorded again.
    """

    def __init__(self, settings: ClearingSettings) -> None:
        self._settings = settings
        self._done: set[int] = set()
        self._runs: list[tuple[int, subprocess.Popen[bytes]]] = []
        self._looked = 0.0

    def look(self, host: ShardHost, partitions: int) -> None:
        """Start what is due and log what has ended; once a second at most."""
        if not self._settings.reconcile or time.monotonic() - self._looked < LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        application = host.application
        assert isinstance(application, Clearing)
        grace_ns = self._settings.grace_s * 1_000_000_000
        for day in ended_days(application.state, partitions, grace_ns):
            if day not in self._done:
                self._done.add(day)
                self._runs.append((day, self._start(day)))
        for day, run in list(self._runs):
            code = run.poll()
            if code is not None:
                self._runs.remove((day, run))
                verdict = {0: "no break", 4: "BREAKS"}.get(code, f"failed with {code}")
                log.log(logging.INFO if code == 0 else logging.ERROR, "%s: %s", day, verdict)

    def wait(self) -> None:
        """Let the reconciliations under way come to their end."""
        for _, run in self._runs:
            run.wait()

    def _start(self, day: int) -> subprocess.Popen[bytes]:
        log.info("trade date %s has ended: reconciling", day)
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "services.cli.main", "reconcile", f"--day={day}"),
                *(f"--bootstrap={self._settings.bootstrap}", "--record", "--session-end", "--json"),
            ],
            stdout=subprocess.DEVNULL,
        )


def run_clearing(settings: ClearingSettings, stop: Stop) -> None:
    """Own clearing until stopped."""
    store = KafkaLog(settings.kafka())
    partitions = store.partitions(ORDERS_COMMANDS)
    host = clearing_host(
        store,
        AvroCodec(),
        clearing_settings(
            partitions,
            read_log_id(settings.bootstrap),
            clearer_id=settings.clearer_id,
            snapshot_batches=settings.snapshot_batches,
        ),
        partitions=partitions,
        clearer_id=settings.clearer_id,
    )
    ends = SessionEnds(settings)

    def should_stop() -> bool:
        ends.look(host, partitions)
        return stop.is_asked

    host.run(should_stop)
    ends.wait()
