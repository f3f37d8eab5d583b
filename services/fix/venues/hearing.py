"""What follows from a message of a venue: reports for the engine, refusals for the log, answers."""

from collections.abc import Iterator
from typing import Any, Final

from schemas.messages.core import ExecType, RejectReason
from schemas.messages.venues import ExecutionReport, OrderCancelReject
from services.fix import values
from services.fix.fields import Fields
from services.fix.gateway.application import Heard, Outgoing, Refusal
from services.fix.venues import reports
from services.fix.venues.answers import request_reject
from services.fix.venues.copies import contradiction_of
from services.fix.venues.ids import MARK, read_id
from services.fix.venues.orders import dont_know
from services.fix.venues.reading import EXECUTED
from services.fix.venues.state import ExecIds, Stage, VenuesState
from services.fix.venues.terms import VenueTerms

__all__ = ["hear", "hear_reject", "reference_of", "reject_subject"]

REFUSED: Final = f"{MARK}refused"  # end of the ExecID of a child that j or 3 refused
NOT_SUPPORTED: Final = "3"  # FIX 380
NUMBER_DIGITS_MAX: Final = 9
NO_EXEC_ID: Final = "0"  # what venues write that have none, such as in 150=I


def hear(state: VenuesState, terms: VenueTerms, heard: Heard) -> Iterator[Any]:
    """Yield ExecutionReport and OrderCancelReject for the engine, Refusal and Outgoing."""
    kind = heard.message.message_type
    is_copy = terms.role == "drop-copy"
    if kind == "8":
        yield from (_hear_copy if is_copy else _hear_report)(state, terms, heard)
    elif is_copy and kind in ("9", "j", "3"):
        yield _unread_copy(heard)
    elif kind == "9":
        yield from _hear_cancel_reject(state, terms, heard)
    elif kind in ("j", "3"):
        yield from _hear_reject(state, heard)
    else:
        text = f"35={kind} means nothing here"
        bound = "8, 9, j, 3"
        yield Refusal(heard, "j", RejectReason.UNEXPECTED_MESSAGE, "35", kind, bound, text)
        fields = Fields().add(45, heard.message.sequence).add(372, kind)
        fields.add(380, NOT_SUPPORTED).add(58, text)
        yield Outgoing(heard.message.session_id, "j", fields, f"{heard.message.sequence}")


def reject_subject(state: VenuesState, session_id: str, fields: Fields) -> tuple[str, str]:
    """Return type and child of the message that a j or 3 refuses; empty when nothing says it."""
    own = read_id(fields.get(379))
    kind = fields.get(372)
    if own.child_id in state.children and kind:
        return kind, own.child_id
    subject = state.sequences.get(session_id, {}).get(reference_of(fields), "")
    known, _, name = subject.partition(" ")
    return known, read_id(name).child_id


def reference_of(fields: Fields) -> int:
    """Return FIX 45, the number of the message that is refused; 0 when it is none."""
    text = fields.get(45)
    is_number = text.isascii() and text.isdecimal() and len(text) <= NUMBER_DIGITS_MAX
    return int(text) if is_number else 0


def hear_reject(
    state: VenuesState, subject: str, words: str, at_ns: int
) -> Iterator[ExecutionReport | OrderCancelReject]:
    """Yield what it means that a message of ours was refused as such; `subject`: "35 ClOrdID"."""
    kind, _, name = subject.partition(" ")
    own = read_id(name)
    child = state.children.get(own.child_id)
    if child is None:
        return
    if kind == "D" and child.stage < Stage.ANSWERED:
        yield reports.own_reject(own.child_id, child, own.child_id + REFUSED, words, at_ns)
    elif kind in ("F", "G"):
        is_replace = kind == "G"
        request = own.replace if is_replace else own.cancel
        request = request or (child.replaces if is_replace else child.cancels)
        yield request_reject(own.child_id, child, request, words, at_ns, is_replace=is_replace)


