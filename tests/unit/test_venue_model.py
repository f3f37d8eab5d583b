"""A fit finds what is true, says how sure it is, and is judged by what came after."""

from pathlib import Path

import msgspec
import pytest

from schemas.messages.core import Cause, OrderKind, RouteAlternative, RoutingLogic, Side
from schemas.messages.routing import RouteDecided
from schemas.messages.scorecard import VenueModelInForce
from services.venuemodel.children import Child, Decision, Observed, observe, read, write
from services.venuemodel.fit import average, fit
from services.venuemodel.judge import Judge, split
from services.venuemodel.report import as_json, markdown
from services.venuemodel.work import NothingToFitError, content_of, work
from streams.core.proposals import digest
from streams.scorecard.curve import Curve, Hazards, incidence
from streams.scorecard.estimate import E9
from streams.scorecard.model import CellModel, VenueModel, parse
from streams.scorecard.score import SCORED_AGE
from tests.support.builders import OPEN_NS
from tests.support.day import Day
from tests.support.venue_model import PRICES, VENUES, Truth, street

GOOD, PLAIN, LEAKY = Truth(0.8, -0.5), Truth(0.5, 0.5), Truth(0.5, 0.5, leak=3.0)
TRUTHS = {"V1": GOOD, "V2": PLAIN, "V3": LEAKY}
TURNED = {"V1": Truth(0.1, 4.0), "V2": Truth(0.9, -4.0), "V3": Truth(0.1, 4.0)}


def fitted(children: list[Child], name: str = "m") -> dict[str, CellModel]:
    return {cell.venue_id: cell for cell in fit(children, VENUES, PRICES, name=name).cells}


def judge(children: list[Child]) -> Judge:
    return Judge(children, VENUES, PRICES)


def chance(cell: CellModel) -> float:
    found = incidence(Curve(), Hazards(cell.fill_hazards, cell.away_hazards), E9)
    return found.fill[SCORED_AGE] / E9


def test_a_fit_finds_chances_costs_and_leakage_with_errors() -> None:
    cells = fitted(street(TRUTHS, 60))
    for venue_id, truth in TRUTHS.items():
        cell = cells[venue_id]
        assert chance(cell) == pytest.approx(truth.fill, abs=0.1)
        assert abs(cell.price.mean / E9 - truth.cost) < 3 * cell.price.error / E9
        assert 0 < cell.price.error < E9
        assert 1_000_000 <= cell.ack_p50_ns <= cell.ack_p99_ns <= 3_000_000
        assert cell.fee.mean / E9 == pytest.approx(-0.2, abs=0.01)
    assert cells["V3"].leakage.mean > 2 * E9
    assert cells["V1"].leakage.mean < 0


def test_more_children_make_it_surer() -> None:
    few, many = fitted(street(TRUTHS, 5)), fitted(street(TRUTHS, 200))
    assert many["V1"].price.error < few["V1"].price.error / 3
    assert few["V1"].weight == 15 * E9


def test_a_venue_without_a_child_is_as_the_others_by_its_own_fee() -> None:
    cells = fitted(street({"V1": PLAIN, "V2": PLAIN}, 40))
    assert cells["V3"].price.weight == 0
    assert cells["V3"].price.error > cells["V1"].price.error
    assert chance(cells["V3"]) == pytest.approx(chance(cells["V1"]), abs=0.12)
    assert cells["V3"].fee.mean == round(-0.2 * E9)  # 0.002 of 100


def test_children_of_one_parent_are_not_independent() -> None:
    shared = [(float(value), 1.0, str(value)) for value in (0, 10) for _ in range(50)]
    apart = [(value, weight, str(at)) for at, (value, weight, _) in enumerate(shared)]
    one, other = average(shared), average(apart)
    assert one is not None and other is not None
    assert one.mean == other.mean == 5
    assert one.error > 5 * other.error
    assert average([]) is None


def test_a_split_is_by_time_and_never_through_a_parent() -> None:
    before, after = split(street(TRUTHS, 10), 0.7)
    assert max(child.placed_ns for child in before) < min(child.placed_ns for child in after)
    assert {child.parent_id for child in before}.isdisjoint(child.parent_id for child in after)
    assert len(before) == 63


def test_a_better_model_is_told_from_a_worse_one() -> None:
    children = street(TRUTHS, 80)
    right = fit(children, VENUES, PRICES, name="right")
    wrong = fit(street(TURNED, 80), VENUES, PRICES, name="wrong")
    after = street(TRUTHS, 80, seed=2, start=100)
    verdict = judge(after).compare(right, wrong, after)
    assert verdict.word == "better"
    assert verdict.log_score_gain is not None and verdict.squared_error_change is not None
    assert verdict.log_score_gain.mean > 2 * verdict.log_score_gain.error
    assert verdict.squared_error_change.mean < -2 * verdict.squared_error_change.error
    assert judge(after).compare(wrong, right, after).word == "worse"
    assert judge(after).compare(right, right, after).word == "no difference"
    assert verdict.bias is not None and abs(verdict.bias.mean) < 3 * verdict.bias.error + 0.2


