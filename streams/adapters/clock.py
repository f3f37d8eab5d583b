"""Clocks: the wall's, and one that runs at a multiple of it."""

import time

from streams.runtime.ports import ClockJumpError

__all__ = ["ScaledClock", "WallClock"]

JUMP_MAX_NS = 60_000_000_000


class WallClock:
    """Implements ports.Clock: UTC, never backwards.

    Raises ClockJumpError when the wall clock moved by more than the bound against the clock that
    nobody sets (CLOCK_BOOTTIME, which counts through a suspend).
    """

    def __init__(self, jump_max_ns: int = JUMP_MAX_NS) -> None:
        self._jump_max_ns = jump_max_ns
        self._last_ns = 0
        self._offset_ns = time.time_ns() - _steady_ns()

    def now_ns(self) -> int:
        wall_ns = time.time_ns()
        jump_ns = wall_ns - _steady_ns() - self._offset_ns
        if abs(jump_ns) > self._jump_max_ns:
            raise ClockJumpError(jump_ns, self._jump_max_ns)
        # Slow drift (NTP slewing) is followed: only a jump between two readings counts.
        self._offset_ns += jump_ns
        self._last_ns = max(self._last_ns, wall_ns)
        return self._last_ns

    def floor(self, now_ns: int) -> None:
        ahead_ns = now_ns - time.time_ns()
        if ahead_ns > self._jump_max_ns:
            raise ClockJumpError(-ahead_ns, self._jump_max_ns)
        self._last_ns = max(self._last_ns, now_ns)


class ScaledClock:
    """Implements ports.Clock: market time that runs `speed` times as fast, from `start_ns` on.

    It goes by the steady clock, so it cannot jump; a recorded time ahead of it moves it forward.
    """

    def __init__(self, start_ns: int, speed: int) -> None:
        self._speed = speed
        self._offset_ns = start_ns - _steady_ns() * speed

    def now_ns(self) -> int:
        return _steady_ns() * self._speed + self._offset_ns

    def floor(self, now_ns: int) -> None:
        self._offset_ns += max(0, now_ns - self.now_ns())


def _steady_ns() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
