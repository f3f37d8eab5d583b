"""Values of FIX fields to integers and enums and back: exact, without float and without locale."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from schemas.messages.core import Liquidity, OrderStatus, OrderType, RejectReason, Side, TimeInForce

__all__ = [
    "LIQUIDITY_TEXTS",
    "ORDER_STATUS_TEXTS",
    "FixValueError",
    "boolean",
    "date",
    "liquidity",
    "order_status",
    "order_type",
    "order_type_text",
    "price_e9",
    "price_text",
    "printable",
    "quantity",
    "quantity_text",
    "scaled",
    "scaled_text",
    "side",
    "side_text",
    "time_in_force",
    "time_in_force_text",
    "utc_ns",
    "utc_text",
    "whole",
]

E9: Final = 10**9
LONG_MAX: Final = 2**63 - 1
DECIMAL: Final = re.compile(r"(-?)(\d*)(?:\.(\d*))?", re.ASCII)
DECIMAL_LENGTH_MAX: Final = 64  # far more digits than 64 bits have
# FIX allows 60 for a leap second, and up to twelve digits of a second.
TIMESTAMP: Final = re.compile(r"(\d{8})-(\d\d):(\d\d):(\d\d)(?:\.(\d{1,12}))?", re.ASCII)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
HOURS, MINUTES, SECONDS = 24, 60, 61

SIDES: Final = {"1": (Side.BUY, False), "2": (Side.SELL, False), "5": (Side.SELL, True)}
ORDER_TYPES: Final = {
    "1": OrderType.MARKET,
    "2": OrderType.LIMIT,
    "P": OrderType.PEGGED,
}
TIMES_IN_FORCE: Final = {
    "0": TimeInForce.DAY,
    "1": TimeInForce.GTC,
    "2": TimeInForce.AT_OPEN,
    "3": TimeInForce.IOC,
    "6": TimeInForce.GTD,
    "7": TimeInForce.AT_CLOSE,
}
ORDER_STATUS_TEXTS: Final = {
    OrderStatus.NEW: "0",
    OrderStatus.PARTIALLY_FILLED: "1",
    OrderStatus.FILLED: "2",
    OrderStatus.DONE_FOR_DAY: "3",
    OrderStatus.CANCELED: "4",
    OrderStatus.PENDING_CANCEL: "6",
    OrderStatus.REJECTED: "8",
    OrderStatus.SUSPENDED: "9",
    OrderStatus.PENDING_NEW: "A",
    OrderStatus.EXPIRED: "C",
    OrderStatus.PENDING_REPLACE: "E",
}
# A hidden fill has no value that every version knows: it is left out.
LIQUIDITY_TEXTS: Final = {Liquidity.ADDED: "1", Liquidity.REMOVED: "2", Liquidity.AUCTION: "4"}


class FixValueError(ValueError):
    """A value of a field that can not be; says what a refusal says."""

    def __init__(self, reason: RejectReason, field: str, value: str, bound: str) -> None:
        super().__init__(f"{field} {value} is not {bound}")
        self.reason = reason
        self.field = field
        self.value = value
        self.bound = bound


def scaled(text: str, scale: int, field: str) -> int:
    """Return a decimal number times `scale`, a power of ten. Rounds: never.

    Raises: FixValueError for no number, one between two units, or one beyond 64 bits.
    """
    parts = DECIMAL.fullmatch(text)
    if parts is None or not (parts[2] or parts[3]) or len(text) > DECIMAL_LENGTH_MAX:
        raise _out_of_range(field, text, "a decimal number")
    fraction = (parts[3] or "").rstrip("0")
    value, rest = divmod(
        int((parts[2] or "0") + fraction) * scale, int("1".ljust(len(fraction) + 1, "0"))
    )
    if rest:
        raise _out_of_range(field, text, f"a multiple of 1/{scale}")
    if value > LONG_MAX:
        raise _out_of_range(field, text, "a number that 64 bits hold")
    return -value if parts[1] else value


def scaled_text(value: int, scale: int) -> str:
    """Return `value / scale` as a decimal number: all digits, no exponent, no trailing zeros."""
    whole_part, rest = divmod(abs(value), scale)
    sign = "-" if value < 0 else ""
    if not rest:
        return f"{sign}{whole_part}"
    return f"{sign}{whole_part}.{str(rest).zfill(len(str(scale)) - 1).rstrip('0')}"


def price_e9(text: str, field: str = "price") -> int:
    """Return a price, a rate or an amount in 1e-9 units. Raises: FixValueError."""
    return scaled(text, E9, field)


def price_text(value_e9: int) -> str:
    """Return 1e-9 units as a decimal number. Rounds: never."""
    return scaled_text(value_e9, E9)


def quantity(text: str, scale: int, field: str = "quantity") -> int:
    """Return shares in smallest units; `scale` is the instrument's units to a share.

    Raises: FixValueError.
    """
    return scaled(text, scale, field)


def quantity_text(units: int, scale: int) -> str:
    """Return smallest units as shares. Rounds: never."""
    return scaled_text(units, scale)


def whole(text: str, field: str) -> int:
    """Return an integer of 64 bits. Raises: FixValueError."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= len(str(LONG_MAX))):
        raise _out_of_range(field, text, "a whole number")
    value = int(text)
    if abs(value) > LONG_MAX:
        raise _out_of_range(field, text, "a number that 64 bits hold")
    return value


