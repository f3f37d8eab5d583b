"""The client side: what each order was given, once its cash is final, and again when it changes."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from schemas.messages.allocation import CashAllocated, CrossAllocated
from schemas.messages.clearing import AllocationReported, ClearingStatusChanged
from schemas.messages.control import InstrumentDefined
from schemas.messages.core import (
    AllocationKind,
    CashEntry,
    Cause,
    ClearingPart,
    ClearingStatus,
    ClearingTransaction,
    CrossKind,
    Envelope,
    RepairField,
    ReportCause,
    Side,
)
from services.clearing.ledger import Ledger, Record, Report, report_id
from services.clearing.reference import Reference
from services.clearing.view import ClearingView, Order, Pool, pool_key
from streams.core.errors import CorruptHistoryError

__all__ = [
    "Books",
    "Source",
    "average_price_e9",
    "dates",
    "next_version",
    "report_cash",
    "report_cross",
    "terms_of",
    "withdrawn",
]

CAUSES = {Cause.BUST: ReportCause.BUST, Cause.CORRECTION: ReportCause.CORRECTION}
NO_CASH = (0, 0, 0)


class Books(NamedTuple):
    """What a decision looks at, and never changes."""

    reference: Reference
    view: ClearingView
    ledger: Ledger
    clearer_id: str


class Source(NamedTuple):
    """Where an order's part comes from."""

    name: str  # last part of the record's id
    kind: AllocationKind
    executed_ns: int
    cause: ReportCause
    parent_id: str = ""
    epoch: int = 0
    cross_id: str = ""


def report_cash(books: Books, envelope: Envelope, event: CashAllocated) -> Iterator[Any]:
    """Yield a report for each order whose part of the epoch, or of the fill, is new or changed."""
    key = pool_key(event.parent_id, event.epoch)
    pool = books.view.pools.get(key, Pool())
    fill = books.view.fills.get(event.fill_id)
    is_changed = event.version > 1
    source = Source(
        event.fill_id or key,
        AllocationKind.FILL if event.fill_id else AllocationKind.EPOCH,
        pool.executed_ns if fill is None else fill.executed_ns,
        CAUSES.get(pool.cause, ReportCause.RESTATED) if is_changed else ReportCause.FILLED,
        parent_id=event.parent_id,
        epoch=event.epoch,
    )
    parts = {} if event.fill_id else _parts(books.view, pool)
    entries = {entry.order_id: entry for entry in event.entries}
    for order_id, entry in entries.items():
        own = parts.get(order_id, ())
        if event.fill_id:
            own = (_part(books.view, event.fill_id, entry.quantity, envelope.event_id),)
        yield from _report(books, envelope, source, entry, own)
    if is_changed:  # an order that holds nothing any more is not among the entries
        suffix = f"@{source.name}"
        for order_id in dict.fromkeys(each for c in pool.changes for each, _ in c.parts):
            if order_id not in entries and f"{order_id}{suffix}" in books.ledger.records:
                none = CashEntry(order_id=order_id, quantity=0, cash_e9=0, fee_e9=0)
                yield from _report(books, envelope, source, none, parts.get(order_id, ()))


def report_cross(books: Books, envelope: Envelope, event: CrossAllocated) -> Iterator[Any]:
    """Yield a report for each order on both sides of a cross."""
    cross = books.view.crosses.get(event.cross_id)
    if cross is None:
        raise CorruptHistoryError(f"cross {event.cross_id} is allocated and was not executed")
    is_own = cross.kind is CrossKind.OWN_NETTING
    source = Source(
        event.cross_id,
        AllocationKind.OWN_NETTING if is_own else AllocationKind.CROSS,
        cross.crossed_ns,
        ReportCause.CROSSED,
        cross_id=event.cross_id,
    )
    for entry in (*event.buys, *event.sells):
        yield from _report(books, envelope, source, entry, ())


def withdrawn(record: Record, record_id: str, clearer_id: str) -> ClearingStatusChanged:
    """Return that a rejected report is needed no more: the clearer never had it."""
    version = len(record.versions)
    return ClearingStatusChanged(
        record_id=record_id,
        report_id=report_id(record_id, version),
        version=version,
        previous_status=record.newest.status,
        status=ClearingStatus.WITHDRAWN,
        is_current=True,
        reason="what it reported does not stand any more",
        reference="",
        clearer_id=clearer_id,
    )


def next_version(record: Record | None, record_id: str, *, is_gone: bool) -> dict[str, Any]:
    """Return what the next report of a record says of the one before it."""
    version = 1 if record is None else len(record.versions) + 1
    standing = 0 if record is None else record.standing
    transaction = ClearingTransaction.REPLACE if standing else ClearingTransaction.NEW
    return {
        "record_id": record_id,
        "version": version,
        "report_id": report_id(record_id, version),
        "previous_id": report_id(record_id, standing) if standing else "",
        "transaction": ClearingTransaction.CANCEL if is_gone else transaction,
    }


