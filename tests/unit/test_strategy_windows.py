"""Starts, ends, closed markets, limits and members of a scheduled parent, by VWAP."""

from schemas.messages.core import Cause, Member, RoutingLogic, Tactic, Urgency
from schemas.messages.netting import MemberLeft, ParentHeld
from schemas.messages.strategy import ParentEnded, ParentRecalibrated, ScheduleSet, SliceReleased
from streams.strategy import STRATEGY, StrategyState, timers_of
from tests.support.builders import MINUTE, OPEN_NS, SECOND, TICK, instrument, quote
from tests.support.given import given
from tests.support.parents import (
    PARENT,
    begin,
    epoch_opened,
    filled,
    forecast,
    market,
    recalibrate,
    returned,
    wake,
)
from tests.support.vwap import (
    BEGUN,
    CROSS_1,
    CROSS_NS,
    CURVE,
    END_NS,
    OPENED,
    PLAN,
    WORKING,
    plan,
    position,
    released,
    vwap,
)


def test_the_last_bin_sweeps_everything_that_is_left() -> None:
    at_ns = END_NS - 20 * SECOND
    last = position(Cause.BIN, 1_000, at_ns, filled_quantity=100, bin=3)
    given(STRATEGY, *WORKING, filled(100), last).when(wake(at_ns)).then(
        position(
            Cause.BIN,
            1_000,
            at_ns + 3 * SECOND,
            filled_quantity=100,
            not_before_ns=at_ns + 3 * SECOND,
            bin=3,
            tactic=Tactic.CROSS,
        ),
        released(900, Cause.BIN, at_ns + 3 * SECOND, ordinal=2, logic=RoutingLogic.SWEEP),
    )


def test_what_a_last_sweep_leaves_is_swept_again_after_a_pause() -> None:
    at_ns = END_NS - 14 * SECOND
    pause = {"not_before_ns": at_ns, "filled_quantity": 100, "bin": 3}
    history = (*WORKING, filled(100), position(Cause.BIN, 1_000, at_ns, **pause))
    events = given(STRATEGY, *history).when(wake(at_ns)).events()
    assert (events[1].quantity, events[1].logic) == (900, RoutingLogic.SWEEP)
    early = recalibrate(Cause.RETURNED, at_ns + SECOND)
    history = (*history, *events, returned(900, slice_ordinal=2))
    (waiting,) = given(STRATEGY, *history).when(early).events()
    assert waiting.next_due_ns == at_ns + 3 * SECOND


def test_odd_shares_are_released_at_the_end_although_they_are_no_lot() -> None:
    at_ns = END_NS - 20 * SECOND
    lots = market(instrument=instrument(lot=100))
    last = position(Cause.BIN, 1_000, at_ns, filled_quantity=63, open_quantity=37, bin=3)
    history = (*WORKING, filled(63), returned(37), last)
    events = given(STRATEGY, *history).when(wake(at_ns, market=lots)).events()
    assert events[1].quantity == 937


def test_at_the_end_the_parent_ends_even_with_open_children() -> None:
    """Thread 26: an order stayed live after the end time."""
    last = position(Cause.BIN, 1_000, END_NS, open_quantity=100, bin=3)
    given(STRATEGY, *WORKING, last).when(wake(END_NS)).then(
        ParentEnded(parent_id=PARENT, cause=Cause.END_OF_WINDOW)
    )


def test_nothing_is_released_after_the_end() -> None:
    ended = ParentEnded(parent_id=PARENT, cause=Cause.END_OF_WINDOW)
    history = (*WORKING, ended, returned(100))
    given(STRATEGY, *history).when(recalibrate(Cause.RETURNED, END_NS + SECOND)).then()
    given(STRATEGY, *history).when(wake(END_NS + SECOND)).then()


