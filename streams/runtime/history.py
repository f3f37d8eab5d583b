"""Read what a shard has recorded: journal records with the inputs and outputs that they name."""

from collections import deque
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple

from schemas.messages.core import Envelope
from schemas.messages.runtime import JournalRecord
from streams.core.errors import CorruptHistoryError, DecodeError, LogError
from streams.runtime.journal import JournalEnd, digest_prefix, event_id_at, event_id_prefix
from streams.runtime.merge import decode, merge
from streams.runtime.ports import (
    Codec,
    Inbound,
    Log,
    Message,
    Reader,
    Record,
    RecordedBatch,
    RecordedEvent,
    TopicPartition,
)
from streams.runtime.settings import HostSettings

__all__ = [
    "History",
    "HistoryBatch",
    "StoredOutput",
    "decode_own",
    "journal_records",
    "read_to_end",
]

POLL_MS = 100
POLL_RECORDS = 10_000
EMPTY_POLLS_MAX = 300  # half a minute without a record where records must be


class StoredOutput(NamedTuple):
    """One event of a batch, as it stands in the log."""

    record: Record
    envelope: Envelope
    message: Message


class HistoryBatch(NamedTuple):
    """A journal record with what it read and wrote."""

    envelope: Envelope
    journal: JournalRecord
    inputs: list[Inbound]  # in merge order
    outputs: list[StoredOutput]  # by index

    def recorded(self) -> RecordedBatch:
        events = [
            RecordedEvent(each.record.topic, each.envelope, each.message) for each in self.outputs
        ]
        return RecordedBatch(self.journal, self.envelope, self.inputs, events)


def decode_own(codec: Codec, record: Record) -> tuple[Envelope, Message]:
    """Decode a record of our own. Raises CorruptHistoryError: nothing of ours may be unreadable."""
    try:
        return codec.decode(record.value)
    except DecodeError as error:
        where = f"{record.topic}[{record.partition}]@{record.offset}"
        raise CorruptHistoryError(f"{where}: {error}") from error


def read_to_end(log: Log, partition: TopicPartition, position: int) -> Iterator[Record]:
    """Yield the committed records from `position` to the stable end of now."""
    end = log.stable_offset(partition)
    if position >= end:
        return
    reader = log.reader()
    try:
        reader.assign({partition: position})
        empty = 0
        while reader.position(partition) < end:
            records = reader.poll(POLL_RECORDS, POLL_MS)
            yield from records
            empty = 0 if records else empty + 1
            if empty > EMPTY_POLLS_MAX:
                raise LogError(f"{partition}: no records up to offset {end}")
    finally:
        reader.close()


def journal_records(
    log: Log, codec: Codec, settings: HostSettings, position: int, end: JournalEnd
) -> Iterator[tuple[Envelope, JournalRecord]]:
    """Yield the records after `end`, which moves with them. Raises CorruptHistoryError."""
    for record in read_to_end(log, settings.journal, position):
        envelope, message = decode_own(codec, record)
        if not isinstance(message, JournalRecord) or envelope.shard != settings.shard:
            raise CorruptHistoryError(f"{record.topic}@{record.offset} is no record of the shard")
        end.follow(envelope, message, record.value)
        yield envelope, message


