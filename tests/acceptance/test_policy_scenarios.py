"""The trilemma as an owner sees it, told by the events of a shard alone."""

from itertools import pairwise
from typing import Any

import pytest

from schemas.messages.core import (
    Aim,
    Cause,
    LimitState,
    OrderStatus,
    PlanFault,
    StrategyKind,
    StrategyParameters,
    TradingStatus,
    Urgency,
)
from schemas.messages.market import TradingStatusChanged
from schemas.messages.netting import ParentClosed
from schemas.messages.plans import PlanPublished
from schemas.messages.routing import FillBooked
from schemas.messages.strategy import (
    CompletionAtRisk,
    CompletionRestored,
    PlanAdopted,
    PlanEstimated,
    PlanExpired,
    PlanRequested,
    PolicyEvaluated,
    ScheduleSet,
    StrategyChosen,
)
from streams.core import topics
from streams.models.plans import solved
from tests.support.builders import ACME, MINUTE, OPEN_NS, SECOND
from tests.support.policy_day import PolicyDay

E9 = 1_000_000_000


def answer(request: PlanRequested, shard: int = 0, valid_ns: int = 600 * SECOND) -> PlanPublished:
    """Return what a planner says to it."""
    return PlanPublished(
        plan=solved(request, None, valid_ns),
        shard=shard,
        topic=topics.STRATEGIES_EVENTS,
        partition=shard,
        offset=0,
        solved_ns=1,
    )


def filled_ns(day: PolicyDay, quantity: int) -> int:
    """Return when that much was filled."""
    done = 0
    for batch in day.host.batches:
        for event in batch.outputs:
            if isinstance(event.message, FillBooked):
                done += event.message.quantity
                if done >= quantity:
                    return batch.journal.now_ns
    raise AssertionError(f"only {done} of {quantity} were filled")


def test_who_must_be_done_by_the_end_accepts_more_impact_as_time_runs_out() -> None:
    """The venue fills nothing for 25 minutes: the same shares must go in ever less volume."""
    day = PolicyDay(parameters=StrategyParameters(completion_floor_bps=9_500))
    day.run(25 * 60, is_filling=False)
    waiting = [each for each in day.all(PolicyEvaluated) if each.inputs.filled_quantity == 0]
    late = [each for each in waiting if each.inputs.as_of_ns >= OPEN_NS + 10 * MINUTE]
    assert len(late) > 20
    for before, after in pairwise(late):
        assert after.point.participation_bps > before.point.participation_bps
        assert after.point.impact_bps_e9 > before.point.impact_bps_e9
        assert after.point.completion_e9 >= 950_000_000 - 1_000
    assert late[-1].point.impact_bps_e9 > 2 * waiting[0].point.impact_bps_e9
    plans = day.all(PlanEstimated)
    assert plans[-1].plan.cost_bps_e9 > plans[0].plan.cost_bps_e9
    day.run(5 * 60)
    (closed,) = day.all(ParentClosed)
    assert (closed.status, closed.filled_quantity) == (OrderStatus.FILLED, 4_000)
    assert day.host.now_ns <= OPEN_NS + 30 * MINUTE


def test_a_patient_order_takes_longer_and_pays_less() -> None:
    patient, hurried = PolicyDay(urgency=Urgency.PASSIVE), PolicyDay(urgency=Urgency.URGENT)
    for day in (patient, hurried):
        day.run(30 * 60)
        assert day.all(ParentClosed)[0].status is OrderStatus.FILLED
    first, second = patient.all(PolicyEvaluated)[0], hurried.all(PolicyEvaluated)[0]
    assert first.point.duration_ns > 2 * second.point.duration_ns
    assert first.point.cost_bps_e9 < 0.6 * second.point.cost_bps_e9
    assert first.point.risk_bps_e9 > second.point.risk_bps_e9
    slow, quick = patient.all(PlanEstimated)[0].plan, hurried.all(PlanEstimated)[0].plan
    assert slow.cost_bps_e9 < quick.cost_bps_e9
    assert slow.targets[0] < quick.targets[0] / 2
    assert filled_ns(patient, 2_000) - OPEN_NS > 5 * (filled_ns(hurried, 2_000) - OPEN_NS)
    assert filled_ns(patient, 3_900) > filled_ns(hurried, 3_900) + 5 * MINUTE


