"""What a policy leads to: a strategy, warnings, requests, plans kept and dropped."""

from typing import Any

import msgspec
import pytest

from schemas.messages.core import Aim, Cause, ExecutionPlan, PlanFault, StrategyKind
from schemas.messages.strategy import (
    CompletionAtRisk,
    CompletionRestored,
    PlanAdopted,
    PlanEstimated,
    PlanExpired,
    PlanRequested,
    PolicyEvaluated,
    StrategyChosen,
)
from streams.models.choice import evaluate
from streams.models.plans import estimated, solved
from streams.strategy import STRATEGY, StrategyState, assess
from streams.strategy.policy import AdoptPlan, Assess, PolicySettings
from streams.strategy.staleness import fault_of, moved_beyond
from tests.support.builders import MINUTE, OPEN_NS, SECOND
from tests.support.parents import PARENT, epoch_opened, parent_opened
from tests.support.policies import E9, HOUR, evaluated, inputs, question, request

SETTINGS = PolicySettings()
K = StrategyKind


def world(*events: Any, strategy: StrategyKind = K.IMPLEMENTATION_SHORTFALL) -> StrategyState:
    """Return the state after the parent of `inputs` opened and these events."""
    state = StrategyState()
    opened = parent_opened(strategy, quantity=10_000, end_ns=OPEN_NS + HOUR)
    for event in (opened, epoch_opened(10_000), *events):
        STRATEGY.evolve(state, event)
    return state


def asked(at_ns: int = OPEN_NS, cause: Cause = Cause.BIN) -> Assess:
    return Assess(
        parent_id=PARENT,
        cause=cause,
        at_ns=at_ns,
        forecast=None,
        bin_ns=5 * MINUTE,
        settings=SETTINGS,
    )


def decided(state: StrategyState, command: Assess | AdoptPlan) -> list[Any]:
    """Return the events, folded; the same command again must not repeat a warning or a choice."""
    events = list(assess.decide(state, command))
    for event in events:
        STRATEGY.evolve(state, event)
    return events


def local(number: int = 1, **changes: Any) -> PlanEstimated:
    return estimated(request(**changes), None, f"{PARENT}.local.{number}", 10 * MINUTE)


def published(number: int = 1, **changes: Any) -> ExecutionPlan:
    return solved(request(number, **changes), None, 10 * MINUTE)


def test_a_parent_without_a_policy_is_none_of_this() -> None:
    state = world(strategy=K.VWAP)
    assert state.parents[PARENT].policy is None
    assert decided(state, asked()) == []


@pytest.mark.parametrize(
    ("strategy", "floor", "has_policy"),
    [
        (K.IMPLEMENTATION_SHORTFALL, None, True),
        (K.AUTO, None, True),
        (K.VWAP, 9_500, True),
        (K.VWAP, 0, False),
        (K.TWAP, None, False),
        (K.IMMEDIATE, None, False),
    ],
)
def test_who_has_a_policy(strategy: StrategyKind, floor: int | None, *, has_policy: bool) -> None:
    from schemas.messages.core import StrategyParameters

    state = StrategyState()
    parameters = StrategyParameters(completion_floor_bps=floor)
    STRATEGY.evolve(state, parent_opened(strategy, parameters=parameters))
    assert (state.parents[PARENT].policy is not None) is has_policy


def test_a_shortfall_asks_for_a_plan_with_all_that_a_plan_needs() -> None:
    found = evaluated()
    (event,) = decided(world(found), asked())
    assert isinstance(event, PlanRequested)
    assert event.request_id == f"{PARENT}.plan.1"
    assert event.inputs == found.inputs
    assert event.bin_starts_ns == tuple(OPEN_NS + n * 5 * MINUTE for n in range(12))
    assert event.volumes == (5_000,) * 12


def test_a_plan_that_fits_is_kept_until_it_is_old() -> None:
    state = world(evaluated())
    decided(state, asked())
    STRATEGY.evolve(state, local())
    assert decided(state, asked()) == []
    refresh_ns = OPEN_NS + SETTINGS.plan_refresh_ns
    assert decided(state, asked(refresh_ns - 1)) == []
    (event,) = decided(state, asked(refresh_ns))
    assert isinstance(event, PlanRequested)  # and the old one is followed meanwhile
    policy = state.parents[PARENT].policy
    assert policy is not None
    assert policy.plan is not None


