"""The gateway to venues under fuzz: children from an engine, any report from the venues."""

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any, ClassVar

from schemas.messages.control import InstrumentDefined
from schemas.messages.fix import FixReceived
from schemas.messages.routing import ChildCancelRequested, ChildReplaceRequested
from services.fix.fields import Fields
from services.fix.settings import Kind
from streams.core.topics import CHILDREN_EVENTS, VENUES_REPORTS
from tests.support.audit_log import make
from tests.support.fuzz_world import VERSIONS, FuzzWorld, gateway_file
from tests.support.fuzzed_gateway import FuzzedGateway
from tests.support.routing import IDS, placed

__all__ = ["VenuesWorld"]

ACME: str = IDS["instrument_id"]
NAMES = {"S42": "FIX42", "S44": "FIX44", "S50": "FIX50SP2"}


class VenuesWorld(FuzzWorld):
    """Three venues, one of each version."""

    types: ClassVar = ("8",) * 12 + ("9",) * 4 + ("j", "3", "D", "B", "Q", "r", "AE", "N", "J")
    usual: ClassVar = {
        "8": (37, 11, 41, 17, 20, 150, 39, 55, 54, 38, 44, 32, 31, 151, 14, 6, 60, 19),
        "9": (37, 11, 41, 39, 434, 102, 58),
        "j": (45, 372, 379, 380, 58),
        "3": (45, 371, 372, 373, 58),
    }

    def __init__(self, chance: Random) -> None:
        terms = {name: {"venue_id": name, "version": NAMES[name]} for name in VERSIONS}
        instrument = make(InstrumentDefined, instrument_id=ACME, quantity_scale=1, currency="USD")
        self.children: dict[str, Any] = {}
        self.requests: Counter[str] = Counter()
        self.reports: list[Any] = []
        self.told: set[tuple[str, str]] = set()
        file = gateway_file(Kind.VENUES, terms)
        super().__init__(chance, FuzzedGateway(file, [instrument]))
        for _ in VERSIONS:
            self._place()

    def values(self, session_id: str) -> dict[int, Callable[[], str]]:
        def child_id() -> str:
            own = [
                each.subject
                for each in self.sendings
                if each.session_id == session_id and each.message_type in "DFG"
            ]
            return self.chance.choice([*own[-20:], "P.9.9", "x"])

        def number(top: int) -> str:
            return str(self.chance.randint(0, top))

        return {
            11: child_id,
            41: child_id,
            17: lambda: "e" + number(40),
            19: lambda: "e" + number(40),
            37: lambda: "V" + number(9),
            55: lambda: ACME,
            54: lambda: self.chance.choice("1125"),
            31: lambda: "99.99",
            44: lambda: "99.99",
            6: lambda: "99.99",
            **dict.fromkeys((32, 38, 14, 151), lambda: number(100)),
            45: lambda: number(60),
            150: lambda: self.chance.choice("0012F48456ACDEGHI"),
            39: lambda: self.chance.choice("001248CE6A"),
            20: lambda: self.chance.choice("000123"),
            790: lambda: "q" + number(3),
        }

    def stir(self) -> None:
        """Let the engine place, cancel or replace a child."""
        known = [*self.children.values()]
        luck = self.chance.random()
        if luck < 0.5:
            self._place()
            return
        child = self.chance.choice(known)
        self.requests[child.child_id] += 1
        kind = ChildCancelRequested if luck < 0.75 else ChildReplaceRequested
        names = {each for each in kind.__struct_fields__ if hasattr(child, each)}
        fields = {name: getattr(child, name) for name in names}
        fields["request"] = self.requests[child.child_id]
        if kind is ChildReplaceRequested:
            fields |= {"quantity": self.chance.randint(1, 200), "price_e9": 99_980_000_000}
        self.gateway.engine((CHILDREN_EVENTS, make(kind, **fields)))

    def _place(self) -> None:
        venue_id = self.chance.choice(tuple(VERSIONS))
        child_id = f"P.1.{len(self.children) + 1}"
        child = placed(child_id, 100, venue_id=venue_id, price_e9=99_990_000_000)
        self.children[child_id] = child
        self.gateway.engine((CHILDREN_EVENTS, child))

    def collect(self) -> None:
        self.reports += self.gateway.fresh(VENUES_REPORTS, 0)

    def published(self) -> int:
        return len(self.reports)

    def judge(self) -> None:
        sent = Counter(each.subject for each in self.sendings if each.message_type == "D")
        for child_id, count in sent.items():
            assert child_id in self.children, f"{child_id} was ordered and never placed"
            assert count == 1, f"{child_id} was ordered {count} times"
        for sending in self.sendings:
            if sending.message_type == "D":
                fields, child = Fields.parse(sending.body), self.children[sending.subject]
                asked = (fields.get(11), fields.get(38), fields.get(44), fields.get(54))
                assert asked == (child.child_id, "100", "99.99", "1"), repr(fields)
            if sending.message_type in ("F", "G"):
                child_id = sending.subject.partition("/")[0]
                assert self.requests[child_id], f"nobody asked for {sending.subject}"
        for sequence, sending in enumerate(self.sendings, 1):
            assert sending.ordinal <= sequence

    def is_silent(self, message: FixReceived, fields: Fields) -> bool:
        """Return whether it says nothing new: an execution that was told before."""
        return message.message_type == "8" and any(
            Fields.parse(each.text).get(17) == fields.get(17)
            for each in self.gateway.heard[:-1]
            if each.session_id == message.session_id and _is_readable(each.text)
        )


def _is_readable(text: bytes) -> bool:
    try:
        Fields.parse(text)
    except ValueError:
        return False
    return True
