"""The simulator with gateways at both edges: the same day, over other topics."""

from collections import Counter
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.messages.market import Watermark
from schemas.messages.routing import ChildPlaced, FillBooked
from schemas.messages.venues import ExecutionReport
from services.venues.application import VenueSimulator
from services.venues.conditions import Conditions
from services.venues.edges import OUTPUT_TOPICS
from services.venues.hours import GRACE_STEPS
from services.venues.scenario import Scenario, plan_day
from services.venues.settings import VenuesSettings
from streams.core import topics
from tests.support.fix_edges import EdgedMarket

SCENARIO = Scenario(seed=4, minutes=1, orders=60)


def test_what_gateways_carry_makes_a_day_that_the_checker_finds_right() -> None:
    market = EdgedMarket(SCENARIO)
    market.run()
    report = market.check()
    assert report.findings == ()
    assert report.fills > 0
    assert report.filled_quantity == report.allocated_quantity
    placed = [each for each in market.messages(topics.CHILDREN_EVENTS) if type(each) is ChildPlaced]
    at_venues = [
        each for each in market.messages(topics.VENUES_ORDERS) if type(each) is ChildPlaced
    ]
    # In order of each partition; what was placed with the last watermark reaches nobody.
    assert at_venues and at_venues == [each for each in placed if each in at_venues]
    booked = [each for each in market.messages(topics.FILLS_EVENTS) if type(each) is FillBooked]
    assert len(booked) == report.fills


def test_the_engines_topics_hold_nothing_of_the_simulator_but_watermarks_and_the_market() -> None:
    market = EdgedMarket(SCENARIO, between=lambda market: None)
    market.run()
    steps = market.day.steps
    for topic in (topics.ORDERS_COMMANDS, topics.VENUES_REPORTS):
        kinds = Counter(type(each).__name__ for each in market.messages(topic))
        assert kinds == {"Watermark": steps * 4}
    for topic in OUTPUT_TOPICS:
        marks = [each for each in market.messages(topic) if isinstance(each, Watermark)]
        assert sum(mark.is_final for mark in marks) == 4
    assert len(market.messages(topics.OMS_ORDERS)) == len(market.day.commands)


def test_a_simulator_that_starts_again_has_heard_the_same() -> None:
    market = EdgedMarket(SCENARIO)
    market.start()
    for _ in range(30):
        market.simulator.turn()
        market.between(market)
        for engine in market.engines:
            engine.turn()
        market.between(market)
    before = market.simulator.application.snapshot()
    assert any(isinstance(each, ExecutionReport) for each in market.messages(topics.VENUES_REPORTS))
    market.start_simulator()
    assert market.simulator.application.snapshot() == before
    application = market.simulator.application
    assert isinstance(application, VenueSimulator) and application.state.children


def test_the_market_waits_for_engines_that_are_slow() -> None:
    market = EdgedMarket(SCENARIO)
    market.start()
    turns = [market.simulator.turn() for _ in range(5)]
    assert turns == [True, True, False, False, False]
    for engine in market.engines[1:]:
        engine.turn()
    assert market.simulator.turn() is False
    market.engines[0].turn()
    assert market.simulator.turn() is True
    assert market.simulator.turn() is False


def test_a_day_through_gateways_has_time_for_late_answers() -> None:
    usual, longer = (
        plan_day(Scenario(minutes=1, conditions=Conditions(grace_s=seconds))) for seconds in (0, 40)
    )
    assert usual.steps == 60 + GRACE_STEPS
    assert longer.steps == 60 + 40


def settings(**given: Any) -> VenuesSettings:
    return VenuesSettings(**{"bootstrap": "x", **given})


def test_gateways_need_a_clock() -> None:
    with pytest.raises(ValidationError, match="needs a speed"):
        settings(is_fix=True)
    assert settings(is_fix=True, speed=3).edges.orders == topics.OMS_ORDERS
    assert settings().config_version() == settings(grace_s=0).config_version()
    assert settings().config_version() != settings(grace_s=9).config_version()
