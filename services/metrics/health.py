"""Alive while the loop turns; ready once it has work to do and does it."""

import time
from collections.abc import Callable

__all__ = ["Health"]


class Health:
    """Told by the loop at each turn; asked from the server's threads.

    `silent_s_max`: a loop silent for longer is not alive. `starting_s_max`: the same before the
    first turn, while a journal may be read. `is_ready` adds a condition of the process's own.
    """

    def __init__(
        self,
        *,
        silent_s_max: float,
        starting_s_max: float,
        is_ready: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._silent_s_max = silent_s_max
        self._starting_s_max = starting_s_max
        self._is_ready = is_ready
        self._clock = clock
        self._began_s = clock()
        self._turned_s = 0.0  # 0: not yet

    def turned(self) -> None:
        """Note that the loop has come round."""
        self._turned_s = self._clock()

    def dead(self) -> str:
        """Return why the process is not alive; "" when it is."""
        now_s = self._clock()
        if self._turned_s:
            silent_s, bound_s = now_s - self._turned_s, self._silent_s_max
        else:
            silent_s, bound_s = now_s - self._began_s, self._starting_s_max
        return f"silent for {silent_s:.1f} s, bound {bound_s:g} s" if silent_s > bound_s else ""

    def unready(self) -> str:
        """Return why the process does no work yet; "" when it does."""
        if not self._turned_s:
            return "starting"
        return self.dead() or ("" if self._is_ready() else "waiting for its parts")
