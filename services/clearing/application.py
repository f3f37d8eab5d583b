"""Clearing as an application of the runtime: views of its inputs, facts of its own."""

from collections.abc import Iterator
from typing import Any

import msgspec

from schemas.messages.allocation import CashAllocated, CrossAllocated
from schemas.messages.clearing import (
    AllocationReported,
    ClearingAnswered,
    ClearingSuspended,
    RepairRequested,
)
from schemas.messages.core import ClearingStatus, Envelope, RejectReason
from schemas.messages.routing import FillBooked, FillBusted, FillCorrected
from schemas.messages.runtime import JournalRecord
from services.clearing.answers import Sent, answer, repair, suspended
from services.clearing.captures import capture, change_capture
from services.clearing.ledger import Ledger
from services.clearing.reference import Reference
from services.clearing.reports import Books, report_cash, report_cross
from services.clearing.view import ClearingView
from streams.core.errors import CorruptHistoryError
from streams.core.murmur import partition_of
from streams.core.topics import (
    AGGREGATIONS_EVENTS,
    ALLOCATIONS_EVENTS,
    CLEARING_REPORTS,
    CLEARING_STATUSES,
    CONTROL_COMMANDS,
    ENGINE_JOURNAL,
    FILLS_EVENTS,
    ORDERS_EVENTS,
)
from streams.runtime.plain import PlainApplication
from streams.runtime.ports import Emitter, Inbound, RecordedBatch

__all__ = ["ENGINE_TOPICS", "Clearing", "ClearingState"]

ENGINE_TOPICS = (ORDERS_EVENTS, AGGREGATIONS_EVENTS, FILLS_EVENTS, ALLOCATIONS_EVENTS)
DECISIONS: dict[type, Any] = {
    CashAllocated: report_cash,
    CrossAllocated: report_cross,
    FillBooked: capture,
    FillBusted: change_capture,
    FillCorrected: change_capture,
}


class ClearingState(msgspec.Struct):
    """Views of the inputs, the ledger of our own events, and how far each shard has come."""

    reference: Reference = msgspec.field(default_factory=Reference)
    view: ClearingView = msgspec.field(default_factory=ClearingView)
    ledger: Ledger = msgspec.field(default_factory=Ledger)
    engine_ns: dict[int, int] = {}  # newest instant journalled, by shard