def test_the_session_close_ends_a_parent_that_names_no_end() -> None:
    close = market(instrument=instrument(session_close_ns=OPEN_NS + 2 * MINUTE))
    opened = (vwap(end_ns=0), epoch_opened())
    events = given(STRATEGY, *opened).when(begin(market=close, forecast=CURVE)).events()
    assert events[0] == plan(333, 1_000)


def test_a_start_in_the_future_waits() -> None:
    start_ns = OPEN_NS + MINUTE
    later = (vwap(start_ns=start_ns), epoch_opened())
    waiting = position(Cause.OPENED, 0, start_ns, cap_quantity=0, bin=-1, tactic=Tactic.UNKNOWN)
    given(STRATEGY, *later).when(begin(forecast=CURVE, market=market(700))).then(waiting)
    events = (
        given(STRATEGY, *later, waiting)
        .when(wake(start_ns, forecast=CURVE, market=market(900)))
        .events()
    )
    # Volume before the start counts neither for the plan nor for the cap.
    assert events[0].anchor_market_quantity == 900
    assert (events[1].market_quantity, events[1].bin) == (0, 0)


def test_a_late_start_plans_the_rest_of_the_window() -> None:
    at_ns = OPEN_NS + 2 * MINUTE
    events = given(STRATEGY, *OPENED).when(begin(at_ns, forecast=CURVE)).events()
    assert events[0] == plan(428, 1_000, starts=(at_ns, at_ns + MINUTE))


def test_a_start_after_the_end_ends_at_once() -> None:
    given(STRATEGY, *OPENED).when(begin(END_NS)).then(
        ParentEnded(parent_id=PARENT, cause=Cause.END_OF_WINDOW)
    )


def test_a_closed_market_releases_nothing_and_is_looked_at_again() -> None:
    closed = market(is_open=False)
    events = given(STRATEGY, *OPENED).when(begin(market=closed, forecast=CURVE)).events()
    assert [type(event) for event in events] == [ScheduleSet, ParentRecalibrated]
    assert events[1].is_interrupted
    assert events[1].next_due_ns == OPEN_NS + 10 * SECOND


def test_a_limit_away_from_the_market_rests_instead_of_crossing() -> None:
    limit = vwap(limit_price_e9=9_990 * TICK)
    expired = (position(Cause.BIN, 100, OPEN_NS + MINUTE, open_quantity=60), returned(60))
    history = (limit, epoch_opened(), *BEGUN, filled(40), *expired)
    command = recalibrate(Cause.RETURNED, CROSS_1 + SECOND)
    events = given(STRATEGY, *history).when(command).events()
    assert (events[1].logic, events[1].limit_price_e9) == (
        RoutingLogic.SEQUENTIAL,
        9_990 * TICK,
    )
    reached = market(quote=quote(bid=9_985, ask=9_990))
    command = recalibrate(Cause.RETURNED, CROSS_1 + SECOND, market=reached)
    events = given(STRATEGY, *history).when(command).events()
    assert events[1].logic == RoutingLogic.SWEEP


def test_urgency_decides_how_long_a_slice_rests() -> None:
    rests = {}
    for urgency in (Urgency.PASSIVE, Urgency.NEUTRAL, Urgency.URGENT):
        opened = (vwap(urgency=urgency), epoch_opened())
        events = given(STRATEGY, *opened).when(begin(forecast=CURVE)).events()
        rests[urgency] = (events[2].deadline_ns - OPEN_NS) / SECOND
    assert rests == {Urgency.PASSIVE: 52.5, Urgency.NEUTRAL: 45.0, Urgency.URGENT: 30.0}


