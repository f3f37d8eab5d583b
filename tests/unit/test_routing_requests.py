"""What routing asks on its own: timers, cancels, questions, and when it stops asking."""

from schemas.messages.core import Cause, OrderStatus, RejectReason, VenueTrouble
from schemas.messages.netting import ParentClosed, ParentHeld
from schemas.messages.routing import ChildStatusRequested, ChildUnresolved, VenueSuspended
from streams.routing import ROUTING, exposures, live_children, timers_of
from streams.routing.commands import CancelChildren, ReportUndecodable
from streams.routing.requests import STATUS_TRIES_MAX
from streams.routing.state import Phase
from tests.support.builders import OPEN_NS, SECOND
from tests.support.given import given
from tests.support.routing import (
    DEADLINE_NS,
    acknowledged,
    booked,
    cancel_rejected,
    cancel_requested,
    canceled,
    opened,
    placed,
    released,
    returned,
    status_requested,
    wake,
    working,
)

HELD = ParentHeld(parent_id="P", order_ids=("O1",), cause=Cause.CLIENT)


def test_a_child_without_an_answer_is_asked_for() -> None:
    given(ROUTING, *working()).when(wake("routing:child:P.1.1", OPEN_NS + 5 * SECOND)).then(
        status_requested(retry_ns=OPEN_NS + 10 * SECOND)
    )


def test_a_child_that_never_answers_is_told_to_people_and_stays_exposed() -> None:
    state = ROUTING.fold(working())
    at_ns, seen = OPEN_NS, []
    while due_ns := state.children["P.1.1"].due_ns:
        at_ns = due_ns
        events = ROUTING.decide(state, wake("routing:child:P.1.1", at_ns))
        ROUTING.fold(events, state)
        seen += [type(event) for event in events]
    assert seen == [ChildStatusRequested] * STATUS_TRIES_MAX + [ChildUnresolved, VenueSuspended]
    assert at_ns - OPEN_NS == (5 + 5 + 10 + 20 + 40 + 60) * SECOND  # time-bounded
    assert state.venues["V1"].trouble is VenueTrouble.SILENT
    assert state.children["P.1.1"].phase is Phase.UNRESOLVED
    assert exposures(state, "P") == ((1, 100),)
    unreadable = ReportUndecodable(venue_id="", reason=RejectReason.BAD_MAGIC, at_ns=at_ns)
    assert ROUTING.decide(state, unreadable) == ()


def test_a_child_that_rested_long_enough_is_canceled_and_nothing_is_placed_before_the_ack() -> None:
    history = (*working(), acknowledged())
    given(ROUTING, *history).when(wake("routing:child:P.1.1", OPEN_NS + 15 * SECOND)).then(
        cancel_requested()
    )


def test_a_cancel_without_an_answer_leads_to_a_question() -> None:
    history = (*working(), acknowledged(), cancel_requested())
    given(ROUTING, *history).when(wake("routing:child:P.1.1", OPEN_NS + 20 * SECOND)).then(
        status_requested()
    )


def test_a_rejected_cancel_is_asked_for_again_after_a_pause() -> None:
    history = (*working(), acknowledged(), cancel_requested(), cancel_rejected())
    given(ROUTING, *history).when(wake("routing:child:P.1.1", OPEN_NS + 24 * SECOND)).then()
    given(ROUTING, *history).when(wake("routing:child:P.1.1", OPEN_NS + 25 * SECOND)).then(
        cancel_requested(request=2, retry_ns=OPEN_NS + 30 * SECOND)
    )


def test_an_answer_does_not_forget_that_a_refused_cancel_is_asked_for_again() -> None:
    history = (*working(), cancel_requested(), cancel_rejected())
    for answer in (acknowledged(), booked("e1", 10)):
        state = ROUTING.fold((*history, answer))
        assert state.children["P.1.1"].due_ns == OPEN_NS + 25 * SECOND


def test_fills_that_a_cancel_counted_and_that_do_not_come_are_asked_for() -> None:
    history = (*working(), cancel_requested(), canceled(60, 40), returned(60, is_closed=False))
    given(ROUTING, *history).when(wake("routing:child:P.1.1", OPEN_NS + 25 * SECOND)).then(
        status_requested(retry_ns=OPEN_NS + 30 * SECOND)
    )
    child = ROUTING.fold((*history, status_requested())).children["P.1.1"]
    assert (child.phase, child.exposure) == (Phase.CANCELED, 40)


def test_the_deadline_cancels_what_is_live_and_returns_what_is_not_placed() -> None:
    history = (*opened(), released(), placed(quantity=60))
    given(ROUTING, *history).when(wake("routing:slice:P.1", DEADLINE_NS)).then(
        returned(40, is_closed=False, cause=Cause.DEADLINE),
        cancel_requested(cause=Cause.DEADLINE, retry_ns=DEADLINE_NS + 5 * SECOND),
    )


