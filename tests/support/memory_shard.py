"""One shard on a memory log, fed with a small day, for tests of the runtime."""

from collections.abc import Callable
from typing import Any

from schemas.messages.core import ClockMode
from schemas.messages.market import Watermark
from streams.adapters.codec import AvroCodec
from streams.adapters.memory import Faults, MemoryLog
from streams.core import topics
from streams.runtime.host import ShardHost
from streams.runtime.inbox import LiveInbox, TapeInbox
from streams.runtime.latch import NO_LATCH, KillLatch
from streams.runtime.ports import Application, Record, TopicPartition
from streams.runtime.settings import HostSettings, engine_settings
from tests.support.counting_app import OUTPUT, CountingApp, command

CODEC = AvroCodec()
LOG_ID = b"penstock-testlog"
STEP_NS = 1_000_000_000
START_NS = 1_700_000_000_000_000_000
NAMES = ("ant", "bee", "cat")
TIMED = (topics.ORDERS_COMMANDS, topics.MARKET_DATA, topics.VENUES_REPORTS)


class SteppedClock:
    """Implements ports.Clock: goes on by 100 ms at each reading."""

    def __init__(self) -> None:
        self.now = START_NS

    def now_ns(self) -> int:
        self.now += 100_000_000
        return self.now

    def floor(self, now_ns: int) -> None:
        self.now = max(self.now, now_ns)


def shard_log(faults: Faults | None = None, partitions: int = 1) -> MemoryLog:
    """A log with every topic of the engine."""
    names = [value for name, value in vars(topics).items() if name.isupper()]
    return MemoryLog(dict.fromkeys(names, partitions), faults=faults)


def settings(mode: ClockMode, **changes: Any) -> HostSettings:
    """Shard 0, seeded, with snapshots often enough to matter."""
    return engine_settings(0, mode, LOG_ID, **{"seed": 7, "snapshot_batches": 4, **changes})


def publish_day(log: MemoryLog, steps: int, per_step: int = 3) -> None:
    """Write `steps` steps of commands with their watermarks, and one early control record."""
    ordinal = 1
    put(log, topics.CONTROL_COMMANDS, *command(ordinal, "ant", 100, START_NS))
    for step in range(1, steps + 1):
        for number in range(per_step):
            ordinal += 1
            topic = TIMED[ordinal % 3]
            at_ns = START_NS + (step - 1) * STEP_NS + (number * 7919) % per_step
            put(log, topic, *command(ordinal, NAMES[ordinal % len(NAMES)], ordinal, at_ns))
        mark = Watermark(
            step=step,
            watermark_ns=START_NS + step * STEP_NS,
            step_ns=STEP_NS,
            is_final=step == steps,
        )
        for topic in TIMED:
            put(log, topic, command(0, "", 0, mark.watermark_ns)[0], mark)


def put(log: MemoryLog, topic: str, envelope: Any, message: Any) -> None:
    """Write one message from outside."""
    log.append(topic, 0, b"", CODEC.encode(envelope, message))


def host(
    log: MemoryLog,
    shard_settings: HostSettings,
    make_application: Callable[[], Application] = CountingApp,
    host_class: type[ShardHost] = ShardHost,
    latch: KillLatch = NO_LATCH,
) -> ShardHost:
    """A host of the counting application; every wait is skipped."""
    clock = SteppedClock()
    inbox: LiveInbox | TapeInbox
    if shard_settings.mode is ClockMode.TAPE:
        inbox = TapeInbox(log, CODEC, shard_settings)
    else:
        inbox = LiveInbox(log, CODEC, shard_settings, clock)
    return host_class(
        log,
        CODEC,
        shard_settings,
        make_application=make_application,
        inbox=inbox,
        clock=clock,
        pause=lambda _: None,
        latch=latch,
    )


def committed(log: MemoryLog, topic: str = OUTPUT, partition: int = 0) -> list[Record]:
    """Every committed record of a partition."""
    records, _ = log.partition(TopicPartition(topic, partition)).read(0, 1_000_000)
    return records


def messages(log: MemoryLog, topic: str = OUTPUT, partition: int = 0) -> list[Any]:
    """Every committed message of a partition, in order."""
    return [CODEC.decode(record.value)[1] for record in committed(log, topic, partition)]