def test_a_member_that_joins_is_spread_over_what_is_left() -> None:
    at_ns = OPEN_NS + MINUTE
    joined = epoch_opened(1_500, epoch=2, parent_quantity=1_600)
    history = (*WORKING, filled(100), joined)
    joining = recalibrate(Cause.EPOCH, at_ns - 30 * SECOND)
    (seen,) = given(STRATEGY, *history).when(joining).events()
    assert seen.target_quantity == 100
    rest = forecast(2_000, 3_000, 4_000, bin_start_ns=at_ns)
    command = wake(at_ns, forecast=rest, market=market(1_000))
    # The old plan stands at 100 after 1,000 of 10,000; the other 1,500 follow 2, 3, 4.
    given(STRATEGY, *history, position(Cause.EPOCH, 100, CROSS_1)).when(command).then(
        plan(
            433,
            933,
            1_600,
            starts=PLAN.bin_starts_ns[1:],
            anchor=(100, 1_000),
            ordinal=2,
        ),
        position(
            Cause.BIN,
            433,
            at_ns + CROSS_NS,
            filled_quantity=100,
            market_quantity=1_000,
            cap_quantity=1_600,
            not_before_ns=at_ns + 3 * SECOND,
        ),
        released(333, Cause.BIN, at_ns + CROSS_NS, ordinal=2, epoch=2),
    )


def test_a_held_parent_releases_nothing_until_its_next_epoch() -> None:
    at_ns = OPEN_NS + MINUTE
    held = ParentHeld(parent_id=PARENT, order_ids=("O1",), cause=Cause.CLIENT)
    history = (*WORKING, held, filled(40), returned(60))
    rest = forecast(2_000, 3_000, 4_000, bin_start_ns=at_ns)
    command = wake(at_ns, forecast=rest, market=market(1_000))
    events = given(STRATEGY, *history).when(command).events()
    assert [type(event) for event in events] == [ParentRecalibrated]
    left = MemberLeft(parent_id=PARENT, order_id="O1", cumulative_quantity=40)
    members = (Member(order_id="O2", quantity=500),)
    reopened = epoch_opened(500, epoch=2, parent_quantity=540, members=members)
    events = given(STRATEGY, *history, left, reopened).when(command).events()
    assert [type(event) for event in events] == [ScheduleSet, ParentRecalibrated, SliceReleased]
    assert events[2].epoch == 2


def test_a_hold_outlives_an_epoch_in_which_the_order_still_is_a_member() -> None:
    held = ParentHeld(parent_id=PARENT, order_ids=("O1",), cause=Cause.CLIENT)
    joined = epoch_opened(1_500, epoch=2, parent_quantity=1_600)  # O1 is still in it
    at_ns = OPEN_NS + MINUTE
    command = wake(at_ns, forecast=CURVE, market=market(1_000))
    events = given(STRATEGY, *WORKING, filled(100), held, joined).when(command).events()
    assert SliceReleased not in [type(event) for event in events]


def test_an_unknown_child_does_not_stall_the_plan() -> None:
    """Thread 31: a TWAP stalled for ever on a child whose fate nobody knew."""
    at_ns = OPEN_NS + MINUTE
    rest = forecast(2_000, 3_000, 4_000, bin_start_ns=at_ns)
    command = wake(at_ns, forecast=rest, market=market(1_000))
    events = given(STRATEGY, *WORKING).when(command).events()
    assert (events[0].open_quantity, events[0].target_quantity) == (100, 300)
    assert events[1].quantity == 200  # the lost 100 stay counted, the rest goes on


def test_timers_follow_the_events() -> None:
    state = StrategyState()
    for event in OPENED:
        STRATEGY.evolve(state, event)
    wakes = position(Cause.BIN, 100, CROSS_1)
    STRATEGY.evolve(state, wakes)
    assert timers_of(wakes, state) == ((f"strategy:wake:{PARENT}", CROSS_1),)
    ended = ParentEnded(parent_id=PARENT, cause=Cause.END_OF_WINDOW)
    STRATEGY.evolve(state, ended)
    timers = [f"strategy:{name}:{PARENT}" for name in ("wake", "policy")]
    assert timers_of(ended, state) == tuple((timer, None) for timer in timers)
    assert timers_of(filled(1), state) == ()
