"""Cost arithmetic against vector 08 and the rules of SPEC section 8."""

import json
from decimal import Decimal
from typing import Any

import pytest

from schemas.messages.core import Side
from streams.models.tca import (
    Print,
    Shortfall,
    implementation_shortfall,
    market_adjusted_e9,
    participation_vwap_e9,
    performance_e9,
    round_half_even,
    spread_cost,
    time_average_e9,
    volume_average_e9,
)
from tests.support.shared import shared

E9 = 10**9


def e9(value: float) -> int:
    """Return a decimal of the vector in 1e-9 units, exactly as it is written."""
    return int(Decimal(str(value)) * E9)


def vector() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shared("quant/vectors/08_tca.json").read_text())
    return found


def example(name: str) -> tuple[dict[str, Any], Shortfall]:
    case = next(row for row in vector()["implementation_shortfall"] if row["name"] == name)
    decision = case["decision"]
    shortfall = implementation_shortfall(
        Side.BUY if case["side"] == 1 else Side.SELL,
        case["S"],
        [(quantity, e9(price)) for quantity, price in case["fills"]],
        decision_e9=e9(decision),
        arrival_e9=e9(case.get("arrival", case.get("delay_price", decision))),
        end_e9=e9(case["end"]),
        fee_e9=e9(case["fees"]),
    )
    return case, shortfall


@pytest.mark.parametrize("name", ["blotter_doc_example", "sell_TRP_50000"])
def test_the_expanded_shortfall_equals_the_published_components(name: str) -> None:
    case, found = example(name)
    wagner = case["wagner"]
    assert found.delay_traded_e9 == e9(wagner["delay_traded"])
    assert found.delay_untraded_e9 == e9(wagner["delay_opportunity"])
    assert found.trading_e9 == e9(wagner["trading"])
    assert found.opportunity_e9 == e9(wagner["opportunity"])
    assert found.total_e9 == e9(wagner["total"])
    basis_points = found.total_e9 / (case["S"] * case["decision"] * E9) * 1e4
    assert basis_points == pytest.approx(wagner["bps"], abs=1e-9)
    if "per_share" in case:
        assert found.total_e9 == case["S"] * e9(case["per_share"])


@pytest.mark.parametrize(
    "name", ["blotter_doc_example", "bloomberg_prep_buy_4000", "stalla_buy_8000"]
)
def test_the_sum_is_perolds_to_the_unit(name: str) -> None:
    case, found = example(name)
    assert found.total_e9 == e9(round(case["perold"]["total"], 2))


def test_textbook_items_charge_the_delay_to_executed_shares() -> None:
    """They put the untraded part of the delay into opportunity; the total is the same."""
    case, found = example("cfa_style_buy_1000_at_40")
    paper = case["S"] * e9(case["decision"])
    percent = case["components_pct"]
    parts = {
        "explicit": found.fee_e9,
        "realized": found.trading_e9,
        "delay": found.delay_traded_e9,
        "missed": found.delay_untraded_e9 + found.opportunity_e9,
        "total": found.total_e9,
    }
    for name, part in parts.items():
        assert part / paper * 100 == pytest.approx(percent[name], abs=1e-9), name
    case, found = example("stalla_buy_8000")
    missed = found.delay_untraded_e9 + found.opportunity_e9
    assert (found.delay_traded_e9, found.trading_e9, missed, found.fee_e9) == tuple(
        e9(case["components"][name]) for name in ("delay", "realized", "opportunity", "fees")
    )


def test_the_market_is_taken_out_of_the_shortfall() -> None:
    """The sixth example; 1,000 at 60.00 and its prices follow from the published components."""
    case = next(
        row
        for row in vector()["implementation_shortfall"]
        if row["name"] == "cfa_style_market_adjusted"
    )
    found = implementation_shortfall(
        Side.BUY,
        1_000,
        [(700, e9(60.07))],
        decision_e9=e9(60),
        arrival_e9=e9(60.05),
        end_e9=e9(60.08),
        fee_e9=e9(19),
    )
    paper = 1_000 * e9(60)
    parts = {
        "explicit": found.fee_e9,
        "realized": found.trading_e9,
        "delay": found.delay_traded_e9,
        "missed": found.delay_untraded_e9 + found.opportunity_e9,
        "total": found.total_e9,
    }
    for name, part in parts.items():
        assert part / paper * 100 == pytest.approx(case["components_pct"][name], abs=1e-9), name
    published, market = e9(case["published_total_pct"]), e9(case["market_return_pct"])
    beta = e9(case["beta"])
    adjusted = market_adjusted_e9(Side.BUY, published * 100, beta, market * 100)
    assert adjusted == e9(case["market_adjusted_pct"]) * 100
    assert market_adjusted_e9(Side.SELL, published * 100, beta, market * 100) == e9(80)


def tape() -> list[Print]:
    return [Print(at, e9(price), size) for at, price, size in vector()["benchmarks"]["tape"]]


def test_benchmarks_of_a_tape_equal_the_vector() -> None:
    case, prints = vector()["benchmarks"], tape()
    assert volume_average_e9(prints) == round(case["interval_vwap"] * E9)
    assert time_average_e9(prints, 6) == round(case["twap"] * E9)
    assert participation_vwap_e9(prints, 200, 1_000) == e9(case["pwp_10pct_200sh"])
    assert participation_vwap_e9(prints, 200, 2_000) == e9(case["pwp_20pct_200sh"])
    assert case["pwp_10pct_500sh_complete"] is False
    assert participation_vwap_e9(prints, 500, 1_000) is None


def test_benchmarks_of_nothing_are_none() -> None:
    assert volume_average_e9([]) is None
    assert time_average_e9([], 10) is None
    assert participation_vwap_e9([], 1, 1_000) is None


def test_the_spread_is_split_as_in_the_vector() -> None:
    for row in vector()["spread_decomposition"]:
        side = Side.BUY if row["side"] == 1 else Side.SELL
        found = spread_cost(side, e9(row["px"]), e9(row["mid"]), e9(row["mid_h"]))
        assert found.effective_e9 / E9 == pytest.approx(row["eff_half_spread_bps"], abs=1e-9)
        assert found.impact_e9 / E9 == pytest.approx(row["impact_bps"], abs=1e-9)
        assert found.realized_e9 / E9 == pytest.approx(row["realized_half_spread_bps"], abs=1e-9)
        assert -found.realized_e9 / E9 == pytest.approx(row["markout_bps_in_our_favour"], abs=1e-9)
        half = e9(0.01)  # the half spread in every row
        sign = 1 if side is Side.BUY else -1
        captured = 1 - (sign * (e9(row["px"]) - e9(row["mid"])) + half) / (2 * half)
        assert captured * 100 == pytest.approx(row["spread_capture_pct"], abs=1e-9)


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [(5, 2, 2), (7, 2, 4), (-5, 2, -2), (-7, 2, -4), (8, 3, 3), (-8, 3, -3), (0, 7, 0)],
)
def test_halves_round_to_even(numerator: int, denominator: int, rounded: int) -> None:
    assert round_half_even(numerator, denominator) == rounded


def test_a_gain_is_positive_for_both_sides() -> None:
    below, above = 99 * E9, 100 * E9
    assert performance_e9(Side.BUY, 1, below, above) == 100 * E9
    assert performance_e9(Side.SELL, 1, below, above) == -100 * E9
    assert performance_e9(Side.BUY, 0, 0, 0) is None
