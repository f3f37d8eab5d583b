"""What clearers answer and people repair, into facts; what fits nothing is kept for people."""

from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

import msgspec

from schemas.messages.clearing import (
    AllocationReported,
    ClearingAnswered,
    ClearingRepaired,
    ClearingStatusChanged,
    ClearingSuspended,
    RepairRequested,
)
from schemas.messages.core import (
    ClearingStatus,
    ClearingTransaction,
    RejectReason,
    RepairChange,
    RepairField,
    ReportCause,
)
from services.clearing.ledger import Ledger, Record, report_id
from services.clearing.reports import next_version

__all__ = ["Sent", "answer", "repair", "suspended"]

FOLLOWS = {  # status -> what may follow; the same again says nothing new
    ClearingStatus.SENT: (
        ClearingStatus.RECEIVED,
        ClearingStatus.ACCEPTED,
        ClearingStatus.REJECTED,
    ),
    ClearingStatus.RECEIVED: (ClearingStatus.ACCEPTED, ClearingStatus.REJECTED),
    ClearingStatus.ACCEPTED: (),
    ClearingStatus.REJECTED: (),
    ClearingStatus.REPAIRED: (),
    ClearingStatus.WITHDRAWN: (),
}
WAS = {  # what the clearer said before, where our own status is later than that
    ClearingStatus.REPAIRED: ClearingStatus.REJECTED,
    ClearingStatus.WITHDRAWN: ClearingStatus.REJECTED,
}
FINAL = (ClearingStatus.ACCEPTED, ClearingStatus.REJECTED)
TEXT_MAX = 500


class Sent(NamedTuple):
    """Where a message on clearing.statuses stands, and who sent it."""

    topic: str
    partition: int
    offset: int
    actor: str


class Problem(NamedTuple):
    """Why it does not fit."""

    reason: RejectReason
    field: str
    value: str
    bound: str


def answer(ledger: Ledger, message: ClearingAnswered, sent: Sent) -> Iterator[Any]:
    """Yield what an answer changes; nothing when it was given before."""
    known = [each for each in FOLLOWS[ClearingStatus.SENT] if each is message.status]
    if not known:
        bound = "RECEIVED, ACCEPTED, REJECTED"
        # A gateway says UNKNOWN with the reason when nobody answers.
        value = message.reason or message.status
        problem = Problem(RejectReason.VALUE_OUT_OF_RANGE, "status", value, bound)
        yield suspended(message.report_id, message.status, problem, sent)
        return
    found = ledger.find(message.report_id)
    if found is None:
        problem = Problem(
            RejectReason.UNKNOWN_REPORT, "report_id", message.report_id, "a report of ours"
        )
        yield suspended(message.report_id, message.status, problem, sent)
        return
    record, version = found
    status = record.versions[version - 1].status
    said = WAS.get(status, status)
    if message.status is said or (message.status is ClearingStatus.RECEIVED and said in FINAL):
        return  # repeated, or overtaken by the clearer's own last word
    if message.status not in FOLLOWS[status]:
        problem = Problem(RejectReason.REPORT_CONTRADICTS, "status", message.status, said)
        yield suspended(message.report_id, message.status, problem, sent)
        return
    yield ClearingStatusChanged(
        record_id=message.report_id.rpartition(":")[0],
        report_id=message.report_id,
        version=version,
        previous_status=status,
        status=message.status,
        is_current=version == len(record.versions),
        reason=message.reason[:TEXT_MAX],
        reference=message.reference[:TEXT_MAX],
        clearer_id=message.clearer_id,
    )


