"""Decide again on the recorded inputs, and compare with what was recorded."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec

from schemas.messages.core import JournalKind, TimerFired
from streams.runtime.decide import decide_batch
from streams.runtime.emitter import BatchEmitter, Output
from streams.runtime.history import History, HistoryBatch, StoredOutput, journal_records
from streams.runtime.journal import JournalEnd
from streams.runtime.ports import Application, Codec, Log, TopicPartition
from streams.runtime.settings import HostSettings
from streams.runtime.snapshots import newest_snapshot
from streams.runtime.takeover import output_partitions

__all__ = ["Difference", "ReplayReport", "replay"]

MODEL_DIFFERENCES_MAX = 100


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a replay left the record. `kind`: decision, or model (an estimate computed anew)."""

    kind: str
    seq: int
    index: int  # of the event within the batch, -1 for the batch itself
    topic: str
    field: str
    recorded: str
    decided: str


@dataclass(slots=True, kw_only=True)
class ReplayReport:
    """What a replay found. It is equal when `difference` is None."""

    shard: int
    batches: int = 0
    inputs: int = 0
    events: int = 0
    state_hashes: int = 0  # journalled ones that were compared
    state_hash: str = ""  # after the last batch, hex
    elapsed_s: float = 0.0
    difference: Difference | None = None
    model_differences: list[Difference] = field(default_factory=list)

    @property
    def is_equal(self) -> bool:
        return self.difference is None

    @property
    def events_per_s(self) -> float:
        return self.events / self.elapsed_s if self.elapsed_s else 0.0


class ReplayEmitter(BatchEmitter):
    """Feeds recorded estimates back, and remembers where a model now says something else."""

    __slots__ = ("model_differences", "recorded")

    recorded: list[StoredOutput]
    model_differences: list[Difference]

    def model(self, name: str, compute: Any) -> Any:
        """Return the estimate recorded at this place; what the model says now is only compared."""
        computed = compute()
        index = len(self.outputs)
        if index >= len(self.recorded):
            return computed
        stored = self.recorded[index]
        if stored.message != computed:
            where = first_field(stored.message, computed)
            self.model_differences.append(
                Difference(
                    "model", self.seq, index, stored.record.topic, f"{name}.{where[0]}", *where[1:]
                )
            )
        return stored.message


def replay(
    log: Log,
    codec: Codec,
    settings: HostSettings,
    make_application: Callable[[], Application],
    *,
    from_snapshot: bool = False,
) -> ReplayReport:
    """Decide the shard's journal again, from its start or from the newest snapshot.

    Recorded clock, entropy, merge order and estimates are used; events, timers, digests and state
    hashes are compared; it stops at the first difference. Raises CorruptHistoryError when the
    record contradicts itself, RetentionError when inputs are gone.
    """
    started = time.perf_counter()
    application = make_application()
    report = ReplayReport(shard=settings.shard)
    end = JournalEnd(log_id=settings.log_id)
    position = log.start_offset(settings.journal)
    known: dict[TopicPartition, int] = {}
    snapshot = newest_snapshot(log, codec, settings) if from_snapshot else None
    if snapshot is not None:
        application.load(snapshot.data)
        end, position, known = snapshot.end, snapshot.journal_position, snapshot.output_positions
    outputs = output_partitions(settings, application)
    topic_seqs = {**dict.fromkeys(outputs, -1), **end.topic_seqs}
    judge = Judge(codec, settings, application, topic_seqs, report)
    history = History(
        log,
        codec,
        settings,
        inputs={each: end.positions.get(each, 0) for each in settings.input_partitions},
        outputs={each: known.get(each, 0) for each in outputs},
    )
    try:
        for envelope, journal in journal_records(log, codec, settings, position, end):
            if journal.kind is not JournalKind.BATCH:
                continue
            judge.decide(history.read(envelope, journal))
            if report.difference is not None:
                break
    finally:
        history.close()
    report.state_hash = sha256(application.snapshot()).hexdigest()
    report.elapsed_s = time.perf_counter() - started
    return report


