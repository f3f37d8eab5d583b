"""All strategies in one market: what their parents do, the checker, and a replay to the byte."""

from collections import Counter, defaultdict
from typing import Any

import pytest

from schemas.messages.core import StrategyKind
from schemas.messages.market import TradePrinted
from schemas.messages.netting import ParentClosed, ParentOpened
from schemas.messages.routing import FillBooked
from schemas.messages.strategy import ParentRecalibrated, ScheduleSet, SliceReleased, StrategyChosen
from services.venues.scenario import Scenario
from streams.core import topics
from streams.parameters import resolved
from streams.runtime.replay import replay
from streams.shard import EngineShard
from tests.support.market_shards import CODEC, LOG_ID, PARTITIONS, MarketShards

K = StrategyKind
SCENARIO = Scenario(seed=11, minutes=3, orders=400)


@pytest.fixture(scope="module")
def market() -> MarketShards:
    played = MarketShards(SCENARIO)
    played.run()
    return played


def told(market: MarketShards, topic: str, kind: type[Any]) -> list[Any]:
    return [message for message in market.messages(topic) if isinstance(message, kind)]


def parents(market: MarketShards, kind: StrategyKind) -> dict[str, ParentOpened]:
    opened = told(market, topics.AGGREGATIONS_EVENTS, ParentOpened)
    return {each.parent_id: each for each in opened if each.strategy is kind}


def filled(market: MarketShards) -> Counter[str]:
    found: Counter[str] = Counter()
    for fill in told(market, topics.FILLS_EVENTS, FillBooked):
        found[fill.parent_id] += fill.quantity
    return found


def test_the_checker_finds_nothing(market: MarketShards) -> None:
    report = market.check()
    assert [str(finding) for finding in report.findings] == []
    assert report.filled_quantity == report.allocated_quantity > 0


def test_every_strategy_worked_parents_and_all_of_them_closed(market: MarketShards) -> None:
    opened = told(market, topics.AGGREGATIONS_EVENTS, ParentOpened)
    closed = {each.parent_id for each in told(market, topics.AGGREGATIONS_EVENTS, ParentClosed)}
    assert {each.strategy for each in opened} == set(StrategyKind) - {K.UNKNOWN}
    assert {each.parent_id for each in opened} == closed
    released = {e.parent_id for e in told(market, topics.STRATEGIES_EVENTS, SliceReleased)}
    working = Counter(each.strategy for each in opened if each.parent_id in released)
    assert set(working) == set(StrategyKind) - {K.UNKNOWN}


def test_most_of_what_was_ordered_is_done(market: MarketShards) -> None:
    done = filled(market)
    for kind in (K.VWAP, K.TWAP, K.IMPLEMENTATION_SHORTFALL, K.CLOSE):
        closed = {e.parent_id: e for e in told(market, topics.AGGREGATIONS_EVENTS, ParentClosed)}
        own = parents(market, kind)
        whole = sum(closed[parent_id].quantity for parent_id in own)
        assert sum(done[parent_id] for parent_id in own) > 0.8 * whole, kind


def test_rates_stay_within_their_band_of_what_others_traded(market: MarketShards) -> None:
    own = parents(market, K.POV)
    seen = 0
    for each in told(market, topics.STRATEGIES_EVENTS, ParentRecalibrated):
        parent = own.get(each.parent_id)
        if parent is None or not each.filled_quantity:
            continue
        values = resolved(K.POV, parent.urgency, parent.parameters)
        high_bps = min(values.participation_high_bps, parent.participation_cap_bps)
        most = high_bps * each.market_quantity // (10_000 - high_bps)
        assert each.filled_quantity + each.open_quantity <= most
        seen += 1
    assert seen > 5


def test_what_is_chosen_for_an_aim_is_planned_as_chosen(market: MarketShards) -> None:
    chosen = {
        e.parent_id: e.strategy for e in told(market, topics.STRATEGIES_EVENTS, StrategyChosen)
    }
    assert set(chosen) == set(parents(market, K.AUTO))
    plans: dict[str, set[StrategyKind]] = defaultdict(set)
    for plan in told(market, topics.STRATEGIES_EVENTS, ScheduleSet):
        plans[plan.parent_id].add(plan.strategy)
    for parent_id, strategy in chosen.items():
        assert plans[parent_id] <= {strategy}


def test_shortfall_says_who_planned_it(market: MarketShards) -> None:
    own = parents(market, K.IMPLEMENTATION_SHORTFALL)
    plans = [e for e in told(market, topics.STRATEGIES_EVENTS, ScheduleSet) if e.parent_id in own]
    assert {each.parent_id for each in plans} == set(own)
    assert all(each.model for each in plans)


def test_own_prints_are_on_the_tape_and_none_of_the_market(market: MarketShards) -> None:
    prints = told(market, topics.MARKET_DATA, TradePrinted)
    ours = sum(each.own_quantity for each in prints)
    assert 0 < ours <= sum(filled(market).values())


@pytest.mark.parametrize("shard", range(PARTITIONS))
def test_a_replay_gives_the_same_bytes(market: MarketShards, shard: int) -> None:
    report = replay(
        market.log,
        CODEC,
        market.settings(shard),
        make_application=lambda: EngineShard(shard, PARTITIONS, LOG_ID),
    )
    assert report.is_equal, report.difference
