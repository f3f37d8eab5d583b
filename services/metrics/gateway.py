"""Metrics of an order entry: what engines asked of a venue, and what it answered.

The simulator's is the only one so far; a FIX session is to fill a Tally of its own name.
"""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from services.metrics.tally import Tally

__all__ = ["GatewayMetrics"]


class GatewayMetrics(Collector):
    """Shows a tally under the gateway's name."""

    def __init__(self, registry: CollectorRegistry, gateway: str, tally: Tally) -> None:
        self._gateway = gateway
        self._tally = tally
        registry.register(self)

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield the counters as they stand."""
        messages = CounterMetricFamily(
            "penstock_gateway_messages",
            "Messages of a gateway: in from engines, out to them",
            labels=("gateway", "direction", "kind"),
        )
        for direction, counts in (("in", self._tally.heard), ("out", self._tally.told)):
            for kind, count in counts.copy().items():
                messages.add_metric((self._gateway, direction, kind), count)
        yield messages
        quantity = CounterMetricFamily(
            "penstock_gateway_quantity",
            "Quantity executed, busted and corrected, smallest units",
            labels=("gateway", "kind"),
        )
        for kind, count in self._tally.executed.copy().items():
            quantity.add_metric((self._gateway, kind), count)
        yield quantity