@dataclass(slots=True)
class Judge:
    """Decides one recorded batch after the other and writes the report."""

    codec: Codec
    settings: HostSettings
    application: Application
    topic_seqs: dict[TopicPartition, int]
    report: ReplayReport

    def decide(self, batch: HistoryBatch) -> None:
        report, journal, seq = self.report, batch.journal, batch.envelope.seq
        before = JournalEnd(log_id=self.settings.log_id, seq=seq - 1, topic_seqs=self.topic_seqs)
        out = ReplayEmitter(self.codec, self.settings, before, journal.now_ns, journal.entropy)
        out.recorded = batch.outputs
        out.model_differences = report.model_differences
        timers = decide_batch(self.settings, self.application, batch.inputs, out, journal.signals)
        del report.model_differences[MODEL_DIFFERENCES_MAX:]
        report.batches += 1
        report.inputs += len(batch.inputs)
        report.events += len(out.outputs)
        report.difference = _difference(batch, out, timers, self.codec)
        if report.difference is None and journal.state_hash is not None:
            report.state_hashes += 1
            state_hash = sha256(self.application.snapshot()).digest()
            if state_hash != journal.state_hash:
                hashes = journal.state_hash.hex(), state_hash.hex()
                report.difference = Difference("decision", seq, -1, "", "state_hash", *hashes)


def _difference(
    batch: HistoryBatch, out: ReplayEmitter, timers: tuple[TimerFired, ...], codec: Codec
) -> Difference | None:
    """Return the first difference of a batch, events before what is said about them."""
    seq = batch.envelope.seq
    for index, (stored, output) in enumerate(zip(batch.outputs, out.outputs, strict=False)):
        record = stored.record
        if (record.topic, record.partition, record.key, record.value) != output:
            return _event_difference(seq, index, stored, output, codec)
    rows = (
        ("output_count", len(batch.outputs), len(out.outputs)),
        ("timers", batch.journal.timers, timers),
        ("output_digest", batch.journal.output_digest.hex(), out.digest().hex()),
        ("outputs", batch.journal.outputs, out.close()),
    )
    for name, recorded, decided in rows:
        if recorded != decided:
            index = min(len(batch.outputs), len(out.outputs)) if name == "output_count" else -1
            topic = _topic_at(batch, out, index)
            return Difference("decision", seq, index, topic, name, str(recorded), str(decided))
    return None


def _topic_at(batch: HistoryBatch, out: ReplayEmitter, index: int) -> str:
    if 0 <= index < len(batch.outputs):
        return batch.outputs[index].record.topic
    if 0 <= index < len(out.outputs):
        return out.outputs[index].topic
    return ""


def _event_difference(
    seq: int, index: int, stored: StoredOutput, output: Output, codec: Codec
) -> Difference:
    """Return which field of an event differs first: place, envelope, then message."""
    record = stored.record
    envelope, message = codec.decode(output.value)
    where = ("value", record.value.hex(), output.value.hex())
    if record.topic != output.topic:
        where = ("topic", record.topic, output.topic)
    elif record.partition != output.partition:
        where = ("partition", str(record.partition), str(output.partition))
    elif stored.message != message:
        where = first_field(stored.message, message)
    elif stored.envelope != envelope:
        name, *values = first_field(stored.envelope, envelope)
        where = (f"envelope.{name}", values[0], values[1])
    elif record.key != output.key:
        where = ("key", repr(record.key), repr(output.key))
    return Difference("decision", seq, index, record.topic, *where)


def first_field(recorded: Any, decided: Any) -> tuple[str, str, str]:
    """Return name and both values of the first field that differs; the types if those do."""
    if type(recorded) is not type(decided):
        return "type", type(recorded).__name__, type(decided).__name__
    for name, value in msgspec.structs.asdict(recorded).items():
        other = getattr(decided, name)
        if value != other:
            return name, str(value), str(other)
    return "", "", ""
