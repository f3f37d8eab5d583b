"""Definitions that wait for their instant, and the ranks of those in force."""

from bisect import insort
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from schemas.messages.control import (
    AccountDefined,
    CalendarDefined,
    ClientDefined,
    CrossingDeclared,
    DeskDefined,
    InstrumentDefined,
    VenueDefined,
)
from schemas.messages.core import RejectReason
from streams.core.errors import DecodeError

__all__ = ["DATED", "Dated", "Rank", "subject_of"]

# What is effective-dated, and the field that says what it defines.
DATED: Final[dict[type[Any], str]] = {
    AccountDefined: "account_id",
    CalendarDefined: "calendar_id",
    ClientDefined: "client_id",
    CrossingDeclared: "tenant",
    DeskDefined: "desk_id",
    InstrumentDefined: "instrument_id",
    VenueDefined: "venue_id",
}
_KINDS: Final = {kind.__name__: kind for kind in DATED}


def subject_of(message: Any) -> str:
    """Return what a definition defines, as `InstrumentDefined/ACME`."""
    kind = type(message)
    return f"{kind.__name__}/{getattr(message, DATED[kind])}"


class Waiting(msgspec.Struct, frozen=True, array_like=True, order=True):
    """A definition that is not in force yet. A union of messages has no msgpack type: bytes do."""

    effective_ns: int
    ordinal: int
    kind: str
    body: bytes

    def message(self) -> Any:
        return msgspec.msgpack.decode(self.body, type=_KINDS[self.kind])


class Rank(msgspec.Struct, frozen=True, array_like=True):
    """By what the definition in force came before others of its subject."""

    at_ns: int
    is_stated: bool  # by effective_ns; else it was to hold at once


class Dated(msgspec.Struct):
    """State of effective dating.

    Of two definitions of a subject the one with the later effective_ns holds, whichever was read
    first, so that an engine that reads them late or again ends where the others did. One that is
    to hold at once counts as effective when it was sent, but never before another such one that
    was read before it: between those the log's order decides, not two senders' clocks.
    """

    count: int = 0  # definitions that ever waited
    waiting: list[Waiting] = []  # by (effective_ns, ordinal)
    ranks: dict[str, Rank] = {}  # in force, by subject

    def wait(self, message: Any) -> None:
        """Keep a definition until its instant."""
        self.count += 1
        body = msgspec.msgpack.encode(message)
        insort(
            self.waiting, Waiting(message.effective_ns, self.count, type(message).__name__, body)
        )

    def pop_due(self, at_ns: int) -> Iterator[tuple[Any, Rank]]:
        """Remove and yield what comes into force by `at_ns`, in order."""
        while self.waiting and self.waiting[0].effective_ns <= at_ns:
            due = self.waiting.pop(0)
            yield due.message(), Rank(due.effective_ns, is_stated=True)

    def rank(self, message: Any, sent_ns: int, at_ns: int) -> Rank:
        """Return the rank of a definition that holds as soon as it is read."""
        if message.effective_ns:
            return Rank(message.effective_ns, is_stated=True)
        rank_ns = min(sent_ns, at_ns)  # a sender's clock may be ahead, or not that of a tape
        known = self.ranks.get(subject_of(message))
        if known is not None and not known.is_stated:
            rank_ns = max(rank_ns, known.at_ns)
        return Rank(rank_ns, is_stated=False)

    def check(self, message: Any, rank: Rank) -> None:
        """Raise DecodeError when a definition of a later instant is in force."""
        known = self.ranks.get(subject_of(message))
        if known is not None and known.at_ns > rank.at_ns:
            bound = f"at least {known.at_ns}, since which another holds"
            raise DecodeError(RejectReason.STALE_VERSION, "effective_ns", str(rank.at_ns), bound)
