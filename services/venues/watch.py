"""What the simulator shows of itself."""

from typing import TYPE_CHECKING

from services.metrics import hosted
from services.metrics.health import Health
from services.metrics.tally import Tally
from services.venues.settings import SIMULATOR_SHARD, VenuesSettings
from streams.runtime.observer import Observer

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

__all__ = ["observe"]


def observe(settings: VenuesSettings, health: Health, tally: Tally) -> Observer:
    """Serve the simulator's metrics, if a port is given."""

    def gateway(registry: "CollectorRegistry") -> None:
        from services.metrics.gateway import GatewayMetrics

        GatewayMetrics(registry, "simulator", tally)

    return hosted.observe(settings, health, "venues", SIMULATOR_SHARD, more=gateway)
