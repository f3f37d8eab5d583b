"""Goal: whatever is killed, nothing is lost or doubled, and the day is the same day.

Method: a lockstep day is a function of its seed, so a day under kills must decide what an
undisturbed one decides. The dice are seeded; the moments are the machine's.
"""

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.ending import FENCED
from services.venues.scenario import Scenario
from tests.support.broker import own_broker  # noqa: F401  # fixture
from tests.support.market_day import MarketDay
from tests.support.own_broker import OwnBroker, open_broker

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.timeout(600)]
SCENARIO = Scenario(seed=11, minutes=4, orders=600)
SHORT = Scenario(seed=12, minutes=1, orders=300)
TRANSACTION_TIMEOUT_MS = 2_000
ENGINE_KILLS, SIMULATOR_KILLS = 20, 5


@contextmanager
def day_on(bootstrap: str, logs: Path) -> Iterator[MarketDay]:
    day = MarketDay(bootstrap=bootstrap, scenario=SCENARIO, logs=logs)
    day.prepare()
    try:
        day.start_engines()
        day.start_simulator()
        yield day
    finally:
        day.stop()


def assert_proved(day: MarketDay) -> None:
    report = day.check()
    assert report.is_clean, report.findings[:5]
    assert report.unconsumed_inputs == 0
    assert report.fills > 50, "a day without fills proves nothing"
    differences = [replay.difference for replay in day.replay() if not replay.is_equal]
    assert not differences, differences
    summary = day.summary()
    assert summary.unallocated_quantity == summary.overfilled_quantity == 0


def test_a_day_under_kill_9_is_the_undisturbed_day(
    tmp_path: Path,
    own_broker: OwnBroker,  # noqa: F811  # the fixture
) -> None:
    dice = random.Random(20)
    (tmp_path / "kills").mkdir()
    (tmp_path / "calm").mkdir()
    with day_on(own_broker.bootstrap, tmp_path / "kills") as day:
        victims = ["engine"] * ENGINE_KILLS + ["simulator"] * SIMULATOR_KILLS
        dice.shuffle(victims)
        every = (day.steps - 20) // len(victims)
        for number, victim in enumerate(victims):
            day.follow_to(5 + number * every)
            if victim == "simulator":
                day.kill("simulator")
                day.start_simulator()
            else:
                pids = day.engine_pids()
                os.kill(dice.choice(pids), signal.SIGKILL)
        day.follow_to(day.steps)
    assert_proved(day)
    decisions = day.decisions()
    with open_broker(tmp_path / "calm-broker") as calm_broker:
        with day_on(calm_broker.bootstrap, tmp_path / "calm") as calm:
            calm.follow_to(calm.steps)
        assert decisions == calm.decisions()


def test_a_killed_broker_comes_back_and_nothing_is_lost(
    tmp_path: Path,
    own_broker: OwnBroker,  # noqa: F811  # the fixture
) -> None:
    with day_on(own_broker.bootstrap, tmp_path) as day:
        for step in (40, 110, 180):
            day.follow_to(step)
            own_broker.kill()
            own_broker.start()
        day.follow_to(day.steps)
    assert_proved(day)


def test_a_paused_broker_holds_the_day_up_and_nothing_is_lost(
    tmp_path: Path,
    own_broker: OwnBroker,  # noqa: F811  # the fixture
) -> None:
    with day_on(own_broker.bootstrap, tmp_path) as day:
        for step in (40, 110, 180):
            day.follow_to(step)
            own_broker.pause_for(own_broker.pause_max_s)
        day.follow_to(day.steps)
    assert_proved(day)


def test_an_engine_stopped_past_its_timeout_is_fenced_and_the_day_is_whole(
    tmp_path: Path,
    own_broker: OwnBroker,  # noqa: F811  # the fixture
) -> None:
    day = MarketDay(bootstrap=own_broker.bootstrap, scenario=SHORT, logs=tmp_path, partitions=1)
    day.prepare()
    try:
        day.start_shard("first", 0, TRANSACTION_TIMEOUT_MS)
        day.start_simulator()
        day.follow_to(20)
        first = day.processes["first"]
        first.send_signal(signal.SIGSTOP)
        stopped = time.monotonic()
        day.start_shard("second", 0, TRANSACTION_TIMEOUT_MS)
        day.follow_to(40)
        step = 40
        while time.monotonic() - stopped < 1.5 * TRANSACTION_TIMEOUT_MS / 1_000:
            step = min(step + 1, day.steps - 5)
            day.follow_to(step)
        first.send_signal(signal.SIGCONT)
        assert first.wait(30) == FENCED
        del day.processes["first"]
        day.follow_to(day.steps)
    finally:
        day.stop()
    assert_proved(day)
