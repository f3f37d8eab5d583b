"""Reports of a venue, in any order: what each makes of a child and its exposure.

Every history is one slice of 100 in one child P.1.1 at V1 unless it says otherwise.
"""

from typing import Any

import pytest

from schemas.messages.core import Cause, ExecType, OrderStatus, RejectReason, Side, VenueTrouble
from schemas.messages.routing import (
    ChildCanceled,
    ChildPlaced,
    ChildRejected,
    FillCorrected,
    RouteDecided,
    VenueSuspended,
)
from streams.core.errors import CorruptHistoryError
from streams.routing import ROUTING, exposures, live_children
from streams.routing.state import Phase
from tests.support.builders import OPEN_NS, SECOND
from tests.support.given import given
from tests.support.routing import (
    IDS,
    PRICE_E9,
    acknowledged,
    booked,
    cancel_reject,
    cancel_rejected,
    cancel_requested,
    canceled,
    epoch_opened,
    opened,
    placed,
    released,
    report,
    returned,
    status_requested,
    suspense,
    trade,
    working,
)

CHILD: dict[str, Any] = {**IDS, "child_id": "P.1.1", "venue_id": "V1"}


def test_an_acknowledgment_makes_a_child_live() -> None:
    given(ROUTING, *working()).when(
        report(ExecType.NEW, order_status=OrderStatus.NEW, leaves_quantity=100)
    ).then(acknowledged())
    assert live_children(ROUTING.fold((*working(), acknowledged())))[0].phase is Phase.LIVE


def test_a_fill_before_the_acknowledgment_is_booked_and_the_acknowledgment_still_counts() -> None:
    given(ROUTING, *working()).when(trade("e1", 30, 30, 70)).then(booked("e1", 30))
    given(ROUTING, *working(), booked("e1", 30)).when(report(ExecType.NEW)).then(acknowledged())


def test_a_repeated_execution_is_booked_once() -> None:
    given(ROUTING, *working(), booked("e1", 30)).when(trade("e1", 30, 30, 70)).then()


def test_an_execution_id_of_another_child_is_suspense() -> None:
    history = (*opened(), released(), placed(quantity=60), placed("P.1.2", 40), booked("e1", 30))
    given(ROUTING, *history).when(trade("e1", 30, 30, 10, child_id="P.1.2")).then(
        suspense(
            "e1",
            RejectReason.REPORT_CONTRADICTS,
            ExecType.TRADE,
            child_id="P.1.2",
            quantity=30,
            price_e9=PRICE_E9,
        )
    )


def test_a_cancel_that_counts_an_unreported_fill_leaves_it_exposed() -> None:
    history = (*working(), acknowledged(), cancel_requested(cause=Cause.HELD))
    given(ROUTING, *history).when(report(ExecType.CANCELED, cumulative_quantity=40)).then(
        canceled(60, 40, retry_ns=OPEN_NS + 6 * SECOND),
        returned(60, is_closed=False, cause=Cause.HELD),
    )
    after = (*history, canceled(60, 40), returned(60, is_closed=False))
    assert exposures(ROUTING.fold(after), "P") == ((1, 40),)
    given(ROUTING, *after).when(trade("e1", 40, 40, 0)).then(booked("e1", 40))
    assert exposures(ROUTING.fold((*after, booked("e1", 40))), "P") == ()


def test_a_repeated_cancel_after_the_fill_that_it_counted_frees_nothing() -> None:
    history = (*working(), cancel_requested(), canceled(60, 40), returned(60), booked("e1", 10))
    given(ROUTING, *history).when(report(ExecType.CANCELED, cumulative_quantity=40)).then()


def test_a_fill_beyond_the_last_word_is_paid_only_out_of_room() -> None:
    history = (*working(), cancel_requested(), canceled(100), returned(100))
    given(ROUTING, *history).when(trade("e1", 30, 30, 0, room=100)).then(
        booked("e1", 30, late_quantity=30)
    )
    given(ROUTING, *history).when(trade("e1", 30, 30, 0, room=10)).then(
        booked("e1", 10, error_quantity=20, late_quantity=10)
    )


def test_a_fill_beyond_the_last_word_in_an_older_epoch_is_the_error_accounts() -> None:
    history = (*working(), cancel_requested(), canceled(100), returned(100), epoch_opened(2, 100))
    given(ROUTING, *history).when(trade("e1", 30, 30, 0, room=100, current_epoch=2)).then(
        booked("e1", 0, error_quantity=30)
    )


def test_an_overfill_of_the_venue_is_the_error_accounts_even_with_room() -> None:
    history = (*opened(150), released(100), placed())
    given(ROUTING, *history).when(trade("e1", 120, 120, 0, room=50)).then(
        booked("e1", 100, error_quantity=20)
    )


def test_a_cancel_nobody_asked_for_reroutes_the_rest() -> None:
    history = (*working(), acknowledged(), booked("e1", 30))
    events = (
        given(ROUTING, *history).when(report(ExecType.CANCELED, cumulative_quantity=30)).events()
    )
    assert events[0] == canceled(70, is_unsolicited=True)
    assert isinstance(events[1], RouteDecided)
    assert isinstance(events[2], ChildPlaced)
    assert (events[2].venue_id, events[2].quantity) == ("V2", 70)