def _hear_report(state: VenuesState, terms: VenueTerms, heard: Heard) -> Iterator[Any]:
    telling = reports.telling_of(state, terms, heard.fields)
    try:
        report = reports.execution_report(telling, heard.message, heard.fields)
    except values.FixValueError as error:
        text = f"35=8 cannot be read: {error}"
        yield _refusal(heard, error, text)
        yield reports.unreadable(telling, heard.message, heard.fields, text)
        return
    if reports.is_refusal_of_request(telling, report):
        yield reports.cancel_reject(telling, heard.message, heard.fields)
        return
    known = _said_before(state, report, heard.message.session_day)
    if known == reports.digest(report):
        return  # the venue says it again
    if known:
        value, bound = report.exec_id, "one content per ExecID and day"
        text = f"ExecID {value} said something else before"
        yield Refusal(heard, "", RejectReason.REPORT_CONTRADICTS, "17", value, bound, text)
        yield reports.contradicting(report)
        return
    yield report
    child = telling.child
    is_ours = child is not None and child.side is report.side
    if report.exec_type in EXECUTED and not is_ours and terms.sends_dont_know:
        fields = dont_know(heard.fields, child)
        yield Outgoing(heard.message.session_id, "Q", fields, report.exec_id)


def _said_before(state: VenuesState, report: ExecutionReport, day: int) -> str:
    told = state.told.get(report.venue_id, ExecIds())
    is_named = report.exec_type is not ExecType.ORDER_STATUS and report.exec_id != NO_EXEC_ID
    return told.by_id.get(report.exec_id, "") if is_named and told.day >= day else ""


def _hear_cancel_reject(state: VenuesState, terms: VenueTerms, heard: Heard) -> Iterator[Any]:
    telling = reports.telling_of(state, terms, heard.fields)
    try:
        yield reports.cancel_reject(telling, heard.message, heard.fields)
    except values.FixValueError as error:
        yield _refusal(heard, error, f"35=9 cannot be read: {error}")


def _hear_reject(state: VenuesState, heard: Heard) -> Iterator[Any]:
    session_id, fields = heard.message.session_id, heard.fields
    kind, child_id = reject_subject(state, session_id, fields)
    text = fields.get(58) or f"35={heard.message.message_type}"
    if kind:
        subject = f"{kind} {fields.get(379) or child_id}"
        numbers = state.sequences.get(session_id, {})
        subject = numbers.get(reference_of(fields), subject)
        at_ns = heard.message.sent_ns or heard.message.received_ns
        yield from hear_reject(state, subject, text, at_ns)
    value = fields.get(379) or fields.get(45)
    bound = "messages that the venue takes"
    yield Refusal(heard, "", RejectReason.VENUE_REJECTS, "45", value, bound, text)


def _hear_copy(state: VenuesState, terms: VenueTerms, heard: Heard) -> Iterator[Any]:
    telling = reports.telling_of(state, terms, heard.fields)
    try:
        report = reports.execution_report(telling, heard.message, heard.fields)
    except values.FixValueError as error:
        yield _refusal(heard, error, f"a drop copy cannot be read: {error}")
        return
    refusal = contradiction_of(state, heard, report)
    if refusal is not None:
        yield refusal


def _unread_copy(heard: Heard) -> Refusal:
    """Return that it was seen: of copies only executions are compared, and nothing else moves."""
    kind, fields = heard.message.message_type, heard.fields
    name = fields.get(11) or fields.get(379) or fields.get(45)
    words = f"35={kind} {name}: {fields.get(58)}".rstrip(" :")
    if kind == "9":
        reason, bound = RejectReason.UNEXPECTED_MESSAGE, "8 by drop copy"
    else:
        reason, bound = RejectReason.VENUE_REJECTS, "messages that the venue takes"
    return Refusal(heard, "", reason, "35", kind, bound, words)


def _refusal(heard: Heard, error: values.FixValueError, text: str) -> Refusal:
    return Refusal(heard, "", error.reason, error.field, error.value, error.bound, text)
