"""Clearing reports against what they should say, on both sides, and where they stand."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from schemas.messages.clearing import AllocationReported, TradeCaptured
from schemas.messages.core import BreakKind as B
from schemas.messages.core import (
    CashEntry,
    ClearingStatus,
    ClearingTransaction,
    RejectReason,
)
from services.clearing.reconciliation.breaks import Breaks, Where
from services.clearing.reconciliation.sides import Fill, Reported, Sides, record_source
from services.clearing.reference import cash_e9

__all__ = ["check_client_reports", "check_street_reports", "check_suspended"]


class Standing(NamedTuple):
    """The newest report of a record. `quantity` is 0 where it is canceled or withdrawn."""

    report: Any
    status: ClearingStatus
    quantity: int
    place: str

    @property
    def where(self) -> Where:
        return Where(self.report.instrument_id, self.place)


def check_client_reports(sides: Sides, breaks: Breaks, day: int) -> int:
    """Compare allocation reports with the cash that was given; return how many stand."""
    found: dict[tuple[str, str], Standing] = {}
    for record_id, record in sides.reported.items():
        if not isinstance(record.reports[-1], AllocationReported):
            continue
        standing = _standing(sides, breaks, record_id, record, day)
        if standing is None:
            continue
        key = (standing.report.order_id, record_source(standing.report))
        if key in found:
            text = f"{found[key].report.record_id} too"
            breaks.add(B.REPORTED_TWICE, record_id, "record_id", text, None, where=standing.where)
        found[key] = standing
    count = sum(reported.quantity > 0 for reported in found.values())
    for source, cash in sides.cash.items():
        instrument_id, at_ns = _source(sides, source)
        if not sides.is_wanted(day, instrument_id, at_ns):
            continue
        for order_id, entry in cash.entries.items():
            reported = found.pop((order_id, source), None)
            if reported is None or reported.quantity == 0:
                subject, due = f"{order_id}@{source}", entry.quantity
                where = Where(instrument_id, cash.place)
                breaks.add(B.NOT_REPORTED, subject, "quantity", None, due, where=where)
            if reported is not None:
                _compare_client(sides, breaks, reported, entry, (instrument_id, at_ns))
    for reported in found.values():
        if reported.quantity:
            report = reported.report
            breaks.add(
                B.UNKNOWN_REPORT,
                report.record_id,
                "quantity",
                report.quantity,
                0,
                where=reported.where,
            )
        _check_status(breaks, reported)
    return count


def check_street_reports(sides: Sides, breaks: Breaks, day: int) -> int:
    """Compare trade captures with our fills; return how many stand."""
    count = 0
    seen: set[str] = set()
    for record_id, record in sides.reported.items():
        if not isinstance(record.reports[-1], TradeCaptured):
            continue
        standing = _standing(sides, breaks, record_id, record, day)
        if standing is None:
            continue
        fill_id = standing.report.fill_id
        if fill_id in seen:
            breaks.add(B.REPORTED_TWICE, record_id, "fill_id", fill_id, None, where=standing.where)
        seen.add(fill_id)
        count += standing.quantity > 0
        fill = sides.fills.get(fill_id)
        if fill is None:
            quantity = standing.report.quantity
            breaks.add(
                B.UNKNOWN_REPORT, record_id, "quantity", quantity, None, where=standing.where
            )
        else:
            _compare_street(sides, breaks, standing, fill)
        _check_status(breaks, standing)
    for fill in sides.fills.values():
        is_due = not fill.is_busted and fill.fill_id not in seen
        if is_due and sides.is_wanted(day, fill.instrument_id, fill.executed_ns):
            where = Where(fill.instrument_id, fill.place)
            breaks.add(B.NOT_REPORTED, fill.fill_id, "quantity", None, fill.quantity, where=where)
    return count


def check_suspended(sides: Sides, breaks: Breaks, day: int) -> None:
    """An answer that contradicts our newest report is a break until that is reported anew."""
    for event, place in sides.suspended:
        record = sides.reported.get(event.report_id.rpartition(":")[0])
        newest = None if record is None else record.reports[-1]
        if day and (newest is None or newest.trade_date != day):
            continue
        is_open = event.reason is RejectReason.REPORT_CONTRADICTS and (
            newest is not None and newest.report_id == event.report_id
        )
        breaks.add(
            B.ANSWER_SUSPENDED,
            event.report_id or f"{event.topic}[{event.partition}]@{event.offset}",
            event.field,
            event.bound,
            event.value,
            where=Where(place=place),
            is_information=not is_open,
        )


def _standing(
    sides: Sides, breaks: Breaks, record_id: str, record: Reported, day: int
) -> Standing | None:
    """Return the newest report; a number that was used twice, or left out, is a break."""
    report, place = record.reports[-1], record.places[-1]
    if day and report.trade_date != day:
        return None
    where = Where(report.instrument_id, place)
    numbers = [each.version for each in record.reports]
    if numbers != list(range(1, len(numbers) + 1)):
        text = ", ".join(map(str, numbers))
        breaks.add(B.REPORTED_TWICE, record_id, "version", text, f"1..{len(numbers)}", where=where)
    status = sides.statuses.get(report.report_id, ClearingStatus.SENT)
    is_gone = report.transaction is ClearingTransaction.CANCEL
    is_gone = is_gone or status is ClearingStatus.WITHDRAWN
    return Standing(report, status, 0 if is_gone else report.quantity, place)


def _check_status(breaks: Breaks, standing: Standing) -> None:
    report, status = standing.report, standing.status
    if status in (ClearingStatus.ACCEPTED, ClearingStatus.WITHDRAWN):
        return
    is_rejected = status in (ClearingStatus.REJECTED, ClearingStatus.REPAIRED)
    kind = B.REJECTED_UNREPAIRED if is_rejected else B.NOT_ACCEPTED
    breaks.add(
        kind, report.report_id, "status", status, ClearingStatus.ACCEPTED, where=standing.where
    )


def _source(sides: Sides, source: str) -> tuple[str, int]:
    """Return instrument and instant of what cash was given for."""
    if source in sides.pools:
        return sides.pools[source].instrument_id, sides.pools[source].executed_ns
    if source in sides.fills:
        return sides.fills[source].instrument_id, sides.fills[source].executed_ns
    cross = sides.crosses.get(source)
    return ("", 0) if cross is None else (cross.instrument_id, cross.crossed_ns)


def _compare_client(
    sides: Sides,
    breaks: Breaks,
    standing: Standing,
    entry: CashEntry,
    origin: tuple[str, int],
) -> None:
    """Compare one allocation report with its cash entry, its order and the calendar."""
    report, where = standing.report, standing.where
    _check_status(breaks, standing)
    if standing.quantity == 0:
        return
    subject = report.report_id
    amounts = (
        (B.QUANTITY_DIFFERS, "quantity"),
        (B.CASH_DIFFERS, "cash_e9"),
        (B.FEE_DIFFERS, "fee_e9"),
    )
    for kind, name in amounts:
        breaks.compare(
            kind, subject, name, getattr(report, name), getattr(entry, name), where=where
        )
    order = sides.orders.get(report.order_id)
    if order is not None:
        breaks.compare(B.SIDE_DIFFERS, subject, "side", report.side, order.side, where=where)
        account_id = order.account_id
        breaks.compare(
            B.ACCOUNT_DIFFERS, subject, "account_id", report.account_id, account_id, where=where
        )
        if "clearing_account" not in sides.repaired.get(report.record_id, ()):
            booked = report.clearing_account
            breaks.compare(
                B.ACCOUNT_DIFFERS, subject, "clearing_account", booked, account_id, where=where
            )
    if report.parts:
        told = sum(part.quantity for part in report.parts)
        breaks.compare(B.LINEAGE_DIFFERS, subject, "parts", told, report.quantity, where=where)
    for part in report.parts:
        fill = sides.fills.get(part.fill_id)
        if fill is None or fill.child_id != part.child_id:
            ours = None if fill is None else fill.child_id
            breaks.add(B.LINEAGE_DIFFERS, subject, "parts", part.child_id, ours, where=where)
    _compare_dates(sides, breaks, standing, *origin)


def _compare_street(sides: Sides, breaks: Breaks, standing: Standing, fill: Fill) -> None:
    """Compare one trade capture with its fill, netted, and the calendar."""
    report, where, subject = standing.report, standing.where, standing.report.report_id
    if fill.is_busted:
        if standing.quantity:
            breaks.add(B.BUST_NOT_APPLIED, subject, "quantity", report.quantity, 0, where=where)
        return
    if not standing.quantity:
        breaks.add(B.NOT_REPORTED, fill.fill_id, "quantity", 0, fill.quantity, where=where)
        return
    terms = sides.reference.instrument(fill.instrument_id, fill.executed_ns)
    scale = 1 if terms is None else terms.quantity_scale
    told = (report.quantity, report.price_e9, report.fee_e9)
    if fill.is_corrected and told == fill.before != (fill.quantity, fill.price_e9, fill.fee_e9):
        now = (fill.quantity, fill.price_e9, fill.fee_e9)
        names = "quantity, price_e9, fee_e9"
        breaks.add(B.CORRECTION_NOT_APPLIED, subject, names, told, now, where=where)
        return
    rows: Iterable[tuple[B, str, object]] = (
        (B.SIDE_DIFFERS, "side", fill.side),
        (B.QUANTITY_DIFFERS, "quantity", fill.quantity),
        (B.QUANTITY_DIFFERS, "error_quantity", fill.error),
        (B.PRICE_DIFFERS, "price_e9", fill.price_e9),
        (B.CASH_DIFFERS, "cash_e9", cash_e9(fill.price_e9, fill.quantity, scale)),
        (B.FEE_DIFFERS, "fee_e9", fill.fee_e9),
    )
    for kind, name, due in rows:
        breaks.compare(kind, subject, name, getattr(report, name), due, where=where)
    _compare_dates(sides, breaks, standing, fill.instrument_id, fill.executed_ns)


def _compare_dates(
    sides: Sides, breaks: Breaks, standing: Standing, instrument_id: str, at_ns: int
) -> None:
    """Trade and settlement date by the calendars as they are known now."""
    report, where = standing.report, standing.where
    reference, subject = sides.reference, report.report_id
    trade_date = reference.trade_date(instrument_id, at_ns)
    breaks.compare(
        B.SETTLEMENT_DATE_DIFFERS, subject, "trade_date", report.trade_date, trade_date, where=where
    )
    if "settlement_date" in sides.repaired.get(report.record_id, ()):
        return
    due = reference.settlement(instrument_id, trade_date, at_ns).date
    told = report.settlement_date
    breaks.compare(B.SETTLEMENT_DATE_DIFFERS, subject, "settlement_date", told, due, where=where)
