"""Others' volume of one instrument and day, in bins of the continuous session, auctions apart."""

from collections.abc import Iterable
from typing import NamedTuple

from schemas.messages.core import Envelope, PrintKind
from schemas.messages.market import TradePrinted
from services.volumemodel.sessions import Session, Sessions

__all__ = ["Day", "History", "merged"]

# What the engine counts as continuous volume: streams/shard/prints.py.
CONTINUOUS = (PrintKind.REGULAR, PrintKind.UNKNOWN)


class Day(NamedTuple):
    """What one day brought; volumes in smallest units, own prints removed."""

    instrument_id: str
    trade_date: int  # yyyymmdd
    bin_ns: int
    volumes: tuple[int, ...]  # by bin; 0: nothing traded, which says nothing of the bin
    opening: int = 0
    closing: int = 0
    is_half_day: bool = False


class History:
    """Counts the prints of a log into days, of any number of instruments."""

    def __init__(self, sessions: Sessions, bin_ns: int) -> None:
        self._sessions = sessions
        self._bin_ns = bin_ns
        self._days: dict[tuple[str, int], _Counts] = {}

    def add(self, envelope: Envelope, message: TradePrinted) -> None:
        """Count a print in the bin of its time, or for the auction that it came from."""
        at_ns = envelope.source_ns or envelope.at_ns
        session = self._sessions.at(message.instrument_id, at_ns)
        quantity = message.quantity - message.own_quantity
        if session is None or quantity <= 0:
            return
        key = (message.instrument_id, session.trade_date)
        counts = self._days.get(key)
        if counts is None:
            counts = self._days[key] = _Counts(session, self._bin_ns)
        counts.add(message.kind, quantity, at_ns)

    def days(self) -> list[Day]:
        """Return the days by instrument and date."""
        return [counts.day(key[0]) for key, counts in sorted(self._days.items())]


class _Counts:
    """One day while it is counted."""

    def __init__(self, session: Session, bin_ns: int) -> None:
        self.session = session
        self.bin_ns = bin_ns
        self.volumes = [0] * max(1, (session.close_ns - session.open_ns) // bin_ns)
        self.opening = self.closing = 0

    def add(self, kind: PrintKind, quantity: int, at_ns: int) -> None:
        session = self.session
        if kind is PrintKind.AUCTION:
            if at_ns - session.open_ns < session.close_ns - at_ns:
                self.opening += quantity
            else:
                self.closing += quantity
        elif kind in CONTINUOUS:
            ordinal = (at_ns - session.open_ns) // self.bin_ns
            if 0 <= ordinal < len(self.volumes):
                self.volumes[ordinal] += quantity

    def day(self, instrument_id: str) -> Day:
        session = self.session
        return Day(
            instrument_id,
            session.trade_date,
            self.bin_ns,
            tuple(self.volumes),
            self.opening,
            self.closing,
            session.is_half_day,
        )


def merged(days: Iterable[Day]) -> list[Day]:
    """Return one day for each instrument and date; the later one in `days` wins."""
    found = {(day.instrument_id, day.trade_date): day for day in days}
    return [found[key] for key in sorted(found)]
