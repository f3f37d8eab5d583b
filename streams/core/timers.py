"""Timers as state: what is due follows from recorded events alone."""

from heapq import heapify, heappop, heappush
from typing import NamedTuple

__all__ = ["Timer", "Timers"]


class Timer(NamedTuple):
    due_ns: int
    timer_id: str  # "<context>:<what>:<subject>", the part before the first colon routes it


class Timers:
    """At most one due time per id, fired by (due_ns, id). Slots: `due_by_id` is the state."""

    __slots__ = ("_heap", "due_by_id")

    def __init__(self, due_by_id: dict[str, int] | None = None) -> None:
        self.due_by_id: dict[str, int] = dict(due_by_id or {})
        self._heap = [Timer(due, timer_id) for timer_id, due in self.due_by_id.items()]
        heapify(self._heap)

    def set(self, timer_id: str, due_ns: int) -> None:
        """Set or move the timer."""
        if self.due_by_id.get(timer_id) != due_ns:
            self.due_by_id[timer_id] = due_ns
            heappush(self._heap, Timer(due_ns, timer_id))

    def cancel(self, timer_id: str) -> None:
        """Forget the timer; nothing happens if it is not set."""
        self.due_by_id.pop(timer_id, None)

    def clear_if(self, timer: Timer) -> None:
        """Forget the timer only if it still stands at that time (recovery of a fired one)."""
        if self.due_by_id.get(timer.timer_id) == timer.due_ns:
            del self.due_by_id[timer.timer_id]

    def next_due_ns(self) -> int | None:
        """Return when the first timer is due; None when there is none."""
        self._drop_stale()
        return self._heap[0].due_ns if self._heap else None

    def pop_due(self, now_ns: int) -> Timer | None:
        """Remove and return the first timer that is due at `now_ns`; None when none is."""
        self._drop_stale()
        if not self._heap or self._heap[0].due_ns > now_ns:
            return None
        timer = heappop(self._heap)
        del self.due_by_id[timer.timer_id]
        return timer

    def _drop_stale(self) -> None:
        heap = self._heap
        while heap and self.due_by_id.get(heap[0].timer_id) != heap[0].due_ns:
            heappop(heap)
