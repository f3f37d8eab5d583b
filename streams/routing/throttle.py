"""How many messages a venue takes in a second: counted on market time, in the state."""

from typing import Final

from streams.routing.state import RoutingState, VenueRecord

__all__ = ["SECOND_NS", "Throttle", "note_sent"]

SECOND_NS: Final = 1_000_000_000
# The last fifth of a bound is for cancels: what takes risk off goes before what puts it on.
CANCEL_DIVISOR: Final = 5


def note_sent(record: VenueRecord, at_ns: int) -> None:
    """Count a message that goes to a venue with a bound; only the newest matter."""
    if record.messages_per_s:
        record.sent_ns.append(at_ns)
        del record.sent_ns[: -record.messages_per_s]
    else:
        record.sent_ns.clear()


class Throttle:
    """The room that one decision finds, and takes: any second holds at most the bound."""

    __slots__ = ("_state", "_taken", "at_ns")

    def __init__(self, state: RoutingState, at_ns: int) -> None:
        self._state = state
        self._taken: dict[str, int] = {}
        self.at_ns = at_ns

    def due_ns(self, venue_id: str, bound: int = 0, *, is_cancel: bool = False) -> int:
        """Return when the venue takes one more message; 0 for now.

        `bound`: as the terms in force say; without it, as they said with the newest child.
        """
        record = self._state.venues.get(venue_id)
        bound = bound or (record.messages_per_s if record is not None else 0)
        if not bound:
            return 0
        sent = record.sent_ns if record is not None else []
        taken = self._taken.get(venue_id, 0)
        most = bound if is_cancel else max(1, bound - bound // CANCEL_DIVISOR)
        since_ns = self.at_ns - SECOND_NS
        recent = [sent_ns for sent_ns in sent if sent_ns > since_ns]
        over = len(recent) + taken - most
        if over < 0:
            return 0
        if over < len(recent):  # the oldest that must be a second ago
            return recent[over] + SECOND_NS
        return self.at_ns + SECOND_NS

    def take(self, venue_id: str) -> None:
        """Count a message of this decision, which the state does not know yet."""
        self._taken[venue_id] = self._taken.get(venue_id, 0) + 1
