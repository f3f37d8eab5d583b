"""Cost arithmetic, exact in integers: performance, benchmarks, shortfall, spread."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from schemas.messages.core import Side

__all__ = [
    "BPS_E9",
    "Print",
    "Shortfall",
    "SpreadCost",
    "average_price_e9",
    "implementation_shortfall",
    "market_adjusted_e9",
    "participation_vwap_e9",
    "performance_e9",
    "round_half_even",
    "spread_cost",
    "time_average_e9",
    "volume_average_e9",
]

BPS_E9 = 10_000 * 10**9  # one whole, in 1e-9 basis points


class Print(NamedTuple):
    """A trade on the tape. Units: ns, 1e-9 currency units, smallest units."""

    at_ns: int
    price_e9: int
    quantity: int


def round_half_even(numerator: int, denominator: int) -> int:
    """Return the quotient of two integers, `denominator` > 0. Rounds: half even."""
    assert denominator > 0
    whole, rest = divmod(numerator, denominator)
    is_up = 2 * rest > denominator or (2 * rest == denominator and whole & 1)
    return whole + 1 if is_up else whole


def average_price_e9(notional_e9: int, quantity: int) -> int | None:
    """Return notional / quantity, None for nothing traded. Rounds: half even."""
    return round_half_even(notional_e9, quantity) if quantity else None


def performance_e9(
    side: Side, quantity: int, notional_e9: int, benchmark_notional_e9: int
) -> int | None:
    """Return the gain of a trade against a benchmark; + is a gain, None without either.

    Units:  1e-9 basis points of the benchmark; notional is price times quantity, and the
            benchmark's is its price times the same quantity, so that sums of parts stay exact.
    Rounds: half even.
    """
    if not quantity or not benchmark_notional_e9:
        return None
    gain = benchmark_notional_e9 - notional_e9
    signed = gain if side is Side.BUY else -gain
    return round_half_even(signed * BPS_E9, benchmark_notional_e9)


def volume_average_e9(prints: Iterable[Print]) -> int | None:
    """Return the volume-weighted average price. Rounds: half even."""
    notional = quantity = 0
    for trade in prints:
        notional += trade.price_e9 * trade.quantity
        quantity += trade.quantity
    return average_price_e9(notional, quantity)


def time_average_e9(prints: Sequence[Print], end_ns: int) -> int | None:
    """Return the last price averaged over the time from the first print to `end_ns`.

    Rounds: half even.
    """
    if not prints or end_ns <= prints[0].at_ns:
        return None
    stops = [*[trade.at_ns for trade in prints[1:]], end_ns]
    weighted = sum(
        trade.price_e9 * (stop - trade.at_ns) for trade, stop in zip(prints, stops, strict=True)
    )
    return round_half_even(weighted, end_ns - prints[0].at_ns)


def participation_vwap_e9(prints: Iterable[Print], quantity: int, rate_bps: int) -> int | None:
    """Return PWP: the VWAP of the first quantity / rate of volume after arrival.

    None when the tape ends first: the benchmark is not complete.
    Rounds: half even; the volume to the next whole unit.
    """
    wanted = -(-quantity * 10_000 // rate_bps)
    notional, left = 0, wanted
    for trade in prints:
        part = min(left, trade.quantity)
        notional += trade.price_e9 * part
        left -= part
        if left == 0:
            return average_price_e9(notional, wanted)
    return None


class Shortfall(NamedTuple):
    """Expanded implementation shortfall; + is a cost. Units: 1e-9 currency units."""

    delay_traded_e9: int
    delay_untraded_e9: int
    trading_e9: int
    opportunity_e9: int
    fee_e9: int

    @property
    def total_e9(self) -> int:
        return sum(self)


def implementation_shortfall(
    side: Side,
    ordered: int,
    fills: Iterable[tuple[int, int]],
    *,
    decision_e9: int,
    arrival_e9: int,
    end_e9: int,
    fee_e9: int,
) -> Shortfall:
    """Return where the cost against the decision price arose; the sum is Perold's to the unit.

    `fills` are (quantity, price_e9); the delay is charged on the whole order.
    Source: SPEC section 8, expanded IS (Wagner, Kissell).
    """
    sign = 1 if side is Side.BUY else -1
    done = notional = 0
    for quantity, price_e9 in fills:
        done += quantity
        notional += quantity * price_e9
    shortfall = Shortfall(
        delay_traded_e9=sign * done * (arrival_e9 - decision_e9),
        delay_untraded_e9=sign * (ordered - done) * (arrival_e9 - decision_e9),
        trading_e9=sign * (notional - done * arrival_e9),
        opportunity_e9=sign * (ordered - done) * (end_e9 - arrival_e9),
        fee_e9=fee_e9,
    )
    perold = sign * (notional - done * decision_e9 + (ordered - done) * (end_e9 - decision_e9))
    assert shortfall.total_e9 == perold + fee_e9
    return shortfall


def market_adjusted_e9(side: Side, shortfall_e9: int, beta_e9: int, market_e9: int) -> int:
    """Return a shortfall less what the whole market's move over the same time explains of it.

    Units:  1e-9 basis points of the decision's notional, for the market of its index; beta 1e-9.
    Rounds: half even.
    Source: SPEC section 8.
    """
    explained = round_half_even(beta_e9 * market_e9, 10**9)
    return shortfall_e9 - (explained if side is Side.BUY else -explained)


class SpreadCost(NamedTuple):
    """Effective half spread = realized + impact. Units: 1e-9 basis points of the midpoint."""

    effective_e9: int
    realized_e9: int
    impact_e9: int


def spread_cost(side: Side, price_e9: int, midpoint_e9: int, later_e9: int) -> SpreadCost:
    """Return what a fill paid over the midpoint and what the market then did; + is a cost.

    The markout in our favour is minus the realized part.
    Rounds: half even; the realized part is the difference, so that the identity is exact.
    Source: SPEC section 8.
    """
    sign = 1 if side is Side.BUY else -1
    effective = round_half_even(sign * (price_e9 - midpoint_e9) * BPS_E9, midpoint_e9)
    impact = round_half_even(sign * (later_e9 - midpoint_e9) * BPS_E9, midpoint_e9)
    return SpreadCost(effective, effective - impact, impact)