def decision(chosen: str, *rivals: str) -> Decision:
    alternatives = tuple(
        RouteAlternative(
            venue_id=each,
            score_e9=E9,
            quantity=100 if each == chosen else 0,
            price_e9=None,
            reason="",
        )
        for each in (chosen, *rivals)
    )
    event = RouteDecided(
        slice_id="P.1",
        parent_id="P",
        logic=RoutingLogic.SEQUENTIAL,
        quantity=100,
        scorecard_version=1,
        book_event_ids=(),
        alternatives=alternatives,
        cause=Cause.OPENED,
    )
    kinds = {chosen: OrderKind.PASSIVE}
    return Decision(event, OPEN_NS, 0, kinds, "fine", Side.BUY, 10_000.0)


def test_a_dry_run_says_which_decisions_would_have_gone_elsewhere() -> None:
    children = street(TRUTHS, 80)
    model = fit(children, VENUES, PRICES, name="m")
    past = [decision("V3", "V1", "V2"), decision("V1", "V2", "V3"), decision("V2")]
    changed, weighed = judge(children).what_if(model, None, past)
    assert weighed == 2  # one had no choice
    (only,) = changed
    assert (only.was, only.would_be) == ("V3", "V1")
    assert only.gain > 2 * only.error > 0


def test_the_outcome_is_proposed_as_the_text_that_is_hashed() -> None:
    observed = Observed(children=street(TRUTHS, 40), venues=VENUES, prices=PRICES)
    observed.decisions = [decision("V3", "V1")]
    outcome = work(observed, name="day1", part=0.7)
    assert parse(outcome.content) == outcome.model
    assert content_of(parse(outcome.content)) == outcome.content
    assert outcome.verdict.children == 12 * 9
    text = markdown(outcome, judge(observed.children))
    assert "# Venue model day1" in text
    assert "1 of 1 resting decisions would have gone elsewhere" in text
    plain = as_json(outcome)
    assert plain["what_if"]["changed"] == 1 and plain["cells"] == 3
    assert msgspec.json.encode(plain)


def in_force(model: VenueModel) -> VenueModelInForce:
    content = content_of(model)
    return VenueModelInForce(
        version=1,
        proposal_id="p1",
        sha256=digest(content),
        content=content,
        proposed_by="ana",
        approved_by="ben",
    )


def test_a_fit_is_held_against_the_model_in_force_unless_another_is_named() -> None:
    observed = Observed(children=street(TRUTHS, 80), venues=VENUES, prices=PRICES)
    observed.decisions = [decision("V3", "V1")]
    right = fit(street(TRUTHS, 300, seed=9), VENUES, PRICES, name="right")
    wrong = fit(street(TURNED, 300, seed=9), VENUES, PRICES, name="wrong")
    assert as_json(work(observed, name="new", part=0.7))["against"] == "terms"
    observed.in_force = in_force(wrong)
    better = work(observed, name="new", part=0.7)
    assert (as_json(better)["against"], better.verdict.word) == ("wrong", "better")
    named = work(observed, name="new", part=0.7, old=right)
    assert named.old_name == "right" and named.verdict.word != "better"
    observed.in_force = in_force(right)
    observed.children = [*street(TURNED, 80), *street(TRUTHS, 40, seed=2, start=80)]
    assert work(observed, name="new", part=0.6).verdict.word == "worse"


def test_too_few_children_are_no_model() -> None:
    with pytest.raises(NothingToFitError, match="20 needed"):
        work(Observed(children=street(TRUTHS, 2), venues=VENUES), name="m", part=0.7)


def test_an_archive_gives_back_the_children(tmp_path: Path) -> None:
    children = street(TRUTHS, 3)
    write(Observed(children=children), tmp_path / "day")
    assert read(tmp_path / "day") == children


def test_a_day_of_the_engine_is_observed_as_its_scorecard_saw_it() -> None:
    """Both read the same events: counts of ends and mean costs agree where nothing is forgotten."""
    day = Day(3, is_calm=True)
    day.run()
    events = [(e.envelope, e.message) for batch in day.host.batches for e in batch.outputs]
    found = observe(events)
    cells = day.host.app.state.scorecard.cells
    assert len(found.children) > 50
    for key, cell in cells.items():
        venue_id = key.rpartition("/")[2]
        mine = [
            child
            for child in found.children
            if f"{child.kind}/{child.bucket}/{child.side}/{venue_id}" == key
            and child.venue_id == venue_id
        ]
        fees = sum(part.weight for child in mine for part in child.parts)
        assert cell.fee.weight / E9 == pytest.approx(fees, rel=0.3, abs=0.01)
        effective = [p.effective for child in mine for p in child.parts if p.effective is not None]
        if effective and max(effective) == min(effective):
            assert cell.effective.mean / E9 == pytest.approx(effective[0], abs=1e-3)
        dark = [child for child in mine if child.kind is OrderKind.DARK]
        assert (cell.tail is not None) is bool(dark)


def test_the_model_of_a_day_can_be_put_in_force() -> None:
    day = Day(5, is_calm=True)
    day.run()
    events = [(e.envelope, e.message) for batch in day.host.batches for e in batch.outputs]
    outcome = work(observe(events), name="day", part=0.7)
    assert isinstance(parse(outcome.content), VenueModel)
    assert all(cell.weight > 0 for cell in outcome.model.cells)
