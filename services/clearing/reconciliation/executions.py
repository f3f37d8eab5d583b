"""What a venue executed, net of its busts and corrections, whatever the order of its reports."""

from typing import NamedTuple

import msgspec

from schemas.messages.core import BreakKind, ExecType, Side
from schemas.messages.venues import ExecutionReport
from services.clearing.reconciliation.breaks import Breaks, Where

__all__ = ["Execution", "Executions", "Told"]

KINDS = (ExecType.TRADE, ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT)


class Told(NamedTuple):
    """One trade, bust or correction as the venue told it, and where it stands."""

    venue_id: str
    exec_id: str
    exec_ref_id: str
    exec_type: ExecType
    child_id: str
    instrument_id: str
    side: Side
    quantity: int
    price_e9: int | None
    fee_e9: int
    transact_ns: int
    place: str

    @property
    def key(self) -> str:
        return f"{self.venue_id}/{self.exec_id}"

    @property
    def content(self) -> "Told":
        """Return what two tellings of one execution must have in common."""
        return self._replace(place="")


class Execution(msgspec.Struct, gc=False):
    """One execution as it stands at its venue. Key: venue_id/exec_id, our fill id."""

    key: str
    child_id: str
    instrument_id: str
    side: Side
    quantity: int
    price_e9: int
    fee_e9: int
    transact_ns: int  # of the trade
    place: str  # of what it was told by last
    before: tuple[int, int, int]  # quantity, price, fee as first told
    is_busted: bool = False
    is_corrected: bool = False


def told(report: ExecutionReport, place: str) -> Told | None:
    """Return what a report tells of an execution; None when it is about the order only."""
    if report.exec_type not in KINDS:
        return None
    return Told(
        report.venue_id,
        report.exec_id,
        report.exec_ref_id,
        report.exec_type,
        report.child_id,
        report.instrument_id,
        report.side,
        report.last_quantity,
        report.last_price_e9,
        report.fee_e9,
        report.transact_ns,
        place,
    )


class Executions:
    """Collects what venues tell; `net` works out what stands."""

    def __init__(self) -> None:
        self._told: dict[str, Told] = {}
        self._contradictions: list[tuple[Told, Told]] = []

    def add(self, row: Told, *, is_resent: bool = True) -> None:
        """Take a telling. A repeat of the same content is a resend, unless a source has none."""
        known = self._told.setdefault(row.key, row)
        if known is not row and (known.content != row.content or not is_resent):
            self._contradictions.append((known, row))

    def net(self, breaks: Breaks) -> dict[str, Execution]:
        """Return every execution by key; an ExecID that was used twice is a break."""
        for known, row in self._contradictions:
            breaks.add(
                BreakKind.DUPLICATE_EXEC_ID,
                row.key,
                "exec_id",
                f"{known.exec_type} {known.quantity} at {known.price_e9}",
                f"{row.exec_type} {row.quantity} at {row.price_e9}",
                where=Where(row.instrument_id, row.place),
            )
        changes: dict[str, list[Told]] = {}
        found: dict[str, Execution] = {}
        for row in self._told.values():
            if row.exec_type is ExecType.TRADE:
                if row.quantity > 0:
                    found[row.key] = _execution(row)
            else:
                changes.setdefault(self._root(row), []).append(row)
        for key, rows in changes.items():
            execution = found.get(key)
            rows.sort(key=lambda row: row.transact_ns)  # stable: as told
            if execution is None:
                if any(row.exec_type is ExecType.TRADE_CANCEL for row in rows):
                    continue  # a bust of what was never told leaves nothing
                execution = found[key] = _execution(rows[-1])
                execution.key = key
            for row in rows:
                _apply(execution, row)
        return found

    def _root(self, row: Told) -> str:
        """Return the trade that a change is about; it may refer to an earlier change."""
        key, seen = f"{row.venue_id}/{row.exec_ref_id}", {row.key}
        while (known := self._told.get(key)) is not None and known.exec_type is not ExecType.TRADE:
            if key in seen:
                return key
            seen.add(key)
            key = f"{known.venue_id}/{known.exec_ref_id}"
        return key


def _execution(row: Told) -> Execution:
    price_e9 = row.price_e9 or 0
    return Execution(
        key=row.key,
        child_id=row.child_id,
        instrument_id=row.instrument_id,
        side=row.side,
        quantity=row.quantity,
        price_e9=price_e9,
        fee_e9=row.fee_e9,
        transact_ns=row.transact_ns,
        place=row.place,
        before=(row.quantity, price_e9, row.fee_e9),
    )


def _apply(execution: Execution, row: Told) -> None:
    """A bust is for ever; of corrections the one of the latest venue time holds."""
    execution.place = row.place
    if execution.is_busted:
        return
    if row.exec_type is ExecType.TRADE_CANCEL:
        execution.is_busted = True
        execution.quantity = execution.fee_e9 = 0
        return
    execution.is_corrected = True
    execution.quantity = row.quantity
    execution.fee_e9 = row.fee_e9
    if row.price_e9 is not None:
        execution.price_e9 = row.price_e9
