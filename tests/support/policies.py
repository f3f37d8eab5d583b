"""Builders of policies and plans: inputs, requests, evaluations."""

from typing import Any

from schemas.messages.core import Cause, PlanInputs, Side, StrategyKind
from schemas.messages.strategy import PlanRequested, PolicyEvaluated
from streams.models.choice import Question, evaluate
from tests.support.builders import ACME, MINUTE, OPEN_NS
from tests.support.parents import PARENT

__all__ = ["E9", "HOUR", "inputs", "question", "request"]

E9 = 1_000_000_000
HOUR = 60 * MINUTE
DAY = 390 * MINUTE


def inputs(**changes: Any) -> PlanInputs:
    """Return 10,000 to do in an hour in which 60,000 of others are expected, 390,000 a day."""
    return PlanInputs(
        **{
            "as_of_ns": OPEN_NS,
            "end_ns": OPEN_NS + HOUR,
            "epoch": 1,
            "quantity": 10_000,
            "filled_quantity": 0,
            "committed_quantity": 0,
            "others_quantity": 0,
            "market_quantity": 0,
            "expected_volume": 60_000,
            "volume_cv_e9": 350_000_000,
            "daily_volume": 390_000,
            "day_ns": DAY,
            "volatility_bps_e9": 157 * E9,
            "spread_bps_e9": 3 * E9,
            "participation_cap_bps": 10_000,
            "pace_cap_bps": 5_000,
            "risk_aversion_e9": 1_000_000,
            "completion_floor_bps": 0,
            **changes,
        }
    )


def request(
    number: int = 1, parent_id: str = PARENT, bins: int = 12, **changes: Any
) -> PlanRequested:
    """Return a request over bins of equal length and volume."""
    of = inputs(**changes)
    width = (of.end_ns - of.as_of_ns) // bins
    return PlanRequested(
        parent_id=parent_id,
        request_id=f"{parent_id}.plan.{number}",
        instrument_id=ACME,
        side=Side.BUY,
        strategy=StrategyKind.IMPLEMENTATION_SHORTFALL,
        cause=Cause.OPENED,
        inputs=of,
        bin_starts_ns=tuple(of.as_of_ns + n * width for n in range(bins)),
        volumes=(of.expected_volume // bins,) * bins,
    )


def question(**changes: Any) -> Question:
    """Return a question about the parent of `inputs`; changes are its inputs or its own fields."""
    own = {name: changes.pop(name) for name in Question._fields if name in changes}
    return Question(
        **{
            "parent_id": PARENT,
            "ordinal": 1,
            "cause": Cause.OPENED,
            "inputs": inputs(**changes),
            "strategy": StrategyKind.IMPLEMENTATION_SHORTFALL,
            "half_life_ns": HOUR // 2,
            "review_ns": MINUTE // 2,
            **own,
        }
    )


def evaluated(**changes: Any) -> PolicyEvaluated:
    """Return the evaluation of `question`."""
    return evaluate(question(**changes), None)
