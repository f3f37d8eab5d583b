"""Words of 4.2, 4.4 and 5.0 SP2 about orders, as the log says them: FIX 150, 39, 20."""

from typing import Final

from schemas.messages.core import ExecType, OrderStatus
from services.fix.codes.versions import Version
from services.fix.fields import Fields
from services.fix.venues.terms import VenueTerms

__all__ = ["EXECUTED", "exec_type_of", "status_of"]

EXECUTED: Final = (ExecType.TRADE, ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT)

EXEC_TYPES: Final = {
    "0": ExecType.NEW,
    "1": ExecType.TRADE,  # partial fill, until 4.2
    "2": ExecType.TRADE,  # fill, until 4.2
    "3": ExecType.DONE_FOR_DAY,
    "4": ExecType.CANCELED,
    "5": ExecType.REPLACED,
    "6": ExecType.PENDING_CANCEL,
    "7": ExecType.ORDER_STATUS,  # stopped: a price is guaranteed, nothing is executed yet
    "8": ExecType.REJECTED,
    "9": ExecType.SUSPENDED,
    "A": ExecType.PENDING_NEW,
    "B": ExecType.ORDER_STATUS,  # calculated: what is executed is being worked out
    "C": ExecType.EXPIRED,
    "D": ExecType.RESTATED,
    "E": ExecType.PENDING_REPLACE,
    "F": ExecType.TRADE,
    "G": ExecType.TRADE_CORRECT,
    "H": ExecType.TRADE_CANCEL,
    "I": ExecType.ORDER_STATUS,
    "J": ExecType.TRADE,  # held at the clearing house: executed all the same
    "K": ExecType.ORDER_STATUS,  # released to clearing
    "L": ExecType.ORDER_STATUS,  # triggered
}
# FIX 20 of 4.2 stands over 150: a bust says 20=1 with the type that the fill had.
TRANS_TYPES: Final = {
    "1": ExecType.TRADE_CANCEL,
    "2": ExecType.TRADE_CORRECT,
    "3": ExecType.ORDER_STATUS,
}
STATUSES: Final = {
    "0": OrderStatus.NEW,
    "1": OrderStatus.PARTIALLY_FILLED,
    "2": OrderStatus.FILLED,
    "3": OrderStatus.DONE_FOR_DAY,
    "4": OrderStatus.CANCELED,
    "6": OrderStatus.PENDING_CANCEL,
    "8": OrderStatus.REJECTED,
    "9": OrderStatus.SUSPENDED,
    "A": OrderStatus.PENDING_NEW,
    "B": OrderStatus.DONE_FOR_DAY,  # calculated: it works no more today
    "C": OrderStatus.EXPIRED,
    "E": OrderStatus.PENDING_REPLACE,
}
WORKING: Final = ("5", "7", "D")  # replaced (4.2), stopped, accepted for bidding


def exec_type_of(terms: VenueTerms, fields: Fields) -> ExecType:
    """Return what happened; UNKNOWN for a word that nobody gave us a meaning for."""
    if terms.version is Version.FIX42 and fields.get(20) in TRANS_TYPES:
        return TRANS_TYPES[fields.get(20)]
    text = fields.get(150)
    own = terms.exec_types.get(text)
    return own if own is not None else EXEC_TYPES.get(text, ExecType.UNKNOWN)


def status_of(terms: VenueTerms, fields: Fields, *, is_begun: bool) -> OrderStatus:
    """Return the order's status; `is_begun`: something of it is executed."""
    text = fields.get(39)
    own = terms.statuses.get(text)
    if own is not None:
        return own
    if text in WORKING:
        return OrderStatus.PARTIALLY_FILLED if is_begun else OrderStatus.NEW
    return STATUSES.get(text, OrderStatus.UNKNOWN)