def test_a_lost_floor_is_said_at_once_with_what_a_higher_cap_costs() -> None:
    parameters = StrategyParameters(completion_floor_bps=9_000)
    day = PolicyDay(parameters=parameters, participation_cap_bps=1_500)
    assert day.all(CompletionAtRisk) == []
    day.volume = 5  # a sixth of what was foreseen
    day.run(12 * 60)
    (said,) = day.all(CompletionAtRisk)
    assert said.completion_e9 < 900_000_000
    assert said.participation_cap_bps == 1_500
    assert said.required_cap_bps > 1_500
    assert 0 < said.required_price_bps_e9 < 20 * E9
    assert said.unfilled_quantity > 0
    found = next(each for each in day.all(PolicyEvaluated) if not each.is_floor_kept)
    earlier = [each for each in day.all(PolicyEvaluated) if each.ordinal < found.ordinal]
    assert all(each.is_floor_kept for each in earlier)  # at the first that found it
    assert found.inputs.as_of_ns - earlier[-1].inputs.as_of_ns <= 30 * SECOND
    day.volume = 100
    day.run(15 * 60)
    assert [type(each) for each in day.all(CompletionAtRisk, CompletionRestored)] == [
        CompletionAtRisk,
        CompletionRestored,
    ]


def test_a_floor_alone_is_watched_for_any_strategy_and_plans_nothing() -> None:
    parameters = StrategyParameters(completion_floor_bps=9_000)
    day = PolicyDay(strategy=StrategyKind.VWAP, parameters=parameters, participation_cap_bps=600)
    day.run(60)
    assert len(day.all(CompletionAtRisk)) == 1
    assert day.all(PlanRequested, PlanEstimated, StrategyChosen) == []


def test_without_floor_or_choice_nothing_is_weighed() -> None:
    for strategy in (StrategyKind.VWAP, StrategyKind.TWAP, StrategyKind.IMMEDIATE):
        day = PolicyDay(strategy=strategy)
        day.run(60)
        assert day.all(PolicyEvaluated, PlanRequested, PlanEstimated) == []


@pytest.mark.parametrize(
    ("aim", "strategies"),
    [
        (Aim.ARRIVAL, {StrategyKind.IMPLEMENTATION_SHORTFALL, StrategyKind.IMMEDIATE}),
        (Aim.VWAP, {StrategyKind.VWAP}),
        (Aim.PARTICIPATION, {StrategyKind.POV}),
        (
            Aim.IMPACT,
            {
                StrategyKind.VWAP,
                StrategyKind.TWAP,
                StrategyKind.POV,
                StrategyKind.IMPLEMENTATION_SHORTFALL,
            },
        ),
    ],
)
def test_an_order_that_names_its_aim_gets_a_strategy_and_is_worked(
    aim: Aim, strategies: set[StrategyKind]
) -> None:
    day = PolicyDay(strategy=StrategyKind.AUTO, parameters=StrategyParameters(aim=aim))
    day.run(30 * 60)
    (chosen,) = day.all(StrategyChosen)
    assert chosen.strategy in strategies
    assert (chosen.aim, chosen.cause) == (aim, Cause.OPENED)
    assert chosen.alternatives[0].strategy is chosen.strategy
    assert len(chosen.alternatives) >= 5
    allowed = [each.score_e9 for each in chosen.alternatives if each.is_allowed]
    assert allowed == sorted(allowed)
    filled = sum(each.quantity for each in day.all(FillBooked))
    assert filled > 1_000


def causes(day: PolicyDay) -> list[Cause]:
    return [each.cause for each in day.all(PolicyEvaluated)]


