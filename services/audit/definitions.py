"""Instruments and calendars in force, and whether a definition may be used at all.

Told again from the log alone: nothing of the engine's own reading is used.
"""

from itertools import pairwise
from typing import Any

__all__ = ["Calendars", "is_sound", "tick_at"]

Message = dict[str, Any]
LENGTH_MAX = 64
SETTLEMENT_DAYS_MAX = 10
AUCTIONS = ("OPENING_AUCTION", "CLOSING_AUCTION")
DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def tick_at(m: Message, price_e9: int) -> int:
    """Return the increment of an instrument's definition at a price."""
    bands = [b for b in m.get("tick_bands", ()) if b["from_price_e9"] <= price_e9]
    return int(bands[-1]["tick_e9"] if bands else m["tick_e9"])


def is_sound(m: Message, units: dict[str, tuple[str, int]], calendars: "Calendars") -> bool:
    """Whether an InstrumentDefined adds up: only then an engine uses it."""
    ids = (m["instrument_id"], m["currency"])
    numbers = (m["tick_e9"], m["lot"], m["quantity_scale"], m["maximum_quantity"])
    named = (m.get("calendar_id", ""), m.get("settlement_calendar_id", ""))
    has_session = m["session_open_ns"] < m["session_close_ns"]
    return (
        all(0 < len(each) <= LENGTH_MAX for each in ids)
        and all(number > 0 for number in numbers)
        and _is_grid(m)
        and all(m.get(each, 0) >= 0 for each in ("average_daily_volume", "allocation_lot"))
        and 0 <= m.get("settlement_days", 1) <= SETTLEMENT_DAYS_MAX
        and bool(named[0] or has_session)
        and all(calendars.is_known(each) for each in named if each)
        and units.get(ids[0], (m["currency"], m["quantity_scale"]))
        == (m["currency"], m["quantity_scale"])
    )


def _is_grid(m: Message) -> bool:
    """Every tick is even and makes whole cash; bands ascend and meet on both their grids."""
    ticks = [m["tick_e9"], *(band["tick_e9"] for band in m.get("tick_bands", ()))]
    bounds = [0, *(band["from_price_e9"] for band in m.get("tick_bands", ()))]
    return (
        all(t > 0 and t % 2 == 0 and t * m["lot"] % m["quantity_scale"] == 0 for t in ticks)
        and all(low < high for low, high in pairwise(bounds))
        and all(
            bound % tick == 0 and bound % below == 0
            for bound, tick, below in zip(bounds[1:], ticks[1:], ticks, strict=False)
        )
    )


class Calendars:
    """Chunks by calendar; of a trade date, the chunk with the latest instant speaks."""

    def __init__(self) -> None:
        self._chunks: dict[str, list[tuple[int, int, Message]]] = {}
        self._waiting: list[tuple[int, int, Message]] = []
        self._at_once: dict[str, int] = {}
        self._read = 0

    def is_known(self, calendar_id: str) -> bool:
        """Whether a definition of it was ever read."""
        return calendar_id in self._chunks

    def read(self, m: Message, sent_ns: int, now_ns: int) -> None:
        """Take a CalendarDefined, unless it does not add up."""
        calendar_id, effective_ns = m["calendar_id"], m["effective_ns"]
        if not _is_ordered(m) or (effective_ns <= now_ns and self._overlaps(m, now_ns)):
            return
        self._read += 1
        chunks = self._chunks.setdefault(calendar_id, [])
        if effective_ns > now_ns:
            self._waiting.append((effective_ns, self._read, m))
            return
        rank_ns = effective_ns
        if not effective_ns:
            rank_ns = max(min(sent_ns, now_ns), self._at_once.get(calendar_id, 0))
            self._at_once[calendar_id] = rank_ns
        chunks.append((rank_ns, self._read, m))

    def advance(self, now_ns: int) -> None:
        """Let chunks whose instant has come join the others."""
        for chunk in [each for each in self._waiting if each[0] <= now_ns]:
            self._waiting.remove(chunk)
            self._chunks[chunk[2]["calendar_id"]].append(chunk)

    def session(self, calendar_id: str, now_ns: int) -> Message | None:
        """Return the session under way, else the next one."""
        ahead = [s for s in self._sessions(calendar_id) if s["phases"][-1]["end_ns"] > now_ns]
        return min(ahead, key=lambda s: int(s["phases"][0]["start_ns"]), default=None)

    def _sessions(self, calendar_id: str) -> list[Message]:
        found: list[Message] = []
        for _, _, m in sorted(self._chunks.get(calendar_id, ()), key=lambda chunk: chunk[:2]):
            found = [s for s in found if not m["first_date"] <= s["trade_date"] <= m["last_date"]]
            found += m["sessions"]
        return found

    def _overlaps(self, m: Message, now_ns: int) -> bool:
        """Whether its hours meet those of a session of other dates."""
        if not m["sessions"]:
            return False
        start = m["sessions"][0]["phases"][0]["start_ns"]
        end = m["sessions"][-1]["phases"][-1]["end_ns"]
        return any(
            s["phases"][0]["start_ns"] < end and start < s["phases"][-1]["end_ns"]
            for s in self._sessions(m["calendar_id"])
            if not m["first_date"] <= s["trade_date"] <= m["last_date"]
        )


def _is_ordered(m: Message) -> bool:
    first, last, sessions = m["first_date"], m["last_date"], m["sessions"]
    dates, settled = [s["trade_date"] for s in sessions], m["settlement_dates"]
    instants = [1] + [p[k] for s in sessions for p in s["phases"] for k in ("start_ns", "end_ns")]
    return (
        0 < len(m["calendar_id"]) <= LENGTH_MAX
        and first <= last
        and all(_is_date(date) for date in (first, last, *dates, *settled))
        and all(first <= date <= last for date in (*dates, *settled))
        and dates == sorted(dates)
        and list(settled) == sorted(set(settled))
        and instants == sorted(instants)
        and all(_is_session(s) for s in sessions)
    )


def _is_session(s: Message) -> bool:
    phases = s["phases"]
    return any(p["kind"] == "CONTINUOUS" for p in phases) and all(
        p["kind"] != "UNKNOWN"
        and p["start_ns"] < p["end_ns"]
        and (
            not p["cutoff_ns"]
            or (p["kind"] in AUCTIONS and phases[0]["start_ns"] <= p["cutoff_ns"] <= p["end_ns"])
        )
        for p in phases
    )


def _is_date(date: int) -> bool:
    year, month, day = date // 10_000, date // 100 % 100, date % 100
    if not (1970 <= year <= 9_999 and 1 <= month <= len(DAYS)):
        return False
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 1 <= day <= DAYS[month - 1] + (month == 2 and is_leap)
