"""The oracle of the crash runs finds bugs that are planted on purpose."""

from collections.abc import Iterable, Iterator

import pytest

from schemas.messages.core import ClockMode, JournalKind
from streams.adapters.memory import Fault, Faults, MemoryLog
from streams.core.errors import CorruptHistoryError, FencedError
from streams.runtime.host import NO_FLAGS, Flags, ShardHost
from streams.runtime.journal import JournalEnd
from streams.runtime.ports import Batch, Log, Producer, TopicPartition
from streams.runtime.settings import HostSettings
from streams.runtime.takeover import input_positions
from tests.support.crash_runs import STEPS, Breach, clean, judge, random_faults, run
from tests.support.memory_shard import host, publish_day, settings, shard_log

SEEDS = 60


class FencesOneSlot(ShardHost):
    """Planted bug: slots are counted from 0 at each start, each fenced when first used."""

    def _fence(self) -> list[Producer]:
        return LateSlots(self._log, self._settings)


class LateSlots(list[Producer]):
    """Producers in turn, each made when its turn first comes."""

    def __init__(self, log: Log, shard_settings: HostSettings) -> None:
        super().__init__()
        self._log = log
        self._settings = shard_settings
        self._used = 0

    def __getitem__(self, _: object) -> Producer:  # type: ignore[override]  # a bug's shape
        slot = self._used % self._settings.slots
        self._used += 1
        if slot == len(self):
            self.append(self._log.producer(self._settings.transactional_id(slot)))
        return list(self)[slot]


class NamesItselfAnew(ShardHost):
    """Planted bug: a transactional id of its own for each process, so nobody is ever fenced."""

    def _fence(self) -> list[Producer]:
        return [self._log.producer(f"engine-{id(self)}")]


class ReusesItsProducer(ShardHost):
    """Planted bug: after a commit without an answer it aborts and goes on with that producer."""

    def __init__(self, *args: object, **more: object) -> None:
        super().__init__(*args, **more)  # type: ignore[arg-type]  # handed through
        self._kept: list[Producer] = []

    def _fence(self) -> list[Producer]:
        if not self._kept:
            self._kept = super()._fence()
        else:
            for producer in self._kept:
                producer.abort()
        return list(self._kept)


class SavesPositionsFirst(ShardHost):
    """Planted bug: positions are kept apart from the journal, and before the transaction."""

    saved: dict[TopicPartition, int] = {}  # noqa: RUF012  # outlives the process, as a group's do

    def _write(
        self, kind: JournalKind, batch: Batch, entropy: bytes, flags: Flags = NO_FLAGS
    ) -> None:
        for each in batch.ranges:
            self.saved[TopicPartition(each.topic, each.partition)] = each.next_position
        super()._write(kind, batch, entropy, flags)

    def _positions(self) -> dict[TopicPartition, int]:
        end = JournalEnd(log_id=self.end.log_id, positions=self.saved)
        return input_positions(self._log, self._settings, end)


def zombie_run(host_class: type[ShardHost], slots: int, turns: int) -> MemoryLog:
    """An owner is paused after `turns`, another takes over, then the first wakes up."""
    shard_settings = settings(ClockMode.TAPE, slots=slots)
    log = shard_log()
    publish_day(log, STEPS)
    paused = host(log, shard_settings, host_class=host_class)
    paused.take_over()
    for _ in range(turns):
        paused.turn()
    second = host(log, shard_settings, host_class=host_class)
    second.take_over()
    second.turn()
    is_fenced = False
    try:
        paused.turn()
    except FencedError:
        is_fenced = True
    while second.end.step < STEPS and second.turn():
        pass
    outcome = judge(log, shard_settings, second)
    if not is_fenced or outcome != clean(slots)[0]:
        raise Breach("the zombie wrote")
    return log


def breaches(host_class: type[ShardHost], plans: Iterable[Faults]) -> int:
    """Count the plans under which the oracle finds something."""
    found = 0
    for faults in plans:
        try:
            outcome, _ = run(faults, host_class)
            found += outcome != clean()[0]
        except Breach:
            found += 1
    return found


def many() -> Iterator[Faults]:
    """Random plans."""
    for seed in range(SEEDS):
        yield random_faults(seed, len(clean()[1]))


def late_commits() -> Iterator[Faults]:
    """A commit that arrives late, and a crash right after it has, at every distance."""
    commits = [call for call, name in enumerate(clean()[1]) if name == "commit"]
    for late_calls in range(1, 50):
        call = commits[late_calls % 5 + 2]
        plan = {call: Fault.REQUEST_LATE, call + late_calls + 1: Fault.CRASH_AFTER}
        yield Faults(plan, late_calls=late_calls)


@pytest.mark.parametrize("slots", [1, 4])
@pytest.mark.parametrize("turns", [1, 2, 3, 4, 6])
def test_a_paused_owner_is_fenced_in_whatever_slot_it_stands(slots: int, turns: int) -> None:
    zombie_run(ShardHost, slots, turns)


@pytest.mark.parametrize(("host_class", "slots"), [(NamesItselfAnew, 1), (FencesOneSlot, 4)])
def test_the_oracle_finds_a_take_over_that_does_not_fence(
    host_class: type[ShardHost], slots: int
) -> None:
    with pytest.raises((Breach, CorruptHistoryError)):
        zombie_run(host_class, slots, 2)


def test_the_oracle_finds_a_producer_used_again_after_an_ambiguous_commit() -> None:
    assert breaches(ReusesItsProducer, late_commits()) > 0


def test_the_oracle_finds_positions_kept_apart_from_the_journal() -> None:
    SavesPositionsFirst.saved.clear()
    assert breaches(SavesPositionsFirst, many()) > 0


def test_the_oracle_finds_nothing_in_the_runtime_as_it_is() -> None:
    assert breaches(ShardHost, many()) == 0
    assert breaches(ShardHost, late_commits()) == 0
