"""When a venue gets no child for a while, and how it comes back: by rule, never by guess.

A venue that refuses in series, does not answer, answers late, contradicts itself, shows an old
or a crossed book, or lost its session is suspended; each suspension in a row doubles the pause.
After it one small child, the probe, tries the venue; its answer resumes it, its failure is the next
strike. What a venue shows of one instrument suspends it there only.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from schemas.messages.core import BookState, Cause, RejectReason, VenueKind, VenueTrouble
from schemas.messages.routing import ChildStatusRequested, VenueResumed, VenueSuspended
from streams.core.calendar import NEVER_NS
from streams.core.market import VenueBook
from streams.routing.commands import MarketBooks
from streams.routing.state import Child, RoutingState, VenueRecord

__all__ = [
    "COOLDOWN_NS",
    "LATENCIES_MAX",
    "Standing",
    "after_answer",
    "after_contradiction",
    "after_reject",
    "after_silence",
    "after_unresolved",
    "asked_again",
    "books_in_trouble",
    "disconnected",
    "reconnected",
    "scope_of",
    "standing",
    "undecodable",
]

SECOND_NS: Final = 1_000_000_000
E9: Final = 1_000_000_000
COOLDOWN_NS: Final = 30 * SECOND_NS
COOLDOWN_DOUBLINGS_MAX: Final = 6  # 32 minutes
FORGIVEN_NS: Final = 600 * SECOND_NS  # as long without trouble, and strikes count anew
REJECTS_IN_ROW_MAX: Final = 3
SILENT_IN_ROW_MAX: Final = 3
CONTRADICTIONS_MAX: Final = 3
LATENCIES_MAX: Final = 100  # of the newest answers, of which the second longest is the p99
LATENCIES_MIN: Final = 20
# A tape's step is up to two seconds and an answer takes one; ACK_TIMEOUT_NS is five.
SLOW_AFTER_NS: Final = 4 * SECOND_NS
STALE_MULTIPLE: Final = 5  # of the age at which a book is no quote
_REASONS: Final = {
    VenueTrouble.REJECTS: RejectReason.VENUE_REJECTS,
    VenueTrouble.CONTRADICTION: RejectReason.REPORT_CONTRADICTS,
    VenueTrouble.CROSSED: RejectReason.BOOK_NOT_ORDERED,
}


class Standing(NamedTuple):
    """How routing may use a venue now."""

    refusal: str  # empty: it may be used
    is_probing: bool = False  # one small child only


def scope_of(venue_id: str, instrument_id: str) -> str:
    """Return the key of a venue's record in one instrument."""
    return f"{venue_id}|{instrument_id}"


def standing(state: RoutingState, venue_id: str, instrument_id: str, at_ns: int) -> Standing:
    """Return whether a venue is suspended, for all or for the instrument, or must be tried."""
    found, venues = _GOOD, state.venues
    for record in (venues.get(venue_id), venues.get(f"{venue_id}|{instrument_id}")):
        if record is None:
            continue
        if record.suspended_until_ns > at_ns:
            return Standing("suspended")
        if record.trouble is not _NO_TROUBLE:
            if record.probe_id:
                return Standing("suspended until its probe is answered")
            found = _PROBING
    return found


_GOOD: Final = Standing("")
_PROBING: Final = Standing("", is_probing=True)
_NO_TROUBLE: Final = VenueTrouble.UNKNOWN  # looked up for every venue of every decision


def after_reject(state: RoutingState, child: Child, at_ns: int) -> tuple[VenueSuspended, ...]:
    """Return the suspension that a reject leads to: of a probe, or the last of a series."""
    record = state.venues.get(child.venue_id, VenueRecord())
    count = record.rejects_in_row + 1
    if child.is_probe:
        return _strike_probe(state, child, VenueTrouble.REJECTS, at_ns)
    if count < REJECTS_IN_ROW_MAX:
        return ()
    return _suspend(
        state, child.venue_id, VenueTrouble.REJECTS, at_ns, value=count, bound=REJECTS_IN_ROW_MAX
    )


def after_silence(state: RoutingState, child: Child, at_ns: int) -> tuple[VenueSuspended, ...]:
    """Return the suspension when a child was not answered in time: a probe, or one of several."""
    if child.status_tries or child.is_unresolved:
        return ()  # it is counted once
    if child.is_probe and _probed(state, child):
        return _strike_probe(state, child, VenueTrouble.SILENT, at_ns)
    count = state.venues.get(child.venue_id, VenueRecord()).silent_in_row + 1
    if count < SILENT_IN_ROW_MAX:
        return ()
    return _suspend(
        state, child.venue_id, VenueTrouble.SILENT, at_ns, value=count, bound=SILENT_IN_ROW_MAX
    )


