"""How every long-running process ends: asked to by a signal, or with a code that says why."""

import logging
import os
import signal
from collections.abc import Callable
from types import FrameType

from streams.core.errors import CorruptHistoryError, Error, FencedError, RetentionError
from streams.runtime.ports import ClockJumpError

__all__ = ["CORRUPT", "FAILED", "FENCED", "KILLED", "STOPPED", "Stop", "run_to_end"]

STOPPED = 0
CORRUPT = 1  # corrupt history, missing input, clock jump: a person must look first
FAILED = 70  # anything else: to be started again
FENCED = 75  # another owner is at work
KILLED = 143  # asked twice


class Stop:
    """Set by SIGTERM or SIGINT; a second one ends the process at once.

    At once is safe: what is open is aborted by the next owner.
    """

    def __init__(self) -> None:
        self.is_asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self.is_asked:
            os._exit(KILLED)
        self.is_asked = True


def run_to_end(run: Callable[[], None], log: logging.Logger) -> int:
    """Run it; log the error that ended it, if one did, and return the exit code."""
    try:
        run()
    except FencedError as error:
        log.warning("fenced: %s", error)
        return FENCED
    except (CorruptHistoryError, RetentionError, ClockJumpError) as error:
        log.error("stopped: %s: %s", type(error).__name__, error)
        return CORRUPT
    except (Error, OSError) as error:
        log.error("failed: %s: %s", type(error).__name__, error)
        return FAILED
    return STOPPED
