"""What the simulator shows of itself."""

from services.metrics.health import Health
from services.metrics.tally import Tally
from services.venues.settings import SIMULATOR_SHARD, VenuesSettings
from streams.runtime.observer import NOBODY, Observer

__all__ = ["observe"]


def observe(settings: VenuesSettings, health: Health, tally: Tally) -> Observer:
    """Serve the simulator's metrics, if a port is given."""
    if not settings.metrics_port:
        return NOBODY
    from prometheus_client import CollectorRegistry

    from services.metrics.gateway import GatewayMetrics
    from services.metrics.host import HostMetrics
    from services.metrics.server import serve

    registry = CollectorRegistry()
    GatewayMetrics(registry, "simulator", tally)
    serve(registry, health, settings.metrics_host, settings.metrics_port)
    return HostMetrics(registry, "venues", SIMULATOR_SHARD)
