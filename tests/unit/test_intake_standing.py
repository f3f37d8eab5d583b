"""Orders that outlive a session: done for the day, resumed, expired."""

from typing import Any

import pytest

from schemas.messages.core import Cause, CommandKind, OrderStatus, OrderType, RejectReason
from schemas.messages.core import TimeInForce as T
from schemas.messages.intake import (
    OrderAccepted,
    OrderCanceled,
    OrderCancelRejected,
    OrderClosed,
    OrderDoneForDay,
    OrderPendingCancel,
    OrderReplaced,
    OrderRestated,
    OrderResumed,
)
from schemas.messages.netting import ParentClosed
from streams.intake import INTAKE, timers_of
from streams.intake.commands import (
    CancelUnasked,
    CloseOrder,
    ExpireOrder,
    FinishCancel,
    RestateOrder,
    ResumeOrder,
)
from streams.intake.state import NO_DIGEST
from tests.support.builders import (
    CLOSE_NS,
    MINUTE,
    OPEN_NS,
    SECOND,
    TICK,
    TRADE_DATE,
    instrument,
    order_accepted,
)
from tests.support.given import Given, given
from tests.support.intake_commands import NOW_NS, cancel, named, replace, submit
from tests.support.intake_history import (
    LEFT,
    O1,
    P1,
    R,
    busted,
    filled,
    pending_cancel,
    pending_replace,
    working,
)

DAY_NS = 24 * 60 * MINUTE
NEXT_OPEN_NS, NEXT_CLOSE_NS = OPEN_NS + DAY_NS, CLOSE_NS + DAY_NS
TODAY = instrument(lot=5, next_open_ns=NEXT_OPEN_NS)
TOMORROW = instrument(
    lot=5,
    session_open_ns=NEXT_OPEN_NS,
    session_close_ns=NEXT_CLOSE_NS,
    trade_date=TRADE_DATE + 1,
    next_open_ns=NEXT_OPEN_NS + DAY_NS,
)
CLOSED_PARENT = ParentClosed(
    parent_id=P1, status=OrderStatus.EXPIRED, quantity=100, filled_quantity=0
)
GTC = order_accepted(O1, client_order_id="c1", time_in_force=T.GTC)
GTD = order_accepted(O1, client_order_id="c1", time_in_force=T.GTD, expire_ns=NEXT_OPEN_NS + MINUTE)


def member(terms: OrderAccepted, *more: Any) -> Given:
    """The order is a member of a parent."""
    history = working().history
    return given(INTAKE, terms, *history[1:], *more, prepare=named)


def asleep(terms: OrderAccepted = GTC, *more: Any, resume_ns: int = NEXT_OPEN_NS) -> Given:
    """The order is done for the day with 40 of 100 filled."""
    return member(terms, filled(40), CLOSED_PARENT, done(40, resume_ns), *more)


def done(filled_quantity: int, resume_ns: int, at_ns: int = CLOSE_NS) -> OrderDoneForDay:
    return OrderDoneForDay(
        order_id=O1,
        trade_date=TRADE_DATE,
        cumulative_quantity=filled_quantity,
        leaves_quantity=100 - filled_quantity,
        resume_ns=resume_ns,
        done_ns=at_ns,
    )


def close(at_ns: int = CLOSE_NS, **changes: Any) -> CloseOrder:
    return CloseOrder(
        **{
            "order_id": O1,
            "cause": Cause.END_OF_WINDOW,
            "at_ns": at_ns,
            "instrument": TODAY,
            **changes,
        }
    )


def wake(terms: Any = TOMORROW, at_ns: int = NEXT_OPEN_NS) -> ResumeOrder:
    return ResumeOrder(order_id=O1, instrument=terms, at_ns=at_ns)


@pytest.mark.parametrize("terms", [GTC, GTD])
def test_an_order_with_life_left_is_done_for_the_day_at_the_end_of_the_session(terms: Any) -> None:
    member(terms, filled(40), CLOSED_PARENT).when(close()).then(done(40, NEXT_OPEN_NS))


def test_without_a_known_next_session_it_waits_for_a_definition() -> None:
    terms = instrument(lot=5)
    case = member(GTC, CLOSED_PARENT).when(close(instrument=terms))
    case.then(done(0, 0))
    asleep(resume_ns=0).when(wake(terms, CLOSE_NS)).then()
    asleep(resume_ns=0).when(wake(TODAY, CLOSE_NS)).then(done(40, NEXT_OPEN_NS))
    asleep(resume_ns=0).when(wake(TOMORROW, CLOSE_NS + 1)).then(
        done(40, NEXT_OPEN_NS, CLOSE_NS + 1)
    )


def test_a_full_order_a_sweep_and_one_whose_life_is_over_end() -> None:
    member(GTC, filled(100), CLOSED_PARENT).when(close()).then(end(OrderStatus.FILLED, 100))
    over = order_accepted(O1, client_order_id="c1", time_in_force=T.GTD, expire_ns=CLOSE_NS)
    member(over, CLOSED_PARENT).when(close()).then(end(OrderStatus.EXPIRED, 0))
    swept = order_accepted(O1, client_order_id="c1", time_in_force=T.AT_OPEN)
    member(swept, CLOSED_PARENT).when(close(cause=Cause.COMPLETED)).then(
        end(OrderStatus.CANCELED, 0, Cause.COMPLETED)
    )


