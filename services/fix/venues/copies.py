"""Drop copies in: what a venue tells beside the order session, held against it."""

from typing import Final

import msgspec

from schemas.messages.core import RejectReason
from schemas.messages.venues import ExecutionReport
from services.fix.gateway.application import Heard, Refusal
from services.fix.venues.reading import EXECUTED
from services.fix.venues.reports import digest
from services.fix.venues.state import Copy, ExecIds, VenuesState
from services.fix.venues.terms import VenueTerms

__all__ = ["contradiction_of", "copy_key", "fold_copy", "fold_told", "known_as", "recovered"]

MS_NS: Final = 1_000_000
TEXT_MAX: Final = 250


def copy_key(report: ExecutionReport) -> str:
    return f"{report.venue_id}/{report.exec_id}"


def known_as(state: VenuesState, report: ExecutionReport) -> str:
    """Return the digest of what the order session said under that ExecID; empty for nothing."""
    told = state.told.get(report.venue_id, ExecIds())
    return told.by_id.get(report.exec_id) or told.before.get(report.exec_id, "")


def contradiction_of(state: VenuesState, heard: Heard, report: ExecutionReport) -> Refusal | None:
    """Return the refusal of a copy that says something else than the order session, or than
    another copy; None when they agree or only one of them has spoken."""
    if report.exec_type not in EXECUTED:
        return None
    known = known_as(state, report)
    waiting = state.copies.get(copy_key(report))
    if not known and waiting is not None:
        known = digest(waiting.report)
    if not known or known == digest(report):
        return None
    price = "" if report.last_price_e9 is None else str(report.last_price_e9)
    return Refusal(
        heard,
        "",
        RejectReason.REPORT_CONTRADICTS,
        "17",
        report.exec_id,
        "what the order session says",
        f"the drop copy of {report.venue_id} says {report.exec_type.value} of "
        f"{report.last_quantity} at {price} for {report.child_id}: the order session differs",
    )


def fold_copy(
    state: VenuesState, terms: VenueTerms, session_id: str, report: ExecutionReport, at_ns: int
) -> None:
    """Let an execution wait for the order session to tell it too."""
    key = copy_key(report)
    if report.exec_type in EXECUTED and not known_as(state, report) and key not in state.copies:
        due_ns = at_ns + terms.drop_copy_grace_ms * MS_NS
        state.copies[key] = Copy(session_id, due_ns, report)


def fold_told(state: VenuesState, report: ExecutionReport) -> None:
    """Remember what was said under an ExecID; the first word stays."""
    told = state.told.setdefault(report.venue_id, ExecIds())
    told.by_id.setdefault(report.exec_id, digest(report))
    state.copies.pop(copy_key(report), None)


def recovered(copy: Copy) -> ExecutionReport:
    """Return an execution that only the drop copy told, so named."""
    text = f"recovered from drop copy {copy.session_id} {copy.report.text}".rstrip()[:TEXT_MAX]
    return msgspec.structs.replace(copy.report, text=text)
