"""The gateway of clients under fuzz, with a real engine shard behind it."""

from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from random import Random
from typing import Any, ClassVar

from schemas.messages.core import ClockMode, ExecType, OrderStatus, Side
from schemas.messages.fix import FixReceived
from schemas.messages.intake import (
    CancelOrder,
    MassCancelOrder,
    NewBasket,
    NewOrder,
    ReplaceOrder,
)
from schemas.messages.routing import ChildPlaced
from services.fix.fields import Fields
from services.fix.settings import Kind
from streams.adapters.codec import AvroCodec
from streams.core import topics
from streams.runtime.host import ShardHost
from streams.runtime.inbox import LiveInbox
from streams.runtime.settings import engine_settings
from streams.shard import EngineShard
from tests.support.builders import (
    account_defined,
    book_updated,
    execution_report,
    instrument_defined,
    venue_defined,
)
from tests.support.fuzz_world import VERSIONS, FuzzWorld, gateway_file
from tests.support.fuzzed_gateway import LOG_ID, FuzzedGateway

__all__ = ["ClientsWorld"]

ORDER = (1, 11, 21, 55, 54, 60, 38, 40, 44, 59)
SIDES = {"1": Side.BUY, "2": Side.SELL, "5": Side.SELL}
OVER = ("4", "6")  # FIX 431: it is being canceled, it is done
TURNS = 40
STRATEGIES = ("1", "2", "3", "1000", "1001", "1002", "1003") * 4 + ("1001",) * 9 + ("7",)


