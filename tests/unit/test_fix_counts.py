"""Prometheus counts what clients dispute and what is refused by FIX, from the first of them on."""

from prometheus_client import CollectorRegistry

from schemas.messages.fix import FillDisputed, FixRefused
from services.fix.gateway.counts import GatewayCounts
from streams.core import topics
from tests.support.dashboards import panels
from tests.unit.test_fix_clients_reports import working


def test_disputes_and_refusals_are_counted_once_and_from_zero_on() -> None:
    desk, child = working("OMS44")
    registry = CollectorRegistry()
    count = GatewayCounts(registry, 7)

    def shown(name: str) -> float | None:
        count(desk.gateway.application, 0)
        count(desk.gateway.application, 0)
        return registry.get_sample_value(f"penstock_fix_{name}_total", {"gateway": "7"})

    assert registry.get_sample_value("penstock_fix_disputed_total", {"gateway": "7"}) == 0
    desk.trade(child, 40)
    (trade,) = desk.news("OMS44")
    desk.say("OMS44", "Q", f"37={trade.get(37)}|17={trade.get(17)}|55=ACME|54=1|127=E")
    desk.say("OMS44", "D", "11=bad|55=ACME|54=1|38=many|40=1|60=20250615-15:00:00")
    assert len(desk.messages(topics.FIX_DECISIONS, FillDisputed)) == shown("disputed") == 1
    assert len(desk.messages(topics.FIX_DECISIONS, FixRefused)) == shown("refused") == 1


def test_a_gateway_that_was_rebuilt_counts_on() -> None:
    desk, child = working("OMS44")
    registry = CollectorRegistry()
    count = GatewayCounts(registry, 7)
    for _ in range(2):
        desk.trade(child, 10)
        (trade,) = desk.news("OMS44")
        desk.say("OMS44", "Q", f"37={trade.get(37)}|17={trade.get(17)}|55=ACME|54=1|127=E")
        count(desk.gateway.application, 0)
        desk.gateway.close()
        desk.gateway = desk._new_gateway_host()
    found = registry.get_sample_value("penstock_fix_disputed_total", {"gateway": "7"})
    assert found == 2


def test_they_stand_before_whoever_looks_for_what_needs_a_person() -> None:
    (panel,) = [each for each in panels() if each.title == "Needs a person"]
    for name in ("disputed", "refused"):
        (query,) = [each for each in panel.queries if f"penstock_fix_{name}_total" in each]
        assert query.endswith("or vector(0)"), "without a gateway it is nothing, not missing"
