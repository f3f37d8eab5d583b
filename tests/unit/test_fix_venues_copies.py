"""Drop copies that came by FIX: `penstock reconcile` reads them from the log."""

from typing import Any

import pytest

from schemas.messages.core import BreakKind, Envelope, ExecType, ReconciliationCheck
from schemas.messages.fix import FixReceived
from schemas.messages.venues import ExecutionReport
from services.clearing.reconciliation.run import Entry, Reconciliation, reconcile
from services.fix import values
from services.fix.fields import Fields, framed
from services.fix.settings import GatewayFile
from services.fix.venues.log_copies import copies_of
from streams.core.topics import FIX_RECEIVED, VENUES_REPORTS
from tests.support import clearing_log
from tests.support.audit_log import make

NUMBER = 5
KINDS = {ExecType.TRADE: "F", ExecType.TRADE_CANCEL: "H", ExecType.TRADE_CORRECT: "G"}


def session(venue_id: str, role: str) -> dict[str, Any]:
    return {
        "session_id": f"{venue_id}-{role}",
        "quickfix": {"BeginString": "FIX.4.4", "SenderCompID": "P", "TargetCompID": venue_id},
        "terms": {"venue_id": venue_id, "version": "FIX44", "role": role, "fee_tag": 12},
    }


def gateway(kind: str = "venues") -> GatewayFile:
    sessions = [session(v, role) for v in ("V1", "V2") for role in ("orders", "drop-copy")]
    given = {"name": "copies", "number": NUMBER, "kind": kind, "session": sessions}
    return GatewayFile.model_validate(given)


def entries() -> list[Entry]:
    return clearing_log.entries_of(clearing_log.log_of(clearing_log.day()))


def copied(**changes: str) -> list[Entry]:
    """The venues' executions of the day as their drop copies say them, each twice.

    `changes`: other values of tags for G1, a fill that nothing changed.
    """
    found: list[Entry] = []
    numbers = dict.fromkeys(("V1", "V2"), 0)
    for entry in entries():
        said = entry.message
        if entry.topic != VENUES_REPORTS or not isinstance(said, ExecutionReport):
            continue
        if said.exec_type not in KINDS:
            continue
        numbers[said.venue_id] += 1
        tags = {
            37: "1", 11: said.child_id, 17: said.exec_id, 19: said.exec_ref_id,
            150: KINDS[said.exec_type], 39: "1", 55: said.instrument_id,
            54: values.side_text(said.side), 32: str(said.last_quantity),
            31: values.price_text(said.last_price_e9 or 0), 14: "0", 151: "0",
            12: values.price_text(said.fee_e9), 60: values.utc_text(said.transact_ns, 9), 797: "Y",
        }  # fmt: skip
        if said.exec_id == "G1":
            tags |= {int(name[1:]): value for name, value in changes.items()}
        fields = Fields((tag, value) for tag, value in tags.items() if value)
        message = make(
            FixReceived,
            session_id=f"{said.venue_id}-drop-copy",
            session_epoch=1,
            sequence=numbers[said.venue_id],
            message_type="8",
            text=framed("FIX.4.4", Fields().add(35, "8"), fields.body()),
        )
        place = FIX_RECEIVED, NUMBER, len(found)
        found += [Entry(*place, make(Envelope), message)] * 2
    return found


def verdict(copies: list[Entry]) -> Reconciliation:
    return reconcile(entries(), drop_copies=copies_of(gateway(), [*entries(), *copies]))


def test_copies_that_agree_are_clean() -> None:
    result = verdict(copied())
    found = [each for each in result.found if each.check is ReconciliationCheck.DROP_COPY]
    assert (result.drop_copies, found) == (
        ("fix session V1-drop-copy", "fix session V2-drop-copy"), [],
    )  # fmt: skip
    counts = [each.rows for each in copies_of(gateway(), copied())]
    assert all(counts), counts


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        ({"t31": "1.01"}, BreakKind.PRICE_DIFFERS),
        ({"t32": "1"}, BreakKind.QUANTITY_DIFFERS),
        ({"t17": "E-OTHER"}, BreakKind.MISSING_FILL),
        ({"t32": "many"}, BreakKind.UNKNOWN_FILL),
    ],
)
def test_copies_that_differ_are_breaks(tags: dict[str, str], kind: BreakKind) -> None:
    result = verdict(copied(**tags))
    found = [each for each in result.found if each.check is ReconciliationCheck.DROP_COPY]
    assert kind in {each.kind for each in found}, found


def test_a_gateway_of_another_kind_has_no_copies_of_venues() -> None:
    assert copies_of(gateway("clients"), copied()) == []
