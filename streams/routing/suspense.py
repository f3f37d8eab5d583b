"""Reports that fit nothing of ours are kept for people, each once."""

from typing import Any

from schemas.messages.core import RejectReason
from schemas.messages.routing import SuspenseRecorded
from streams.routing.commands import ApplyReport
from streams.routing.health import after_contradiction
from streams.routing.state import RoutingState

__all__ = ["keep_suspense"]


def keep_suspense(
    state: RoutingState, command: ApplyReport, reason: RejectReason
) -> tuple[Any, ...]:
    """Return the report as a fact for people; `()` for a repeat.

    A venue that contradicts itself again and again is suspended.
    """
    report = command.report
    if f"{report.venue_id}/{report.exec_id}/{report.child_id}" in state.suspense:
        return ()
    kept = SuspenseRecorded(
        venue_id=report.venue_id,
        child_id=report.child_id,
        exec_id=report.exec_id,
        exec_type=report.exec_type,
        quantity=report.last_quantity,
        price_e9=report.last_price_e9,
        reason=reason,
        exec_ref_id=report.exec_ref_id,
        fee_e9=report.fee_e9,
        transact_ns=report.transact_ns,
    )
    if reason is not RejectReason.REPORT_CONTRADICTS:
        return (kept,)
    return (kept, *after_contradiction(state, report.venue_id, command.at_ns))
