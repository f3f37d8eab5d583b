"""Who gets what of a report: one account, or several by a client's instruction."""

from collections.abc import Sequence
from typing import NamedTuple

from schemas.messages.clearing import AllocationReported
from schemas.messages.core import Side
from streams.core.apportion import largest_remainder

__all__ = ["Share", "split", "whole_share"]


class Share(NamedTuple):
    """What one account gets of a report."""

    account_id: str
    quantity: int
    cash_e9: int
    fee_e9: int
    net_cash_e9: int


def whole_share(report: AllocationReported) -> tuple[Share, ...]:
    """Return a report's whole content for the account that it is booked to."""
    content = (report.quantity, report.cash_e9, report.fee_e9, report.net_cash_e9)
    return (Share(report.clearing_account, *content),)


def split(
    report: AllocationReported, accounts: Sequence[str], quantities: Sequence[int]
) -> tuple[Share, ...]:
    """Return a report's content by account; accounts that get nothing of it are left out.

    Rounds: cash and fee by largest remainder; they sum to the report's.
    """
    assert sum(quantities) == report.quantity, report.report_id
    cash = largest_remainder(report.cash_e9, quantities)
    fees = largest_remainder(report.fee_e9, quantities)
    sign = 1 if report.side is Side.BUY else -1
    return tuple(
        Share(account, quantity, own, fee, own + sign * fee)
        for account, quantity, own, fee in zip(accounts, quantities, cash, fees, strict=True)
        if quantity
    )
