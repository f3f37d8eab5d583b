"""VWAP in given, when, then: tracking, resting then crossing, the cap, whole lots."""

import json

from schemas.messages.core import Cause, RoutingLogic, Tactic
from schemas.messages.strategy import ParentRecalibrated, SliceReleased
from streams.strategy import STRATEGY
from tests.support.builders import MINUTE, OPEN_NS, SECOND, instrument
from tests.support.given import given
from tests.support.parents import (
    begin,
    epoch_opened,
    filled,
    forecast,
    market,
    recalibrate,
    returned,
    wake,
)
from tests.support.shared import shared
from tests.support.vwap import (
    BEGUN,
    CROSS_1,
    CROSS_NS,
    CURVE,
    END_NS,
    OPENED,
    WORKING,
    plan,
    position,
    released,
    vwap,
)


def test_the_plan_follows_the_forecast_and_the_first_slice_rests() -> None:
    given(STRATEGY, *OPENED).when(begin(forecast=CURVE)).then(*BEGUN)


def test_without_a_forecast_the_plan_follows_time() -> None:
    events = given(STRATEGY, *OPENED).when(begin()).events()
    assert events[0] == plan(250, 500, 750, 1_000, model="")


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
            tactic=Tactic.CROSS,
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
