"""Routing: slices into children at venues, and every report of a venue into facts.

Topics: children.events, fills.events, decisions.events; key: instrument_id.
"""

from streams.routing.decider import ROUTING, timers_of
from streams.routing.state import RoutingState, exposures, live_children

__all__ = ["ROUTING", "RoutingState", "exposures", "live_children", "timers_of"]
