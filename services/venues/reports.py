"""Execution reports: every field follows from the child and what just happened to it."""

from schemas.messages.core import ExecType, Liquidity
from schemas.messages.venues import ExecutionReport, OrderCancelReject
from services.venues.state import Child

__all__ = ["cancel_reject", "next_report"]


def next_report(
    child: Child,
    exec_type: ExecType,
    at_ns: int,
    *,
    exec_ref_id: str = "",
    last_quantity: int = 0,
    last_price_e9: int | None = None,
    fee_e9: int = 0,
    liquidity: Liquidity = Liquidity.UNKNOWN,
    text: str = "",
) -> ExecutionReport:
    """Return the next report of a child as it stands. ExecID = child id and ordinal."""
    child.ordinal += 1
    return ExecutionReport(
        venue_id=child.venue_id,
        instrument_id=child.instrument_id,
        child_id=child.child_id,
        venue_order_id=f"{child.venue_id}-{child.child_id}",
        exec_id=f"{child.child_id}-{child.ordinal}",
        exec_ref_id=exec_ref_id,
        exec_type=exec_type,
        order_status=child.status,
        side=child.side,
        last_quantity=last_quantity,
        last_price_e9=last_price_e9,
        cumulative_quantity=child.cumulative,
        leaves_quantity=child.leaves,
        fee_e9=fee_e9,
        liquidity=liquidity,
        text=text,
        transact_ns=at_ns,
        request=child.replaced,
        order_quantity=child.quantity if child.replaced else 0,
        price_e9=child.price_e9 if child.replaced else None,
    )


def cancel_reject(
    child: Child, request: int, at_ns: int, text: str, *, is_replace: bool = False
) -> OrderCancelReject:
    return OrderCancelReject(
        venue_id=child.venue_id,
        instrument_id=child.instrument_id,
        child_id=child.child_id,
        venue_order_id=f"{child.venue_id}-{child.child_id}",
        request=request,
        text=text,
        transact_ns=at_ns,
        is_replace=is_replace,
    )
