"""A child whose venue does not answer is settled by two persons, and its late reports once."""

from typing import Any

import msgspec
import pytest

from schemas.messages.control import ChildSettled
from schemas.messages.core import (
    ExecType,
    OrderStatus,
    RejectReason,
    SettlementStage,
)
from schemas.messages.routing import (
    ChildCanceled,
    ChildPlaced,
    FillBooked,
    FillBusted,
    FillCorrected,
    RouteDecided,
    SliceReturned,
    SuspenseRecorded,
)
from streams.core.errors import CorruptHistoryError
from streams.routing import ROUTING, RoutingState, exposures, settlement_refused
from streams.routing.commands import SettleChild
from streams.routing.state import Phase
from tests.support.builders import OPEN_NS, SECOND, TICK
from tests.support.routing import (
    acknowledged,
    market,
    report,
    status_requested,
    trade,
    wake,
    working,
)
from tests.support.settling import PRICE_E9, approval, fill, proposal

R = RejectReason
AT_NS = OPEN_NS + 200 * SECOND
NO_MARKET = market(quote=None)  # what is freed goes back


def unresolved(*before: Any) -> RoutingState:
    """Return a child of 100 that its venue was asked about until it is people's."""
    state = ROUTING.fold((*working(), *before))
    while due_ns := state.children["P.1.1"].due_ns:
        events = ROUTING.decide(state, wake("routing:child:P.1.1", due_ns))
        ROUTING.fold(events, state)
    assert state.children["P.1.1"].is_escalated
    return state


def says(message: ChildSettled, actor: str, **changes: Any) -> SettleChild:
    fields: dict[str, Any] = {"market": NO_MARKET, "current_epoch": 1, "room": 0, **changes}
    return SettleChild(message=message, actor=actor, at_ns=AT_NS, **fields)


def decided(state: RoutingState, command: Any) -> tuple[Any, ...]:
    """Return what a command leads to, folded; asked again it leads to nothing."""
    events = ROUTING.decide(state, command)
    ROUTING.fold(events, state)
    assert ROUTING.decide(state, command) == ()
    return events


def settled(state: RoutingState, *fills: Any, **changes: Any) -> tuple[Any, ...]:
    said = proposal(*fills, **changes)
    decided(state, says(said, "ana"))
    return decided(state, says(approval(said), "ben"))


