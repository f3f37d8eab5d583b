"""RejectReason as FIX 103, 102, 380, 373, 88, 532 by version. Source: docs/reject-reasons.md."""

from functools import cache
from typing import Final, NamedTuple

from schemas.messages.core import RejectReason as Reason
from services.fix.codes.enums import is_known
from services.fix.codes.versions import Version
from services.fix.values import printable

__all__ = ["Codes", "reason_codes", "text_of"]


class Codes(NamedTuple):
    """What each answer says of one reason. A value that the version's dictionary knows."""

    order: int  # FIX 103 OrdRejReason, on 8
    cancel: int  # FIX 102 CxlRejReason, on 9
    business: int  # FIX 380 BusinessRejectReason, on j
    session: int  # FIX 373 SessionRejectReason, on 3
    allocation: int  # FIX 88 AllocRejCode, on P
    mass_cancel: int  # FIX 532 MassCancelRejectReason, on r


# The last of each is known to every version: "broker option", or "other" in the words of 4.2.
OTHER: Final = {102: (99, 2), 103: (99, 0), 373: (99, 5), 380: (0,), 88: (7,), 532: (99,)}
CHARACTERISTIC, QUANTITY, ACCOUNT, LIMIT = (11,), (13,), (15,), (3,)
ORDER: Final[dict[Reason, tuple[int, ...]]] = {
    Reason.UNKNOWN_INSTRUMENT: (1,),
    Reason.UNKNOWN_ACCOUNT: ACCOUNT,
    Reason.SESSION_CLOSED: (2,),
    Reason.DUPLICATE_ORDER: (6,),
    Reason.QUANTITY_NOT_POSITIVE: QUANTITY,
    Reason.QUANTITY_NOT_A_LOT_MULTIPLE: QUANTITY,
    Reason.QUANTITY_TOO_LARGE: (*QUANTITY, *LIMIT),
    Reason.PRICE_OFF_TICK: (18,),
    Reason.LIMIT_PRICE_NOT_ALLOWED: CHARACTERISTIC,
    Reason.UNSUPPORTED_SIDE: CHARACTERISTIC,
    Reason.UNSUPPORTED_ORDER_TYPE: CHARACTERISTIC,
    Reason.UNSUPPORTED_TIME_IN_FORCE: CHARACTERISTIC,
    Reason.UNSUPPORTED_STRATEGY: CHARACTERISTIC,
    Reason.UNSUPPORTED_URGENCY: CHARACTERISTIC,
    Reason.END_NOT_AFTER_START: CHARACTERISTIC,
    Reason.END_IN_THE_PAST: (4,),
    Reason.RATE_OUT_OF_RANGE: CHARACTERISTIC,
    Reason.UNKNOWN_ORDER: (5,),
    Reason.UNKNOWN_VENUE: CHARACTERISTIC,
    Reason.KILLED: (0,),
    Reason.UNKNOWN_CLIENT: ACCOUNT,
    Reason.UNKNOWN_DESK: ACCOUNT,
    Reason.NOT_ENTITLED: ACCOUNT,
    Reason.EXPIRE_MISSING: CHARACTERISTIC,
    Reason.EXPIRE_NOT_ALLOWED: CHARACTERISTIC,
    Reason.EXPIRE_IN_THE_PAST: (4,),
    Reason.AFTER_CUTOFF: (4,),
    Reason.HALTED: (2,),
    Reason.MINIMUM_QUANTITY_OUT_OF_RANGE: QUANTITY,
    Reason.DISPLAY_QUANTITY_OUT_OF_RANGE: QUANTITY,
    Reason.VENUE_LIST_CONFLICT: CHARACTERISTIC,
    Reason.NO_VENUE_ALLOWED: CHARACTERISTIC,
    Reason.LIST_TOO_LONG: CHARACTERISTIC,
    Reason.LOCATE_MISSING: (22, 0),
    Reason.UNKNOWN_LOCATE: (23, 0),
    Reason.LOCATE_EXCEEDED: (24, 0),
    Reason.SHORT_SALE_NOT_ALLOWED: (22, 0),
    Reason.DUPLICATE_IN_BASKET: (6,),
    Reason.VALUE_OUT_OF_RANGE: CHARACTERISTIC,
    Reason.PRICE_COLLAR: (16,),
    Reason.NO_REFERENCE_PRICE: (19,),
    Reason.ORDER_QUANTITY_LIMIT: LIMIT,
    Reason.ORDER_NOTIONAL_LIMIT: (27, *LIMIT),
    Reason.ADV_LIMIT: LIMIT,
    Reason.CREDIT_LIMIT: (25, *LIMIT),
    Reason.POSITION_LIMIT: (26, *LIMIT),
    Reason.RESTRICTED_INSTRUMENT: (0,),
    Reason.DUPLICATE_FLOW: (6,),
    Reason.REPEATED_EXECUTION: (21,),
    Reason.PARAMETER_OUT_OF_RANGE: CHARACTERISTIC,
    Reason.PARAMETER_UNKNOWN: CHARACTERISTIC,
}
# Where 5.0 SP2 has a better word among those that 4.4 has too.
ORDER_SP2: Final = {Reason.ORDER_QUANTITY_LIMIT: QUANTITY, Reason.ADV_LIMIT: QUANTITY}
CANCEL: Final[dict[Reason, tuple[int, ...]]] = {
    Reason.UNKNOWN_ORDER: (1,),
    Reason.TOO_LATE: (0,),
    Reason.KILLED: (0,),
    Reason.AFTER_CUTOFF: (0,),
    Reason.ALREADY_PENDING: (3,),
    Reason.DUPLICATE_ORDER: (6,),
    Reason.PRICE_OFF_TICK: (18,),
    Reason.PRICE_COLLAR: (8,),
}
BUSINESS: Final[dict[Reason, tuple[int, ...]]] = {
    Reason.UNKNOWN_INSTRUMENT: (2,),
    Reason.UNKNOWN_ACCOUNT: (1,),
    Reason.UNKNOWN_ORDER: (1,),
    Reason.UNKNOWN_CHILD: (1,),
    Reason.UNKNOWN_REPORT: (1,),
    Reason.UNEXPECTED_MESSAGE: (3,),
    Reason.LIMIT_PRICE_MISSING: (5,),
    Reason.EXPIRE_MISSING: (5,),
    Reason.FIELD_EMPTY: (5,),
    Reason.NOT_ENTITLED: (6,),
    Reason.MESSAGE_RATE: (8,),
}
SESSION: Final[dict[Reason, tuple[int, ...]]] = {
    Reason.FIELD_EMPTY: (1,),
    Reason.UNEXPECTED_MESSAGE: (11,),
    Reason.BODY_UNDECODABLE: (6,),
    Reason.VALUE_OUT_OF_RANGE: (5,),
    Reason.BASKET_EMPTY: (16,),
}
ALLOCATION: Final[dict[Reason, tuple[int, ...]]] = {
    Reason.UNKNOWN_ACCOUNT: (0,),
    Reason.NOT_ENTITLED: (0,),
    Reason.UNKNOWN_CLIENT: (0,),
    Reason.QUANTITY_NOT_POSITIVE: (1,),
    Reason.QUANTITY_NOT_A_LOT_MULTIPLE: (1,),
    Reason.QUANTITY_TOO_LARGE: (8, 1),
    Reason.QUANTITY_BELOW_FILLED: (1,),
    Reason.PRICE_OFF_TICK: (2,),
    Reason.PRICE_NOT_POSITIVE: (2,),
    Reason.UNKNOWN_ORDER: (5,),
    Reason.UNKNOWN_REPORT: (10, 5),
    Reason.REPORT_CONTRADICTS: (11, 7),
    Reason.CURRENCY_MISMATCH: (11, 7),
    Reason.UNSUPPORTED_SIDE: (24, 11, 7),
    Reason.TRADE_DATE_MISMATCH: (26, 11, 7),
    Reason.UNKNOWN_INSTRUMENT: (17, 11, 7),
}
MASS_CANCEL: Final[dict[Reason, tuple[int, ...]]] = {
    Reason.UNKNOWN_SCOPE: (0,),
    Reason.UNKNOWN_INSTRUMENT: (1,),
}


@cache
def reason_codes(reason: Reason, version: Version) -> Codes:
    """Return the codes of a reason; the version's word for "other" where it has no better one."""
    order = {**ORDER, **ORDER_SP2} if version is Version.FIX50SP2 else ORDER
    return Codes(
        order=_first(order, reason, version, 103),
        cancel=_first(CANCEL, reason, version, 102),
        business=_first(BUSINESS, reason, version, 380),
        session=_first(SESSION, reason, version, 373),
        allocation=_first(ALLOCATION, reason, version, 88),
        mass_cancel=_first(MASS_CANCEL, reason, version, 532),
    )


def text_of(code: str, limit: str, value: str, unit: str) -> str:
    """Return FIX 58 of a refusal: `<code>: <limit> <value> <unit>`, parts that are empty left out.

    Units: `unit` is the field that was refused: its name ends in the unit of limit and value.
    """
    return printable(f"{code}: " + " ".join(part for part in (limit, value, unit) if part))


def _first(table: dict[Reason, tuple[int, ...]], reason: Reason, version: Version, tag: int) -> int:
    candidates = (*table.get(reason, ()), *OTHER[tag])
    return next((each for each in candidates if is_known(version, tag, str(each))), candidates[-1])
