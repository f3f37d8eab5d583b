"""What a host's supervisor shows: which engines it wants, which run, why others ended."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from services.engine.children import REASONS, Children
from services.engine.settings import EngineSettings
from services.metrics.fleet import FleetMetrics
from services.metrics.health import Health
from services.metrics.server import serve

__all__ = ["watch"]

REASONS_SHOWN = (*REASONS.values(), "failed", "hung")  # 0 is an answer, no answer is none


class Supervised(Collector):
    """Read from the supervisor's books at each scrape."""

    def __init__(self, registry: CollectorRegistry, children: Children) -> None:
        self._children = children
        registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """Yield the counts of engines."""
        children = self._children
        for name, text, value in (
            ("wanted", "Shards that the group gives to this host", len(children.wanted)),
            ("running", "Engines of this host that run", len(children.processes)),
            (
                "corrupt",
                "Shards that stopped for good and wait for a person",
                len(children.corrupt),
            ),
        ):
            yield GaugeMetricFamily(f"penstock_supervisor_{name}", text, value=value)
        ends = CounterMetricFamily(
            "penstock_supervisor_ends", "Engines that ended by themselves", labels=("reason",)
        )
        for reason in REASONS_SHOWN:
            ends.add_metric((reason,), children.ends[reason])
        yield ends


def watch(settings: EngineSettings, children: Children, health: Health) -> None:
    """Serve the supervisor's metrics and those of its shards."""
    registry = CollectorRegistry()
    Supervised(registry, children)
    FleetMetrics(
        registry,
        lambda: {
            shard: f"http://127.0.0.1:{settings.metrics_port_of(shard)}/metrics"
            for shard in children.processes
        },
    )
    ProcessCollector("penstock_supervisor", registry=registry)
    serve(registry, health, settings.metrics_host, settings.metrics_port)
