"""A dashboard asks only for what some process shows. That it answers is seen in tests/docker."""

import re

from prometheus_client import CollectorRegistry, generate_latest

from schemas.messages.core import ClockMode
from services.engine.children import Children
from services.engine.settings import EngineSettings
from services.engine.watch import Supervised
from services.fix.gateway.counts import GatewayCounts
from services.metrics.engine import EngineCounts
from services.metrics.fleet import FleetMetrics
from services.metrics.gateway import GatewayMetrics
from services.metrics.host import HostMetrics
from services.metrics.tally import Tally
from tests.support.dashboards import panels

NAME = re.compile(r"\b(?:penstock|process)_[a-z_]+\b")
SUFFIXES = ("_total", "_bucket", "_sum", "_count")


def shown() -> set[str]:
    """Return the names of all metrics of all processes."""
    registry = CollectorRegistry()
    HostMetrics(registry, "engine", 0)
    EngineCounts(registry, 0)
    GatewayMetrics(registry, "simulator", Tally())
    GatewayCounts(registry, 1)
    FleetMetrics(registry, dict)
    Supervised(registry, Children(EngineSettings(bootstrap="nowhere:1", mode=ClockMode.TAPE)))
    text = generate_latest(registry).decode()
    names = {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")}
    return names | {f"{name}{suffix}" for name in names for suffix in SUFFIXES}


def test_every_metric_of_every_panel_exists() -> None:
    known = shown()
    asked = {name for panel in panels() for query in panel.queries for name in NAME.findall(query)}
    assert len(asked) > 20
    assert asked <= known, asked - known


def test_every_panel_asks_something_and_titles_are_unique_in_a_dashboard() -> None:
    assert all(panel.queries for panel in panels())
    assert len({str(panel) for panel in panels()}) == len(panels())
