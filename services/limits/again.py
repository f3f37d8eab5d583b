"""Ask a command of the log again: the shard's state just before it, the limits then and others."""

from dataclasses import dataclass
from typing import Any

from schemas.messages.core import ClockMode, Envelope, JournalKind, LimitMeasure
from schemas.messages.intake import (
    NewBasket,
    NewOrder,
    OrderAccepted,
    OrderCancelRejected,
    OrderPendingReplace,
    OrderRejected,
    OrderReplaced,
    ReplaceOrder,
)
from streams.adapters.codec import AvroCodec
from streams.core.errors import CorruptHistoryError
from streams.core.limits import Breach
from streams.core.proposals import digest
from streams.intake.basket import orders_of
from streams.risk import Gate, use
from streams.risk.limits import LimitSet, canonical
from streams.risk.request import Request
from streams.runtime.history import History, HistoryBatch, journal_records
from streams.runtime.journal import JournalEnd
from streams.runtime.ports import Codec, Inbound, Log, RecordedBatch, TopicPartition
from streams.runtime.replay import ReplayEmitter
from streams.runtime.settings import HostSettings, engine_settings
from streams.runtime.takeover import output_partitions
from streams.shard import EngineShard

__all__ = ["ANSWERS", "Asked", "Judgement", "ask_again", "is_answer_of"]

ANSWERS = (OrderAccepted, OrderRejected, OrderReplaced, OrderPendingReplace, OrderCancelRejected)
OTHER_VERSION = -1


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one set of limits says."""

    version: int  # -1: of the file
    sha256: str
    breach: Breach | None
    measures: tuple[LimitMeasure, ...]

    @property
    def is_refused(self) -> bool:
        return self.breach is not None


@dataclass(frozen=True, slots=True)
class Asked:
    """A command, the moment at which it was asked, and both judgements."""

    request: Request
    then: Judgement
    other: Judgement


def is_answer_of(message: Any, subject: str) -> bool:
    """Return whether the message answers a new order or a replace by that id of ours or theirs."""
    if not isinstance(message, ANSWERS):
        return False
    return subject in (getattr(message, "order_id", ""), message.client_order_id)


def ask_again(
    log: Log, partitions: int, log_id: bytes, answer: Envelope, message: Any, *, limits: LimitSet
) -> Asked | None:
    """Ask the command that `answer` answered under `limits`; None when no limit was asked.

    Raises: CorruptHistoryError, RetentionError when the log is not all there.
    """
    codec = AvroCodec()
    settings = engine_settings(answer.shard, ClockMode.LIVE, log_id)
    shard = EngineShard(answer.shard, partitions, log_id)
    batch = _restored_before(log, codec, settings, shard, answer.seq)
    inbound = _decided_before(codec, settings, shard, batch, answer.causation_id)
    request = shard.limits_request(_command(inbound, message), batch.journal.now_ns)
    if request is None:
        return None
    state = shard.state.risk
    then = _judge(Gate(state), request, state.version, state.sha256)
    use(state, limits, OTHER_VERSION, digest(canonical(limits)))
    return Asked(request, then, _judge(Gate(state), request, state.version, state.sha256))


def _judge(gate: Gate, request: Request, version: int, sha256: str) -> Judgement:
    return Judgement(version, sha256, gate.assess(request).breach, gate.measure(request))


def _restored_before(
    log: Log, codec: Codec, settings: HostSettings, shard: EngineShard, seq: int
) -> HistoryBatch:
    """Fold every batch before `seq` into the shard; return that batch."""
    end = JournalEnd(log_id=settings.log_id)
    outputs = output_partitions(settings, shard)
    history = History(
        log,
        codec,
        settings,
        inputs=dict.fromkeys(settings.input_partitions, 0),
        outputs=dict.fromkeys(outputs, 0),
    )
    for partition in outputs:
        end.topic_seqs.setdefault(partition, -1)
    start = log.start_offset(settings.journal)
    try:
        for envelope, journal in journal_records(log, codec, settings, start, end):
            if journal.kind is not JournalKind.BATCH:
                continue
            batch = history.read(envelope, journal)
            if envelope.seq == seq:
                return batch
            shard.restore(_recorded(batch, shard.restore_inputs))
    finally:
        history.close()
    raise CorruptHistoryError(f"the journal of shard {settings.shard} has no batch {seq}")


def _recorded(batch: HistoryBatch, topics: tuple[str, ...]) -> RecordedBatch:
    """Return the batch as a recovery shows it: only the inputs that make views."""
    recorded = batch.recorded()
    seen = [inbound for inbound in recorded.inputs if inbound.record.topic in topics]
    return recorded._replace(inputs=seen)


def _decided_before(
    codec: Codec,
    settings: HostSettings,
    shard: EngineShard,
    batch: HistoryBatch,
    command_id: bytes,
) -> Inbound:
    """Decide the batch's inputs up to the command, as they were decided; return the command's."""
    topic_seqs: dict[TopicPartition, int] = dict.fromkeys(output_partitions(settings, shard), -1)
    before = JournalEnd(log_id=settings.log_id, seq=batch.envelope.seq - 1, topic_seqs=topic_seqs)
    out = ReplayEmitter(codec, settings, before, batch.journal.now_ns, batch.journal.entropy)
    out.recorded, out.model_differences = batch.outputs, []
    for text in batch.journal.signals:
        shard.signal(text, out)
    for inbound in batch.inputs:
        if inbound.envelope is not None and inbound.envelope.event_id == command_id:
            return inbound
        shard.apply(inbound, out)
    raise CorruptHistoryError(f"batch {batch.envelope.seq} did not read command {command_id.hex()}")


def _command(inbound: Inbound, answer: Any) -> NewOrder | ReplaceOrder:
    """Return the message that was answered; of a basket, the entry."""
    message = inbound.message
    if isinstance(message, NewBasket):
        for order in orders_of(message):
            if order.client_order_id == answer.client_order_id:
                return order
    assert isinstance(message, NewOrder | ReplaceOrder), "an answer names its command"
    return message
