"""Real conversations for the page: a client, the gateway and an engine, in memory."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from schemas.messages.core import (
    BookState,
    ClockMode,
    ExecType,
    Level,
    Liquidity,
    OrderStatus,
)
from schemas.messages.fix import FixReceived, FixSending, FixSessionChanged
from schemas.messages.market import BookUpdated
from schemas.messages.routing import ChildPlaced
from schemas.messages.venues import ExecutionReport
from services.fix.codes import Version
from services.fix.fields import Fields, framed
from services.fix.gateway.host import gateway_host, gateway_settings
from services.fix.kinds import make_gateway
from services.fix.settings import GatewayFile, Kind
from services.fix.values import utc_text
from services.venues.scenario import Scenario, definitions, plan_day
from streams.adapters.codec import AvroCodec
from streams.adapters.memory import MemoryLog
from streams.core import topics
from streams.core.envelope import outside_envelope
from streams.core.murmur import partition_of
from streams.runtime.host import ShardHost
from streams.runtime.inbox import LiveInbox
from streams.runtime.ports import TopicPartition
from streams.runtime.settings import engine_settings
from streams.shard import EngineShard

__all__ = ["Exchange", "Rehearsal"]

CODEC: Final = AvroCodec()
LOG_ID: Final = b"penstock-example"
SCENARIO: Final = Scenario(orders=1, accounts=2, minutes=390)
SYMBOL, ACCOUNT, SESSION = "ALDER", "A001", "oms"
SECOND_NS: Final = 10**9
TICK_E9: Final = 10_000_000
TURNS: Final = 60


class Exchange(NamedTuple):
    """One message of a conversation."""

    is_ours: bool
    text: bytes


class _Clock:
    """Implements ports.Clock: the rehearsal says what time it is."""

    def __init__(self, now: int) -> None:
        self.now = now

    def now_ns(self) -> int:
        return self.now

    def floor(self, now_ns: int) -> None:
        self.now = max(self.now, now_ns)


class Rehearsal:
    """One session of one version; `say` and `venue` give everything that was said since."""

    def __init__(self, version: Version) -> None:
        self.version = version
        day = plan_day(SCENARIO)
        self.clock = _Clock(day.terms.start_ns + 1_800 * SECOND_NS)
        names = [value for name, value in vars(topics).items() if name.isupper()]
        self._log = MemoryLog(dict.fromkeys(names, 1))
        self._numbers = [1, 1]  # newest of theirs and ours: both have logged on
        self._read: dict[str, int] = {}
        self._events = 0
        self.mid_e9 = 0
        for message in definitions(SCENARIO, day):
            self._put(topics.CONTROL_COMMANDS, message)
        self._gateway = self._start_gateway()
        self._engine = self._start_engine()
        self.quote(100 * SECOND_NS)
        self._put(topics.FIX_RECEIVED, _logon(self.clock.now))
        self._settle()

    @property
    def time(self) -> str:
        """Return the time as FIX has it."""
        return utc_text(self.clock.now, 3)

    def say(self, kind: str, body: str) -> list[Exchange]:
        """Send a message, written with | between its fields; return it and the answers."""
        self._numbers[0] += 1
        pairs = [part.partition("=")[::2] for part in body.split("|")]
        fields = Fields([(int(tag), value) for tag, value in pairs])
        text = self._framed(kind, fields, is_ours=False)
        self._put(topics.FIX_RECEIVED, self._received(kind, text))
        return [Exchange(False, text), *self._settle()]

    def quote(self, mid_e9: int) -> None:
        """Show books at every venue of the day."""
        self.mid_e9 = mid_e9
        for venue_id in ("NORD", "OST", "SUED"):
            book = BookUpdated(
                venue_id=venue_id,
                instrument_id=SYMBOL,
                state=BookState.OPEN,
                bids=_levels(mid_e9 - TICK_E9, -TICK_E9),
                asks=_levels(mid_e9 + TICK_E9, TICK_E9),
            )
            self._put(topics.MARKET_DATA, book)

    def pass_s(self, seconds: int) -> list[Exchange]:
        """Let time go by, the market being quoted."""
        said: list[Exchange] = []
        for _ in range(seconds):
            self.clock.now += SECOND_NS
            self.quote(self.mid_e9)
            said += self._settle()
        return said

    def children(self) -> list[ChildPlaced]:
        """Return every order that the engine has sent to a venue."""
        return [m for m in self._all(topics.CHILDREN_EVENTS) if isinstance(m, ChildPlaced)]

    def venue(self, child: ChildPlaced, exec_id: str, quantity: int, **more: Any) -> list[Exchange]:
        """Let a venue execute so much of a child; return what the client is told."""
        report = ExecutionReport(
            **{
                "venue_id": child.venue_id,
                "instrument_id": child.instrument_id,
                "child_id": child.child_id,
                "venue_order_id": f"V{child.child_id}",
                "exec_id": exec_id,
                "exec_ref_id": "",
                "exec_type": ExecType.TRADE,
                "order_status": OrderStatus.PARTIALLY_FILLED,
                "side": child.side,
                "last_quantity": quantity,
                "last_price_e9": child.price_e9 or self.mid_e9,
                "cumulative_quantity": quantity,
                "leaves_quantity": child.quantity - quantity,
                "fee_e9": 0,
                "liquidity": Liquidity.ADDED,
                "text": "",
                "transact_ns": self.clock.now,
                **more,
            }
        )
        self._put(topics.VENUES_REPORTS, report)
        return self._settle()

    def _framed(self, kind: str, fields: Fields, *, is_ours: bool) -> bytes:
        ours, theirs = ("PENSTOCK", "OMS")
        header = Fields([(35, kind), (34, str(self._numbers[is_ours]))])
        header.add(49, ours if is_ours else theirs).add(52, self.time)
        header.add(56, theirs if is_ours else ours)
        return framed(self.version.begin_string, header, fields.body())

    def _settle(self) -> list[Exchange]:
        for _ in range(TURNS):
            is_moved = self._gateway.turn()
            is_moved = self._engine.turn() or is_moved
            if not is_moved:
                break
        said: list[Exchange] = []
        for message in self._fresh(topics.FIX_SENDING):
            if isinstance(message, FixSending):
                self._numbers[1] += 1
                fields = Fields.parse(message.body)
                text = self._framed(message.message_type, fields, is_ours=True)
                said.append(Exchange(True, text))
        return said

    def _start_gateway(self) -> ShardHost:
        file = _file(self.version)
        settings = gateway_settings(
            make_gateway(file), name="example", log_id=LOG_ID, partitions=1, config_version="spec"
        )
        host = gateway_host(
            self._log, CODEC, settings, lambda: make_gateway(file), clock=self.clock
        )
        host.take_over()
        return host

    def _start_engine(self) -> ShardHost:
        settings = engine_settings(partition_of(SYMBOL, 1), ClockMode.LIVE, LOG_ID)
        host = ShardHost(
            self._log,
            CODEC,
            settings,
            make_application=lambda: EngineShard(0, 1, LOG_ID),
            inbox=LiveInbox(self._log, CODEC, settings, self.clock),
            clock=self.clock,
            pause=lambda _: None,
        )
        host.take_over()
        return host

    def _put(self, topic: str, message: Any) -> None:
        self._events += 1
        envelope = outside_envelope(self._events.to_bytes(16, "big"), self.clock.now, "example")
        self._log.append(topic, 0, SYMBOL.encode(), CODEC.encode(envelope, message))

    def _fresh(self, topic: str) -> Iterator[Any]:
        place = TopicPartition(topic, 0)
        records, end = self._log.partition(place).read(self._read.get(topic, 0), 10**9)
        self._read[topic] = end
        return (CODEC.decode(record.value)[1] for record in records)

    def _all(self, topic: str) -> list[Any]:
        records, _ = self._log.partition(TopicPartition(topic, 0)).read(0, 10**9)
        return [CODEC.decode(record.value)[1] for record in records]

    def _received(self, kind: str, text: bytes) -> FixReceived:
        return FixReceived(
            session_id=SESSION,
            session_day=20260302,
            session_epoch=1,
            sequence=self._numbers[0],
            message_type=kind,
            is_possible_duplicate=False,
            is_possible_resend=False,
            text=text,
            refusal="",
            sent_ns=self.clock.now,
            received_ns=self.clock.now,
        )


def _levels(best_e9: int, step_e9: int) -> tuple[Level, ...]:
    return tuple(Level(price_e9=best_e9 + step_e9 * n, quantity=1_000) for n in range(5))


def _logon(at_ns: int) -> FixSessionChanged:
    return FixSessionChanged(
        session_id=SESSION,
        session_day=20260302,
        session_epoch=1,
        is_logged_on=True,
        text="",
        transact_ns=at_ns,
    )


def _file(version: Version) -> GatewayFile:
    return GatewayFile.model_validate(
        {
            "name": "example",
            "number": 0,
            "kind": Kind.CLIENTS,
            "session": [
                {
                    "session_id": SESSION,
                    "quickfix": {
                        "BeginString": version.begin_string,
                        "SenderCompID": "PENSTOCK",
                        "TargetCompID": "OMS",
                    },
                    "terms": {
                        "tenant": "HOUSE",
                        "source": "OMS",
                        "desk_id": "DESK",
                        "accounts": ["*"],
                        "default_account": ACCOUNT,
                    },
                }
            ],
        }
    )
