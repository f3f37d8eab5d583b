"""Every fill and cross back to its source orders. Events: allocations.events, key instrument."""

from streams.allocation.decider import ALLOCATION, AllocationEvent, decide, evolve
from streams.allocation.state import AllocationState

__all__ = ["ALLOCATION", "AllocationEvent", "AllocationState", "decide", "evolve"]