def dates(
    books: Books, record: Record | None, instrument_id: str, executed_ns: int, at_ns: int
) -> dict[str, Any]:
    """Return trade, business and settlement date; the trade date of a record never changes."""
    reference = books.reference
    before: Report | None = None if record is None else record.report
    trade_date = reference.trade_date(instrument_id, executed_ns)
    if before is not None:
        trade_date = before.trade_date
    settlement = reference.settlement(instrument_id, trade_date, executed_ns)
    repaired = "" if record is None else record.repairs.get(RepairField.SETTLEMENT_DATE, "")
    return {
        "trade_date": trade_date,
        "business_date": max(trade_date, reference.trade_date(instrument_id, at_ns)),
        "settlement_date": int(repaired) if repaired else settlement.date,
        "is_settlement_assumed": settlement.is_assumed and not repaired,
    }


def terms_of(books: Books, instrument_id: str, at_ns: int) -> InstrumentDefined:
    """Return the instrument. Raises CorruptHistoryError: the engine trades none unknown."""
    terms = books.reference.instrument(instrument_id, at_ns)
    if terms is None:
        raise CorruptHistoryError(f"instrument {instrument_id} traded and was never defined")
    return terms


def _report(
    books: Books,
    envelope: Envelope,
    source: Source,
    entry: CashEntry,
    parts: tuple[ClearingPart, ...],
) -> Iterator[Any]:
    """Yield the next report of a record if it says anything new."""
    record_id = f"{entry.order_id}@{source.name}"
    record = books.ledger.records.get(record_id)
    is_gone = entry.quantity == 0
    said = NO_CASH
    if record is not None and not record.is_empty:
        before = record.report
        said = (before.quantity, before.cash_e9, before.fee_e9)
    if said == (entry.quantity, entry.cash_e9, entry.fee_e9):
        return
    if is_gone and record is not None and not record.standing:
        yield withdrawn(record, record_id, books.clearer_id)
        return
    order = books.view.orders.get(entry.order_id)
    if order is None:
        raise CorruptHistoryError(f"{record_id}: an order that was never accepted is given cash")
    repaired = {} if record is None else record.repairs
    terms = terms_of(books, order.instrument_id, source.executed_ns)
    yield AllocationReported(
        **next_version(record, record_id, is_gone=is_gone),
        **_owner(books.reference, order, repaired.get(RepairField.CLEARING_ACCOUNT, "")),
        **_amounts(entry, order.side),
        **dates(books, record, order.instrument_id, source.executed_ns, envelope.at_ns),
        cause=source.cause,
        clearer_id=books.clearer_id,
        kind=source.kind,
        average_price_e9=average_price_e9(entry.cash_e9, entry.quantity, terms.quantity_scale),
        currency=terms.currency,
        quantity_scale=terms.quantity_scale,
        order_id=entry.order_id,
        parent_id=source.parent_id,
        epoch=source.epoch,
        cross_id=source.cross_id,
        parts=parts,
    )


def _owner(reference: Reference, order: Order, clearing_account: str) -> dict[str, Any]:
    account = reference.accounts.get(order.account_id)
    client_id = order.client_id or ("" if account is None else account.client_id)
    owner_id = order.owner_id or ("" if account is None else account.owner_id)
    return {
        "tenant": order.tenant,
        "account_id": order.account_id,
        "clearing_account": clearing_account or order.account_id,
        "client_id": client_id,
        "owner_id": owner_id or order.account_id,
        "is_house": order.is_house,
        "source": order.source,
        "client_order_id": order.client_order_id,
        "instrument_id": order.instrument_id,
        "side": order.side,
        "is_short_sale": order.is_short_sale,
    }


def _amounts(entry: CashEntry, side: Side) -> dict[str, Any]:
    paid = entry.fee_e9 if side is Side.BUY else -entry.fee_e9
    return {
        "quantity": entry.quantity,
        "cash_e9": entry.cash_e9,
        "fee_e9": entry.fee_e9,
        "net_cash_e9": entry.cash_e9 + paid,
    }


def average_price_e9(cash_e9: int, quantity: int, quantity_scale: int) -> int:
    """Return cash by quantity; 0 for nothing.

    Units:  1e-9 currency units per whole unit.
    Rounds: half even.
    """
    if not quantity:
        return 0
    whole, rest = divmod(cash_e9 * quantity_scale, quantity)
    twice = 2 * rest
    return whole + int(twice > quantity or (twice == quantity and whole & 1 == 1))


def _part(view: ClearingView, fill_id: str, quantity: int, event_id: bytes) -> ClearingPart:
    fill = view.fills.get(fill_id)
    return ClearingPart(
        fill_id=fill_id,
        child_id="" if fill is None else fill.child_id,
        slice_id="" if fill is None else fill.slice_id,
        quantity=quantity,
        event_id=event_id,
    )


def _parts(view: ClearingView, pool: Pool) -> dict[str, tuple[ClearingPart, ...]]:
    """Return every change of every order's share, in the order of the events."""
    found: dict[str, list[ClearingPart]] = {}
    for change in pool.changes:
        for order_id, quantity in change.parts:
            part = _part(view, change.fill_id, quantity, change.event_id)
            found.setdefault(order_id, []).append(part)
    return {order_id: tuple(parts) for order_id, parts in found.items()}
