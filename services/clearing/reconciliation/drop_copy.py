"""A venue's own drop copy file: executions, busts and corrections, one a line, in any order.

CSV in UTF-8 with a header line; columns in any order, others are passed over:

venue_id, exec_id, exec_ref_id (empty for a trade), exec_type (TRADE, TRADE_CANCEL or
TRADE_CORRECT), child_id (our ClOrdID), instrument_id, side (BUY or SELL), last_quantity (smallest
units), last_price and fee (decimals of the currency, at most nine places; a negative fee is a
rebate), transact_time (UTC, 2026-03-02T14:30:00.000000000Z).
"""

import csv
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from schemas.messages.core import ExecType, Side
from services.clearing.reconciliation.executions import KINDS, Executions, Told
from streams.core.errors import Error

__all__ = ["COLUMNS", "DropCopy", "DropCopyError", "read_drop_copy"]

COLUMNS = (
    "venue_id",
    "exec_id",
    "exec_ref_id",
    "exec_type",
    "child_id",
    "instrument_id",
    "side",
    "last_quantity",
    "last_price",
    "fee",
    "transact_time",
)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")
NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,9})?")
UNIT = SECOND_NS = 1_000_000_000


class DropCopyError(Error):
    """A file that cannot be compared: what stands where, and what should."""

    def __init__(self, place: str, column: str, value: str, bound: str) -> None:
        super().__init__(f"{place}: {column} {value!r}: {bound}")


class DropCopy(NamedTuple):
    """A file read: the venues that it tells of, and what they executed."""

    name: str  # file name and SHA-256
    venues: frozenset[str]
    executions: Executions
    rows: int


def read_drop_copy(path: Path, venues: Iterable[str] = ()) -> DropCopy:
    """Read a file. `venues`: those that it is for, where it may hold no line of one of them.

    Raises: DropCopyError at the first line that is not sound; OSError.
    """
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DropCopyError(path.name, "encoding", str(error), "UTF-8") from error
    lines = csv.DictReader(text.splitlines(), strict=True)
    found = Executions()
    told_of = set(venues)
    try:
        missing = [name for name in COLUMNS if name not in (lines.fieldnames or ())]
        if missing:
            raise DropCopyError(path.name, "header", ", ".join(missing), "is missing")
        count = 0
        for row in lines:
            told = _row(row, f"{path.name}:{lines.line_num}")
            # The venue's own list says each execution once: a second line is no resend.
            found.add(told, is_resent=False)
            told_of.add(told.venue_id)
            count += 1
    except csv.Error as error:
        raise DropCopyError(f"{path.name}:{lines.line_num}", "line", str(error), "CSV") from error
    name = f"{path.name} {sha256(data).hexdigest()}"
    return DropCopy(name, frozenset(told_of), found, count)


def _row(row: dict[str | None, str | list[str] | None], place: str) -> Told:
    cells: dict[str, str] = {}
    for name in COLUMNS:
        value = row.get(name)
        if not isinstance(value, str):
            raise DropCopyError(place, name, "", "a cell is missing")
        cells[name] = value.strip()
    if None in row:
        raise DropCopyError(place, "line", str(row[None]), "more cells than the header")
    kind = cells["exec_type"]
    if kind not in KINDS:
        raise DropCopyError(place, "exec_type", kind, ", ".join(KINDS))
    if cells["side"] not in (Side.BUY, Side.SELL):
        raise DropCopyError(place, "side", cells["side"], "BUY, SELL")
    is_change = kind != ExecType.TRADE
    for name in ("venue_id", "exec_id", "child_id", "instrument_id"):
        if not cells[name]:
            raise DropCopyError(place, name, "", "is empty")
    if bool(cells["exec_ref_id"]) != is_change:
        bound = "names the execution of a bust or correction, and is empty for a trade"
        raise DropCopyError(place, "exec_ref_id", cells["exec_ref_id"], bound)
    quantity = cells["last_quantity"]
    if not (quantity.isascii() and quantity.isdecimal()):
        raise DropCopyError(place, "last_quantity", quantity, "a whole number of smallest units")
    if not is_change and int(quantity) == 0:
        raise DropCopyError(place, "last_quantity", quantity, "more than 0 for a trade")
    price_e9 = _e9(cells, "last_price", place)
    if price_e9 <= 0:
        raise DropCopyError(place, "last_price", cells["last_price"], "more than 0")
    return Told(
        cells["venue_id"],
        cells["exec_id"],
        cells["exec_ref_id"],
        ExecType(kind),
        cells["child_id"],
        cells["instrument_id"],
        Side(cells["side"]),
        int(quantity),
        price_e9,
        _e9(cells, "fee", place),
        _ns(cells["transact_time"], place),
        place,
    )


def _e9(cells: dict[str, str], name: str, place: str) -> int:
    """Return a decimal in 1e-9 units, exactly."""
    text = cells[name]
    if NUMBER.fullmatch(text) is None:
        raise DropCopyError(place, name, text, "a decimal number of at most nine places")
    whole, _, fraction = text.removeprefix("-").partition(".")
    value_e9 = int(whole) * UNIT + int(fraction.ljust(9, "0") or 0)
    return -value_e9 if text.startswith("-") else value_e9


def _ns(text: str, place: str) -> int:
    bound = "UTC time such as 2026-03-02T14:30:00.000000000Z"
    if TIME.fullmatch(text) is None:
        raise DropCopyError(place, "transact_time", text, bound)
    seconds, _, fraction = text[:-1].partition(".")
    try:
        whole = datetime.fromisoformat(seconds).replace(tzinfo=UTC)
    except ValueError as error:
        raise DropCopyError(place, "transact_time", text, bound) from error
    return int(whole.timestamp()) * SECOND_NS + int(fraction.ljust(9, "0") or 0)
