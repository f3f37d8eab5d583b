"""Which message goes to a venue next, and when: cancels first, within the venue's bound."""

from collections.abc import Iterator
from typing import Final

from services.fix.gateway.application import Outgoing
from services.fix.venues import orders
from services.fix.venues.ids import cancel_id, replace_id
from services.fix.venues.state import Queued, Stage, VenuesState
from services.fix.venues.terms import VenueTerms

__all__ = ["NO_CAUSE", "PRIORITY", "due_ns", "next_entries", "note_sent", "outgoing_of"]

SECOND_NS: Final = 1_000_000_000
NO_CAUSE: Final = bytes(16)
# What takes risk off, then questions, then what puts it on.
PRIORITY: Final = {"F": 0, "AF": 1, "H": 1, "G": 2, "D": 3}
CANCEL_DIVISOR: Final = 5  # the last fifth of a bound is for cancels, as in streams/routing


def next_entries(
    state: VenuesState, terms: VenueTerms, session_id: str, now_ns: int
) -> list[Queued]:
    """Return what is to be sent now, in order; empty when nothing may go.

    Asked again when they are sent: what waited for a D may go then.
    """
    ready = [each for each in _waiting(state, session_id, now_ns) if each.due_ns <= now_ns]
    ready.sort(key=_priority)  # stable: of equals the one that came first
    if not terms.messages_per_s:
        return ready
    # Only the first may be judged by what was sent until now.
    return [each for each in ready[:1] if _room_ns(state, terms, session_id, each.kind) <= now_ns]


def due_ns(state: VenuesState, terms: VenueTerms, session_id: str) -> int | None:
    """Return when something waits to be sent; None when nothing does."""
    dues = [
        max(each.due_ns, _room_ns(state, terms, session_id, each.kind))
        for each in _waiting(state, session_id, None)
    ]
    return min(dues, default=None)


def note_sent(state: VenuesState, terms: VenueTerms, session_id: str, at_ns: int) -> None:
    """Count a message; only as many as a second takes matter."""
    if terms.messages_per_s:
        sent = state.sent_ns.setdefault(session_id, [])
        sent.append(at_ns)
        del sent[: -terms.messages_per_s]


def outgoing_of(
    state: VenuesState, terms: VenueTerms, session_id: str, entry: Queued, at_ns: int
) -> Outgoing:
    """Return a message that waited, in the words of the venue."""
    child_id, request = entry.child_id, entry.request
    if entry.kind == "AF":
        ordinal = state.sessions.of(session_id).ordinal + 1
        fields = orders.mass_status_request(f"{session_id}-{ordinal}")
        return Outgoing(session_id, "AF", fields, session_id)
    child = state.children[child_id]
    scale = state.scales.get(child.instrument_id, 1)
    match entry.kind:
        case "D":
            fields = orders.new_order(terms, child, child_id, scale, at_ns)
            age_max_ms = terms.order_age_max_ms
            return Outgoing(session_id, "D", fields, child_id, age_max_ms=age_max_ms)
        case "F":
            name = cancel_id(child_id, request)
            fields = orders.cancel_request(
                terms, child, child_id, request, scale=scale, at_ns=at_ns
            )
        case "G":
            name = replace_id(child_id, request)
            fields = orders.replace_request(
                terms, child, child_id, request, scale=scale, at_ns=at_ns
            )
        case _:
            fields, name = orders.status_request(terms, child, child_id, request), child_id
    return Outgoing(session_id, entry.kind, fields, name)


def _waiting(state: VenuesState, session_id: str, now_ns: int | None) -> Iterator[Queued]:
    """Yield what may go: requests about a child only after its D, and questions that are due.

    `now_ns`: all questions that are due by then; None: the first one of them, due or not.
    """
    queue = state.queue(session_id)
    for each in queue.values():
        child = state.children.get(each.child_id)
        if each.kind == "D" or child is None or child.stage > Stage.QUEUED:
            yield each
    for child_id, late_ns in state.late.get(session_id, {}).items():
        if now_ns is not None and late_ns > now_ns:
            return
        if f"H {child_id}" not in queue:
            yield Queued("H", child_id, 0, late_ns, NO_CAUSE, 0)
        if now_ns is None:
            return


def _priority(entry: Queued) -> int:
    return PRIORITY[entry.kind]


def _room_ns(state: VenuesState, terms: VenueTerms, session_id: str, kind: str) -> int:
    """Return from when on the venue takes one more message: any second holds at most its bound."""
    bound = terms.messages_per_s
    if not bound:
        return 0
    most = bound if kind == "F" else max(1, bound - bound // CANCEL_DIVISOR)
    sent = state.sent_ns.get(session_id, [])
    return sent[-most] + SECOND_NS if len(sent) >= most else 0
