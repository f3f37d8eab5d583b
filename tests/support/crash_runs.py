"""Run a small day under faults, restart what dies, and judge the log it leaves."""

import random
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from schemas.messages.core import ClockMode
from schemas.messages.runtime import JournalRecord
from streams.adapters.memory import Fault, Faults, MemoryLog, SimulatedCrash
from streams.core import topics
from streams.core.errors import Error, FencedError
from streams.runtime.host import ShardHost
from streams.runtime.replay import replay
from streams.runtime.settings import HostSettings
from tests.support.counting_app import CountingApp
from tests.support.memory_shard import CODEC, host, messages, publish_day, settings, shard_log

STEPS = 9
RESTARTS_MAX = 20
TURNS_MAX = 200


class Outcome(NamedTuple):
    """What a run must come to, whatever happened on the way."""

    outputs: tuple[str, ...]
    state: bytes
    replayed_state: str


class Breach(AssertionError):
    """The oracle found the run wrong."""


def finish(
    log: MemoryLog, shard_settings: HostSettings, host_class: type[ShardHost] = ShardHost
) -> ShardHost:
    """Run the day to its end, starting anew after each crash."""
    for _ in range(RESTARTS_MAX):
        shard = host(log, shard_settings, host_class=host_class)
        try:
            shard.take_over()
            for _ in range(TURNS_MAX):
                if shard.end.step == STEPS:
                    break
                shard.turn()
            else:
                raise Breach("the day does not end")
            shard.save()
        except (SimulatedCrash, FencedError):
            continue  # the supervisor starts it again
        log.deliver_late()
        return shard
    raise Breach("it dies at every start")


def judge(log: MemoryLog, shard_settings: HostSettings, shard: ShardHost) -> Outcome:
    """Check the log against itself and return what it came to. Raises Breach."""
    check_inputs_are_consumed_once(log)
    report = replay(log, CODEC, shard_settings, CountingApp)
    if report.difference is not None:
        raise Breach(f"replay differs: {report.difference}")
    fresh = host(log, shard_settings)
    fresh.take_over()
    if fresh.application.snapshot() != shard.application.snapshot():
        raise Breach("recovery builds another state than deciding did")
    outputs = tuple(str(message) for message in messages(log))
    return Outcome(outputs, shard.application.snapshot(), report.state_hash)


def check_inputs_are_consumed_once(log: MemoryLog) -> None:
    """Each input offset stands in exactly one journal record, in order."""
    positions: dict[tuple[str, int], int] = {}
    for record in messages(log, topics.ENGINE_JOURNAL):
        assert isinstance(record, JournalRecord)
        for consumed in record.ranges:
            partition = (consumed.topic, consumed.partition)
            if consumed.first_offset != positions.get(partition, 0):
                raise Breach(f"{partition} read again or passed over at {consumed.first_offset}")
            positions[partition] = consumed.next_position


def run(
    faults: Faults, host_class: type[ShardHost] = ShardHost, slots: int = 1
) -> tuple[Outcome, Faults]:
    """One day under `faults`; Breach for whatever a correct runtime would never do."""
    shard_settings = settings(ClockMode.TAPE, slots=slots)
    log = shard_log(faults)
    publish_day(log, STEPS)
    try:
        shard = finish(log, shard_settings, host_class)
        faults.fault_by_call = {}
        return judge(log, shard_settings, shard), faults
    except Error as error:
        raise Breach(f"{type(error).__name__}: {error}") from error


@cache
def clean(slots: int = 1) -> tuple[Outcome, tuple[str, ...]]:
    """The run without faults, and the names of its calls."""
    shard_settings = settings(ClockMode.TAPE, slots=slots)
    log = shard_log()
    publish_day(log, STEPS)
    shard = finish(log, shard_settings)
    names = tuple(log.faults.names)
    return judge(log, shard_settings, shard), names


def every_fault() -> Iterator[tuple[int, Fault]]:
    """Each call of the clean run, with each fault that can befall it."""
    _, names = clean()
    for call, name in enumerate(names):
        for fault in Fault if name == "commit" else (*list(Fault)[:3],):
            yield call, fault


def random_faults(seed: int, calls: int) -> Faults:
    """Up to six faults anywhere in a run, recoveries included, and late requests of any delay."""
    dice = random.Random(seed)
    chosen = {
        dice.randrange(calls * 2): dice.choice(tuple(Fault)) for _ in range(dice.randint(1, 6))
    }
    return Faults(chosen, late_calls=dice.randint(1, 40))