def test_a_plan_that_does_not_fit_is_dropped_and_another_asked_for() -> None:
    state = world(evaluated())
    decided(state, asked())
    STRATEGY.evolve(state, local())
    STRATEGY.evolve(state, evaluated(volatility_bps_e9=400 * E9))
    dropped, again = decided(state, asked())
    assert isinstance(dropped, PlanExpired)
    assert (dropped.fault, dropped.value, dropped.is_followed) == (
        PlanFault.VOLATILITY,
        400 * E9,
        True,
    )
    assert dropped.fallback == "almgren-chriss"
    assert isinstance(again, PlanRequested)
    policy = state.parents[PARENT].policy
    assert policy is not None
    assert policy.plan is None


def test_the_newest_answer_is_adopted() -> None:
    state = world(evaluated())
    decided(state, asked())
    at_ns = OPEN_NS + 3 * SECOND
    command = AdoptPlan(
        plan=published(), at_ns=at_ns, inputs=inputs(as_of_ns=at_ns), settings=SETTINGS
    )
    (event,) = decided(state, command)
    assert event == PlanAdopted(parent_id=PARENT, plan=published(), waited_ns=3 * SECOND)
    policy = state.parents[PARENT].policy
    assert policy is not None
    assert policy.plan == published()
    (again,) = decided(state, command)  # the same answer, as if the planner had said it twice
    assert isinstance(again, PlanExpired)
    assert again.fault is PlanFault.SUPERSEDED


def test_an_answer_to_an_older_request_is_superseded() -> None:
    state = world(evaluated())
    decided(state, asked())
    decided(state, asked(OPEN_NS + SETTINGS.plan_refresh_ns))
    command = AdoptPlan(plan=published(1), at_ns=OPEN_NS, inputs=inputs(), settings=SETTINGS)
    (event,) = decided(state, command)
    assert isinstance(event, PlanExpired)
    assert (event.fault, event.value, event.bound) == (PlanFault.SUPERSEDED, 1, 2)
    assert not event.is_followed