def after_unresolved(
    state: RoutingState, child: Child, at_ns: int, tries: int
) -> tuple[VenueSuspended, ...]:
    """Return the suspension of a venue that never says what became of a child."""
    return _suspend(state, child.venue_id, VenueTrouble.SILENT, at_ns, value=tries, bound=tries)


def after_contradiction(
    state: RoutingState, venue_id: str, at_ns: int
) -> tuple[VenueSuspended, ...]:
    """Return the suspension of a venue whose reports contradict what it said before."""
    count = state.venues.get(venue_id, VenueRecord()).contradictions + 1
    if count < CONTRADICTIONS_MAX:
        return ()
    return _suspend(
        state,
        venue_id,
        VenueTrouble.CONTRADICTION,
        at_ns,
        value=count,
        bound=CONTRADICTIONS_MAX,
    )


def after_answer(
    state: RoutingState, child: Child, at_ns: int, slow_after_ns: int, latency_ns: int
) -> tuple[Any, ...]:
    """Return what an answer does: it resumes a venue that was probed, or shows that it is slow.

    `latency_ns`: of a first acknowledgment; 0 for any other answer.
    """
    bound_ns = slow_after_ns or SLOW_AFTER_NS
    probed = _probed(state, child) if child.is_probe else ()
    if probed:
        if latency_ns > bound_ns:
            return _strike_probe(
                state, child, VenueTrouble.SLOW, at_ns, value=latency_ns, bound=bound_ns
            )
        return tuple(_resume(state, child, probed))
    if latency_ns <= bound_ns:
        return ()
    record = state.venues.get(child.venue_id, VenueRecord())
    newest = [*record.latencies_ns, latency_ns][-LATENCIES_MAX:]
    if len(newest) < LATENCIES_MIN:
        return ()
    slowest_ns = sorted(newest)[-2]
    if slowest_ns <= bound_ns:
        return ()
    return _suspend(
        state,
        child.venue_id,
        VenueTrouble.SLOW,
        at_ns,
        value=slowest_ns,
        bound=bound_ns,
        unit=1,
    )


def undecodable(
    state: RoutingState, venue_id: str, reason: RejectReason, at_ns: int
) -> tuple[VenueSuspended, ...]:
    """Return the suspension of a venue whose report nobody can read."""
    return _suspend(state, venue_id, VenueTrouble.UNDECODABLE, at_ns, reason=reason)


def disconnected(state: RoutingState, venue_id: str, at_ns: int) -> tuple[VenueSuspended, ...]:
    """Return the suspension of a venue whose session is lost; it lasts until it is back."""
    record = state.venues.get(venue_id, VenueRecord())
    if record.trouble is VenueTrouble.DISCONNECTED and record.suspended_until_ns == NEVER_NS:
        return ()
    return _suspend(
        state, venue_id, VenueTrouble.DISCONNECTED, at_ns, until_ns=NEVER_NS, is_forced=True
    )


def reconnected(state: RoutingState, venue_id: str, at_ns: int) -> tuple[Any, ...]:
    """Return the rest of the pause after a session came back, and what is asked of its children.

    A fill during the disconnect may be lost: every child that the venue may have is asked for.
    """
    record = state.venues.get(venue_id, VenueRecord())
    if record.trouble is not VenueTrouble.DISCONNECTED or record.suspended_until_ns != NEVER_NS:
        return ()
    until_ns = at_ns + _pause_ns(record.strikes)
    return (
        VenueSuspended(
            venue_id=venue_id,
            reason=RejectReason.UNKNOWN,
            until_ns=until_ns,
            trouble=VenueTrouble.DISCONNECTED,
            strikes=record.strikes,
        ),
    )


def books_in_trouble(
    state: RoutingState, market: MarketBooks, at_ns: int
) -> tuple[VenueSuspended, ...]:
    """Return the venues to suspend for what they show of the instrument: old or crossed books."""
    if not market.age_max_ns or market.quote is None:
        return ()  # nobody shows anything: that is no venue's fault
    found: list[VenueSuspended] = []
    instrument_id = market.instrument.instrument_id
    for book in market.books:
        is_young = at_ns - book.at_ns <= market.age_max_ns
        if is_young and not book.crossed_since_ns:
            continue  # nearly all of them, at every decision
        trouble = _book_trouble(book, market, at_ns)
        if trouble is None:
            continue
        what, value_ns, bound_ns = trouble
        found += _suspend(
            state,
            book.venue.venue_id,
            what,
            at_ns,
            instrument_id=instrument_id,
            value=value_ns,
            bound=bound_ns,
            unit=1,
        )
    return tuple(found)


