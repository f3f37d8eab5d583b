"""VWAP in given, when, then: tracking, resting then crossing, the cap, completion, re-planning."""

import json
from typing import Any

from schemas.messages.core import Cause, Member, RoutingLogic, Side, StrategyKind, Urgency
from schemas.messages.netting import MemberLeft, ParentHeld
from schemas.messages.strategy import ParentEnded, ParentRecalibrated, ScheduleSet, SliceReleased
from streams.strategy import STRATEGY, StrategyState, timers_of
from tests.support.builders import ACME, MINUTE, OPEN_NS, SECOND, TICK, instrument, quote
from tests.support.given import given
from tests.support.parents import (
    PARENT,
    begin,
    epoch_opened,
    filled,
    forecast,
    market,
    parent_opened,
    recalibrate,
    returned,
    wake,
)
from tests.support.shared import shared

END_NS = OPEN_NS + 4 * MINUTE
CROSS_NS = 45 * SECOND  # a quarter of a bin before its end
CURVE = forecast(1_000, 2_000, 3_000, 4_000)


def vwap(**changes: Any) -> Any:
    return parent_opened(StrategyKind.VWAP, **{"end_ns": END_NS, **changes})


def plan(
    *targets: int, starts: tuple[int, ...] = (), anchor: tuple[int, int] = (0, 0), ordinal: int = 1
) -> ScheduleSet:
    return ScheduleSet(
        parent_id=PARENT,
        ordinal=ordinal,
        strategy=StrategyKind.VWAP,
        bin_starts_ns=starts or tuple([OPEN_NS + i * MINUTE for i in range(len(targets))]),
        targets=targets,
        anchor_quantity=anchor[0],
        anchor_market_quantity=anchor[1],
        seed=b"",
        cause=Cause.OPENED if ordinal == 1 else Cause.EPOCH,
    )


def position(cause: Cause, target: int, next_due_ns: int, **changes: Any) -> ParentRecalibrated:
    return ParentRecalibrated(
        **{
            "parent_id": PARENT,
            "cause": cause,
            "filled_quantity": 0,
            "open_quantity": 0,
            "target_quantity": target,
            "market_quantity": 0,
            "cap_quantity": 1_000,
            "next_due_ns": next_due_ns,
            "not_before_ns": 0,
            "bin": 0,
            **changes,
        }
    )


def released(
    quantity: int, cause: Cause, deadline_ns: int, ordinal: int = 1, **changes: Any
) -> SliceReleased:
    return SliceReleased(
        **{
            "slice_id": f"{PARENT}.{ordinal}",
            "parent_id": PARENT,
            "epoch": 1,
            "instrument_id": ACME,
            "side": Side.BUY,
            "quantity": quantity,
            "limit_price_e9": None,
            "logic": RoutingLogic.SEQUENTIAL,
            "is_dark_allowed": True,
            "deadline_ns": deadline_ns,
            "self_trade_id": "T1.ACME",
            "cause": cause,
            **changes,
        }
    )


PLAN = plan(100, 300, 600, 1_000)
CROSS_1 = OPEN_NS + CROSS_NS  # when the first bin starts to cross
BEGUN = (
    PLAN,
    position(Cause.OPENED, 100, CROSS_1, not_before_ns=OPEN_NS + 3 * SECOND),
    released(100, Cause.OPENED, CROSS_1),
)
OPENED = (vwap(), epoch_opened())
WORKING = (*OPENED, *BEGUN)


def test_the_plan_follows_the_forecast_and_the_first_slice_rests() -> None:
    given(STRATEGY, *OPENED).when(begin(forecast=CURVE)).then(*BEGUN)


def test_without_a_forecast_the_plan_follows_time() -> None:
    events = given(STRATEGY, *OPENED).when(begin()).events()
    assert events[0] == plan(250, 500, 750, 1_000)


