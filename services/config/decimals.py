"""Decimals of files to the integers of the log: exact, or an error that says so."""

from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal, Inexact
from typing import Annotated, Any, Final

from pydantic import BeforeValidator

from streams.core.errors import OffGridError

__all__ = ["E9", "Exact", "Instant", "ns_of", "number_of", "units", "yyyymmdd"]

E9: Final = 1_000_000_000
DIGITS: Final = 60
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EXACT: Final = Context(prec=DIGITS, traps=[Inexact])


def _no_float(value: Any) -> Any:
    if isinstance(value, bool | float):
        raise ValueError('write it as text, such as "0.01": a TOML float is binary')
    return value


def _aware(value: Any) -> Any:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError("an instant with its zone, such as 2026-11-23T09:30:00-05:00")
    return value


Exact = Annotated[Decimal, BeforeValidator(_no_float)]
Instant = Annotated[datetime, BeforeValidator(_aware)]


def units(name: str, value: Decimal, scale: int) -> int:
    """Return the value in units of 1/scale. Raises OffGridError when that is no whole number."""
    try:
        scaled = _EXACT.multiply(value, Decimal(scale))
        whole = int(scaled)
    except (Inexact, ValueError, OverflowError):
        raise OffGridError(name, value, Decimal(1) / scale) from None
    if whole != scaled:
        raise OffGridError(name, value, Decimal(1) / scale)
    return whole


def number_of(value: int, scale: int) -> str:
    """Return the decimal text of a number of units: the way back."""
    text = f"{_EXACT.divide(Decimal(value), Decimal(scale)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def ns_of(instant: datetime) -> int:
    """Return UTC nanoseconds of an instant; its microseconds are exact."""
    return (instant - _EPOCH) // timedelta(microseconds=1) * 1_000


def yyyymmdd(date: Any) -> int:
    """Return a date as a number."""
    return int(date.year * 10_000 + date.month * 100 + date.day)