class Clearing(PlainApplication):
    """Implements ports.Application.

    A batch holds whole batches of the engines. They are applied when it ends, each shard's events
    in the order of its journal. A recovery folds: inputs into the views, our own events into the
    ledger; nothing is decided again (docs/adr/0018).
    """

    called = "clearing"
    output_topics: tuple[str, ...] = (CLEARING_REPORTS,)
    restore_inputs: tuple[str, ...] = (
        CONTROL_COMMANDS,
        CLEARING_STATUSES,
        ENGINE_JOURNAL,
        *ENGINE_TOPICS,
    )
    restore_outputs = True

    def __init__(self, partitions: int, clearer_id: str) -> None:
        self._partitions = partitions
        self._clearer_id = clearer_id
        self._events: list[Inbound] = []
        self._statuses: list[Inbound] = []
        self.state = ClearingState()

    def apply(self, inbound: Inbound, out: Emitter) -> None:
        """Keep it until the batch is whole."""
        self._keep(inbound)

    def finish(self, out: Emitter) -> None:
        """Report what the engines' events make final, then take the answers."""
        for envelope, message in self._taken_events():
            self._view(envelope, message)
            decide = DECISIONS.get(type(message))
            if decide is None:
                continue
            for event in decide(self._books(), envelope, message):
                self._emit(out, event, envelope)
        for inbound in self._statuses:
            for event in self._answered(inbound):
                self._emit(out, event, inbound.envelope)
        self._statuses = []

    def restore(self, batch: RecordedBatch) -> None:
        """Fold a recorded batch: what was read, and what was written of it."""
        for inbound in batch.inputs:
            self._keep(inbound)
        for envelope, message in self._taken_events():
            self._view(envelope, message)
        self._statuses = []
        for event in batch.outputs:
            self.state.ledger.fold(event.message)

    def snapshot(self) -> bytes:
        return msgspec.msgpack.encode(self.state)

    def load(self, data: bytes) -> None:
        self.state = msgspec.msgpack.decode(data, type=ClearingState)

    def _books(self) -> Books:
        state = self.state
        return Books(state.reference, state.view, state.ledger, self._clearer_id)

    def _keep(self, inbound: Inbound) -> None:
        topic = inbound.record.topic
        if topic == CONTROL_COMMANDS:
            # Before any event of the batch; one that cannot be read is the engine's dead letter.
            if inbound.envelope is not None:
                self.state.reference.fold(inbound.message, inbound.envelope.at_ns)
        elif topic == CLEARING_STATUSES:
            self._statuses.append(inbound)
        else:
            self._events.append(inbound)

    def _taken_events(self) -> list[tuple[Envelope, Any]]:
        """Return the engines' events, each shard's in the order of its journal; forget them."""
        events = [read(inbound) for inbound in self._events]
        self._events = []
        return sorted(events, key=_journal_order)

    def _view(self, envelope: Envelope, message: Any) -> None:
        if isinstance(message, JournalRecord):
            known = self.state.engine_ns.get(envelope.shard, 0)
            self.state.engine_ns[envelope.shard] = max(known, message.now_ns)
        self.state.view.fold(envelope, message)

    def _answered(self, inbound: Inbound) -> Iterator[Any]:
        record, envelope = inbound.record, inbound.envelope
        actor = "" if envelope is None else envelope.actor
        sent = Sent(record.topic, record.partition, record.offset, actor)
        match inbound.message:
            case ClearingAnswered():
                yield from answer(self.state.ledger, inbound.message, sent)
            case RepairRequested():
                yield from repair(self.state.ledger, inbound.message, sent)
            case None:
                error = inbound.error
                assert error is not None
                problem = (error.reason, error.field, error.value, error.bound)
                yield suspended("", ClearingStatus.UNKNOWN, problem, sent)
            case _:
                name = type(inbound.message).__name__
                bound = "ClearingAnswered, RepairRequested"
                problem = (RejectReason.UNEXPECTED_MESSAGE, "message", name, bound)
                yield suspended("", ClearingStatus.UNKNOWN, problem, sent)

    def _emit(self, out: Emitter, event: Any, cause: Envelope | None) -> None:
        instrument_id = self._instrument_id(event)
        out.emit(
            CLEARING_REPORTS,
            event,
            key=instrument_id,
            causation_id=bytes(16) if cause is None else cause.event_id,
            correlation_id=_correlation(event),
            source_ns=0 if cause is None else cause.source_ns or cause.at_ns,
            partition=partition_of(instrument_id, self._partitions),
            actor="" if cause is None or cause.shard >= 0 else cause.actor,
        )
        self.state.ledger.fold(event)

    def _instrument_id(self, event: Any) -> str:
        """Return the instrument; what names no record of ours has none."""
        instrument_id = getattr(event, "instrument_id", "")
        if instrument_id:
            return str(instrument_id)
        record = self.state.ledger.records.get(getattr(event, "record_id", ""))
        return "" if record is None else record.instrument_id


def read(inbound: Inbound) -> tuple[Envelope, Any]:
    """Return what an engine wrote. Raises CorruptHistoryError: it must be readable."""
    if inbound.envelope is None:
        record = inbound.record
        where = f"{record.topic}[{record.partition}]@{record.offset}"
        raise CorruptHistoryError(f"{where}: {inbound.error}")
    return inbound.envelope, inbound.message


def _journal_order(event: tuple[Envelope, Any]) -> tuple[int, int, int]:
    envelope = event[0]
    return envelope.shard, envelope.seq, envelope.index


def _correlation(event: Any) -> str:
    """Return the chain: the order on the client side, the parent on the street side."""
    if isinstance(event, AllocationReported):
        return event.order_id
    if isinstance(event, ClearingSuspended):
        return event.report_id
    return str(getattr(event, "parent_id", "") or event.record_id)