def test_an_expiry_is_told_apart_from_a_cancel() -> None:
    history = (*working(deadline_ns=OPEN_NS + SECOND), acknowledged())
    given(ROUTING, *history).when(report(ExecType.EXPIRED)).then(
        canceled(100, status=OrderStatus.EXPIRED, is_unsolicited=True),
        returned(100, cause=Cause.DEADLINE),
    )


def test_a_reject_frees_everything_even_after_an_acknowledgment() -> None:
    history = (*working(deadline_ns=OPEN_NS), acknowledged())
    given(ROUTING, *history).when(report(ExecType.REJECTED, text="fat finger")).then(
        ChildRejected(**CHILD, quantity=100, text="fat finger"),
        returned(100, cause=Cause.DEADLINE),
    )


def test_a_reject_that_counts_fills_keeps_them_exposed() -> None:
    history = (*working(deadline_ns=OPEN_NS), acknowledged())
    given(ROUTING, *history).when(report(ExecType.REJECTED, cumulative_quantity=40)).then(
        canceled(60, 40, is_unsolicited=True, retry_ns=OPEN_NS + 6 * SECOND),
        returned(60, is_closed=False, cause=Cause.DEADLINE),
    )


def test_three_rejects_in_a_row_suspend_the_venue_and_the_rest_goes_elsewhere() -> None:
    rejected = ChildRejected(**CHILD, quantity=100, text="")
    second = {**CHILD, "child_id": "P.1.2"}
    history = (
        *working(),
        rejected,
        placed("P.1.2"),
        ChildRejected(**second, quantity=100, text=""),
        placed("P.1.3"),
    )
    events = given(ROUTING, *history).when(report(ExecType.REJECTED, child_id="P.1.3")).events()
    assert events[1] == VenueSuspended(
        venue_id="V1",
        reason=RejectReason.VENUE_REJECTS,
        until_ns=OPEN_NS + 31 * SECOND,
        trouble=VenueTrouble.REJECTS,
        value_e9=3_000_000_000,
        bound_e9=3_000_000_000,
        strikes=1,
    )
    decided = events[2]
    assert [(a.venue_id, a.reason) for a in decided.alternatives if a.venue_id == "V1"] == [
        ("V1", "suspended")
    ]
    assert events[3].venue_id == "V2"


def test_a_report_of_an_unknown_child_is_suspense_once() -> None:
    given(ROUTING, *opened()).when(trade("e1", 30, 30, 70)).then(
        suspense("e1", RejectReason.UNKNOWN_CHILD, ExecType.TRADE, quantity=30, price_e9=PRICE_E9)
    )


@pytest.mark.parametrize(
    "changes", [{"side": Side.SELL}, {"instrument_id": "OTHER"}], ids=["side", "instrument"]
)
def test_a_report_that_contradicts_its_child_is_suspense_and_the_child_stays_exposed(
    changes: dict[str, Any],
) -> None:
    given(ROUTING, *working()).when(trade("e1", 30, 30, 70, **changes)).then(
        suspense(
            "e1", RejectReason.REPORT_CONTRADICTS, ExecType.TRADE, quantity=30, price_e9=PRICE_E9
        )
    )


def test_an_execution_without_a_price_is_suspense() -> None:
    given(ROUTING, *working()).when(trade("e1", 30, 30, 70, last_price_e9=None)).then(
        suspense("e1", RejectReason.REPORT_CONTRADICTS, ExecType.TRADE, quantity=30)
    )


@pytest.mark.parametrize("fee_e9", [10**32 + 1, -(10**32) - 1])
def test_an_execution_with_a_fee_that_nobody_could_pay_is_suspense(fee_e9: int) -> None:
    given(ROUTING, *working()).when(trade("e1", 30, 30, 70, fee_e9=fee_e9)).then(
        suspense(
            "e1",
            RejectReason.VALUE_OUT_OF_RANGE,
            ExecType.TRADE,
            quantity=30,
            price_e9=PRICE_E9,
            fee_e9=fee_e9,
        )
    )


def test_what_an_older_epoch_gives_back_is_no_room_of_the_current_one() -> None:
    older = (*working(), cancel_requested(), epoch_opened(2, 10), canceled(100), returned(100))
    state = ROUTING.fold(older)
    with pytest.raises(CorruptHistoryError):
        ROUTING.evolve(state, released(11, slice_id="P.2", epoch=2))
    ROUTING.evolve(state, released(10, slice_id="P.2", epoch=2))


def test_a_rejected_cancel_leaves_the_child_as_live_as_before() -> None:
    history = (*working(), acknowledged(), cancel_requested())
    given(ROUTING, *history).when(cancel_reject()).then(cancel_rejected())
    child = live_children(ROUTING.fold((*history, cancel_rejected())))[0]
    assert (child.phase, child.exposure) == (Phase.LIVE, 100)


