"""Trade, business, settlement dates: weekends, holidays, half-days, nights, month ends."""

from datetime import UTC, datetime

import pytest

from schemas.messages.control import CalendarDefined, InstrumentDefined
from schemas.messages.core import PhaseKind, Session, SessionPhase
from services.clearing.reference import Reference, Settlement, cash_e9, weekday_after
from services.clearing.reports import average_price_e9
from tests.support.audit_log import make

HOUR = 3_600 * 10**9
SETTLEMENT_DATES = (20261124, 20261125, 20261127, 20261130, 20261201, 20261202)  # the 26th is none


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9


def session(trade_date: int, start: str, end: str, *, is_half_day: bool = False) -> Session:
    phase = SessionPhase(kind=PhaseKind.CONTINUOUS, start_ns=at(start), end_ns=at(end))
    return Session(trade_date=trade_date, is_half_day=is_half_day, phases=(phase,))


def reference(*, settlement_days: int = 1, calendar: str = "XNYS") -> Reference:
    """ACME on a calendar of Thanksgiving week, with a half-day and a night session."""
    found = Reference()
    found.fold(
        CalendarDefined(
            calendar_id="XNYS",
            first_date=20261124,
            last_date=20261202,
            sessions=(
                session(20261124, "2026-11-24T14:30", "2026-11-24T21:00"),
                session(20261125, "2026-11-25T02:00", "2026-11-25T09:00"),  # the night before
                session(20261125, "2026-11-25T14:30", "2026-11-25T21:00"),
                session(20261127, "2026-11-27T14:30", "2026-11-27T18:00", is_half_day=True),
                session(20261130, "2026-11-30T14:30", "2026-11-30T21:00"),
            ),
            settlement_dates=SETTLEMENT_DATES,
        ),
        0,
    )
    terms = make(
        InstrumentDefined,
        instrument_id="ACME",
        quantity_scale=1,
        trade_date=20261124,
        calendar_id=calendar,
        settlement_days=settlement_days,
    )
    found.fold(terms, 0)
    return found


@pytest.mark.parametrize(
    ("trade_date", "days", "settles"),
    [
        (20261124, 1, 20261125),
        (20261125, 1, 20261127),  # over a holiday
        (20261127, 1, 20261130),  # a half-day settles like any other; over the weekend
        (20261127, 2, 20261201),  # over the end of the month
        (20261130, 2, 20261202),
        (20261125, 0, 20261125),  # on the same day
        (20261126, 1, 20261130),  # traded on a day that does not settle: counts as the next
    ],
)
def test_trades_settle_by_the_calendar(trade_date: int, days: int, settles: int) -> None:
    known = reference(settlement_days=days)
    assert known.settlement("ACME", trade_date, 1) == Settlement(settles, False)


@pytest.mark.parametrize(
    ("trade_date", "days", "settles"),
    [
        (20261204, 1, 20261207),  # Friday to Monday
        (20261205, 1, 20261208),  # Saturday counts as Monday
        (20261231, 1, 20270101),  # weekdays know no holiday: it says that it is assumed
        (20280228, 1, 20280229),  # a leap year
        (20260227, 3, 20260304),
        (0, 1, 0),
    ],
)
def test_where_no_calendar_knows_weekdays_are_counted_and_marked(
    trade_date: int, days: int, settles: int
) -> None:
    assert weekday_after(trade_date, days) == settles
    known = reference(settlement_days=days, calendar="")
    assert known.settlement("ACME", trade_date, 1) == Settlement(settles, True)


def test_beyond_the_calendar_the_date_is_assumed() -> None:
    assert reference().settlement("ACME", 20261202, 1) == Settlement(20261203, True)


@pytest.mark.parametrize(
    ("executed", "trade_date"),
    [
        ("2026-11-24T15:00", 20261124),
        ("2026-11-24T23:00", 20261124),  # after the close: the session that has ended
        ("2026-11-25T03:00", 20261125),  # the night session carries the next day's date
        ("2026-11-25T10:00", 20261125),
        ("2026-11-26T15:00", 20261125),  # a holiday
        ("2026-11-27T19:00", 20261127),  # after a half-day
        ("2026-11-29T12:00", 20261127),  # a Sunday
        ("2026-01-01T00:00", 20261124),  # before everything that is known
    ],
)
def test_the_trade_date_is_that_of_the_last_session_begun(executed: str, trade_date: int) -> None:
    assert reference().trade_date("ACME", at(executed)) == trade_date


def test_terms_hold_from_their_instant_on() -> None:
    known = reference()
    later = make(
        InstrumentDefined,
        instrument_id="ACME",
        quantity_scale=1,
        settlement_days=2,
        calendar_id="XNYS",
        effective_ns=at("2026-11-25T00:00"),
    )
    known.fold(later, 5)
    assert known.settlement("ACME", 20261124, at("2026-11-24T15:00")).date == 20261125
    assert known.settlement("ACME", 20261124, at("2026-11-25T15:00")).date == 20261127


def test_a_stranger_has_no_dates_and_cash_rounds_half_even() -> None:
    assert Reference().trade_date("NONE", 1) == 0
    assert Reference().instrument("NONE", 1) is None
    assert [cash_e9(price, 1, 2) for price in (1, 2, 3, 5)] == [0, 1, 2, 2]
    assert average_price_e9(10, 4, 1) == 2  # 2.5, half even
    assert average_price_e9(14, 4, 1) == 4  # 3.5
    assert average_price_e9(5, 0, 1) == 0
