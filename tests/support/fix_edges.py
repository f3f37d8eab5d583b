"""A simulated day whose orders and reports go over topics of their own, in one thread."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from schemas.messages.core import Envelope
from services.venues.application import VenueSimulator
from services.venues.edges import BY_FIX
from services.venues.engine_steps import EngineSteps
from services.venues.host import is_over
from services.venues.inbox import PacedInbox, Schedule
from services.venues.settings import simulator_settings
from streams.adapters.codec import AvroCodec
from streams.core import topics
from streams.core.envelope import outside_envelope
from streams.runtime.host import ShardHost
from streams.runtime.ports import TopicPartition
from tests.support.market_shards import LOG_ID, PARTITIONS, MarketShards
from tests.support.memory_shard import SteppedClock

CODEC = AvroCodec()
# What a gateway between two topics carries on.
CARRIED = (
    (topics.OMS_ORDERS, topics.ORDERS_COMMANDS),
    (topics.CHILDREN_EVENTS, topics.VENUES_ORDERS),
    (topics.VENUES_EXECUTIONS, topics.VENUES_REPORTS),
)


class DueClock:
    """Implements ports.Clock: every step is due."""

    def now_ns(self) -> int:
        return 1 << 62

    def floor(self, now_ns: int) -> None:
        pass


@dataclass
class EdgedMarket(MarketShards):
    """As MarketShards, and `between` is called between the market and the engines."""

    between: Callable[["EdgedMarket"], None] = lambda market: market.carry()
    simulator: ShardHost = field(init=False)
    read: dict[TopicPartition, int] = field(default_factory=dict)

    def start(self) -> None:
        self.engines = [self._engine(shard) for shard in range(PARTITIONS)]
        for host in self.engines:
            host.take_over()
        self.start_simulator()

    def start_simulator(self) -> None:
        """Let a simulator take over, the first or another one."""
        terms = self.day.terms
        inbox = PacedInbox(
            self.log,
            CODEC,
            Schedule(terms.start_ns, terms.step_ns, self.day.steps),
            PARTITIONS,
            DueClock(),
            topic=BY_FIX.children,
            engines=EngineSteps(self.log, CODEC, PARTITIONS),
        )
        self.simulator = ShardHost(
            self.log,
            CODEC,
            simulator_settings(PARTITIONS, LOG_ID, seed=self.scenario.seed, edges=BY_FIX),
            make_application=lambda: VenueSimulator(self.day, PARTITIONS, edges=BY_FIX),
            inbox=inbox,
            clock=SteppedClock(),
            pause=lambda _: None,
        )
        self.simulator.take_over()

    def run(self) -> None:
        self.start()
        while not is_over(self.simulator):
            self.simulator.turn()
            self.between(self)
            for engine in self.engines:
                engine.turn()
            self.between(self)

    def carry(self) -> None:
        """Carry on what is new, word for word."""
        for source, target in CARRIED:
            for message, key, partition in self.new(source):
                self.put(target, partition, key, message)

    def new(self, topic: str) -> list[tuple[Any, bytes, int]]:
        """Return the messages that stand on a topic since the last call, with key and partition."""
        found = []
        for number in range(PARTITIONS):
            place = TopicPartition(topic, number)
            records, position = self.log.partition(place).read(self.read.get(place, 0), 10**9)
            self.read[place] = position
            found += [(CODEC.decode(r.value)[1], r.key, number) for r in records]
        return found

    def put(self, topic: str, partition: int, key: bytes, message: Any) -> None:
        self.log.append(topic, partition, key, CODEC.encode(outside(self, topic), message))


def outside(market: EdgedMarket, topic: str) -> Envelope:
    """Return the envelope of a writer that is no shard; each has an id of its own."""
    number = sum(market.log.end_offset(TopicPartition(topic, n)) for n in range(PARTITIONS))
    at_ns = market.day.terms.start_ns
    return outside_envelope(f"{topic[:8]:8}{number:08}".encode(), at_ns, "carrier")
