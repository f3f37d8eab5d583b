"""Clearing as a process: settings, the loop, and the reconciliation when a session has ended."""

import logging
import subprocess
import sys
import time

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from infra.topics import read_log_id
from schemas.messages.clearing import ReconciliationDone
from services.clearing.application import Clearing
from services.clearing.host import clearing_host
from services.clearing.sessions import ended_days
from services.clearing.settings import CLEARER_ID, CLEARING_SHARD, clearing_settings
from services.ending import Stop
from services.garbage import spare_collections
from services.metrics.health import Health
from services.metrics.hosted import observe
from services.metrics.settings import MetricsSettings
from streams.adapters.codec import AvroCodec
from streams.adapters.kafka import KafkaLog, KafkaSettings
from streams.core.topics import CLEARING_REPORTS, ORDERS_COMMANDS
from streams.runtime.history import decode_own, read_to_end
from streams.runtime.host import ShardHost
from streams.runtime.ports import Log, TopicPartition

__all__ = ["ClearingSettings", "run_clearing"]

LOOK_SECONDS = 1.0
SESSION_END = "SESSION_END"
log = logging.getLogger("penstock.clearing")


class ClearingSettings(MetricsSettings):
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
    hang_timeout_s: float = Field(60.0, gt=0, description="A loop silent for longer is not alive")
    recovery_timeout_s: float = Field(
        600.0, gt=0, description="The same before its first turn, while the journal is read"
    )
    reconcile: bool = Field(True, description="Whether each session is reconciled when it ended")

    def kafka(self) -> KafkaSettings:
        return KafkaSettings(
            bootstrap=self.bootstrap, transaction_timeout_ms=self.transaction_timeout_ms
        )


class SessionEnds:
    """Starts a reconciliation, a process of its own, for each trade date that has ended.

    One at a time. What was found stands on clearing.reports under a run id that follows from the
    date, so a date that was recorded before a restart is not reconciled again.
    """

    def __init__(self, settings: ClearingSettings, log: Log) -> None:
        self._settings = settings
        self._log = log
        self._done: set[int] | None = None  # not read yet
        self._run: tuple[int, subprocess.Popen[bytes]] | None = None
        self._looked = 0.0

    def look(self, host: ShardHost, partitions: int) -> None:
        """Start what is due and tell what has ended; once a second at most."""
        if not self._settings.reconcile or time.monotonic() - self._looked < LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        if self._run is not None:
            day, run = self._run
            code = run.poll()
            if code is None:
                return
            self._run = None
            verdict = {0: "no break", 4: "BREAKS"}.get(code, f"failed with {code}")
            log.log(logging.INFO if code == 0 else logging.ERROR, "%s: %s", day, verdict)
        application = host.application
        assert isinstance(application, Clearing)
        grace_ns = self._settings.grace_s * 1_000_000_000
        due = ended_days(application.state, partitions, grace_ns)
        if due and self._done is None:
            self._done = recorded_days(self._log)
        left = [day for day in due if day not in (self._done or ())]
        if left and self._done is not None:
            self._done.add(left[0])
            self._run = left[0], self._start(left[0])

    def wait(self) -> None:
        """Let the reconciliation under way come to its end."""
        if self._run is not None:
            self._run[1].wait()

    def _start(self, day: int) -> subprocess.Popen[bytes]:
        log.info("trade date %s has ended: reconciling", day)
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "services.cli.main", "reconcile", f"--day={day}"),
                *(f"--bootstrap={self._settings.bootstrap}", "--record", "--session-end", "--json"),
            ],
            stdout=subprocess.DEVNULL,
        )


def recorded_days(store: Log) -> set[int]:
    """Return the trade dates that were reconciled at their end; verdicts stand on partition 0."""
    codec, days = AvroCodec(), set()
    for record in read_to_end(store, TopicPartition(CLEARING_REPORTS, 0), 0):
        message = decode_own(codec, record)[1]
        if isinstance(message, ReconciliationDone) and message.trigger == SESSION_END:
            days.add(message.day)
    return days


def run_clearing(settings: ClearingSettings, stop: Stop) -> None:
    """Own clearing until stopped."""
    spare_collections()
    store = KafkaLog(settings.kafka())
    partitions = store.partitions(ORDERS_COMMANDS)
    health = Health(
        silent_s_max=settings.hang_timeout_s, starting_s_max=settings.recovery_timeout_s
    )
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
        observer=observe(settings, health, "clearing", CLEARING_SHARD),
    )
    ends = SessionEnds(settings, store)

    def should_stop() -> bool:
        health.turned()
        ends.look(host, partitions)
        return stop.is_asked

    host.run(should_stop)
    ends.wait()
