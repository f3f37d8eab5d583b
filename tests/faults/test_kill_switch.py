"""A stop that reaches an engine while Kafka is away: what was decided without it never leaves."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from schemas.messages.core import RejectReason
from schemas.messages.intake import OrderRejected
from schemas.messages.kill import KillConfirmed, KillEngaged, KillReleased
from schemas.messages.routing import ChildCancelRequested, ChildPlaced
from schemas.messages.runtime import JournalRecord
from services.audit import check
from services.cli.replay import replay_shards
from services.ending import STOPPED
from services.venues.scenario import Scenario
from streams.core import topics
from tests.support.broker import own_broker  # noqa: F401  # fixture
from tests.support.counted_run import eventually
from tests.support.live_desk import LiveDesk
from tests.support.market_day import MarketDay
from tests.support.own_broker import OwnBroker

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.timeout(300)]
PAUSE_NS = 1_500_000_000
RELEASES = (topics.DECISIONS_EVENTS, KillReleased)


@pytest.fixture
def desk(own_broker: OwnBroker, tmp_path: Path) -> Iterator[LiveDesk]:  # noqa: F811  # fixture
    opened = LiveDesk(bootstrap=own_broker.bootstrap, kill_dir=tmp_path / "kill", logs=tmp_path)
    opened.open()
    yield opened
    opened.stop()


def by_signal(desk: LiveDesk) -> None:
    os.kill(desk.processes[-1].pid, signal.SIGUSR1)


def by_empty_file(desk: LiveDesk) -> None:
    desk.kill_dir.mkdir(exist_ok=True)
    (desk.kill_dir / "stop.json").touch()


@pytest.mark.parametrize("stop", [by_signal, by_empty_file])
def test_nothing_leaves_that_was_decided_after_a_local_stop(
    desk: LiveDesk,
    own_broker: OwnBroker,  # noqa: F811  # the fixture
    stop: Callable[[LiveDesk], None],
) -> None:
    engine = desk.start()
    desk.trade(20)
    desk.await_children(20)
    is_over = threading.Event()

    def load() -> None:
        while not is_over.is_set():
            desk.trade(15)

    clients = threading.Thread(target=load)
    clients.start()
    try:
        sent = len(desk.messages(topics.CHILDREN_EVENTS, ChildPlaced))
        eventually(
            lambda: len(desk.messages(topics.CHILDREN_EVENTS, ChildPlaced)) > sent + 50, "no load"
        )
        own_broker.pause()
        try:
            frozen_ns = time.time_ns()
            stop(desk)
            # The log is away, clients and engine go on as far as they can.
            eventually(lambda: time.time_ns() > frozen_ns + PAUSE_NS, "time stands still")
        finally:
            own_broker.resume()
        eventually(lambda: _killed(desk) > 20, "orders are not refused")
    finally:
        is_over.set()
        clients.join()
    engine.terminate()
    assert engine.wait(30) == STOPPED
    (engaged,) = desk.entries(topics.DECISIONS_EVENTS, KillEngaged)
    journal = desk.entries(topics.ENGINE_JOURNAL, JournalRecord)
    (heard,) = [entry.envelope for entry in journal if entry.message.signals]
    assert heard is not None and engaged.envelope is not None
    assert engaged.envelope.seq == heard.seq
    assert engaged.message.children, "it was stopped under load"
    places = desk.entries(topics.CHILDREN_EVENTS, ChildPlaced)
    late = [entry for entry in places if entry.envelope and entry.envelope.seq >= heard.seq]
    assert late == [], "sent after the kill was in force"
    # Decided once the broker stood still and not yet at the log: a flag before the commit undid it.
    in_flight = [entry for entry in places if entry.envelope and entry.envelope.at_ns > frozen_ns]
    assert in_flight == [], "left after the signal"
    asked = {each.child_id for each in desk.messages(topics.CHILDREN_EVENTS, ChildCancelRequested)}
    assert {child.child_id for child in engaged.message.children} <= asked
    report = check(desk.bootstrap)
    assert report.is_clean, report.findings[:5]
    assert all(replay.is_equal for replay in replay_shards(desk.bootstrap))


def _killed(desk: LiveDesk) -> int:
    refusals = desk.messages(topics.ORDERS_EVENTS, OrderRejected)
    return sum(refusal.reason is RejectReason.KILLED for refusal in refusals)


def test_a_stop_outlives_the_engine_that_was_told(desk: LiveDesk) -> None:
    engine = desk.start()
    desk.trade(5)
    desk.await_children(5)
    os.kill(engine.pid, signal.SIGUSR1)
    eventually(lambda: any(desk.kill_dir.glob("*.json")), "no flag")
    engine.kill()
    engine.wait()
    desk.start()
    desk.trade(5)
    eventually(lambda: _killed(desk) == 5, "the kill was forgotten")
    assert len(desk.messages(topics.CHILDREN_EVENTS, ChildPlaced)) == 5


def test_a_signal_to_the_supervisor_stops_every_shard_and_the_gateway_of_a_lockstep_day(
    own_broker: OwnBroker,  # noqa: F811  # the fixture
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    flags = tmp_path / "kill"
    monkeypatch.setenv("PENSTOCK_KILL_DIR", str(flags))
    # Long enough that the day still runs when the second person has released, on a slow machine.
    scenario = Scenario(seed=23, minutes=14, orders=300)
    day = MarketDay(bootstrap=own_broker.bootstrap, scenario=scenario, logs=tmp_path)
    day.prepare()
    desk = LiveDesk(bootstrap=day.bootstrap, kill_dir=flags, logs=tmp_path)
    try:
        day.start_engines()
        day.start_simulator()
        day.follow_to(40)
        os.kill(day.processes["engines"].pid, signal.SIGUSR1)
        eventually(lambda: any(flags.glob("*.json")), "no flag")
        eventually(lambda: _confirmed(desk) == day.partitions, "not every shard is confirmed")
        listed = desk.penstock("kill", "--list")[1]
        assert [each["shards"] for each in listed] == [[0, 1, 2, 3]]
        for person, step in [("bob", "proposed"), ("cat", "released")]:
            code, said = desk.penstock("unkill", listed[0]["kill_id"], f"--actor={person}")
            assert (code, said["step"]) == (0, step), said
        day.follow_to(day.steps)
    finally:
        day.stop()
    released = {each.envelope.shard: each for each in desk.entries(*RELEASES) if each.envelope}
    assert set(released) == {0, 1, 2, 3}
    report = day.check()
    assert report.is_clean, report.findings[:5]
    assert all(replay.is_equal for replay in day.replay())


def _confirmed(desk: LiveDesk) -> int:
    return len(desk.messages(topics.DECISIONS_EVENTS, KillConfirmed))
