"""Halts of the simulated day: who stops, what is told, and how trading begins again."""

from dataclasses import replace
from typing import Any

import pytest

from schemas.messages.core import (
    BookState,
    ExecType,
    LimitState,
    Liquidity,
    PhaseKind,
    PrintKind,
    TradingStatus,
)
from schemas.messages.market import (
    AuctionIndicated,
    BookUpdated,
    TradePrinted,
    TradingStatusChanged,
)
from schemas.messages.venues import ExecutionReport
from services.venues.application import VenueSimulator
from services.venues.conditions import Conditions
from services.venues.halts import NEWS_BPS, PAUSE_BPS, Halt, plan_halts
from services.venues.scenario import Day, Scenario, plan_day
from services.venues.state import book_key
from tests.support.venue_driver import PARTITIONS, VenueDriver, cancel_requested, child_placed

SECOND = 1_000_000_000
SCENARIO = Scenario(
    seed=5, minutes=10, orders=0, step_ns=2 * SECOND, conditions=Conditions(halts=3)
)
DAY = plan_day(SCENARIO)
HALTS = plan_halts(5, 3, [*DAY.terms.instruments], DAY.hours.continuous_steps, SCENARIO.step_ns)
NEWS, VENUE, PAUSE = HALTS


def play(day: Day, children: dict[int, list[Any]], until: int = 0) -> list[tuple[int, Any]]:
    driver = VenueDriver(day)
    heard = []
    for step in range(1, (until or day.steps) + 1):
        heard += [(step, each.message) for each in driver.step(children.get(step, []))]
    return heard


HEARD = play(DAY, {})


def statuses(halt: Halt) -> list[tuple[int, TradingStatus, str]]:
    return [
        (step, m.status, m.venue_id)
        for step, m in HEARD
        if isinstance(m, TradingStatusChanged) and m.instrument_id == halt.instrument_id
    ]


def test_three_instruments_stop_each_in_its_own_way() -> None:
    assert len({halt.instrument_id for halt in HALTS}) == 3
    assert [halt.status for halt in HALTS] == [
        TradingStatus.HALTED,
        TradingStatus.HALTED,
        TradingStatus.PAUSED,
    ]
    assert [bool(halt.venue_id) for halt in HALTS] == [False, True, False]
    for halt in HALTS:
        assert statuses(halt) == [
            (halt.from_step, halt.status, halt.venue_id),
            (halt.call_step, TradingStatus.AUCTION, halt.venue_id),
            (halt.open_step, TradingStatus.TRADING, halt.venue_id),
        ]


def test_books_stand_still_and_nothing_trades_while_it_lasts() -> None:
    for halt in HALTS:
        span = range(halt.from_step + 1, halt.open_step)
        for step, message in HEARD:
            if getattr(message, "instrument_id", "") != halt.instrument_id or step not in span:
                continue
            is_concerned = halt.venue_id in ("", message.venue_id)
            if isinstance(message, BookUpdated) and is_concerned:
                assert message.state is not BookState.OPEN
                assert message.bids == message.asks == ()
            assert not (isinstance(message, TradePrinted) and is_concerned), step


def test_a_stop_at_one_venue_leaves_the_others_open() -> None:
    span = range(VENUE.from_step + 1, VENUE.open_step)
    others = [
        m
        for step, m in HEARD
        if isinstance(m, BookUpdated)
        and m.instrument_id == VENUE.instrument_id
        and m.venue_id != VENUE.venue_id
        and step in span
    ]
    assert {m.state for m in others} == {BookState.OPEN}


@pytest.mark.parametrize("halt", HALTS, ids=lambda halt: halt.reason)
def test_it_reopens_with_one_price(halt: Halt) -> None:
    finals = [
        (step, m)
        for step, m in HEARD
        if isinstance(m, AuctionIndicated) and m.instrument_id == halt.instrument_id and m.is_final
    ]
    assert {step for step, _ in finals} == {halt.open_step}
    assert all(m.auction is PhaseKind.CONTINUOUS for _, m in finals)
    venues = {m.venue_id for _, m in finals}
    assert venues == ({halt.venue_id} if halt.venue_id else {"NORD", "OST"})
    prints = [
        m
        for step, m in HEARD
        if isinstance(m, TradePrinted)
        and m.kind is PrintKind.AUCTION
        and m.instrument_id == halt.instrument_id
    ]
    assert sorted((m.venue_id, m.price_e9, m.quantity) for m in prints) == sorted(
        (m.venue_id, m.price_e9, m.quantity) for _, m in finals if m.quantity
    )
    assert prints