def test_a_bin_tracks_the_volume_that_really_traded() -> None:
    # 3,000 traded where 1,000 were expected: 1000 (3000 + 2000) / (3000 + 2000 + 3000 + 4000)
    at_ns = OPEN_NS + MINUTE
    rest = forecast(2_000, 3_000, 4_000, bin_start_ns=at_ns)
    given(STRATEGY, *WORKING, filled(100)).when(
        wake(at_ns, forecast=rest, market=market(3_000))
    ).then(
        position(
            Cause.BIN,
            416,
            at_ns + CROSS_NS,
            filled_quantity=100,
            market_quantity=3_000,
            not_before_ns=at_ns + 3 * SECOND,
            bin=1,
        ),
        released(316, Cause.BIN, at_ns + CROSS_NS, ordinal=2),
    )


def test_a_slow_market_releases_nothing_and_never_takes_back() -> None:
    at_ns = OPEN_NS + MINUTE
    rest = forecast(200, 30_000, 40_000, bin_start_ns=at_ns)
    events = given(STRATEGY, *WORKING, filled(100)).when(wake(at_ns, forecast=rest)).events()
    assert [type(event) for event in events] == [ParentRecalibrated]


def test_what_comes_back_late_in_the_bin_crosses_the_spread() -> None:
    at_ns = CROSS_1 + SECOND
    expired = (position(Cause.BIN, 100, OPEN_NS + MINUTE, open_quantity=100), returned(60))
    history = (*WORKING, filled(40), *expired)
    given(STRATEGY, *history).when(recalibrate(Cause.RETURNED, at_ns)).then(
        position(
            Cause.RETURNED,
            100,
            OPEN_NS + MINUTE,
            filled_quantity=40,
            not_before_ns=at_ns + 3 * SECOND,
        ),
        released(60, Cause.RETURNED, at_ns + 3 * SECOND, ordinal=2, logic=RoutingLogic.SWEEP),
    )


def test_a_lot_behind_is_no_reason_to_cross() -> None:
    # The band is one lot and 25 bp of 1,000: 3 shares.
    expired = (position(Cause.BIN, 100, OPEN_NS + MINUTE, open_quantity=3), returned(3))
    history = (*WORKING, filled(97), *expired)
    command = recalibrate(Cause.RETURNED, CROSS_1 + SECOND)
    events = given(STRATEGY, *history).when(command).events()
    assert [type(event) for event in events] == [ParentRecalibrated]


def test_quantity_whose_cancel_is_not_acknowledged_is_not_released_again() -> None:
    """Defects D1 and D4: four projects send again before the cancel is acknowledged."""
    at_ns = CROSS_1  # the deadline has passed, nothing has come back
    events = given(STRATEGY, *WORKING).when(wake(at_ns, forecast=CURVE)).events()
    assert [type(event) for event in events] == [ParentRecalibrated]
    assert events[0].open_quantity == 100


def test_a_return_at_once_is_not_sent_again_at_once() -> None:
    at_ns = OPEN_NS + SECOND
    given(STRATEGY, *WORKING, returned(100)).when(recalibrate(Cause.RETURNED, at_ns)).then(
        position(Cause.RETURNED, 100, OPEN_NS + 3 * SECOND, not_before_ns=OPEN_NS + 3 * SECOND)
    )


def test_after_the_pause_what_came_back_rests_again() -> None:
    at_ns = OPEN_NS + 3 * SECOND
    waiting = position(Cause.RETURNED, 100, at_ns, not_before_ns=at_ns)
    given(STRATEGY, *WORKING, returned(100), waiting).when(wake(at_ns, forecast=CURVE)).then(
        position(Cause.BIN, 100, CROSS_1, not_before_ns=at_ns + 3 * SECOND),
        released(100, Cause.BIN, CROSS_1, ordinal=2),
    )


