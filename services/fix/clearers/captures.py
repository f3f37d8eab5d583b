"""Trade captures as FIX AE (from 4.4 on). Pure, exact, no state."""

from schemas.messages.clearing import TradeCaptured
from schemas.messages.core import ClearingTransaction
from services.fix.clearers.allocations import MICROSECONDS, add_fees
from services.fix.codes import Version
from services.fix.fields import Fields
from services.fix.values import price_text, quantity_text, side_text, utc_text

__all__ = ["TRADE_TRANSACTIONS", "capture_report"]

TRADE_TRANSACTIONS = {  # FIX 487: other numbers than 71 has
    ClearingTransaction.NEW: "0",
    ClearingTransaction.CANCEL: "1",
    ClearingTransaction.REPLACE: "2",
}
SUBMIT, REGULAR = 0, 0  # FIX 856, 828
PROPRIETARY, CONTRA_FIRM = "D", 17  # FIX 447, 452


def capture_report(
    version: Version, report: TradeCaptured, *, symbol: str, at_ns: int, error_account: str
) -> Fields:
    """Return the body of AE: TradeCaptureReport. Source: FIX AE.

    715 ClearingBusinessDate is always there: where a market trades around the clock, the session
    decides it and not the calendar.
    """
    is_latest = version is Version.FIX50SP2
    fields = Fields().add(571, report.report_id)
    fields.add(487, TRADE_TRANSACTIONS[report.transaction]).add(856, SUBMIT).add(828, REGULAR)
    fields.add(572, report.previous_id or None)
    fields.add(17, report.exec_id).add(527, report.change_exec_id or None).add(570, False)
    if is_latest:
        fields.add(1015, int(report.business_date != report.trade_date))
    fields.add(55, symbol).add(32, quantity_text(report.quantity, report.quantity_scale))
    fields.add(31, price_text(report.price_e9))
    if is_latest:
        fields.add(15, report.currency)
    fields.add(30, report.venue_id).add(75, report.trade_date).add(715, report.business_date)
    fields.add(60, utc_text(at_ns, MICROSECONDS)).add(64, report.settlement_date or None)
    _add_side(fields, version, report, error_account)
    if is_latest and report.transaction is not ClearingTransaction.CANCEL:
        fields.add(381, price_text(report.cash_e9))
    return fields


def _add_side(fields: Fields, version: Version, report: TradeCaptured, error_account: str) -> None:
    """Add our side of the trade; the venue is the other one."""
    is_latest = version is Version.FIX50SP2
    is_gone = report.transaction is ClearingTransaction.CANCEL
    fields.add(552, 1).add(54, side_text(report.side))
    if not is_latest:
        fields.add(37, report.parent_id).add(11, report.child_id)
    fields.add(453, 1).add(448, report.venue_id).add(447, PROPRIETARY).add(452, CONTRA_FIRM)
    if not is_latest:
        fields.add(15, report.currency)
        if not is_gone:
            fields.add(381, price_text(report.cash_e9))
    fields.add(58, str(report.cause))
    add_fees(fields, version, report.fee_e9, report.currency)
    if report.error_quantity:
        quantity = quantity_text(report.error_quantity, report.quantity_scale)
        fields.add(78, 1).add(79, error_account).add(80, quantity)
    if is_latest:
        fields.add(37, report.parent_id).add(11, report.child_id)
