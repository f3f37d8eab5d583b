"""Texts of a command line or a row to the parameters of a strategy."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from schemas.messages.core import Aim, StrategyParameters
from services.orders.terms import TermsError
from services.parameters.texts import DURATIONS, column, every_row
from streams.parameters import AIMS, Row, Unit

__all__ = ["COLUMNS", "parameters_of"]

E9: Final = 10**9
ROWS: Final = {column(row): row for row in every_row()}
COLUMNS: Final = tuple(ROWS)
DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
DECIMAL: Final = re.compile(r"\d+(?:\.\d+)?")


def parameters_of(texts: Mapping[str, str]) -> StrategyParameters | None:
    """Return what the texts by column say; None when all are empty. Raises: TermsError.

    The engine holds the values against their ranges; only what no integer can tell is refused here.
    """
    said = {row.name: _value(row, texts[name]) for name, row in ROWS.items() if texts.get(name)}
    return StrategyParameters(**said) if said else None


def _value(row: Row, text: str) -> Any:
    name = column(row)
    match row.about.unit:
        case Unit.NS:
            return _duration_ns(name, text)
        case Unit.E9:
            if DECIMAL.fullmatch(text) is None:
                raise TermsError(name, text, "a decimal number")
            return _exact(name, text, Decimal(text) * E9)
        case Unit.WORD:
            word = text.upper()
            if word not in AIMS:
                raise TermsError(name, text, f"one of {', '.join(AIMS)}")
            return Aim(word)
        case _:
            if not text.isdecimal() or len(text) > len(str(E9)):
                raise TermsError(name, text, "a whole number of basis points")
            return int(text)


def _duration_ns(name: str, text: str) -> int:
    parts = DURATION.fullmatch(text)
    if parts is None:
        raise TermsError(name, text, "a time as 90s, 20m, 1.5h or 2d")
    return _exact(name, text, Decimal(parts[1]) * DURATIONS[parts[2]])


def _exact(name: str, text: str, value: Decimal) -> int:
    if value != value.to_integral_value() or value >= 2**63:
        raise TermsError(name, text, "a number that 64 bits hold in units of 1e-9")
    return int(value)
