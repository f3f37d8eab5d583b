"""One engine shard on a memory log, fed with bytes as they come, good or bad."""

import io
from typing import Any

from fastavro import schemaless_writer
from fastavro.types import Schema

from schemas.avro import plain, registered, resolved
from schemas.messages.core import ClockMode, Envelope
from schemas.messages.index import MESSAGE_TYPES
from schemas.messages.intake import (
    CommandRepeated,
    OrderAccepted,
    OrderCancelRejected,
    OrderRejected,
)
from schemas.messages.runtime import DeadLetter
from schemas.messages.wire import write_envelope
from streams.adapters.codec import AvroCodec
from streams.adapters.memory import MemoryLog
from streams.core import topics
from streams.core.murmur import partition_of
from streams.runtime.host import ShardHost
from streams.runtime.inbox import LiveInbox
from streams.runtime.ports import TopicPartition
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

__all__ = ["PARTITIONS", "HostileShard", "framed", "framed_fields", "outside"]

CODEC = AvroCodec()
LOG_ID = b"penstock-testlog"
PARTITIONS = 4
SINGLE = (topics.KILL_COMMANDS, topics.CONTROL_COMMANDS, topics.PLANS_EVENTS)
TYPES = {message_type.struct: message_type for message_type in MESSAGE_TYPES}
ANSWERS = (OrderAccepted, OrderRejected, OrderCancelRejected, CommandRepeated)


class SetClock:
    """Implements ports.Clock: says what the test set."""

    def __init__(self) -> None:
        self.at_ns = OPEN_NS

    def now_ns(self) -> int:
        return self.at_ns

    def floor(self, now_ns: int) -> None:
        self.at_ns = max(self.at_ns, now_ns)


def outside(ordinal: int, at_ns: int = OPEN_NS, actor: str = "hostile") -> Envelope:
    """Return the envelope of a sender outside."""
    return Envelope(
        event_id=b"outside" + ordinal.to_bytes(9, "big"),
        shard=-1,
        seq=-1,
        index=0,
        topic_seq=-1,
        at_ns=at_ns,
        source_ns=at_ns,
        actor=actor,
        causation_id=bytes(16),
        correlation_id="",
    )


def framed(message: Any, ordinal: int = 1, actor: str = "hostile") -> bytes:
    """Return the message as a record's value."""
    return CODEC.encode(outside(ordinal, actor=actor), message)


def framed_fields(message: Any, **raw: bytes) -> bytes:
    """Return the message's bytes with the bytes of some fields replaced; `frame` is the head."""
    message_type = TYPES[type(message)]
    schema = resolved(registered()[message_type.schema_id][1])
    datum = message_type.to_datum(message)
    head = b"\x00" + message_type.schema_id.to_bytes(4, "big")
    parts = [raw.get("frame", head), write_envelope(outside(1))]
    for field in schema["fields"][1:]:
        name = field["name"]
        parts.append(raw[name] if name in raw else _encoded(field["type"], datum[name]))
    return b"".join(parts) + raw.get("tail", b"")


def _encoded(kind: Schema, value: Any) -> bytes:
    buffer = io.BytesIO()
    schemaless_writer(buffer, plain(kind), value)
    return buffer.getvalue()


class HostileShard:
    """The shard that owns ACME, open for trade, in LIVE mode."""

    def __init__(self, instrument_id: str = "ACME") -> None:
        names = [value for name, value in vars(topics).items() if name.isupper()]
        self.shard = partition_of(instrument_id, PARTITIONS)
        self.log = MemoryLog({name: 1 if name in SINGLE else PARTITIONS for name in names})
        self.clock = SetClock()
        self._seen: dict[str, int] = {}
        for ordinal, message in enumerate(
            (
                instrument_defined(instrument_id=instrument_id),
                *(venue_defined(f"V{n}") for n in range(1, 4)),
                account_defined("A1"),
                account_defined("A2"),
            )
        ):
            self.put(topics.CONTROL_COMMANDS, framed(message, ordinal))
        self.host = self._new_host()
        self.host.take_over()
        self.quote()

    @property
    def application(self) -> EngineShard:
        application = self.host.application
        assert isinstance(application, EngineShard)
        return application

    def _new_host(self) -> ShardHost:
        settings = engine_settings(self.shard, ClockMode.LIVE, LOG_ID)
        return ShardHost(
            self.log,
            CODEC,
            settings,
            make_application=lambda: EngineShard(self.shard, PARTITIONS, LOG_ID),
            inbox=LiveInbox(self.log, CODEC, settings, self.clock),
            clock=self.clock,
            pause=lambda _: None,
        )

    def put(self, topic: str, value: bytes, *, partition: int | None = None) -> None:
        number = self.shard if partition is None else partition
        self.log.append(topic, 0 if topic in SINGLE else number, b"k", value)

    def quote(self) -> None:
        """Show books at every venue."""
        for n in range(1, 4):
            self.put(topics.MARKET_DATA, framed(book_updated(f"V{n}")))
        self.turn()

    def turn(self) -> None:
        """Let the shard read all that is there, a second later."""
        self.clock.at_ns += SECOND
        while self.host.turn():
            pass

    def send(self, topic: str, value: bytes) -> list[Any]:
        """Put one record, let the shard read it; return the answers and dead letters it wrote."""
        self.heard()
        self.put(topic, value)
        self.turn()
        return self.heard()

    def heard(self) -> list[Any]:
        """Return the answers and dead letters written since the last call."""
        found: list[Any] = []
        for topic, number in ((topics.ORDERS_EVENTS, self.shard), (topics.DEAD_LETTERS, None)):
            for partition in range(PARTITIONS) if number is None else (number,):
                place = f"{topic}/{partition}"
                log = self.log.partition(TopicPartition(topic, partition))
                records, position = log.read(self._seen.get(place, 0), 10**6)
                self._seen[place] = position
                found += [CODEC.decode(record.value)[1] for record in records]
        return [each for each in found if isinstance(each, (*ANSWERS, DeadLetter))]
