"""What a definition must keep to be used: every price and quantity under it adds up."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from schemas.messages.control import (
    AccountDefined,
    CalendarDefined,
    ClientDefined,
    CrossingDeclared,
    DeskDefined,
    InstrumentDefined,
    PairRestricted,
    VenueDefined,
    VolumeCurveDefined,
)
from schemas.messages.core import OrderType, PartyLevel, PhaseKind, Session, VenueKind
from schemas.messages.core import RejectReason as R
from streams.core.errors import DecodeError

__all__ = ["check"]

LENGTH_MAX: Final = 64  # characters of an id: ids are keys of state, so their size is bounded
DAYS_MAX: Final = 10  # of settlement after the trade
MONTHS: Final = 12
E9: Final = 1_000_000_000
DAY_NS: Final = 86_400 * E9
BINS_MAX: Final = 10_000  # of a volume curve: more than the seconds of two hours
MESSAGES_MAX: Final = 10_000  # a second, at one venue: so many instants are kept
LOG_MAX_E9: Final = 100 * E9
VARIANCE_MAX_E9: Final = 1_000 * E9
_AUCTIONS: Final = (PhaseKind.OPENING_AUCTION, PhaseKind.CLOSING_AUCTION)


def check(message: Any) -> None:
    """Raise DecodeError with the first rule that the message breaks by itself."""
    rules = _RULES.get(type(message))
    if rules is not None:
        rules(message)


def _instrument(m: InstrumentDefined) -> None:
    _ids(m, "instrument_id", "currency")
    _at_least(R.PRICE_NOT_POSITIVE, m, 1, "tick_e9")
    _at_least(R.QUANTITY_NOT_POSITIVE, m, 1, "lot", "quantity_scale", "maximum_quantity")
    _tick("tick_e9", m.tick_e9, m)
    from_price_e9, tick_e9 = 0, m.tick_e9
    for band in m.tick_bands:
        if band.from_price_e9 <= from_price_e9:
            bound = f"above {from_price_e9}"
            value = str(band.from_price_e9)
            raise DecodeError(R.TICK_BANDS_NOT_ORDERED, "tick_bands.from_price_e9", value, bound)
        from_price_e9 = band.from_price_e9
        if band.tick_e9 <= 0:
            _raise(R.PRICE_NOT_POSITIVE, "tick_bands.tick_e9", band.tick_e9, "at least 1")
        _tick("tick_bands.tick_e9", band.tick_e9, m)
        if from_price_e9 % band.tick_e9 or from_price_e9 % tick_e9:  # grids meet where bands do
            bound = f"multiple of {band.tick_e9} and of {tick_e9}"
            _raise(R.PRICE_OFF_TICK, "tick_bands.from_price_e9", from_price_e9, bound)
        tick_e9 = band.tick_e9
    _at_least(R.PARAMETER_OUT_OF_RANGE, m, 0, "average_daily_volume", "allocation_lot")
    if not 0 <= m.settlement_days <= DAYS_MAX:
        bound = f"0..{DAYS_MAX}"
        _raise(R.PARAMETER_OUT_OF_RANGE, "settlement_days", m.settlement_days, bound)
    if not m.calendar_id and m.session_close_ns <= m.session_open_ns:
        bound = f"after session_open_ns {m.session_open_ns}"
        _raise(R.END_NOT_AFTER_START, "session_close_ns", m.session_close_ns, bound)


def _tick(name: str, tick_e9: int, m: InstrumentDefined) -> None:
    if tick_e9 % 2:
        _raise(R.PRICE_OFF_TICK, name, tick_e9, "even")
    if tick_e9 * m.lot % m.quantity_scale:
        bound = f"{name} {tick_e9} times lot a multiple of {m.quantity_scale}"
        _raise(R.QUANTITY_NOT_A_LOT_MULTIPLE, "lot", m.lot, bound)


def _venue(m: VenueDefined) -> None:
    _ids(m, "venue_id")
    if m.kind is VenueKind.UNKNOWN:
        _raise(R.PARAMETER_OUT_OF_RANGE, "kind", m.kind, "LIT, DARK or ATS")
    _at_least(R.PARAMETER_OUT_OF_RANGE, m, 0, "minimum_quantity", "lot", "month_quantity")
    for name in ("latency_ns", "cancel_after_ns", "slow_after_ns"):
        _within(name, getattr(m, name), 0, DAY_NS)
    _within("messages_per_s", m.messages_per_s, 0, MESSAGES_MAX)
    _at_least(R.PRICE_NOT_POSITIVE, m, 0, "tick_e9")
    if m.tick_e9 % 2:
        _raise(R.PRICE_OFF_TICK, "tick_e9", m.tick_e9, "even")
    if OrderType.UNKNOWN in m.order_types:
        _raise(R.UNSUPPORTED_ORDER_TYPE, "order_types", OrderType.UNKNOWN, "known order types")
    from_quantity = -1
    for tier in m.fee_tiers:
        if tier.from_quantity <= from_quantity:
            bound = f"above {from_quantity}"
            _raise(R.PARAMETER_OUT_OF_RANGE, "fee_tiers.from_quantity", tier.from_quantity, bound)
        from_quantity = tier.from_quantity


def _account(m: AccountDefined) -> None:
    _ids(m, "account_id", "client_id", "tenant")


def _client(m: ClientDefined) -> None:
    _ids(m, "client_id", "tenant")


def _desk(m: DeskDefined) -> None:
    _ids(m, "desk_id", "tenant")


def _crossing(m: CrossingDeclared) -> None:
    _ids(m, "declaration_id", "tenant")
    names = ("quote_age_max_ns", "spread_max_bps", "spread_median_bps", "random_ns")
    _at_least(R.PARAMETER_OUT_OF_RANGE, m, 0, *names)
    _within("random_ns", m.random_ns, 0, DAY_NS)


def _pair(m: PairRestricted) -> None:
    _ids(m, "tenant", "one", "other")
    if m.level is PartyLevel.UNKNOWN:
        _raise(R.PARAMETER_OUT_OF_RANGE, "level", m.level, "ACCOUNT, CLIENT or OWNER")


def _curve(m: VolumeCurveDefined) -> None:
    _ids(m, "instrument_id")
    _at_least(R.END_NOT_AFTER_START, m, 1, "bin_ns")
    if not 1 <= len(m.log_volume_e9) <= BINS_MAX:
        count, bound = len(m.log_volume_e9), f"1..{BINS_MAX} bins"
        _raise(R.PARAMETER_OUT_OF_RANGE, "log_volume_e9", count, bound)
    # Within these no estimate gets infinite, whatever volumes come.
    for mean_e9 in m.log_volume_e9:
        _within("log_volume_e9", mean_e9, -LOG_MAX_E9, LOG_MAX_E9)
    for name in ("a_eta_e9", "a_mu_e9"):
        _within(name, getattr(m, name), -E9, E9)
    for name in ("var_eta_e9", "var_mu_e9", "var_noise_e9", "auction_var_e9"):
        _within(name, getattr(m, name), 0, VARIANCE_MAX_E9)
    for name in ("opening_log_volume_e9", "closing_log_volume_e9"):
        mean_e9 = getattr(m, name)
        if mean_e9 is not None:
            _within(name, mean_e9, -LOG_MAX_E9, LOG_MAX_E9)


def _within(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        _raise(R.PARAMETER_OUT_OF_RANGE, name, value, f"{least}..{most}")


def _calendar(m: CalendarDefined) -> None:
    _ids(m, "calendar_id")
    _date("first_date", m.first_date)
    _date("last_date", m.last_date)
    if m.last_date < m.first_date:
        bound = f"at least first_date {m.first_date}"
        _raise(R.CALENDAR_NOT_ORDERED, "last_date", m.last_date, bound)
    _dates("settlement_dates", m.settlement_dates, m, is_strict=True)
    _dates("trade_date", [session.trade_date for session in m.sessions], m, is_strict=False)
    end_ns = 1  # every instant is after the epoch
    for session in m.sessions:
        end_ns = _session(session, end_ns)


def _dates(name: str, dates: Iterable[int], m: CalendarDefined, *, is_strict: bool) -> None:
    """Dates ascend within the chunk's range; a trade date may come again, with a second session."""
    least = m.first_date
    for date in dates:
        _date(name, date)
        if not least <= date <= m.last_date:
            _raise(R.CALENDAR_NOT_ORDERED, name, date, f"from {least} to {m.last_date}")
        least = date + is_strict


