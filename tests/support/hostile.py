"""One engine shard on a memory log, fed with bytes as they come, good or bad."""

import io
from collections.abc import Callable, Iterator
from os import urandom
from typing import Any, NamedTuple, TypeVar

from fastavro import parse_schema, schemaless_writer
from fastavro.types import Schema

from schemas.avro import plain, registered, resolved
from schemas.messages.core import (
    ClockMode,
    Envelope,
    OrderStatus,
    OrderType,
    RejectReason,
    Side,
    StrategyKind,
    envelope_to_datum,
)
from schemas.messages.index import MESSAGE_TYPES
from schemas.messages.intake import (
    BasketAnswered,
    CommandRepeated,
    MassCancelAnswered,
    OrderAccepted,
    OrderCanceled,
    OrderCancelRejected,
    OrderPendingCancel,
    OrderPendingReplace,
    OrderRejected,
    OrderReplaced,
)
from schemas.messages.kill import KillRefused
from schemas.messages.market import TradePrinted
from schemas.messages.routing import ChildPlaced, SuspenseRecorded
from schemas.messages.runtime import DeadLetter
from schemas.messages.wire import write_envelope
from services.audit import RawRecord, check_records
from services.audit.checker import TOPICS
from streams.adapters.codec import AvroCodec
from streams.adapters.memory import MemoryLog
from streams.core import topics
from streams.core.envelope import outside_envelope
from streams.core.murmur import partition_of
from streams.runtime.host import ShardHost
from streams.runtime.inbox import LiveInbox
from streams.runtime.ports import Record, TopicPartition
from streams.runtime.replay import replay
from streams.runtime.settings import engine_settings
from streams.shard import EngineShard, wide
from streams.shard.state import ShardState
from tests.support.builders import (
    ACME,
    CLOSE_NS,
    OPEN_NS,
    SECOND,
    TICK,
    account_defined,
    book_updated,
    cancel_order,
    execution_report,
    instrument_defined,
    new_order,
    venue_defined,
)

__all__ = [
    "PARTITIONS",
    "Heard",
    "HostileShard",
    "OrderRow",
    "effects_of",
    "framed",
    "framed_fields",
    "framed_v1",
    "outside",
    "trade_printed",
]

CODEC = AvroCodec()
LOG_ID = b"penstock-testlog"
Found = TypeVar("Found")
PARTITIONS = 4
SINGLE = (topics.KILL_COMMANDS, topics.CONTROL_COMMANDS, topics.PLANS_EVENTS)
TYPES = {message_type.struct: message_type for message_type in MESSAGE_TYPES}
# What is changed in a good order, reason, field, value and bound as told; None: whatever it is.
OrderRow = tuple[dict[str, Any], RejectReason, str, str | None, str | None]
ANSWERS = (
    BasketAnswered,
    CommandRepeated,
    KillRefused,
    MassCancelAnswered,
    OrderAccepted,
    OrderCancelRejected,
    OrderCanceled,
    OrderPendingCancel,
    OrderPendingReplace,
    OrderRejected,
    OrderReplaced,
    SuspenseRecorded,
)
HEARD_TOPICS = (
    *(topics.ORDERS_EVENTS, topics.CHILDREN_EVENTS, topics.FILLS_EVENTS),
    *(topics.DECISIONS_EVENTS, topics.DEAD_LETTERS),
)


class Heard(NamedTuple):
    """What was said of one message."""

    said: list[Any]  # answers and dead letters, in this order
    is_without_effect: bool
    value: bytes  # the record


def effects_of(state: ShardState) -> bytes:
    """Return all that a message can change but what it was answered and how many came."""
    contexts = (state.netting, state.strategy, state.routing, state.allocation, state.kill)
    risk = (state.risk.orders, state.risk.cells, state.risk.locates, state.risk.limits)
    orders = (state.intake.orders, state.intake.parents)
    views = (state.market, state.reference)
    return wide.encode([orders, contexts, state.parents, risk, views])


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
    return outside_envelope(b"outside" + ordinal.to_bytes(9, "big"), at_ns, actor)


