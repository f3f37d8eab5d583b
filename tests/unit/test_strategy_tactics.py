"""Post or cross in integers: the vectors of SPEC 7, and what moves the choice."""

from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from schemas.messages.core import MarketEstimate, Tactic, Urgency
from streams.models.fills import breaks_even
from streams.strategy.tactics import Costs, Odds, break_even_e9, chance_e9, choose, risk_bps_e9
from tests.support.builders import SECOND
from tests.support.vectors import vectors

E9 = 1_000_000_000
DAY_NS = 23_400 * SECOND
COSTS = Costs(
    half=E9, tick=E9, taker_fee=300_000_000, rebate=200_000_000, adverse=600_000_000,
    decay_bps=9_000,
)  # fmt: skip


@pytest.mark.parametrize(
    "row",
    vectors("12_sor_scorecard.json")["break_even_fill_prob"],
    ids=lambda row: row["alpha_bps"],
)
def test_the_break_even_chance_is_the_vectors(row: Any) -> None:
    found = break_even_e9(int(row["alpha_bps"] * E9), COSTS)
    assert found is not None
    assert found / E9 == pytest.approx(row["p_star"], abs=2e-9)


@for_all(
    alpha=st.integers(-50, 200),
    half=st.integers(1, 50),
    fee=st.integers(0, 10),
    rebate=st.integers(0, 10),
    adverse=st.integers(0, 10),
)
def test_the_integers_follow_the_model(
    alpha: int, half: int, fee: int, rebate: int, adverse: int
) -> None:
    tenth = E9 // 10
    costs = Costs(half * tenth, tenth, fee * tenth, rebate * tenth, adverse * tenth, 9_000)
    found = break_even_e9(alpha * tenth, costs)
    worth = alpha * 0.9 + half + rebate - adverse
    if found is None:
        assert worth <= 1e-9
        return
    model = breaks_even(
        alpha / 10, half / 10, fee / 10, rebate / 10, adverse=adverse / 10, decay=0.9
    )
    assert found / E9 == pytest.approx(model, abs=1e-6, rel=1e-6)


def test_the_chance_grows_with_the_wait_and_never_passes_one() -> None:
    assert chance_e9(50_000_000, 0) == 0
    assert chance_e9(50_000_000, 10 * SECOND) / E9 == pytest.approx(1 - 0.95**10, abs=1e-6)
    assert chance_e9(50_000_000, 10_000 * SECOND) <= E9
    assert chance_e9(2 * E9, SECOND) == E9


def odds(join: float, improve: float = 0.0, wait: int = 20) -> Odds:
    return Odds(int(join * E9), int(improve * E9), wait * SECOND)


def test_crossing_is_chosen_exactly_below_the_break_even() -> None:
    # P* = .5152 for an alpha of 3; one tick of spread leaves joining as the only way to post.
    alpha, narrow = 3 * E9, COSTS._replace(tick=2 * E9)
    assert choose(alpha, narrow, odds(0.035)).tactic is Tactic.CROSS  # met with .5096
    found = choose(alpha, narrow, odds(0.036))
    assert found.tactic is Tactic.JOIN  # met with .5197
    assert found.chance_e9 > found.break_even_e9


def test_nothing_is_crossed_for_when_waiting_costs_nothing() -> None:
    alpha = COSTS.half + COSTS.taker_fee
    assert choose(alpha, COSTS, odds(0)).tactic is not Tactic.CROSS
    assert choose(alpha - E9, COSTS, odds(0)).tactic is not Tactic.CROSS


def test_a_tick_is_given_up_where_it_makes_a_fill_likelier() -> None:
    wide = COSTS._replace(half=5 * E9, adverse=3 * E9)
    alpha = wide.half + wide.taker_fee
    assert choose(alpha, wide, odds(0.05, 0.05)).tactic is Tactic.JOIN
    assert choose(alpha, wide, odds(0.02, 0.08)).tactic is Tactic.IMPROVE
    # No room before the quote: one tick wide.
    assert choose(alpha, wide._replace(tick=10 * E9), odds(0.02, 0.08)).tactic is Tactic.JOIN


def test_where_a_fill_is_worth_much_the_midpoint_is_shown() -> None:
    wide = COSTS._replace(half=5 * E9, adverse=E9)
    alpha = wide.half + wide.taker_fee + 20 * E9
    assert choose(alpha, wide, odds(0.005, 0.2, wait=5)).tactic is Tactic.MIDPOINT


def estimate(**changes: Any) -> MarketEstimate:
    fields = dict.fromkeys(MarketEstimate.__struct_fields__, 0)
    return MarketEstimate(**{**fields, **changes})


def test_the_risk_of_a_wait_grows_with_its_root_and_with_urgency() -> None:
    wild = estimate(volatility_bps_e9=200 * E9)
    calm = risk_bps_e9(wild, Urgency.NEUTRAL, 15 * SECOND, DAY_NS)
    assert calm / E9 == pytest.approx(0.1 * 200 * (15 / 23_400) ** 0.5, rel=1e-6)
    assert risk_bps_e9(wild, Urgency.NEUTRAL, 60 * SECOND, DAY_NS) == pytest.approx(2 * calm, 1e-6)
    assert risk_bps_e9(wild, Urgency.PASSIVE, 15 * SECOND, DAY_NS) == calm // 2
    assert risk_bps_e9(wild, Urgency.URGENT, 15 * SECOND, DAY_NS) == pytest.approx(3 * calm, 1e-6)
