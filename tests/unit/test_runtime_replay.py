"""A replay names the first difference: which batch, which event, which field."""

import pytest

from schemas.messages.control import SettingsLoaded
from schemas.messages.core import ClockMode
from streams.adapters.memory import MemoryLog
from streams.core.timers import Timer
from streams.runtime.ports import Emitter, Inbound
from streams.runtime.replay import ReplayReport, replay
from tests.support.counting_app import OUTPUT, CountingApp, said
from tests.support.memory_shard import (
    CODEC,
    committed,
    host,
    messages,
    publish_day,
    settings,
    shard_log,
)

TAPE = settings(ClockMode.TAPE)


@pytest.fixture(scope="module")
def log() -> MemoryLog:
    """A day of ten steps, recorded by two owners."""
    made = shard_log()
    publish_day(made, 10)
    for _ in range(2):
        shard = host(made, TAPE)
        shard.take_over()
        while shard.end.step < 5 + 5 * (shard.end.incarnation - 1):
            shard.turn()
    return made


def replayed(log: MemoryLog, application: type[CountingApp], **how: bool) -> ReplayReport:
    return replay(log, CODEC, TAPE, application, **how)


def test_the_same_program_decides_the_same(log: MemoryLog) -> None:
    report = replayed(log, CountingApp)
    assert report.difference is None
    assert report.model_differences == []
    assert report.batches == 10
    assert report.events == len(messages(log))
    assert report.state_hashes == 2
    assert report.events_per_s > 0


def test_a_replay_from_the_newest_snapshot_ends_in_the_same_state(log: MemoryLog) -> None:
    whole, short = replayed(log, CountingApp), replayed(log, CountingApp, from_snapshot=True)
    assert short.difference is None
    assert 0 < short.batches < whole.batches
    assert short.state_hash == whole.state_hash


class Miscounts(CountingApp):
    """Decides otherwise for one name, once it has come three times."""

    def apply(self, inbound: Inbound, out: Emitter) -> None:
        name = getattr(inbound.message, "context", "")
        if name == "bee" and self.state.counts.get("bee") and self.state.counts["bee"].inputs == 3:
            self._bias = 1
        super().apply(inbound, out)
        self._bias = 0


def test_another_decision_is_named_by_batch_event_and_field(log: MemoryLog) -> None:
    difference = replayed(log, Miscounts).difference
    assert difference is not None
    assert (difference.kind, difference.topic, difference.field) == ("decision", OUTPUT, "content")
    assert difference.recorded.startswith("bee 4 ")
    assert difference.decided.startswith("bee 4 ")
    assert int(difference.decided.split()[2]) == int(difference.recorded.split()[2]) + 1
    stands = [
        (CODEC.decode(record.value)[0].seq, CODEC.decode(record.value)[0].index)
        for record in committed(log)
        if CODEC.decode(record.value)[1].content == difference.recorded
    ]
    assert stands == [(difference.seq, difference.index)]


class SaysMore(CountingApp):
    """Adds an event at the end of each batch."""

    def finish(self, out: Emitter) -> None:
        self._emit(out, "more", "ant", bytes(16))


class NeverFires(CountingApp):
    """Forgets its timers."""

    def pop_due(self, now_ns: int) -> Timer | None:
        return None


class KeepsOther(CountingApp):
    """Decides the same and remembers something else."""

    def snapshot(self) -> bytes:
        return super().snapshot() + b"!"


def test_an_event_too_many_is_a_difference_of_the_count(log: MemoryLog) -> None:
    difference = replayed(log, SaysMore).difference
    assert difference is not None
    assert (difference.field, difference.seq) == ("output_count", 1)
    assert int(difference.decided) == int(difference.recorded) + 1


def test_a_timer_that_does_not_fire_is_a_difference(log: MemoryLog) -> None:
    difference = replayed(log, NeverFires).difference
    assert difference is not None
    assert difference.field == "output_count"


def test_another_state_is_found_by_its_hash(log: MemoryLog) -> None:
    difference = replayed(log, KeepsOther).difference
    assert difference is not None
    assert (difference.field, difference.index) == ("state_hash", -1)


class OtherModel(CountingApp):
    """Estimates otherwise."""

    def apply(self, inbound: Inbound, out: Emitter) -> None:
        super().apply(inbound, Otherwise(out))  # type: ignore[arg-type]  # delegates the rest


class Otherwise:
    """An emitter whose models have been fitted anew."""

    def __init__(self, out: Emitter) -> None:
        self._out = out

    def __getattr__(self, name: str) -> object:
        return getattr(self._out, name)

    def model(self, name: str, compute: object) -> SettingsLoaded:
        made: SettingsLoaded = self._out.model(name, lambda: said("modeled", "ant 0"))
        return made


def test_a_model_that_says_something_else_is_reported_apart(log: MemoryLog) -> None:
    report = replayed(log, OtherModel)
    assert report.difference is None
    assert report.model_differences
    assert {each.kind for each in report.model_differences} == {"model"}
    assert {each.field for each in report.model_differences} == {"mean.content"}
