"""Auctions and halts end to end on one memory log: clients, engines, venues, the checker."""

from collections import Counter
from functools import partial

import pytest

from schemas.messages.core import Liquidity, OrderStatus, PhaseKind, StrategyKind, TimeInForce
from schemas.messages.intake import OrderAccepted, OrderClosed, OrderRejected
from schemas.messages.netting import ParentOpened
from schemas.messages.routing import ChildPlaced, FillBooked
from schemas.messages.strategy import SliceReleased
from services.venues.conditions import Conditions
from services.venues.halts import plan_halts
from services.venues.scenario import Scenario
from streams.core import topics
from streams.runtime.replay import replay
from streams.shard import EngineShard
from tests.support.market_shards import CODEC, LOG_ID, PARTITIONS, MarketShards

T = TimeInForce
HELD = Conditions(opening_s=20, closing_s=20, halts=3)
SCENARIO = Scenario(seed=4, minutes=3, orders=200, conditions=HELD)


@pytest.fixture(scope="module")
def market() -> MarketShards:
    played = MarketShards(SCENARIO)
    played.run()
    return played


def accepted(market: MarketShards, *tifs: T) -> dict[str, OrderAccepted]:
    messages = market.messages(topics.ORDERS_EVENTS)
    return {
        m.order_id: m
        for m in messages
        if isinstance(m, OrderAccepted) and (m.time_in_force in tifs or not tifs)
    }


def auction_children(market: MarketShards) -> list[ChildPlaced]:
    children = market.messages(topics.CHILDREN_EVENTS)
    return [
        m
        for m in children
        if isinstance(m, ChildPlaced) and m.time_in_force in (T.AT_OPEN, T.AT_CLOSE)
    ]


def test_the_checker_finds_nothing(market: MarketShards) -> None:
    report = market.check()
    assert [str(finding) for finding in report.findings] == []
    assert report.filled_quantity == report.allocated_quantity > 0


def test_orders_for_the_auctions_are_taken_and_end(market: MarketShards) -> None:
    orders = accepted(market, T.AT_OPEN, T.AT_CLOSE)
    kinds = Counter(order.time_in_force for order in orders.values())
    assert kinds[T.AT_OPEN] > 0 and kinds[T.AT_CLOSE] > 0
    closed = {
        m.order_id: m for m in market.messages(topics.ORDERS_EVENTS) if isinstance(m, OrderClosed)
    }
    assert set(orders) <= set(closed)
    statuses = Counter(closed[order_id].status for order_id in orders)
    assert statuses[OrderStatus.FILLED] > 0
    refused = [m for m in market.messages(topics.ORDERS_EVENTS) if isinstance(m, OrderRejected)]
    assert not [m for m in refused if m.reason.value.startswith("UNSUPPORTED")]


def test_their_children_fill_in_the_auctions(market: MarketShards) -> None:
    children = auction_children(market)
    assert {child.time_in_force for child in children} == {T.AT_OPEN, T.AT_CLOSE}
    assert {child.venue_id for child in children} <= {"NORD", "OST"}
    ids = {child.child_id for child in children}
    fills = [m for m in market.messages(topics.FILLS_EVENTS) if isinstance(m, FillBooked)]
    in_auctions = [fill for fill in fills if fill.child_id in ids]
    assert in_auctions
    assert {fill.liquidity for fill in in_auctions} == {Liquidity.AUCTION}
    hours = market.day.hours
    assert {fill.transact_ns for fill in in_auctions} == {hours.open_ns, hours.end_ns}
    assert not [f for f in fills if f.liquidity is Liquidity.AUCTION and f.child_id not in ids]


def test_a_parent_towards_the_close_trades_before_it_and_in_it(market: MarketShards) -> None:
    parents = {
        m.parent_id: m
        for m in market.messages(topics.AGGREGATIONS_EVENTS)
        if isinstance(m, ParentOpened)
    }
    slices = [m for m in market.messages(topics.STRATEGIES_EVENTS) if isinstance(m, SliceReleased)]
    closing = {part.parent_id for part in slices if part.auction is PhaseKind.CLOSING_AUCTION}
    toward = {p for p, m in parents.items() if m.strategy is StrategyKind.CLOSE}
    assert toward & closing
    at_close = {p for p, m in parents.items() if m.time_in_force is T.AT_CLOSE}
    assert at_close <= closing
    for part in slices:
        if part.parent_id in at_close:
            assert part.auction is PhaseKind.CLOSING_AUCTION


def test_each_child_is_there_before_its_cut_off(market: MarketShards) -> None:
    for child in auction_children(market):
        assert child.placed_ns < child.cancel_until_ns < child.rest_until_ns


def test_nothing_is_sent_into_a_halt_and_trading_goes_on_after_it(market: MarketShards) -> None:
    hours = market.day.hours
    names = [*market.day.terms.instruments]
    halts = plan_halts(SCENARIO.seed, 3, names, hours.continuous_steps, hours.step_ns)
    children = [m for m in market.messages(topics.CHILDREN_EVENTS) if isinstance(m, ChildPlaced)]
    for halt in halts:
        from_ns = hours.open_ns + halt.from_step * hours.step_ns
        until_ns = hours.open_ns + halt.open_step * hours.step_ns
        own = [child for child in children if child.instrument_id == halt.instrument_id]
        for child in own:
            is_there = halt.venue_id in ("", child.venue_id)
            is_auction = child.time_in_force in (T.AT_OPEN, T.AT_CLOSE)
            assert is_auction or not (is_there and from_ns <= child.placed_ns < until_ns)
        assert any(child.placed_ns >= until_ns for child in own)


def test_a_replay_gives_the_same_bytes(market: MarketShards) -> None:
    for shard in range(PARTITIONS):
        report = replay(
            market.log,
            CODEC,
            market.settings(shard),
            partial(EngineShard, shard, PARTITIONS, LOG_ID),
        )
        assert report.is_equal, report.difference
