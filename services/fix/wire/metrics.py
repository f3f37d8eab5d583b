"""What a wire shows: messages of each session by type, and who is logged on."""

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from services.fix.watched import WatchedSettings
from services.fix.wire.line import Line
from services.metrics.gateway import GatewayMetrics
from services.metrics.health import Health
from services.metrics.server import serve

__all__ = ["show_wire"]


class LoggedOn(Collector):
    """1 for each session that is logged on, 0 for the others."""

    def __init__(
        self, registry: CollectorRegistry, gateway: str, lines: Mapping[str, Line]
    ) -> None:
        self._gateway = gateway
        self._lines = lines
        registry.register(self)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauge as it stands."""
        gauge = GaugeMetricFamily(
            "penstock_fix_logged_on",
            "Whether a session is logged on",
            labels=("gateway", "session"),
        )
        for name, line in self._lines.items():
            gauge.add_metric((self._gateway, name), float(line.is_logged_on))
        yield gauge


def show_wire(
    settings: WatchedSettings, gateway: str, health: Health, lines: Mapping[str, Line]
) -> None:
    """Serve it where the settings say; nothing without a port."""
    if not settings.metrics_port:
        return
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    LoggedOn(registry, gateway, lines)
    for name, line in lines.items():
        GatewayMetrics(registry, f"{gateway}/{name}", line.tally)
    serve(registry, health, settings.metrics_host, settings.metrics_port)
