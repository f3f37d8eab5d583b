"""A market in which nothing is unusual, and what changes when something is."""

from typing import Any

from schemas.messages.core import Adjustment, AdjustmentReason, MarketEstimate, Tactic
from schemas.messages.strategy import ParentRecalibrated, SliceReleased
from streams.strategy.commands import MarketState
from tests.support.parents import market

E9 = 1_000_000_000
CALM = MarketEstimate(
    volatility_bps_e9=150 * E9,
    volatility_usual_bps_e9=150 * E9,
    spread_bps_e9=2 * E9,
    spread_now_bps_e9=2 * E9,
    volume_per_s_e9=100 * E9,
    volume_usual_per_s_e9=100 * E9,
    fill_hazard_e9=50_000_000,
    improve_hazard_e9=50_000_000,
    imbalance_e9=0,
    distance_bps_e9=0,
)


def calm(**changes: Any) -> MarketEstimate:
    fields = {name: getattr(CALM, name) for name in CALM.__struct_fields__}
    return MarketEstimate(**{**fields, **changes})


def seen(others: int = 0, *, quote: Any = None, **changes: Any) -> MarketState:
    """Return the market with that estimate; the quote is two ticks wide at 100.00."""
    more = {} if quote is None else {"quote": quote}
    return market(others, estimate=calm(**changes), **more)


def position_of(events: tuple[Any, ...]) -> ParentRecalibrated:
    (found,) = [event for event in events if isinstance(event, ParentRecalibrated)]
    return found


def slice_of(events: tuple[Any, ...]) -> SliceReleased | None:
    found = [event for event in events if isinstance(event, SliceReleased)]
    assert len(found) <= 1
    return found[0] if found else None


def reasons_of(events: tuple[Any, ...]) -> dict[AdjustmentReason, Adjustment]:
    return {each.reason: each for each in position_of(events).adjustments}


HARDNESS = (Tactic.JOIN, Tactic.PEG, Tactic.IMPROVE, Tactic.MIDPOINT, Tactic.CROSS)


def hardness(events: tuple[Any, ...]) -> int:
    """Return how eager the next child is, by its tactic."""
    return HARDNESS.index(position_of(events).tactic)
