"""Texts that people write to exact integers, and what reference data say of an instrument now."""

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from services.cli.log import read_to_end
from streams.core.errors import DecodeError, Error
from streams.core.market import Instrument
from streams.core.topics import CONTROL_COMMANDS
from streams.shard.reference import CONTROL_MESSAGES, ReferenceView

__all__ = ["TermsError", "definitions", "instant_ns", "instrument_of", "price_e9", "units"]

E9: Final = 10**9
LONG_MAX: Final = 2**63 - 1


class TermsError(Error):
    """A text that can not be told to the engine exactly."""

    def __init__(self, field: str, text: str, bound: str) -> None:
        super().__init__(f"{field} {text} is not {bound}")


def definitions(bootstrap: str, at_ns: int) -> ReferenceView:
    """Return what control.commands define as of now. Raises: LookupError, KafkaException."""
    view = ReferenceView()
    for entry in read_to_end(bootstrap, [CONTROL_COMMANDS]):
        if entry.envelope is None or not isinstance(entry.message, CONTROL_MESSAGES):
            continue
        try:
            view.apply(entry.message, entry.envelope.at_ns, at_ns)
        except DecodeError:
            continue  # the engine refused it too
    view.advance(at_ns)
    return view


def instrument_of(view: ReferenceView, instrument_id: str, at_ns: int) -> Instrument:
    """Return its terms. Raises: TermsError for one that no definition names."""
    terms, _ = view.instrument(instrument_id, at_ns)
    if terms is None:
        raise TermsError("instrument", instrument_id, "defined in this log")
    return terms


def price_e9(field: str, text: str) -> int | None:
    """Return the price in 1e-9 currency units; None for an empty text. Raises: TermsError."""
    return None if not text else _scaled(field, text, E9)


def units(field: str, text: str, terms: Instrument) -> int:
    """Return the quantity in the instrument's smallest units; 0 for an empty text."""
    return _scaled(field, text, terms.quantity_scale) if text else 0


def instant_ns(field: str, text: str) -> int:
    """Return a time with an offset in UTC nanoseconds; 0 for an empty text."""
    if not text:
        return 0
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise TermsError(field, text, "a time as 2026-03-02T17:30:00+01:00") from error
    if moment.tzinfo is None:
        raise TermsError(field, text, "a time with its offset, as 2026-03-02T17:30:00+01:00")
    whole, micros = int(moment.replace(microsecond=0).timestamp()), moment.microsecond
    return whole * E9 + micros * 1_000


def _scaled(field: str, text: str, scale: int) -> int:
    try:
        value = Decimal(text) * scale
        if not value.is_finite() or abs(value) > LONG_MAX:
            raise TermsError(field, text, "a number that 64 bits hold")
        if value != value.to_integral_value():
            raise TermsError(field, text, f"a multiple of 1/{scale}")
    except InvalidOperation as error:
        raise TermsError(field, text, "a decimal number") from error
    return int(value)