def boolean(text: str, field: str) -> bool:
    """Return Y or N as a bool. Raises: FixValueError."""
    if text not in ("Y", "N"):
        raise _out_of_range(field, text, "Y or N")
    return text == "Y"


def utc_ns(text: str, field: str = "time") -> int:
    """Return a UTCTimestamp in ns. Raises: FixValueError for no such time or parts of a ns."""
    parts = TIMESTAMP.fullmatch(text)
    if parts is None:
        raise _out_of_range(field, text, "a time as 20260302-17:30:00.000")
    day, hour, minute, second = (int(part) for part in parts.groups()[:4])
    if hour >= HOURS or minute >= MINUTES or second >= SECONDS:
        raise _out_of_range(field, text, "a time of a day")
    days = (_date(day, field, text) - EPOCH).days
    picos = (parts[5] or "").ljust(12, "0")
    if picos[9:] != "000":
        raise _out_of_range(field, text, "a whole number of ns")
    at_ns = (days * 86_400 + hour * 3_600 + minute * 60 + second) * E9 + int(picos[:9])
    if not 0 <= at_ns <= LONG_MAX:
        raise _out_of_range(field, text, "a time from 1970 to 2262")
    return at_ns


def utc_text(at_ns: int, digits: int = 3) -> str:
    """Return UTC ns as a UTCTimestamp with 0, 3, 6 or 9 digits of a second. Rounds: down."""
    seconds, rest = divmod(at_ns, E9)
    text = (EPOCH + timedelta(seconds=seconds)).strftime("%Y%m%d-%H:%M:%S")
    return f"{text}.{rest:09}"[: len(text) + 1 + digits] if digits else text


def date(text: str, field: str) -> int:
    """Return a LocalMktDate as yyyymmdd. Raises: FixValueError."""
    day = whole(text, field)
    _date(day, field, text)
    return day


def side(text: str) -> tuple[Side, bool]:
    """Return FIX 54 as side and whether it sells short. Raises: FixValueError."""
    if text not in SIDES:
        bound = "one of " + ", ".join(SIDES)
        raise FixValueError(RejectReason.UNSUPPORTED_SIDE, "side", text, bound)
    return SIDES[text]


def side_text(kind: Side, is_short_sale: bool = False) -> str:
    """Return FIX 54."""
    return next(text for text, known in SIDES.items() if known == (kind, is_short_sale))


def order_type(text: str) -> OrderType:
    """Return FIX 40. Raises: FixValueError."""
    if text not in ORDER_TYPES:
        bound = "one of " + ", ".join(ORDER_TYPES)
        raise FixValueError(RejectReason.UNSUPPORTED_ORDER_TYPE, "order_type", text, bound)
    return ORDER_TYPES[text]


def order_type_text(kind: OrderType) -> str:
    """Return FIX 40; a midpoint order is a pegged one (its peg is told by 18=M or 1094)."""
    wanted = OrderType.PEGGED if kind is OrderType.MIDPOINT else kind
    return next(text for text, known in ORDER_TYPES.items() if known is wanted)


def time_in_force(text: str) -> TimeInForce:
    """Return FIX 59; DAY when it is absent, as FIX says. Raises: FixValueError."""
    if text and text not in TIMES_IN_FORCE:
        bound = "one of " + ", ".join(TIMES_IN_FORCE)
        raise FixValueError(RejectReason.UNSUPPORTED_TIME_IN_FORCE, "time_in_force", text, bound)
    return TIMES_IN_FORCE[text or "0"]


def time_in_force_text(kind: TimeInForce) -> str:
    """Return FIX 59."""
    return next(text for text, known in TIMES_IN_FORCE.items() if known is kind)


def order_status(text: str) -> OrderStatus:
    """Return FIX 39; UNKNOWN for one that we have no word for."""
    known = {value: status for status, value in ORDER_STATUS_TEXTS.items()}
    return known.get(text, OrderStatus.UNKNOWN)


def liquidity(text: str) -> Liquidity:
    """Return FIX 851; UNKNOWN for one that we have no word for."""
    known = {value: kind for kind, value in LIQUIDITY_TEXTS.items()}
    return known.get(text, Liquidity.UNKNOWN)


def printable(text: str, length_max: int = 250) -> str:
    """Return a text as FIX 58 can carry it: Latin-1, no control characters, not empty."""
    if text.isascii() and text.isprintable():
        return text.strip()[:length_max] or "-"
    kept = "".join(c if c.isprintable() else " " for c in text).strip()[:length_max]
    return kept.encode("latin-1", "replace").decode("latin-1") or "-"


def _date(day: int, field: str, text: str) -> datetime:
    try:
        return datetime(day // 10_000, day // 100 % 100, day % 100, tzinfo=UTC)
    except ValueError as error:
        raise _out_of_range(field, text, "a day as 20260302") from error


def _out_of_range(field: str, text: str, bound: str) -> FixValueError:
    return FixValueError(RejectReason.VALUE_OUT_OF_RANGE, field, text, bound)
