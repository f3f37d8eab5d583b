"""Answers to what a session may not say, alike in gateways that mostly speak: j with its log."""

from collections.abc import Iterator
from typing import Any, Final

from schemas.messages.core import RejectReason
from services.fix.codes import Version, reason_codes, text_of
from services.fix.fields import Fields
from services.fix.gateway.application import Heard, Outgoing, Refusal
from services.fix.values import FixValueError

__all__ = ["REJECTS", "refused", "refused_value"]

BUSINESS_REJECT = "j"
REJECTS: Final = ("j", "3")  # which are never answered: two sides would reject each other for ever


def refused(
    version: Version, heard: Heard, reason: RejectReason, *, field: str, value: str, bound: str
) -> Iterator[Any]:
    """Yield BusinessMessageReject with the reason, and the refusal for the log. Source: FIX j."""
    message = heard.message
    text = text_of(reason, bound, value, field)
    if message.message_type in REJECTS:
        yield Refusal(heard, "", reason, field, value, bound, text)
        return
    fields = Fields().add(45, message.sequence).add(372, message.message_type)
    fields.add(380, reason_codes(reason, version).business).add(58, text)
    yield Outgoing(message.session_id, BUSINESS_REJECT, fields, str(message.sequence))
    yield Refusal(heard, BUSINESS_REJECT, reason, field, value, bound, text)


def refused_value(version: Version, heard: Heard, error: FixValueError) -> Iterator[Any]:
    """Yield the same for a value that cannot be."""
    yield from refused(
        version, heard, error.reason, field=error.field, value=error.value, bound=error.bound
    )
