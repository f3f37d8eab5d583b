"""Immediate in given, when, then: sweep at once, sweep again, rest at a limit, IOC."""

from typing import Any

import pytest

from schemas.messages.core import (
    Cause,
    OrderStatus,
    RoutingLogic,
    Side,
    StrategyKind,
    TimeInForce,
)
from schemas.messages.netting import EpochClosed, ParentClosed
from schemas.messages.strategy import ParentEnded, ParentRecalibrated, ScheduleSet, SliceReleased
from streams.core.errors import CorruptHistoryError
from streams.strategy import STRATEGY, StrategyState, is_ended, room
from tests.support.builders import MINUTE, OPEN_NS, SECOND, TICK, quote
from tests.support.given import given
from tests.support.parents import (
    PARENT,
    begin,
    busted,
    epoch_opened,
    filled,
    forecast,
    market,
    parent_opened,
    recalibrate,
    returned,
    wake,
)

SHAPE = [ScheduleSet, ParentRecalibrated, SliceReleased]


def immediate(**changes: Any) -> Any:
    return parent_opened(StrategyKind.IMMEDIATE, **changes)


def begun(*opened: Any, **changes: Any) -> tuple[Any, ...]:
    history = opened or (immediate(), epoch_opened())
    return (*history, *given(STRATEGY, *history).when(begin(**changes)).events())


def state_after(*history: Any) -> StrategyState:
    return STRATEGY.fold(history)


def test_all_room_is_swept_at_once() -> None:
    plan, seen, slice_ = begun()[2:]
    assert (plan.targets, seen.target_quantity) == ((1_000,), 1_000)
    assert (slice_.quantity, slice_.logic) == (1_000, RoutingLogic.SWEEP)
    assert slice_.deadline_ns == OPEN_NS + SECOND
    assert seen.next_due_ns == OPEN_NS + 10 * MINUTE


