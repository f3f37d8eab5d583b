"""Our own impact on the generated market: what we execute moves prices, most of it for a while.

Each execution moves the price at once by a part that stays and one that fades exponentially, as in
a block book that refills at a constant rate (Obizhaeva and Wang); the next step's books stand
there. All of it is assumed:

- The jump is what the displayed book is deep: a sweep through the depth of one tick moves the
  price by a tick. Deeper or shallower, and whoever buys and sells again would earn something.
- It fades so fast that a tenth of the market's volume costs what Almgren et al. (2005) measured,
  0.142 sigma 0.1^0.6: half of it in three to eleven minutes for the invented shares.
- The part that stays is theirs: 0.314 sigma (Theta / V)^1/4, for a turnover of 1/200 a day.
- Whether we took or waited is all the same, since what a taker does to the price, whoever absorbs
  others' orders undoes; in the dark it is half, for fewer see it.
"""

from math import log
from typing import Final, NamedTuple

from schemas.messages.core import Liquidity, Side
from services.venues.state import Move, SimulatorState
from streams.models.impact import ALMGREN_2005
from streams.models.propagator import decay_e9

__all__ = ["ImpactTerms", "Market", "fade", "half_life_ns", "impact_terms", "moved", "strike"]

RATE: Final = 0.1  # of the market's volume at which the cost is that measured
SESSION_NS: Final = 390 * 60 * 1_000_000_000
INVERSE_TURNOVER: Final = 200.0
WEIGHT_PER_CENT: Final = {Liquidity.HIDDEN: 50}
BPS: Final = 10_000
BILLION: Final = 1_000_000_000


class ImpactTerms(NamedTuple):
    """How far one instrument moves: price units of 1e-9 for so many smallest units executed."""

    transient_e9: int
    transient_per: int
    permanent_e9: int
    permanent_per: int
    left_e9: int  # of the transient part after a step, parts per billion


class Market(NamedTuple):
    """What an instrument is like; a sweep of `slope_per` reaches `slope_e9` into its book."""

    price_e9: int
    volatility_bps: int
    daily_volume: int
    slope_e9: int
    slope_per: int


def impact_terms(market: Market, step_ns: int, per_cent: int) -> ImpactTerms:
    """Return an instrument's terms; `per_cent` of what is assumed.

    Rounds: down.
    """
    sigma_e9 = market.price_e9 * market.volatility_bps // BPS
    permanent = ALMGREN_2005.permanent(1.0, 1.0, INVERSE_TURNOVER)
    return ImpactTerms(
        market.slope_e9 * per_cent,
        market.slope_per * 100,
        int(sigma_e9 * permanent) * per_cent,
        market.daily_volume * 100,
        decay_e9(half_life_ns(market), step_ns),
    )


def half_life_ns(market: Market) -> int:
    """Return how long half of the transient part stays, by the cost that was measured.

    At a constant rate v the price stands at kappa v / rho: that shall be the measured cost.
    """
    sigma_e9 = market.price_e9 * market.volatility_bps / BPS
    kappa_e9 = market.slope_e9 / market.slope_per
    cost_e9 = ALMGREN_2005.temporary(sigma_e9, RATE)
    per_ns = RATE * market.daily_volume / SESSION_NS
    return int(log(2) * cost_e9 / (kappa_e9 * per_ns))


def strike(
    state: SimulatorState,
    terms: dict[str, ImpactTerms],
    instrument_id: str,
    side: Side,
    *,
    quantity: int,
    liquidity: Liquidity,
) -> None:
    """Move the price by an execution of ours; nothing where nobody assumed how far.

    Rounds: towards zero.
    """
    own = terms.get(instrument_id)
    if own is None:
        return
    weighted = quantity * WEIGHT_PER_CENT.get(liquidity, 100)
    sign = 1 if side is Side.BUY else -1
    move = state.moves.setdefault(instrument_id, Move())
    move.transient_e9 += sign * (weighted * own.transient_e9 // (100 * own.transient_per))
    move.permanent_e9 += sign * (weighted * own.permanent_e9 // (100 * own.permanent_per))


def fade(state: SimulatorState, terms: dict[str, ImpactTerms]) -> None:
    """Let a step pass: the transient parts shrink, towards zero from both sides."""
    for instrument_id, move in state.moves.items():
        left_e9 = terms[instrument_id].left_e9
        kept = abs(move.transient_e9) * left_e9 // BILLION
        move.transient_e9 = kept if move.transient_e9 > 0 else -kept


def moved(state: SimulatorState) -> dict[str, int]:
    """Return how far we have moved each instrument, 1e-9 currency units; not all that we know."""
    return {
        instrument_id: total
        for instrument_id, move in state.moves.items()
        if (total := move.transient_e9 + move.permanent_e9)
    }
