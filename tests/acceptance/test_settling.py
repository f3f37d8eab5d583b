"""A child without an answer, settled by two persons, on a whole shard and under the checker."""

from typing import Any

import msgspec
import pytest

from schemas.messages.allocation import AllocationRestated, FillAllocated
from schemas.messages.control import ChildSettled
from schemas.messages.core import ExecType, OrderStatus, SettlementStage
from schemas.messages.intake import OrderClosed
from schemas.messages.routing import ChildPlaced, ChildUnresolved, FillBooked, SuspenseRecorded
from schemas.messages.runtime import DeadLetter
from services.audit.findings import Code
from streams.core import topics
from streams.shard.venue_words import settling_shard
from tests.support.audit_host import checked, recorded
from tests.support.builders import execution_report
from tests.support.scenario import Desk
from tests.support.settling import PRICE_E9, approval, fill, proposal


def unanswered(quantity: int = 100) -> tuple[Desk, ChildPlaced]:
    """Return a desk of which the venue of the first child never said a word."""
    desk = Desk()
    desk.act("buy", "c1", quantity)
    desk.act("wait", 200)
    (told,) = desk.host.messages(ChildUnresolved)
    return desk, next(each for each in desk.children if each.child_id == told.child_id)


def said(child: ChildPlaced, *fills: Any, **changes: Any) -> ChildSettled:
    return proposal(*fills, **{"child_id": child.child_id, "venue_id": child.venue_id, **changes})


def tell(desk: Desk, message: ChildSettled, actor: str) -> None:
    desk.host.put(topics.CONTROL_COMMANDS, message, actor=actor)
    desk.act("wait", 1)


def settle(desk: Desk, child: ChildPlaced, *fills: Any) -> ChildSettled:
    """Let two persons settle it; return what the engine wrote of that."""
    message = said(child, *fills)
    tell(desk, message, "ana")
    tell(desk, approval(message), "ben")
    *_, done = desk.host.messages(ChildSettled)
    assert isinstance(done, ChildSettled) and done.stage is SettlementStage.SETTLED
    return done


def late(desk: Desk, child: ChildPlaced, exec_id: str, quantity: int, price_e9: int) -> None:
    report = execution_report(
        child.child_id,
        exec_id,
        venue_id=child.venue_id,
        last_quantity=quantity,
        last_price_e9=price_e9,
        cumulative_quantity=quantity,
    )
    desk.host.put(topics.VENUES_REPORTS, report)
    desk.act("wait", 1)


def given_out(desk: Desk) -> int:
    """Return what the orders were given, restatements applied."""
    given = [each.quantity for event in desk.host.messages(FillAllocated) for each in event.entries]
    restated = desk.host.messages(AllocationRestated)
    return sum(given) + sum(each.quantity for event in restated for each in event.entries)


def clean(desk: Desk) -> None:
    """The state can be rebuilt, and the checker finds nothing."""
    before = desk.host.app.snapshot()
    desk.host.recover()
    assert desk.host.app.snapshot() == before
    report = checked(recorded(desk.host))
    assert report.is_clean, report.findings


def test_a_settled_child_pays_its_order_and_what_it_frees_is_worked_again() -> None:
    desk, child = unanswered()
    done = settle(desk, child, fill(60))
    assert (done.proposed_by, done.approved_by, done.freed_quantity) == ("ana", "ben", 40)
    assert given_out(desk) == 60
    again = [each for each in desk.children if each.child_id != child.child_id]
    assert sum(each.quantity for each in again) == 40, "the parent goes on"
    clean(desk)


def test_an_order_that_is_full_by_hand_is_closed() -> None:
    desk, child = unanswered()
    settle(desk, child, fill(100))
    (closed,) = desk.host.messages(OrderClosed)
    assert closed.status is OrderStatus.FILLED and given_out(desk) == 100
    clean(desk)


def test_nothing_filled_gives_all_back() -> None:
    desk, child = unanswered()
    settle(desk, child)
    again = [each for each in desk.children if each.child_id != child.child_id]
    assert given_out(desk) == 0 and sum(each.quantity for each in again) == 100
    clean(desk)


