"""The simulator and every engine shard of a scenario in one thread, on one memory log."""

from dataclasses import dataclass, field
from typing import Any

from schemas.messages.core import ClockMode, Envelope
from services.audit import CheckReport, RawRecord, check_records
from services.venues.host import is_over, simulator_host
from services.venues.scenario import Day, Scenario, definitions, plan_day
from services.venues.settings import simulator_settings
from streams.adapters.codec import AvroCodec
from streams.adapters.memory import MemoryLog
from streams.core import topics
from streams.core.envelope import outside_envelope
from streams.runtime.host import ShardHost
from streams.runtime.inbox import TapeInbox
from streams.runtime.ports import Record, TopicPartition
from streams.runtime.settings import HostSettings, engine_settings
from streams.shard import EngineShard
from tests.support.memory_shard import SteppedClock

__all__ = ["MarketShards"]

CODEC = AvroCodec()
LOG_ID = b"penstock-testlog"
PARTITIONS = 4
SINGLE = (
    topics.KILL_COMMANDS,
    topics.CONTROL_COMMANDS,
    topics.PLANS_EVENTS,
    topics.VENUES_JOURNAL,
    topics.VENUES_SNAPSHOTS,
    topics.VENUES_SNAPSHOT_POINTERS,
)


@dataclass
class MarketShards:
    """One scenario; `run` plays it to the last watermark."""

    scenario: Scenario
    log: MemoryLog = field(init=False)
    day: Day = field(init=False)
    engines: list[ShardHost] = field(init=False)

    def __post_init__(self) -> None:
        names = [value for name, value in vars(topics).items() if name.isupper()]
        self.log = self.make_log({name: 1 if name in SINGLE else PARTITIONS for name in names})
        self.day = plan_day(self.scenario)
        for ordinal, message in enumerate(definitions(self.scenario, self.day)):
            envelope = _outside(ordinal, self.day.terms.start_ns)
            self.log.append(topics.CONTROL_COMMANDS, 0, b"x", CODEC.encode(envelope, message))

    def make_log(self, counts: dict[str, int]) -> MemoryLog:
        """Return an empty log; `counts`: partitions by topic."""
        return MemoryLog(counts)

    def settings(self, shard: int) -> HostSettings:
        return engine_settings(
            shard, ClockMode.TAPE, LOG_ID, seed=self.scenario.seed, snapshot_batches=500
        )

    def run(self) -> None:
        self.engines = [self._engine(shard) for shard in range(PARTITIONS)]
        simulator = simulator_host(
            self.log,
            CODEC,
            simulator_settings(PARTITIONS, LOG_ID, seed=self.scenario.seed),
            self.day,
            partitions=PARTITIONS,
        )
        for host in (*self.engines, simulator):
            host.take_over()
        while not is_over(simulator):
            simulator.turn()
            for engine in self.engines:
                engine.turn()
        for engine in self.engines:
            engine.turn()

    def records(self) -> list[RawRecord]:
        """Return all committed records, each partition in offset order."""
        return [
            RawRecord(each.topic, each.partition, each.offset, each.key, each.value)
            for each in self._committed()
        ]

    def messages(self, topic: str) -> list[Any]:
        return [
            CODEC.decode(record.value)[1] for record in self._committed() if record.topic == topic
        ]

    def check(self) -> CheckReport:
        """Let the independent checker judge the log."""
        return check_records(self.records())

    def _engine(self, shard: int) -> ShardHost:
        settings = self.settings(shard)
        return ShardHost(
            self.log,
            CODEC,
            settings,
            make_application=lambda: EngineShard(shard, PARTITIONS, LOG_ID),
            inbox=TapeInbox(self.log, CODEC, settings),
            clock=SteppedClock(),
            pause=lambda _: None,
        )

    def _committed(self) -> list[Record]:
        names = [value for name, value in vars(topics).items() if name.isupper()]
        records: list[Record] = []
        for name in names:
            for number in range(self.log.partitions(name)):
                records += self.log.partition(TopicPartition(name, number)).read(0, 10**9)[0]
        return records


def _outside(ordinal: int, at_ns: int) -> Envelope:
    return outside_envelope(b"control" + ordinal.to_bytes(9, "big"), at_ns, "test")