def test_the_deadline_does_not_repeat_a_cancel_that_is_on_its_way() -> None:
    history = (*working(), cancel_requested())
    given(ROUTING, *history).when(wake("routing:slice:P.1", DEADLINE_NS)).then()


def test_canceling_a_parents_children_asks_each_once() -> None:
    history = (*opened(), released(), placed(quantity=60), placed("P.1.2", 30), HELD)
    command = CancelChildren(parent_id="P", cause=Cause.CLIENT, at_ns=OPEN_NS)
    retry_ns = OPEN_NS + 5 * SECOND
    given(ROUTING, *history).when(command).then(
        returned(10, is_closed=False, cause=Cause.CLIENT),
        cancel_requested(cause=Cause.CLIENT, retry_ns=retry_ns),
        cancel_requested(child_id="P.1.2", cause=Cause.CLIENT, retry_ns=retry_ns),
    )


def test_a_hold_turns_a_cancel_for_rerouting_into_one_for_good() -> None:
    history = (*working(), acknowledged(), cancel_requested(), HELD)
    command = CancelChildren(parent_id="P", cause=Cause.CLIENT, at_ns=OPEN_NS)
    given(ROUTING, *history).when(command).then()
    state = ROUTING.fold(history)
    assert state.slices["P.1"].is_ending


def test_an_unreadable_report_suspends_the_venue_and_asks_for_its_children_only() -> None:
    history = (
        *opened(),
        released(),
        placed(quantity=60),
        placed("P.1.2", 40, venue_id="V2"),
    )
    command = ReportUndecodable(venue_id="V2", reason=RejectReason.BODY_UNDECODABLE, at_ns=OPEN_NS)
    given(ROUTING, *history).when(command).then(
        VenueSuspended(
            venue_id="V2",
            reason=RejectReason.BODY_UNDECODABLE,
            until_ns=OPEN_NS + 30 * SECOND,
            trouble=VenueTrouble.UNDECODABLE,
            strikes=1,
        ),
        status_requested(
            child_id="P.1.2",
            venue_id="V2",
            cause=Cause.SUSPENDED,
            retry_ns=OPEN_NS + 5 * SECOND,
        ),
    )


def test_an_unreadable_report_of_nobody_asks_for_every_live_child_and_suspends_none() -> None:
    history = (*opened(), released(), placed(quantity=60), placed("P.1.2", 40, venue_id="V2"))
    command = ReportUndecodable(venue_id="", reason=RejectReason.BAD_MAGIC, at_ns=OPEN_NS)
    events = given(ROUTING, *history).when(command).events()
    assert [(event.child_id, event.cause) for event in events] == [
        ("P.1.1", Cause.SUSPENDED),
        ("P.1.2", Cause.SUSPENDED),
    ]


def test_a_fill_does_not_answer_for_the_report_that_nobody_could_read() -> None:
    history = (*working(), status_requested(cause=Cause.SUSPENDED), booked("e1", 10))
    assert live_children(ROUTING.fold(history))[0].phase is Phase.UNRESOLVED
    history = (*working(), status_requested(cause=Cause.TIMEOUT), booked("e1", 10))
    assert live_children(ROUTING.fold(history))[0].phase is Phase.LIVE


# Which timers stand after each event of a child that is canceled after its rest.
def test_timers_follow_from_events() -> None:
    state = ROUTING.fold(opened())
    expected = [
        (released(), {"routing:slice:P.1": DEADLINE_NS}),
        (placed(), {"routing:child:P.1.1": OPEN_NS + 5 * SECOND}),
        (acknowledged(), {"routing:child:P.1.1": OPEN_NS + 15 * SECOND}),
        (cancel_requested(), {"routing:child:P.1.1": OPEN_NS + 20 * SECOND}),
        (cancel_rejected(), {"routing:child:P.1.1": OPEN_NS + 25 * SECOND}),
        (canceled(60, 40), {"routing:child:P.1.1": OPEN_NS + 25 * SECOND}),
        (returned(60), {}),
        (booked("e1", 40), {"routing:child:P.1.1": None, "routing:slice:P.1": None}),
    ]
    for event, timers in expected:
        ROUTING.evolve(state, event)
        assert dict(timers_of(event, state)) == timers


def test_a_closed_parent_forgets_its_ledger_and_keeps_its_fills() -> None:
    closed = ParentClosed(
        parent_id="P", status=OrderStatus.FILLED, quantity=100, filled_quantity=100
    )
    state = ROUTING.fold((*working(), booked("e1", 100), closed))
    assert (state.parents, state.slices, state.children) == ({}, {}, {})
    assert list(state.fills) == ["V1/e1"]
    assert list(state.closed) == ["P.1.1"]
