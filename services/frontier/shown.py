"""What is shown of a parent's choice: the curve, the ways to work it, the second opinion."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from schemas.messages.core import Aim, Cause, FrontierPoint, PlanInputs, StrategyKind, Urgency
from schemas.messages.plans import ImpactFitted
from schemas.messages.strategy import PolicyEvaluated
from streams.models.choice import Question, evaluate, impact_of, outlook_of
from streams.models.impact_fit import Expected, Observation, expected, fit_of
from streams.models.outlook import INVERSE_TURNOVER, PARTICIPATION_MAX, frontier_of
from streams.parameters import PRESETS

__all__ = ["Mark", "Outcome", "Shown", "rows_of", "shown"]

E9: Final = 1_000_000_000
BPS: Final = 10_000
CURVE_POINTS: Final = 48
PARTS: Final = 20
NAMES: Final = {
    StrategyKind.VWAP: "vwap",
    StrategyKind.TWAP: "twap",
    StrategyKind.IMPLEMENTATION_SHORTFALL: "shortfall",
}
COMPARED: Final = Aim.IMPACT  # its alternatives are all strategies with a schedule


class Mark(NamedTuple):
    """One way to work the parent. Basis points; days; probabilities."""

    name: str
    participation: float
    days: float
    impact: float
    cost: float
    risk: float
    completion: float
    unfilled: float  # part of the order


class Outcome(NamedTuple):
    """What came of it, beside what was expected. Basis points."""

    cost: float
    expected: float
    band: float  # one standard deviation
    participation: float
    days: float
    filled: int
    quantity: int

    @property
    def deviations(self) -> float:
        """Return how far the outcome is from its expectation, in standard deviations."""
        return (self.cost - self.expected) / self.band if self.band > 0 else 0.0


class Shown(NamedTuple):
    """All of one picture."""

    title: str
    inputs: PlanInputs
    model: str
    curve: tuple[Mark, ...]
    chosen: Mark
    marks: tuple[Mark, ...]  # presets and strategies
    required_cap_bps: int  # 0 when the cap keeps the floor
    required_price: float
    before: Expected  # by the fitted model, spread not included
    half_spread: float
    outcome: Outcome | None = None

    @property
    def window_ns(self) -> int:
        return self.inputs.end_ns - self.inputs.as_of_ns


def shown(
    title: str,
    found: PolicyEvaluated,
    fitted: ImpactFitted | None,
    outcome: Outcome | None = None,
) -> Shown:
    """Return what is shown of an evaluation. `fitted`: the impact model that it believed."""
    inputs = found.inputs
    outlook = outlook_of(inputs, impact_of(fitted), inputs.filled_quantity)
    steady = outlook.quantity / (outlook.quantity + outlook.volume)
    cap = min(inputs.participation_cap_bps / BPS, PARTICIPATION_MAX)
    most = max(outlook.capped(cap).participation, steady)
    curve = frontier_of(outlook, steady / 3, min(most, PARTICIPATION_MAX), CURVE_POINTS)
    chosen = _mark("chosen", found.point, inputs)
    rate = outlook.quantity / outlook.volume
    asked = Observation(
        0.0,
        outlook.sigma,
        outlook.size,
        max(rate, chosen.participation / (1 - min(chosen.participation, PARTICIPATION_MAX))),
        chosen.days,
        INVERSE_TURNOVER,
    )
    return Shown(
        title=title,
        inputs=inputs,
        model=found.model,
        curve=tuple(
            Mark("", p.participation, p.days, p.impact, p.total, p.risk, p.completion, p.unfilled)
            for p in curve
        ),
        chosen=chosen,
        marks=(*_presets(found, fitted), *_strategies(found, fitted)),
        required_cap_bps=found.required_cap_bps,
        required_price=found.required_price_bps_e9 / E9,
        before=expected(fit_of(fitted), asked),
        half_spread=outlook.half_spread,
        outcome=outcome,
    )


def _presets(found: PolicyEvaluated, fitted: ImpactFitted | None) -> list[Mark]:
    """Return what passive, neutral and urgent would choose with the same cap and floor."""
    marks, inputs = [], found.inputs
    for urgency in (Urgency.PASSIVE, Urgency.NEUTRAL, Urgency.URGENT):
        preset = PRESETS[urgency]
        window_ns = inputs.end_ns - inputs.as_of_ns
        changed = msgspec.structs.replace(
            inputs, risk_aversion_e9=-1, pace_cap_bps=preset.participation_max_bps
        )
        half_life_ns = window_ns * preset.half_life_bps // BPS
        point = evaluate(_question(found, changed, half_life_ns), fitted).point
        marks.append(_mark(urgency.lower(), point, inputs))
    return marks


def _strategies(found: PolicyEvaluated, fitted: ImpactFitted | None) -> list[Mark]:
    """Return the strategies with a schedule, as the choice for an aim would weigh them."""
    inputs = found.inputs
    rows = evaluate(_question(found, inputs, 1, aim=COMPARED), fitted).alternatives
    return [_mark(NAMES[row.strategy], row.point, inputs) for row in rows if row.strategy in NAMES]


def _question(
    found: PolicyEvaluated, inputs: PlanInputs, half_life_ns: int, aim: Aim = Aim.UNKNOWN
) -> Question:
    span = inputs.end_ns - inputs.as_of_ns
    ends = tuple(inputs.as_of_ns + span * n // PARTS for n in range(1, PARTS + 1))
    return Question(
        parent_id=found.parent_id,
        ordinal=1,
        cause=Cause.OPENED,
        inputs=inputs,
        strategy=StrategyKind.AUTO,
        half_life_ns=max(1, half_life_ns),
        review_ns=1,
        aim=aim,
        bin_ends=ends,
        bin_volumes=(inputs.expected_volume // PARTS,) * PARTS,
    )


def _mark(name: str, point: FrontierPoint, inputs: PlanInputs) -> Mark:
    left = max(1, inputs.quantity - inputs.filled_quantity)
    return Mark(
        name=name,
        participation=point.participation_bps / BPS,
        days=point.duration_ns / inputs.day_ns,
        impact=point.impact_bps_e9 / E9,
        cost=point.cost_bps_e9 / E9,
        risk=point.risk_bps_e9 / E9,
        completion=point.completion_e9 / E9,
        unfilled=point.unfilled_quantity / left,
    )


def rows_of(what: Shown) -> Sequence[Mark]:
    """Return the rows of the table: the choice, presets and strategies, then some of the curve."""
    every = max(1, len(what.curve) // 8)
    return (what.chosen, *what.marks, *what.curve[::every])