def test_what_comes_back_is_swept_again_after_a_second() -> None:
    history = (*begun(), filled(300), returned(700))
    early = recalibrate(Cause.RETURNED, OPEN_NS + SECOND // 2)
    (waiting,) = given(STRATEGY, *history).when(early).events()
    assert waiting.next_due_ns == OPEN_NS + SECOND
    events = given(STRATEGY, *history, waiting).when(wake(OPEN_NS + SECOND)).events()
    assert (events[1].slice_id, events[1].quantity) == (f"{PARENT}.2", 700)


def test_a_member_that_joins_is_swept_at_once() -> None:
    joined = epoch_opened(400, epoch=2, parent_quantity=1_400)
    history = (*begun(), joined)
    events = given(STRATEGY, *history).when(recalibrate(Cause.EPOCH, OPEN_NS + 1)).events()
    assert (events[1].quantity, events[1].epoch) == (400, 2)


def test_a_limit_away_from_the_market_rests_and_then_sweeps() -> None:
    opened = (immediate(limit_price_e9=9_990 * TICK), epoch_opened())
    history = begun(*opened)
    assert history[-1].logic == RoutingLogic.SEQUENTIAL
    assert history[-1].deadline_ns == OPEN_NS + 10 * SECOND
    at_ns = OPEN_NS + 10 * SECOND
    reached = market(quote=quote(bid=9_985, ask=9_990))
    command = recalibrate(Cause.RETURNED, at_ns, market=reached)
    events = given(STRATEGY, *history, returned(1_000)).when(command).events()
    assert events[1].logic == RoutingLogic.SWEEP


def test_a_seller_reaches_a_bid_at_its_limit() -> None:
    terms = {"side": Side.SELL, "limit_price_e9": 10_000 * TICK}
    opened = (immediate(**terms), epoch_opened())
    away = begun(*opened, market=market(quote=quote(bid=9_999)))
    assert away[-1].logic == RoutingLogic.SEQUENTIAL
    at_it = begun(*opened, market=market(quote=quote(bid=10_000)))
    assert at_it[-1].logic == RoutingLogic.SWEEP


def test_a_closed_market_is_looked_at_again() -> None:
    history = begun(market=market(is_open=False))
    assert [type(event) for event in history[2:]] == SHAPE[:2]
    events = given(STRATEGY, *history).when(wake(history[-1].next_due_ns)).events()
    assert events[1].quantity == 1_000


def test_a_cap_holds_for_a_sweep_too() -> None:
    opened = (immediate(participation_cap_bps=2_000), epoch_opened())
    assert [type(event) for event in begun(*opened)[2:]] == SHAPE[:2]
    history = begun(*opened, forecast=forecast(800))
    assert history[-1].quantity == 200  # a quarter of what others are expected to trade


def test_the_window_ends_an_unfilled_sweep() -> None:
    end_ns = OPEN_NS + 10 * MINUTE
    given(STRATEGY, *begun()).when(wake(end_ns)).then(
        ParentEnded(parent_id=PARENT, cause=Cause.END_OF_WINDOW)
    )


def test_ioc_ends_when_its_first_sweep_is_back() -> None:
    history = begun(immediate(time_in_force=TimeInForce.IOC), epoch_opened())
    part = (*history, filled(300))
    (seen,) = given(STRATEGY, *part).when(recalibrate(Cause.FILL, OPEN_NS + 1)).events()
    assert isinstance(seen, ParentRecalibrated)
    back = (*part, seen, returned(700))
    given(STRATEGY, *back).when(recalibrate(Cause.RETURNED, OPEN_NS + 2)).then(
        ParentEnded(parent_id=PARENT, cause=Cause.COMPLETED)
    )


def test_ioc_that_fills_is_left_to_netting_to_close() -> None:
    history = (*begun(immediate(time_in_force=TimeInForce.IOC), epoch_opened()), filled(1_000))
    (seen,) = given(STRATEGY, *history).when(recalibrate(Cause.FILL, OPEN_NS + 1)).events()
    assert seen.filled_quantity == 1_000


def test_ioc_in_a_closed_market_ends_at_once() -> None:
    opened = (immediate(time_in_force=TimeInForce.IOC), epoch_opened())
    events = given(STRATEGY, *opened).when(begin(market=market(is_open=False))).events()
    assert events[-1] == ParentEnded(parent_id=PARENT, cause=Cause.COMPLETED)


def test_ioc_sweeps_even_away_from_its_limit() -> None:
    terms = {"time_in_force": TimeInForce.IOC, "limit_price_e9": 9_000 * TICK}
    assert begun(immediate(**terms), epoch_opened())[-1].logic == RoutingLogic.SWEEP


# event after a release of 1,000 in epoch 1 -> room, filled, open
@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ((), (0, 0, 1_000)),
        ((filled(300),), (0, 300, 700)),
        ((filled(300), returned(700)), (700, 300, 0)),
        ((returned(400, is_closed=False),), (400, 0, 600)),
        # A late fill was not exposed any more: it takes room instead.
        ((returned(1_000), filled(50, late_quantity=50)), (950, 50, 0)),
        ((filled(1_000), busted(1_000)), (1_000, 0, 0)),
        ((filled(300), busted(300), filled(700)), (300, 700, 0)),
        # What belongs to an older epoch comes back through a rebase, not as room.
        ((epoch_opened(50, epoch=2, parent_quantity=1_050), returned(400)), (50, 0, 0)),
        (
            (filled(100), epoch_opened(50, epoch=2, parent_quantity=1_050), busted(100)),
            (50, 0, 900),
        ),
    ],
)
def test_room_follows_the_law(events: tuple[Any, ...], expected: tuple[int, int, int]) -> None:
    state = state_after(*begun(), *events)
    parent = state.parents[PARENT]
    found = (room(state, PARENT), parent.filled_quantity, parent.open_quantity)
    assert found == expected


def test_between_two_epochs_there_is_no_room() -> None:
    closed = EpochClosed(
        parent_id=PARENT, epoch=1, tail_quantity=0, tail=(), cause=Cause.MEMBER_LEFT
    )
    state = state_after(immediate(), epoch_opened(), closed)
    assert room(state, PARENT) == 0
    history = (*begun(), closed, returned(1_000))
    command = recalibrate(Cause.RETURNED, OPEN_NS + 2 * SECOND)
    (seen,) = given(STRATEGY, *history).when(command).events()
    assert isinstance(seen, ParentRecalibrated)


def test_a_closed_parent_is_forgotten_and_late_reports_pass_it_over() -> None:
    closed = ParentClosed(
        parent_id=PARENT, status=OrderStatus.EXPIRED, quantity=1_000, filled_quantity=0
    )
    state = state_after(*begun(), closed, returned(1_000), busted(10))
    assert state.parents == {}
    assert (room(state, PARENT), is_ended(state, PARENT)) == (0, True)
    given(STRATEGY, *begun(), closed).when(wake(OPEN_NS + SECOND)).then()


@pytest.mark.parametrize(
    "event",
    [filled(1_001), returned(1_001), filled(1, slice_ordinal=7), begun()[-1]],
    ids=["fill beyond open", "return beyond open", "fill of no slice", "release beyond room"],
)
def test_events_that_cannot_follow_are_refused(event: Any) -> None:
    with pytest.raises(CorruptHistoryError, match=r"open|room"):
        state_after(*begun(), event)
