"""What counterparties answer (P, AT, AR, AU, j), as ClearingAnswered. Pure."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from schemas.messages.clearing import ClearingAnswered
from schemas.messages.core import ClearingStatus, RejectReason
from services.fix.codes import Version, known
from services.fix.fields import Fields
from services.fix.gateway.application import Heard
from services.fix.values import FixValueError, utc_ns

__all__ = ["ANSWERS", "Answer", "clearing_answer", "read_answer"]

RECEIVED, ACCEPTED, REJECTED = (
    ClearingStatus.RECEIVED,
    ClearingStatus.ACCEPTED,
    ClearingStatus.REJECTED,
)
ALLOCATION: Final = {  # FIX 87; 4.2 ends at 3, 4.4 at 5
    "0": ACCEPTED,
    "1": REJECTED,  # block level
    "2": REJECTED,  # account level; in 4.2 partial accept, and what is not taken whole is not taken
    "3": RECEIVED,
    "4": RECEIVED,  # incomplete
    "5": REJECTED,  # by intermediary
    "6": RECEIVED,  # pending
    "8": REJECTED,  # canceled by intermediary
    "9": RECEIVED,  # claimed
    "10": REJECTED,  # refused
    "11": RECEIVED,  # pending give-up approval
    "12": REJECTED,  # canceled
    "13": RECEIVED,  # pending take-up approval
}
TRADE: Final = {  # FIX 939; 4.4 ends at 1
    "0": ACCEPTED,
    "1": REJECTED,
    "2": REJECTED,  # canceled
    "3": ACCEPTED,  # with errors, named in 58
    "4": RECEIVED,  # pending new, cancel, replace
    "5": RECEIVED,
    "6": RECEIVED,
}
AFFIRMATION: Final = {"1": RECEIVED, "2": REJECTED, "3": ACCEPTED}  # FIX 940
EXEC_REJECTED: Final = "8"  # FIX 150
TEXT_MAX: Final = 500


class Kind(NamedTuple):
    """Where an answer names its report, says how it stands, why not, and by which own id."""

    id_tag: int
    status_tag: int
    statuses: Mapping[str, ClearingStatus]
    reason_tag: int
    reference_tags: tuple[int, ...]


ANSWERS: Final = {
    "P": Kind(70, 87, ALLOCATION, 88, (793,)),
    "AT": Kind(755, 87, ALLOCATION, 88, (793,)),
    "AR": Kind(571, 939, TRADE, 751, (1003, 818, 880)),
    "AU": Kind(664, 940, AFFIRMATION, 774, ()),
}
# Names of values that codes.enums does not keep. Source: FIX 751, 774.
NAMES: Final = {
    751: {
        "1": "INVALID_PARTY_INFORMATION",
        "2": "UNKNOWN_INSTRUMENT",
        "3": "UNAUTHORIZED_TO_REPORT_TRADES",
        "4": "INVALID_TRADE_TYPE",
        "5": "PRICE_EXCEEDS_CURRENT_PRICE_BAND",
        "6": "REFERENCE_PRICE_NOT_AVAILABLE",
        "7": "NOTIONAL_VALUE_EXCEEDS_THRESHOLD",
        "99": "OTHER",
    },
    774: {"1": "MISMATCHED_ACCOUNT", "2": "MISSING_SETTLEMENT_INSTRUCTIONS", "99": "OTHER"},
}


class Answer(NamedTuple):
    """An answer as read."""

    report_id: str
    status: ClearingStatus
    reason: str
    reference: str
    answered_ns: int


def read_answer(version: Version, heard: Heard) -> Answer:
    """Return what a P, AT, AR or AU says. Raises: FixValueError: names nothing known."""
    kind, fields = ANSWERS[heard.message.message_type], heard.fields
    report_id = fields.get(kind.id_tag)
    if not report_id:
        raise FixValueError(RejectReason.FIELD_EMPTY, str(kind.id_tag), "", "the report's id")
    said = fields.get(kind.status_tag)
    if not said and kind.status_tag == 939:  # 4.4 may say it by ExecType alone
        said = "1" if fields.get(150) == EXEC_REJECTED else "0"
    status = kind.statuses.get(said)
    if status is None:
        bound = "one of " + ", ".join(kind.statuses)
        raise FixValueError(RejectReason.VALUE_OUT_OF_RANGE, str(kind.status_tag), said, bound)
    return Answer(
        report_id=report_id,
        status=status,
        reason=_reason(version, kind, fields) if status is REJECTED else "",
        reference=next((fields.get(tag) for tag in kind.reference_tags if tag in fields), ""),
        answered_ns=_answered_ns(heard),
    )


def clearing_answer(answer: Answer, clearer_id: str) -> ClearingAnswered:
    """Return the answer as clearing reads it."""
    return ClearingAnswered(
        report_id=answer.report_id,
        clearer_id=clearer_id,
        status=answer.status,
        reason=answer.reason[:TEXT_MAX],
        reference=answer.reference[:TEXT_MAX],
        answered_ns=answer.answered_ns,
    )


def _reason(version: Version, kind: Kind, fields: Fields) -> str:
    """Return status and reason in codes and words, then the counterparty's own text."""
    parts = []
    for tag in (kind.status_tag, kind.reason_tag):
        value = fields.get(tag)
        if value:
            names = known(version, tag) or NAMES.get(tag, {})
            parts.append(f"{tag}={value} {names.get(value, '')}".rstrip())
    text = fields.get(58)
    return "; ".join([*parts, text] if text else parts)


def _answered_ns(heard: Heard) -> int:
    """Return when, by the counterparty's clock; what it says wrongly is no reason to refuse."""
    message = heard.message
    try:
        return utc_ns(heard.fields.get(60), "60")
    except FixValueError:
        return message.sent_ns or message.received_ns
