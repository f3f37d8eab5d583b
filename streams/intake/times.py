"""Sessions, cut-offs and times in force: when an order may come, and from when to when it works.

Source: docs/adr/0012-times-in-force.md.
"""

from typing import Final

from schemas.messages.core import RejectReason, StrategyKind, TimeInForce
from schemas.messages.intake import NewOrder, OrderAccepted
from streams.core.market import Instrument
from streams.intake.refusal import Refusal, refuse

__all__ = [
    "MULTI_DAY",
    "RATE_MAX_BPS",
    "check_auction_times",
    "check_cutoff",
    "check_end",
    "check_expiry",
    "check_halt",
    "check_open",
    "check_session",
    "check_time_in_force",
    "check_times",
    "next_session_ns",
    "working_time",
]

MULTI_DAY: Final = (TimeInForce.GTC, TimeInForce.GTD)
_AUCTION: Final = (TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE)
# What one sweep takes; a schedule has no first sweep to stop after.
_SWEPT: Final = (TimeInForce.IOC, TimeInForce.AT_OPEN)
AUCTION_NS: Final = 300_000_000_000  # AT_OPEN ends then after the open, AT_CLOSE starts so early
RATE_MAX_BPS: Final = 10_000


def working_time(message: NewOrder, terms: Instrument, at_ns: int) -> tuple[int, int]:
    """Return from when to when an order works in the session that it is entered for, ns."""
    open_ns, close_ns = terms.session_open_ns, terms.session_close_ns
    match message.time_in_force:
        case TimeInForce.AT_OPEN:
            # The opening auction collects before the open; without one it works from the open on.
            start_ns = terms.entry_open_ns if terms.open_cutoff_ns else open_ns
            return max(start_ns, at_ns), min(open_ns + AUCTION_NS, close_ns)
        case TimeInForce.AT_CLOSE:
            # The closing auction collects all day; without one the last minutes are for it.
            start_ns = open_ns if terms.close_cutoff_ns else max(open_ns, close_ns - AUCTION_NS)
            return max(start_ns, at_ns), close_ns
        case TimeInForce.GTD:
            end_ns = min(message.end_ns or close_ns, message.expire_ns)
            return max(message.start_ns, at_ns, open_ns), end_ns
        case _:
            return max(message.start_ns, at_ns, open_ns), message.end_ns or close_ns


def next_session_ns(terms: Instrument | None, after_ns: int, at_ns: int) -> int:
    """Return when the next session opens that begins at `after_ns` or later and is not over.

    Units:  ns; an instant in the past is that of a session under way, 0 when none is known yet.
    """
    if terms is None:
        return 0
    if terms.session_open_ns >= after_ns and at_ns < terms.session_close_ns:
        return terms.session_open_ns
    return terms.next_open_ns if terms.next_open_ns >= after_ns else 0


def check_open(terms: Instrument, at_ns: int) -> Refusal | None:
    """Return a refusal when no order may be entered now."""
    entry_ns = terms.entry_open_ns or terms.session_open_ns
    if entry_ns <= at_ns < terms.session_close_ns:
        return None
    bound = f"from {entry_ns} to before {terms.session_close_ns}"
    return refuse(RejectReason.SESSION_CLOSED, "at_ns", at_ns, bound)


def check_session(message: NewOrder, terms: Instrument, at_ns: int) -> Refusal | None:
    """Return a refusal when the order comes outside the session or wants to work after it."""
    return check_open(terms, at_ns) or check_end(message.end_ns, terms)


def check_end(end_ns: int, terms: Instrument) -> Refusal | None:
    """Return a refusal when work would end after the session."""
    if end_ns <= terms.session_close_ns:
        return None
    bound = f"until {terms.session_close_ns}"
    return refuse(RejectReason.SESSION_CLOSED, "end_ns", end_ns, bound)


