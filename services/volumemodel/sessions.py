"""When each instrument traded, by all definitions of a log, and when it trades next."""

from bisect import bisect_right
from collections.abc import Iterable
from typing import Any, NamedTuple

from schemas.messages.control import CalendarDefined, InstrumentDefined
from schemas.messages.core import Envelope
from streams.core.calendar import Calendar

__all__ = ["Session", "Sessions"]

HOUR_NS = 3_600_000_000_000  # without a calendar, auctions lie so near to the session


class Session(NamedTuple):
    """One session of continuous trading; its auctions lie between start and end."""

    start_ns: int
    open_ns: int
    close_ns: int
    end_ns: int
    trade_date: int
    is_half_day: bool = False


class Sessions:
    """Sessions by instrument, from definitions in any order."""

    def __init__(self, definitions: Iterable[tuple[Envelope, Any]]) -> None:
        calendars: dict[str, Calendar] = {}
        named: dict[str, str] = {}  # calendar by instrument
        self._by_instrument: dict[str, list[Session]] = {}
        for envelope, message in definitions:
            if isinstance(message, CalendarDefined):
                rank_ns = message.effective_ns or envelope.at_ns
                calendars.setdefault(message.calendar_id, Calendar()).put(message, rank_ns)
            elif isinstance(message, InstrumentDefined) and message.calendar_id:
                named[message.instrument_id] = message.calendar_id
            elif isinstance(message, InstrumentDefined):
                known = self._by_instrument.setdefault(message.instrument_id, [])
                known.append(_session(message))
        for instrument_id, calendar_id in named.items():
            calendar = calendars.get(calendar_id, Calendar())
            known = self._by_instrument.setdefault(instrument_id, [])
            known += [
                Session(s.start_ns, s.open_ns, s.close_ns, s.end_ns, s.trade_date, s.is_half_day)
                for s in calendar.sessions
            ]
        for instrument_id, sessions in self._by_instrument.items():
            self._by_instrument[instrument_id] = sorted(set(sessions))

    def at(self, instrument_id: str, at_ns: int) -> Session | None:
        """Return the session that a print of that instant belongs to."""
        sessions = self._by_instrument.get(instrument_id, [])
        ordinal = bisect_right(sessions, at_ns, key=lambda session: session.start_ns) - 1
        if ordinal < 0 or at_ns > sessions[ordinal].end_ns:
            return None
        return sessions[ordinal]

    def after(self, instrument_id: str, trade_date: int) -> Session | None:
        """Return the next session; the newest one where no later one is known."""
        sessions = self._by_instrument.get(instrument_id, [])
        later = [session for session in sessions if session.trade_date > trade_date]
        return later[0] if later else sessions[-1] if sessions else None


def _session(m: InstrumentDefined) -> Session:
    open_ns, close_ns = m.session_open_ns, m.session_close_ns
    return Session(open_ns - HOUR_NS, open_ns, close_ns, close_ns + HOUR_NS, m.trade_date)
