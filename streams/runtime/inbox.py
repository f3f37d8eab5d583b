"""Where the batches of an engine come from: whatever is there, or a step of market time."""

from collections import deque

from schemas.messages.core import ConsumedRange
from schemas.messages.market import Watermark
from streams.core.errors import CorruptHistoryError
from streams.runtime.answers import Answers
from streams.runtime.merge import decode
from streams.runtime.ports import (
    Batch,
    Clock,
    Codec,
    Inbound,
    Log,
    Reader,
    Record,
    Resume,
    TopicPartition,
)
from streams.runtime.settings import HostSettings

__all__ = ["LiveInbox", "TapeInbox", "consumed"]

URGENT_WAIT_MS = 100


def consumed(partition: TopicPartition, run: list[Inbound]) -> ConsumedRange:
    """Return the range of a run that is not empty."""
    return ConsumedRange(
        topic=partition.topic,
        partition=partition.partition,
        first_offset=run[0].record.offset,
        next_position=run[-1].record.offset + 1,
        count=len(run),
    )


class UrgentInputs:
    """Kill, control and plans: read to their end at the start, polled before anything else.

    A reader of their own, so that no backlog of market data stands before a kill.
    """

    def __init__(
        self, log: Log, codec: Codec, settings: HostSettings, *, is_standing: bool = False
    ) -> None:
        """`is_standing`: it is caught up once, at the start, and then asked for what has come."""
        self._log = log
        self._codec = codec
        self._is_standing = is_standing
        self._partitions = settings.urgent_inputs
        self._reader: Reader | None = None
        self._first: list[Record] = []

    def start(self, resume: Resume) -> None:
        self.close()
        self._first = []
        if not self._partitions:
            return
        self._reader = self._log.reader(is_standing=self._is_standing)
        self._reader.assign({each: resume.positions[each] for each in self._partitions})
        self.catch_up()

    def catch_up(self) -> list[Record]:
        """Read to what is the end now; `take` returns it. Return all that waits for that."""
        if self._reader is None:
            return []
        ends = {partition: self._log.stable_offset(partition) for partition in self._partitions}
        while any(self._reader.position(each) < end for each, end in ends.items()):
            self._first.extend(self._reader.poll(10_000, URGENT_WAIT_MS))
        return self._first

    def take(self) -> dict[TopicPartition, list[Inbound]]:
        """Return what is there, without waiting."""
        if self._reader is None:
            return {}
        records, self._first = self._first, []
        records.extend(self._reader.poll(1_000, 0))
        return runs_of(self._codec, self._partitions, records) if records else {}

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None


def runs_of(
    codec: Codec, partitions: tuple[TopicPartition, ...], records: list[Record]
) -> dict[TopicPartition, list[Inbound]]:
    """Return the records by partition, in the order of `partitions`, empty ones left out."""
    runs: dict[tuple[str, int], list[Inbound]] = {partition: [] for partition in partitions}
    for record in records:
        runs[record[:2]].append(decode(codec, record))
    return {TopicPartition(*each): run for each, run in runs.items() if run}


class LiveInbox:
    """Whatever is there, at most `batch_records_max` at once."""

    def __init__(self, log: Log, codec: Codec, settings: HostSettings, clock: Clock) -> None:
        self._log = log
        self._codec = codec
        self._settings = settings
        self._clock = clock
        self._urgent = UrgentInputs(log, codec, settings)
        self._reader: Reader | None = None

    def start(self, resume: Resume) -> None:
        self.close()
        self._urgent.start(resume)
        self._reader = self._log.reader(is_standing=True)
        self._reader.assign({each: resume.positions[each] for each in self._settings.inputs})

    def take(self, wait_ms: int) -> Batch | None:
        """Return what has arrived, waiting for the first record only."""
        assert self._reader is not None
        settings = self._settings
        runs = self._urgent.take()
        room = settings.batch_records_max - sum(map(len, runs.values()))
        if room > 0:
            records = self._reader.poll(room, 0 if runs else wait_ms)
            runs.update(runs_of(self._codec, settings.inputs, records))
        if not runs:
            return None
        return Batch(
            records=[inbound for run in runs.values() for inbound in run],
            ranges=tuple(consumed(partition, run) for partition, run in runs.items()),
            now_ns=self._clock.now_ns(),
            watermark_ns=0,
            step=0,
        )

    def close(self) -> None:
        self._urgent.close()
        if self._reader is not None:
            self._reader.close()
            self._reader = None


class TapeInbox:
    """Everything up to the same watermark on every timed input, as one batch.

    What was asked of others in one step, and is answered on an urgent input, is there in the next:
    that is waited for, by the wall clock and not for ever.
    """

    def __init__(
        self,
        log: Log,
        codec: Codec,
        settings: HostSettings,
        *,
        answers: Answers | None = None,
    ) -> None:
        self.answers = answers
        self._log = log
        self._codec = codec
        self._settings = settings
        self._urgent = UrgentInputs(log, codec, settings, is_standing=answers is None)
        self._reader: Reader | None = None
        self._step = 0
        self._waiting: dict[TopicPartition, deque[Inbound]] = {}
        self._marks: dict[TopicPartition, deque[Watermark]] = {}

    def start(self, resume: Resume) -> None:
        self.close()
        self._urgent.start(resume)
        self._step = resume.step
        self._waiting = {each: deque() for each in self._settings.inputs}
        self._marks = {each: deque() for each in self._settings.inputs}
        self._reader = self._log.reader(is_standing=True)
        self._reader.assign({each: resume.positions[each] for each in self._settings.inputs})

    def take(self, wait_ms: int) -> Batch | None:
        """Return the next step, or None while a watermark of it is missing."""
        assert self._reader is not None
        if not self._is_complete():
            for record in self._reader.poll(self._settings.batch_records_max, wait_ms):
                self._keep(record)
            if not self._is_complete():
                return None
        if self.answers is not None:
            self.answers.wait(self._urgent.catch_up)
        if self._step == 0:
            # The engine may have waited for its day; what was defined meanwhile comes first.
            self._urgent.catch_up()
        marks = [marks.popleft() for marks in self._marks.values()]
        watermark = marks[0]
        if any(mark != watermark for mark in marks) or watermark.step != self._step + 1:
            steps = [mark.step for mark in marks]
            raise CorruptHistoryError(f"watermarks of steps {steps} after step {self._step}")
        self._step = watermark.step
        runs = self._urgent.take()
        for partition, waiting in self._waiting.items():
            runs[partition] = run = []
            while True:
                inbound = waiting.popleft()
                run.append(inbound)
                if type(inbound.message) is Watermark:
                    break
        return Batch(
            records=[inbound for run in runs.values() for inbound in run],
            ranges=tuple(consumed(partition, run) for partition, run in runs.items()),
            now_ns=watermark.watermark_ns,
            watermark_ns=watermark.watermark_ns,
            step=watermark.step,
        )

    def close(self) -> None:
        self._urgent.close()
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _keep(self, record: Record) -> None:
        inbound = decode(self._codec, record)
        partition = TopicPartition(record.topic, record.partition)
        self._waiting[partition].append(inbound)
        if type(inbound.message) is Watermark:
            self._marks[partition].append(inbound.message)

    def _is_complete(self) -> bool:
        return all(self._marks.values())
