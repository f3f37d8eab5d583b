"""A list of trades by bin over a window: what it costs, what it risks, and closed-form ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, expm1, sqrt

from streams.models.outlook import Outlook

__all__ = ["Window", "closed_form", "cost_and_risk", "decay_rate", "risk_aversion_of"]

STRAIGHT = 1e-6  # below it sinh is its argument, to double precision


@dataclass(frozen=True, slots=True)
class Window:
    """The bins that are left: others' expected volume in each, shares, and its length, days."""

    volumes: Sequence[float]
    days: Sequence[float]


def risk_aversion_of(outlook: Outlook, half_life_days: float) -> float:
    """Return the worth of a squared basis point under which holdings decay by 1 / half-life.

    The power-law impact is made linear at the window's average rate r = X / volume:
    eta~ = eta sigma r^(beta - 1), so that lambda = eta~ r T kappa^2 / sigma^2.
    Source: SPEC section 11, the urgency knob, in units of participation.
    """
    kappa = 1 / half_life_days
    return _linear(outlook) * outlook.days * kappa * kappa / outlook.sigma**2


def decay_rate(outlook: Outlook, risk_aversion: float) -> float:
    """Return kappa, a day: the inverse of `risk_aversion_of`."""
    slope = _linear(outlook) * outlook.days
    return outlook.sigma * sqrt(risk_aversion / slope) if slope > 0 else 0.0


def _linear(outlook: Outlook) -> float:
    """Return eta~ r: the temporary impact at the window's average rate, basis points."""
    return outlook.model.temporary(outlook.sigma, outlook.quantity / outlook.volume)


def closed_form(
    outlook: Outlook, window: Window, risk_aversion: float, caps: Sequence[float]
) -> tuple[list[float], float]:
    """Return Almgren and Chriss's trades in volume time, and what the caps leave undone.

    Holdings are X sinh(kappa (T - t)) / sinh(kappa T) with t the part of the window's volume that
    has come, times T. What a cap cuts off comes as soon as later bins have room, and what finds
    none in the first bins that have.
    Source: SPEC section 2, its closed form; the volume curve takes the place of the clock.
    """
    whole = sum(window.volumes)
    weights = [v / whole for v in window.volumes] if whole > 0 else _by_time(window)
    reach = decay_rate(outlook, risk_aversion) * outlook.days
    left, gone, carried, trades = outlook.quantity, 0.0, 0.0, []
    for weight, cap in zip(weights, caps, strict=True):
        gone = min(1.0, gone + weight)
        rest = outlook.quantity * _part_left(reach, 1.0 - gone)
        wanted = left - rest + carried
        trade = min(wanted, cap)
        trades.append(trade)
        left, carried = rest, wanted - trade
    carried += left  # of rounding, once all volume has gone
    for k, cap in enumerate(caps):
        if carried <= 0:
            break
        more = min(carried, max(0.0, cap - trades[k]))
        trades[k] += more
        carried -= more
    return trades, max(0.0, carried)


def _part_left(reach: float, rest: float) -> float:
    """Return sinh(reach rest) / sinh(reach) without overflow; `rest` within [0, 1]."""
    if reach < STRAIGHT:
        return rest
    return exp(reach * (rest - 1)) * expm1(-2 * reach * rest) / expm1(-2 * reach)


def _by_time(window: Window) -> list[float]:
    whole = sum(window.days)
    return [days / whole for days in window.days]


def cost_and_risk(
    outlook: Outlook, window: Window, trades: Sequence[float]
) -> tuple[float, float, float]:
    """Return expected cost of what is traded, its standard deviation, and days until the last.

    A bin without expected volume costs as one that is traded at the rush's rate.
    """
    fixed = outlook.half_spread + outlook.permanent
    whole = sum(trades)
    left, cost, variance, at, ends = whole, 0.0, 0.0, 0.0, 0.0
    for trade, volume, days in zip(trades, window.volumes, window.days, strict=True):
        at += days
        if trade > 0:
            ends = at
            if volume > 0:
                cost += trade * (fixed + outlook.model.temporary(outlook.sigma, trade / volume))
            else:
                cost += trade * outlook.rush
        # Within the bin what is held falls by the trade: half of it on average.
        held = left - trade / 2
        left -= trade
        variance += days * held * held
    if whole <= 0:
        return 0.0, 0.0, 0.0
    return cost / whole, outlook.sigma * sqrt(variance) / whole, ends
