"""The trilemma over a parent's own window, against the vectors and against brute force."""

from typing import Any

import msgspec
import pytest

from schemas.messages.core import Aim, StrategyKind
from streams.models.choice import aversion_of, evaluate, outlook_of
from streams.models.frontier import Policy
from streams.models.impact import ALMGREN_2005
from streams.models.outlook import Outlook, choose, frontier_of, required_participation
from streams.models.plans import estimated, solved
from streams.models.trades import Window, closed_form, cost_and_risk, risk_aversion_of
from tests.support.builders import MINUTE, OPEN_NS
from tests.support.policies import E9, HOUR, evaluated, inputs, question, request
from tests.support.vectors import vectors

TABLE: Any = vectors("11_frontier_and_survival.json")["trilemma_frontier_IBM"]
CHOICES: Any = vectors("11_frontier_and_survival.json")["policy_choice"]
GRID = [n / 2_000 for n in range(4, 1_800)]


def ibm(**changes: float) -> Outlook:
    """Return the table's order: a tenth of a day's volume, the whole day long."""
    given = TABLE["inputs"]
    values: dict[str, Any] = {
        "quantity": given["X_over_V"],
        "days": 1.0,
        "volume": 1.0,
        "volume_cv": given["volume_cv"],
        "daily_volume": 1.0,
        "sigma": given["sigma_bp"],
        "half_spread": given["half_spread_bp"],
        "inverse_turnover": given["Theta_over_V"],
        **changes,
    }
    return Outlook(**values)


@pytest.mark.parametrize("row", TABLE["rows"], ids=lambda row: row["pov"])
def test_a_window_of_a_day_gives_the_table(row: Any) -> None:
    half = TABLE["inputs"]["half_spread_bp"]  # which the table pays in the clean-up only
    point = ibm().point(row["pov"])
    assert (point.days, point.risk) == pytest.approx((row["T_days"], row["risk_bp"]), rel=1e-6)
    assert point.completion == pytest.approx(row["completion_prob"], rel=1e-6)
    assert point.unfilled == pytest.approx(row["expected_unfilled_frac"], rel=1e-6, abs=1e-12)
    assert point.impact == pytest.approx(row["impact_bp"] + half, rel=1e-6)
    executed = half * (1 - row["expected_unfilled_frac"])
    assert point.total == pytest.approx(row["total_bp"] + executed, rel=1e-6)


@pytest.mark.parametrize("row", CHOICES, ids=lambda row: row["lambda_per_bp"])
def test_a_floor_chooses_as_worked_out(row: Any) -> None:
    """The table's grid is a tenth of a percent wide; its spread falls on executed shares too."""
    point, is_kept = choose(ibm(), Policy(row["lambda_per_bp"], 0.9, 0.95))
    assert is_kept
    assert point.participation == pytest.approx(row["pov_completion95"], abs=1.5e-3)


@pytest.mark.parametrize("aversion", [0.0, 1e-5, 1e-4, 1e-3, 1e-2, 0.1])
@pytest.mark.parametrize("floor", [0.0, 0.5, 0.95])
def test_nothing_on_a_fine_grid_beats_the_choice(aversion: float, floor: float) -> None:
    policy = Policy(aversion, 0.4, floor)
    for outlook in (ibm(), ibm(volume=0.3, days=0.3), ibm(half_spread=20.0), ibm(volume_cv=0.05)):
        point, is_kept = choose(outlook, policy)
        points = [outlook.point(p) for p in GRID if p <= policy.participation_max]
        sure = [each for each in points if each.completion >= floor]
        assert is_kept is bool(sure)
        best = min((each.utility(aversion) for each in sure), default=None)
        if best is not None:
            assert point.utility(aversion) <= best + 5e-3
            assert point.completion >= floor - 1e-9


def test_the_required_participation_just_keeps_the_floor() -> None:
    outlook = ibm(volume=0.5, days=0.5)
    for floor in (0.01, 0.5, 0.95, 0.999):
        found = required_participation(outlook, floor)
        assert found is not None
        assert outlook.point(found).completion == pytest.approx(floor, abs=1e-9)
    assert required_participation(ibm(volume=0.001), 0.95) is None


def test_the_frontier_has_no_point_that_another_beats() -> None:
    points = frontier_of(ibm(), 0.03, 0.9, 9)
    for one in points:
        for other in points:
            pairs = zip(
                (one.total, one.risk, -one.completion),
                (other.total, other.risk, -other.completion),
                strict=True,
            )
            assert one == other or any(a < b for a, b in pairs)


def test_a_half_life_is_a_decay_of_the_holdings() -> None:
    outlook = Outlook(1_000.0, 1.0, 50_000.0, 0.3, 50_000.0, 157.0)
    window = Window([500.0] * 100, [0.01] * 100)
    aversion = risk_aversion_of(outlook, 0.2)
    trades, unfilled = closed_form(outlook, window, aversion, [1e9] * 100)
    left = 1_000.0 - sum(trades[:20])
    assert left / 1_000.0 == pytest.approx(2.718281828**-1, rel=2e-3)
    assert sum(trades) == pytest.approx(1_000.0)
    assert unfilled == 0.0