def end(
    status: OrderStatus, filled_quantity: int, cause: Cause = Cause.END_OF_WINDOW
) -> OrderClosed:
    return OrderClosed(
        order_id=O1,
        status=status,
        cumulative_quantity=filled_quantity,
        leaves_quantity=100 - filled_quantity,
        cause=cause,
    )


def test_it_resumes_at_the_next_open_with_its_new_end() -> None:
    (event,) = asleep().when(wake()).events()
    assert isinstance(event, OrderResumed)
    assert (event.trade_date, event.cumulative_quantity) == (TRADE_DATE + 1, 40)
    assert (event.start_ns, event.end_ns) == (NEXT_OPEN_NS, NEXT_CLOSE_NS)
    asleep().when(wake()).then(event)


def test_it_never_resumes_in_the_session_that_is_over_for_it() -> None:
    early = order_accepted(O1, client_order_id="c1", time_in_force=T.GTC, end_ns=NOW_NS + SECOND)
    asleep(early).when(wake(TODAY, NOW_NS + 2 * SECOND)).then()


def test_a_late_engine_resumes_it_within_the_session() -> None:
    (event,) = asleep().when(wake(at_ns=NEXT_OPEN_NS + MINUTE)).events()
    assert (event.start_ns, event.end_ns) == (NEXT_OPEN_NS + MINUTE, NEXT_CLOSE_NS)


def test_a_session_that_went_by_unseen_is_skipped() -> None:
    (event,) = asleep().when(wake(at_ns=NEXT_CLOSE_NS)).events()
    assert isinstance(event, OrderDoneForDay)
    assert event.resume_ns == NEXT_OPEN_NS + DAY_NS


def test_a_gtd_order_ends_with_its_life_in_the_resumed_session() -> None:
    (event,) = asleep(GTD).when(wake()).events()
    assert event.end_ns == NEXT_OPEN_NS + MINUTE


@pytest.mark.parametrize("at_ns", [NEXT_OPEN_NS + MINUTE, NEXT_OPEN_NS + 2 * MINUTE])
def test_a_gtd_order_expires_while_it_sleeps(at_ns: int) -> None:
    command = ExpireOrder(order_id=O1, at_ns=at_ns)
    asleep(GTD).when(command).then(end(OrderStatus.EXPIRED, 40, Cause.EXPIRED))
    asleep(GTD).when(wake(at_ns=at_ns)).then()


def test_a_gtd_order_expires_at_once_in_a_window_and_with_its_parent_in_one() -> None:
    command = ExpireOrder(order_id=O1, at_ns=NEXT_OPEN_NS + MINUTE)
    given(INTAKE, GTD, prepare=named).when(command).then(end(OrderStatus.EXPIRED, 0, Cause.EXPIRED))
    member(GTD).when(command).then()


def test_a_member_that_would_work_longer_leaves_its_parent_first() -> None:
    terms = order_accepted(
        O1, client_order_id="c1", time_in_force=T.GTD, expire_ns=NOW_NS, end_ns=CLOSE_NS
    )
    history = member(terms, filled(40))
    (pending,) = history.when(ExpireOrder(order_id=O1, at_ns=NOW_NS)).events()
    assert isinstance(pending, OrderPendingCancel)
    assert (pending.cause, pending.client_order_id) == (Cause.EXPIRED, "c1")
    member(terms, filled(40), pending, LEFT).when(FinishCancel(order_id=O1, at_ns=NOW_NS)).then(
        end(OrderStatus.EXPIRED, 40, Cause.EXPIRED)
    )


def test_a_cancel_finds_it_under_the_old_and_the_new_trade_date() -> None:
    for trade_date in (TRADE_DATE, TRADE_DATE + 1):
        command = cancel(trade_date=trade_date)
        (event,) = asleep().when(command).events()
        assert isinstance(event, OrderCanceled)
        assert event.canceled_quantity == 60
        asleep().when(command).then(event)  # a repeat is answered as such, under its own date


def test_its_id_stays_taken_until_it_ends() -> None:
    command = submit("c1", trade_date=TRADE_DATE + 1, around={"instrument": TOMORROW})
    around = {"instrument": TOMORROW, "at_ns": NEXT_OPEN_NS + SECOND}
    command = submit("c1", trade_date=TRADE_DATE + 1, around=around)
    (answer,) = asleep().when(command).events()
    assert answer.reason is R.DUPLICATE_ORDER
    (gone,) = asleep().when(cancel()).events()
    (answer,) = asleep(GTC, gone).when(command).events()
    assert isinstance(answer, OrderAccepted)


