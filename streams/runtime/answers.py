"""Lockstep with a process that answers: what was asked in one step is read before the next."""

import logging
import time
from collections.abc import Callable, Iterable
from typing import Final

from streams.runtime.ports import Record

__all__ = ["Answers"]

PAUSE_S: Final = 0.002
_LOG: Final = logging.getLogger("penstock.engine")


class Answers:
    """Waits for the answers to questions, each by its id, for at most `wait_ms` by the wall clock.

    A question that was given up once is not waited for again.
    """

    def __init__(
        self,
        asked: Callable[[], Iterable[str]],
        answered: Callable[[Record], str],
        wait_ms: int,
        *,
        clock_s: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """`asked`: ids without an answer so far; `answered`: the id that a record answers."""
        self._asked = asked
        self._answered = answered
        self._wait_ms = wait_ms
        self._clock_s = clock_s
        self._pause = pause
        self._given_up: set[str] = set()

    def wait(self, read: Callable[[], list[Record]]) -> None:
        """Return when `read`, which returns all that is not applied yet, has every answer."""
        missing = set(self._asked()) - self._given_up
        if not missing:
            return
        deadline_s = self._clock_s() + self._wait_ms / 1_000
        while missing := missing - {self._answered(record) for record in read()}:
            if self._clock_s() > deadline_s:
                self._given_up |= missing
                names = ", ".join(sorted(missing))
                _LOG.error("no plan within %d ms, going on without: %s", self._wait_ms, names)
                return
            self._pause(PAUSE_S)
