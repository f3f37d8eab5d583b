"""The simulator as an application of the runtime: one batch is one step of the market."""

from collections.abc import Sequence

import msgspec

from schemas.messages.core import ExecType
from schemas.messages.market import Watermark
from schemas.messages.routing import (
    ChildCancelRequested,
    ChildPlaced,
    ChildReplaceRequested,
    ChildStatusRequested,
)
from schemas.messages.venues import ExecutionReport
from services.metrics.tally import Tally
from services.venues.edges import DIRECT, OUTPUT_TOPICS, Edges
from services.venues.exchange import Arrival, open_books, run_step
from services.venues.impact import fade, moved
from services.venues.outbox import NO_EVENT, Said, StepOutbox
from services.venues.scenario import Day
from services.venues.state import SimulatorState
from services.venues.troubles import delivered, heard_of, links
from streams import kill
from streams.core.errors import CorruptHistoryError
from streams.core.murmur import partition_of
from streams.core.topics import VENUES_REPORTS
from streams.runtime.plain import PlainApplication
from streams.runtime.ports import Emitter, Inbound, Message, RecordedBatch

__all__ = ["VenueSimulator"]

EXECUTED = (ExecType.TRADE, ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT)
TO_VENUES = (ChildPlaced, ChildCancelRequested, ChildReplaceRequested, ChildStatusRequested)


class VenueSimulator(PlainApplication):
    """Implements ports.Application. Decides again when it is restored (docs/adr/0005)."""

    called = "the simulator"
    restore_outputs = False

    def __init__(
        self, day: Day, partitions: int, tally: Tally | None = None, edges: Edges = DIRECT
    ) -> None:
        self.output_topics = edges.output_topics
        self.restore_inputs: tuple[str, ...] = (edges.children,)
        self._edges = edges
        self._day = day
        self._tally = tally or Tally()
        self._partitions = partitions
        self._arrived: list[tuple[int, int, Arrival]] = []
        self._next_command = 0  # index of the first client command not yet sent
        self.state = SimulatorState()

    @property
    def is_over(self) -> bool:
        return self.state.step >= self._day.steps

    def unheard(self, standing: tuple[str, ...]) -> tuple[str, ...]:
        """Return what the local flags say that the state does not know: raised, then gone."""
        return kill.unheard(self.state.flags, standing)

    def signal(self, text: str, out: Emitter) -> None:
        """Keep a local flag, or forget it: here it stands for as long as its file does."""
        self._hear(text)

    def apply(self, inbound: Inbound, out: Emitter) -> None:
        """Keep what engines say to venues; the step decides it at the end of the batch."""
        self._keep(inbound)

    def finish(self, out: Emitter) -> None:
        """Run the step and publish it, closed by a watermark on every partition."""
        said = self._step()
        step, terms = self.state.step, self._day.terms
        if out.at_ns != terms.start_ns + step * terms.step_ns:
            raise CorruptHistoryError(f"step {step} at {out.at_ns}, scenario says otherwise")
        for each in said:
            if each.topic == VENUES_REPORTS:
                self._count(each.message)
            out.emit(
                self._edges.topic(each.topic),
                each.message,
                key=each.instrument_id,
                causation_id=each.causation_id,
                correlation_id=each.correlation_id,
                source_ns=each.source_ns,
                partition=partition_of(each.instrument_id, self._partitions),
                actor=each.actor,
            )
        self._tell_links(out)
        watermark = Watermark(
            step=step,
            watermark_ns=out.at_ns,
            step_ns=terms.step_ns,
            is_final=step == self._day.steps,
        )
        for topic in OUTPUT_TOPICS:
            for partition in range(self._partitions):
                out.emit(
                    topic,
                    watermark,
                    key=str(partition),
                    causation_id=NO_EVENT,
                    correlation_id=f"step-{step}",
                    source_ns=out.at_ns,
                    partition=partition,
                )

    def restore(self, batch: RecordedBatch) -> None:
        """Decide a recorded step again and throw away what it says."""
        for text in batch.journal.signals:
            self._hear(text)
        for inbound in batch.inputs:
            self._keep(inbound)
        self._step()
        if self.state.step != batch.journal.step:
            raise CorruptHistoryError(f"step {self.state.step} where {batch.journal.step} stands")

    def snapshot(self) -> bytes:
        # Every mapping of the state is filled in an order that follows from the inputs alone.
        return msgspec.msgpack.encode(self.state)

    def load(self, data: bytes) -> None:
        self.state = msgspec.msgpack.decode(data, type=SimulatorState)
        self._next_command = self._first_after(self.state.step)

    def _hear(self, text: str) -> None:
        flag = kill.flag_of(text)
        if isinstance(flag, str):
            self.state.flags.pop(flag, None)
        else:
            self.state.flags[flag.flag] = flag

    def _tell_links(self, out: Emitter) -> None:
        """Say on every partition which venues cannot be reached, as a gateway does."""
        day = self._day
        since_ns = out.at_ns - day.terms.start_ns
        for link in links(day.troubles, since_ns, day.terms.step_ns, out.at_ns):
            for partition in range(self._partitions):
                out.emit(
                    self._edges.reports,
                    link,
                    key=str(partition),
                    causation_id=NO_EVENT,
                    correlation_id=link.venue_id,
                    source_ns=out.at_ns,
                    partition=partition,
                    actor=link.venue_id,
                )

    def _count(self, message: Message) -> None:
        """Count a report as it is told."""
        if not isinstance(message, ExecutionReport):
            self._tally.told[type(message).__name__] += 1
            return
        self._tally.told[message.exec_type.value] += 1
        if message.exec_type in EXECUTED:
            self._tally.executed[message.exec_type.value] += message.last_quantity

    def _keep(self, inbound: Inbound) -> None:
        if inbound.error is not None:
            where = f"{inbound.record.topic}[{inbound.record.partition}]@{inbound.record.offset}"
            raise CorruptHistoryError(f"{where}: {inbound.error}")
        if isinstance(inbound.message, TO_VENUES) and inbound.envelope is not None:
            record = inbound.record
            arrival = Arrival(inbound.envelope.event_id, inbound.message)
            self._arrived.append((record.partition, record.offset, arrival))
            self._tally.heard[type(inbound.message).__name__] += 1

    def _step(self) -> Sequence[Said]:
        day, state = self._day, self.state
        step = state.step + 1
        end_ns = day.terms.start_ns + step * day.terms.step_ns
        out = StepOutbox(end_ns, day.terms.venues)
        if not state.books:
            open_books(state, day.terms, day.source.frame(0), out)
        arrivals = [entry[2] for entry in sorted(self._arrived, key=lambda entry: entry[:2])]
        self._arrived = []
        while self._next_command < len(day.commands):
            command = day.commands[self._next_command]
            if command.at_ns > end_ns:
                break
            self._next_command += 1
            out.order(command.source, command.message.instrument_id, command.message, command.at_ns)
        if day.troubles:
            arrivals = [
                each
                for each in arrivals
                if heard_of(each.message, day.troubles, end_ns - day.terms.start_ns)
            ]
        fade(state, day.terms.impact)
        run_step(state, day.terms, day.source.frame(step, moved(state)), arrivals, out)
        if not day.troubles:
            return out.in_order()
        return delivered(
            out.in_order(),
            state,
            day.troubles,
            start_ns=day.terms.start_ns,
            end_ns=end_ns,
            is_over=step > day.hours.end_step,
        )

    def _first_after(self, step: int) -> int:
        end_ns = self._day.terms.start_ns + step * self._day.terms.step_ns
        return sum(command.at_ns <= end_ns for command in self._day.commands)
