"""When to trade: the optimal schedules of implementation shortfall.

Cost is positive when bad. `almgren_chriss` is the closed form for linear impact and the test case
of `power_schedule`, which takes power-law impact, a volume curve and participation caps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import acos, acosh, cosh, exp, expm1, sin, sinh, tanh

__all__ = [
    "AlmgrenChriss",
    "PowerCase",
    "Schedule",
    "almgren_chriss",
    "expected_cost",
    "optimum",
    "participation_caps",
    "power_schedule",
    "risk_aversion_of_half_life",
    "variance",
    "with_drift",
]

PASSES_MAX = 200  # bisections of the multiplier; double precision ends them earlier


@dataclass(frozen=True, slots=True)
class AlmgrenChriss:
    """Linear impact over `steps` of one horizon. Units of one trade: shares, currency, days."""

    shares: float
    days: float
    steps: int
    sigma: float  # currency a share and square root of a day
    epsilon: float  # half spread and fees, currency a share
    eta: float  # temporary impact, currency a share per share a day
    gamma: float  # permanent impact, currency a share per share

    @property
    def tau(self) -> float:
        return self.days / self.steps

    @property
    def eta_tilde(self) -> float:
        return self.eta - self.gamma * self.tau / 2


@dataclass(frozen=True, slots=True)
class Schedule:
    """Trades by bin and what no bin could take; `kappa` where the closed form knows it."""

    trades: tuple[float, ...]
    unfilled: float = 0.0
    kappa: float = 0.0

    @property
    def holdings(self) -> tuple[float, ...]:
        """Return what is left before each bin and after the last."""
        left = [sum(self.trades) + self.unfilled]
        for trade in self.trades:
            left.append(left[-1] - trade)
        return tuple(left)


def almgren_chriss(case: AlmgrenChriss, risk_aversion: float) -> Schedule:
    """Return the trades that minimize E + risk_aversion x V.

    Below zero risk is sought: the sines of an angle take the place of hyperbolic ones.
    kappa is the discrete rate, not its continuous limit; the half-life is 1 / kappa.
    Ratios of exponentials, so that no product overflows at a high urgency.
    Source: Almgren and Chriss 2000; SPEC section 2.
    """
    n, tau = case.steps, case.tau
    if risk_aversion == 0:
        return Schedule((case.shares / n,) * n)
    kappa_tilde2 = risk_aversion * case.sigma**2 / case.eta_tilde
    if kappa_tilde2 < 0:
        kappa = acos(1 + kappa_tilde2 * tau**2 / 2) / tau
        whole = sin(kappa * tau * n)
        left = [case.shares * sin(kappa * tau * (n - j)) / whole for j in range(n)]
        return Schedule(_trades([*left, 0.0]), kappa=kappa)
    kappa = acosh(1 + kappa_tilde2 * tau**2 / 2) / tau
    if kappa == 0:  # too small for the resolution of acosh: the straight line
        return Schedule((case.shares / n,) * n)
    holdings = [case.shares * _sinh_ratio(kappa * tau * (n - j), kappa * tau * n) for j in range(n)]
    holdings.append(0.0)
    return Schedule(_trades(holdings), kappa=kappa)


def with_drift(case: AlmgrenChriss, risk_aversion: float, drift: float) -> Schedule:
    """Return the same with a drift of the price that is expected, currency a share and day.

    A seller whose price rises holds the constant drift / (2 lambda sigma^2) longer.
    Source: SPEC section 2; the working paper's body misprints its example by a factor of ten.
    """
    plain = almgren_chriss(case, risk_aversion)
    n, tau, kappa = case.steps, case.tau, plain.kappa
    held = drift / (2 * risk_aversion * case.sigma**2)
    whole = kappa * tau * n
    more = [
        held * (1 - _sinh_ratio(kappa * tau * (n - j), whole) - _sinh_ratio(kappa * tau * j, whole))
        for j in range(n + 1)
    ]
    holdings = [left + extra for left, extra in zip(plain.holdings, more, strict=True)]
    return Schedule(_trades(holdings), kappa=kappa)


def _trades(holdings: Sequence[float]) -> tuple[float, ...]:
    return tuple(left - then for left, then in pairwise(holdings))


def optimum(case: AlmgrenChriss, risk_aversion: float) -> tuple[float, float]:
    """Return E and V of the best trades in closed form; risk_aversion > 0.

    Source: SPEC section 2.
    """
    kappa = almgren_chriss(case, risk_aversion).kappa
    shares, tau, days = case.shares, case.tau, case.days
    whole = sinh(kappa * days)
    spread = tau * sinh(2 * kappa * days) + 2 * days * sinh(kappa * tau)
    temporary = case.eta_tilde * shares**2 * tanh(kappa * tau / 2) * spread
    cost = case.gamma * shares**2 / 2 + case.epsilon * shares
    cost += temporary / (2 * tau**2 * whole**2)
    risk = tau * whole * cosh(kappa * (days - tau)) - days * sinh(kappa * tau)
    return cost, case.sigma**2 * shares**2 / 2 * risk / (whole**2 * sinh(kappa * tau))


def _sinh_ratio(a: float, b: float) -> float:
    """Return sinh(a) / sinh(b) for 0 <= a <= b without overflow."""
    return exp(a - b) * expm1(-2 * a) / expm1(-2 * b)


def expected_cost(case: AlmgrenChriss, trades: Sequence[float]) -> float:
    """Return E of a schedule, currency."""
    total = sum(trades)
    fixed = case.gamma * total**2 / 2 + case.epsilon * sum(abs(n) for n in trades)
    return fixed + case.eta_tilde / case.tau * sum(n * n for n in trades)


def variance(case: AlmgrenChriss, trades: Sequence[float]) -> float:
    """Return V of a schedule, currency squared."""
    left, total = sum(trades), 0.0
    for trade in trades:
        left -= trade
        total += left * left
    return case.sigma**2 * case.tau * total


def risk_aversion_of_half_life(case: AlmgrenChriss, half_life_days: float) -> float:
    """Return the risk aversion under which half-life 1 / kappa holds in the continuous limit.

    Source: SPEC section 11, the urgency knob.
    """
    return case.eta_tilde / (half_life_days**2 * case.sigma**2)


def participation_caps(volumes: Sequence[float], rate_max: float) -> tuple[float, ...]:
    """Return what each bin may take of others' volume under own / (own + others) <= rate_max."""
    return tuple(rate_max / (1 - rate_max) * volume for volume in volumes)


