"""Simulator and engines in lockstep on the memory log: equal days, crashes, replay."""

from functools import cache
from random import Random
from typing import Any

from schemas.messages.core import ClockMode, OrderStatus
from schemas.messages.intake import OrderAccepted, OrderClosed, OrderRejected
from schemas.messages.market import Watermark
from schemas.messages.routing import FillBooked
from services.venues.application import VenueSimulator
from services.venues.edges import OUTPUT_TOPICS
from services.venues.host import is_over, simulator_host
from services.venues.inbox import PacedInbox, Schedule
from services.venues.scenario import Day, Scenario, definitions, plan_day
from services.venues.settings import SIMULATOR_SHARD, simulator_settings
from streams.adapters.clock import WallClock
from streams.adapters.codec import AvroCodec
from streams.adapters.memory import MemoryLog
from streams.core import topics
from streams.core.envelope import outside_envelope
from streams.runtime.host import ShardHost
from streams.runtime.inbox import TapeInbox
from streams.runtime.ports import TopicPartition
from streams.runtime.replay import replay
from streams.runtime.settings import engine_settings
from streams.shard import EngineShard
from tests.support.memory_shard import shard_log

PARTITIONS = 2
LOG_ID = b"penstock-testlog"
CODEC = AvroCodec()
SCENARIO = Scenario(seed=11, minutes=2, orders=80)
TURNS_MAX = 5_000


@cache
def planned() -> Day:
    return plan_day(SCENARIO)


class Market:
    """The processes of a day, taking turns on one thread."""

    def __init__(self) -> None:
        self.log: MemoryLog = shard_log(partitions=PARTITIONS)
        for number, message in enumerate(definitions(SCENARIO, planned())):
            envelope = outside_envelope(number.to_bytes(16, "big"), 0, "test")
            self.log.append(topics.CONTROL_COMMANDS, 0, b"", CODEC.encode(envelope, message))
        self.settings = simulator_settings(
            PARTITIONS, LOG_ID, seed=SCENARIO.seed, snapshot_batches=20
        )
        self.simulator = self.start_simulator()
        self.engines = [self._engine(shard) for shard in range(PARTITIONS)]

    def start_simulator(self) -> ShardHost:
        """Start it anew, as after kill -9: whoever ran before is fenced and never heard of."""
        self.simulator = simulator_host(
            self.log, CODEC, self.settings, planned(), partitions=PARTITIONS
        )
        self.simulator.take_over()
        return self.simulator

    def _engine(self, shard: int) -> ShardHost:
        settings = engine_settings(shard, ClockMode.TAPE, LOG_ID, seed=SCENARIO.seed)
        host = ShardHost(
            self.log,
            CODEC,
            settings,
            make_application=lambda: EngineShard(shard, PARTITIONS, LOG_ID),
            inbox=TapeInbox(self.log, CODEC, settings),
            clock=WallClock(),
        )
        host.take_over()
        return host

    def run(self, kills: frozenset[int] = frozenset()) -> None:
        """Run to the end; the simulator dies before the turns in `kills`."""
        for turn in range(TURNS_MAX):
            if is_over(self.simulator):
                break
            if turn in kills:
                self.start_simulator()
            self.simulator.turn()
            for engine in self.engines:
                engine.turn()
        assert is_over(self.simulator)
        for engine in self.engines:
            engine.turn()

    def messages(self, *names: str) -> list[tuple[str, int, int, int, Any]]:
        """Return (topic, partition, topic_seq, source_ns, message) of what stands committed."""
        found = []
        for topic in names:
            for number in range(PARTITIONS):
                records, _ = self.log.partition(TopicPartition(topic, number)).read(0, 1 << 40)
                for record in records:
                    envelope, message = CODEC.decode(record.value)
                    entry = (topic, number, envelope.topic_seq, envelope.source_ns, message)
                    found.append(entry)
        return found


def test_a_paced_market_goes_on_without_engines() -> None:
    market = Market()
    day = planned()
    schedule = Schedule(day.terms.start_ns, day.terms.step_ns, day.steps)
    clock = HalfStepClock(day.terms.start_ns)
    inbox = PacedInbox(market.log, CODEC, schedule, PARTITIONS, clock)
    host = ShardHost(
        market.log,
        CODEC,
        market.settings,
        make_application=lambda: VenueSimulator(planned(), PARTITIONS),
        inbox=inbox,
        clock=WallClock(),
    )
    host.take_over()
    turns = [host.turn() for _ in range(40)]
    assert turns == [False, True] * 20
    marks = [entry[-1] for entry in market.messages(topics.MARKET_DATA)]
    steps = [mark.step for mark in marks if isinstance(mark, Watermark)]
    assert sorted(steps) == sorted([*range(1, 21)] * PARTITIONS)


class HalfStepClock:
    """Implements ports.Clock: half a step at each reading."""

    def __init__(self, start_ns: int) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        self._now_ns += planned().terms.step_ns // 2
        return self._now_ns

    def floor(self, now_ns: int) -> None:
        self._now_ns = max(self._now_ns, now_ns)


ENGINE_TOPICS = (topics.ORDERS_EVENTS, topics.CHILDREN_EVENTS, topics.FILLS_EVENTS)


@cache
def clean() -> Market:
    market = Market()
    market.run()
    return market


def test_a_day_in_lockstep_works_its_orders_to_the_end() -> None:
    said = [entry[-1] for entry in clean().messages(*OUTPUT_TOPICS, *ENGINE_TOPICS)]
    accepted = [each for each in said if isinstance(each, OrderAccepted)]
    rejected = [each for each in said if isinstance(each, OrderRejected)]
    closed = [each for each in said if isinstance(each, OrderClosed)]
    marks = [each for each in said if isinstance(each, Watermark)]
    assert len(accepted) + len(rejected) == SCENARIO.orders
    filled = sum(each.status is OrderStatus.FILLED for each in closed)
    assert filled > SCENARIO.orders * 9 // 10
    assert any(isinstance(each, FillBooked) for each in said)
    assert sum(mark.is_final for mark in marks) == 3 * PARTITIONS


def test_the_same_seed_gives_the_same_children() -> None:
    again = Market()
    again.run()
    names = (*OUTPUT_TOPICS, *ENGINE_TOPICS)
    assert again.messages(*names) == clean().messages(*names)


def test_a_simulator_that_is_killed_loses_nothing_and_doubles_nothing() -> None:
    for seed in range(2):
        turns = Random(seed).sample(range(1, 120), 8)
        market = Market()
        market.run(kills=frozenset(turns))
        for topic in (*OUTPUT_TOPICS, *ENGINE_TOPICS):
            assert market.messages(topic) == clean().messages(topic), f"seed {seed}, {topic}"


def test_the_simulator_decides_its_journal_again() -> None:
    market = clean()
    report = replay(
        market.log, CODEC, market.settings, lambda: VenueSimulator(planned(), PARTITIONS)
    )
    assert report.difference is None
    assert report.batches == planned().steps and report.state_hashes > 3
    assert report.shard == SIMULATOR_SHARD


def test_a_simulator_restored_from_its_snapshot_has_the_same_state() -> None:
    market = clean()
    live = market.simulator.application.snapshot()
    assert market.start_simulator().application.snapshot() == live
