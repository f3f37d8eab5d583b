"""The simulator's venues under fuzz: any order by FIX, reports from the simulator."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from random import Random
from typing import Any, ClassVar

from schemas.messages.control import InstrumentDefined
from schemas.messages.core import ExecType, OrderStatus
from schemas.messages.fix import FixReceived
from schemas.messages.routing import ChildPlaced
from services.fix.fields import Fields
from services.fix.settings import Kind
from streams.core.topics import VENUES_EXECUTIONS, VENUES_ORDERS
from tests.support.audit_log import make
from tests.support.builders import execution_report
from tests.support.fuzz_world import VERSIONS, FuzzWorld, gateway_file
from tests.support.fuzzed_gateway import FuzzedGateway

__all__ = ["MarketWorld"]


class MarketWorld(FuzzWorld):
    """Three venues, one of each version."""

    types: ClassVar = ("D",) * 12 + ("F", "G", "H") * 4 + ("Q", "8", "9", "j", "3", "E", "q", "B")
    usual: ClassVar = {
        "D": (11, 21, 55, 54, 60, 38, 40, 44, 59),
        "G": (11, 41, 21, 55, 54, 60, 38, 40, 44, 59),
        "F": (11, 41, 55, 54, 60, 38),
        "H": (11, 37, 55, 54, 790),
        "Q": (37, 17, 127, 55, 54),
    }

    def __init__(self, chance: Random) -> None:
        terms: dict[str, dict[str, Any]] = {
            name: {"venue_id": name, "cancel_on_disconnect": name == "S44"} for name in VERSIONS
        }
        definition = make(
            InstrumentDefined, instrument_id="ACME", symbol="ACME", quantity_scale=1, currency="USD"
        )
        self.orders: list[Any] = []
        self._executions = 0
        file = gateway_file(Kind.MARKET, terms)
        super().__init__(chance, FuzzedGateway(file, [definition]))

    def values(self, session_id: str) -> dict[int, Callable[[], str]]:
        pick = self.chance.choice

        def name() -> str:
            return f"{session_id}-{self.chance.randint(1, 30)}"

        return {
            **dict.fromkeys((11, 41), name),
            55: lambda: "ACME",
            54: lambda: pick("1125"),
            38: lambda: str(self.chance.randint(1, 500)),
            40: lambda: pick("1222"),
            44: lambda: f"{self.chance.randint(98, 102)}.{self.chance.randint(0, 99):02}",
            59: lambda: pick("0003"),
        }

    def stir(self) -> None:
        """Let the simulator say something of an order."""
        placed = [each for each in self.orders if isinstance(each, ChildPlaced)]
        if not placed:
            return
        order = self.chance.choice(placed)
        self._executions += 1
        part = self.chance.randint(1, max(1, order.quantity))
        kind = self.chance.choice((ExecType.NEW, ExecType.TRADE, ExecType.CANCELED))
        is_fill = kind is ExecType.TRADE
        status = {
            ExecType.NEW: OrderStatus.NEW,
            ExecType.TRADE: OrderStatus.PARTIALLY_FILLED,
            ExecType.CANCELED: OrderStatus.CANCELED,
        }[kind]
        report = execution_report(
            order.child_id,
            f"e{self._executions}",
            venue_id=order.venue_id,
            side=order.side,
            exec_type=kind,
            order_status=status,
            last_quantity=part if is_fill else 0,
            last_price_e9=10**11 if is_fill else None,
            cumulative_quantity=part if is_fill else 0,
            leaves_quantity=0 if kind is ExecType.CANCELED else order.quantity,
            transact_ns=self.gateway.clock.now,
        )
        self.gateway.put(VENUES_EXECUTIONS, 0, report)

    def collect(self) -> None:
        self.orders += self.gateway.fresh(VENUES_ORDERS, 0)

    def published(self) -> int:
        return len(self.orders)

    def judge(self) -> None:
        """Every order of the book was sent by a D that says the same, and only once."""
        placed = [each for each in self.orders if isinstance(each, ChildPlaced)]
        assert len({each.child_id for each in placed}) == len(placed), "an order stands twice"
        for order in placed[-3:]:
            assert any(_says(each, order) for each in self.gateway.heard), f"nobody sent {order}"

    def is_silent(self, message: FixReceived, fields: Fields) -> bool:
        """Return whether a person of the venue is to look at it."""
        return message.message_type == "Q"


def _says(message: FixReceived, order: ChildPlaced) -> bool:
    if message.message_type != "D" or message.session_id != order.venue_id:
        return False
    try:
        fields = Fields.parse(message.text)
        quantity = Decimal(fields.get(38))
        price_e9 = Decimal(fields.get(44)) * 10**9 if 44 in fields else None
    except (ValueError, InvalidOperation):
        return False
    is_named = fields.get(11) == order.child_id and quantity == order.quantity
    return is_named and price_e9 == order.price_e9
