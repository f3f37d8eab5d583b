"""The engine's shard on a list instead of a log: no bytes, no transactions, every batch kept."""

from typing import Any, TypeVar

from schemas.messages.core import ClockMode, Envelope, JournalKind, RejectReason
from schemas.messages.runtime import DeadLetter, JournalRecord
from streams.core import topics
from streams.core.envelope import outside_envelope
from streams.core.errors import DecodeError
from streams.runtime.decide import decide_batch
from streams.runtime.journal import tape_entropy
from streams.runtime.merge import merge
from streams.runtime.ports import Inbound, Record, RecordedBatch, RecordedEvent
from streams.runtime.settings import engine_settings
from streams.shard import EngineShard
from tests.support.builders import (
    OPEN_NS,
    SECOND,
    account_defined,
    book_updated,
    instrument_defined,
    venue_defined,
)

LOG_ID = b"penstock-testlog"
SEED = 7
NO_EVENT = bytes(16)
Found = TypeVar("Found")


class ListEmitter:
    """Implements ports.Emitter."""

    def __init__(self, shard: int, seq: int, at_ns: int) -> None:
        self.shard = shard
        self.seq = seq
        self.at_ns = at_ns
        self.entropy = tape_entropy(SEED, shard, seq)
        self.events: list[RecordedEvent] = []

    def emit(
        self,
        topic: str,
        message: Any,
        *,
        key: str,
        causation_id: bytes,
        correlation_id: str,
        source_ns: int = 0,
        partition: int | None = None,
        actor: str = "",
    ) -> bytes:
        assert key or message.instrument_id == "", f"{message} has no key"
        index = len(self.events)
        event_id = self.seq.to_bytes(12, "big") + index.to_bytes(4, "big")
        envelope = Envelope(
            event_id=event_id,
            shard=self.shard,
            seq=self.seq,
            index=index,
            topic_seq=-1,
            at_ns=self.at_ns,
            source_ns=source_ns,
            actor=actor or "engine",
            causation_id=causation_id,
            correlation_id=correlation_id,
        )
        self.events.append(RecordedEvent(topic, envelope, message))
        return event_id

    def dead_letter(
        self, inbound: Inbound, reason: RejectReason, field: str, value: str, bound: str
    ) -> bytes:
        record = inbound.record
        letter = DeadLetter(
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            reason=reason,
            field=field,
            value=value,
            bound=bound,
            key=record.key,
            body=record.value,
        )
        return self.emit(
            topics.DEAD_LETTERS, letter, key="x", causation_id=NO_EVENT, correlation_id=""
        )

    def model(self, name: str, compute: Any) -> Any:
        return compute()


