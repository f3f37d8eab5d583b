"""Which values each version knows of a coded field, as our dictionaries list them."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from services.fix.codes.versions import Version

__all__ = ["FIELDS", "TABLES", "is_known", "known"]

TABLES: Final = Path(__file__).with_name("enums.json")  # written by services.fix.codes.extract
# Fields whose values our answers choose or whose values we take in.
FIELDS: Final = (
    *(18, 20, 29, 39, 40, 54, 59, 71, 87, 88, 102, 103, 127, 150, 373, 378, 380, 394, 429, 431),
    *(434, 487, 528, 530, 531, 532, 585, 626, 755, 828, 851, 857, 939, 959),
)


def known(version: Version, tag: int) -> Mapping[str, str]:
    """Return a field's values with their names; empty where the version lists none."""
    return _tables()[version].get(str(tag), {})


def is_known(version: Version, tag: int, value: str) -> bool:
    """Return whether a peer that validates by the version's dictionary takes the value."""
    values = known(version, tag)
    return not values or value in values


@cache
def _tables() -> dict[str, dict[str, dict[str, str]]]:
    tables: dict[str, dict[str, dict[str, str]]] = json.loads(TABLES.read_text())
    return tables
