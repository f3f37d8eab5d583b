"""What a desk says of a child whose venue does not; keyword arguments override any field."""

from typing import Any

import msgspec

from schemas.messages.control import ChildSettled
from schemas.messages.core import SettledFill, SettlementStage
from tests.support.builders import ACME, TICK

__all__ = ["PRICE_E9", "approval", "fill", "proposal"]

PRICE_E9 = 9_990 * TICK


def fill(quantity: int, price_e9: int = PRICE_E9, exec_id: str = "", **changes: Any) -> SettledFill:
    """Return a fill as the venue told it by phone."""
    return SettledFill(
        **{
            "exec_id": exec_id,
            "quantity": quantity,
            "price_e9": price_e9,
            "fee_e9": 0,
            "transact_ns": 0,
            **changes,
        }
    )


def proposal(*fills: SettledFill, child_id: str = "P.1.1", **changes: Any) -> ChildSettled:
    """Return the words of the first person; the count is that of the fills unless it is given."""
    return ChildSettled(
        **{
            "child_id": child_id,
            "parent_id": child_id.rsplit(".", 2)[0],
            "venue_id": "V1",
            "instrument_id": ACME,
            "stage": SettlementStage.PROPOSED,
            "settlement_id": "s1",
            "cumulative_quantity": sum(each.quantity for each in fills),
            "fills": fills,
            "said_by": "V1 help desk, Mr Key",
            "evidence": "call 4711",
            "reason": "its session is gone for the day",
            "proposed_by": "",
            "approved_by": "",
            "freed_quantity": 0,
            **changes,
        }
    )


def approval(proposed: ChildSettled, **changes: Any) -> ChildSettled:
    """Return the words of the second person."""
    return msgspec.structs.replace(
        proposed, stage=SettlementStage.APPROVED, reason="heard the recording", **changes
    )