def test_the_closed_form_gives_what_its_caps_cut_off_to_bins_with_room() -> None:
    outlook = Outlook(100.0, 1.0, 400.0, 0.0, 400.0, 157.0)
    window = Window([100.0] * 4, [0.25] * 4)
    aversion = risk_aversion_of(outlook, 0.1)
    free, _ = closed_form(outlook, window, aversion, [100.0] * 4)
    capped, unfilled = closed_form(outlook, window, aversion, [30.0] * 4)
    assert free[0] > 30.0
    assert capped == pytest.approx([30.0, 30.0, 30.0, 10.0])
    assert unfilled == 0.0
    _, unfilled = closed_form(outlook, window, aversion, [20.0] * 4)
    assert unfilled == pytest.approx(20.0)


def test_patience_takes_longer_and_pays_less() -> None:
    patient = solved(request(risk_aversion_e9=10_000), None, HOUR)
    hurried = solved(request(risk_aversion_e9=50_000_000), None, HOUR)
    assert all(a <= b for a, b in zip(patient.targets, hurried.targets, strict=True))
    assert patient.targets[0] < hurried.targets[0]
    assert patient.cost_bps_e9 < hurried.cost_bps_e9
    assert patient.risk_bps_e9 > hurried.risk_bps_e9


def test_without_risk_aversion_a_plan_is_the_volume_curve() -> None:
    for plan in (
        solved(request(risk_aversion_e9=0, bins=10), None, HOUR),
        estimated(request(risk_aversion_e9=0, bins=10), None, "local", HOUR).plan,
    ):
        assert plan.targets == tuple(1_000 * (n + 1) for n in range(10))


@pytest.mark.parametrize("aversion_e9", [100_000, 1_000_000, 20_000_000])
def test_a_plan_solved_again_after_full_fills_stays_what_it_was(aversion_e9: int) -> None:
    asked = request(risk_aversion_e9=aversion_e9, quantity=100_000, expected_volume=600_000)
    first = solved(asked, None, HOUR)
    done, bins = first.targets[4], len(asked.bin_starts_ns)
    rest = msgspec.structs.replace(
        asked,
        inputs=inputs(
            risk_aversion_e9=aversion_e9,
            quantity=100_000,
            expected_volume=600_000 * (bins - 5) // bins,
            as_of_ns=asked.bin_starts_ns[5],
            filled_quantity=done,
            committed_quantity=done,
        ),
        bin_starts_ns=asked.bin_starts_ns[5:],
        volumes=asked.volumes[5:],
    )
    again = solved(rest, None, HOUR)
    assert again.targets == pytest.approx(first.targets[5:], abs=3)


def test_the_closed_form_is_near_the_general_scheduler() -> None:
    """It believes in linear impact: the price of that is small where neither is extreme."""
    for aversion_e9 in (100_000, 1_000_000, 5_000_000):
        asked = request(risk_aversion_e9=aversion_e9)
        aversion = aversion_of(asked.inputs, 0)
        costs = [
            plan.cost_bps_e9 / E9 + aversion * (plan.risk_bps_e9 / E9) ** 2
            for plan in (solved(asked, None, HOUR), estimated(asked, None, "x", HOUR).plan)
        ]
        assert costs[0] <= costs[1] + 1e-6
        assert costs[1] <= costs[0] * 1.03


def test_what_no_bin_can_take_is_named_and_the_last_target_is_the_order() -> None:
    for plan in (
        solved(request(participation_cap_bps=1_000), None, HOUR),
        estimated(request(participation_cap_bps=1_000), None, "local", HOUR).plan,
    ):
        # A tenth of the whole is a ninth of the others' 60,000.
        assert plan.unfilled_quantity == pytest.approx(10_000 - 6_667, abs=1)
        assert plan.targets[-1] == 10_000


def test_a_sure_plan_leaves_late_bins_only_what_a_poor_day_can_take() -> None:
    terms: dict[str, Any] = {
        "quantity": 20_000,
        "participation_cap_bps": 3_000,
        "risk_aversion_e9": 0,
    }
    free = solved(request(**terms), None, HOUR)
    sure = solved(request(**terms, completion_floor_bps=9_000), None, HOUR)
    assert any(a < b for a, b in zip(free.targets, sure.targets, strict=True))
    outlook = outlook_of(sure.inputs, ALMGREN_2005, 0)
    poor = outlook.likely_volume(0.9) / outlook.volume
    bins = len(sure.targets)
    for k, target in enumerate(sure.targets[:-1]):
        later = 5_000 * (bins - 1 - k) * 3_000 / 7_000 * poor
        early = target >= (k + 1) * 5_000 * 3_000 / 7_000 - 1  # the cap took all it could
        assert 20_000 - target <= later + 1 or early


