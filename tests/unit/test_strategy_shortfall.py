"""IMPLEMENTATION_SHORTFALL: Almgren-Chriss in integers, and plans followed, renewed and lost."""

from typing import Any

import pytest

from schemas.messages.core import Cause, ExecutionPlan, PlanInputs, StrategyKind, Urgency
from schemas.messages.strategy import ScheduleSet, SliceReleased
from streams.models.schedule import AlmgrenChriss, almgren_chriss, risk_aversion_of_half_life
from streams.strategy import STRATEGY
from streams.strategy.schedule import front_loaded_targets
from streams.strategy.shortfall import FALLBACK
from tests.support.builders import MINUTE, OPEN_NS, SECOND
from tests.support.given import given
from tests.support.parents import (
    PARENT,
    begin,
    epoch_opened,
    forecast,
    market,
    parent_opened,
    recalibrate,
    wake,
)

OPENED = (parent_opened(StrategyKind.IMPLEMENTATION_SHORTFALL), epoch_opened())


def plan(*targets: int, **changes: Any) -> ExecutionPlan:
    """Return a plan in bins of two minutes."""
    inputs = dict.fromkeys(PlanInputs.__struct_fields__, 0) | {"quantity": 1_000}
    fields: dict[str, Any] = {
        "plan_id": "R1",
        "parent_id": PARENT,
        "request_id": "R1",
        "model": "planner/1",
        "valid_until_ns": OPEN_NS + 10 * MINUTE,
        "inputs": PlanInputs(**inputs),
        "bin_starts_ns": tuple(OPEN_NS + 2 * MINUTE * i for i in range(len(targets))),
        "targets": targets,
        "unfilled_quantity": 0,
        "cost_bps_e9": 0,
        "risk_bps_e9": 0,
        "completion_e9": 0,
    }
    return ExecutionPlan(**(fields | changes))


PLAN = plan(400, 700, 850, 950, 1_000)


@pytest.mark.parametrize("half_life", [2.0, 0.5, 0.2, 0.05])
def test_equal_bins_give_the_trajectory_of_almgren_and_chriss(half_life: float) -> None:
    """The discrete rate kappa~ is 1 / half-life: permanent impact, spread and eta drop out."""
    steps = 40
    case = AlmgrenChriss(1e6, 1.0, steps, sigma=0.02, epsilon=0.0, eta=1e-6, gamma=0.0)
    expected = almgren_chriss(case, risk_aversion_of_half_life(case, half_life))
    length_ns = 10 * MINUTE
    half_life_ns = round(half_life * steps * length_ns)
    targets = front_loaded_targets(1_000_000, [7] * steps, [length_ns] * steps, half_life_ns)
    done = [1e6 - left for left in expected.holdings[1:]]
    assert list(targets) == pytest.approx(done, abs=1.0)


