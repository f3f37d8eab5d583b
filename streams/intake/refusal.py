"""Why a command is refused: the reason, the field, its value, the bound, and one sentence."""

from typing import Any, Final, NamedTuple

from schemas.messages.core import RejectReason

__all__ = ["NOT_REFUSED", "SENTENCES", "Refusal", "refuse"]

SHOWN_MAX: Final = 80  # characters of a value or bound that are told; a hostile one may be a MB

SENTENCES: Final = {
    RejectReason.UNKNOWN_INSTRUMENT: "{field} {value} is not among the {bound}",
    RejectReason.UNKNOWN_ACCOUNT: "{field} {value} is not among the {bound}",
    RejectReason.WRONG_PARTITION: "{field} {value} does not belong on this partition: {bound}",
    RejectReason.SESSION_CLOSED: "{field} {value} is outside the session {bound}",
    RejectReason.DUPLICATE_ORDER: "{field} {value} came before with another content: {bound}",
    RejectReason.QUANTITY_NOT_POSITIVE: "{field} {value} is not {bound}",
    RejectReason.QUANTITY_NOT_A_LOT_MULTIPLE: "{field} {value} is not a {bound}",
    RejectReason.QUANTITY_TOO_LARGE: "{field} {value} is not {bound}",
    RejectReason.PRICE_NOT_POSITIVE: "{field} {value} is not {bound}",
    RejectReason.PRICE_OFF_TICK: "{field} {value} is not a {bound}",
    RejectReason.LIMIT_PRICE_MISSING: "{field} is missing: {bound}",
    RejectReason.LIMIT_PRICE_NOT_ALLOWED: "{field} {value} is not allowed: {bound}",
    RejectReason.UNSUPPORTED_SIDE: "{field} {value} is none of {bound}",
    RejectReason.UNSUPPORTED_ORDER_TYPE: "{field} {value} is none of {bound}",
    RejectReason.UNSUPPORTED_TIME_IN_FORCE: "{field} {value} is none of {bound}",
    RejectReason.UNSUPPORTED_STRATEGY: "{field} {value} is none of {bound}",
    RejectReason.UNSUPPORTED_URGENCY: "{field} {value} is none of {bound}",
    RejectReason.END_NOT_AFTER_START: "{field} {value} is not {bound}",
    RejectReason.END_IN_THE_PAST: "{field} {value} is not {bound}",
    RejectReason.RATE_OUT_OF_RANGE: "{field} {value} is not in {bound}",
    RejectReason.FIELD_EMPTY: "{field} is empty: {bound}",
    RejectReason.FIELD_TOO_LONG: "{field} has {value} characters, not {bound}",
    RejectReason.UNKNOWN_ORDER: "{field} {value} is not among the {bound}",
    RejectReason.TOO_LATE: "{field} {value} does not work any more: {bound}",
    RejectReason.ALREADY_PENDING: "{field} {value} waits for the answer to {bound}",
    RejectReason.QUANTITY_BELOW_FILLED: "{field} {value} is not {bound}",
    RejectReason.NOTHING_CHANGED: "{field} {value} changes nothing: {bound}",
    RejectReason.UNKNOWN_VENUE: "{field} {value} is not among the {bound}",
    RejectReason.TRADE_DATE_MISMATCH: "{field} {value} is not {bound}",
    RejectReason.KILLED: "{field} {value} is in force, not {bound}",
    RejectReason.UNKNOWN_CLIENT: "{field} {value} is not among the {bound}",
    RejectReason.UNKNOWN_DESK: "{field} {value} is not among the {bound}",
    RejectReason.NOT_ENTITLED: "{field} {value} may not trade the account: {bound}",
    RejectReason.CURRENCY_MISMATCH: "{field} {value} is not that of the instrument, {bound}",
    RejectReason.EXPIRE_MISSING: "{field} is missing: {bound}",
    RejectReason.EXPIRE_NOT_ALLOWED: "{field} {value} is not allowed: {bound}",
    RejectReason.EXPIRE_IN_THE_PAST: "{field} {value} is not {bound}",
    RejectReason.AFTER_CUTOFF: "{field} {value} is not {bound}",
    RejectReason.HALTED: "{field} {value} can not be done now: {bound}",
    RejectReason.MINIMUM_QUANTITY_OUT_OF_RANGE: "{field} {value} is not {bound}",
    RejectReason.DISPLAY_QUANTITY_OUT_OF_RANGE: "{field} {value} is not {bound}",
    RejectReason.WOULD_PRICE_OUT_OF_RANGE: "{field} {value} is not {bound}",
    RejectReason.VENUE_LIST_CONFLICT: "{field} {value} is named more than once: {bound}",
    RejectReason.NO_VENUE_ALLOWED: "{field} {value} leaves no venue: {bound}",
    RejectReason.LIST_TOO_LONG: "{field} has {value} entries, not {bound}",
    RejectReason.LOCATE_MISSING: "{field} is missing: {bound}",
    RejectReason.SHORT_SALE_NOT_ALLOWED: "{field} {value} is not allowed: {bound}",
    RejectReason.BASKET_EMPTY: "{field} has {value} orders, not {bound}",
    RejectReason.BASKET_TOO_LARGE: "{field} has {value} orders, not {bound}",
    RejectReason.BASKET_SPANS_SHARDS: "{field} {value} is worked elsewhere: {bound}",
    RejectReason.BASKET_MEMBER_REFUSED: "{field} {value} is not accepted: {bound}",
    RejectReason.DUPLICATE_IN_BASKET: "{field} {value} stands twice: {bound}",
    RejectReason.UNKNOWN_SCOPE: "{field} {value} is none of {bound}",
    RejectReason.VALUE_OUT_OF_RANGE: "{field} {value} is not {bound}",
    RejectReason.TEXT_NOT_PRINTABLE: "{field} {value} has characters that are not {bound}",
    RejectReason.REPLACE_NOT_ALLOWED: "{field} {value} can not be replaced: {bound}",
    RejectReason.ORDER_QUANTITY_LIMIT: "{field} {value} is more than the limit: {bound}",
    RejectReason.ORDER_NOTIONAL_LIMIT: "{field} makes {value}, the limit is {bound}",
    RejectReason.ADV_LIMIT: "{field} {value} is more of the daily volume than {bound}",
    RejectReason.PRICE_COLLAR: "{field} {value} is outside the collar {bound}",
    RejectReason.NO_REFERENCE_PRICE: "{field} {value} has no price to be held against: {bound}",
    RejectReason.CREDIT_LIMIT: "{field} makes {value} open and executed, the limit is {bound}",
    RejectReason.POSITION_LIMIT: "{field} could lead to a position of {value}, allowed: {bound}",
    RejectReason.RESTRICTED_INSTRUMENT: "{field} {value} is restricted: {bound}",
    RejectReason.DUPLICATE_FLOW: "{field} {value} comes again and again, allowed: {bound}",
    RejectReason.MESSAGE_RATE: "{field} {value} sends faster than {bound}",
    RejectReason.REPEATED_EXECUTION: "{field} {value} is disabled until released: {bound}",
    RejectReason.ORDER_TO_TRADE_RATIO: "{field} sends {value} messages an execution: {bound}",
    RejectReason.UNKNOWN_LOCATE: "{field} {value} is none of the {bound}",
    RejectReason.LOCATE_EXCEEDED: "{field} makes {value} sold short, located: {bound}",
    RejectReason.PARAMETER_OUT_OF_RANGE: "{field} {value} is not {bound}",
    RejectReason.PARAMETER_UNKNOWN: "{field} {value} is no parameter of {bound}",
}


class Refusal(NamedTuple):
    """Why a command is refused: what, its value, the bound, and one sentence."""

    reason: RejectReason
    field: str
    value: str
    bound: str
    text: str
    limit_id: str = ""  # of the limit that refuses; empty for any other rule


NOT_REFUSED: Final = Refusal(RejectReason.UNKNOWN, "", "", "", "")  # what an acceptance says


def refuse(reason: RejectReason, field: str, value: Any, bound: str) -> Refusal:
    """Return the refusal with its sentence; what a client wrote is told short and printable."""
    value, bound = _shown(value), _shown(bound)
    text = SENTENCES[reason].format(field=field, value=value, bound=bound)
    return Refusal(reason, field, value, bound, text)


def _shown(value: Any) -> str:
    text = str(value)
    if len(text) > SHOWN_MAX:
        text = text[: SHOWN_MAX - 1] + "…"
    return text if text.isprintable() else ascii(text)[1:-1]
