"""What was recorded before a limit is asked, and the state that it folds to."""

from collections.abc import Sequence
from typing import Any

from schemas.messages.allocation import FillAllocated
from schemas.messages.core import AllocationEntry
from schemas.messages.core import RejectReason as R
from schemas.messages.intake import OrderRejected
from schemas.messages.risk import LocateGranted, PositionSet
from streams.risk import RISK, RiskState, apply, use
from streams.risk.limits import LimitSet
from tests.support.builders import ACME, NO_ID, TICK, TRADE_DATE, order_accepted

PRICE_E9 = 10_000 * TICK  # 100.00


def accepted(number: int = 1, **changes: Any) -> Any:
    values = {"client_id": "C1", "unit_value_e9": PRICE_E9, **changes}
    return order_accepted(f"Oabcdef.0.{number}", **values)


def filled(quantity: int, number: int = 1, fill_id: str = "V1/1") -> FillAllocated:
    entry = AllocationEntry(
        order_id=f"Oabcdef.0.{number}", quantity=quantity, cumulative_quantity=quantity
    )
    return FillAllocated(
        fill_id=fill_id,
        parent_id="P1",
        epoch=1,
        is_tail=False,
        quantity=quantity,
        price_e9=PRICE_E9,
        entries=(entry,),
    )


def rejected(at_ns: int, source: str = "OMS") -> OrderRejected:
    return OrderRejected(
        tenant="T1",
        source=source,
        client_order_id="c9",
        account_id="A1",
        instrument_id=ACME,
        trade_date=TRADE_DATE,
        reason=R.QUANTITY_NOT_POSITIVE,
        field="quantity",
        value="0",
        bound="at least 1",
        text="",
        command_digest=NO_ID,
        received_ns=at_ns,
    )


def state_of(limits: LimitSet, events: Sequence[Any] = ()) -> RiskState:
    state = RISK.initial()
    use(state, limits, 1, "")
    for event in events:
        if isinstance(event, LocateGranted | PositionSet):
            apply(state, event, "ann", "C1")
        else:
            RISK.evolve(state, event)
    return state
