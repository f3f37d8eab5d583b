"""A frontier of plain numbers: before there is an order, or a market."""

from typing import Final, NamedTuple

from schemas.messages.core import Cause, PlanInputs, StrategyKind, Urgency
from schemas.messages.plans import ImpactFitted
from services.frontier.shown import Shown, shown
from streams.models.choice import Question, evaluate
from streams.parameters import PRESETS

__all__ = ["Terms", "before"]

E9: Final = 1_000_000_000
BPS: Final = 10_000
MINUTE_NS: Final = 60 * E9


class Terms(NamedTuple):
    """An order that is thought of."""

    quantity: int
    daily_volume: int
    volume_cv: float
    volatility_bps: float
    spread_bps: float
    minutes: float
    day_minutes: float
    cap_bps: int
    floor_bps: int
    urgency: Urgency


def before(terms: Terms, fitted: ImpactFitted | None = None) -> Shown:
    """Return what such an order could choose between."""
    preset = PRESETS.get(terms.urgency, PRESETS[Urgency.NEUTRAL])
    window_ns, day_ns = round(terms.minutes * MINUTE_NS), round(terms.day_minutes * MINUTE_NS)
    inputs = PlanInputs(
        as_of_ns=0,
        end_ns=window_ns,
        epoch=1,
        quantity=terms.quantity,
        filled_quantity=0,
        committed_quantity=0,
        others_quantity=0,
        market_quantity=0,
        expected_volume=max(1, terms.daily_volume * window_ns // day_ns),
        volume_cv_e9=round(terms.volume_cv * E9),
        daily_volume=terms.daily_volume,
        day_ns=day_ns,
        volatility_bps_e9=round(terms.volatility_bps * E9),
        spread_bps_e9=round(terms.spread_bps * E9),
        participation_cap_bps=terms.cap_bps,
        pace_cap_bps=preset.participation_max_bps,
        risk_aversion_e9=-1,
        completion_floor_bps=terms.floor_bps,
    )
    question = Question(
        parent_id="",
        ordinal=0,
        cause=Cause.OPENED,
        inputs=inputs,
        strategy=StrategyKind.AUTO,
        half_life_ns=max(1, window_ns * preset.half_life_bps // BPS),
        review_ns=1,
    )
    title = f"{terms.quantity:,} of {terms.daily_volume:,} a day, {terms.urgency.lower()}"
    return shown(title, evaluate(question, fitted), fitted)
