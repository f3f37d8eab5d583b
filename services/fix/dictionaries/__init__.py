"""Data dictionaries of the sessions: QuickFIX's own, with what algorithmic orders need added.

This product includes software developed by quickfixengine.org (http://www.quickfixengine.org/):
the XML files here derive from its specifications; LICENSE.quickfix is its license.
"""

from pathlib import Path
from typing import Final

__all__ = ["FOLDER", "dictionary_path"]

FOLDER: Final = Path(__file__).parent


def dictionary_path(name: str) -> Path:
    """Return the file of FIX42, FIX44, FIXT11 or FIX50SP2. Raises FileNotFoundError."""
    path = FOLDER / f"{name}.xml"
    if not path.is_file():
        raise FileNotFoundError(f"no data dictionary {name}: FIX42, FIX44, FIXT11, FIX50SP2")
    return path
