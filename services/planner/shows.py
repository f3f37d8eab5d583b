"""What the planner shows of itself."""

from prometheus_client import CollectorRegistry, Counter

from services.metrics.health import Health
from services.metrics.server import serve

__all__ = ["PlannerShows"]

SILENT_S_MAX = 60.0  # a whole backlog may be solved in one turn
STARTING_S_MAX = 300.0  # plans.events are read to their end first


class PlannerShows:
    """Serves health and the count of answers, if a port is given."""

    def __init__(self, host: str, port: int) -> None:
        registry = CollectorRegistry()
        self._plans = Counter("penstock_planner_plans", "Plans published", registry=registry)
        self._health = Health(silent_s_max=SILENT_S_MAX, starting_s_max=STARTING_S_MAX)
        serve(registry, self._health, host, port)

    def turned(self, plans: int) -> None:
        """Note a turn of the loop and what it published."""
        self._health.turned()
        self._plans.inc(plans)
