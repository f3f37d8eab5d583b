"""What a process with one journal shows of itself."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from services.metrics.health import Health
from services.metrics.settings import MetricsSettings
from streams.runtime.observer import NOBODY, Observer

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

__all__ = ["observe"]


def observe(
    settings: MetricsSettings,
    health: Health,
    service: str,
    shard: int,
    *,
    more: Callable[["CollectorRegistry"], object] = lambda _registry: None,
) -> Observer:
    """Serve metrics and health where the settings say; observe nothing without a port.

    `more` adds metrics of the process's own.
    """
    if not settings.metrics_port:
        return NOBODY
    from prometheus_client import CollectorRegistry

    from services.metrics.host import HostMetrics
    from services.metrics.server import serve

    registry = CollectorRegistry()
    more(registry)
    observer = HostMetrics(registry, service, shard)
    serve(registry, health, settings.metrics_host, settings.metrics_port)
    return observer
