"""Allocation reports as FIX: J in every version, AS from 4.4 on. Pure, exact, no state."""

from typing import NamedTuple

from schemas.messages.clearing import AllocationReported
from schemas.messages.core import ClearingTransaction, Side
from services.fix.clearers.shares import Share
from services.fix.codes import Version
from services.fix.fields import Fields
from services.fix.values import price_text, quantity_text, side_text, utc_text

__all__ = ["MICROSECONDS", "TRANSACTIONS", "Names", "add_fees", "allocation_report", "instruction"]

TRANSACTIONS = {  # FIX 71 and 666
    ClearingTransaction.NEW: "0",
    ClearingTransaction.REPLACE: "1",
    ClearingTransaction.CANCEL: "2",
}
CALCULATED = 1  # FIX 626: with fees and net money
SELLSIDE_CALCULATED = 4  # FIX 794: without a preliminary one before
EXPLICIT_LIST = 1  # FIX 857
EXCHANGE_FEES = 4  # FIX 139
ABSOLUTE = 0  # FIX 891
MICROSECONDS = 6


class Names(NamedTuple):
    """The ids by which a counterparty knows a report and the one before it, and what it does.

    Those of the report itself, unless a client's instruction made us tell it again.
    """

    own: str
    previous: str
    transaction: ClearingTransaction

    @classmethod
    def of(cls, report: AllocationReported) -> "Names":
        return cls(report.report_id, report.previous_id, report.transaction)


def instruction(
    version: Version,
    report: AllocationReported,
    *,
    names: Names,
    symbol: str,
    at_ns: int,
    shares: tuple[Share, ...],
) -> Fields:
    """Return the body of J: AllocationInstruction, in 4.2 Allocation. Source: FIX J."""
    fields = Fields().add(70, names.own).add(71, TRANSACTIONS[names.transaction])
    if version is not Version.FIX42:
        fields.add(626, CALCULATED)
    fields.add(72, names.previous or None)
    if version is not Version.FIX42:
        fields.add(857, EXPLICIT_LIST)
    _add_block(fields, version, report, symbol, at_ns)
    _add_shares(fields, version, report, shares)
    if version is Version.FIX50SP2:
        fields.add(715, report.business_date)
    return fields


def allocation_report(
    version: Version,
    report: AllocationReported,
    *,
    names: Names,
    symbol: str,
    at_ns: int,
    shares: tuple[Share, ...],
) -> Fields:
    """Return the body of AS: AllocationReport. Source: FIX AS."""
    fields = Fields().add(755, names.own).add(70, names.own)
    fields.add(71, TRANSACTIONS[names.transaction]).add(795, names.previous or None)
    fields.add(794, SELLSIDE_CALCULATED).add(87, 0)
    if version is Version.FIX50SP2:
        fields.add(715, report.business_date)
    fields.add(857, EXPLICIT_LIST)
    _add_block(fields, version, report, symbol, at_ns)
    _add_shares(fields, version, report, shares)
    return fields


def add_fees(fields: Fields, version: Version, fee_e9: int, currency: str) -> None:
    """Add NoMiscFees (FIX 136): the venues' fees; a rebate is negative."""
    if not fee_e9:
        return
    fields.add(136, 1).add(137, price_text(fee_e9)).add(138, currency).add(139, EXCHANGE_FEES)
    if version is not Version.FIX42:
        fields.add(891, ABSOLUTE)


def _add_block(
    fields: Fields, version: Version, report: AllocationReported, symbol: str, at_ns: int
) -> None:
    """Add order, instrument, quantity, price, dates and money. A cancel has no quantity left."""
    quantity = quantity_text(report.quantity, report.quantity_scale)
    fields.add(73, 1).add(11, report.client_order_id or report.order_id).add(37, report.order_id)
    if version is not Version.FIX42:
        fields.add(38, quantity)
    fields.add(54, side_text(report.side, report.side is Side.SELL and report.is_short_sale))
    fields.add(55, symbol).add(53, quantity).add(6, price_text(report.average_price_e9))
    fields.add(15, report.currency).add(75, report.trade_date)
    fields.add(60, utc_text(at_ns, 3 if version is Version.FIX42 else MICROSECONDS))
    fields.add(64, report.settlement_date or None)
    if report.transaction is not ClearingTransaction.CANCEL:
        fields.add(381, price_text(report.cash_e9)).add(118, price_text(report.net_cash_e9))
    fields.add(58, f"{report.kind} {report.cause}")


def _add_shares(
    fields: Fields, version: Version, report: AllocationReported, shares: tuple[Share, ...]
) -> None:
    """Add NoAllocs (FIX 78); what is canceled is given to nobody."""
    if report.transaction is ClearingTransaction.CANCEL:
        return
    fields.add(78, len(shares))
    for share in shares:
        fields.add(79, share.account_id).add(
            80, quantity_text(share.quantity, report.quantity_scale)
        )
        if version is not Version.FIX42:
            fields.add(467, f"{report.report_id}/{share.account_id}")
        fields.add(153, price_text(report.average_price_e9))
        fields.add(154, price_text(share.net_cash_e9))
        add_fees(fields, version, share.fee_e9, report.currency)