def check_time_in_force(message: NewOrder) -> Refusal | None:
    """Return a refusal when it is unknown or does not go with the strategy."""
    tif = message.time_in_force
    if tif is TimeInForce.UNKNOWN or (
        tif in _SWEPT and message.strategy is not StrategyKind.IMMEDIATE
    ):
        bound = "DAY, GTC, GTD, AT_CLOSE, or with IMMEDIATE: IOC, AT_OPEN"
        return refuse(RejectReason.UNSUPPORTED_TIME_IN_FORCE, "time_in_force", tif, bound)
    return None


def check_times(message: NewOrder, terms: Instrument, at_ns: int) -> Refusal | None:
    """Return a refusal when start and end leave no time to work, or the rate is none."""
    end_ns = message.end_ns or terms.session_close_ns
    if end_ns <= message.start_ns:
        bound = f"after start_ns {message.start_ns}"
        return refuse(RejectReason.END_NOT_AFTER_START, "end_ns", end_ns, bound)
    if end_ns <= at_ns:
        return refuse(RejectReason.END_IN_THE_PAST, "end_ns", end_ns, f"after {at_ns}")
    if end_ns <= terms.session_open_ns:
        bound = f"after the open {terms.session_open_ns}"
        return refuse(RejectReason.END_NOT_AFTER_START, "end_ns", end_ns, bound)
    rate_bps = message.participation_cap_bps
    if not 1 <= rate_bps <= RATE_MAX_BPS:
        bound = f"1..{RATE_MAX_BPS}"
        return refuse(RejectReason.RATE_OUT_OF_RANGE, "participation_cap_bps", rate_bps, bound)
    return None


def check_expiry(message: NewOrder, terms: Instrument, at_ns: int) -> Refusal | None:
    """Return a refusal when the expiry does not go with the time in force."""
    expire_ns = message.expire_ns
    if message.time_in_force is not TimeInForce.GTD:
        if not expire_ns:
            return None
        bound = f"{message.time_in_force} has none"
        return refuse(RejectReason.EXPIRE_NOT_ALLOWED, "expire_ns", expire_ns, bound)
    if not expire_ns:
        return refuse(RejectReason.EXPIRE_MISSING, "expire_ns", expire_ns, "GTD has one")
    start_ns = max(at_ns, message.start_ns, terms.session_open_ns)
    if expire_ns <= start_ns:
        bound = f"after {start_ns}, when it may trade first"
        return refuse(RejectReason.EXPIRE_IN_THE_PAST, "expire_ns", expire_ns, bound)
    return None


def check_cutoff(
    terms_asked: NewOrder | OrderAccepted, terms: Instrument, at_ns: int
) -> Refusal | None:
    """Return a refusal when an order for an auction comes, or is changed, too late for it."""
    match terms_asked.time_in_force:
        case TimeInForce.AT_OPEN:
            cutoff_ns = terms.open_cutoff_ns or terms.session_open_ns
        case TimeInForce.AT_CLOSE:
            cutoff_ns = _close_cutoff_ns(terms)
        case _:
            return None
    if at_ns < cutoff_ns:
        return None
    bound = f"before the cut-off {cutoff_ns} of {terms_asked.time_in_force}"
    return refuse(RejectReason.AFTER_CUTOFF, "at_ns", at_ns, bound)


def check_halt(message: NewOrder, terms: Instrument) -> Refusal | None:
    """Return a refusal of a sweep that could only be for nothing; others wait out a halt."""
    if message.time_in_force is not TimeInForce.IOC or not terms.is_halted:
        return None
    tif, bound = message.time_in_force, f"{terms.instrument_id} is halted"
    return refuse(RejectReason.HALTED, "time_in_force", tif, bound)


def check_auction_times(message: NewOrder) -> Refusal | None:
    """Return a refusal when an order for an auction names other times than the auction's."""
    tif = message.time_in_force
    if tif not in _AUCTION:
        return None
    for name in ("start_ns", "end_ns"):
        value = getattr(message, name)
        if value:
            bound = f"0: {tif} has the times of its auction"
            return refuse(RejectReason.VALUE_OUT_OF_RANGE, name, value, bound)
    return None


def _close_cutoff_ns(terms: Instrument) -> int:
    cutoff_ns = terms.close_cutoff_ns or terms.session_close_ns
    return min(cutoff_ns, terms.session_close_ns)
