"""Batches for those who follow engines: whole batches of theirs, as their journals say."""

from collections import deque

from schemas.messages.core import JournalKind
from schemas.messages.runtime import JournalRecord
from streams.core.errors import CorruptHistoryError
from streams.core.topics import ENGINE_JOURNAL
from streams.runtime.inbox import UrgentInputs, consumed
from streams.runtime.merge import decode
from streams.runtime.ports import (
    Batch,
    Clock,
    Codec,
    Inbound,
    Log,
    Reader,
    Resume,
    TopicPartition,
)
from streams.runtime.settings import HostSettings

__all__ = ["JournalInbox"]

IDLE_RECORDS_MAX = 20  # journal records without an event of ours that wait for one
AHEAD_RECORDS_MAX = 50_000  # read and not yet taken; beyond it no more is read while some is whole


class JournalInbox:
    """Gives an engine's events together with the journal record that counts them.

    A record of engine.journal says how many events its transaction wrote to each topic; when they
    are all here, the journal record and its events are given. So its owner never sees half a
    transaction, and never an allocation before its fill. A journal record of which nothing
    concerns the owner waits for company: heartbeats alone are no reason for a transaction.
    Inputs that no journal counts are given as they come.
    """

    def __init__(
        self,
        log: Log,
        codec: Codec,
        settings: HostSettings,
        topics: tuple[str, ...],
        clock: Clock,
        *,
        is_standing: bool = False,
    ) -> None:
        """`topics`: those that a journal record counts. `is_standing`: see Log.reader; then
        `is_read` says nothing."""
        self._log = log
        self._codec = codec
        self._settings = settings
        self._topics = topics
        self._is_standing = is_standing
        self._loose = tuple(
            each for each in settings.inputs if each.topic not in (*topics, ENGINE_JOURNAL)
        )
        self._clock = clock
        self._urgent = UrgentInputs(log, codec, settings)
        self._reader: Reader | None = None
        self._waiting: dict[TopicPartition, deque[Inbound]] = {}
        self._has_given = False  # whether the last turn found anything whole

    def start(self, resume: Resume) -> None:
        self.close()
        self._urgent.start(resume)
        self._waiting = {each: deque() for each in self._settings.inputs}
        self._reader = self._log.reader(is_standing=self._is_standing)
        self._reader.assign({each: resume.positions[each] for each in self._settings.inputs})

    def take(self, wait_ms: int) -> Batch | None:
        """Return whatever is whole, waiting for the first record only."""
        assert self._reader is not None
        runs = self._urgent.take()
        is_ahead = sum(map(len, self._waiting.values())) > AHEAD_RECORDS_MAX
        if not (is_ahead and self._has_given):
            wait_ms = 0 if runs else wait_ms
            for record in self._reader.poll(self._settings.batch_records_max, wait_ms):
                partition = TopicPartition(record.topic, record.partition)
                self._waiting[partition].append(decode(self._codec, record))
        idle = 0
        shards = [each for each in self._settings.inputs if each.topic == ENGINE_JOURNAL]
        found: dict[TopicPartition, list[Inbound]] = {}
        for each in self._loose:
            if self._waiting[each]:
                found[each] = [*self._waiting[each]]
                self._waiting[each].clear()
        for journal in shards:
            idle += self._take_shard(journal, found)
        self._has_given = bool(found)
        has_events = any(partition.topic != ENGINE_JOURNAL for partition in found)
        if not runs and not has_events and idle < IDLE_RECORDS_MAX * max(1, len(shards)):
            for journal, run in found.items():
                self._waiting[journal].extendleft(reversed(run))
            return None
        for partition in self._settings.inputs:
            if found.get(partition):
                runs[partition] = found[partition]
        return Batch(
            records=[inbound for run in runs.values() for inbound in run],
            ranges=tuple(consumed(partition, run) for partition, run in runs.items()),
            now_ns=self._clock.now_ns(),
            watermark_ns=0,
            step=0,
        )

    def is_read(self) -> bool:
        """Whether everything that the engines have committed by now was read and given."""
        reader, waiting = self._reader, self._waiting
        if reader is None or any(waiting[each] for each in waiting if each.topic != ENGINE_JOURNAL):
            return False
        inputs = self._settings.inputs
        return all(reader.position(each) >= self._log.stable_offset(each) for each in inputs)

    def close(self) -> None:
        self._urgent.close()
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _take_shard(
        self, journal: TopicPartition, found: dict[TopicPartition, list[Inbound]]
    ) -> int:
        """Move what is whole of one shard to `found`; return its journal records."""
        taken = 0
        records = self._waiting[journal]
        while records and taken < self._settings.batch_records_max:
            counts = self._counts(records[0], journal.partition)
            if any(len(self._waiting[each]) < count for each, count in counts.items()):
                break
            for each, count in counts.items():
                run = [self._waiting[each].popleft() for _ in range(count)]
                check_owner(run, records[0])
                found.setdefault(each, []).extend(run)
            found.setdefault(journal, []).append(records.popleft())
            taken += 1
        return taken

    def _counts(self, inbound: Inbound, shard: int) -> dict[TopicPartition, int]:
        """Return how many events of each of our topics a journal record counts."""
        message = inbound.message
        if not isinstance(message, JournalRecord):
            raise CorruptHistoryError(
                f"{ENGINE_JOURNAL}[{shard}]@{inbound.record.offset}: no record"
            )
        if message.kind is not JournalKind.BATCH:
            return {}
        return {
            TopicPartition(row.topic, row.partition): row.count
            for row in message.outputs
            if row.count and row.topic in self._topics
        }


def check_owner(run: list[Inbound], journal: Inbound) -> None:
    """Raise CorruptHistoryError when an event is not of the transaction that counts it."""
    assert journal.envelope is not None
    for inbound in run:
        envelope = inbound.envelope
        if envelope is not None and envelope.seq != journal.envelope.seq:
            record = inbound.record
            raise CorruptHistoryError(
                f"{record.topic}[{record.partition}]@{record.offset} is of seq {envelope.seq},"
                f" counted by seq {journal.envelope.seq}"
            )
