"""Gateways that only look or only speak, under fuzz: drop copies and the simulator's clients."""

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any, ClassVar

from schemas.messages.fix import FixReceived
from schemas.messages.intake import CancelOrder, NewOrder
from services.fix.fields import Fields
from services.fix.settings import Kind
from streams.core.topics import OMS_ORDERS, ORDERS_COMMANDS, ORDERS_EVENTS
from tests.support.builders import (
    account_defined,
    cancel_order,
    instrument_defined,
    new_order,
    order_accepted,
)
from tests.support.fuzz_world import VERSIONS, FuzzWorld, gateway_file
from tests.support.fuzzed_gateway import FuzzedGateway

__all__ = ["DropCopyWorld", "OmsWorld"]


class DropCopyWorld(FuzzWorld):
    """Three readers of copies; whatever they say, nothing is ordered by it."""

    types: ClassVar = ("AF",) * 8 + ("D", "F", "G", "E", "q", "H", "8", "9", "j", "3", "J", "B")
    usual: ClassVar = {"AF": (584, 585), "D": (11, 55, 54, 60, 38, 40)}

    def __init__(self, chance: Random) -> None:
        terms: dict[str, dict[str, Any]] = {
            name: {"tenant": "T1", "sources": ["OMS"]} for name in VERSIONS
        }
        self._orders = 0
        definitions = [instrument_defined(), account_defined("A1")]
        file = gateway_file(Kind.DROP_COPY, terms)
        super().__init__(chance, FuzzedGateway(file, definitions))

    def values(self, session_id: str) -> dict[int, Callable[[], str]]:
        return {585: lambda: self.chance.choice("7771"), 11: lambda: "c1", 55: lambda: "ACME"}

    def stir(self) -> None:
        """Let an engine accept an order of the source."""
        self._orders += 1
        number = self._orders
        order = order_accepted(f"O{number}.0.1", client_order_id=f"c{number}", source="OMS")
        self.gateway.engine((ORDERS_EVENTS, order))

    def collect(self) -> None:
        assert not self.gateway.fresh(ORDERS_COMMANDS, 0), "a reader of copies has ordered"

    def published(self) -> int:
        return 0

    def judge(self) -> None:
        for sending in self.sendings[-5:]:
            assert sending.message_type in ("8", "9", "j"), sending.message_type
            if sending.message_type == "8":
                assert Fields.parse(sending.body).get(797) == "Y", "a copy that does not say so"

    def is_silent(self, message: FixReceived, fields: Fields) -> bool:
        """Return that it answers whatever is said to it."""
        return False


class OmsWorld(FuzzWorld):
    """Three order systems that hear anything; they say what the simulator's clients say."""

    types: ClassVar = ("8",) * 10 + ("9", "j", "3", "N", "r") * 2 + ("D", "B", "AE", "J")
    usual: ClassVar = {
        "8": (37, 11, 41, 17, 150, 39, 55, 54, 38, 32, 31, 151, 14, 6, 60),
        "9": (37, 11, 41, 39, 434, 102),
        "j": (45, 372, 379, 380),
        "3": (45, 373),
    }

    def __init__(self, chance: Random) -> None:
        terms: dict[str, dict[str, Any]] = {name: {"source": name} for name in VERSIONS}
        self.told: Counter[tuple[str, str]] = Counter()
        file = gateway_file(Kind.OMS, terms)
        super().__init__(chance, FuzzedGateway(file, [instrument_defined()]))
        self.stir()

    def values(self, session_id: str) -> dict[int, Callable[[], str]]:
        def number(top: int) -> Callable[[], str]:
            return lambda: str(self.chance.randint(0, top))

        return {
            **dict.fromkeys((11, 41, 379), lambda: f"c{self.chance.randint(1, 12)}"),
            **dict.fromkeys((32, 38, 14, 151, 45), number(100)),
            17: lambda: f"e{self.chance.randint(1, 30)}",
            55: lambda: "ACME",
            54: lambda: self.chance.choice("12"),
            150: lambda: self.chance.choice("0F48456DHG"),
            39: lambda: self.chance.choice("012468"),
        }

    def stir(self) -> None:
        """Let a client order or cancel."""
        source = self.chance.choice(tuple(VERSIONS))
        name = f"c{sum(self.told.values()) + 1}"
        message: NewOrder | CancelOrder = new_order(name, source=source)
        if self.told and self.chance.random() < 0.3:
            known, original = self.chance.choice(tuple(self.told))
            message = cancel_order(name, original, source=known)
        self.told[message.source, name] += 1
        self.gateway.put(OMS_ORDERS, 0, message)

    def collect(self) -> None:
        """Nothing is published but what is sent."""

    def published(self) -> int:
        return 0

    def judge(self) -> None:
        """What is sent was said by a client, once."""
        sent = Counter(
            (each.session_id, Fields.parse(each.body).get(11))
            for each in self.sendings
            if each.message_type in ("D", "F", "G")
        )
        assert all(count <= self.told[key] for key, count in sent.items()), sent - self.told

    def is_silent(self, message: FixReceived, fields: Fields) -> bool:
        """Return that it listens: its book is what it makes of it."""
        return True
