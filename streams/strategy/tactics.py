"""Post or cross, and how to post: the expected gain of each, in integers.

Source: SPEC section 7, post or cross. A is what having the quantity now is worth: what it would
cost to cross for it later, and what waiting costs on top.
"""

from math import isqrt
from typing import Final, NamedTuple

from schemas.messages.core import MarketEstimate, Tactic, Urgency

__all__ = ["Costs", "Odds", "break_even_e9", "chance_e9", "choose", "risk_bps_e9"]

E9: Final = 1_000_000_000
BPS: Final = 10_000
SECOND_NS: Final = 1_000_000_000
SECONDS_MAX: Final = 600  # a child that rests longer is as good as met
# What a standard deviation of the wait is worth in drift, in per cent, by urgency.
RISK_PER_CENT: Final = {Urgency.PASSIVE: 5, Urgency.NEUTRAL: 10, Urgency.URGENT: 30}


class Costs(NamedTuple):
    """Prices of posting and crossing, 1e-9 basis points."""

    half: int  # spread
    tick: int
    taker_fee: int
    rebate: int
    adverse: int  # what a posted child that is met has lost by then
    decay_bps: int  # part of A that a posted child still gains


class Odds(NamedTuple):
    """Chances that a child is met within a second, 1e-9, and how long it may wait."""

    join_e9: int
    improve_e9: int
    wait_ns: int


def break_even_e9(alpha: int, costs: Costs) -> int | None:
    """Return P*: crossing is better when a posted child is met with less; <= 0: always post.

    P* = (A - half - fee) / (A d + half + rebate - AS); None when posting never pays.
    Units:  alpha in 1e-9 basis points; the answer in 1e-9.
    Rounds: down.
    """
    posted = alpha * costs.decay_bps // BPS + costs.half + costs.rebate - costs.adverse
    if posted <= 0:
        return None
    return (alpha - costs.half - costs.taker_fee) * E9 // posted


def chance_e9(hazard_e9: int, wait_ns: int) -> int:
    """Return 1 - (1 - h)^seconds, the chance to be met within the wait. Rounds: down."""
    missed_e9, seconds = E9, min(max(wait_ns, 0) // SECOND_NS, SECONDS_MAX)
    keep_e9 = E9 - min(hazard_e9, E9)
    while seconds:
        if seconds & 1:
            missed_e9 = missed_e9 * keep_e9 // E9
        keep_e9 = keep_e9 * keep_e9 // E9
        seconds >>= 1
    return E9 - missed_e9


def risk_bps_e9(estimate: MarketEstimate, urgency: Urgency, wait_ns: int, session_ns: int) -> int:
    """Return what the uncertainty of the wait is worth to the owner, 1e-9 basis points."""
    part_e9 = isqrt(max(wait_ns, 0) * E9 * E9 // max(session_ns, 1))
    deviation = estimate.volatility_bps_e9 * part_e9 // E9
    return deviation * RISK_PER_CENT.get(urgency, 10) // 100


class Choice(NamedTuple):
    tactic: Tactic
    chance_e9: int  # of the posting tactic that would be chosen
    break_even_e9: int  # P* of joining; E9 where posting never pays


def choose(alpha: int, costs: Costs, odds: Odds) -> Choice:
    """Return CROSS, or the way of posting that is expected to gain most; ties go to the calmer.

    IMPROVE gives up a tick for a place before the others and needs room for it, MIDPOINT the half
    spread for a better one and needs a spread of four ticks.
    """
    carried = alpha * costs.decay_bps // BPS + costs.rebate - costs.adverse
    ways = [(Tactic.JOIN, odds.join_e9, costs.half)]
    if 2 * costs.half >= 2 * costs.tick:
        ways.append((Tactic.IMPROVE, odds.improve_e9, costs.half - costs.tick))
    if 2 * costs.half >= 4 * costs.tick:
        ways.append((Tactic.MIDPOINT, min(2 * odds.improve_e9, E9), 0))
    best, best_gain, best_chance = Tactic.JOIN, None, 0
    for tactic, hazard_e9, gain in ways:
        chance = chance_e9(hazard_e9, odds.wait_ns)
        value = chance * (carried + gain) // E9
        if best_gain is None or value > best_gain:
            best, best_gain, best_chance = tactic, value, chance
    crossed = alpha - costs.half - costs.taker_fee
    least = break_even_e9(alpha, costs)
    if best_gain is not None and crossed > max(best_gain, 0):
        best = Tactic.CROSS
    return Choice(best, best_chance, E9 if least is None else least)
