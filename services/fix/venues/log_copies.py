"""Drop copies by FIX as a reconciliation reads them: from what the log holds of their sessions."""

from collections.abc import Iterable

from schemas.messages.control import InstrumentDefined
from schemas.messages.fix import FixReceived
from services.clearing.reconciliation.drop_copy import DropCopy
from services.clearing.reconciliation.executions import Executions, told
from services.clearing.reconciliation.run import Entry
from services.fix.fields import Fields
from services.fix.gateway.sessions import Sessions
from services.fix.settings import GatewayFile, Kind
from services.fix.values import FixValueError
from services.fix.venues.reports import execution_report, telling_of
from services.fix.venues.state import VenuesState
from services.fix.venues.terms import VenueTerms, read_terms
from streams.core.topics import CONTROL_COMMANDS, FIX_RECEIVED

__all__ = ["COPY_TOPICS", "copies_of"]

COPY_TOPICS = (CONTROL_COMMANDS, FIX_RECEIVED)


def copies_of(file: GatewayFile, entries: Iterable[Entry]) -> list[DropCopy]:
    """Return one drop copy for each session of that role. `entries`: of COPY_TOPICS.

    What cannot be read is left out: its execution is then missing in the copy, which is a break.
    Raises: pydantic.ValidationError, OSError for a profile.
    """
    if file.kind is not Kind.VENUES:
        return []
    roles = {each.session_id: read_terms(each.terms) for each in file.session}
    terms = {name: each for name, each in roles.items() if each.role == "drop-copy"}
    found = {name: Executions() for name in terms}
    rows = dict.fromkeys(terms, 0)
    state, sessions, received = VenuesState(), Sessions(), []
    for entry in entries:
        message = entry.message
        if isinstance(message, InstrumentDefined):
            state.scales.setdefault(message.instrument_id, message.quantity_scale)
        elif isinstance(message, FixReceived) and entry.partition == file.number:
            received.append(entry)
    for entry in received:
        name = entry.message.session_id
        if name not in terms or not sessions.is_new(entry.message):
            continue
        sessions.fold_received(entry.message)
        place = f"{entry.topic}[{entry.partition}]@{entry.offset}"
        rows[name] += _add(state, terms[name], entry.message, place, found[name])
    return [
        DropCopy(f"fix session {name}", frozenset({terms[name].venue_id}), found[name], rows[name])
        for name in terms
    ]


def _add(
    state: VenuesState, terms: VenueTerms, message: FixReceived, place: str, found: Executions
) -> bool:
    """Add what a message tells of an execution; whether it does."""
    if message.message_type != "8":
        return False
    try:
        fields = Fields.parse(message.text)
        telling = telling_of(state, terms, fields)
        row = told(execution_report(telling, message, fields), place)
    except (FixValueError, ValueError):
        return False
    if row is None:
        return False
    found.add(row)
    return True
