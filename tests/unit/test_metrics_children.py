"""A child that nobody answers for is in front of the desk until its venue speaks."""

from prometheus_client import CollectorRegistry

from services.metrics.engine import EngineCounts
from tests.acceptance.test_lessons import Market, bought


def test_an_unresolved_child_is_counted_until_its_venue_speaks() -> None:
    registry, market = CollectorRegistry(), Market()
    counts = EngineCounts(registry, 0)
    child = bought(market)
    seen = []
    for seconds in (10, 190):
        market.seconds(seconds, answers=False)
        counts(market.host.app, market.host.now_ns)
        seen.append(_gauge(registry))
    market.fill(child, 100, 100)
    market.seconds(1, answers=False)
    counts(market.host.app, market.host.now_ns)
    assert [*seen, _gauge(registry)] == [0, 1, 0]


def _gauge(registry: CollectorRegistry) -> float | None:
    return registry.get_sample_value("penstock_unresolved_children", {"shard": "0"})
