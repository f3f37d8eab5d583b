"""Day files: what stands with the clearer at the end of a business date, one file an account.

CSV: a line `#H,kind,format,day,party,clearer`, the column names, the rows, for each currency a line
`#S,currency,bought quantity,sold quantity,bought cash,sold cash,fees`, and the trailer
`#T,rows,sha256` over all bytes before it. JSON lines hold the same. manifest.json, written last,
names every file with its hash.
"""

import csv
import io
import json
import os
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from schemas.messages.clearing import (
    AllocationReported,
    ClearingRepaired,
    ClearingStatusChanged,
    TradeCaptured,
)
from schemas.messages.core import ClearingStatus, Side
from streams.core.errors import Error

__all__ = ["DayFileError", "DayFiles", "read_day_file", "write_day_files"]

FORMAT = 1
UNIT = 1_000_000_000
CLIENT_COLUMNS = [
    "report_id",
    "previous_id",
    "transaction",
    "cause",
    "status",
    "kind",
    "account_id",
    "clearing_account",
    "client_id",
    "instrument_id",
    "side",
    "quantity",
    "average_price",
    "cash",
    "fee",
    "net_cash",
    "currency",
    "trade_date",
    "business_date",
    "settlement_date",
    "order_id",
    "client_order_id",
    "parent_id",
    "epoch",
    "cross_id",
]
STREET_COLUMNS = [
    "report_id",
    "previous_id",
    "transaction",
    "cause",
    "status",
    "venue_id",
    "exec_id",
    "change_exec_id",
    "child_id",
    "instrument_id",
    "side",
    "quantity",
    "error_quantity",
    "price",
    "cash",
    "fee",
    "currency",
    "trade_date",
    "business_date",
    "settlement_date",
    "parent_id",
    "epoch",
]


class DayFileError(Error):
    """A day file that is not whole: its trailer says otherwise."""


class DayFiles(NamedTuple):
    """What was written."""

    folder: Path
    files: dict[str, int]  # rows by file name, CSV files only


class Standing:
    """Newest report of each record of one business date, with its status."""

    def __init__(self, day: int) -> None:
        self._day = day
        self._newest: dict[str, Any] = {}
        self._statuses: dict[str, ClearingStatus] = {}

    def take(self, message: Any) -> None:
        match message:
            case AllocationReported() | TradeCaptured():
                self._newest[message.record_id] = message
            case ClearingStatusChanged():
                self._statuses[message.report_id] = message.status
            case ClearingRepaired():
                self._statuses[message.report_id] = ClearingStatus.REPAIRED
            case _:
                pass

    def rows(self, kind: type[Any]) -> list[tuple[Any, ClearingStatus]]:
        """Return the reports of that side, by report id."""
        found = [
            (each, self._statuses.get(each.report_id, ClearingStatus.SENT))
            for each in self._newest.values()
            if isinstance(each, kind) and each.business_date == self._day
        ]
        return sorted(found, key=lambda row: str(row[0].report_id))


def write_day_files(messages: Iterable[Any], day: int, out: Path) -> DayFiles:
    """Write the files of a business date into `out/day`; a file is there whole or not at all.

    `messages`: everything on clearing.reports, each partition in order. Raises: OSError.
    """
    standing = Standing(day)
    for message in messages:
        standing.take(message)
    folder = out / str(day)
    folder.mkdir(parents=True, exist_ok=True)
    contents: dict[str, bytes] = {}
    counts: dict[str, int] = {}
    for kind, side, columns in (
        ("allocations", AllocationReported, CLIENT_COLUMNS),
        ("street", TradeCaptured, STREET_COLUMNS),
    ):
        parties: dict[str, list[tuple[Any, ClearingStatus]]] = {}
        for report, status in standing.rows(side):
            party = report.account_id if kind == "allocations" else report.venue_id
            parties.setdefault(party, []).append((report, status))
        for party, rows in sorted(parties.items()):
            head = (kind, FORMAT, day, party, rows[0][0].clearer_id)
            table = [_cells(report, status, columns) for report, status in rows]
            sums = _sums(report for report, _ in rows)
            stem = f"{kind}-{_file_part(party)}"
            contents[f"{stem}.csv"] = _csv(head, columns, table, sums)
            contents[f"{stem}.jsonl"] = _json_lines(head, columns, table, sums)
            counts[f"{stem}.csv"] = len(rows)
    hashes = {name: sha256(data).hexdigest() for name, data in contents.items()}
    manifest = json.dumps({"format": FORMAT, "day": day, "files": hashes}, indent=1) + "\n"
    for name, data in (*contents.items(), ("manifest.json", manifest.encode())):
        _write(folder / name, data)
    return DayFiles(folder, counts)


