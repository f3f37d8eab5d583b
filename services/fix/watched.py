"""What a process of `penstock fix run` and its supervisor have to do with each other."""

import ctypes
import os
import signal
import time
from typing import Final

from pydantic import Field

from services.ending import KILLED, Stop
from services.metrics.health import Health
from services.metrics.settings import MetricsSettings

__all__ = ["Turns", "WatchedSettings"]

PR_SET_PDEATHSIG: Final = 1
BEAT_NS: Final = 200_000_000


class WatchedSettings(MetricsSettings):
    """Part of a process's settings; a process that nobody watches leaves them out."""

    watch_fd: int = Field(default=-1, description="Descriptor on which each turn is told")
    parent_pid: int = Field(default=0, description="Process with which this one ends")
    hang_timeout_s: float = Field(
        default=60.0, gt=0, description="A loop silent for longer is not alive"
    )
    starting_timeout_s: float = Field(
        default=600.0, gt=0, description="The same before the first turn"
    )


class Turns:
    """Asked at each turn whether to stop; tells the supervisor and the health of each."""

    def __init__(self, settings: WatchedSettings, stop: Stop) -> None:
        self.health = Health(
            silent_s_max=settings.hang_timeout_s, starting_s_max=settings.starting_timeout_s
        )
        self._watch_fd = settings.watch_fd
        self._told_ns = 0
        self._stop = stop
        if settings.parent_pid:
            ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != settings.parent_pid:  # it died before the kernel knew
                os._exit(KILLED)

    def should_stop(self) -> bool:
        self.health.turned()
        now_ns = time.monotonic_ns()
        if self._watch_fd >= 0 and now_ns - self._told_ns > BEAT_NS:
            self._told_ns = now_ns
            os.write(self._watch_fd, b".")
        return self._stop.is_asked
