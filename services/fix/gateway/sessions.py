"""What a gateway knows of its sessions: how far they are read, and what was given to them."""

from bisect import bisect_left
from typing import Final

import msgspec

from schemas.messages.fix import FixReceived, FixSending, FixSent, FixSessionChanged

__all__ = ["SessionState", "Sessions"]

SECOND_NS: Final = 1_000_000_000
RECENT_MAX: Final = 10_000  # times that are kept, should the clock of the wire go back


class SessionState(msgspec.Struct):
    """One session."""

    day: int = 0  # yyyymmdd on which the session of the newest message began
    epoch: int = 0  # how often its numbers began again
    sequence: int = 0  # newest MsgSeqNum received since
    ordinal: int = 0  # newest FixSending
    sent_ordinal: int = 0  # newest of them that is known to be out
    is_logged_on: bool = False
    recent_ns: list[int] = []  # when the messages of the last second came

    def rate(self, received_ns: int) -> int:
        """Return how many messages came within the second that ends now, with this one."""
        return len(self.recent_ns) - bisect_left(self.recent_ns, received_ns - SECOND_NS) + 1


class Sessions(msgspec.Struct):
    """All of a gateway's sessions, by name. A fold of fix.received and of what was emitted."""

    by_id: dict[str, SessionState] = {}

    def of(self, session_id: str) -> SessionState:
        """Return the session; an unknown one begins."""
        return self.by_id.setdefault(session_id, SessionState())

    def is_new(self, message: FixReceived) -> bool:
        """Return whether it was not received before: numbers grow until they begin again."""
        session = self.of(message.session_id)
        return (message.session_epoch, message.sequence) > (session.epoch, session.sequence)

    def is_news(self, message: FixSent) -> bool:
        """Return whether nobody said before that this went out; a wire that ended may repeat it."""
        return message.ordinal > self.of(message.session_id).sent_ordinal

    def fold_received(self, message: FixReceived) -> None:
        session = self.of(message.session_id)
        session.day = message.session_day
        session.epoch, session.sequence = message.session_epoch, message.sequence
        recent = session.recent_ns
        recent.append(message.received_ns)
        over = bisect_left(recent, message.received_ns - SECOND_NS)
        del recent[: max(over, len(recent) - RECENT_MAX)]

    def fold_sent(self, message: FixSent) -> None:
        session = self.of(message.session_id)
        session.sent_ordinal = message.ordinal

    def fold_changed(self, message: FixSessionChanged) -> None:
        self.of(message.session_id).is_logged_on = message.is_logged_on

    def fold_sending(self, message: FixSending) -> None:
        self.of(message.session_id).ordinal = message.ordinal
