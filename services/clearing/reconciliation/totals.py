"""The two sides of clearing against each other: what clients are given is what the street did."""

from typing import Any

from schemas.messages.clearing import AllocationReported, TradeCaptured
from schemas.messages.core import (
    AllocationKind,
    BreakKind,
    ClearingStatus,
    ClearingTransaction,
)
from services.clearing.reconciliation.allocation_checks import is_open
from services.clearing.reconciliation.breaks import Breaks, Where
from services.clearing.reconciliation.sides import Sides

__all__ = ["check_totals"]

FIELDS = ("quantity", "cash_e9", "fee_e9")
Totals = dict[tuple[str, str, str], list[int]]  # instrument, currency, side -> FIELDS


def check_totals(sides: Sides, breaks: Breaks, day: int) -> None:
    """Street less error account = clients, by instrument, currency and side, to the unit.

    An instrument of which an epoch's cash is not final yet is left out.
    """
    unfinished = {
        pool.instrument_id
        for name, pool in sides.pools.items()
        if is_open(sides, pool) and pool.fills and name not in sides.cash
    }
    street: Totals = {}
    clients: Totals = {}
    for record in sides.reported.values():
        report = record.reports[-1]
        if (day and report.trade_date != day) or report.instrument_id in unfinished:
            continue
        if report.transaction is ClearingTransaction.CANCEL:
            continue
        if sides.statuses.get(report.report_id) is ClearingStatus.WITHDRAWN:
            continue
        if isinstance(report, TradeCaptured):
            _add(street, report, _paid(report))
        elif isinstance(report, AllocationReported) and _is_of_fills(report):
            _add(clients, report, (report.quantity, report.cash_e9, report.fee_e9))
    for key in sorted({**street, **clients}):
        ours, theirs = clients.get(key, [0, 0, 0]), street.get(key, [0, 0, 0])
        for name, own, their in zip(FIELDS, ours, theirs, strict=True):
            subject = " ".join(key)
            breaks.compare(BreakKind.TOTALS_DIFFER, subject, name, own, their, where=Where(key[0]))


def _is_of_fills(report: AllocationReported) -> bool:
    return report.kind in (AllocationKind.EPOCH, AllocationKind.FILL)


def _paid(report: TradeCaptured) -> tuple[int, int, int]:
    """Return what clients get of an execution; the fee of a pure error fill is the firm's."""
    is_error = report.quantity == report.error_quantity
    return (
        report.quantity - report.error_quantity,
        report.cash_e9 - report.error_cash_e9,
        0 if is_error else report.fee_e9,
    )


def _add(totals: Totals, report: Any, amounts: tuple[int, int, int]) -> None:
    known = totals.setdefault((report.instrument_id, report.currency, report.side), [0, 0, 0])
    for index, amount in enumerate(amounts):
        known[index] += amount