def _book_trouble(
    book: VenueBook, market: MarketBooks, at_ns: int
) -> tuple[VenueTrouble, int, int] | None:
    if book.venue.kind is VenueKind.DARK or book.state is not BookState.OPEN:
        return None
    age_ns, stale_ns = at_ns - book.at_ns, STALE_MULTIPLE * market.age_max_ns
    if age_ns > stale_ns:
        return VenueTrouble.STALE, age_ns, stale_ns
    crossed_ns = at_ns - book.crossed_since_ns if book.crossed_since_ns else 0
    if crossed_ns > market.crossed_max_ns:
        return VenueTrouble.CROSSED, crossed_ns, market.crossed_max_ns
    return None


def _suspend(
    state: RoutingState,
    venue_id: str,
    trouble: VenueTrouble,
    at_ns: int,
    *,
    instrument_id: str = "",
    value: int = 0,
    bound: int = 0,
    unit: int = E9,
    reason: RejectReason | None = None,
    until_ns: int = 0,
    is_forced: bool = False,
) -> tuple[VenueSuspended, ...]:
    """Return the suspension; nothing while another one lasts. A count is told in 1e-9 of one."""
    key = scope_of(venue_id, instrument_id) if instrument_id else venue_id
    record = state.venues.get(key, VenueRecord())
    if record.suspended_until_ns > at_ns and not is_forced:
        return ()
    is_forgiven = at_ns - record.suspended_until_ns > FORGIVEN_NS
    strikes = 1 if is_forgiven else record.strikes + 1
    return (
        VenueSuspended(
            venue_id=venue_id,
            reason=reason or _REASONS.get(trouble, RejectReason.VALUE_OUT_OF_RANGE),
            until_ns=until_ns or at_ns + _pause_ns(strikes),
            trouble=trouble,
            instrument_id=instrument_id,
            value_e9=value * unit,
            bound_e9=bound * unit,
            strikes=strikes,
        ),
    )


def _pause_ns(strikes: int) -> int:
    return COOLDOWN_NS << min(max(strikes - 1, 0), COOLDOWN_DOUBLINGS_MAX)


def _probed(state: RoutingState, child: Child) -> tuple[str, ...]:
    """Return the instruments (empty for all) for which the child tries its venue."""
    found = []
    for instrument_id in ("", child.instrument_id):
        key = scope_of(child.venue_id, instrument_id) if instrument_id else child.venue_id
        record = state.venues.get(key)
        if record is not None and record.probe_id == child.child_id:
            found.append(instrument_id)
    return tuple(found)


def _strike_probe(
    state: RoutingState,
    child: Child,
    trouble: VenueTrouble,
    at_ns: int,
    *,
    value: int = 0,
    bound: int = 0,
) -> tuple[VenueSuspended, ...]:
    found: list[VenueSuspended] = []
    for instrument_id in _probed(state, child):
        found += _suspend(
            state,
            child.venue_id,
            trouble,
            at_ns,
            instrument_id=instrument_id,
            value=value,
            bound=bound,
            unit=1,
        )
    return tuple(found)


def _resume(state: RoutingState, child: Child, probed: tuple[str, ...]) -> Iterator[Any]:
    for instrument_id in probed:
        key = scope_of(child.venue_id, instrument_id) if instrument_id else child.venue_id
        record = state.venues[key]
        yield VenueResumed(
            venue_id=child.venue_id,
            instrument_id=instrument_id,
            trouble=record.trouble,
            child_id=child.child_id,
            strikes=record.strikes,
        )


def asked_again(state: RoutingState, venue_id: str, at_ns: int, wait_ns: int) -> Iterator[Any]:
    """Ask a venue that speaks again what became of the children that it never answered for."""
    for child in state.children.values():
        if child.is_escalated and child.venue_id == venue_id:
            yield ChildStatusRequested(
                **child.ids,
                request=child.status_requests + 1,
                cause=Cause.UNKNOWN_OUTCOME,
                retry_ns=at_ns + wait_ns,
            )