def _session(session: Session, end_ns: int) -> int:
    """Check one session that starts at `end_ns` or later; return its end."""
    subject = f"session {session.trade_date}"
    if not any(phase.kind is PhaseKind.CONTINUOUS for phase in session.phases):
        _raise(R.CALENDAR_NOT_ORDERED, f"{subject} phases", "", "at least one is CONTINUOUS")
    start_ns = session.phases[0].start_ns
    for phase in session.phases:
        name = f"{subject} {phase.kind}"
        if phase.kind is PhaseKind.UNKNOWN:
            _raise(R.CALENDAR_NOT_ORDERED, f"{name} kind", phase.kind, "a known kind")
        if phase.start_ns < end_ns:
            _raise(R.CALENDAR_NOT_ORDERED, f"{name} start_ns", phase.start_ns, f">= {end_ns}")
        if phase.end_ns <= phase.start_ns:
            bound = f"after start_ns {phase.start_ns}"
            _raise(R.CALENDAR_NOT_ORDERED, f"{name} end_ns", phase.end_ns, bound)
        end_ns = phase.end_ns
        if phase.cutoff_ns and not (
            phase.kind in _AUCTIONS and start_ns <= phase.cutoff_ns <= phase.end_ns
        ):
            bound = f"0, or of an auction and within {start_ns}..{phase.end_ns}"
            _raise(R.CALENDAR_NOT_ORDERED, f"{name} cutoff_ns", phase.cutoff_ns, bound)
    return end_ns


def _date(name: str, date: int) -> None:
    year, month, day = date // 10_000, date // 100 % 100, date % 100
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = 30 + (month in (1, 3, 5, 7, 8, 10, 12)) if month != 2 else 28 + is_leap
    if not (1970 <= year <= 9999 and 1 <= month <= MONTHS and 1 <= day <= days):
        _raise(R.CALENDAR_NOT_ORDERED, name, date, "a date yyyymmdd")


def _ids(message: Any, *names: str) -> None:
    for name in names:
        value = getattr(message, name)
        if not value:
            _raise(R.FIELD_EMPTY, name, value, f"1 to {LENGTH_MAX} characters")
        if len(value) > LENGTH_MAX:
            _raise(R.FIELD_TOO_LONG, name, len(value), f"at most {LENGTH_MAX}")


def _at_least(reason: R, message: Any, least: int, *names: str) -> None:
    for name in names:
        value = getattr(message, name)
        if value < least:
            _raise(reason, name, value, f"at least {least}")


def _raise(reason: R, field: str, value: Any, bound: str) -> None:
    raise DecodeError(reason, field, str(value), bound)


_RULES: Final[dict[type[Any], Callable[[Any], None]]] = {
    AccountDefined: _account,
    CalendarDefined: _calendar,
    ClientDefined: _client,
    CrossingDeclared: _crossing,
    DeskDefined: _desk,
    InstrumentDefined: _instrument,
    PairRestricted: _pair,
    VenueDefined: _venue,
    VolumeCurveDefined: _curve,
}