class ListHost:
    """Feed a shard batch by batch; `now_ns` is the time of the next batch."""

    def __init__(self, shard: int = 0, partitions: int = 1) -> None:
        self.app = EngineShard(shard, partitions, LOG_ID)
        self.now_ns = OPEN_NS
        self._settings = engine_settings(shard, ClockMode.TAPE, LOG_ID)
        self.batches: list[RecordedBatch] = []
        self.inputs: list[list[Inbound]] = []  # of each batch, in the order of writing
        self.flags: list[str] = []  # local kill flags that stand, as texts
        self._waiting: list[Inbound] = []
        self._offset = 0

    def put(
        self,
        topic: str,
        *messages: Any,
        partition: int | None = None,
        source_ns: int | None = None,
        actor: str = "test",
    ) -> None:
        """Let the next batch read these messages."""
        for message in messages:
            self._offset += 1
            shared = topic in (topics.CONTROL_COMMANDS, topics.KILL_COMMANDS, topics.PLANS_EVENTS)
            own = 0 if shared else self.app.shard
            own = own if partition is None else partition
            record = Record(topic, own, self._offset, 0, b"", b"")
            if isinstance(message, DecodeError):
                self._waiting.append(Inbound(record, None, None, message))
                continue
            envelope = outside_envelope(
                b"in" + self._offset.to_bytes(14, "big"),
                self.now_ns,
                actor,
                source_ns=self.now_ns if source_ns is None else source_ns,
            )
            self._waiting.append(Inbound(record, envelope, message, None))

    def step(self, now_ns: int | None = None) -> list[Any]:
        """Run one batch and return the messages that it wrote."""
        self.now_ns = self.now_ns if now_ns is None else now_ns
        self.inputs.append(self._waiting)
        inputs, self._waiting = self._in_tape_order(self._waiting), []
        out = ListEmitter(self.app.shard, len(self.batches) + 1, self.now_ns)
        signals = self.app.unheard(tuple(self.flags))
        timers = decide_batch(self._settings, self.app, inputs, out, signals)
        journal = JournalRecord(
            kind=JournalKind.BATCH,
            log_id=LOG_ID,
            incarnation=1,
            previous_hash=b"",
            now_ns=self.now_ns,
            mode=ClockMode.TAPE,
            watermark_ns=self.now_ns,
            step=out.seq,
            entropy=out.entropy,
            code_version="",
            config_version="",
            schema_version="",
            library_versions="",
            ranges=(),
            timers=timers,
            outputs=(),
            output_count=len(out.events),
            output_digest=b"",
            state_hash=None,
            signals=signals,
        )
        seen = [each for each in inputs if each.record.topic in self.app.restore_inputs]
        envelope = Envelope(
            event_id=NO_EVENT,
            shard=self.app.shard,
            seq=out.seq,
            index=len(out.events),
            topic_seq=-1,
            at_ns=self.now_ns,
            source_ns=0,
            actor="engine",
            causation_id=NO_EVENT,
            correlation_id="",
        )
        self.batches.append(RecordedBatch(journal, envelope, seen, out.events))
        return [event.message for event in out.events]

    def _in_tape_order(self, waiting: list[Inbound]) -> list[Inbound]:
        runs: dict[str, list[Inbound]] = {}
        for inbound in waiting:
            runs.setdefault(inbound.record.topic, []).append(inbound)
        urgent = self._settings.urgent_inputs
        first = [each.topic for each in urgent if each.topic in runs]
        names = first + [name for name in runs if name not in first]
        return merge(ClockMode.TAPE, urgent, [runs[name] for name in names])

    def recover(self) -> None:
        """Go on with a shard that folded every batch; it must know what the one before knew."""
        fresh = EngineShard(self.app.shard, self.app.partitions, LOG_ID)
        for batch in self.batches:
            fresh.restore(batch)
        assert fresh.snapshot() == self.app.snapshot(), "recovery builds another state"
        self.app = fresh

    def send(self, topic: str, *messages: Any, after_ns: int = 0) -> list[Any]:
        """Put the messages, let `after_ns` pass, run the batch."""
        self.put(topic, *messages)
        return self.step(self.now_ns + after_ns)

    def pass_time(self, after_ns: int, every_ns: int = SECOND) -> list[Any]:
        """Run empty batches for `after_ns`; return all that they wrote."""
        end_ns = self.now_ns + after_ns
        messages = []
        while self.now_ns < end_ns:
            messages += self.step(min(self.now_ns + every_ns, end_ns))
        return messages

    def messages(self, *kinds: type[Found]) -> list[Found]:
        """Return every message of these kinds written so far."""
        return [
            event.message
            for batch in self.batches
            for event in batch.outputs
            if isinstance(event.message, kinds)
        ]


def trading_host(
    *definitions: Any, shard: int = 0, partitions: int = 1, venues: int = 3
) -> ListHost:
    """Return a host that knows ACME, accounts A1..A9 and open venues V1, ... at 99.99/100.01."""
    host = ListHost(shard, partitions)
    host.put(
        topics.CONTROL_COMMANDS,
        instrument_defined(),
        *[account_defined(f"A{n}") for n in range(1, 10)],
        *[venue_defined(f"V{n}") for n in range(1, venues + 1)],
        *definitions,
    )
    host.put(topics.MARKET_DATA, *[book_updated(f"V{n}") for n in range(1, venues + 1)])
    host.step()
    return host
