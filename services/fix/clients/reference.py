"""What the gateway must know of instruments: scale of quantities, currency, the session's day."""

from bisect import bisect_right
from typing import Any, NamedTuple

import msgspec

from schemas.messages.control import CalendarDefined, InstrumentDefined
from streams.core.calendar import Calendar
from streams.core.errors import DecodeError
from streams.shard.reference.checks import check

__all__ = ["Reference", "Session"]


class Listed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Terms of an instrument from an instant on."""

    from_ns: int
    quantity_scale: int
    currency: str
    trade_date: int
    close_ns: int
    calendar_id: str


class Session(NamedTuple):
    """The session under way or the next one; zeros when none is known."""

    trade_date: int
    close_ns: int


class Reference(msgspec.Struct):
    """Every definition read so far, asked for an instant: folding it needs no clock."""

    instruments: dict[str, list[Listed]] = {}
    calendars: dict[str, Calendar] = {}

    def fold(self, message: Any, sent_ns: int) -> None:
        """Take a definition; anything else changes nothing."""
        match message:
            case InstrumentDefined() if _is_sound(message):
                known = self.instruments.setdefault(message.instrument_id, [])
                known.append(
                    Listed(
                        message.effective_ns or sent_ns,
                        known[0].quantity_scale if known else message.quantity_scale,
                        message.currency,
                        message.trade_date,
                        message.session_close_ns,
                        message.calendar_id,
                    )
                )
                known.sort(key=lambda each: each.from_ns)  # stable: the newer one comes last
            case CalendarDefined() if _is_sound(message):
                calendar = self.calendars.setdefault(message.calendar_id, Calendar())
                calendar.put(message, max(message.effective_ns, sent_ns))
            case _:
                pass

    def listed(self, instrument_id: str, at_ns: int) -> Listed | None:
        """Return the terms in force then, or the first ones known; None for a stranger."""
        known = self.instruments.get(instrument_id)
        if not known:
            return None
        return known[max(0, bisect_right(known, at_ns, key=lambda each: each.from_ns) - 1)]

    def scale(self, instrument_id: str) -> int:
        """Return smallest units to a whole unit: the same for ever (ADR 0013)."""
        known = self.instruments.get(instrument_id)
        return known[0].quantity_scale if known else 1

    def currency(self, instrument_id: str) -> str:
        """Return the currency of its prices: the same for ever (ADR 0013)."""
        known = self.instruments.get(instrument_id)
        return known[0].currency if known else ""

    def session(self, instrument_id: str, at_ns: int) -> Session:
        """Return the session under way, else the next one, else the last one known."""
        terms = self.listed(instrument_id, at_ns)
        if terms is None:
            return Session(0, 0)
        calendar = self.calendars.get(terms.calendar_id)
        if calendar is None or not calendar.sessions:
            return Session(terms.trade_date, terms.close_ns)
        session = calendar.at(at_ns).session or calendar.sessions[-1]
        return Session(session.trade_date, session.close_ns)

    def close_of(self, instrument_id: str, trade_date: int, at_ns: int) -> int:
        """Return when that day's session closes, ns; 0 when it is not known."""
        terms = self.listed(instrument_id, at_ns)
        if terms is None:
            return 0
        calendar = self.calendars.get(terms.calendar_id)
        sessions = () if calendar is None else calendar.sessions
        closes = (each.close_ns for each in sessions if each.trade_date == trade_date)
        own = terms.close_ns if terms.trade_date == trade_date else 0
        return next(closes, own)


def _is_sound(message: Any) -> bool:
    """Return whether the engine takes it too: what it refuses holds for nobody."""
    try:
        check(message)
    except DecodeError:
        return False
    return True
