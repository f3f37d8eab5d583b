"""Defects of other engines that concern routing, as tests (LESSONS, D1 to D11 and user threads)."""

from schemas.messages.core import Cause, ExecType, OrderStatus, RoutingLogic
from schemas.messages.routing import (
    ChildCancelRequested,
    ChildPlaced,
    FillBooked,
    FillBusted,
    FillCorrected,
    SuspenseRecorded,
)
from streams.routing import ROUTING, exposures
from streams.routing.commands import RouteSlice
from tests.support.builders import OPEN_NS, SECOND, venue_book
from tests.support.given import given
from tests.support.routing import (
    PRICE_E9,
    acknowledged,
    booked,
    cancel_requested,
    canceled,
    market,
    opened,
    placed,
    released,
    report,
    returned,
    trade,
    wake,
    working,
)

RESTED_NS = OPEN_NS + 15 * SECOND


def test_d1_nothing_is_sent_again_before_the_cancel_is_acknowledged() -> None:
    history = (*working(), acknowledged())
    (request,) = given(ROUTING, *history).when(wake("routing:child:P.1.1", RESTED_NS)).events()
    assert isinstance(request, ChildCancelRequested)
    state = ROUTING.fold((*history, request))
    for seconds in range(16, 60):
        for timer in ("routing:child:P.1.1", "routing:slice:P.1"):
            events = ROUTING.decide(state, wake(timer, OPEN_NS + seconds * SECOND))
            assert not any(isinstance(event, ChildPlaced) for event in events)
    after = given(ROUTING, *history, request).when(report(ExecType.CANCELED)).events()
    assert [event.quantity for event in after if isinstance(event, ChildPlaced)] == [100]


def test_d2_what_a_canceled_child_did_not_fill_is_placed_again() -> None:
    history = (*working(), booked("e1", 30), cancel_requested())
    events = (
        given(ROUTING, *history).when(report(ExecType.CANCELED, cumulative_quantity=30)).events()
    )
    assert [event.quantity for event in events if isinstance(event, ChildPlaced)] == [70]


def test_d3_a_replaced_child_keeps_its_late_fills() -> None:
    history = (
        *working(),
        cancel_requested(),
        canceled(60, 40),
        placed("P.1.2", 60, venue_id="V2"),
    )
    given(ROUTING, *history).when(trade("e1", 40, 40, 0)).then(booked("e1", 40))
    state = ROUTING.fold((*history, booked("e1", 40)))
    assert exposures(state, "P") == ((1, 60),)


def test_d4_a_sweep_behind_a_resting_child_takes_only_what_no_child_holds() -> None:
    history = (
        *opened(),
        released(60),
        placed(quantity=60),
        cancel_requested(),
        released(40, slice_id="P.2", logic=RoutingLogic.SWEEP),
    )
    events = (
        given(ROUTING, *history)
        .when(RouteSlice(slice_id="P.2", at_ns=OPEN_NS, market=market()))
        .events()
    )
    assert sum(event.quantity for event in events if isinstance(event, ChildPlaced)) == 40


def test_d5_busts_and_corrections_with_a_last_quantity_are_no_fills() -> None:
    fields = {"exec_ref_id": "e1", "last_quantity": 30, "last_price_e9": PRICE_E9}
    history = (*working(), booked("e1", 30))
    bust = given(ROUTING, *history).when(report(ExecType.TRADE_CANCEL, "b1", **fields))
    correct = given(ROUTING, *history).when(report(ExecType.TRADE_CORRECT, "c1", **fields))
    assert [type(event) for event in bust.events()] == [FillBusted]
    assert [type(event) for event in correct.events()] == [FillCorrected]


def test_d5_a_fill_of_an_unknown_child_is_kept_in_suspense() -> None:
    command = trade("e1", 30, 30, 70, child_id="P.9.9")
    (event,) = given(ROUTING, *working()).when(command).events()
    assert isinstance(event, SuspenseRecorded)
    assert (event.child_id, event.quantity, event.price_e9) == ("P.9.9", 30, PRICE_E9)


def test_d6_rejects_and_expiries_free_the_exposure() -> None:
    for exec_type in (ExecType.REJECTED, ExecType.EXPIRED):
        history = working(logic=RoutingLogic.SWEEP)
        events = given(ROUTING, *history).when(report(exec_type)).events()
        assert exposures(ROUTING.fold((*history, *events)), "P") == ()


def test_d7_a_bust_takes_its_cash_back() -> None:
    history = (*working(), booked("e1", 30, fee_e9=90))
    bust = report(ExecType.TRADE_CANCEL, "b1", exec_ref_id="e1")
    (event,) = given(ROUTING, *history).when(bust).events()
    assert (event.quantity, event.cash_e9, event.fee_e9) == (30, 30 * PRICE_E9, 90)


def test_d10_a_late_fill_after_the_rest_was_placed_again_does_not_overfill() -> None:
    """The venue's last word did not count the fill, and the whole rest lives elsewhere."""
    history = (*working(), cancel_requested(), canceled(100), placed("P.1.2", 100))
    given(ROUTING, *history).when(trade("e1", 30, 30, 0, room=0)).then(
        booked("e1", 0, error_quantity=30)
    )


def test_d11_a_venue_without_a_book_does_not_stop_the_others() -> None:
    books = market(venue_book("V1", bids=(), asks=()), venue_book("V2"))
    history = (*opened(), released(logic=RoutingLogic.SWEEP))
    events = (
        given(ROUTING, *history)
        .when(RouteSlice(slice_id="P.1", at_ns=OPEN_NS, market=books))
        .events()
    )
    assert [(e.venue_id, e.quantity) for e in events if isinstance(e, ChildPlaced)] == [("V2", 100)]


def test_thread_20_the_same_fill_three_times_is_booked_once() -> None:
    state = ROUTING.fold(working())
    seen: list[object] = []
    for _ in range(3):
        events = ROUTING.decide(state, trade("e1", 30, 30, 70))
        ROUTING.fold(events, state)
        seen += events
    assert [type(event) for event in seen] == [FillBooked]


def test_thread_23_a_repeated_execution_does_not_hide_the_last_word() -> None:
    history = (*working(logic=RoutingLogic.SWEEP), booked("e1", 30))
    given(ROUTING, *history).when(trade("e1", 30, 30, 70)).then()
    given(ROUTING, *history).when(
        report(ExecType.CANCELED, "e1", cumulative_quantity=30, order_status=OrderStatus.CANCELED)
    ).then(canceled(70, is_unsolicited=True), returned(70))


def test_thread_19_a_closed_child_is_not_canceled_again() -> None:
    history = (*working(), booked("e1", 100))
    given(ROUTING, *history).when(wake("routing:child:P.1.1", RESTED_NS)).then()


def test_thread_26_no_child_outlives_its_deadline_without_a_cancel() -> None:
    history = (*working(deadline_ns=RESTED_NS), acknowledged())
    (request,) = given(ROUTING, *history).when(wake("routing:slice:P.1", RESTED_NS)).events()
    assert (type(request), request.cause) == (ChildCancelRequested, Cause.DEADLINE)