def test_a_replace_while_it_sleeps_needs_no_session_and_keeps_it_asleep() -> None:
    around = {"at_ns": CLOSE_NS + MINUTE, "instrument": TOMORROW}
    command = replace(quantity=200, limit_price_e9=TICK, around=around)
    (event,) = asleep().when(command).events()
    assert isinstance(event, OrderReplaced)
    (resumed,) = asleep(GTC, event).when(wake()).events()
    assert isinstance(resumed, OrderResumed)
    (plain,) = asleep().when(wake()).events()
    assert resumed.group_id != plain.group_id
    assert event.order_type is OrderType.LIMIT


def test_a_replace_to_what_is_filled_ends_it() -> None:
    command = replace(quantity=40)
    _, ended = asleep().when(command).events()
    assert isinstance(ended, OrderClosed)
    assert (ended.status, ended.cause, ended.leaves_quantity) == ("FILLED", Cause.CLIENT, 0)


def test_its_end_is_the_next_sessions_and_can_not_be_replaced() -> None:
    command = replace(quantity=200, end_ns=NEXT_CLOSE_NS, around={"instrument": TOMORROW})
    (answer,) = asleep().when(command).events()
    assert (answer.reason, answer.field) == (RejectReason.REPLACE_NOT_ALLOWED, "end_ns")


def test_a_pending_replace_takes_effect_when_the_day_is_over() -> None:
    command = replace(quantity=60)
    slept, event = (
        member(GTC, filled(40), pending_replace(command), CLOSED_PARENT).when(close()).events()
    )
    assert isinstance(slept, OrderDoneForDay) and isinstance(event, OrderReplaced)
    assert (event.quantity, event.client_order_id) == (60, "c2")


def test_a_pending_cancel_wins_over_the_end_of_the_day() -> None:
    (event,) = member(GTC, pending_cancel(cancel()), CLOSED_PARENT).when(close()).events()
    assert isinstance(event, OrderCanceled)


def test_a_bust_while_it_sleeps_gives_back_what_it_will_work() -> None:
    history = asleep(GTC, busted(30, 10))
    history.when(RestateOrder(order_id=O1, cause=Cause.BUST)).then(
        OrderRestated(
            order_id=O1,
            status=OrderStatus.DONE_FOR_DAY,
            cumulative_quantity=10,
            previous_cumulative_quantity=40,
            cause=Cause.BUST,
        )
    )
    (event,) = history.when(wake()).events()
    assert event.cumulative_quantity == 10


def test_the_house_cancels_it_while_it_sleeps() -> None:
    command = CancelUnasked(order_id=O1, cause=Cause.KILL, at_ns=CLOSE_NS + 1)
    (event,) = asleep().when(command).events()
    assert isinstance(event, OrderCanceled)
    assert (event.client_order_id, event.command_digest) == ("c1", NO_DIGEST)
    assert event.cause is Cause.KILL


def test_a_cancel_that_nobody_asked_for_bears_the_orders_own_id() -> None:
    command = CancelUnasked(order_id=O1, cause=Cause.DESK, at_ns=NOW_NS)
    (pending,) = member(GTC).when(command).events()
    assert (pending.client_order_id, pending.source, pending.cause) == ("c1", "OMS", Cause.DESK)
    member(GTC).when(command).then(pending)
    history = member(GTC, pending, LEFT)
    (event,) = history.when(FinishCancel(order_id=O1, at_ns=NOW_NS)).events()
    assert (event.client_order_id, event.cause) == ("c1", Cause.DESK)


def test_a_replace_that_was_pending_is_refused_when_the_house_cancels() -> None:
    asked = pending_replace(replace(quantity=50))
    command = CancelUnasked(order_id=O1, cause=Cause.KILL, at_ns=NOW_NS)
    refused, pending = working(asked).when(command).events()
    assert isinstance(refused, OrderCancelRejected)
    assert (refused.reason, refused.response_to) == (R.TOO_LATE, CommandKind.REPLACE)
    assert isinstance(pending, OrderPendingCancel)
    working(asked).when(command).then(refused, pending)
    # A client's cancel meanwhile is told that it ends already.
    (answer,) = working(asked, refused, pending).when(cancel("c4")).events()
    assert answer.reason is R.ALREADY_PENDING


def test_an_order_that_fills_meanwhile_is_filled_and_nobody_is_refused() -> None:
    command = CancelUnasked(order_id=O1, cause=Cause.KILL, at_ns=NOW_NS)
    (pending,) = working().when(command).events()
    history = working(pending, filled(100))
    history.when(CloseOrder(order_id=O1, cause=Cause.FILL, at_ns=NOW_NS)).then(
        end(OrderStatus.FILLED, 100, Cause.FILL)
    )


def test_timers_follow_the_day_and_the_life() -> None:
    state = asleep().state()
    assert timers_of(GTC, state) == ()
    assert timers_of(GTD, state) == ((f"intake:expire:{O1}", NEXT_OPEN_NS + MINUTE),)
    assert timers_of(done(40, NEXT_OPEN_NS), state) == ((f"intake:resume:{O1}", NEXT_OPEN_NS),)
    assert timers_of(done(40, 0), state) == ((f"intake:resume:{O1}", None),)