def test_a_fill_is_recalibrated_and_says_where_the_parent_stands() -> None:
    at_ns = OPEN_NS + 5 * SECOND
    given(STRATEGY, *WORKING, filled(30)).when(
        recalibrate(Cause.FILL, at_ns, market=market(500))
    ).then(
        position(
            Cause.FILL,
            100,
            CROSS_1,
            filled_quantity=30,
            open_quantity=70,
            market_quantity=500,
            not_before_ns=OPEN_NS + 3 * SECOND,
        )
    )


def test_a_fill_at_the_instant_of_a_bin_leaves_the_bin_to_its_timer() -> None:
    given(STRATEGY, *WORKING, filled(30)).when(recalibrate(Cause.FILL, CROSS_1)).then()


def test_the_cap_counts_others_volume_only() -> None:
    # 10 %: own = others / 9, and this bin's 1,000 are expected: 111
    capped = vwap(participation_cap_bps=1_000)
    curve = forecast(1_000, 0, 0, 0)
    events = given(STRATEGY, capped, epoch_opened()).when(begin(forecast=curve)).events()
    assert (events[0].targets[0], events[1].cap_quantity, events[2].quantity) == (1_000, 111, 111)


def test_a_capped_parent_stays_unfilled_rather_than_breach_its_cap() -> None:
    capped = vwap(participation_cap_bps=1_000)
    at_ns = END_NS - 3 * SECOND
    begun = given(STRATEGY, capped, epoch_opened()).when(begin(forecast=CURVE)).events()
    last = position(
        Cause.BIN, 1_000, at_ns, filled_quantity=100, cap_quantity=111, not_before_ns=at_ns, bin=3
    )
    history = (capped, epoch_opened(), *begun, filled(100), last)
    events = given(STRATEGY, *history).when(wake(at_ns, market=market(1_800))).events()
    assert (events[0].cap_quantity, events[1].quantity) == (200, 100)  # a ninth of 1,800
    events = given(STRATEGY, *history).when(wake(at_ns, market=market(800))).events()
    assert (events[0].cap_quantity, events[1].quantity) == (111, 11)  # as this bin was promised


def test_children_are_whole_lots() -> None:
    lots = market(instrument=instrument(lot=100))
    opened = (vwap(quantity=1_000), epoch_opened(1_000))
    events = given(STRATEGY, *opened).when(begin(market=lots, forecast=forecast(3, 3, 3))).events()
    assert events[1].target_quantity == 333
    assert events[2].quantity == 300


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
    waiting = position(Cause.OPENED, 0, start_ns, cap_quantity=0, bin=-1)
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
    assert events[1].next_due_ns == CROSS_1


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
    assert timers_of(ended, state) == ((f"strategy:wake:{PARENT}", None),)
    assert timers_of(filled(1), state) == ()


def test_a_whole_day_gives_the_vectors_children() -> None:
    rows = json.loads(shared("quant/vectors/04b_vwap_synthetic.json").read_text())["schedule"]
    lots = instrument(lot=rows["lot"])
    end_ns = OPEN_NS + 6 * MINUTE
    opened = vwap(quantity=rows["X"], end_ns=end_ns)
    state = STRATEGY.fold((opened, epoch_opened(rows["X"])))
    others, children = 0, []
    for ordinal, row in enumerate(rows["rows"]):
        at_ns = OPEN_NS + ordinal * MINUTE
        volumes = [round(volume) for volume in row["forecast_remaining"]]
        shape = forecast(*volumes, bin_start_ns=at_ns)
        make = wake if ordinal else begin
        command = make(at_ns, market=market(others, instrument=lots), forecast=shape)
        events = STRATEGY.decide(state, command)
        state = STRATEGY.fold(events, state)
        child = events[-1]
        assert isinstance(child, SliceReleased)
        children.append(child.quantity)
        STRATEGY.evolve(state, filled(child.quantity, slice_ordinal=ordinal + 1))
        others += row["market_volume"]
    assert children == [row["child"] for row in rows["rows"]]
