"""Routing: slices into children at venues, and every report of a venue into facts.

Topics: children.events, fills.events, decisions.events; key: instrument_id.
"""

from streams.routing.decider import ROUTING, timers_of
from streams.routing.quoting import own_shown
from streams.routing.resting import fill_hazard_e9
from streams.routing.settling import is_settleable, settlement_refused
from streams.routing.state import RoutingState, exposures, live_children

__all__ = [
    "ROUTING",
    "RoutingState",
    "exposures",
    "fill_hazard_e9",
    "is_settleable",
    "live_children",
    "own_shown",
    "settlement_refused",
    "timers_of",
]
