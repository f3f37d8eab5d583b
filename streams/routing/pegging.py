"""Whether a child that follows the quote is asked back to stand at another price, or kept.

A child is moved by cancel, and placed again only once the cancel is acknowledged: until then its
quantity is as live as before. Keeping it keeps its place in the queue, which is worth something.
"""

from typing import Final

from schemas.messages.core import Cause
from schemas.messages.routing import ChildCancelRequested
from streams.core.market import Instrument, Quote
from streams.core.murmur import murmur2
from streams.routing.commands import RepriceChildren
from streams.routing.quoting import child_price
from streams.routing.requests import request_cancel
from streams.routing.resting import FOLLOWING, fill_hazard_e9
from streams.routing.state import Phase, RoutingState
from streams.routing.throttle import Throttle

__all__ = ["LIFE_MIN_NS", "REPRICES_PER_FILL_MAX", "hysteresis_e9", "reprice"]

E9: Final = 1_000_000_000
SECOND_NS: Final = 1_000_000_000
MILLISECOND_NS: Final = 1_000_000
# No child is moved in its first second and a bit; the bit is its own, so that nobody can count on
# when. One that is to be canceled soon anyway is not moved either.
LIFE_MIN_NS: Final = SECOND_NS
JITTER_MS: Final = 500
REST_LEFT_MIN_NS: Final = SECOND_NS
# Cancels for a price that one parent may ask for between two fills.
REPRICES_PER_FILL_MAX: Final = 8


def reprice(state: RoutingState, command: RepriceChildren) -> tuple[ChildCancelRequested, ...]:
    """Return a cancel for each child that stands too far from where it would be placed now."""
    known, market, at_ns = state.resting, command.market, command.at_ns
    quote = market.quote
    if quote is None or command.instrument_id not in known.following:
        return ()
    hazard_e9 = fill_hazard_e9(known, command.instrument_id, *FOLLOWING)
    asked: dict[str, int] = {}
    throttle = Throttle(state, at_ns)
    events = []
    for child_id, child in known.children[command.instrument_id].items():
        hot = state.children.get(child_id)
        part = state.slices.get(child.slice_id)
        if child.tactic not in FOLLOWING or hot is None or part is None or part.is_ending:
            continue
        if hot.phase is not Phase.LIVE or hot.cancel_cause is not None:
            continue
        jitter_ns = murmur2(child_id.encode()) % JITTER_MS * MILLISECOND_NS
        until_ns = min(child.rest_until_ns, part.deadline_ns)
        if at_ns < child.placed_ns + LIFE_MIN_NS + jitter_ns or until_ns < at_ns + REST_LEFT_MIN_NS:
            continue
        count = known.reprices.get(hot.parent_id, 0) + asked.get(hot.parent_id, 0)
        if count >= REPRICES_PER_FILL_MAX:
            continue
        wanted_e9 = child_price(state, part, child.tactic, market, quote)
        worth_e9 = hysteresis_e9(
            market.instrument, quote, child.price_e9, hazard_e9, until_ns - at_ns
        )
        if abs(wanted_e9 - child.price_e9) > worth_e9:
            request = request_cancel(throttle, hot, Cause.PRICE)
            if isinstance(request, ChildCancelRequested):  # else its venue takes none now
                asked[hot.parent_id] = asked.get(hot.parent_id, 0) + 1
                events.append(request)
    return tuple(events)


def hysteresis_e9(
    terms: Instrument, quote: Quote, price_e9: int, hazard_e9: int, rest_ns: int
) -> int:
    """Return how far the wanted price must be away before a child is moved.

    What its place in the queue is worth: the chance that it is met where it stands in the time
    that it has, times the spread that it then saves; a tick at least, so that a quote that
    flickers by one moves nothing.
    Units:  1e-9 currency units.
    Rounds: down.
    """
    seconds = min(rest_ns // SECOND_NS, 60)
    missed_e9 = E9
    for _ in range(seconds):
        missed_e9 = missed_e9 * (E9 - hazard_e9) // E9
    worth_e9 = (E9 - missed_e9) * (quote.ask_e9 - quote.bid_e9) // E9
    return max(worth_e9, terms.tick_at(price_e9))
