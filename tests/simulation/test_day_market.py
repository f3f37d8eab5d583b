"""The simulator, four engines and the independent checker on one thread and one memory log."""

from functools import partial

import pytest

from schemas.messages.core import OrderStatus
from schemas.messages.intake import OrderAccepted, OrderClosed
from services.venues.scenario import Scenario
from streams.core import topics
from streams.runtime.replay import replay
from streams.shard import EngineShard
from tests.support.market_shards import CODEC, LOG_ID, PARTITIONS, MarketShards


@pytest.fixture(scope="module")
def market() -> MarketShards:
    played = MarketShards(Scenario(seed=3, minutes=3, orders=120))
    played.run()
    return played


def test_the_checker_finds_nothing_and_everything_filled_is_allocated(market: MarketShards) -> None:
    report = market.check()
    assert [str(finding) for finding in report.findings] == []
    assert report.unconsumed_inputs == 0
    assert report.filled_quantity == report.allocated_quantity > 0
    assert report.orders > 100
    assert report.crosses > 0


def test_every_accepted_order_ends(market: MarketShards) -> None:
    events = market.messages(topics.ORDERS_EVENTS)
    accepted = {event.order_id for event in events if isinstance(event, OrderAccepted)}
    closed = {event.order_id: event.status for event in events if isinstance(event, OrderClosed)}
    states = [engine.application for engine in market.engines]
    for state in states:
        assert isinstance(state, EngineShard)
        assert not state.state.parents
        assert not any(order.is_open for order in state.state.intake.orders.values())
    assert set(closed) <= accepted
    assert list(closed.values()).count(OrderStatus.FILLED) > len(accepted) * 9 // 10


def test_every_shard_decides_the_same_again(market: MarketShards) -> None:
    for shard in range(PARTITIONS):
        report = replay(
            market.log,
            CODEC,
            market.settings(shard),
            partial(EngineShard, shard, PARTITIONS, LOG_ID),
        )
        assert report.difference is None
        assert not report.model_differences
