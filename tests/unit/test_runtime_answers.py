"""A step on a tape waits for the answers to the step before, and not for ever."""

import logging
from itertools import count

import pytest

from streams.runtime.answers import Answers
from streams.runtime.ports import Record


def record(name: str) -> Record:
    return Record("t", 0, 0, 0, b"", name.encode())


class Reader:
    """Gives one more record at each look."""

    def __init__(self, *names: str) -> None:
        self.records = [record(name) for name in names]
        self.looks = 0

    def read(self) -> list[Record]:
        self.looks += 1
        return self.records[: self.looks]


def answers(asked: set[str], wait_ms: int = 100) -> Answers:
    ticks = count()
    return Answers(
        lambda: asked,
        lambda found: found.value.decode(),
        wait_ms,
        clock_s=lambda: next(ticks) / 100,
        pause=lambda _: None,
    )


def test_nothing_asked_is_not_waited_for() -> None:
    reader = Reader()
    answers(set()).wait(reader.read)
    assert reader.looks == 0


def test_every_answer_is_waited_for_in_any_order() -> None:
    reader = Reader("other", "b", "a", "later")
    answers({"a", "b"}).wait(reader.read)
    assert reader.looks == 3


def test_an_answer_that_does_not_come_is_given_up_aloud_and_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    reader = Reader("a")
    waiting = answers({"a", "gone"})
    with caplog.at_level(logging.ERROR):
        waiting.wait(reader.read)
    (said,) = caplog.records
    assert said.getMessage() == "no plan within 100 ms, going on without: gone"
    looks = reader.looks
    assert looks > 5
    waiting.wait(reader.read)
    assert reader.looks == looks + 1  # "a" is there; "gone" is not asked about again
