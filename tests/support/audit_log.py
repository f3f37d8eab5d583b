"""A log written record by record as the runtime would, apart from it, for tests of the checker."""

import types
import typing
from collections.abc import Callable, Iterable
from enum import StrEnum
from hashlib import blake2b, sha256
from typing import Any

import msgspec

from schemas.messages import core as c
from schemas.messages.intake import OrderAccepted
from schemas.messages.runtime import JournalRecord
from services.audit import RawRecord
from streams.adapters.codec import AvroCodec
from streams.core.topics import ENGINE_JOURNAL, ORDERS_COMMANDS

__all__ = ["Batch", "Event", "input_id", "make", "resign", "written"]

LOG_ID = b"audit-test-log-1"
CODEC = AvroCodec()
Event = tuple[str, Any]  # topic, message


class Batch(msgspec.Struct, kw_only=True):
    """What one journal record reads, and what it writes."""

    inputs: list[Event] = []
    outputs: list[Event] = []
    causes: list[bytes] = []  # causation_id of each output; empty: worked out by the writer
    now_ns: int = -1  # of the batch and its outputs; -1: its number
    mode: c.ClockMode = c.ClockMode.UNKNOWN
    times: list[tuple[int, int]] = []  # source_ns and at_ns of each input; empty: all 0
    signals: tuple[str, ...] = ()  # local kill flags
    actors: list[str] = []  # who put each input in; empty: nobody is named


def zero(kind: Any) -> Any:
    """Return the least value of an annotation."""
    if isinstance(kind, types.UnionType):
        return None
    if typing.get_origin(kind) is tuple:
        return ()
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return next(iter(kind))
    return {int: 0, str: "", bool: False, bytes: bytes(16)}[kind]


def make(struct: type[Any], **fields: Any) -> Any:
    """Return a message; what is not named is zero, empty or UNKNOWN."""
    hints = typing.get_type_hints(struct).items()
    return struct(**{name: zero(kind) for name, kind in hints if name not in fields}, **fields)


def input_id(ordinal: int) -> bytes:
    """Return the event id of the input of that ordinal, from 0."""
    return b"in" + ordinal.to_bytes(14, "big")


class Writer:
    """Writes batches as the runtime would: ids, sequences, digest, chain. Written apart from it."""

    def __init__(self) -> None:
        self.records: list[RawRecord] = []
        self.hash = bytes(32)
        self.seq = 0
        self.inputs = 0
        self.offsets: dict[str, int] = {}
        self.topic_seqs: dict[str, int] = {}

    def append(self, topic: str, value: bytes) -> int:
        offset = self.offsets.get(topic, 0)
        self.offsets[topic] = offset + 1
        self.records.append(RawRecord(topic, 0, offset, b"", value))
        return offset

    def read(self, event: Event, times: tuple[int, int], actor: str) -> Any:
        topic, message = event
        envelope = make(
            c.Envelope,
            event_id=input_id(self.inputs),
            shard=-1,
            seq=-1,
            topic_seq=-1,
            source_ns=times[0],
            at_ns=times[1],
            actor=actor,
        )
        self.inputs += 1
        offset = self.append(topic, CODEC.encode(envelope, message))
        return make(
            c.ConsumedRange, topic=topic, first_offset=offset, next_position=offset + 1, count=1
        )

    def envelope(self, index: int, topic_seq: int, at_ns: int, cause: bytes = bytes(16)) -> Any:
        place = (0).to_bytes(4, "big") + self.seq.to_bytes(8, "big") + index.to_bytes(4, "big")
        return make(
            c.Envelope,
            event_id=blake2b(LOG_ID + place, digest_size=16).digest(),
            seq=self.seq,
            index=index,
            topic_seq=topic_seq,
            at_ns=at_ns,
            causation_id=cause,
        )

    def causes(self, inputs: list[Event], outputs: list[Event]) -> list[bytes]:
        """Return causes: the nth acceptance answers the nth command, the rest the last input."""
        ids = [input_id(self.inputs + n) for n in range(len(inputs))]
        commands = [
            own for own, (topic, _) in zip(ids, inputs, strict=True) if topic == ORDERS_COMMANDS
        ]
        answers = iter(commands)
        last = ids[-1] if ids else bytes(16)
        return [next(answers, last) if type(m) is OrderAccepted else last for _, m in outputs]

    def batch(self, kind: c.JournalKind, batch: Batch) -> None:
        inputs, outputs = batch.inputs, batch.outputs
        causes = batch.causes or self.causes(inputs, outputs)
        now_ns = self.seq if batch.now_ns < 0 else batch.now_ns
        times = batch.times or [(0, 0)] * len(inputs)
        actors = [*batch.actors, *[""] * (len(inputs) - len(batch.actors))]
        ranges = tuple(self.read(*each) for each in zip(inputs, times, actors, strict=True))
        digest, counts = sha256(), dict.fromkeys(self.topic_seqs, 0)
        for index, (topic, message) in enumerate(outputs):
            self.topic_seqs[topic] = self.topic_seqs.get(topic, -1) + 1
            counts[topic] = counts.get(topic, 0) + 1
            value = CODEC.encode(
                self.envelope(index, self.topic_seqs[topic], now_ns, causes[index]), message
            )
            digest.update(topic.encode() + (0).to_bytes(4, "big") + value)
            self.append(topic, value)
        journal = make(
            JournalRecord,
            kind=kind,
            log_id=LOG_ID,
            incarnation=1,
            previous_hash=self.hash,
            now_ns=now_ns,
            mode=batch.mode,
            ranges=ranges,
            outputs=tuple(
                make(c.TopicOutput, topic=t, count=n, last_topic_seq=self.topic_seqs[t])
                for t, n in counts.items()
            ),
            output_count=len(outputs),
            output_digest=digest.digest(),
            signals=batch.signals,
        )
        value = CODEC.encode(self.envelope(len(outputs), self.seq, now_ns), journal)
        self.append(ENGINE_JOURNAL, value)
        self.hash = sha256(value).digest()
        self.seq += 1


def written(batches: Iterable[Batch], *, first_input: int = 0) -> list[RawRecord]:
    """Return the log of these batches, rightly signed whatever they say.

    `first_input`: ordinal of the first input, from which the inputs' event ids follow.
    """
    writer = Writer()
    writer.inputs = first_input
    writer.batch(c.JournalKind.OWNER_STARTED, Batch())
    for batch in batches:
        writer.batch(c.JournalKind.BATCH, batch)
    return writer.records


def resign(
    records: list[RawRecord], topic: str, nth: int, edit: Callable[[Any, Any], tuple[Any, Any]]
) -> list[RawRecord]:
    """Return the log with one record written anew by `edit(envelope, message)`, nothing else."""
    places = [i for i, record in enumerate(records) if record.topic == topic]
    record = records[places[nth]]
    value = CODEC.encode(*edit(*CODEC.decode(record.value)))
    made = list(records)
    made[places[nth]] = record._replace(value=value)
    return made
