"""Where the simulator's batches come from: in lockstep with the engines, or by a scaled clock."""

from collections import deque
from typing import NamedTuple

from schemas.messages.core import ConsumedRange, JournalKind
from schemas.messages.runtime import JournalRecord
from services.venues.engine_steps import EngineSteps
from streams.core.errors import CorruptHistoryError
from streams.core.topics import CHILDREN_EVENTS, ENGINE_JOURNAL
from streams.runtime.history import decode_own
from streams.runtime.inbox import consumed
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

__all__ = ["PacedInbox", "Schedule", "StepInbox"]

RECORDS_MAX = 2_000
POLL_MS = 5  # how late a paced step may be
TAIL_OFFSETS = 64  # read of an engine's journal at first; a step takes a record and a marker


class Schedule(NamedTuple):
    """When steps end: step k at start_ns + k * step_ns, the last one is `steps`."""

    start_ns: int
    step_ns: int
    steps: int


class ChildReader:
    """What is said to the venues on a topic, by partition."""

    def __init__(self, codec: Codec, partitions: int, topic: str = CHILDREN_EVENTS) -> None:
        self.codec = codec
        self.partitions = [TopicPartition(topic, n) for n in range(partitions)]
        self.waiting: list[deque[Inbound]] = [deque() for _ in self.partitions]

    def take(self, counts: list[int], schedule: Schedule, step: int) -> Batch:
        """Return the next step with that many records of each partition."""
        records: list[Inbound] = []
        ranges: list[ConsumedRange] = []
        for partition, waiting, count in zip(self.partitions, self.waiting, counts, strict=True):
            run = [waiting.popleft() for _ in range(count)]
            if run:
                ranges.append(consumed(partition, run))
                records.extend(run)
        now_ns = schedule.start_ns + step * schedule.step_ns
        return Batch(records, tuple(ranges), now_ns, now_ns, step)


class StepInbox:
    """Step k + 1 as soon as every engine has journalled the watermark of step k.

    Each engine's journal record of the step counts what it wrote to children.events; exactly those
    records go into the batch. The journals are not inputs: they only say when to go on.
    """

    def __init__(self, log: Log, codec: Codec, schedule: Schedule, partitions: int) -> None:
        self._log = log
        self._codec = codec
        self._schedule = schedule
        self._journals = [TopicPartition(ENGINE_JOURNAL, n) for n in range(partitions)]
        self._children = ChildReader(codec, partitions)
        self._count = partitions
        self._step = 0
        self._written: dict[int, dict[int, int]] = {}  # step -> partition -> children written
        self._reader: Reader | None = None

    def start(self, resume: Resume) -> None:
        self.close()
        self._step = resume.step
        self._written = {}
        self._children = ChildReader(self._codec, self._count)
        positions = {each: resume.positions[each] for each in self._children.partitions}
        for journal in self._journals:
            positions[journal] = self._find(journal)
        self._reader = self._log.reader(is_standing=True)
        self._reader.assign(positions)

    def take(self, wait_ms: int) -> Batch | None:
        """Return the next step, or None while an engine has not come so far."""
        assert self._reader is not None
        if self._step >= self._schedule.steps:
            return None
        counts = self._counts()
        if counts is None:
            for record in self._reader.poll(RECORDS_MAX, wait_ms):
                if record.topic == CHILDREN_EVENTS:
                    inbound = decode(self._codec, record)
                    self._children.waiting[record.partition].append(inbound)
                else:
                    _, message = decode_own(self._codec, record)
                    self._note(record.partition, message)
            counts = self._counts()
            if counts is None:
                return None
        self._written.pop(self._step, None)
        self._step += 1
        return self._children.take(counts, self._schedule, self._step)

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _counts(self) -> list[int] | None:
        """Return the children of the step by partition once all of them are here."""
        if self._step == 0:
            return [0] * self._count
        written = self._written.get(self._step, {})
        if len(written) < self._count:
            return None
        counts = [written[partition] for partition in range(self._count)]
        waiting = self._children.waiting
        return counts if all(len(w) >= c for w, c in zip(waiting, counts, strict=True)) else None

    def _note(self, partition: int, message: object) -> None:
        if not isinstance(message, JournalRecord) or message.kind is not JournalKind.BATCH:
            return
        if message.step > self._step:
            raise CorruptHistoryError(
                f"engine {partition} journalled step {message.step} after step {self._step}"
            )
        if message.step == self._step:
            rows = [row.count for row in message.outputs if row.topic == CHILDREN_EVENTS]
            self._written.setdefault(message.step, {})[partition] = sum(rows)

    def _find(self, journal: TopicPartition) -> int:
        """Return an offset from which the journal's record of the current step is still to come.

        An engine is never ahead of us, so that record is near the end, if it is there.
        """
        start, end = self._log.start_offset(journal), self._log.end_offset(journal)
        back = TAIL_OFFSETS
        while end - back > start and not self._is_before(journal, end - back):
            back *= 8
        return max(start, end - back)

    def _is_before(self, journal: TopicPartition, position: int) -> bool:
        """Return whether the first step journalled from there on is before the current one."""
        reader = self._log.reader()
        try:
            reader.assign({journal: position})
            end = self._log.stable_offset(journal)
            while reader.position(journal) < end:
                for record in reader.poll(RECORDS_MAX, 100):
                    _, message = decode_own(self._codec, record)
                    if isinstance(message, JournalRecord) and message.step:
                        return message.step < self._step
        finally:
            reader.close()
        return False


class PacedInbox:
    """A step whenever the clock has come so far, with whatever children have come by then."""

    def __init__(
        self,
        log: Log,
        codec: Codec,
        schedule: Schedule,
        partitions: int,
        clock: Clock,
        *,
        topic: str = CHILDREN_EVENTS,
        engines: EngineSteps | None = None,
    ) -> None:
        """`engines`: those that are waited for, so that a busy machine makes the day longer, not
        another one; None goes on without them."""
        self._log = log
        self._codec = codec
        self._schedule = schedule
        self._clock = clock
        self._count = partitions
        self._topic = topic
        self._engines = engines
        self._children = ChildReader(codec, partitions, topic)
        self._step = 0
        self._reader: Reader | None = None

    def start(self, resume: Resume) -> None:
        self.close()
        self._step = resume.step
        self._clock.floor(resume.watermark_ns)
        self._children = ChildReader(self._codec, self._count, self._topic)
        if self._engines is not None:
            self._engines.start(resume.step)
        self._reader = self._log.reader(is_standing=True)
        self._reader.assign({each: resume.positions[each] for each in self._children.partitions})

    def take(self, wait_ms: int) -> Batch | None:
        """Return the next step when it is time."""
        assert self._reader is not None
        schedule = self._schedule
        if self._step >= schedule.steps:
            return None
        due_ns = schedule.start_ns + (self._step + 1) * schedule.step_ns
        is_due = self._clock.now_ns() >= due_ns
        for record in self._reader.poll(RECORDS_MAX, 0 if is_due else POLL_MS):
            self._children.waiting[record.partition].append(decode(self._codec, record))
        if not is_due or (self._engines is not None and not self._engines.may_follow(self._step)):
            return None
        self._step += 1
        counts = [len(waiting) for waiting in self._children.waiting]
        return self._children.take(counts, schedule, self._step)

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        if self._engines is not None:
            self._engines.close()