def test_news_moves_the_price_and_a_pause_follows_a_run() -> None:
    ordinary = play(plan_day(replace(SCENARIO, conditions=Conditions())), {}, PAUSE.open_step + 60)

    def last(heard: list[tuple[int, Any]], halt: Halt, before: int) -> int:
        mids = [
            m.bids[0].price_e9 + m.asks[0].price_e9
            for step, m in heard
            if isinstance(m, BookUpdated)
            and (m.venue_id, m.instrument_id) == ("NORD", halt.instrument_id)
            and m.bids
            and m.asks
            and step < before
        ]
        return mids[-1] // 2

    for halt, bps in ((NEWS, NEWS_BPS), (PAUSE, PAUSE_BPS)):
        assert abs(halt.shock_bps) == bps
        after = halt.open_step + 2
        there, usual = last(HEARD, halt, after), last(ordinary, halt, after)
        assert (there - usual) / usual * 1e4 == pytest.approx(halt.shock_bps, abs=bps / 5)
        # The news comes while it stands still; the run is what stops it.
        before = halt.from_step
        moved = (last(HEARD, halt, before) - last(ordinary, halt, before)) / usual * 1e4
        assert abs(moved) > bps / 2 if halt is PAUSE else moved == 0
    (paused,) = [m for _, m in HEARD if isinstance(m, TradingStatusChanged) and m.lower_band_e9]
    limit = LimitState.LIMIT_UP if PAUSE.shock_bps > 0 else LimitState.LIMIT_DOWN
    assert paused.limit_state is limit and paused.lower_band_e9 < paused.upper_band_e9


def reports(heard: list[tuple[int, Any]]) -> list[ExecutionReport]:
    return [m for _, m in heard if isinstance(m, ExecutionReport)]


def test_what_rests_stays_and_takes_part_when_it_reopens() -> None:
    far = child_placed(
        "c.1.1", instrument_id=NEWS.instrument_id, price_e9=200_000_000_000, quantity=60
    )
    resting = replaced(far, price_e9=10_000_000_000, child_id="c.1.2")
    step = NEWS.from_step
    heard = play(DAY, {step - 1: [resting]}, NEWS.open_step + 2)
    assert [m.exec_type for m in reports(heard)] == [ExecType.NEW]
    late = play(DAY, {step + 1: [far]}, NEWS.open_step + 2)
    assert [m.exec_type for m in reports(late)] == [ExecType.REJECTED]
    gone = play(DAY, {step - 1: [resting], step + 2: [cancel_requested(resting)]}, step + 4)
    assert [m.exec_type for m in reports(gone)] == [ExecType.NEW, ExecType.CANCELED]


def replaced(placed: Any, **changes: Any) -> Any:
    fields = {name: getattr(placed, name) for name in placed.__struct_fields__}
    return type(placed)(**{**fields, **changes})


def test_a_resting_order_that_the_news_reaches_fills_in_the_call() -> None:
    driver = VenueDriver(DAY)
    for _ in range(NEWS.from_step - 1):
        driver.step()
    book = driver.simulator.state.books[book_key("NORD", NEWS.instrument_id)]
    side = book.bids if NEWS.shock_bps < 0 else book.asks
    # At the touch, so that it rests; the news takes the others far through it.
    order = child_placed(
        "c.1.1",
        instrument_id=NEWS.instrument_id,
        side=("BUY" if NEWS.shock_bps < 0 else "SELL"),
        quantity=50,
        price_e9=side.levels[-1][0],
    )
    order = replaced(order, side=type(child_placed("x").side)(order.side))
    heard = [each.message for each in driver.step([order])]
    for _ in range(NEWS.from_step, NEWS.open_step):
        heard += [each.message for each in driver.step()]
    fills = [m for m in heard if isinstance(m, ExecutionReport) and m.last_quantity]
    assert [(m.liquidity, m.last_quantity) for m in fills] == [(Liquidity.AUCTION, 50)]
    price_e9 = fills[0].last_price_e9
    assert price_e9 is not None and order.price_e9 is not None
    assert price_e9 <= order.price_e9 if NEWS.shock_bps < 0 else price_e9 >= order.price_e9
    assert "c.1.1" not in (*book.bids.own, *book.asks.own)


def test_a_snapshot_in_a_halt_goes_on_alike() -> None:
    live = VenueDriver(DAY)
    for _ in range(NEWS.call_step):
        live.step()
    again = VenueDriver(DAY)
    again.simulator = VenueSimulator(plan_day(SCENARIO), PARTITIONS)
    again.simulator.load(live.simulator.snapshot())
    for _ in range(30):
        assert [e.message for e in live.step()] == [e.message for e in again.step()]


def test_nothing_halts_unless_asked() -> None:
    ordinary = plan_day(Scenario(seed=5, minutes=2, orders=0))
    assert not [m for _, m in play(ordinary, {}) if isinstance(m, TradingStatusChanged)]
