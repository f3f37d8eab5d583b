"""The venues' own drop copies: what each executed, from its own books and not from the log.

One CSV file a venue, as services/clearing/reconciliation/drop_copy.py describes it; written here
apart, so that an error of ours cannot hide in code that both sides share.
"""

import csv
import io
import os
from datetime import UTC, datetime
from pathlib import Path

from schemas.messages.venues import ExecutionReport
from services.venues.state import SimulatorState

__all__ = ["drop_copies", "write_drop_copies"]

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
UNIT = 1_000_000_000


def drop_copies(state: SimulatorState) -> dict[str, str]:
    """Return the content of each venue's file, every venue that has seen a child."""
    rows: dict[str, list[ExecutionReport]] = {}
    for child in state.children.values():
        rows.setdefault(child.venue_id, []).extend(child.executions)
    return {venue_id: _content(rows[venue_id]) for venue_id in sorted(rows)}


def write_drop_copies(state: SimulatorState, folder: Path) -> list[Path]:
    """Write the files, each whole or not at all; return their paths. Raises: OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for venue_id, content in drop_copies(state).items():
        path = folder / f"drop-copy-{venue_id}.csv"
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.write_text(content, encoding="utf-8")
        draft.replace(path)
        paths.append(path)
    return paths


def _content(reports: list[ExecutionReport]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for report in sorted(reports, key=lambda each: (each.transact_ns, each.exec_id)):
        writer.writerow(
            [
                report.venue_id,
                report.exec_id,
                report.exec_ref_id,
                report.exec_type.value,
                report.child_id,
                report.instrument_id,
                report.side.value,
                report.last_quantity,
                _decimal(report.last_price_e9 or 0),
                _decimal(report.fee_e9),
                _time(report.transact_ns),
            ]
        )
    return buffer.getvalue()


def _decimal(value_e9: int) -> str:
    whole, rest = divmod(abs(value_e9), UNIT)
    return f"{'-' if value_e9 < 0 else ''}{whole}.{rest:09d}"


def _time(at_ns: int) -> str:
    seconds, fraction = divmod(at_ns, UNIT)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{fraction:09d}Z"
