"""The shard brings quotes and terms to the scorecard, and models by two persons."""

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from schemas.messages.core import OrderKind, RejectReason, Side
from schemas.messages.runtime import DeadLetter
from schemas.messages.scorecard import (
    FillsMarked,
    InstrumentBucketed,
    VenueModelApproved,
    VenueModelInForce,
    VenueModelProposed,
    VenueScored,
)
from services.metrics.engine import EngineCounts
from streams.core import topics
from streams.core.proposals import digest
from streams.scorecard.curve import BINS
from streams.scorecard.estimate import E9, Known
from streams.scorecard.model import CellModel, VenueModel
from tests.support.builders import ACME
from tests.support.scenario import Desk

KNOWN = Known(0, E9, 8 * E9)


def model(name: str = "m1", price_bps: int = 0, bucket: str = "coarse") -> str:
    """Return a model of one cell as its text."""
    cell = CellModel(
        venue_id="V1",
        kind=OrderKind.PASSIVE,
        bucket=bucket,
        side=Side.BUY,
        weight=8 * E9,
        fill_hazards=(E9 // 10,) * BINS,
        away_hazards=(E9 // 20,) * BINS,
        rejects=KNOWN,
        price=Known(price_bps * E9, E9, 8 * E9),
        fee=KNOWN,
        leakage=KNOWN,
        missed=KNOWN,
    )
    return msgspec.json.encode(VenueModel(name=name, cells=(cell,)), order="sorted").decode()


def worked(desk: Desk, prefix: str = "c", orders: int = 2) -> None:
    """Let orders rest, fill and be marked: two children are enough to be scored."""
    for number in range(orders):
        desk.act("buy", f"{prefix}{number}", 100)
        desk.act("wait", 2)
        desk.act("fill", desk.children[0].quantity)
        desk.act("wait", 8)


def propose(desk: Desk, content: str, actor: str = "ana", proposal_id: str = "p1") -> None:
    message = VenueModelProposed(
        proposal_id=proposal_id, content=content, sha256=digest(content), reason="fitted"
    )
    desk.host.put(topics.CONTROL_COMMANDS, message, actor=actor)
    desk.act("wait", 1)


def approve(desk: Desk, content: str, actor: str = "ben", proposal_id: str = "p1") -> None:
    message = VenueModelApproved(proposal_id=proposal_id, sha256=digest(content), reason="read")
    desk.host.put(topics.CONTROL_COMMANDS, message, actor=actor)
    desk.act("wait", 1)


def test_a_traded_instrument_is_bucketed_once_marked_and_scored() -> None:
    desk = Desk()
    worked(desk)
    (bucketed,) = desk.host.messages(InstrumentBucketed)
    assert (bucketed.instrument_id, bucketed.bucket) == (ACME, "coarse")
    marks = [mark for event in desk.host.messages(FillsMarked) for mark in event.marks]
    assert marks and all(mark.bid_e9 and mark.ask_e9 for mark in marks)
    scores = desk.host.messages(VenueScored)
    assert {score.kind for score in scores} == {OrderKind.PASSIVE}
    tried = [score for score in scores if score.children_e9]
    assert tried and all(score.cleanup_e9 > 0 for score in tried)
    desk.host.recover()


def test_prometheus_has_the_newest_score_of_every_venue() -> None:
    desk, registry = Desk(), CollectorRegistry()
    worked(desk)
    EngineCounts(registry, 0)(desk.host.app, desk.host.now_ns)
    newest = {score.venue_id: score for score in desk.host.messages(VenueScored)}
    for venue_id, score in newest.items():
        labels = {"shard": "0", "kind": "PASSIVE", "bucket": "coarse", "side": "BUY"}
        labels["venue"] = venue_id
        found = registry.get_sample_value("penstock_venue_score_bps", labels)
        assert found == pytest.approx(-score.shrunk_e9 / 1e9)
    assert newest


def test_a_recovery_in_the_middle_of_the_marks_goes_on_with_them() -> None:
    desk = Desk()
    worked(desk)
    before = len(desk.host.messages(FillsMarked))
    desk.host.recover()
    desk.act("wait", 30)
    desk.host.recover()
    assert len(desk.host.messages(FillsMarked)) > before


def test_a_model_holds_from_its_approval_by_another_person() -> None:
    desk, content = Desk(), model(price_bps=-7)
    propose(desk, content)
    assert not desk.host.messages(VenueModelInForce)
    approve(desk, content)
    (in_force,) = desk.host.messages(VenueModelInForce)
    assert (in_force.version, in_force.proposed_by, in_force.approved_by) == (1, "ana", "ben")
    assert in_force.content == content
    worked(desk)
    score = next(each for each in desk.host.messages(VenueScored) if each.venue_id == "V1")
    assert score.model == "m1"
    desk.host.recover()


def test_the_model_in_force_is_the_prior_of_the_score() -> None:
    found = {}
    for price_bps in (-9, 9):
        desk, content = Desk(), model(price_bps=price_bps)
        propose(desk, content)
        approve(desk, content)
        worked(desk)
        scores = desk.host.messages(VenueScored)
        found[price_bps] = next(each for each in scores if each.venue_id == "V1").shrunk_e9
    assert found[-9] < found[9] - E9


def test_a_replay_uses_what_was_in_force_then() -> None:
    """What was scored before the approval says so, and a fold of the log ends the same."""
    desk, content = Desk(), model()
    worked(desk)
    propose(desk, content)
    approve(desk, content)
    worked(desk, "d", 4)
    names = [score.model for score in desk.host.messages(VenueScored)]
    assert names[0] == "" and names[-1] == "m1"
    assert names == sorted(names)
    desk.host.recover()


def test_one_person_does_not_do() -> None:
    desk, content = Desk(), model()
    propose(desk, content)
    approve(desk, content, actor="ana")
    assert not desk.host.messages(VenueModelInForce)
    (letter,) = desk.host.messages(DeadLetter)
    assert letter.reason is RejectReason.SAME_PERSON


def test_what_was_read_must_be_what_was_proposed() -> None:
    desk = Desk()
    propose(desk, model("m1"))
    approve(desk, model("m2"))
    approve(desk, model("m1"), proposal_id="p9")
    letters = desk.host.messages(DeadLetter)
    assert [letter.reason for letter in letters] == [
        RejectReason.HASH_MISMATCH,
        RejectReason.UNKNOWN_PROPOSAL,
    ]


def test_a_model_that_cannot_be_used_is_refused() -> None:
    desk = Desk()
    for number, content in enumerate(("{}", "nonsense", model().replace("100000000,", "-1,", 1))):
        propose(desk, content, proposal_id=f"p{number}")
    letters = desk.host.messages(DeadLetter)
    assert [letter.reason for letter in letters] == [RejectReason.BODY_UNDECODABLE] * 3


def test_an_approval_holds_once() -> None:
    desk, content = Desk(), model()
    propose(desk, content)
    approve(desk, content)
    approve(desk, content)
    assert len(desk.host.messages(VenueModelInForce)) == 1
    (letter,) = desk.host.messages(DeadLetter)
    assert letter.reason is RejectReason.UNKNOWN_PROPOSAL
