"""A played day written to a memory log, so that the real runtime can work it."""

from schemas.messages.core import Envelope
from schemas.messages.market import Watermark
from streams.adapters.memory import Faults, MemoryLog, SimulatedCrash
from streams.core.envelope import outside_envelope
from streams.core.errors import FencedError
from streams.runtime.host import ShardHost
from streams.runtime.settings import HostSettings
from streams.shard import EngineShard
from tests.support.builders import SECOND
from tests.support.day import Day
from tests.support.memory_shard import CODEC, TIMED, host, shard_log
from tests.support.shard_host import LOG_ID, NO_EVENT

__all__ = ["engine", "log_of", "run_engine"]

RESTARTS_MAX = 100


def engine() -> EngineShard:
    return EngineShard(0, 1, LOG_ID)


def log_of(day: Day, faults: Faults | None = None) -> MemoryLog:
    """Return a log that holds the inputs of the day, step by step, with watermarks."""
    log = shard_log(faults)
    steps = len(day.host.batches)
    for step, (inputs, batch) in enumerate(
        zip(day.host.inputs, day.host.batches, strict=True), start=1
    ):
        for inbound in inputs:
            assert inbound.envelope is not None
            value = CODEC.encode(inbound.envelope, inbound.message)
            log.append(inbound.record.topic, 0, b"", value)
        mark = Watermark(
            step=step,
            watermark_ns=batch.journal.now_ns,
            step_ns=SECOND,
            is_final=step == steps,
        )
        for topic in TIMED:
            log.append(topic, 0, b"", CODEC.encode(_outside(batch.journal.now_ns), mark))
    return log


def run_engine(log: MemoryLog, settings: HostSettings, steps: int) -> ShardHost:
    """Work the log to its last step, starting anew after each crash."""
    for _ in range(RESTARTS_MAX):
        shard = host(log, settings, make_application=engine)
        try:
            shard.take_over()
            while shard.end.step < steps:
                shard.turn()
        except (SimulatedCrash, FencedError):
            continue
        return shard
    raise AssertionError(f"it died {RESTARTS_MAX} times")


def _outside(at_ns: int) -> Envelope:
    return outside_envelope(NO_EVENT, at_ns, "test")
