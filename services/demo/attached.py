"""Play a day on engines and venues that run already, as those of docker-compose.yml do.

We publish the reference data, which opens the market, and watch. The simulator's scenario is its
own; its journal names the settings, so a scene that differs is refused before anything happens.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

from infra.topics import read_log_id
from schemas.messages.runtime import JournalRecord
from services.cli.log import read_to_end
from services.demo.day import DayError, define, follow_day
from services.demo.progress import Progress
from services.demo.received import ChildWatch
from streams.core.topics import CONTROL_COMMANDS, VENUES_JOURNAL

__all__ = ["attach"]

VENUES_SECONDS = 60.0
POLL_SECONDS = 0.5


def attach(
    bootstrap: str,
    *,
    definitions: Sequence[Any],
    config_version: str,
    start_ns: int,
    partitions: int,
    steps: int,
    show: Callable[[Progress], None],
) -> dict[tuple[int, int], float]:
    """Open the day if it is not open, and return when its final watermark is journalled.

    `config_version`: of the simulator that plays the scene. Returns when each child was first seen,
    by (partition, offset), of a day that we opened; nothing of one that was under way.
    Raises: DayError without a simulator, with another scene's, or when nothing moves.
    """
    newest = await_venues(bootstrap)
    if newest.config_version != config_version:
        raise DayError(
            "the venues service plays another day: give demo and venues the same seed, minutes, "
            "orders, step and tape (PENSTOCK_VENUES_...), and an empty cluster"
        )
    if newest.step:
        follow_day(bootstrap, partitions, steps, show)
        return {}
    watch = ChildWatch(bootstrap, partitions)
    watch.start()
    try:
        there = [entry.message for entry in read_to_end(bootstrap, [CONTROL_COMMANDS])]
        missing = [message for message in definitions if message not in there]
        define(bootstrap, missing, at_ns=start_ns, log_id=read_log_id(bootstrap))
        follow_day(bootstrap, partitions, steps, show)
    finally:
        watch.stop()
    return watch.seen_ms


def await_venues(bootstrap: str) -> JournalRecord:
    """Return the simulator's newest journal record. Raises DayError when there is none in time."""
    deadline = time.monotonic() + VENUES_SECONDS
    while True:
        try:
            found = [entry.message for entry in read_to_end(bootstrap, [VENUES_JOURNAL])]
        except LookupError as error:
            found = []
            reason = str(error)
        else:
            reason = "its journal is empty"
        if found and isinstance(found[-1], JournalRecord):
            return found[-1]
        if time.monotonic() > deadline:
            raise DayError(f"no venues service has come within {VENUES_SECONDS:.0f} s: {reason}")
        time.sleep(POLL_SECONDS)