def halted(status: TradingStatus) -> TradingStatusChanged:
    return TradingStatusChanged(
        instrument_id=ACME,
        venue_id="",
        status=status,
        limit_state=LimitState.NONE,
        lower_band_e9=0,
        upper_band_e9=0,
        reason="",
    )


def test_the_policy_is_solved_again_for_what_happened_and_says_why() -> None:
    day = PolicyDay()
    day.run(61, is_filling=False)
    assert causes(day)[:3] == [Cause.OPENED, Cause.BIN, Cause.BIN]
    day.run(3)
    assert causes(day)[-1] is Cause.FILL
    day.half_spread = 3
    day.run(100)  # it is the median of some minutes that is looked at
    assert Cause.SPREAD in causes(day)
    day.put(topics.MARKET_DATA, halted(TradingStatus.HALTED))
    assert causes(day)[-1] is Cause.HALT
    day.put(topics.MARKET_DATA, halted(TradingStatus.TRADING))
    assert causes(day)[-1] is Cause.TRADING_RESUMED
    day.volume *= 30
    day.run(60)
    assert Cause.VOLUME in causes(day)


def test_a_policy_is_solved_at_most_once_a_second_whatever_comes() -> None:
    day = PolicyDay(urgency=Urgency.URGENT)
    day.run(300)
    at_ns = [each.inputs.as_of_ns for each in day.all(PolicyEvaluated)]
    assert len(at_ns) == len(set(at_ns))
    assert len(at_ns) <= 12 + len({each.slice_id for each in day.all(FillBooked)})


def test_a_published_plan_is_adopted_and_followed_and_its_name_stands_in_the_schedule() -> None:
    day = PolicyDay()
    day.run(2)
    (request,) = day.all(PlanRequested)
    assert day.all(ScheduleSet)[0].model.startswith("almgren-chriss/1")
    day.put(topics.PLANS_EVENTS, answer(request, shard=1))  # another shard's: passed over
    assert day.all(PlanAdopted) == []
    day.put(topics.PLANS_EVENTS, answer(request))
    (adopted,) = day.all(PlanAdopted)
    assert adopted.plan.request_id == request.request_id
    newest = day.all(ScheduleSet)[-1]
    assert newest.model.startswith("power-law/1")
    assert (newest.plan_id, newest.request_id) == (adopted.plan.plan_id, request.request_id)
    assert newest.targets[-1] == 4_000
    day.host.recover()
    day.run(30 * 60)
    assert day.all(ParentClosed)[0].status is OrderStatus.FILLED


def test_a_plan_that_comes_too_late_is_said_to_be_stale_and_the_fallback_is_named() -> None:
    day = PolicyDay(urgency=Urgency.URGENT)
    (request,) = day.all(PlanRequested)
    day.run(60)
    day.put(topics.PLANS_EVENTS, answer(request, valid_ns=59 * SECOND))
    assert day.all(PlanAdopted) == []
    late = day.all(PlanExpired)[-1]
    assert (late.plan_id, late.fault) == (request.request_id, PlanFault.AGE)
    assert (late.value, late.bound) == (60 * SECOND, 59 * SECOND)
    assert not late.is_followed
    assert late.fallback.startswith("almgren-chriss/1")
    assert day.all(ScheduleSet)[-1].model.startswith("almgren-chriss/1")


def test_a_shard_that_recovers_knows_policies_plans_and_warnings() -> None:
    day = PolicyDay(
        parameters=StrategyParameters(completion_floor_bps=9_000), participation_cap_bps=1_500
    )
    day.volume = 5
    for _ in range(12):
        day.run(60)
        day.host.recover()
    assert len(day.all(CompletionAtRisk)) == 1


def test_plans_of_strangers_and_of_closed_parents_change_nothing() -> None:
    day = PolicyDay()
    day.run(2)
    request = day.all(PlanRequested)[0]
    day.run(31 * 60)
    before: list[Any] = day.all(object)
    day.put(topics.PLANS_EVENTS, answer(request))
    assert day.all(object) == before
