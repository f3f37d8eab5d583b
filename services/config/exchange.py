"""Write a calendar file from `exchange-calendars`: a tool, for a person who then looks at it.

Nothing that runs imports this: engines know the calendars that the log defines.
"""

import datetime as dt
import warnings
from typing import Any, NamedTuple

from services.config.problems import ConfigError, Place, Problem

__all__ = ["Extras", "ToolMissingError", "calendar_toml"]

DAY = dt.timedelta(days=1)


class ToolMissingError(ConfigError):
    """The extra that brings the tool is not installed."""

    def __init__(self) -> None:
        bound = (
            "not installed: `make tools`, or pip install --require-hashes -r requirements/tools.txt"
        )
        super().__init__([Problem("TOOL_MISSING", Place("exchange-calendars"), "", "", bound)])


class Extras(NamedTuple):
    """What the package does not know of an exchange, in minutes; 0 for none of it.

    Before the open: first pre-open, then the opening auction. After the close: first the closing
    auction, then post. The cutoff counts back from the close.
    """

    pre_open: int = 0
    opening_auction: int = 0
    closing_auction: int = 0
    closing_cutoff: int = 0
    post: int = 0


class Hours(NamedTuple):
    """Local times of one session; two sessions with the same ones share a pattern."""

    open: dt.datetime
    close: dt.datetime
    break_start: dt.datetime | None
    break_end: dt.datetime | None
    is_half_day: bool

    def pattern(self, trade_date: dt.date) -> tuple[Any, ...]:
        """Return days from the trade date, times of day, and whether it is a half-day."""
        times = (self.open, self.close, self.break_start, self.break_end)
        days = [each and ((each.date() - trade_date).days, each.time()) for each in times]
        return (*days, self.is_half_day)


def calendar_toml(exchange: str, first: dt.date, last: dt.date, extras: Extras) -> str:
    """Return a calendars.toml of the exchange's sessions from first to last trade date.

    Raises: ToolMissingError; ConfigError for an exchange or dates that the package does not know.
    """
    sessions, time_zone = _sessions(exchange, first, last)
    groups: dict[tuple[Any, ...], list[tuple[dt.date, Hours]]] = {}
    for date, hours in sessions:
        groups.setdefault(hours.pattern(date), []).append((date, hours))
    lines = [
        f"# {exchange} from exchange-calendars {_version()}. Look at it before it is loaded:",
        "# days on which it is open and trades do not settle belong into no_settlement_dates.",
        "",
        "[[calendar]]",
        f'calendar_id = "{exchange}"',
        f'time_zone = "{time_zone}"',
        f"first_date = {first}",
        f"last_date = {last}",
    ]
    for members in groups.values():
        date, hours = members[0]
        lines += ["", "[[calendar.pattern]]"]
        lines += ["is_half_day = true"] * hours.is_half_day
        lines += ["trade_dates = [", *(f"  {date}," for date, _ in members), "]"]
        for kind, start, end, cutoff in _phases(hours, extras):
            lines.append(_phase_line(date, kind, start, end, cutoff))
    return "\n".join(lines) + "\n"


def _sessions(
    exchange: str, first: dt.date, last: dt.date
) -> tuple[list[tuple[dt.date, Hours]], str]:
    try:
        import exchange_calendars
    except ImportError as error:
        raise ToolMissingError from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package's own use of pandas
        try:
            calendar = exchange_calendars.get_calendar(
                exchange, start=first.isoformat(), end=(last + DAY).isoformat()
            )
        except (ValueError, exchange_calendars.errors.CalendarError) as error:
            place = Place(f"calendar {exchange}", f"{first}..{last}")
            problem = Problem("CALENDAR_UNKNOWN", place, "", "", str(error).strip())
            raise ConfigError([problem]) from error
        rows = [row for row in calendar.schedule.itertuples() if row.Index.date() <= last]
        early = {session.date() for session in calendar.early_closes}
    tz = calendar.tz
    found = []
    for row in rows:
        open_, break_start, break_end, close = (
            None if value != value else value.to_pydatetime().astimezone(tz)  # noqa: PLR0124 NaT is not itself
            for value in (row.open, row.break_start, row.break_end, row.close)
        )
        assert open_ is not None and close is not None, "a session opens and closes"
        date = row.Index.date()
        found.append((date, Hours(open_, close, break_start, break_end, date in early)))
    return found, str(tz)


def _version() -> str:
    from importlib.metadata import version

    return version("exchange-calendars")


def _phases(
    hours: Hours, extras: Extras
) -> list[tuple[str, dt.datetime, dt.datetime, dt.datetime | None]]:
    def minutes(count: int) -> dt.timedelta:
        return dt.timedelta(minutes=count)

    auction = hours.open - minutes(extras.opening_auction)
    after = hours.close + minutes(extras.closing_auction)
    cutoff = hours.close - minutes(extras.closing_cutoff) if extras.closing_cutoff else None
    found: list[tuple[str, dt.datetime, dt.datetime, dt.datetime | None]] = [
        ("PRE_OPEN", auction - minutes(extras.pre_open), auction, None),
        ("OPENING_AUCTION", auction, hours.open, None),
    ]
    if hours.break_start is None or hours.break_end is None:
        found.append(("CONTINUOUS", hours.open, hours.close, None))
    else:
        found += [
            ("CONTINUOUS", hours.open, hours.break_start, None),
            ("LUNCH", hours.break_start, hours.break_end, None),
            ("CONTINUOUS", hours.break_end, hours.close, None),
        ]
    found += [
        ("CLOSING_AUCTION", hours.close, after, cutoff),
        ("POST", after, after + minutes(extras.post), None),
    ]
    return [phase for phase in found if phase[1] < phase[2]]


def _phase_line(
    trade_date: dt.date,
    kind: str,
    start: dt.datetime,
    end: dt.datetime,
    cutoff: dt.datetime | None,
) -> str:
    days = [(each.date() - trade_date).days for each in (start, end)]
    parts = [f'kind = "{kind}"', f"start = {start.time()}", f"end = {end.time()}"]
    parts += [f"start_day = {days[0]}"] * (days[0] != 0)
    parts += [f"end_day = {days[1]}"] * (days[1] != days[0])
    if cutoff is not None:
        parts.append(f"cutoff = {cutoff.time()}")
    return "[[calendar.pattern.phase]]\n" + "\n".join(parts)