def test_a_second_rejected_cancel_asks_what_became_of_the_child() -> None:
    history = (*working(), acknowledged(), cancel_requested(), cancel_requested(request=2))
    given(ROUTING, *history).when(cancel_reject(1)).then()
    given(ROUTING, *history).when(cancel_reject(2)).then(
        cancel_rejected(request=2, retry_ns=OPEN_NS + 30 * SECOND),
        status_requested(cause=Cause.VENUE),
    )


def test_a_rejected_cancel_of_a_closed_child_says_nothing() -> None:
    history = (*working(), cancel_requested(), canceled(100), returned(100))
    given(ROUTING, *history).when(cancel_reject()).then()


# What the answer to a question makes of a child of which 30 are booked.
@pytest.mark.parametrize(
    ("status", "cumulative", "canceled_quantity", "outstanding"),
    [
        (OrderStatus.CANCELED, 30, 70, 0),
        (OrderStatus.CANCELED, 50, 50, 20),
        (OrderStatus.EXPIRED, 30, 70, 0),
        (OrderStatus.FILLED, 100, 0, 70),
    ],
)
def test_the_answer_to_a_question_closes_a_child(
    status: OrderStatus, cumulative: int, canceled_quantity: int, outstanding: int
) -> None:
    history = (
        *working(deadline_ns=OPEN_NS),
        acknowledged(),
        booked("e1", 30),
        status_requested(),
    )
    events = (
        given(ROUTING, *history)
        .when(report(ExecType.ORDER_STATUS, order_status=status, cumulative_quantity=cumulative))
        .events()
    )
    assert isinstance(events[0], ChildCanceled)
    assert events[0].status is status
    assert events[0].canceled_quantity == canceled_quantity
    assert events[0].outstanding_quantity == outstanding


def test_the_answer_that_it_is_live_repeats_a_cancel_that_is_still_wanted() -> None:
    history = (*working(), acknowledged(), cancel_requested(), status_requested())
    answer = report(ExecType.ORDER_STATUS, order_status=OrderStatus.NEW, leaves_quantity=100)
    given(ROUTING, *history).when(answer).then(
        acknowledged(), cancel_requested(request=2, retry_ns=OPEN_NS + 6 * SECOND)
    )


def test_the_last_partial_fill_closes_a_child_that_a_correction_left_short() -> None:
    history = (
        *working(deadline_ns=OPEN_NS),
        booked("e1", 30),
        FillCorrected(
            fill_id="V1/e1",
            exec_id="e1",
            **CHILD,
            side=Side.BUY,
            correction_exec_id="c1",
            previous_quantity=30,
            quantity=30,
            error_quantity=10,
            previous_price_e9=PRICE_E9,
            price_e9=PRICE_E9,
            cash_e9=30 * PRICE_E9,
            fee_e9=0,
            transact_ns=OPEN_NS,
        ),
    )
    given(ROUTING, *history).when(trade("e2", 60, 100, 0)).then(
        booked("e2", 60),
        canceled(10, status=OrderStatus.FILLED, is_unsolicited=True),
        returned(10, cause=Cause.DEADLINE),
    )


# Events that cannot follow the history stop the shard.
@pytest.mark.parametrize(
    "impossible",
    [
        released(1),
        placed("P.1.2", 1),
        canceled(99),
        returned(1),
        booked("e1", 101),
        booked("e1", 1, late_quantity=1),
        ChildRejected(**CHILD, quantity=99, text=""),
        epoch_opened(1, 1),
    ],
    ids=lambda event: type(event).__name__,
)
def test_an_impossible_event_is_corrupt_history(impossible: object) -> None:
    state = ROUTING.fold(working())
    with pytest.raises(CorruptHistoryError):
        ROUTING.evolve(state, impossible)


@pytest.mark.parametrize(
    "kind",
    [
        ExecType.PENDING_NEW,
        ExecType.PENDING_CANCEL,
        ExecType.PENDING_REPLACE,
    ],
)
def test_a_venue_that_is_still_at_it_changes_nothing(kind: ExecType) -> None:
    for history in (working(), (*working(), acknowledged())):
        given(ROUTING, *history).when(report(kind, leaves_quantity=100)).then()


def test_done_for_the_day_ends_a_child_like_an_expiry() -> None:
    history = (*working(), acknowledged())
    said: dict[str, Any] = {"order_status": OrderStatus.DONE_FOR_DAY, "cumulative_quantity": 40}
    events = given(ROUTING, *history).when(report(ExecType.DONE_FOR_DAY, **said)).events()
    (ended,) = [event for event in events if isinstance(event, ChildCanceled)]
    assert (ended.status, ended.canceled_quantity) == (OrderStatus.EXPIRED, 60)
    assert ended.outstanding_quantity == 40  # its fills are still on the way


def test_a_status_of_done_for_the_day_ends_it_too() -> None:
    history = (*working(), acknowledged())
    said: dict[str, Any] = {"order_status": OrderStatus.DONE_FOR_DAY, "cumulative_quantity": 0}
    events = given(ROUTING, *history).when(report(ExecType.RESTATED, **said)).events()
    assert isinstance(events[0], ChildCanceled)
