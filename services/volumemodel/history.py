"""Read the prints of a log into days."""

from typing import Any

from schemas.messages.control import CalendarDefined, InstrumentDefined
from schemas.messages.core import Envelope
from schemas.messages.market import TradePrinted
from services.cli.log import read_to_end
from services.volumemodel.days import Day, History
from services.volumemodel.sessions import Sessions
from streams.core.topics import CONTROL_COMMANDS, MARKET_DATA

__all__ = ["read_days", "read_sessions"]


def read_sessions(bootstrap: str) -> Sessions:
    """Return when instruments trade, by all definitions. Raises: LookupError, KafkaException."""
    found: list[tuple[Envelope, Any]] = [
        (entry.envelope, entry.message)
        for entry in read_to_end(bootstrap, (CONTROL_COMMANDS,))
        if entry.envelope is not None
        and isinstance(entry.message, (CalendarDefined, InstrumentDefined))
    ]
    return Sessions(found)


def read_days(bootstrap: str, sessions: Sessions, bin_ns: int) -> list[Day]:
    """Return the days that the log's prints make. Raises: LookupError, KafkaException."""
    history = History(sessions, bin_ns)
    for entry in read_to_end(bootstrap, (MARKET_DATA,)):
        if entry.envelope is not None and isinstance(entry.message, TradePrinted):
            history.add(entry.envelope, entry.message)
    return history.days()
