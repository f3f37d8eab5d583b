"""Fold what venues did to us: answers, silence, rejects, suspensions, messages, own volume."""

from collections.abc import Callable, Iterator
from typing import Any

from schemas.messages.core import VenueTrouble
from schemas.messages.routing import ChildPlaced, VenueResumed, VenueSuspended
from streams.routing.health import LATENCIES_MAX, scope_of
from streams.routing.state import Child, RoutingState, VenueRecord
from streams.routing.throttle import note_sent

__all__ = ["VENUE_FOLDS", "add_volume", "heard", "left_probe", "sent", "unheard"]


def sent(state: RoutingState, venue_id: str, at_ns: int) -> None:
    """Count a message to a venue that bounds them."""
    record = state.venues.get(venue_id)
    if record is not None and record.messages_per_s:
        note_sent(record, at_ns)


def placed(state: RoutingState, event: ChildPlaced) -> None:
    """Count a new child, and remember which one tries a venue."""
    record = state.venues.get(event.venue_id)
    if event.messages_per_s or (record is not None and record.messages_per_s):
        record = _record(state, event.venue_id)
        record.messages_per_s = event.messages_per_s
        note_sent(record, event.placed_ns)
    if event.is_probe:
        for record in _troubled(state, event.venue_id, event.instrument_id):
            record.probe_id = event.child_id


def heard(state: RoutingState, venue_id: str, latency_ns: int = 0) -> None:
    """End a run of silence; `latency_ns` of a first acknowledgment is kept."""
    record = state.venues.get(venue_id)
    if record is not None:
        record.silent_in_row = 0
    elif not latency_ns:
        return
    if latency_ns:
        record = _record(state, venue_id)
        record.latencies_ns.append(latency_ns)
        del record.latencies_ns[:-LATENCIES_MAX]


def unheard(state: RoutingState, venue_id: str) -> None:
    """Count a child that was not answered in time."""
    _record(state, venue_id).silent_in_row += 1


def left_probe(state: RoutingState, child: Child) -> None:
    """Let another child try the venue: this one is gone."""
    if child.is_probe:
        for record in _troubled(state, child.venue_id, child.instrument_id):
            if record.probe_id == child.child_id:
                record.probe_id = ""


def add_volume(state: RoutingState, venue_id: str, quantity: int) -> None:
    """Count own volume at a venue, which its fee tiers are about."""
    state.volumes[venue_id] = state.volumes.get(venue_id, 0) + quantity


def _record(state: RoutingState, key: str) -> VenueRecord:
    record = state.venues.get(key)
    if record is None:
        record = state.venues[key] = VenueRecord()
    return record


def _troubled(state: RoutingState, venue_id: str, instrument_id: str) -> Iterator[VenueRecord]:
    for key in (venue_id, scope_of(venue_id, instrument_id)):
        record = state.venues.get(key)
        if record is not None and record.trouble is not VenueTrouble.UNKNOWN:
            yield record


def _suspended(state: RoutingState, event: VenueSuspended) -> None:
    if event.parent_id:
        ledger = state.parents.get(event.parent_id)
        if ledger is not None and event.venue_id not in ledger.gated:
            ledger.gated.append(event.venue_id)
        return
    scope = scope_of(event.venue_id, event.instrument_id) if event.instrument_id else event.venue_id
    record = _record(state, scope)
    if event.trouble is VenueTrouble.DISCONNECTED:  # its end is known when the session is back
        record.suspended_until_ns = event.until_ns
    else:
        record.suspended_until_ns = max(record.suspended_until_ns, event.until_ns)
    record.trouble = event.trouble
    record.strikes = event.strikes
    record.probe_id = ""
    record.rejects_in_row = record.silent_in_row = record.contradictions = 0
    record.latencies_ns = []


def _resumed(state: RoutingState, event: VenueResumed) -> None:
    scope = scope_of(event.venue_id, event.instrument_id) if event.instrument_id else event.venue_id
    record = _record(state, scope)
    record.trouble = VenueTrouble.UNKNOWN
    record.probe_id = ""


VENUE_FOLDS: dict[type[Any], Callable[[RoutingState, Any], None]] = {
    VenueResumed: _resumed,
    VenueSuspended: _suspended,
}
