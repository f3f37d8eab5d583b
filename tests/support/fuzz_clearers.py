"""The gateway to clearers under fuzz: reports from clearing, any answer to them."""

from collections.abc import Callable
from random import Random
from typing import Any, ClassVar

from schemas.messages.clearing import AllocationReported, ClearingAnswered, TradeCaptured
from schemas.messages.control import InstrumentDefined
from schemas.messages.core import AllocationKind, ClearingTransaction, Side
from schemas.messages.fix import FixReceived
from services.fix.fields import Fields
from services.fix.settings import Kind
from streams.core.topics import CLEARING_REPORTS, CLEARING_STATUSES
from tests.support.audit_log import make
from tests.support.builders import TRADE_DATE
from tests.support.fuzz_world import FuzzWorld, gateway_file
from tests.support.fuzzed_gateway import FuzzedGateway

__all__ = ["ClearersWorld"]

DATES = {"trade_date": TRADE_DATE, "business_date": TRADE_DATE, "settlement_date": 20250617}
TERMS: dict[str, dict[str, Any]] = {
    "S42": {"clearer_id": "C42", "allocations": "J", "instructions": True, "accounts": ["A1"]},
    "S44": {"clearer_id": "C44", "allocations": "AS", "captures": True},
    "S50": {"clearer_id": "C50", "allocations": "AK", "captures": True},
}


class ClearersWorld(FuzzWorld):
    """Three clearers, one of each version: J, AS and AE, AK and AE."""

    types: ClassVar = ("P", "AT", "AR", "AU") * 6 + ("J",) * 8 + ("j", "3", "D", "8", "AE", "B")
    usual: ClassVar = {
        "P": (70, 75, 87, 88, 58, 60),
        "AT": (755, 70, 75, 87, 88, 58, 60),
        "AR": (571, 939, 751, 150, 55, 58),
        "AU": (664, 60, 75, 940, 774),
        "J": (70, 71, 626, 857, 54, 55, 53, 6, 75, 60, 73, 78, 11, 79, 80),
        "j": (45, 372, 379, 380, 58),
        "3": (45, 371, 372, 373, 58),
    }

    def __init__(self, chance: Random) -> None:
        self.reports: dict[str, Any] = {}
        self.answers: list[ClearingAnswered] = []
        definition = make(
            InstrumentDefined, instrument_id="ACME", symbol="ACME", quantity_scale=1, currency="USD"
        )
        file = gateway_file(Kind.CLEARERS, TERMS)
        super().__init__(chance, FuzzedGateway(file, [definition]))

    def values(self, session_id: str) -> dict[int, Callable[[], str]]:
        def report_id() -> str:
            return self.chance.choice([*list(self.reports)[-9:], "R99:1", "x"])

        def number(top: int) -> Callable[[], str]:
            return lambda: str(self.chance.randint(0, top))

        ids = dict.fromkeys((755, 571, 664, 379), report_id)
        return {
            **ids,
            70: report_id if session_id != "S42" else lambda: f"i{self.chance.randint(1, 9)}",
            11: lambda: f"c{self.chance.randint(1, 9)}",
            37: lambda: f"O{self.chance.randint(1, 9)}",
            55: lambda: "ACME",
            79: lambda: self.chance.choice(("A1", "A2")),
            **dict.fromkeys((53, 80, 38), number(100)),
            87: number(5),
            939: number(1),
            940: lambda: self.chance.choice("123"),
            45: number(40),
            75: lambda: str(TRADE_DATE),
        }

    def stir(self) -> None:
        """Let clearing report an allocation or an execution."""
        number = len(self.reports) + 1
        session_id = self.chance.choice(("S42", "S44", "S50"))
        quantity = self.chance.randint(1, 500)
        shared: dict[str, Any] = {
            "record_id": f"R{number}",
            "version": 1,
            "report_id": f"R{number}:1",
            "transaction": ClearingTransaction.NEW,
            "clearer_id": TERMS[session_id]["clearer_id"],
            "instrument_id": "ACME",
            "side": Side.BUY,
            "quantity": quantity,
            "cash_e9": quantity * 10**11,
            "currency": "USD",
            "quantity_scale": 1,
            **DATES,
        }
        if session_id == "S42" or self.chance.random() < 0.5:
            report = make(
                AllocationReported,
                **shared,
                kind=AllocationKind.FILL,
                account_id="A1",
                clearing_account="A1",
                client_order_id=f"c{number}",
                source="OMS",
                average_price_e9=10**11,
                net_cash_e9=quantity * 10**11,
            )
        else:
            report = make(
                TradeCaptured,
                **shared,
                venue_id="V1",
                exec_id=f"e{number}",
                child_id=f"P.{number}",
                parent_id="P",
                slice_id="P.1",
                fill_id=f"F{number}",
                price_e9=10**11,
            )
        self.reports[report.report_id] = report
        self.gateway.put(CLEARING_REPORTS, 0, report)

    def collect(self) -> None:
        events = self.gateway.fresh(CLEARING_STATUSES, 0)
        self.answers += [each for each in events if isinstance(each, ClearingAnswered)]

    def published(self) -> int:
        return len(self.answers)

    def judge(self) -> None:
        """What is told was reported, once; what is answered was said by a message."""
        said = b"\x01".join(each.text for each in self.gateway.heard)
        for answer in self.answers[-3:]:
            assert answer.report_id.encode("latin-1") in said, f"nobody answered {answer}"
        told = [each for each in self.sendings if each.message_type in ("AE", "AS", "AK")]
        for sending in told[-3:]:
            known = self.reports.get(sending.subject.partition("/")[0])
            assert known is not None, f"{sending.subject} was told and never reported"
            clearer_id = TERMS[sending.session_id]["clearer_id"]
            assert known.clearer_id == clearer_id, f"{sending.subject} was told to {clearer_id}"
            quantity = Fields.parse(sending.body).get(32 if sending.message_type == "AE" else 53)
            assert quantity in ("", str(known.quantity)), repr(Fields.parse(sending.body))

    def is_silent(self, message: FixReceived, fields: Fields) -> bool:
        """Return whether it affirms what was confirmed, or rejects what was never said."""
        if message.message_type in ("j", "3"):
            return True
        is_answer = message.message_type in ("AU", "P", "AT", "AR")
        return is_answer and any(value.endswith("/C") for _, value in fields.pairs)
