"""What an application answers that has no timers and hears no local flags."""

from typing import ClassVar

from streams.core.errors import CorruptHistoryError
from streams.core.timers import Timer
from streams.runtime.ports import Emitter

__all__ = ["PlainApplication"]


class PlainApplication:
    """The part of ports.Application that has to do with timers and flags; override what there is.

    A kill stops orders, and the engine hears of it: what is under way must still be told and
    cleared.
    """

    called: ClassVar[str] = "this application"  # in errors

    def unheard(self, standing: tuple[str, ...]) -> tuple[str, ...]:
        """Return nothing: no flag is news."""
        return ()

    def signal(self, text: str, out: Emitter) -> None:
        raise CorruptHistoryError(f"signal {text}: {self.called} hears none")

    def pop_due(self, now_ns: int) -> Timer | None:
        return None

    def next_due_ns(self) -> int | None:
        return None

    def fire(self, timer: Timer, out: Emitter) -> None:
        raise CorruptHistoryError(f"timer {timer.timer_id}: {self.called} has none")