def test_the_plans_cost_is_that_of_its_targets() -> None:
    plan = solved(request(), None, HOUR)
    outlook = outlook_of(plan.inputs, ALMGREN_2005, 0)
    starts = (0, *plan.targets[:-1])
    trades = [target - start for start, target in zip(starts, plan.targets, strict=True)]
    window = Window([5_000.0] * 12, [HOUR / 12 / plan.inputs.day_ns] * 12)
    cost, risk, _ = cost_and_risk(outlook, window, trades)
    assert plan.cost_bps_e9 / E9 == pytest.approx(cost, rel=1e-3)
    assert plan.risk_bps_e9 / E9 == pytest.approx(risk, rel=1e-3)


def test_a_floor_beyond_the_cap_has_a_price() -> None:
    found = evaluated(participation_cap_bps=1_500, completion_floor_bps=9_500)
    assert not found.is_floor_kept
    assert found.point == found.capped
    assert found.capped.participation_bps == 1_500
    raised = evaluated(participation_cap_bps=found.required_cap_bps, completion_floor_bps=9_500)
    assert raised.is_floor_kept
    price = raised.capped.impact_bps_e9 - found.capped.impact_bps_e9
    assert found.required_price_bps_e9 == pytest.approx(price, rel=0.01)
    lower = evaluated(participation_cap_bps=found.required_cap_bps - 1, completion_floor_bps=9_500)
    assert not lower.is_floor_kept


def test_the_pace_bends_only_for_the_floor() -> None:
    patient = {"pace_cap_bps": 1_000, "risk_aversion_e9": 100_000_000}
    assert evaluated(**patient).point.participation_bps == 1_000
    sure = evaluated(**patient, completion_floor_bps=9_500)
    assert sure.is_floor_kept
    assert 1_000 < sure.point.participation_bps < 3_000
    assert sure.point.completion_e9 >= 950_000_000 - 1_000


def test_the_risk_aversion_follows_from_the_half_life_when_none_is_said() -> None:
    quick = evaluated(risk_aversion_e9=-1, half_life_ns=5 * MINUTE).inputs.risk_aversion_e9
    slow = evaluated(risk_aversion_e9=-1, half_life_ns=HOUR).inputs.risk_aversion_e9
    assert quick == pytest.approx(144 * slow, rel=1e-3)


def choosing(aim: Aim, **changes: Any) -> Any:
    ends = tuple(OPEN_NS + n * HOUR // 20 for n in range(1, 21))
    return evaluate(
        question(
            aim=aim,
            strategy=StrategyKind.AUTO,
            bin_ends=ends,
            bin_volumes=(3_000,) * 20,
            **changes,
        ),
        None,
    )


@pytest.mark.parametrize(
    ("aim", "strategy"),
    [
        (Aim.VWAP, StrategyKind.VWAP),
        (Aim.TWAP, StrategyKind.TWAP),
        (Aim.PARTICIPATION, StrategyKind.POV),
        (Aim.CLOSE, StrategyKind.CLOSE),
    ],
)
def test_a_benchmark_leaves_one_strategy(aim: Aim, strategy: StrategyKind) -> None:
    first, *others = choosing(aim).alternatives
    assert (first.strategy, first.is_allowed, first.reason) == (strategy, True, "least score")
    assert all(each.reason == "not for this aim" for each in others)


def test_an_aim_weighs_the_strategies_by_their_scores() -> None:
    cheap = choosing(Aim.IMPACT, risk_aversion_e9=100).alternatives
    safe = choosing(Aim.RISK, risk_aversion_e9=50_000_000).alternatives
    for rows in (cheap, safe):
        allowed = [each.score_e9 for each in rows if each.is_allowed]
        assert allowed == sorted(allowed)
    assert safe[0].point.risk_bps_e9 < cheap[0].point.risk_bps_e9
    assert safe[0].point.cost_bps_e9 > cheap[0].point.cost_bps_e9


def test_a_cap_rules_out_what_would_trade_faster() -> None:
    found = choosing(Aim.ARRIVAL, participation_cap_bps=3_000)
    row = next(each for each in found.alternatives if each.strategy is StrategyKind.IMMEDIATE)
    assert (row.is_allowed, row.reason) == (False, "beyond the participation cap")


def test_what_is_kept_for_the_auction_need_not_be_done_before_it() -> None:
    def found(**changes: Any) -> Any:
        return evaluate(question(participation_cap_bps=1_200, **changes), None)

    whole, kept = found(quantity=10_000), found(quantity=10_000, kept_quantity=4_000)
    assert kept.capped == found(quantity=6_000).capped
    assert whole.capped.completion_e9 < 500_000_000 < kept.capped.completion_e9
    assert kept.inputs.quantity == 10_000  # as it was asked
