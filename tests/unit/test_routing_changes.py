"""Busts and corrections, before and after the execution that they change."""

from typing import Any

import pytest

from schemas.messages.core import ExecType, RejectReason, Side
from schemas.messages.routing import (
    FillBusted,
    FillCorrected,
)
from streams.routing import ROUTING, exposures
from streams.routing.commands import ApplyReport
from tests.support.builders import OPEN_NS, TICK
from tests.support.given import given
from tests.support.routing import (
    IDS,
    PRICE_E9,
    booked,
    cancel_requested,
    canceled,
    report,
    returned,
    suspense,
    trade,
    working,
)

CHILD: dict[str, Any] = {**IDS, "child_id": "P.1.1", "venue_id": "V1"}


def test_a_bust_is_booked_once_whatever_id_it_carries() -> None:
    busted = FillBusted(
        fill_id="V1/e1",
        exec_id="e1",
        **CHILD,
        side=Side.BUY,
        bust_exec_id="b1",
        quantity=30,
        error_quantity=0,
        price_e9=PRICE_E9,
        cash_e9=30 * PRICE_E9,
        fee_e9=0,
    )
    bust = {"exec_ref_id": "e1", "last_quantity": 30, "last_price_e9": PRICE_E9}
    history = (*working(), booked("e1", 30))
    given(ROUTING, *history).when(report(ExecType.TRADE_CANCEL, "b1", **bust)).then(busted)
    given(ROUTING, *history, busted).when(report(ExecType.TRADE_CANCEL, "b2", **bust)).then()


def test_a_bust_before_its_fill_waits_for_it() -> None:
    bust = report(ExecType.TRADE_CANCEL, "b1", exec_ref_id="e1", last_quantity=30)
    waiting = suspense(
        "b1", RejectReason.UNKNOWN_ORDER, ExecType.TRADE_CANCEL, quantity=30, exec_ref_id="e1"
    )
    given(ROUTING, *working()).when(bust).then(waiting)
    given(ROUTING, *working(), waiting).when(trade("e1", 30, 30, 70)).then(
        booked("e1", 30),
        FillBusted(
            fill_id="V1/e1",
            exec_id="e1",
            **CHILD,
            side=Side.BUY,
            bust_exec_id="b1",
            quantity=30,
            error_quantity=0,
            price_e9=PRICE_E9,
            cash_e9=30 * PRICE_E9,
            fee_e9=0,
        ),
    )


# A fill of 30 of which 5 went to the error account, corrected to: paid, error account.
@pytest.mark.parametrize(
    ("quantity", "paid", "error"), [(20, 20, 0), (27, 25, 2), (30, 25, 5), (40, 25, 15)]
)
def test_a_correction_takes_from_the_error_account_first_and_never_pays_more(
    quantity: int, paid: int, error: int
) -> None:
    correct = report(
        ExecType.TRADE_CORRECT,
        "c1",
        exec_ref_id="e1",
        last_quantity=quantity,
        last_price_e9=PRICE_E9 + TICK,
        fee_e9=7,
    )
    given(ROUTING, *working(), booked("e1", 25, error_quantity=5)).when(correct).then(
        FillCorrected(
            fill_id="V1/e1",
            exec_id="e1",
            **CHILD,
            side=Side.BUY,
            correction_exec_id="c1",
            previous_quantity=25,
            quantity=paid,
            error_quantity=error,
            previous_price_e9=PRICE_E9,
            price_e9=PRICE_E9 + TICK,
            cash_e9=paid * (PRICE_E9 + TICK),
            fee_e9=7,
            transact_ns=OPEN_NS,
        )
    )


def test_of_two_corrections_the_later_one_holds_and_a_bust_may_refer_to_either() -> None:
    def correct(exec_id: str, quantity: int, at_ns: int) -> ApplyReport:
        return report(
            ExecType.TRADE_CORRECT,
            exec_id,
            exec_ref_id="e1",
            last_quantity=quantity,
            last_price_e9=PRICE_E9,
            transact_ns=at_ns,
        )

    history = (*working(), booked("e1", 30))
    late = given(ROUTING, *history).when(correct("c2", 20, OPEN_NS + 2)).events()
    overtaken = suspense(
        "c1",
        RejectReason.TOO_LATE,
        ExecType.TRADE_CORRECT,
        quantity=25,
        price_e9=PRICE_E9,
        exec_ref_id="e1",
        transact_ns=OPEN_NS + 1,
    )
    given(ROUTING, *history, *late).when(correct("c1", 25, OPEN_NS + 1)).then(overtaken)
    for reference in ("e1", "c1", "c2"):
        bust = report(ExecType.TRADE_CANCEL, "b1", exec_ref_id=reference)
        (event,) = given(ROUTING, *history, *late, overtaken).when(bust).events()
        assert (event.fill_id, event.quantity) == ("V1/e1", 20)


def test_changes_that_came_before_their_fill_are_applied_by_venue_time() -> None:
    early = [
        suspense(
            exec_id,
            RejectReason.UNKNOWN_ORDER,
            ExecType.TRADE_CORRECT,
            quantity=quantity,
            price_e9=PRICE_E9,
            exec_ref_id="e1",
            transact_ns=OPEN_NS + at_ns,
        )
        for exec_id, quantity, at_ns in [("c2", 10, 2), ("c1", 20, 1)]
    ]
    events = given(ROUTING, *working(), *early).when(trade("e1", 30, 30, 70)).events()
    assert [event.quantity for event in events] == [30, 20, 10]


def test_a_fill_that_was_busted_before_its_childs_last_word_leaves_the_others_exposed() -> None:
    """The venue counts 40 of another execution; the busted one is not among them."""
    early = suspense(
        "b1", RejectReason.UNKNOWN_ORDER, ExecType.TRADE_CANCEL, quantity=30, exec_ref_id="e1"
    )
    history = (*working(), early, cancel_requested(), canceled(60, 40), returned(60))
    events = given(ROUTING, *history).when(trade("e1", 30, 30, 70)).events()
    assert events[0] == booked("e1", 0, error_quantity=30)
    assert (events[1].quantity, events[1].error_quantity) == (0, 30)
    assert exposures(ROUTING.fold((*history, *events)), "P") == ((1, 40),)


def test_corrections_that_name_each_other_in_a_circle_count_once() -> None:
    """Found by fuzzing: the shard went round for ever, and took all memory with it."""
    circle = [
        suspense(
            exec_id,
            RejectReason.UNKNOWN_ORDER,
            ExecType.TRADE_CORRECT,
            quantity=20,
            exec_ref_id=refers_to,
            price_e9=PRICE_E9,
        )
        for exec_id, refers_to in (("e1", "e1"), ("c1", "e1"), ("c2", "c1"), ("c1", "c2"))
    ]
    events = given(ROUTING, *working(), *circle).when(trade("e1", 30, 30, 70)).events()
    corrected = [e.correction_exec_id for e in events if isinstance(e, FillCorrected)]
    assert sorted(corrected) == ["c1", "c2", "e1"]
