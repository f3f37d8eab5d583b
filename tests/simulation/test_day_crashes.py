"""The whole engine on the memory log: crashes, snapshots and replay leave the same day."""

import random
from typing import Any

import pytest

from schemas.messages.core import ClockMode
from schemas.messages.runtime import DeadLetter
from streams.adapters.memory import Fault, Faults, MemoryLog
from streams.runtime.replay import replay
from streams.shard.routes import OUTPUT_TOPICS
from tests.support.day import Day
from tests.support.day_log import engine, log_of, run_engine
from tests.support.memory_shard import CODEC, messages, settings


@pytest.fixture(scope="module")
def day() -> Day:
    played = Day(11, is_calm=False)
    played.run()
    return played


def written(log: MemoryLog) -> dict[str, list[object]]:
    return {topic: [bare(each) for each in messages(log, topic)] for topic in OUTPUT_TOPICS}


def bare(message: Any) -> Any:
    """Return the message; of a dead letter what it says, for only a log has offsets and bytes."""
    if isinstance(message, DeadLetter):
        return message.topic, message.reason, message.field, message.value, message.bound
    return message


def told(day: Day) -> dict[str, list[object]]:
    result: dict[str, list[object]] = {topic: [] for topic in OUTPUT_TOPICS}
    for batch in day.host.batches:
        for event in batch.outputs:
            result[event.topic].append(bare(event.message))
    return result


def test_the_runtime_writes_what_the_shard_alone_decided_and_replay_agrees(day: Day) -> None:
    log, host_settings = log_of(day), settings(ClockMode.TAPE)
    shard = run_engine(log, host_settings, len(day.host.batches))
    assert written(log) == told(day)
    assert shard.application.snapshot() == day.host.app.snapshot()
    report = replay(log, CODEC, host_settings, engine)
    assert report.difference is None


@pytest.mark.parametrize("seed", range(4))
def test_crashes_anywhere_change_nothing(day: Day, seed: int) -> None:
    dice = random.Random(seed)
    plan = {dice.randrange(5_000): dice.choice(tuple(Fault)) for _ in range(20)}
    faults = Faults(plan, late_calls=dice.randint(1, 40))
    log = log_of(day, faults)
    host_settings = settings(ClockMode.TAPE, slots=dice.choice((1, 4)))
    shard = run_engine(log, host_settings, len(day.host.batches))
    assert sum(call < faults.calls for call in plan) > 10
    log.deliver_late()
    faults.fault_by_call = {}
    assert written(log) == told(day)
    assert shard.application.snapshot() == day.host.app.snapshot()
