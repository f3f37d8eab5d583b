"""Names and values of parameters as people write and read them."""

from typing import Final

from schemas.messages.core import StrategyKind
from streams.parameters import DEFINITIONS, Row, Unit, rows

__all__ = [
    "DURATIONS",
    "column",
    "every_row",
    "known_to",
    "option",
    "range_text",
    "shown",
    "unit_text",
]

E9: Final = 10**9
DURATIONS: Final = {"d": 86_400 * E9, "h": 3_600 * E9, "m": 60 * E9, "s": E9, "ms": 1_000_000}
_UNITS: Final = {
    Unit.BPS: "bp",
    Unit.NS: "time: 90s, 20m, 1h, 2d",
    Unit.E9: "bp per bp squared",
    Unit.WORD: "word",
}


def column(row: Row) -> str:
    """Return the column of a basket file: basis points stay, other values are written in full."""
    return row.name.removesuffix("_ns").removesuffix("_e9")


def option(row: Row) -> str:
    """Return the option of `penstock order`."""
    return "--" + column(row).replace("_", "-")


def unit_text(row: Row) -> str:
    return _UNITS[row.about.unit]


def range_text(row: Row) -> str:
    """Return the range as people write the values."""
    if row.low is None or row.high is None:
        return ", ".join(row.bound.split(", "))
    return f"{shown(row, row.low)} to {shown(row, row.high)}"


def shown(row: Row, value: object) -> str:
    """Return a value as people write it; the preset's own words where there is none."""
    if not isinstance(value, int):
        return str(value) if value is not None else row.preset.text
    match row.about.unit:
        case Unit.NS:
            word, size = next((w, s) for w, s in DURATIONS.items() if value % s == 0)
            return f"{value // size}{word}"
        case Unit.E9:
            return f"{value // E9}.{value % E9:09}".rstrip("0").rstrip(".")
        case _:
            return str(value)


def every_row() -> tuple[Row, ...]:
    """Return one row for each parameter, in the order of the definitions."""
    found: dict[str, Row] = {}
    for strategy in DEFINITIONS:
        for row in rows(strategy):
            found.setdefault(row.name, row)
    return tuple(found.values())


def known_to(name: str) -> tuple[StrategyKind, ...]:
    """Return the strategies that know the parameter."""
    return tuple(s for s in DEFINITIONS if any(row.name == name for row in rows(s)))
