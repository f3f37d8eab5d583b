"""The hours of a simulated day in steps, and the calendar that says them to the engines."""

from datetime import date, timedelta
from typing import NamedTuple

from schemas.messages.control import CalendarDefined
from schemas.messages.core import PhaseKind, Session, SessionPhase

__all__ = ["CALENDAR", "GRACE_STEPS", "Hours", "calendar_defined"]

CALENDAR = "DAY"
GRACE_STEPS = 12  # after the last phase: late reports, answers to the last cancels
SETTLEMENT_DAYS = 10  # business days that the calendar knows: weekdays, no holidays


class Hours(NamedTuple):
    """When continuous trading is, and the calls before and after it; steps end at start + k steps.

    Cut-offs are assumed: half the opening call, and as long before the close as its call lasts.
    """

    open_ns: int
    step_ns: int
    continuous_steps: int
    opening_steps: int = 0
    closing_steps: int = 0
    grace_steps: int = GRACE_STEPS

    @property
    def start_ns(self) -> int:
        return self.open_ns - self.opening_steps * self.step_ns

    @property
    def close_ns(self) -> int:
        """Return when continuous trading ends."""
        return self.open_ns + self.continuous_steps * self.step_ns

    @property
    def end_ns(self) -> int:
        return self.close_ns + self.closing_steps * self.step_ns

    @property
    def close_step(self) -> int:
        return self.opening_steps + self.continuous_steps

    @property
    def end_step(self) -> int:
        return self.close_step + self.closing_steps

    @property
    def steps(self) -> int:
        return self.end_step + self.grace_steps

    @property
    def has_calls(self) -> bool:
        return bool(self.opening_steps or self.closing_steps)

    @property
    def opening_cutoff_ns(self) -> int:
        return self.open_ns - self.opening_steps // 2 * self.step_ns

    @property
    def closing_cutoff_ns(self) -> int:
        return max(self.close_ns - self.closing_steps * self.step_ns, self.open_ns)


def calendar_defined(hours: Hours, trade_date: int) -> CalendarDefined:
    """Return the calendar of the day: its phases, and the days on which trades settle."""
    first = date(trade_date // 10_000, trade_date // 100 % 100, trade_date % 100)
    days = [first + timedelta(days=number) for number in range(2 * SETTLEMENT_DAYS)]
    settling = [_number(day) for day in days if day.weekday() < 5][:SETTLEMENT_DAYS]
    phases = [
        _phase(PhaseKind.OPENING_AUCTION, hours.start_ns, hours.open_ns, hours.opening_cutoff_ns),
        _phase(PhaseKind.CONTINUOUS, hours.open_ns, hours.close_ns, 0),
        _phase(PhaseKind.CLOSING_AUCTION, hours.close_ns, hours.end_ns, hours.closing_cutoff_ns),
    ]
    session = Session(
        trade_date=trade_date,
        phases=tuple(phase for phase in phases if phase.start_ns < phase.end_ns),
    )
    return CalendarDefined(
        calendar_id=CALENDAR,
        first_date=trade_date,
        last_date=max(settling[-1], trade_date),
        sessions=(session,),
        settlement_dates=tuple(settling),
    )


def _phase(kind: PhaseKind, start_ns: int, end_ns: int, cutoff_ns: int) -> SessionPhase:
    return SessionPhase(kind=kind, start_ns=start_ns, end_ns=end_ns, cutoff_ns=cutoff_ns)


def _number(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day
