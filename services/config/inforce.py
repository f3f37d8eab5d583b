"""What is in force in a log: the definitions themselves, under the engine's own rules."""

from collections.abc import Iterator
from typing import Any

from schemas.messages.control import CalendarDefined
from schemas.messages.core import Envelope
from services.config.concerns import concern_of, label_of
from streams.core.errors import DecodeError
from streams.shard.reference import ReferenceView
from streams.shard.reference.dated import DATED, Dated

__all__ = ["InForce"]


class InForce:
    """Fold of control.commands. What an engine refuses is not in force; what waits is not yet.

    `view` is the engine's; beside it the definitions are kept, which the view turns into values.
    """

    def __init__(self) -> None:
        self.view = ReferenceView()
        self.refused = 0
        self._dated = Dated()  # what waits, as the view has it too
        self._messages: dict[str, Any] = {}
        # By calendar: its chunks and their ranks, in the order of painting.
        self._chunks: dict[str, list[tuple[int, CalendarDefined]]] = {}

    def add(self, envelope: Envelope, message: Any) -> None:
        """Take a record as an engine does that reads it when it is sent; count a refused one."""
        try:
            self.apply(message, envelope.at_ns)
        except DecodeError:
            self.refused += 1

    def apply(self, message: Any, at_ns: int) -> None:
        """Take a definition. Raises DecodeError when an engine would refuse it."""
        self.advance(at_ns)
        self.view.apply(message, at_ns, at_ns)
        if type(message) not in DATED:
            if concern_of(message) is not None:
                self._messages[label_of(message)] = message
        elif message.effective_ns > at_ns:
            self._dated.wait(message)
        else:
            self._enter(message, self.view.dated.rank(message, at_ns, at_ns).at_ns)

    def advance(self, at_ns: int) -> None:
        """Let come into force what is due."""
        self.view.advance(at_ns)
        for message, rank in self._dated.pop_due(at_ns):
            self._enter(message, rank.at_ns)

    def _enter(self, message: Any, rank_ns: int) -> None:
        if not isinstance(message, CalendarDefined):
            self._messages[label_of(message)] = message
            return
        chunks = self._chunks.setdefault(message.calendar_id, [])
        chunks.append((rank_ns, message))
        chunks.sort(key=lambda chunk: chunk[0])

    def find(self, message: Any) -> Any | None:
        """Return what is in force of a definition's subject; of a chunk, over its dates."""
        if isinstance(message, CalendarDefined):
            return self._calendar(message.calendar_id, message.first_date, message.last_date)
        return self._messages.get(label_of(message))

    def messages(self) -> Iterator[Any]:
        """Yield everything in force, calendars as chunks of the dates that were given together."""
        for calendar_id in sorted(self._chunks):
            ranges = {(m.first_date, m.last_date) for _, m in self._chunks[calendar_id]}
            for first, last in sorted(ranges):
                found = self._calendar(calendar_id, first, last)
                assert found is not None, "the range is a chunk's"
                yield found
        yield from (self._messages[label] for label in sorted(self._messages))

    @property
    def waiting(self) -> tuple[Any, ...]:
        """What comes into force later, in order."""
        return tuple(waiting.message() for waiting in self.view.dated.waiting)

    def _calendar(self, calendar_id: str, first: int, last: int) -> CalendarDefined | None:
        over = [
            chunk
            for _, chunk in self._chunks.get(calendar_id, ())
            if chunk.first_date <= last and first <= chunk.last_date
        ]
        if not over:
            return None
        sessions: list[Any] = []
        dates: list[int] = []
        for chunk in over:
            sessions = [s for s in sessions if not _is_in(s.trade_date, chunk)]
            sessions += [s for s in chunk.sessions if first <= s.trade_date <= last]
            dates = [date for date in dates if not _is_in(date, chunk)]
            dates += [date for date in chunk.settlement_dates if first <= date <= last]
        return CalendarDefined(
            calendar_id=calendar_id,
            first_date=first,
            last_date=last,
            time_zone=over[-1].time_zone,
            sessions=tuple(sorted(sessions, key=lambda session: session.phases[0].start_ns)),
            settlement_dates=tuple(sorted(dates)),
        )


def _is_in(date: int, chunk: CalendarDefined) -> bool:
    return chunk.first_date <= date <= chunk.last_date
