"""What clearing must know of instruments, accounts and calendars, by the instant of a trade."""

from bisect import bisect_right
from datetime import date, timedelta
from typing import Any, NamedTuple

import msgspec

from schemas.messages.control import (
    AccountDefined,
    CalendarDefined,
    ClientDefined,
    InstrumentDefined,
)
from streams.core.calendar import Calendar

__all__ = ["Reference", "Settlement", "cash_e9", "weekday_after"]

SATURDAY = 5


class Settlement(NamedTuple):
    """Settlement date yyyymmdd. `is_assumed`: weekdays were counted, no calendar knew."""

    date: int
    is_assumed: bool


class Reference(msgspec.Struct):
    """Every definition read so far. A trade is settled by the newest word about its own time."""

    instruments: dict[str, list[tuple[int, InstrumentDefined]]] = {}  # in force from, terms
    accounts: dict[str, AccountDefined] = {}
    clients: dict[str, ClientDefined] = {}
    calendars: dict[str, Calendar] = {}

    def fold(self, message: Any, sent_ns: int) -> None:
        """Take a definition; anything else changes nothing."""
        match message:
            case InstrumentDefined():
                known = self.instruments.setdefault(message.instrument_id, [])
                known.append((message.effective_ns or sent_ns, message))
                known.sort(key=lambda each: each[0])  # stable: the newer one comes last
            case AccountDefined():
                self.accounts[message.account_id] = message
            case ClientDefined():
                self.clients[message.client_id] = message
            case CalendarDefined():
                calendar = self.calendars.setdefault(message.calendar_id, Calendar())
                calendar.put(message, max(message.effective_ns, sent_ns))
            case _:
                pass

    def instrument(self, instrument_id: str, at_ns: int) -> InstrumentDefined | None:
        """Return the terms in force then, or the first ones known; None for a stranger."""
        known = self.instruments.get(instrument_id)
        if not known:
            return None
        return known[max(0, bisect_right(known, at_ns, key=lambda each: each[0]) - 1)][1]

    def trade_date(self, instrument_id: str, at_ns: int) -> int:
        """Return the trade date of the last session that began by then, yyyymmdd.

        A report after the close belongs to the session that has ended, not to the next one; the
        night session of a market may carry tomorrow's date. 0 where nothing is known.
        """
        terms = self.instrument(instrument_id, at_ns)
        if terms is None:
            return 0
        calendar = self.calendars.get(terms.calendar_id)
        if calendar is None or not calendar.sessions:
            return terms.trade_date
        begun = bisect_right(calendar.sessions, at_ns, key=lambda session: session.start_ns)
        return calendar.sessions[max(0, begun - 1)].trade_date

    def settlement(self, instrument_id: str, trade_date: int, at_ns: int) -> Settlement:
        """Return when a trade of that date settles."""
        terms = self.instrument(instrument_id, at_ns)
        days = 1 if terms is None else terms.settlement_days
        if terms is not None:
            calendar = self.calendars.get(terms.settlement_calendar_id or terms.calendar_id)
            known = None if calendar is None else calendar.settlement_date(trade_date, days)
            if known is not None:
                return Settlement(known, False)
        return Settlement(weekday_after(trade_date, days), True)


def weekday_after(trade_date: int, days: int) -> int:
    """Return the weekday that many weekdays later; a trade at a weekend counts as Monday's.

    Units: yyyymmdd; 0 stays 0.
    """
    if not trade_date:
        return 0
    day = date(trade_date // 10_000, trade_date // 100 % 100, trade_date % 100)
    while day.weekday() >= SATURDAY:
        day += timedelta(days=1)
    while days:
        day += timedelta(days=1)
        days -= day.weekday() < SATURDAY
    return day.year * 10_000 + day.month * 100 + day.day


def cash_e9(price_e9: int, quantity: int, quantity_scale: int) -> int:
    """Return price times quantity in cash.

    Units:  1e-9 currency units.
    Rounds: half even, as docs/architecture.md has it; never for prices on the grid.
    """
    whole, rest = divmod(price_e9 * quantity, quantity_scale)
    twice = 2 * rest
    return whole + (twice > quantity_scale or (twice == quantity_scale and whole & 1 == 1))