def test_without_risk_the_schedule_is_the_volume_curve() -> None:
    lengths = [MINUTE] * 4
    slow = front_loaded_targets(1_000, [1, 2, 3, 4], lengths, 10**6 * MINUTE)
    assert slow == (100, 300, 600, 1_000)
    fast = front_loaded_targets(1_000, [1, 2, 3, 4], lengths, MINUTE // 1_000)
    assert fast == (999, 999, 999, 1_000)  # nothing is worth waiting for


def test_bins_without_volume_and_parents_of_one_unit_are_planned() -> None:
    assert front_loaded_targets(1, [0, 0, 5], [MINUTE] * 3, MINUTE)[-1] == 1
    assert front_loaded_targets(0, [1, 1], [MINUTE] * 2, MINUTE) == (0, 0)


def test_without_a_plan_the_fallback_is_named_and_its_front_is_heavier() -> None:
    curve = forecast(*[1_000] * 10)
    first = given(STRATEGY, *OPENED).when(begin(forecast=curve)).events()[0]
    assert (first.model, first.plan_id, first.targets[-1]) == (FALLBACK, "", 1_000)
    sizes = [b - a for a, b in zip((0, *first.targets), first.targets, strict=False)]
    assert sizes[0] > 150 > sizes[5] >= sizes[9] - 2  # kappa T = 2


def test_an_urgent_order_does_more_at_once_than_a_passive_one() -> None:
    firsts = {}
    for urgency in (Urgency.PASSIVE, Urgency.NEUTRAL, Urgency.URGENT):
        terms = parent_opened(StrategyKind.IMPLEMENTATION_SHORTFALL, urgency=urgency)
        events = given(STRATEGY, terms, epoch_opened()).when(begin()).events()
        firsts[urgency] = events[0].targets[0]
    assert firsts[Urgency.PASSIVE] < firsts[Urgency.NEUTRAL] < firsts[Urgency.URGENT]


def test_a_plan_is_followed_bin_by_bin() -> None:
    history = (*OPENED, *given(STRATEGY, *OPENED).when(begin(plan=PLAN)).events())
    schedule, seen, slice_ = history[2:]
    assert (schedule.plan_id, schedule.request_id, schedule.model) == ("R1", "R1", "planner/1")
    assert (schedule.targets, seen.target_quantity, slice_.quantity) == (PLAN.targets, 400, 400)
    events = given(STRATEGY, *history).when(wake(OPEN_NS + 2 * MINUTE, plan=PLAN)).events()
    assert [type(event) for event in events if isinstance(event, ScheduleSet)] == []
    assert events[0].target_quantity == 700


def test_a_newer_plan_replaces_the_one_in_force_at_once() -> None:
    history = (*OPENED, *given(STRATEGY, *OPENED).when(begin(plan=PLAN)).events())
    newer = plan(500, 900, 1_000, 1_000, 1_000, plan_id="R2", request_id="R2")
    at_ns = OPEN_NS + 30 * SECOND
    command = recalibrate(Cause.PLAN, at_ns, plan=newer)
    events = given(STRATEGY, *history).when(command).events()
    assert (events[0].plan_id, events[0].cause) == ("R2", Cause.PLAN)
    assert events[0].bin_starts_ns[:2] == (at_ns, OPEN_NS + 2 * MINUTE)
    assert events[1].target_quantity == 500
    state = STRATEGY.fold((*history, *events))
    assert STRATEGY.decide(state, command) == ()


def test_a_plan_that_does_not_fit_any_more_gives_way_to_the_fallback() -> None:
    history = (*OPENED, *given(STRATEGY, *OPENED).when(begin(plan=PLAN)).events())
    curve = forecast(*[1_000] * 8, bin_start_ns=OPEN_NS + 2 * MINUTE)
    command = wake(OPEN_NS + 2 * MINUTE, forecast=curve)
    events = given(STRATEGY, *history).when(command).events()
    assert (events[0].model, events[0].plan_id) == (FALLBACK, "")
    assert events[0].anchor_quantity == 400  # what is out already
    assert events[0].targets[-1] == 1_000


def test_the_last_bin_of_a_plan_works_all_that_is_left() -> None:
    capped = plan(400, 600, unfilled_quantity=400)
    history = (*OPENED, *given(STRATEGY, *OPENED).when(begin(plan=capped)).events())
    events = given(STRATEGY, *history).when(wake(OPEN_NS + 2 * MINUTE, plan=capped)).events()
    assert events[0].target_quantity == 1_000


def test_an_interruption_is_not_caught_up_with_at_once() -> None:
    opened = (parent_opened(StrategyKind.TWAP), epoch_opened())
    history = (*opened, *given(STRATEGY, *opened).when(begin()).events())
    starts = history[2].bin_starts_ns
    state = STRATEGY.fold(history)
    for at_ns in starts[:5]:
        events = STRATEGY.decide(state, wake(at_ns, market=market(is_open=False)))
        STRATEGY.fold(events, state)
    resumed: Any = STRATEGY.decide(state, wake(starts[4] + 10 * SECOND, market=market()))
    assert (resumed[0].cause, resumed[0].anchor_quantity) == (Cause.TRADING_RESUMED, 0)
    released = [event for event in resumed if isinstance(event, SliceReleased)]
    assert sum(event.quantity for event in released) < 300  # 500 are behind the line
