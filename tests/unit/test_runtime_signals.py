"""Local kill flags: first in their batch, journalled, and nothing leaves that they came before."""

from collections.abc import Callable

from schemas.messages.core import ClockMode, JournalKind
from schemas.messages.runtime import JournalRecord
from streams.adapters.memory import MemoryLog
from streams.core import topics
from streams.runtime.host import ShardHost
from streams.runtime.replay import replay
from tests.support.counting_app import CountingApp, command
from tests.support.memory_shard import (
    CODEC,
    START_NS,
    host,
    messages,
    publish_day,
    put,
    settings,
    shard_log,
)

STOP = "stop"


class ScriptedLatch:
    """Implements runtime.KillLatch: `then` is called before each answer, with its ordinal."""

    def __init__(self, *flags: str, then: Callable[[int], None] | None = None) -> None:
        self.flags = list(flags)
        self.asked = 0
        self._then = then

    def standing(self) -> tuple[str, ...]:
        self.asked += 1
        if self._then is not None:
            self._then(self.asked)
        return tuple(self.flags)


def live_shard(log: MemoryLog, latch: ScriptedLatch) -> ShardHost:
    shard = host(log, settings(ClockMode.LIVE), latch=latch)
    shard.take_over()
    return shard


def send(log: MemoryLog, ordinal: int) -> None:
    put(log, topics.ORDERS_COMMANDS, *command(ordinal, "ant", 1, START_NS))


def journal(log: MemoryLog) -> list[JournalRecord]:
    return [each for each in messages(log, topics.ENGINE_JOURNAL) if each.kind is JournalKind.BATCH]


def counted(log: MemoryLog) -> list[str]:
    return [message.context for message in messages(log)]


def test_a_flag_is_decided_before_the_records_of_its_batch() -> None:
    log, latch = shard_log(), ScriptedLatch()
    shard = live_shard(log, latch)
    send(log, 1)
    assert shard.turn()
    latch.flags.append(STOP)
    send(log, 2)
    assert shard.turn()
    assert counted(log) == ["counted", "signaled"]
    assert [record.signals for record in journal(log)] == [(), (STOP,)]


def test_a_flag_alone_makes_a_batch_and_is_told_once() -> None:
    log, latch = shard_log(), ScriptedLatch(STOP)
    shard = live_shard(log, latch)
    assert shard.turn()
    shard.turn()
    assert counted(log) == ["signaled"]
    assert len(journal(log)) == 1


def test_a_flag_before_the_commit_undoes_the_batch_that_did_not_know_it() -> None:
    log = shard_log()

    def raise_before_the_commit(asked: int) -> None:
        if asked == 2:  # the first question was before the batch was decided
            latch.flags.append(STOP)

    latch = ScriptedLatch(then=raise_before_the_commit)
    shard = live_shard(log, latch)
    send(log, 1)
    assert not shard.turn()
    assert counted(log) == []
    assert shard.turn()
    assert counted(log) == ["signaled"]
    assert [(record.signals, len(record.ranges)) for record in journal(log)] == [((STOP,), 1)]
    assert shard.application.snapshot() == recovered(log)


def test_a_flag_that_is_taken_away_before_the_commit_undoes_nothing() -> None:
    log = shard_log()

    def lower_before_the_commit(asked: int) -> None:
        if asked == 2:
            latch.flags.clear()

    latch = ScriptedLatch(STOP, then=lower_before_the_commit)
    shard = live_shard(log, latch)
    send(log, 1)
    assert shard.turn()
    assert counted(log) == ["signaled"]


def test_a_tape_waits_for_its_step_and_hears_the_flag_first() -> None:
    log, latch = shard_log(), ScriptedLatch(STOP)
    shard = host(log, settings(ClockMode.TAPE), latch=latch)
    shard.take_over()
    assert not shard.turn()
    assert journal(log) == []
    publish_day(log, 1)
    assert shard.turn()
    assert journal(log)[0].signals == (STOP,)
    assert counted(log) == ["signaled"]


def test_replay_and_recovery_hear_what_was_journalled_not_what_stands() -> None:
    log, latch = shard_log(), ScriptedLatch()
    shard = live_shard(log, latch)
    for ordinal in range(1, 8):
        if ordinal == 5:
            latch.flags.append(STOP)
        send(log, ordinal)
        shard.turn()
    latch.flags.clear()
    report = replay(log, CODEC, settings(ClockMode.LIVE), CountingApp)
    assert report.is_equal, report.difference
    assert shard.application.snapshot() == recovered(log)
    assert counted(log).count("counted") == 4


def recovered(log: MemoryLog) -> bytes:
    shard = host(log, settings(ClockMode.LIVE))
    shard.take_over()
    return shard.application.snapshot()
