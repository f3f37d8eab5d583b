"""The street side: one trade capture for each venue execution, canceled or replaced with it."""

from collections.abc import Iterator
from typing import Any

from schemas.messages.clearing import TradeCaptured
from schemas.messages.core import Envelope, Liquidity, ReportCause
from schemas.messages.routing import FillBooked, FillBusted, FillCorrected
from services.clearing.reference import cash_e9
from services.clearing.reports import Books, dates, next_version, terms_of, withdrawn

__all__ = ["capture", "change_capture"]


def capture(books: Books, envelope: Envelope, event: FillBooked) -> Iterator[Any]:
    """Yield the capture of an execution that was booked."""
    if event.fill_id in books.ledger.records:
        return
    yield _captured(
        books,
        envelope,
        event,
        ReportCause.FILLED,
        amounts=(event.quantity, event.error_quantity, event.price_e9, event.fee_e9),
        liquidity=event.liquidity,
        change_exec_id="",
    )


def change_capture(
    books: Books, envelope: Envelope, event: FillBusted | FillCorrected
) -> Iterator[Any]:
    """Yield the capture after a bust or a correction."""
    record = books.ledger.records.get(event.fill_id)
    is_bust = isinstance(event, FillBusted)
    if is_bust and record is not None and not record.standing:
        if not record.is_empty:
            yield withdrawn(record, event.fill_id, books.clearer_id)
        return
    liquidity = Liquidity.UNKNOWN
    if record is not None and isinstance(record.report, TradeCaptured):
        liquidity = record.report.liquidity
    if isinstance(event, FillBusted):
        cause, amounts = ReportCause.BUST, (0, 0, event.price_e9, 0)
        change_exec_id = event.bust_exec_id
    else:
        cause = ReportCause.CORRECTION
        amounts = (event.quantity, event.error_quantity, event.price_e9, event.fee_e9)
        change_exec_id = event.correction_exec_id
    yield _captured(
        books,
        envelope,
        event,
        cause,
        amounts=amounts,
        liquidity=liquidity,
        change_exec_id=change_exec_id,
    )


def _captured(
    books: Books,
    envelope: Envelope,
    event: FillBooked | FillBusted | FillCorrected,
    cause: ReportCause,
    *,
    amounts: tuple[int, int, int, int],
    liquidity: Liquidity,
    change_exec_id: str,
) -> TradeCaptured:
    """Return the capture. `amounts`: paid, error, price, fee."""
    paid, error, price_e9, fee_e9 = amounts
    record = books.ledger.records.get(event.fill_id)
    executed_ns = books.view.fills[event.fill_id].executed_ns
    terms = terms_of(books, event.instrument_id, executed_ns)
    whole_e9 = cash_e9(price_e9, paid + error, terms.quantity_scale)
    return TradeCaptured(
        **next_version(record, event.fill_id, is_gone=cause is ReportCause.BUST),
        **dates(books, record, event.instrument_id, executed_ns, envelope.at_ns),
        cause=cause,
        clearer_id=books.clearer_id,
        tenant=books.view.tenants.get(event.parent_id, ""),
        venue_id=event.venue_id,
        fill_id=event.fill_id,
        exec_id=event.exec_id,
        change_exec_id=change_exec_id,
        child_id=event.child_id,
        slice_id=event.slice_id,
        parent_id=event.parent_id,
        epoch=event.epoch,
        instrument_id=event.instrument_id,
        side=event.side,
        quantity=paid + error,
        error_quantity=error,
        price_e9=price_e9,
        cash_e9=whole_e9,
        error_cash_e9=whole_e9 - cash_e9(price_e9, paid, terms.quantity_scale),
        fee_e9=fee_e9,
        liquidity=liquidity,
        currency=terms.currency,
        quantity_scale=terms.quantity_scale,
    )
