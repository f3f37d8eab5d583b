"""Confirmations of allocations as FIX AK (from 4.4 on). Pure, exact, no state."""

from schemas.messages.clearing import AllocationReported
from schemas.messages.core import ClearingTransaction, Side
from services.fix.clearers.allocations import MICROSECONDS, TRANSACTIONS, add_fees
from services.fix.clearers.shares import Share
from services.fix.codes import Version
from services.fix.fields import Fields
from services.fix.values import price_text, quantity_text, side_text, utc_text

__all__ = ["confirmation"]

CONFIRMATION, CONFIRMED = 2, 4  # FIX 773, 665
AGENCY, PRINCIPAL = "A", "P"  # FIX 528


def confirmation(
    version: Version,
    report: AllocationReported,
    share: Share,
    *,
    confirm_id: str,
    previous_id: str,
    transaction: ClearingTransaction,
    symbol: str,
    at_ns: int,
) -> Fields:
    """Return the body of AK: Confirmation of one account. Source: FIX AK.

    `previous_id`: the confirmation that this one replaces or cancels; empty for a first one.
    """
    quantity = quantity_text(share.quantity, report.quantity_scale)
    fields = Fields().add(664, confirm_id).add(772, previous_id or None)
    fields.add(666, TRANSACTIONS[transaction]).add(773, CONFIRMATION).add(665, CONFIRMED)
    fields.add(73, 1).add(11, report.client_order_id or report.order_id).add(37, report.order_id)
    fields.add(70, report.report_id).add(60, utc_text(at_ns, MICROSECONDS))
    fields.add(75, report.trade_date).add(55, symbol).add(80, quantity)
    fields.add(54, side_text(report.side, report.side is Side.SELL and report.is_short_sale))
    fields.add(15, report.currency)
    fields.add(862, 1).add(528, PRINCIPAL if report.is_house else AGENCY).add(863, quantity)
    fields.add(79, share.account_id).add(6, price_text(report.average_price_e9))
    fields.add(58, f"{report.kind} {report.cause}")
    fields.add(381, price_text(share.cash_e9)).add(118, price_text(share.net_cash_e9))
    fields.add(64, report.settlement_date or None)
    add_fees(fields, version, share.fee_e9, report.currency)
    return fields