def of(kind: type[Any], events: tuple[Any, ...]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def test_a_proposal_books_nothing_and_stands_with_the_child() -> None:
    state = unresolved()
    (proposed,) = decided(state, says(proposal(fill(60)), "ana"))
    assert (proposed.stage, proposed.proposed_by) == (SettlementStage.PROPOSED, "ana")
    assert state.children["P.1.1"].settlements == {"s1": proposed}
    assert not state.fills and exposures(state, "P") == ((1, 100),)


def test_what_two_persons_say_is_booked_and_the_rest_is_free() -> None:
    state = unresolved()
    told, booked, canceled, _, back = settled(state, fill(60, fee_e9=5))
    assert (told.stage, told.proposed_by, told.approved_by) == (
        SettlementStage.SETTLED,
        "ana",
        "ben",
    )
    assert told.freed_quantity == 40
    assert (booked.quantity, booked.price_e9, booked.fee_e9) == (60, PRICE_E9, 5)
    assert booked.fill_id == "V1/settled-P.1.1-1" and booked.cash_e9 == 60 * PRICE_E9
    assert (canceled.canceled_quantity, canceled.outstanding_quantity) == (40, 0)
    assert not canceled.is_unsolicited and canceled.status is OrderStatus.CANCELED
    assert (back.quantity, back.is_closed) == (40, True)
    assert exposures(state, "P") == () and not state.children and not state.slices


def test_nothing_filled_frees_all_and_full_frees_nothing() -> None:
    nothing = settled(unresolved())
    assert [type(event) for event in nothing] == [
        ChildSettled,
        ChildCanceled,
        RouteDecided,
        SliceReturned,
    ]
    full = settled(unresolved(), fill(30, PRICE_E9), fill(70, PRICE_E9 - TICK))
    assert [type(event) for event in full] == [ChildSettled, FillBooked, FillBooked]
    assert [each.quantity for each in full[1:]] == [30, 70]


def test_what_is_freed_is_placed_anew_where_there_is_a_market() -> None:
    state = unresolved()
    said = proposal()
    decided(state, says(said, "ana"))
    events = decided(state, says(approval(said), "ben", market=market()))
    (child,) = of(ChildPlaced, events)
    assert (child.child_id, child.quantity) == ("P.1.2", 100)


def test_what_was_booked_before_counts_in_the_count_and_not_in_the_fills() -> None:
    state = unresolved()
    ROUTING.fold(ROUTING.decide(state, trade("e1", 20, 20, 80)), state)
    state.children["P.1.1"].phase = Phase.UNRESOLVED
    state.children["P.1.1"].status_tries = 5
    events = settled(state, fill(10), cumulative_quantity=30)
    assert [each.quantity for each in of(FillBooked, events)] == [10]
    assert of(ChildCanceled, events)[0].canceled_quantity == 70


def test_a_child_that_owes_counted_fills_is_settled_too() -> None:
    state = ROUTING.fold(working())
    canceled = report(
        ExecType.CANCELED,
        order_status=OrderStatus.CANCELED,
        cumulative_quantity=40,
        leaves_quantity=0,
        market=NO_MARKET,
    )
    ROUTING.fold(ROUTING.decide(state, canceled), state)
    while due_ns := state.children["P.1.1"].due_ns:
        ROUTING.fold(ROUTING.decide(state, wake("routing:child:P.1.1", due_ns)), state)
    events = settled(state, fill(25), cumulative_quantity=25)
    assert of(ChildSettled, events)[0].freed_quantity == 15
    assert exposures(state, "P") == ()


# message, who says it, reason, field
REFUSED = [
    (proposal(fill(60), child_id="P.9.9"), "ana", R.UNKNOWN_CHILD, "child_id"),
    (proposal(fill(60), venue_id="V2"), "ana", R.REPORT_CONTRADICTS, "venue_id"),
    (proposal(fill(60), instrument_id="OTHER"), "ana", R.REPORT_CONTRADICTS, "instrument_id"),
    (proposal(fill(60), parent_id="Q"), "ana", R.REPORT_CONTRADICTS, "parent_id"),
    (proposal(fill(60), stage=SettlementStage.SETTLED), "ana", R.UNEXPECTED_MESSAGE, "stage"),
    (proposal(fill(60)), " ", R.FIELD_EMPTY, "actor"),
    (proposal(fill(60), said_by=""), "ana", R.FIELD_EMPTY, "said_by"),
    (proposal(fill(60), evidence=" "), "ana", R.FIELD_EMPTY, "evidence"),
    (proposal(fill(60), reason=""), "ana", R.FIELD_EMPTY, "reason"),
    (proposal(fill(60), settlement_id="s" * 65), "ana", R.FIELD_TOO_LONG, "settlement_id"),
    (proposal(fill(60), evidence="a\nb"), "ana", R.TEXT_NOT_PRINTABLE, "evidence"),
    (proposal(fill(101)), "ana", R.QUANTITY_TOO_LARGE, "cumulative_quantity"),
    (proposal(cumulative_quantity=-1), "ana", R.QUANTITY_BELOW_FILLED, "cumulative_quantity"),
    (proposal(fill(60), cumulative_quantity=61), "ana", R.REPORT_CONTRADICTS, "fills.quantity"),
    (proposal(fill(61), fill(-1)), "ana", R.QUANTITY_NOT_POSITIVE, "fills.quantity"),
    (proposal(*[fill(1)] * 501, cumulative_quantity=100), "ana", R.LIST_TOO_LONG, "fills"),
    (proposal(fill(60, 0)), "ana", R.PRICE_NOT_POSITIVE, "fills.price_e9"),
    (proposal(fill(60, PRICE_E9 + 1)), "ana", R.PRICE_OFF_TICK, "fills.price_e9"),
    (proposal(fill(60, 10_000 * TICK)), "ana", R.VALUE_OUT_OF_RANGE, "fills.price_e9"),
    (proposal(fill(60, fee_e9=10**33)), "ana", R.VALUE_OUT_OF_RANGE, "fills.fee_e9"),
    (
        proposal(fill(1, exec_id="x"), fill(1, exec_id="x")),
        "ana",
        R.REPORT_CONTRADICTS,
        "fills.exec_id",
    ),
    (approval(proposal(fill(60))), "ben", R.UNKNOWN_PROPOSAL, "settlement_id"),
]


@pytest.mark.parametrize(("message", "actor", "reason", "field"), REFUSED)
def test_what_cannot_be_is_refused_by_its_code(
    message: ChildSettled, actor: str, reason: R, field: str
) -> None:
    state, command = unresolved(), says(message, actor)
    refused = settlement_refused(state, command)
    assert refused is not None and (refused.reason, refused.field) == (reason, field)
    assert ROUTING.decide(state, command) == ()


# message of the second person, who says it, reason, field
UNLIKE = [
    (approval(proposal(fill(60))), "ana", R.SAME_PERSON, "actor"),
    (approval(proposal(fill(60))), " Ana", R.SAME_PERSON, "actor"),
    (approval(proposal(fill(61))), "ben", R.HASH_MISMATCH, "cumulative_quantity"),
    (approval(proposal(fill(60, PRICE_E9 - TICK))), "ben", R.HASH_MISMATCH, "fills"),
    (approval(proposal(fill(60)), evidence="none"), "ben", R.HASH_MISMATCH, "evidence"),
    (proposal(fill(60)), "ben", R.STALE_VERSION, "settlement_id"),
]


@pytest.mark.parametrize(("message", "actor", "reason", "field"), UNLIKE)
def test_only_another_person_approves_and_only_the_same_words(
    message: ChildSettled, actor: str, reason: R, field: str
) -> None:
    state = unresolved()
    decided(state, says(proposal(fill(60)), "ana"))
    refused = settlement_refused(state, says(message, actor))
    assert refused is not None and (refused.reason, refused.field) == (reason, field)


def test_a_child_whose_venue_is_asked_or_has_answered_is_not_settled() -> None:
    asked = ROUTING.fold((*working(), status_requested()))
    refused = settlement_refused(asked, says(proposal(), "ana"))
    assert refused is not None and refused.reason is R.ALREADY_PENDING
    answered = unresolved()
    ROUTING.fold((acknowledged(),), answered)
    refused = settlement_refused(answered, says(proposal(), "ana"))
    assert refused is not None and refused.reason is R.TOO_LATE
    done = unresolved()
    settled(done)
    refused = settlement_refused(done, says(proposal(settlement_id="s2"), "ana"))
    assert refused is not None and refused.reason is R.TOO_LATE


def test_a_late_report_that_agrees_is_said_once_and_books_nothing() -> None:
    state = unresolved()
    settled(state, fill(60))
    for exec_id, quantity in (("e1", 25), ("e2", 35)):
        late = trade(exec_id, quantity, 60, 0, last_price_e9=PRICE_E9)
        (same,) = decided(state, late)
        assert (type(same), same.reason) == (SuspenseRecorded, R.NOTHING_CHANGED)
        assert (same.quantity, same.exec_ref_id) == (quantity, "settled-P.1.1-1")
    assert not state.suspense, "nobody needs to look at it"
    assert sum(each.quantity for each in state.fills.values()) == 60


def test_a_late_report_by_the_exec_id_that_was_told_is_the_same_fill() -> None:
    state = unresolved()
    settled(state, fill(60, exec_id="e1"))
    (same,) = decided(state, trade("e1", 60, 60, 0, last_price_e9=PRICE_E9))
    assert (same.reason, list(state.fills)) == (R.NOTHING_CHANGED, ["V1/e1"])


def test_a_late_report_at_another_price_is_disputed_and_not_booked() -> None:
    state = unresolved()
    settled(state, fill(60))
    (disputed,) = decided(state, trade("e1", 60, 60, 0, last_price_e9=PRICE_E9 - TICK))
    assert (disputed.reason, disputed.quantity) == (R.REPORT_CONTRADICTS, 60)
    assert list(state.suspense) == ["V1/e1/P.1.1"], "people must look"
    assert sum(each.quantity for each in state.fills.values()) == 60


def test_what_was_not_told_is_booked_as_any_late_fill() -> None:
    state = unresolved()
    settled(state, fill(60))
    late = trade("e1", 75, 75, 0, last_price_e9=PRICE_E9, current_epoch=1, room=10)
    same, more = decided(state, late)
    assert (same.reason, same.quantity) == (R.NOTHING_CHANGED, 60)
    assert (more.fill_id, more.quantity, more.late_quantity) == ("V1/e1", 10, 10)
    assert more.error_quantity == 5


@pytest.mark.parametrize(("busted", "left"), [("e1", 35), ("e2", 25)])
def test_a_bust_takes_its_part_of_what_was_settled(busted: str, left: int) -> None:
    state = unresolved()
    settled(state, fill(60))
    for exec_id, quantity in (("e1", 25), ("e2", 35)):
        decided(state, trade(exec_id, quantity, 60, 0, last_price_e9=PRICE_E9))
    bust = report(ExecType.TRADE_CANCEL, "b1", exec_ref_id=busted, last_quantity=60 - left)
    (corrected,) = decided(state, bust)
    assert (corrected.previous_quantity, corrected.quantity) == (60, left)
    other = "e2" if busted == "e1" else "e1"
    bust = report(ExecType.TRADE_CANCEL, "b2", exec_ref_id=other, last_quantity=left)
    (gone,) = decided(state, bust)
    assert (type(gone), gone.quantity) == (FillBusted, left)


def test_a_correction_changes_its_part_and_the_price_of_a_fill_that_is_all_its_own() -> None:
    state = unresolved()
    settled(state, fill(60))
    decided(state, trade("e1", 25, 60, 0, last_price_e9=PRICE_E9))
    less = report(
        ExecType.TRADE_CORRECT, "c1", exec_ref_id="e1", last_quantity=20, last_price_e9=PRICE_E9
    )
    (corrected,) = decided(state, less)
    assert (corrected.quantity, corrected.price_e9) == (55, PRICE_E9)
    whole = unresolved()
    settled(whole, fill(60))
    decided(whole, trade("e1", 60, 60, 0, last_price_e9=PRICE_E9))
    other = report(
        ExecType.TRADE_CORRECT,
        "c1",
        exec_ref_id="e1",
        last_quantity=60,
        last_price_e9=PRICE_E9 - TICK,
    )
    (corrected,) = decided(whole, other)
    assert (type(corrected), corrected.price_e9) == (FillCorrected, PRICE_E9 - TICK)


def test_a_correction_to_more_is_held_against_what_people_told_already() -> None:
    state = unresolved()
    settled(state, fill(60))
    decided(state, trade("e1", 25, 25, 0, last_price_e9=PRICE_E9))
    more = report(
        ExecType.TRADE_CORRECT, "c1", exec_ref_id="e1", last_quantity=70, last_price_e9=PRICE_E9
    )
    same, corrected = decided(state, more)
    assert (same.reason, same.quantity) == (R.NOTHING_CHANGED, 35)
    assert (corrected.quantity, corrected.error_quantity) == (60, 10)


def test_a_bust_of_more_than_was_booked_takes_what_was_told_of_it_too() -> None:
    state = unresolved()
    decided(state, trade("e1", 10, 10, 90))  # which a correction has made 30, and nobody heard
    state.children["P.1.1"].phase = Phase.UNRESOLVED
    state.children["P.1.1"].status_tries = 5
    settled(state, fill(20), cumulative_quantity=30)
    bust = report(ExecType.TRADE_CANCEL, "b1", exec_ref_id="e1", last_quantity=30)
    assert [each.quantity for each in of(FillBusted, decided(state, bust))] == [20, 10]
    late = report(ExecType.TRADE_CORRECT, "c1", exec_ref_id="e1", last_quantity=30)
    assert of(FillCorrected, decided(state, late)) == []


def test_what_was_told_by_its_exec_id_is_no_other_execution() -> None:
    state = unresolved()
    decided(state, trade("e1", 5, 5, 95))
    state.children["P.1.1"].phase = Phase.UNRESOLVED
    state.children["P.1.1"].status_tries = 5
    settled(state, fill(13, exec_id="e2"), cumulative_quantity=18)
    more = report(
        ExecType.TRADE_CORRECT, "c1", exec_ref_id="e1", last_quantity=6, last_price_e9=PRICE_E9
    )
    (corrected,) = of(FillCorrected, decided(state, more))
    assert corrected.quantity + corrected.error_quantity == 6
    (same,) = decided(state, trade("e2", 13, 18, 0, last_price_e9=PRICE_E9))
    assert (same.reason, same.quantity) == (R.NOTHING_CHANGED, 13)


def test_a_correction_of_a_named_fill_may_come_before_its_report() -> None:
    state = unresolved()
    settled(state, fill(60, exec_id="e1"))
    for exec_id, quantity in (("c1", 40), ("c2", 50)):
        more = report(
            ExecType.TRADE_CORRECT,
            exec_id,
            exec_ref_id="e1",
            last_quantity=quantity,
            last_price_e9=PRICE_E9,
            transact_ns=AT_NS + quantity,
        )
        decided(state, more)
    decided(state, trade("e1", 60, 60, 0, last_price_e9=PRICE_E9))
    stands = state.fills["V1/e1"]
    assert stands.quantity + stands.error_quantity == 50


def test_a_history_that_settles_what_nobody_proposed_stops_the_shard() -> None:
    state = unresolved()
    done = msgspec.structs.replace(proposal(), stage=SettlementStage.SETTLED)
    with pytest.raises(CorruptHistoryError, match="nobody proposed"):
        ROUTING.evolve(state, done)
