"""Every record and where each of its versions stands: a fold of clearing's own events."""

from typing import Any

import msgspec

from schemas.messages.clearing import (
    AllocationReported,
    ClearingRepaired,
    ClearingStatusChanged,
    TradeCaptured,
)
from schemas.messages.core import ClearingStatus, ClearingTransaction, RepairField
from schemas.messages.wire import (
    read_allocation_reported,
    read_trade_captured,
    write_allocation_reported,
    write_trade_captured,
)

__all__ = ["Ledger", "Record", "Report", "Version", "report_id"]

Report = AllocationReported | TradeCaptured
GONE = (ClearingStatus.REJECTED, ClearingStatus.REPAIRED, ClearingStatus.WITHDRAWN)


def report_id(record_id: str, version: int) -> str:
    """Return the id that a clearer answers to."""
    return f"{record_id}:{version}"


class Version(msgspec.Struct, array_like=True, gc=False):
    """One report of a record."""

    transaction: ClearingTransaction
    status: ClearingStatus = ClearingStatus.SENT


class Record(msgspec.Struct, array_like=True):
    """A record of either side. `body`: its newest report, as it stands in the log.

    Bytes, since a snapshot's integers end at 64 bits and cash does not.
    """

    is_street: bool
    instrument_id: str
    body: bytes
    versions: list[Version] = []
    repairs: dict[RepairField, str] = {}  # what people decided; it outlives restatements

    @property
    def report(self) -> Report:
        read = read_trade_captured if self.is_street else read_allocation_reported
        message: Report = read(self.body, 0)[0]
        return message

    @property
    def newest(self) -> Version:
        return self.versions[-1]

    @property
    def standing(self) -> int:
        """Return the newest version that the clearer has or may have; 0 when it has none."""
        for number in range(len(self.versions), 0, -1):
            version = self.versions[number - 1]
            if version.status not in GONE:
                return 0 if version.transaction is ClearingTransaction.CANCEL else number
        return 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing is reported, or what was is canceled or withdrawn."""
        is_canceled = self.newest.transaction is ClearingTransaction.CANCEL
        return is_canceled or self.newest.status is ClearingStatus.WITHDRAWN


class Ledger(msgspec.Struct):
    """Records by id, in the order of their first report."""

    records: dict[str, Record] = {}
    days: dict[int, int] = {}  # reports by trade date

    def find(self, name: str) -> tuple[Record, int] | None:
        """Return the record and the version that a report id names; None for a stranger."""
        record_id, _, number = name.rpartition(":")
        record = self.records.get(record_id)
        if record is None or not number.isdecimal() or not number.isascii():
            return None
        version = int(number)
        is_known = 1 <= version <= len(record.versions) and report_id(record_id, version) == name
        return (record, version) if is_known else None

    def fold(self, message: Any) -> None:
        """Take one of clearing's own events."""
        match message:
            case AllocationReported():
                self._reported(message, write_allocation_reported(message), is_street=False)
            case TradeCaptured():
                self._reported(message, write_trade_captured(message), is_street=True)
            case ClearingStatusChanged():
                record = self.records[message.record_id]
                record.versions[message.version - 1].status = message.status
            case ClearingRepaired():
                record = self.records[message.record_id]
                record.newest.status = ClearingStatus.REPAIRED
                record.repairs |= {change.field: change.value for change in message.changes}
            case _:
                pass

    def _reported(self, message: Report, body: bytes, *, is_street: bool) -> None:
        record = self.records.get(message.record_id)
        if record is None:
            record = self.records[message.record_id] = Record(
                is_street, message.instrument_id, body
            )
        assert message.version == len(record.versions) + 1, message.report_id
        self.days[message.trade_date] = self.days.get(message.trade_date, 0) + 1
        record.body = body
        record.versions.append(Version(message.transaction))