def repair(ledger: Ledger, message: RepairRequested, sent: Sent) -> Iterator[Any]:
    """Yield the repair and the new version of the report, or why not."""
    found = ledger.find(message.report_id)
    problem = _repair_problem(found, message, sent)
    if problem is not None or found is None:
        assert problem is not None
        yield suspended(message.report_id, ClearingStatus.UNKNOWN, problem, sent)
        return
    record, version = found
    record_id = message.report_id.rpartition(":")[0]
    before = record.report
    changes = tuple(
        RepairChange(
            field=change.field,
            value=change.value,
            previous=str(getattr(before, change.field.lower())),
        )
        for change in message.changes
    )
    is_gone = record.newest.transaction is ClearingTransaction.CANCEL
    yield ClearingRepaired(
        record_id=record_id,
        report_id=message.report_id,
        repaired_id=report_id(record_id, version + 1),
        changes=changes,
        reason=message.reason[:TEXT_MAX],
        repaired_by=sent.actor,
    )
    values: dict[str, Any] = {}
    for change in changes:
        is_date = change.field is RepairField.SETTLEMENT_DATE
        values[change.field.lower()] = int(change.value) if is_date else change.value
    if "settlement_date" in values:
        values["is_settlement_assumed"] = False
    yield msgspec.structs.replace(
        before,
        **next_version(record, record_id, is_gone=is_gone),
        **values,
        cause=ReportCause.REPAIR,
    )


def suspended(
    name: str, status: ClearingStatus, problem: Problem | tuple[Any, ...], sent: Sent
) -> ClearingSuspended:
    """Return that a message fits nothing, with the reason."""
    reason, field, value, bound = problem
    shown = value[:TEXT_MAX]
    return ClearingSuspended(
        report_id=name[:TEXT_MAX],
        status=status,
        reason=reason,
        field=field,
        value=shown,
        bound=bound,
        text=f"{field} {shown}: {bound}",
        topic=sent.topic,
        partition=sent.partition,
        offset=sent.offset,
        sent_by=sent.actor,
    )


def _repair_problem(
    found: tuple[Record, int] | None, message: RepairRequested, sent: Sent
) -> Problem | None:
    """Return the first rule that a repair breaks."""
    if found is None:
        bound = "a report of ours"
        return Problem(RejectReason.UNKNOWN_REPORT, "report_id", message.report_id, bound)
    record, version = found
    if version != len(record.versions):
        bound = f"the newest version, {len(record.versions)}"
        return Problem(RejectReason.STALE_VERSION, "report_id", message.report_id, bound)
    if record.newest.status is not ClearingStatus.REJECTED:
        status = record.newest.status
        return Problem(RejectReason.CLEARING_REFUSED, "status", status, "REJECTED")
    for name, value in (("actor", sent.actor), ("reason", message.reason)):
        if not value:
            return Problem(RejectReason.FIELD_EMPTY, name, "", "who repairs, and why")
    fields = [change.field for change in message.changes]
    if len(set(fields)) < len(fields):
        bound = "each field once"
        return Problem(RejectReason.VALUE_OUT_OF_RANGE, "changes", ", ".join(fields), bound)
    problems = (_value_problem(record, change) for change in message.changes)
    return next((problem for problem in problems if problem is not None), None)


def _value_problem(record: Record, change: RepairChange) -> Problem | None:
    match change.field:
        case RepairField.SETTLEMENT_DATE:
            earliest = record.report.trade_date
            if not _is_date(change.value) or int(change.value) < earliest:
                bound = f"a date yyyymmdd from {earliest}"
                return Problem(
                    RejectReason.VALUE_OUT_OF_RANGE, "settlement_date", change.value, bound
                )
        case RepairField.CLEARING_ACCOUNT:
            if not isinstance(record.report, AllocationReported):
                bound = "an allocation report; the street side has no account"
                return Problem(
                    RejectReason.VALUE_OUT_OF_RANGE, "clearing_account", change.value, bound
                )
            if not change.value or len(change.value) > 64 or not change.value.isprintable():
                bound = "1 to 64 printable characters"
                return Problem(
                    RejectReason.VALUE_OUT_OF_RANGE, "clearing_account", change.value, bound
                )
        case _:
            bound = ", ".join(f for f in RepairField if f is not RepairField.UNKNOWN)
            return Problem(RejectReason.VALUE_OUT_OF_RANGE, "field", change.field, bound)
    return None


def _is_date(text: str) -> bool:
    if len(text) != 8 or not (text.isascii() and text.isdecimal()):
        return False
    try:
        date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return False
    return True
