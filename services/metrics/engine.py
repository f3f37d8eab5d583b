"""Gauges of an engine's shard: what is open, live, unanswered, suspended."""

from collections import Counter

from prometheus_client import CollectorRegistry, Gauge

from streams.routing import is_settleable
from streams.routing.state import OPEN
from streams.runtime.ports import Application
from streams.shard import EngineShard

__all__ = ["EngineCounts"]


class EngineCounts:
    """Counted from the shard's state, on the loop's own thread."""

    def __init__(self, registry: CollectorRegistry, shard: int) -> None:
        self._shard = str(shard)

        def gauge(name: str, text: str, *more: str) -> Gauge:
            return Gauge(f"penstock_{name}", text, ("shard", *more), registry=registry)

        self._parents = gauge("open_parents", "Parents that are worked")
        self._children = gauge("open_children", "Children that may still fill", "phase")
        self._slices = gauge("open_slices", "Slices not all filled or returned")
        self._orders = gauge("orders", "Source orders accepted on this log")
        self._suspense = gauge("suspense", "Venue reports that fit nothing and need a person")
        self._escalated = gauge(
            "unresolved_children", "Children whose venue never said what became of them: look"
        )
        self._venues = gauge("suspended_venues", "Venues that get no children for now")
        self._scores = gauge(
            "venue_score_bps",
            "What a child is expected to gain at a venue, all in and shrunk; a cost is negative",
            *("kind", "bucket", "side", "venue"),
        )

    def __call__(self, application: Application, now_ns: int) -> None:
        """Set every gauge; an application that is no engine's shard has none of them."""
        if not isinstance(application, EngineShard):
            return
        state, shard = application.state, self._shard
        routing = state.routing
        phases = Counter(child.phase for child in routing.children.values())
        for phase in OPEN:
            self._children.labels(shard, phase.value).set(phases[phase])
        self._escalated.labels(shard).set(
            sum(is_settleable(child) for child in routing.children.values())
        )
        self._parents.labels(shard).set(len(state.parents))
        self._slices.labels(shard).set(len(routing.slices))
        self._orders.labels(shard).set(len(state.intake.orders))
        self._suspense.labels(shard).set(len(routing.suspense))
        for cell, cost_e9 in state.scorecard.scores.items():
            self._scores.labels(shard, *cell.split("/", 3)).set(-cost_e9 / 1e9)
        self._venues.labels(shard).set(
            sum(venue.suspended_until_ns > now_ns for venue in routing.venues.values())
        )
