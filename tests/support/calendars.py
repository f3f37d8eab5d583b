"""Calendars written by hand, in hours from a midnight."""

from typing import Any

from schemas.messages.control import CalendarDefined, ClientDefined, DeskDefined
from schemas.messages.core import PhaseKind, Session, SessionPhase, TradingStatus
from schemas.messages.market import TradingStatusChanged
from tests.support.builders import ACME, MINUTE

HOUR = 60 * MINUTE
DAY = 24 * HOUR
MIDNIGHT_NS = 20_000 * DAY  # of Friday 2024-10-04, UTC
FRIDAY = 20241004
MONDAY = 20241007
TUESDAY = 20241008
K = PhaseKind


def phase(kind: PhaseKind, start: float, end: float, cutoff: float = 0) -> SessionPhase:
    """Return a phase; hours from MIDNIGHT_NS, halves too."""
    return SessionPhase(
        kind=kind,
        start_ns=MIDNIGHT_NS + int(start * HOUR),
        end_ns=MIDNIGHT_NS + int(end * HOUR),
        cutoff_ns=MIDNIGHT_NS + int(cutoff * HOUR) if cutoff else 0,
    )


def session(trade_date: int, *phases: SessionPhase, **changes: Any) -> Session:
    return Session(trade_date=trade_date, phases=phases, **changes)


def whole_day(trade_date: int, midnight: float, close: float = 16) -> Session:
    """Return a session with every phase; `midnight` and `close` in hours."""
    return session(
        trade_date,
        phase(K.PRE_OPEN, midnight + 4, midnight + 9),
        phase(K.OPENING_AUCTION, midnight + 9, midnight + 9.5, cutoff=midnight + 9.25),
        phase(K.CONTINUOUS, midnight + 9.5, midnight + 12),
        phase(K.LUNCH, midnight + 12, midnight + 13),
        phase(K.CONTINUOUS, midnight + 13, midnight + close),
        phase(K.CLOSING_AUCTION, midnight + close, midnight + close + 0.25),
        phase(K.POST, midnight + close + 0.25, midnight + 20),
        is_half_day=close < 16,
    )


def calendar_defined(*sessions: Session, **changes: Any) -> CalendarDefined:
    """Return a chunk of the calendar X: Friday and Monday, unless sessions are given."""
    dates = sorted({each.trade_date for each in sessions}) or [FRIDAY, MONDAY]
    return CalendarDefined(
        **{
            "calendar_id": "X",
            "first_date": dates[0],
            "last_date": dates[-1],
            "sessions": sessions or (whole_day(FRIDAY, 0), whole_day(MONDAY, 72, close=14)),
            "settlement_dates": tuple(dates),
            **changes,
        }
    )


def client_defined(client_id: str = "C1", **changes: Any) -> ClientDefined:
    return ClientDefined(**{"client_id": client_id, "tenant": "T1", "name": "Client", **changes})


def desk_defined(desk_id: str = "DESK", **changes: Any) -> DeskDefined:
    return DeskDefined(**{"desk_id": desk_id, "tenant": "T1", "name": "Desk", **changes})


def status_changed(
    status: TradingStatus = TradingStatus.HALTED, venue_id: str = "", **changes: Any
) -> TradingStatusChanged:
    return TradingStatusChanged(
        **{"instrument_id": ACME, "venue_id": venue_id, "status": status, **changes}
    )
