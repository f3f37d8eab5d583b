"""A calendar of sessions, painted from chunks: a later word replaces what was said of its dates."""

from bisect import bisect_right
from typing import Final, NamedTuple

import msgspec

from schemas.messages.control import CalendarDefined
from schemas.messages.core import PhaseKind

__all__ = ["NEVER_NS", "Calendar", "Moment", "Phase", "TradingSession"]

NEVER_NS: Final = 1 << 62


class Phase(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """As schemas' SessionPhase."""

    kind: PhaseKind
    start_ns: int
    end_ns: int
    cutoff_ns: int


class TradingSession(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One session; its phases are in order of time, at least one of them CONTINUOUS."""

    trade_date: int
    is_half_day: bool
    phases: tuple[Phase, ...]

    @property
    def start_ns(self) -> int:
        return self.phases[0].start_ns

    @property
    def end_ns(self) -> int:
        return self.phases[-1].end_ns

    @property
    def open_ns(self) -> int:
        """When continuous trading starts."""
        return next(p.start_ns for p in self.phases if p.kind is PhaseKind.CONTINUOUS)

    @property
    def close_ns(self) -> int:
        """When continuous trading ends for the day."""
        return next(p.end_ns for p in reversed(self.phases) if p.kind is PhaseKind.CONTINUOUS)

    def auction(self, kind: PhaseKind) -> Phase | None:
        """Return the first phase of that kind."""
        return next((p for p in self.phases if p.kind is kind), None)


class Moment(NamedTuple):
    """What a calendar says of one instant."""

    session: TradingSession | None  # under way, else the next one
    following: TradingSession | None  # the one after it
    phase: PhaseKind  # UNKNOWN outside sessions and between phases
    until_ns: int  # exclusive: when the answer changes


class Chunk(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one definition says of a range of trade dates."""

    rank_ns: int  # a later one is painted over it
    first_date: int
    last_date: int
    sessions: tuple[TradingSession, ...]
    settlement_dates: tuple[int, ...]

    def covers(self, other: "Chunk") -> bool:
        return self.first_date <= other.first_date and other.last_date <= self.last_date


class _Painted(NamedTuple):
    sessions: tuple[TradingSession, ...]  # by start
    starts: tuple[int, ...]
    settlement_dates: tuple[int, ...]  # ascending


class Calendar(msgspec.Struct, dict=True):
    """State: the chunks in the order of painting. What they make together is worked out once."""

    chunks: list[Chunk] = []

    def put(self, message: CalendarDefined, rank_ns: int) -> None:
        """Paint a chunk; of equal rank, the one that comes later is on top."""
        chunk = _chunk(message, rank_ns)
        at = len(self.chunks)
        while at and self.chunks[at - 1].rank_ns > rank_ns:
            at -= 1
        below = [known for known in self.chunks[:at] if not chunk.covers(known)]
        self.chunks = [*below, chunk, *self.chunks[at:]]
        self.__dict__.clear()

    @property
    def sessions(self) -> tuple[TradingSession, ...]:
        """Every session known, by start."""
        return self._painted().sessions

    def at(self, at_ns: int) -> Moment:
        """Return the session under way or the next one, and the phase."""
        sessions, starts, _ = self._painted()
        count = bisect_right(starts, at_ns)
        if count and at_ns < sessions[count - 1].end_ns:
            session = sessions[count - 1]
            phase, until_ns = _phase_at(session, at_ns)
            following = sessions[count] if count < len(sessions) else None
            return Moment(session, following, phase, until_ns)
        if count == len(sessions):
            return Moment(None, None, PhaseKind.UNKNOWN, NEVER_NS)
        following = sessions[count + 1] if count + 1 < len(sessions) else None
        return Moment(sessions[count], following, PhaseKind.UNKNOWN, starts[count])

    def settlement_date(self, trade_date: int, days: int) -> int | None:
        """Return the settlement day that many business days later; None beyond what is known.

        Units: yyyymmdd. A trade date that is no settlement day counts as the next one that is.
        """
        dates = self._painted().settlement_dates
        if not dates or trade_date < dates[0]:
            return None
        known = bisect_right(dates, trade_date)
        is_business_day = bool(known) and dates[known - 1] == trade_date
        ordinal = known - is_business_day + days
        return dates[ordinal] if ordinal < len(dates) else None

    def _painted(self) -> _Painted:
        found: _Painted | None = self.__dict__.get("painted")
        if found is None:
            sessions: list[TradingSession] = []
            dates: list[int] = []
            for chunk in self.chunks:
                first, last = chunk.first_date, chunk.last_date
                sessions = [s for s in sessions if not first <= s.trade_date <= last]
                sessions += chunk.sessions
                dates = [date for date in dates if not first <= date <= last]
                dates += chunk.settlement_dates
            sessions.sort(key=lambda session: session.start_ns)
            starts = tuple(session.start_ns for session in sessions)
            found = _Painted(tuple(sessions), starts, tuple(sorted(dates)))
            self.__dict__["painted"] = found
        return found


def _phase_at(session: TradingSession, at_ns: int) -> tuple[PhaseKind, int]:
    for phase in session.phases:
        if at_ns < phase.start_ns:
            return PhaseKind.UNKNOWN, phase.start_ns
        if at_ns < phase.end_ns:
            return phase.kind, phase.end_ns
    raise AssertionError("the instant lies before the end of the last phase")


def _chunk(message: CalendarDefined, rank_ns: int) -> Chunk:
    return Chunk(
        rank_ns,
        message.first_date,
        message.last_date,
        tuple(
            TradingSession(
                session.trade_date,
                session.is_half_day,
                tuple(Phase(p.kind, p.start_ns, p.end_ns, p.cutoff_ns) for p in session.phases),
            )
            for session in message.sessions
        ),
        message.settlement_dates,
    )
