"""What a gateway to clearers remembers: which reports are out, and how each stands."""

import msgspec

from services.fix.clearers.instructions.book import Instructions, Orders
from services.fix.gateway.application import GatewayState

__all__ = ["ClearersState", "Open", "Ours", "Read", "Told", "version_of_report"]


class Told(msgspec.Struct, array_like=True, gc=False):
    """A record and the session that it is told to, for ever: a late answer must find it."""

    session_id: str
    settled: int = 0  # newest version to which that session has given its last word


class Open(msgspec.Struct, array_like=True, gc=False):
    """A report without a last word."""

    session_id: str
    message_type: str
    body: bytes
    asks: int  # how often it was sent
    asked_ns: int  # when for the last time
    due_ns: int  # when it is asked again; 0 never
    is_received: bool = False


class Read(msgspec.Struct):
    """What follows from the log and from counterparties."""

    symbols: dict[str, str] = {}  # by instrument
    accounts: dict[str, str] = {}  # client, by account that may trade
    settled: dict[str, int] = {}  # newest version that clearing says is final, by record
    rejected: dict[str, int] = {}  # newest version that was rejected, by record
    unconfirmed: dict[str, bytes] = {}  # reports that some session wants confirmed, by report
    orders: Orders = msgspec.field(default_factory=Orders)


class Ours(msgspec.Struct):
    """What follows from what we emitted; a recovery folds it after the other."""

    told: dict[str, Told] = {}  # by record
    open: dict[str, Open] = {}  # by report
    ordinals: dict[str, dict[int, str]] = {}  # reports not yet sent, by session
    sequences: dict[str, dict[int, str]] = {}  # reports by MsgSeqNum, by session
    confirmed: dict[str, dict[str, str]] = {}  # AK by account, by session and record
    instructions: Instructions = msgspec.field(default_factory=Instructions)


class ClearersState(GatewayState):
    """All of it."""

    read: Read = msgspec.field(default_factory=Read)
    ours: Ours = msgspec.field(default_factory=Ours)

    def has_last_word(self, report_id: str) -> bool:
        """Return whether a report, or a later version of its record, is settled."""
        record_id, version = version_of_report(report_id)
        told = self.ours.told.get(record_id)
        ours = 0 if told is None else told.settled
        return version <= max(self.read.settled.get(record_id, 0), ours)


def version_of_report(report_id: str) -> tuple[str, int]:
    """Return the record and the version that a report id names; version 0 for a stranger's."""
    record_id, _, number = report_id.rpartition(":")
    is_number = number.isascii() and number.isdecimal() and len(number) < 10
    return record_id, int(number) if is_number else 0