@dataclass(frozen=True, slots=True)
class PowerCase:
    """Power-law impact over bins. x is what is left after a bin, n its trade.

    Minimized is sum A n^(1 + beta) + risk_aversion x sum s2 x^2 with 0 <= n <= cap.
    """

    costs: Sequence[float]  # A by bin: eta sigma volume^-beta
    variances: Sequence[float]  # s2 by bin
    caps: Sequence[float]  # most of each bin
    beta: float
    risk_aversion: float  # 0 gives the volume curve

    def objective(self, trades: Sequence[float]) -> float:
        """Return what `power_schedule` minimizes."""
        left, total = sum(trades), 0.0
        for trade, cost, variance_k in zip(trades, self.costs, self.variances, strict=True):
            left -= trade
            total += cost * trade ** (1 + self.beta) + self.risk_aversion * variance_k * left**2
        return total


def power_schedule(case: PowerCase, shares: float) -> Schedule:
    """Return the best trades of `shares`, and what the caps leave undone.

    The multiplier of the first bin is found by bisection: what is left at the end falls in it. The
    last residue, below 1e-9 of the shares, goes to bins with room.
    Source: SPEC section 2, general scheduler.
    """
    caps = case.caps
    room = sum(caps)
    if room <= shares:
        return Schedule(tuple(caps), unfilled=shares - room)
    low, high = 0.0, 1.0
    while _shoot(case, shares, high)[1] > 0:
        low, high = high, 4 * high
    for _ in range(PASSES_MAX):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if _shoot(case, shares, middle)[1] > 0:
            low = middle
        else:
            high = middle
    trades, left = _shoot(case, shares, low)
    for k in reversed(range(len(trades))):
        more = min(left, caps[k] - trades[k])
        trades[k] += more
        left -= more
    return Schedule(tuple(trades), unfilled=max(left, 0.0))


def _shoot(case: PowerCase, shares: float, multiplier: float) -> tuple[list[float], float]:
    """Return the trades that one multiplier of the first bin leads to, and what they leave."""
    left, trades = shares, []
    scale, power = 1 + case.beta, 1 / case.beta
    for cost, variance_k, cap in zip(case.costs, case.variances, case.caps, strict=True):
        wanted = (multiplier / (scale * cost)) ** power if multiplier > 0 else 0.0
        trade = min(wanted, cap, left)
        trades.append(trade)
        left -= trade
        multiplier -= 2 * case.risk_aversion * variance_k * left
    return trades, left
