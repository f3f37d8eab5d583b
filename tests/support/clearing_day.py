"""A market day of a few shards in memory with clearing and its clearer at the end of it."""

from typing import Any

from schemas.messages.core import ClearingStatus, Envelope
from services.clearing.application import Clearing
from services.clearing.clearer import Clearer, Rule
from services.clearing.host import clearing_host
from services.clearing.settings import CLEARER_ID, clearing_settings
from streams.adapters.codec import AvroCodec
from streams.adapters.memory import Faults, MemoryLog, SimulatedCrash
from streams.core import topics
from streams.core.envelope import outside_envelope
from streams.core.errors import FencedError
from streams.runtime.host import ShardHost
from streams.runtime.journal_inbox import JournalInbox
from streams.runtime.ports import TopicPartition
from tests.support.memory_shard import SteppedClock

__all__ = ["ClearingDay", "outside"]

CODEC = AvroCodec()
LOG_ID = b"penstock-testlog"
RESTARTS_MAX = 60
IDLE_TURNS = 3


class ClearingDay:
    """Clearing over a finished log. `run` turns it and its clearer until nobody says more."""

    def __init__(
        self,
        log: MemoryLog,
        partitions: int,
        *,
        rule: Rule | None = None,
        batches: int = 50,
        is_silent: bool = False,
    ) -> None:
        self.log = log
        self.partitions = partitions
        self.clearer = None if is_silent else Clearer(CLEARER_ID, rule or Rule())
        self.settings = clearing_settings(partitions, LOG_ID, snapshot_batches=batches)
        self._heard = dict.fromkeys(range(partitions), 0)
        self._sent = 0

    def host(self) -> ShardHost:
        return clearing_host(
            self.log,
            CODEC,
            self.settings,
            partitions=self.partitions,
            clearer_id=CLEARER_ID,
            clock=SteppedClock(),
        )

    def run(self) -> ShardHost:
        """Return the host at the end; a crash makes a new one."""
        for _ in range(RESTARTS_MAX):
            host = self.host()
            host._pause = lambda seconds: None
            try:
                host.take_over()
                self._turn(host)
                host.save()
            except (SimulatedCrash, FencedError):
                continue
            return host
        raise AssertionError(f"it died {RESTARTS_MAX} times")

    def reports(self) -> list[Any]:
        """Return everything on clearing.reports, partition by partition."""
        return [message for _, message in self.records()]

    def records(self) -> list[tuple[Envelope, Any]]:
        return [
            CODEC.decode(record.value)
            for partition in range(self.partitions)
            for record in self._committed(topics.CLEARING_REPORTS, partition)
        ]

    def say(self, message: Any, actor: str = "clearer") -> None:
        """Write to clearing.statuses from outside."""
        self._sent += 1
        envelope = outside(self._sent, actor)
        self.log.append(topics.CLEARING_STATUSES, 0, b"", CODEC.encode(envelope, message))

    def _turn(self, host: ShardHost) -> None:
        idle = 0
        while idle < IDLE_TURNS:
            seq = host.end.seq
            host.turn()
            is_engaged = self._answer() or _has_records(host, seq) or not self._is_read(host)
            idle = 0 if is_engaged else idle + 1
            if idle == IDLE_TURNS - 1:
                late = () if self.clearer is None else self.clearer.flush(1)
                for answer in late:
                    self.say(answer)
                    idle = 0

    def _is_read(self, host: ShardHost) -> bool:
        """Whether the host has read to the end; the question is none of the plan's calls."""
        faults, self.log.faults = self.log.faults, Faults()
        inbox = host._inbox
        assert isinstance(inbox, JournalInbox)
        is_read = inbox.is_read()
        self.log.faults = faults
        return is_read

    def _answer(self) -> bool:
        """Let the clearer hear what is new; whether it said anything."""
        if self.clearer is None:
            return False
        before = self._sent
        for partition, heard in self._heard.items():
            records = self._committed(topics.CLEARING_REPORTS, partition)
            for record in records[heard:]:
                for answer in self.clearer.feed(CODEC.decode(record.value)[1], 1):
                    self.say(answer)
            self._heard[partition] = len(records)
        return self._sent > before

    def _committed(self, topic: str, partition: int) -> list[Any]:
        return self.log.partition(TopicPartition(topic, partition)).read(0, 10_000_000)[0]


def _has_records(host: ShardHost, seq: int) -> bool:
    """Whether the turn read anything: heartbeats of our own do not count."""
    return host.end.seq > seq and bool(host._batches_unsaved)


def outside(ordinal: int, actor: str, at_ns: int = 1) -> Envelope:
    return outside_envelope(b"out-" + ordinal.to_bytes(12, "big"), at_ns, actor)


def statuses(application: Clearing) -> dict[str, ClearingStatus]:
    """Return where the newest version of each record stands."""
    records = application.state.ledger.records
    return {name: record.newest.status for name, record in records.items()}