class ClientsWorld(FuzzWorld):
    """Three clients, one of each version, and an engine that takes what they order."""

    types: ClassVar = ("D",) * 24 + ("F",) * 8 + ("G",) * 8 + ("E",) * 6 + (
        "H", "AF", "q", "K", "L", "M", "Q", "8", "9", "j", "3", "J", "B", "r", "N", "CA", "K", "L",
    )  # fmt: skip
    usual: ClassVar = {
        "D": (*ORDER, 847),
        "G": (*ORDER, 41),
        "F": (1, 11, 41, 55, 54, 60, 38),
        "E": (66, 394, 433, 68, 73, *ORDER, 67, 893),
        "H": (11, 55, 54, 790),
        "AF": (584, 585),
        "q": (11, 530, 60, 55),
        "CA": (11, 1373, 1374, 60, 55),
        "K": (66, 60),
        "L": (66, 60),
        "M": (66,),
        "Q": (37, 17, 127, 55, 54),
    }

    def __init__(self, chance: Random) -> None:
        terms = {
            name: {
                "tenant": "T1",
                "source": name,
                "desk_id": "DESK",
                "accounts": ("A1", "A2"),
                "default_strategy": "IMMEDIATE",
                "cancel_on_disconnect": name == "S42",
                "has_pending_new": name == "S44",
            }
            for name in VERSIONS
        }
        definitions = [
            instrument_defined(),
            *(venue_defined(f"V{n}") for n in range(1, 4)),
            account_defined("A1"),
            account_defined("A2"),
        ]
        self.commands: list[Any] = []
        self.children: list[Any] = []
        self.asked: dict[tuple[str, str, str], list[Fields]] = {}
        self._known = 0
        self._told = 0
        self._lists = 1
        self.over: set[tuple[str, str]] = set()  # lists of which a client heard that they are
        self._executions = 0
        gateway = FuzzedGateway(gateway_file(Kind.CLIENTS, terms), definitions)
        super().__init__(chance, gateway)
        settings = engine_settings(0, ClockMode.LIVE, LOG_ID)
        codec = AvroCodec()
        self.engine = ShardHost(
            gateway.log,
            codec,
            settings,
            make_application=lambda: EngineShard(0, 1, LOG_ID),
            inbox=LiveInbox(gateway.log, codec, settings, gateway.clock),
            clock=gateway.clock,
            pause=lambda _: None,
        )
        self.engine.take_over()

    def values(self, session_id: str) -> dict[int, Callable[[], str]]:
        """Return few names, so that messages meet: most ids were used before."""
        pick = self.chance.choice

        def name() -> str:
            return f"{session_id}-{self.chance.randint(1, 40)}"

        orders = (11, 41, 117, 526, 67)
        return {
            **dict.fromkeys(orders, name),
            37: lambda: pick([each.parent_id for each in self.children[-3:]] or ["O1"]),
            66: self._list_id,
            68: lambda: pick("2222223"),
            433: lambda: pick("12"[self._lists % 2] * 9 + "3"),
            1: lambda: pick(("A1",) * 9 + ("A2",) * 9 + ("A9",)),
            21: lambda: pick("1112" * 5 + "3"),
            55: lambda: pick(("ACME",) * 19 + ("OTHER",)),
            54: lambda: pick("11225"),
            38: lambda: str(self.chance.randint(1, 500)),
            40: lambda: pick("12" * 9 + "P"),
            44: lambda: f"{self.chance.randint(98, 102)}.{self.chance.randint(0, 99):02}",
            59: lambda: pick("0" * 16 + "136"),
            60: lambda: "20250615-15:10:00",
            75: lambda: "20250615",
            847: lambda: pick(STRATEGIES),
            848: lambda: pick(("ParticipationCap=0.2", "Urgency=URGENT;MinQty=5", "x", "a=b;c")),
            849: lambda: pick(("0.1", "1", "2", "0")),
            958: lambda: pick(("Urgency", "ParticipationCap", "StartTime", "HalfLife", "Nothing")),
            960: lambda: pick(("URGENT", "0.2", "20250615-15:30:00", "300", "")) or "0",
            530: lambda: pick("17"),
            893: lambda: pick("YN"),
            126: lambda: "20250615-15:40:00",
            168: lambda: "20250615-15:20:00",
        }

    def _list_id(self) -> str:
        """Return mostly the list of the message before, so that parts of one meet its K and L."""
        self._lists += self.chance.random() < 0.15
        return f"L{self._lists}" if self.chance.random() < 0.9 else "L1"

    def stir(self) -> None:
        """Refresh the books; fill or end a child; let time pass."""
        at_ns = self.gateway.clock.now
        for number in range(1, 4):
            self.gateway.put(topics.MARKET_DATA, 0, book_updated(f"V{number}"))
        if self.children and self.chance.random() < 0.7:
            child = self.chance.choice(self.children)
            self._executions += 1
            part = self.chance.randint(1, child.quantity)
            is_fill = self.chance.random() < 0.8
            report = execution_report(
                child.child_id,
                f"e{self._executions}",
                venue_id=child.venue_id,
                side=child.side,
                exec_type=ExecType.TRADE if is_fill else ExecType.CANCELED,
                order_status=OrderStatus.PARTIALLY_FILLED if is_fill else OrderStatus.CANCELED,
                last_quantity=part if is_fill else 0,
                last_price_e9=child.price_e9 or 100 * 10**9 if is_fill else None,
                cumulative_quantity=part if is_fill else 0,
                leaves_quantity=child.quantity - part if is_fill else 0,
                transact_ns=at_ns,
            )
            self.gateway.put(topics.VENUES_REPORTS, 0, report)

    def settle(self) -> None:
        """Let gateway and engine talk until neither has a word to say."""
        for _ in range(TURNS):
            is_moved = self.gateway.host.turn()
            is_moved = self.engine.turn() or is_moved
            if not is_moved:
                break
        super().settle()

    def collect(self) -> None:
        commands = self.gateway.fresh(topics.ORDERS_COMMANDS, 0)
        for command in commands:
            if isinstance(command, NewBasket):
                is_over = (command.source, command.basket_id) in self.over
                assert not is_over, f"nothing of a list after its end: {command}"
        self.commands += commands
        for sending in self.sendings[self._told :]:
            fields = Fields.parse(sending.body)
            if sending.message_type == "N" and fields.get(431) in OVER:
                self.over.add((sending.session_id, fields.get(66)))
        self._told = len(self.sendings)
        events = self.gateway.fresh(topics.CHILDREN_EVENTS, 0)
        self.children += [each for each in events if isinstance(each, ChildPlaced)]
        for message in self.gateway.heard[self._known :]:
            for name, fields in _orders_of(message):
                key = (message.session_id, message.message_type, name)
                self.asked.setdefault(key, []).append(fields)
        self._known = len(self.gateway.heard)

    def published(self) -> int:
        return len(self.commands)

    def judge(self) -> None:
        """Every command follows from a message that says the same."""
        ordered = Counter[tuple[str, str]]()
        for command in self.commands:
            match command:
                case NewOrder():
                    ordered[command.source, command.client_order_id] += 1
                    told = self.asked.get((command.source, "D", command.client_order_id), [])
                    assert any(_says(f, command) for f in told), f"nobody ordered {command}"
                case NewBasket():
                    for entry in command.entries:
                        told = self.asked.get((command.source, "E", entry.client_order_id), [])
                        assert any(_says(f, entry) for f in told), f"nobody ordered {entry}"
                case CancelOrder() | ReplaceOrder():
                    kind = "F" if isinstance(command, CancelOrder) else "G"
                    assert self._was_heard(command.source, kind, "K"), f"nobody asked: {command}"
                case MassCancelOrder():
                    is_lost = command.client_order_id.startswith("disconnect/")
                    assert is_lost or self._was_heard(command.source, "q", "CA", "K"), f"{command}"
                case _:
                    raise AssertionError(f"a gateway of clients says {command}")
        for (source, name), count in ordered.items():
            assert count <= len(self.asked[source, "D", name]), f"{name} ordered {count} times"

    def is_silent(self, message: FixReceived, fields: Fields) -> bool:
        """Return whether it is a part of a list of which more is to come, or a dispute."""
        is_part = message.message_type == "E" and fields.get(893) != "Y"
        return is_part or message.message_type in ("Q", "j", "3")

    def _was_heard(self, source: str, *kinds: str) -> bool:
        return any(
            each.session_id == source and each.message_type in kinds for each in self.gateway.heard
        )


def _orders_of(message: FixReceived) -> Iterator[tuple[str, Fields]]:
    """Yield the orders of a D or E by their ClOrdID, read apart from the gateway."""
    try:
        fields = Fields.parse(message.text)
    except ValueError:
        return
    if message.message_type == "D":
        yield fields.get(11), fields
    elif message.message_type == "E":
        tags = [tag for tag, _ in fields.pairs]
        after = tags[tags.index(73) + 1 :][:1] if 73 in tags else []
        # The dictionary wants 11 first; what else comes first begins each order just as well.
        for first in {11, *after}:
            starts = [n for n, tag in enumerate(tags) if tag == first]
            for at, end in zip(starts, [*starts[1:], len(tags)], strict=False):
                order = Fields(fields.pairs[at:end])
                yield order.get(11), order


def _says(fields: Fields, order: Any) -> bool:
    """Return whether a message asks for this order: what, how much, at what price, for whom."""
    try:
        quantity = Decimal(fields.get(38))
        price = Decimal(fields.get(44)) if fields.get(44) else None
    except InvalidOperation:
        return False
    asked = (fields.get(55), SIDES.get(fields.get(54)), quantity, fields.get(1), fields.get(11))
    limit_e9 = order.limit_price_e9
    made = (
        order.instrument_id,
        order.side,
        Decimal(order.quantity),
        order.account_id,
        order.client_order_id,
    )
    return asked == made and (limit_e9 is None or (price is not None and price * 10**9 == limit_e9))
