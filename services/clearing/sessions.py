"""Which trade dates have ended, by the engines' own time."""

from services.clearing.application import ClearingState
from services.clearing.reference import Reference

__all__ = ["ended_days"]


def ended_days(state: ClearingState, partitions: int, grace_ns: int) -> list[int]:
    """Return the trade dates with reports whose every session ended `grace_ns` ago, ascending.

    Ago for all shards: the slowest one's journal is the clock, on a tape and live alike.
    """
    if len(state.engine_ns) < partitions:
        return []
    now_ns = min(state.engine_ns.values())
    ends = _session_ends(state.reference, now_ns)
    days = state.ledger.days
    return sorted(day for day in days if day in ends and ends[day] + grace_ns <= now_ns)


def _session_ends(reference: Reference, now_ns: int) -> dict[int, int]:
    """Return when each trade date ends, over all instruments."""
    ends: dict[int, int] = {}
    for instrument_id in reference.instruments:
        terms = reference.instrument(instrument_id, now_ns)
        if terms is None:
            continue
        calendar = reference.calendars.get(terms.calendar_id)
        if calendar is None or not calendar.sessions:
            ends[terms.trade_date] = max(ends.get(terms.trade_date, 0), terms.session_close_ns)
            continue
        for session in calendar.sessions:
            ends[session.trade_date] = max(ends.get(session.trade_date, 0), session.end_ns)
    return ends
