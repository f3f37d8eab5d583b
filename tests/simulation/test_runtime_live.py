"""Live, batches and times differ from run to run; what was counted, once each, does not."""

import random

import pytest

from schemas.messages.core import ClockMode
from streams.adapters.memory import Fault, Faults, MemoryLog, SimulatedCrash
from streams.core import topics
from streams.core.errors import FencedError
from streams.runtime.replay import replay
from tests.support.counting_app import OUTPUT, CountingApp, command
from tests.support.memory_shard import CODEC, committed, host, put, settings, shard_log

INPUTS = 60
SEEDS = 150
LIVE = settings(ClockMode.LIVE, batch_records_max=7)


def feed(log: MemoryLog, dice: random.Random, fed: int) -> int:
    """Write a few more inputs, on any topic; return how many there are now."""
    more = min(INPUTS, fed + dice.randint(0, 5))
    for ordinal in range(fed + 1, more + 1):
        topic = dice.choice((topics.ORDERS_COMMANDS, topics.MARKET_DATA, topics.VENUES_REPORTS))
        put(log, topic, *command(ordinal, f"n{ordinal % 4}", ordinal, 0))
    return more


def run(seed: int) -> MemoryLog:
    """Feed and turn under faults until every input is counted."""
    dice = random.Random(seed)
    plan = {dice.randrange(400): dice.choice(tuple(Fault)) for _ in range(8)}
    log = shard_log(Faults(plan, late_calls=dice.randint(1, 30)))
    fed, turns = 0, 0
    while turns < 2_000:
        shard = host(log, LIVE)
        try:
            shard.take_over()
            while turns < 2_000:
                turns += 1
                fed = feed(log, dice, fed)
                if fed == INPUTS and not shard.turn():
                    shard.save()
                    return log
                shard.turn()
        except (SimulatedCrash, FencedError):
            continue
    raise AssertionError("it does not come to an end")


@pytest.mark.parametrize("block", range(3))
def test_each_input_is_counted_once_whatever_happens(block: int) -> None:
    for seed in range(block, SEEDS, 3):
        log = run(seed)
        log.faults.fault_by_call = {}
        log.deliver_late()
        shard = host(log, LIVE)
        shard.take_over()
        while shard.turn():
            pass
        causes = []
        for record in committed(log, OUTPUT):
            envelope, message = CODEC.decode(record.value)
            if message.context == "counted":
                causes.append(int.from_bytes(envelope.causation_id, "big"))
        assert sorted(causes) == list(range(1, INPUTS + 1)), f"seed {seed}"
        report = replay(log, CODEC, LIVE, CountingApp)
        assert report.difference is None, f"seed {seed}: {report.difference}"
        assert report.inputs == INPUTS
