"""What `penstock frontier` shows: before a trade from numbers, after it from the log."""

import itertools
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from schemas.messages.core import StrategyKind, Urgency
from schemas.messages.netting import EpochOpened, ParentOpened
from schemas.messages.strategy import PolicyEvaluated
from services.cli.main import app
from services.frontier.picture import color, page, svg
from services.frontier.shown import rows_of, shown
from services.frontier.story import read
from tests.support.policy_day import PolicyDay

RUNNER = CliRunner()
PRE_TRADE = ("frontier", "--pre-trade", "--quantity", "656100", "--daily-volume", "6561000")


def run(*arguments: str) -> Any:
    result = RUNNER.invoke(app, [*PRE_TRADE, *arguments, "--json"])
    assert result.exit_code == 0, result.output
    (found,) = json.loads(result.stdout)["frontiers"]
    return found


def story_of(day: PolicyDay) -> Any:
    return read(
        (event.message, event.envelope.at_ns)
        for batch in day.host.batches
        for event in batch.outputs
    )


@pytest.fixture(scope="module")
def patient() -> PolicyDay:
    day = PolicyDay(urgency=Urgency.PASSIVE)
    day.run(30 * 60)
    return day


def test_before_the_trade_urgency_buys_certainty_with_impact() -> None:
    rows = [run("--urgency", each, "--minutes", "120")["chosen"] for each in Urgency][1:]
    for slower, faster in itertools.pairwise(rows):
        assert slower["cost"] < faster["cost"]
        assert slower["risk"] > faster["risk"]
        assert slower["completion"] <= faster["completion"]


def test_the_impact_before_the_trade_is_the_published_table_with_a_band() -> None:
    """IBM, a tenth of a day's volume: half a day is a sixth of the volume that comes."""
    found = run("--volatility-bps", "157", "--cap-bps", "1667", "--floor-bps", "9990")
    before = found["before"]
    assert before["cost"] == pytest.approx(17.8, abs=1.0)  # 18.4 with IBM's own turnover
    assert before["model_error"] > 1
    assert before["band"] > before["risk"] > 0
    assert before["is_flagged"] is (before["root"] > 2 * before["cost"])


def test_a_floor_beyond_the_cap_is_told_with_its_price() -> None:
    found = run("--cap-bps", "1000", "--floor-bps", "9500")
    assert found["required_cap_bps"] > 1_000
    assert found["required_price_bps"] > 0
    said = RUNNER.invoke(app, [*PRE_TRADE, "--cap-bps", "1000", "--floor-bps", "9500"]).stdout
    assert f"needs a cap of {found['required_cap_bps'] / 100:.1f} %" in said
    assert "chosen" in said


def test_no_way_on_the_curve_is_beaten_by_another() -> None:
    curve = run()["curve"]
    assert len(curve) > 10
    for slower, faster in itertools.pairwise(curve):
        assert slower["risk"] > faster["risk"]
        assert slower["cost"] < faster["cost"]
        assert slower["completion"] <= faster["completion"]


def test_the_picture_is_a_drawing_with_every_way_on_it(tmp_path: Path) -> None:
    out = tmp_path / "f.svg"
    RUNNER.invoke(app, [*PRE_TRADE, "--out", str(out)])
    root = ElementTree.parse(out).getroot()
    texts = ["".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text")]
    for name in ("chosen", "passive", "neutral", "urgent", "vwap", "twap", "shortfall"):
        assert any(name in text for text in texts), name
    for circle in root.iter("{http://www.w3.org/2000/svg}circle"):
        assert 70 <= float(circle.attrib["cx"]) <= 590
        assert 56 <= float(circle.attrib["cy"]) <= 410


def test_only_pictures_that_can_be_drawn_are_promised(tmp_path: Path) -> None:
    result = RUNNER.invoke(app, [*PRE_TRADE, "--out", str(tmp_path / "f.bmp")])
    assert result.exit_code == 1
    assert "ends neither in .svg nor in .html" in result.output


def test_colors_go_from_red_to_green() -> None:
    assert (color(0.0), color(1.0)) == ("#b2182b", "#1a7846")
    greens = [int(color(n / 10)[3:5], 16) for n in range(10)]
    assert greens == sorted(greens)


def test_after_the_trade_the_outcome_stands_beside_what_was_expected(patient: PolicyDay) -> None:
    story = story_of(patient)
    (opened,) = patient.all(ParentOpened)
    order_id = patient.all(EpochOpened)[0].members[0].order_id
    (by_order,), (by_parent,) = story.find(order_id), story.find(opened.parent_id)
    assert by_order is by_parent
    assert story.find("nobody") == []
    outcome = by_order.outcome()
    first = patient.all(PolicyEvaluated)[0]
    assert outcome.filled == outcome.quantity == 4_000
    # The model venue fills at 99.90, and the midpoint stood at 100.00 at the arrival.
    assert outcome.cost == pytest.approx(-10.0)
    assert outcome.expected == first.point.impact_bps_e9 / 1e9
    assert outcome.band == first.point.risk_bps_e9 / 1e9
    assert outcome.deviations == pytest.approx((outcome.cost - outcome.expected) / outcome.band)
    assert 0.05 < outcome.participation < 0.12
    what = shown("t", first, story.fitted(first), outcome)
    assert "realised cost" in svg(what)
    html = page(what, [("way",), *[(mark.name,) for mark in rows_of(what)]])
    assert html.count("<tr>") == len(rows_of(what)) + 1
    assert "<script" not in html


def test_of_a_parent_without_a_policy_the_choice_is_made_up_for() -> None:
    day = PolicyDay(strategy=StrategyKind.VWAP)
    day.run(60)
    (parent,) = story_of(day).parents.values()
    found = parent.choice()
    assert found is not None
    assert found.ordinal == 0
    assert found.inputs.quantity == 4_000
    assert found.inputs.expected_volume == pytest.approx(50_400, rel=0.01)
    assert parent.outcome() is None  # it works still


def test_without_a_forecast_there_is_no_choice_to_show() -> None:
    day = PolicyDay(strategy=StrategyKind.IMMEDIATE)
    day.run(5)
    (parent,) = story_of(day).parents.values()
    assert parent.choice() is None
