"""Totals of TCA rows: what all of them cost together."""

from collections.abc import Iterable
from typing import NamedTuple

from schemas.messages.core import Side
from schemas.messages.tca import TcaRow
from streams.models.tca import BPS_E9, average_price_e9, round_half_even

__all__ = ["Total", "total"]


class Total(NamedTuple):
    """Sums and averages weighted by quantity. Units as in TcaRow; prices None over instruments."""

    rows: int
    ordered_quantity: int
    quantity: int
    crossed_quantity: int
    average_price_e9: int | None
    arrival_price_e9: int | None
    interval_vwap_e9: int | None
    arrival_performance_e9: int | None
    vwap_performance_e9: int | None
    fee_e9: int


def total(rows: Iterable[TcaRow]) -> Total:
    """Return the total of rows of one level. Rounds: half even.

    A row without a benchmark has no part in that benchmark's average and performance.
    """
    found = list(rows)
    is_one = len({row.instrument_id for row in found}) == 1
    against_arrival = [(row, row.arrival_price_e9) for row in found]
    against_vwap = [(row, row.interval_vwap_e9) for row in found]
    return Total(
        rows=len(found),
        ordered_quantity=sum(row.ordered_quantity for row in found),
        quantity=sum(row.quantity for row in found),
        crossed_quantity=sum(row.crossed_quantity for row in found),
        average_price_e9=_average([(r, r.average_price_e9) for r in found]) if is_one else None,
        arrival_price_e9=_average(against_arrival) if is_one else None,
        interval_vwap_e9=_average(against_vwap) if is_one else None,
        arrival_performance_e9=_performance(against_arrival),
        vwap_performance_e9=_performance(against_vwap),
        fee_e9=sum(row.fee_e9 for row in found),
    )


def _average(prices: list[tuple[TcaRow, int | None]]) -> int | None:
    known = [(row.quantity, price) for row, price in prices if price is not None]
    notional = sum(quantity * price for quantity, price in known)
    return average_price_e9(notional, sum(quantity for quantity, _ in known))


def _performance(benchmarks: list[tuple[TcaRow, int | None]]) -> int | None:
    gain = notional = 0
    for row, benchmark in benchmarks:
        if row.average_price_e9 is None or benchmark is None:
            continue
        sign = 1 if row.side is Side.BUY else -1
        gain += sign * (benchmark - row.average_price_e9) * row.quantity
        notional += benchmark * row.quantity
    return round_half_even(gain * BPS_E9, notional) if notional else None