def read_day_file(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV day file. Raises DayFileError when its trailer does not fit it."""
    data = path.read_bytes()
    body, _, last = data.rstrip(b"\n").rpartition(b"\n")
    body += b"\n"
    trailer = last.decode(errors="replace").split(",")
    lines = body.decode(errors="replace").splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    due = ["#T", str(len(rows)), sha256(body).hexdigest()]
    if trailer != due:
        raise DayFileError(f"{path.name}: trailer {trailer}, content says {due}")
    return rows


def _cells(report: Any, status: ClearingStatus, columns: Iterable[str]) -> list[str]:
    cells = []
    for name in columns:
        if name == "status":
            cells.append(str(status))
        elif hasattr(report, f"{name}_e9"):
            cells.append(_decimal(getattr(report, f"{name}_e9")))
        else:
            cells.append(str(getattr(report, name)))
    return cells


def _sums(reports: Iterable[Any]) -> dict[str, list[int]]:
    """Return bought and sold quantity, bought and sold cash, fees, by currency."""
    sums: dict[str, list[int]] = {}
    for report in reports:
        found = sums.setdefault(report.currency, [0, 0, 0, 0, 0])
        sold = report.side is not Side.BUY
        found[sold] += report.quantity
        found[2 + sold] += report.cash_e9
        found[4] += report.fee_e9
    return dict(sorted(sums.items()))


def _csv(
    head: tuple[Any, ...],
    columns: Iterable[str],
    table: list[list[str]],
    sums: Mapping[str, list[int]],
) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["#H", *head])
    writer.writerow(columns)
    writer.writerows(table)
    for currency, found in sums.items():
        writer.writerow(["#S", currency, *found[:2], *map(_decimal, found[2:])])
    body = buffer.getvalue().encode()
    return body + f"#T,{len(table)},{sha256(body).hexdigest()}\n".encode()


def _json_lines(
    head: tuple[Any, ...],
    columns: Iterable[str],
    table: list[list[str]],
    sums: Mapping[str, list[int]],
) -> bytes:
    names = ("kind", "format", "day", "party", "clearer_id")
    lines: list[dict[str, Any]] = [{"type": "header", **dict(zip(names, head, strict=True))}]
    lines += [{"type": "report", **dict(zip(columns, row, strict=True))} for row in table]
    for currency, (bought, sold, *cash) in sums.items():
        bought_cash, sold_cash, fees = map(_decimal, cash)
        lines.append(
            {
                "type": "sum",
                "currency": currency,
                "bought": bought,
                "sold": sold,
                "bought_cash": bought_cash,
                "sold_cash": sold_cash,
                "fees": fees,
            }
        )
    body = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode()
    trailer = {"type": "trailer", "rows": len(table), "sha256": sha256(body).hexdigest()}
    return body + json.dumps(trailer, separators=(",", ":")).encode() + b"\n"


def _decimal(value_e9: int) -> str:
    sign = "-" if value_e9 < 0 else ""
    whole, rest = divmod(abs(value_e9), UNIT)
    return f"{sign}{whole}.{rest:09d}"


def _file_part(party: str) -> str:
    """Return a party's name as part of a file name; what is no letter or digit becomes its code."""
    return "".join(c if c.isalnum() and c.isascii() else f"_{ord(c):x}" for c in party) or "_"


def _write(path: Path, data: bytes) -> None:
    """Put the file in place whole: a reader sees the old content or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