class History:
    """Inputs and outputs of recorded batches, each partition read once and in order.

    `inputs` and `outputs` map the partitions wanted to where their reading starts.
    """

    def __init__(
        self,
        log: Log,
        codec: Codec,
        settings: HostSettings,
        *,
        inputs: dict[TopicPartition, int],
        outputs: dict[TopicPartition, int],
    ) -> None:
        self._codec = codec
        self._settings = settings
        self._log_id = settings.log_id
        self._inputs = inputs
        self._outputs = outputs
        self._waiting: dict[TopicPartition, deque[Record]] = {
            each: deque() for each in (*inputs, *outputs)
        }
        self._reader: Reader | None = None
        if self._waiting:
            self._reader = log.reader()
            self._reader.assign({**inputs, **outputs})

    def read(self, envelope: Envelope, journal: JournalRecord) -> HistoryBatch:
        """Return one batch; batches are to be read in order."""
        runs: list[list[Inbound]] = []
        for consumed in journal.ranges:
            partition = TopicPartition(consumed.topic, consumed.partition)
            if partition in self._inputs:
                runs.append(self._take_range(partition, consumed.next_position, consumed.count))
        inputs = merge(journal.mode, self._settings.urgent_inputs, runs)
        outputs = self._take_outputs(envelope, journal) if self._outputs else []
        return HistoryBatch(envelope, journal, inputs, outputs)

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _take_range(self, partition: TopicPartition, until: int, count: int) -> list[Inbound]:
        waiting = self._waiting[partition]
        run: list[Inbound] = []
        while len(run) < count:
            self._wait_for(partition, until)
            record = waiting.popleft()
            if record.offset >= until:
                raise CorruptHistoryError(f"{partition}: {count} inputs journalled before {until}")
            run.append(decode(self._codec, record))
        return run

    def _take_outputs(self, envelope: Envelope, journal: JournalRecord) -> list[StoredOutput]:
        prefix = event_id_prefix(self._log_id, envelope.shard, envelope.seq)
        found: list[StoredOutput] = []
        for row in journal.outputs:
            partition = TopicPartition(row.topic, row.partition)
            if row.count and partition not in self._outputs:
                raise CorruptHistoryError(f"{partition} is no output of {self._settings.name}")
            taken = 0
            while taken < row.count:
                self._wait_for(partition, None)
                stored = self._own(self._waiting[partition].popleft(), prefix)
                if stored is not None:
                    found.append(stored)
                    taken += 1
        found.sort(key=lambda each: each.envelope.index)
        digest = sha256()
        for index, stored in enumerate(found):
            if stored.envelope.index != index:
                raise CorruptHistoryError(f"batch {envelope.seq}: event {index} is missing")
            record = stored.record
            digest.update(digest_prefix(record.topic, record.partition) + record.value)
        if len(found) != journal.output_count or digest.digest() != journal.output_digest:
            raise CorruptHistoryError(f"batch {envelope.seq}: outputs differ from their digest")
        return found

    def _own(self, record: Record, prefix: bytes) -> StoredOutput | None:
        """Return the record as an event of the batch; None for what others wrote to a shared topic.

        Raises CorruptHistoryError for anything else: an event that no journal record declares.
        """
        is_shared = record.topic in self._settings.shared_outputs
        if is_shared:
            try:
                envelope, message = self._codec.decode(record.value)
            except DecodeError:
                return None
        else:
            envelope, message = decode_own(self._codec, record)
        if envelope.index < 0 or envelope.event_id != event_id_at(prefix, envelope.index):
            if is_shared:
                return None
            raise CorruptHistoryError(
                f"{record.topic}[{record.partition}]@{record.offset}: event of batch"
                f" {envelope.seq} where another was journalled"
            )
        return StoredOutput(record, envelope, message)

    def _wait_for(self, partition: TopicPartition, until: int | None) -> None:
        """Read on until a record of the partition is there."""
        assert self._reader is not None
        waiting = self._waiting[partition]
        empty = 0
        while not waiting:
            if until is not None and self._reader.position(partition) >= until:
                raise CorruptHistoryError(f"{partition}: journalled inputs before {until} are gone")
            records = self._reader.poll(POLL_RECORDS, POLL_MS)
            self._keep(records)
            empty = 0 if records else empty + 1
            if empty > EMPTY_POLLS_MAX:
                raise LogError(f"{partition}: journalled records are missing")

    def _keep(self, records: Iterable[Record]) -> None:
        for record in records:
            self._waiting[TopicPartition(record.topic, record.partition)].append(record)