MOVED: tuple[tuple[PlanFault, dict[str, int], bool], ...] = (
    # what moved, to what, and whether that is too far for a plan of inputs()
    (PlanFault.WINDOW, {"end_ns": OPEN_NS + HOUR - 1}, True),
    (PlanFault.QUANTITY, {"quantity": 10_001}, True),
    (PlanFault.CAP, {"participation_cap_bps": 9_999}, True),
    (PlanFault.POLICY, {"completion_floor_bps": 9_000}, True),
    (PlanFault.EPOCH, {"epoch": 2}, True),
    (PlanFault.AGE, {"as_of_ns": OPEN_NS + 10 * MINUTE + 1, "committed_quantity": 2_500}, True),
    (PlanFault.AGE, {"as_of_ns": OPEN_NS + 10 * MINUTE, "committed_quantity": 2_500}, False),
    (PlanFault.VOLATILITY, {"volatility_bps_e9": 157 * E9 * 3 // 2}, False),
    (PlanFault.VOLATILITY, {"volatility_bps_e9": 157 * E9 * 3 // 2 + 1}, True),
    (PlanFault.VOLATILITY, {"volatility_bps_e9": 100 * E9}, True),
    (PlanFault.VOLUME, {"expected_volume": 90_001}, True),
    (PlanFault.VOLUME, {"expected_volume": 40_000}, False),
    (PlanFault.VOLUME, {"expected_volume": 39_999}, True),
    (PlanFault.VOLUME, {"expected_volume": 10_000, "others_quantity": 50_000}, False),
    (PlanFault.SPREAD, {"spread_bps_e9": 5 * E9}, True),
)


@pytest.mark.parametrize(("fault", "changes", "is_stale"), MOVED)
def test_what_makes_a_plan_stale(fault: PlanFault, changes: Any, *, is_stale: bool) -> None:
    plan = local(risk_aversion_e9=0).plan
    found = fault_of(plan, inputs(**{"risk_aversion_e9": 0, **changes}), SETTINGS)
    assert (found is not None) is is_stale
    if found is not None:
        assert found.fault is fault


def test_a_position_may_stand_between_the_targets_of_its_bin_and_some_beyond() -> None:
    plan = local(risk_aversion_e9=0, quantity=12_000).plan  # 1,000 a bin
    at_ns = OPEN_NS + 17 * MINUTE  # in the fourth, from 3,000 to 4,000, and 1,200 beyond
    for committed, is_stale in ((1_799, True), (1_800, False), (5_200, False), (5_201, True)):
        now = inputs(
            as_of_ns=at_ns, quantity=12_000, risk_aversion_e9=0, committed_quantity=committed
        )
        found = fault_of(msgspec.structs.replace(plan, valid_until_ns=at_ns), now, SETTINGS)
        assert (found is not None) is is_stale, committed
        if found is not None:
            assert found.fault is PlanFault.POSITION


def test_beyond_is_by_the_same_factor_up_and_down() -> None:
    assert moved_beyond(150, 100, 5_000) is None
    assert moved_beyond(151, 100, 5_000) == 150
    assert moved_beyond(67, 100, 5_000) is None
    assert moved_beyond(66, 100, 5_000) == 67
    assert moved_beyond(0, 0, 5_000) is None
    assert moved_beyond(1, 0, 5_000) == 0


def risky(**changes: Any) -> PolicyEvaluated:
    return evaluated(participation_cap_bps=1_500, completion_floor_bps=9_500, **changes)


def test_a_floor_that_is_lost_is_said_once_with_its_price() -> None:
    state = world(risky(), strategy=K.AUTO)
    (event,) = decided(state, asked())
    found = risky()
    assert event == CompletionAtRisk(
        parent_id=PARENT,
        cause=Cause.OPENED,
        completion_e9=found.capped.completion_e9,
        completion_floor_bps=9_500,
        unfilled_quantity=found.capped.unfilled_quantity,
        participation_cap_bps=1_500,
        required_cap_bps=found.required_cap_bps,
        required_price_bps_e9=found.required_price_bps_e9,
        expected_volume=60_000,
        end_ns=OPEN_NS + HOUR,
        model=found.model,
    )
    assert event.completion_e9 < 950_000_000
    assert event.required_cap_bps > 1_500
    assert event.required_price_bps_e9 > 0
    assert decided(state, asked()) == []
    STRATEGY.evolve(state, risky(filled_quantity=9_000, committed_quantity=9_000))
    (back,) = decided(state, asked())
    assert isinstance(back, CompletionRestored)
    assert back.completion_e9 >= 950_000_000
    assert decided(state, asked()) == []


def test_an_aim_becomes_a_strategy_once_and_a_shortfall_gets_its_plan() -> None:
    ends = tuple(OPEN_NS + n * HOUR // 10 for n in range(1, 11))
    terms = {"bin_ends": ends, "bin_volumes": (6_000,) * 10, "strategy": K.AUTO}
    found = evaluate(question(aim=Aim.ARRIVAL, **terms), None)
    state = world(found, strategy=K.AUTO)
    chosen, *others = decided(state, asked())
    assert isinstance(chosen, StrategyChosen)
    assert chosen.strategy is found.alternatives[0].strategy is K.IMPLEMENTATION_SHORTFALL
    assert (chosen.aim, chosen.participation_bps) == (Aim.ARRIVAL, found.point.participation_bps)
    assert [type(each) for each in others] == [PlanRequested]
    assert state.parents[PARENT].strategy is K.IMPLEMENTATION_SHORTFALL
    assert not any(isinstance(each, StrategyChosen) for each in decided(state, asked()))


def test_nothing_is_planned_when_all_is_released() -> None:
    state = world(evaluated(committed_quantity=10_000))
    assert decided(state, asked()) == []


def test_nothing_follows_for_a_parent_that_is_gone() -> None:
    state = StrategyState()
    assert decided(state, asked()) == []
    command = AdoptPlan(plan=published(), at_ns=OPEN_NS, inputs=inputs(), settings=SETTINGS)
    assert decided(state, command) == []