def trade_printed(instrument_id: str = ACME, ticks: int = 10_000, **changes: Any) -> TradePrinted:
    """Return a trade of 100 among others."""
    return TradePrinted(
        **{
            "venue_id": "V1",
            "instrument_id": instrument_id,
            "price_e9": ticks * TICK,
            "quantity": 100,
            "own_quantity": 0,
            "aggressor": Side.BUY,
            "is_hidden": False,
            **changes,
        }
    )


def framed(message: Any, ordinal: int = 1, actor: str = "hostile", at_ns: int = OPEN_NS) -> bytes:
    """Return the message as a record's value."""
    return CODEC.encode(outside(ordinal, at_ns, actor), message)


def framed_v1(message: Any) -> bytes:
    """Return the message as a sender of the first version writes it, with what that knows."""
    message_type = TYPES[type(message)]
    full = message_type.name.rpartition(".")[0] + ".v1"
    schema_id, schema = next((i, s) for i, (name, s) in registered().items() if name == full)
    datum = {**message_type.to_datum(message), "envelope": envelope_to_datum(outside(1))}
    buffer = io.BytesIO()
    schemaless_writer(buffer, parse_schema(plain(schema)), datum)
    return b"\x00" + schema_id.to_bytes(4, "big") + buffer.getvalue()


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

    def __init__(
        self,
        *definitions: Any,
        partitions: int = PARTITIONS,
        entropy: Callable[[int], bytes] = urandom,
    ) -> None:
        self.entropy = entropy
        names = [value for name, value in vars(topics).items() if name.isupper()]
        self.partitions = partitions
        self.shard = partition_of("ACME", partitions)
        self.log = MemoryLog({name: 1 if name in SINGLE else partitions for name in names})
        self.clock = SetClock()
        self._seen: dict[str, int] = {}
        for ordinal, message in enumerate(
            (
                instrument_defined(),
                *(venue_defined(f"V{n}") for n in range(1, 4)),
                account_defined("A1"),
                account_defined("A2"),
                *definitions,
            )
        ):
            self.put(topics.CONTROL_COMMANDS, framed(message, ordinal))
        self.settings = engine_settings(self.shard, ClockMode.LIVE, LOG_ID)
        self.host = self._new_host()
        self.host.take_over()
        self.quote()

    @property
    def application(self) -> EngineShard:
        application = self.host.application
        assert isinstance(application, EngineShard)
        return application

    def new_application(self) -> EngineShard:
        return EngineShard(self.shard, self.partitions, LOG_ID)

    def _new_host(self) -> ShardHost:
        settings = self.settings
        return ShardHost(
            self.log,
            CODEC,
            settings,
            make_application=self.new_application,
            inbox=LiveInbox(self.log, CODEC, settings, self.clock),
            clock=self.clock,
            pause=lambda _: None,
            entropy=self.entropy,
        )

    def again(self) -> ShardHost:
        """Return a host that took the shard over from what is recorded of it."""
        host = self._new_host()
        host.take_over()
        return host

    def put(self, topic: str, value: bytes, *, partition: int | None = None) -> None:
        number = self.shard if partition is None else partition
        self.log.append(topic, 0 if topic in SINGLE else number, b"k", value)

    def quote(self) -> None:
        """Show books at every venue."""
        for n in range(1, 4):
            book = framed(book_updated(f"V{n}"), at_ns=self.clock.at_ns + SECOND)
            self.put(topics.MARKET_DATA, book)
        self.turn()

    def turn(self, after_ns: int = SECOND) -> None:
        """Let the shard read all that is there, a second later."""
        self.clock.at_ns += after_ns
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
        for topic in HEARD_TOPICS:
            for partition in range(self.partitions):
                records = self._new_records(topic, partition)
                found += [CODEC.decode(record.value)[1] for record in records]
        return [each for each in found if isinstance(each, (*ANSWERS, DeadLetter))]

    def ask(self, message: Any, topic: str = topics.ORDERS_COMMANDS, **frame: Any) -> "Heard":
        """Let a second pass, then put one message; return what was said of it at that instant."""
        value = message if isinstance(message, bytes) else framed(message, **frame)
        self.turn()
        self.heard()
        before = effects_of(self.application.state)
        self.put(topic, value)
        self.turn(0)
        said = self.heard()
        return Heard(said, effects_of(self.application.state) == before, value)

    def refused(self, message: Any, kind: type[Found], **asked: Any) -> Found:
        """Return the refusal, which is all that the message leads to, and a letter keeps it."""
        heard = self.ask(message, **asked)
        assert [type(each) for each in heard.said] == [kind, DeadLetter], heard.said
        answer, letter = heard.said
        assert letter.body == heard.value
        assert heard.is_without_effect, "it was refused and has an effect"
        assert letter.reason == answer.reason
        assert isinstance(answer, kind)
        return answer

    def refuses_order(self, name: str, row: OrderRow) -> None:
        """The order is refused as the row says, with no effect, and the next good one taken."""
        changes, reason, field, value, bound = row
        order = new_order(**{"client_order_id": name[:64], **changes})
        answer = self.refused(order, OrderRejected)
        assert (answer.reason, answer.field) == (reason, field), answer.text
        assert value is None or answer.value == value
        assert bound is None or answer.bound == bound
        assert answer.text.isprintable()
        self.takes_good_orders(name)

    def takes_good_orders(self, name: str) -> None:
        """An honest order is accepted, and canceled on request."""
        changes = {"account_id": "A2", "side": Side.SELL, "start_ns": CLOSE_NS - SECOND}
        (accepted,) = self.ask(new_order(f"good {name}"[:64], **changes)).said
        assert isinstance(accepted, OrderAccepted), accepted
        said = self.ask(cancel_order(f"end {name}"[:64], f"good {name}"[:64])).said
        assert isinstance(said[-1], OrderCanceled), said

    def rest(self, name: str, ticks: int) -> ChildPlaced:
        """Let an order rest at a venue by itself; return its child."""
        terms = {"order_type": OrderType.LIMIT, "limit_price_e9": ticks * TICK}
        self.ask(new_order(name, strategy=StrategyKind.IMMEDIATE, **terms))
        self.quote()
        self.quote()
        child = self.messages(topics.CHILDREN_EVENTS, ChildPlaced)[-1]
        assert child.price_e9 == ticks * TICK
        return child

    def fill(self, child: ChildPlaced, quantity: int) -> None:
        """Report the first fill of a child."""
        is_full = quantity == child.quantity
        report = execution_report(
            child.child_id,
            f"e-{child.child_id}",
            venue_id=child.venue_id,
            last_quantity=quantity,
            last_price_e9=child.price_e9,
            cumulative_quantity=quantity,
            leaves_quantity=child.quantity - quantity,
            order_status=OrderStatus.FILLED if is_full else OrderStatus.PARTIALLY_FILLED,
        )
        self.send(topics.VENUES_REPORTS, framed(report))

    def prove(self) -> None:
        """The journal decided again is the same, and the independent checker finds nothing."""
        report = replay(self.log, CODEC, self.settings, self.new_application)
        assert report.difference is None, report.difference
        found = check_records(self._records(), is_quiet=False).findings
        assert not found, [str(finding) for finding in found]

    def messages(self, topic: str, kind: type[Found]) -> list[Found]:
        """Return every message of the kind on the shard's partition of the topic."""
        records, _ = self.log.partition(TopicPartition(topic, self.shard)).read(0, 10**6)
        found = [CODEC.decode(record.value)[1] for record in records]
        return [each for each in found if isinstance(each, kind)]

    def _records(self) -> Iterator[RawRecord]:
        for topic in TOPICS:
            for number in range(1 if topic in SINGLE else self.partitions):
                records, _ = self.log.partition(TopicPartition(topic, number)).read(0, 10**6)
                for each in records:
                    yield RawRecord(topic, number, each.offset, each.key, each.value)

    def _new_records(self, topic: str, partition: int) -> list[Record]:
        place = f"{topic}/{partition}"
        log = self.log.partition(TopicPartition(topic, partition))
        records, position = log.read(self._seen.get(place, 0), 10**6)
        self._seen[place] = position
        return records
