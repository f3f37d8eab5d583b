"""Metrics of a host: its supervisor's own, and those of its shards, which it asks at each scrape.

So a scraper needs one address a host, whichever shards the group gives to it.
"""

import urllib.request
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

__all__ = ["FleetMetrics"]

TIMEOUT_S = 2.0
ASKED_AT_ONCE = 8


class FleetMetrics(Collector):
    """`addresses` returns the metrics address of each running engine, by shard."""

    def __init__(
        self, registry: CollectorRegistry, addresses: Callable[[], Mapping[int, str]]
    ) -> None:
        self._addresses = addresses
        registry.register(self)

    def describe(self) -> list[Metric]:
        """Return nothing: names are known only when the shards have answered."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield every shard's samples, merged by name and labeled with the shard."""
        up = GaugeMetricFamily(
            "penstock_shard_up", "Whether a shard's engine answers", labels=("shard",)
        )
        addresses = dict(self._addresses())
        merged: dict[str, Metric] = {}
        with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
            for shard, text in zip(addresses, pool.map(_ask, addresses.values()), strict=True):
                up.add_metric((str(shard),), float(bool(text)))
                for family in text_string_to_metric_families(text):
                    known = merged.setdefault(
                        family.name, Metric(family.name, family.documentation, family.type)
                    )
                    for sample in family.samples:
                        labels = {"shard": str(shard), **sample.labels}
                        known.add_sample(sample.name, labels, sample.value)
        yield up
        yield from merged.values()


def _ask(address: str) -> str:
    """Return what the shard says; "" when it does not answer in time."""
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT_S) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""