def test_a_late_report_that_agrees_is_no_second_fill() -> None:
    desk, child = unanswered()
    settle(desk, child, fill(60))
    for _ in range(2):
        late(desk, child, "e1", 60, PRICE_E9)
    assert len(desk.host.messages(FillBooked)) == 1 and given_out(desk) == 60
    assert len(desk.host.messages(SuspenseRecorded)) == 1
    clean(desk)


def test_a_late_report_that_disagrees_is_kept_or_booked_never_twice() -> None:
    desk, child = unanswered()
    settle(desk, child, fill(60))
    late(desk, child, "e1", 50, PRICE_E9 - 10_000_000)  # another price
    late(desk, child, "e2", 30, PRICE_E9)  # 10 of it were told, 20 are more than that
    booked = [each.quantity + each.error_quantity for each in desk.host.messages(FillBooked)]
    assert booked == [60, 20]
    clean(desk)


def test_a_bust_of_what_was_settled_takes_it_back_from_the_order() -> None:
    desk, child = unanswered()
    settle(desk, child, fill(60))
    late(desk, child, "e1", 60, PRICE_E9)
    bust = execution_report(
        child.child_id,
        "b1",
        exec_ref_id="e1",
        venue_id=child.venue_id,
        exec_type=ExecType.TRADE_CANCEL,
        last_quantity=60,
    )
    desk.host.put(topics.VENUES_REPORTS, bust)
    desk.act("wait", 1)
    assert given_out(desk) == 0
    clean(desk)


def test_a_refusal_is_a_dead_letter_with_its_code() -> None:
    desk, child = unanswered()
    tell(desk, said(child, fill(101)), "ana")
    tell(desk, said(child, fill(60)), "ana")
    tell(desk, approval(said(child, fill(60))), "ana")
    tell(desk, said(child, fill(60), child_id="nobody's"), "ana")
    letters = [(each.reason.value, each.field) for each in desk.host.messages(DeadLetter)]
    assert letters == [
        ("QUANTITY_TOO_LARGE", "cumulative_quantity"),
        ("SAME_PERSON", "actor"),
        ("UNKNOWN_CHILD", "child_id"),
    ]
    assert not desk.host.messages(FillBooked)
    clean(desk)


def test_one_shard_answers_for_every_child_and_for_what_is_none() -> None:
    answers = {
        "Pabc.3.7.1.1": 3,
        "Pabc.9.7.1.1": 0,
        "nobody": 0,
        "": 0,
        "P.\u0663.1": 0,
        "P.03.1": 0,
    }
    assert {child_id: settling_shard(child_id, 4) for child_id in answers} == answers


# field of the engine's word, its value, code of the finding
WRONG = [
    ("approved_by", "ana", Code.SETTLEMENT),
    ("proposed_by", "eve", Code.SETTLEMENT),
    ("said_by", "nobody", Code.SETTLEMENT),
    ("freed_quantity", 41, Code.SETTLEMENT),
    ("fills", (fill(59),), Code.SETTLEMENT),
    ("fills", (fill(60, PRICE_E9 - 10_000_000),), Code.VENUE_FILLS),
]


@pytest.mark.parametrize(("name", "value", "code"), WRONG)
def test_the_checker_finds_what_was_not_said(name: str, value: Any, code: Code) -> None:
    desk, child = unanswered()
    settle(desk, child, fill(60))
    batches = recorded(desk.host)
    for batch in batches:
        batch.outputs = [
            (topic, msgspec.structs.replace(message, **{name: value}))
            if isinstance(message, ChildSettled) and message.stage is SettlementStage.SETTLED
            else (topic, message)
            for topic, message in batch.outputs
        ]
    assert code in {finding.code for finding in checked(batches).findings}


def test_the_checker_finds_a_fill_that_is_booked_beside_what_was_told() -> None:
    desk, child = unanswered()
    settle(desk, child, fill(60))
    batches = recorded(desk.host)
    for batch in batches:
        batch.outputs = [
            (topic, msgspec.structs.replace(message, quantity=59))
            if isinstance(message, FillBooked)
            else (topic, message)
            for topic, message in batch.outputs
        ]
    assert Code.SETTLEMENT in {finding.code for finding in checked(batches).findings}
