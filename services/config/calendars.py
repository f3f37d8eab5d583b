"""Rows of calendars: local times of a venue, by pattern; chunks of about ten days in the log."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, model_validator

from schemas.messages.control import CalendarDefined
from schemas.messages.core import PhaseKind, Session, SessionPhase
from services.config.decimals import ns_of, yyyymmdd
from services.config.rows import DatedRow

__all__ = ["CalendarRow", "PatternRow", "PhaseRow", "zone"]

_CHUNK_STARTS: Final = (1, 11, 21)  # days of the month; the same whatever range a file covers


def zone(name: str) -> dt.tzinfo:
    """Return an IANA zone. Raises ValueError when this machine knows none of that name."""
    if name == "UTC":
        return dt.UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name} is no time zone known here (package tzdata?)") from error


class PhaseRow(BaseModel):
    """Local times; `start_day` and `end_day` count calendar days from the trade date, such as -1.

    `cutoff`, on the start's day unless `cutoff_day` says otherwise: the last moment for orders of
    an auction.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: PhaseKind
    start: dt.time
    end: dt.time
    start_day: int = 0
    end_day: int | None = None  # the start's
    cutoff: dt.time | None = None
    cutoff_day: int | None = None  # the start's

    def at(self, date: dt.date, tz: dt.tzinfo) -> SessionPhase:
        """Return the phase on a trade date."""
        end_day = self.start_day if self.end_day is None else self.end_day
        cutoff_day = self.start_day if self.cutoff_day is None else self.cutoff_day
        return SessionPhase(
            kind=self.kind,
            start_ns=_instant_ns(date, self.start_day, self.start, tz),
            end_ns=_instant_ns(date, end_day, self.end, tz),
            cutoff_ns=0 if self.cutoff is None else _instant_ns(date, cutoff_day, self.cutoff, tz),
        )


class PatternRow(BaseModel):
    """Sessions that have the same local times."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = ""
    is_half_day: bool = False
    trade_dates: tuple[dt.date, ...]
    phase: tuple[PhaseRow, ...]


class CalendarRow(DatedRow):
    """Every trade date from first to last that no pattern names is a holiday.

    Trades settle on every trade date that is not among `no_settlement_dates`, such as a bank
    holiday on which an exchange is open, and on `settlement_dates` besides.
    """

    calendar_id: str
    time_zone: str
    first_date: dt.date
    last_date: dt.date
    pattern: tuple[PatternRow, ...] = ()
    settlement_dates: tuple[dt.date, ...] = ()
    no_settlement_dates: tuple[dt.date, ...] = ()

    @model_validator(mode="after")
    def _is_ordered(self) -> "CalendarRow":
        zone(self.time_zone)
        if self.last_date < self.first_date:
            raise ValueError(f"last_date {self.last_date} before first_date {self.first_date}")
        first, last = self.first_date, self.last_date
        for date in [date for pattern in self.pattern for date in pattern.trade_dates]:
            if not first <= date <= last:
                raise ValueError(f"trade date {date} is outside {first}..{last}")
        return self

    def messages(self) -> tuple[Any, ...]:
        sessions = sorted(self._sessions(), key=lambda session: session.phases[0].start_ns)
        dates = {session.trade_date for session in sessions}
        dates -= {yyyymmdd(date) for date in self.no_settlement_dates}
        dates |= {yyyymmdd(date) for date in self.settlement_dates}
        return tuple(
            CalendarDefined(
                calendar_id=self.calendar_id,
                first_date=first,
                last_date=last,
                time_zone=self.time_zone,
                sessions=tuple(s for s in sessions if first <= s.trade_date <= last),
                settlement_dates=tuple(sorted(date for date in dates if first <= date <= last)),
                effective_ns=self.effective_ns,
            )
            for first, last in _chunks(self.first_date, self.last_date)
        )

    def _sessions(self) -> Iterator[Session]:
        tz = zone(self.time_zone)
        for pattern in self.pattern:
            for date in pattern.trade_dates:
                yield Session(
                    trade_date=yyyymmdd(date),
                    name=pattern.name,
                    is_half_day=pattern.is_half_day,
                    phases=tuple(phase.at(date, tz) for phase in pattern.phase),
                )


def _chunks(first: dt.date, last: dt.date) -> Sequence[tuple[int, int]]:
    """Return ranges that begin on fixed days, so that a longer file changes only its end."""
    found, start = [], first
    while start <= last:
        following = _next_start(start)
        found.append((yyyymmdd(start), yyyymmdd(min(last, following - dt.timedelta(days=1)))))
        start = following
    return found


def _next_start(date: dt.date) -> dt.date:
    for day in _CHUNK_STARTS:
        if date.day < day:
            return date.replace(day=day)
    return (date.replace(day=1) + dt.timedelta(days=31)).replace(day=1)


def _instant_ns(date: dt.date, days: int, time: dt.time, tz: dt.tzinfo) -> int:
    """Return the instant of a local time. Raises ValueError for one that a clock change skips."""
    local = dt.datetime.combine(date + dt.timedelta(days=days), time, tz)
    utc = local.astimezone(dt.UTC)
    if utc.astimezone(tz).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise ValueError(f"{local:%Y-%m-%d %H:%M} does not exist in {tz}: the clock skips it")
    return ns_of(utc)
