"""Reports that a counterparty cannot take at all: BusinessMessageReject and Reject. Pure."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from schemas.messages.core import ClearingStatus
from services.fix.clearers.answers import Answer
from services.fix.gateway.application import Heard

__all__ = ["Rejected", "read_reject"]

# FIX 380: the application is away, the firm is away, too many messages: asking later may help.
PASSING: Final = ("4", "7", "8", "9", "10")


class Rejected(NamedTuple):
    """Which report, and as what answer."""

    report_id: str
    answer: Answer
    is_passing: bool  # whether it says nothing of the report itself


def read_reject(heard: Heard, sequences: Mapping[int, str]) -> Rejected | None:
    """Return what a j or 3 rejects, by our id (FIX 379) or number; None for anything else."""
    fields, message = heard.fields, heard.message
    number = fields.get(45)
    is_number = number.isascii() and number.isdecimal() and len(number) < 19
    report_id = fields.get(379) or (sequences.get(int(number), "") if is_number else "")
    if not report_id:
        return None
    is_business = message.message_type == "j"
    code_tag = 380 if is_business else 373
    code = fields.get(code_tag)
    parts = [f"{message.message_type} {code_tag}={code}" if code else message.message_type]
    parts += [f"tag {fields.get(371)}"] if 371 in fields else []
    parts += [fields.get(58)] if 58 in fields else []
    answer = Answer(
        report_id=report_id,
        status=ClearingStatus.REJECTED,
        reason="; ".join(parts),
        reference="",
        answered_ns=message.sent_ns or message.received_ns,
    )
    return Rejected(report_id, answer, is_business and code in PASSING)
