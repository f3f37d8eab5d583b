"""A venue that disappears, and one that answers late: what is lost, what comes when, and how."""

from typing import Any

import pytest

from schemas.messages.core import ExecType, Side, TimeInForce
from schemas.messages.market import BookUpdated, TradePrinted
from schemas.messages.venues import ConnectionChanged, ExecutionReport
from services.venues.application import VenueSimulator
from services.venues.conditions import Conditions
from services.venues.scenario import Day, Scenario, plan_day
from services.venues.troubles import NOTICED_S, Trouble, TroubleKind, parse_troubles
from tests.support.venue_driver import (
    PARTITIONS,
    VenueDriver,
    child_placed,
    status_requested,
)

FROM, UNTIL, DELAY = 20, 50, 7
GONE, SLOW = f"NORD:GONE:{FROM}-{UNTIL}", f"NORD:SLOW:{FROM}-{UNTIL}:{DELAY}"
FAR = 40_000_000_000


def day_of(troubles: str) -> Day:
    held = Conditions(troubles=troubles)
    return plan_day(Scenario(seed=7, minutes=2, orders=0, conditions=held))


def play(troubles: str, children: dict[int, list[Any]]) -> list[tuple[int, Any]]:
    day = day_of(troubles)
    driver, heard = VenueDriver(day), []
    for step in range(1, day.steps + 1):
        for each in driver.step(children.get(step, [])):
            begin_ns = day.terms.start_ns + (step - 1) * day.terms.step_ns
            assert begin_ns <= each.source_ns <= begin_ns + day.terms.step_ns
            heard.append((step, each.message))
    return heard


def reports(heard: list[tuple[int, Any]], child_id: str) -> list[tuple[int, ExecType]]:
    return [
        (step, m.exec_type)
        for step, m in heard
        if isinstance(m, ExecutionReport) and m.child_id == child_id
    ]


def test_what_is_sent_to_a_venue_that_is_gone_is_lost() -> None:
    order = child_placed("c.1.1", price_e9=FAR)
    heard = play(GONE, {30: [order], 60: [status_requested(order)]})
    assert reports(heard, "c.1.1") == [(60, ExecType.ORDER_STATUS)]
    (answer,) = [m for _, m in heard if isinstance(m, ExecutionReport)]
    assert answer.text == "unknown order"


def test_what_it_says_meanwhile_comes_when_it_is_back() -> None:
    ladder = [
        child_placed(
            f"c.1.{n}", side=Side.SELL, price_e9=41_190_000_000 + n * 10_000_000, self_trade_id=""
        )
        for n in range(5)
    ]
    ordinary, gone = play("", {19: ladder}), play(GONE, {19: ladder})
    for child in ladder:
        usual, heard = (reports(each, child.child_id) for each in (ordinary, gone))
        assert [kind for _, kind in heard] == [kind for _, kind in usual]
        assert not [step for step, _ in heard if FROM < step <= UNTIL]
        held = [step for step, _ in usual if FROM < step <= UNTIL]
        assert [step for step, _ in heard].count(UNTIL + 1) >= len(held)
    assert [m for s, m in ordinary if isinstance(m, ExecutionReport) and FROM < s <= UNTIL]


def test_its_market_data_stops_and_the_others_do_not() -> None:
    heard = play(GONE, {})
    for venue_id in ("NORD", "OST"):
        steps = {
            step
            for step, m in heard
            if isinstance(m, BookUpdated | TradePrinted) and m.venue_id == venue_id
        }
        assert bool(steps & {*range(FROM + 1, UNTIL + 1)}) == (venue_id == "OST")
        assert UNTIL + 3 in steps


def test_the_gateway_says_it_on_every_partition_and_again_when_it_is_back() -> None:
    links = [
        (step, m.is_connected) for step, m in play(GONE, {}) if isinstance(m, ConnectionChanged)
    ]
    lost, back = (FROM + NOTICED_S + 1, False), (UNTIL + 1, True)
    assert links == [lost] * PARTITIONS + [back] * PARTITIONS


def test_a_slow_venue_works_in_time_and_answers_late() -> None:
    taker = child_placed("c.1.1", price_e9=60_000_000_000, time_in_force=TimeInForce.IOC)
    heard = play(SLOW, {30: [taker]})
    assert {step for step, _ in reports(heard, "c.1.1")} == {30 + DELAY}
    (fill, *_) = [
        m for _, m in heard if isinstance(m, ExecutionReport) and m.exec_type is ExecType.TRADE
    ]
    day = day_of(SLOW)
    assert fill.transact_ns <= day.terms.start_ns + 30 * day.terms.step_ns
    assert next(s for s, m in heard if isinstance(m, TradePrinted) and m.own_quantity) == 30
    assert not [m for _, m in heard if isinstance(m, ConnectionChanged)]


def test_nothing_stays_untold_when_the_day_is_over() -> None:
    resting = child_placed("c.1.1", price_e9=FAR)
    heard = reports(play("NORD:GONE:20-9999", {10: [resting]}), "c.1.1")
    assert [kind for _, kind in heard] == [ExecType.NEW, ExecType.EXPIRED]


def test_a_snapshot_in_the_trouble_goes_on_alike() -> None:
    live = VenueDriver(day_of(GONE))
    resting = child_placed("c.1.1", price_e9=41_200_000_000, quantity=200)
    for step in range(1, 41):
        live.step([resting] if step == 19 else [])
    again = VenueDriver(day_of(GONE))
    again.simulator = VenueSimulator(day_of(GONE), PARTITIONS)
    again.simulator.load(live.simulator.snapshot())
    for _ in range(30):
        assert [e.message for e in live.step()] == [e.message for e in again.step()]


def test_the_words_of_a_scenario() -> None:
    found = parse_troubles(f"{GONE},{SLOW}")
    assert found == (
        Trouble("NORD", TroubleKind.GONE, FROM, UNTIL),
        Trouble("NORD", TroubleKind.SLOW, FROM, UNTIL, DELAY),
    )
    assert parse_troubles("") == ()


@pytest.mark.parametrize(
    "word",
    [
        "NORD",
        "NORD:GONE:5",
        "NORD:GONE:9-5",
        "NORD:ODD:1-5",
        ":GONE:1-5",
        "NORD:SLOW:1-5",
        "A:GONE:1-5:3",
    ],
)
def test_other_words_are_named(word: str) -> None:
    with pytest.raises(ValueError, match=word):
        parse_troubles(word)
