"""Whole parents of each strategy through the shard: how they follow, stop, go on and end."""

from itertools import pairwise
from typing import Any

import msgspec
import pytest

from schemas.messages.core import (
    LimitState,
    OrderStatus,
    OrderType,
    PhaseKind,
    PrintKind,
    Side,
    StrategyKind,
    StrategyParameters,
    TimeInForce,
    TradingStatus,
)
from schemas.messages.market import AuctionIndicated, TradePrinted, TradingStatusChanged
from schemas.messages.netting import ParentClosed
from schemas.messages.routing import ChildPlaced, FillBooked
from schemas.messages.strategy import ScheduleSet, SliceReleased, VolumeForecast
from streams.core import topics
from streams.shard import EngineShard
from tests.support.builders import ACME, MINUTE, OPEN_NS, SECOND, TICK, instrument_defined
from tests.support.policy_day import VOLUME_PER_SECOND, PolicyDay
from tests.support.shard_host import LOG_ID

K = StrategyKind
SCHEDULED = (K.VWAP, K.TWAP, K.POV, K.IMPLEMENTATION_SHORTFALL, K.CLOSE)
QUANTITY = 4_000
END_NS = OPEN_NS + 30 * MINUTE


def played(kind: K, seconds: int = 30 * 60 + 30, **order: Any) -> PolicyDay:
    day = PolicyDay(strategy=kind, quantity=order.pop("quantity", QUANTITY), **order)
    day.run(seconds)
    return day


def filled_by(day: PolicyDay) -> list[tuple[int, int]]:
    """Return when how much was filled in all, at each step with a fill."""
    found, done = [], 0
    for batch in day.host.batches:
        fills = [e.message for e in batch.outputs if isinstance(e.message, FillBooked)]
        if fills:
            done += sum(fill.quantity for fill in fills)
            found.append((batch.journal.now_ns, done))
    return found


def filled_at(day: PolicyDay, at_ns: int) -> int:
    return max((done for when_ns, done in filled_by(day) if when_ns <= at_ns), default=0)


def ended(day: PolicyDay) -> ParentClosed:
    (closed,) = day.all(ParentClosed)
    return closed


def assert_recovers(day: PolicyDay) -> None:
    """A shard that folds what was recorded knows what the one that decided knows."""
    app = EngineShard(0, 1, LOG_ID)
    for batch in day.host.batches:
        app.restore(batch)
    mine, theirs = (
        msgspec.json.encode(msgspec.msgpack.decode(each.snapshot())) for each in (app, day.host.app)
    )
    assert mine == theirs


@pytest.mark.parametrize("kind", [*SCHEDULED, K.IMMEDIATE, K.AUTO])
def test_every_strategy_ends_complete_where_there_is_volume(kind: K) -> None:
    day = played(kind)
    closed = ended(day)
    assert (closed.status, closed.filled_quantity) == (OrderStatus.FILLED, QUANTITY)
    assert_recovers(day)


@pytest.mark.parametrize("quantity", [1, 3])
@pytest.mark.parametrize("kind", SCHEDULED)
def test_orders_of_fewer_shares_than_slots_are_done(kind: K, quantity: int) -> None:
    day = played(kind, quantity=quantity)
    assert ended(day).filled_quantity == quantity


@pytest.mark.parametrize("kind", SCHEDULED)
def test_a_late_start_leaves_less_time_and_is_done_all_the_same(kind: K) -> None:
    day = played(kind, start_ns=OPEN_NS + 25 * MINUTE, quantity=400)
    assert ended(day).filled_quantity == 400
    assert filled_by(day)[0][0] >= OPEN_NS + 25 * MINUTE


@pytest.mark.parametrize("kind", SCHEDULED)
def test_a_halt_stops_every_strategy_and_none_makes_it_good_at_once(kind: K) -> None:
    day = PolicyDay(strategy=kind, quantity=QUANTITY)
    day.run(15 * 60)
    before = filled_at(day, day.host.now_ns)
    halt(day, TradingStatus.HALTED)
    day.volume = 0
    day.run(5 * 60, is_filling=False)
    slices = released_after(day, OPEN_NS + 15 * MINUTE + SECOND)
    assert slices == []
    halt(day, TradingStatus.TRADING)
    day.volume = VOLUME_PER_SECOND
    day.run(60)
    missed = QUANTITY * 5 // 30
    assert filled_at(day, day.host.now_ns) - before < missed
    day.run(9 * 60 + 30)
    assert ended(day).filled_quantity == QUANTITY


def halt(day: PolicyDay, status: TradingStatus) -> None:
    changed = TradingStatusChanged(
        instrument_id=ACME,
        venue_id="",
        status=status,
        limit_state=LimitState.NONE,
        lower_band_e9=0,
        upper_band_e9=0,
        reason="",
    )
    day.put(topics.MARKET_DATA, changed)


def released_after(day: PolicyDay, at_ns: int) -> list[SliceReleased]:
    return [
        event.message
        for batch in day.host.batches
        if batch.journal.now_ns > at_ns
        for event in batch.outputs
        if isinstance(event.message, SliceReleased)
    ]


def test_vwap_stays_beside_the_volume_that_trades() -> None:
    """Twice the volume in the second ten minutes: the order is there twice as fast."""
    day = PolicyDay(strategy=K.VWAP, quantity=QUANTITY)
    traded = []
    for factor in (1, 2, 1):
        day.volume = factor * VOLUME_PER_SECOND
        for _ in range(10):
            day.run(60)
            traded.append(factor * VOLUME_PER_SECOND * 60)
    whole = sum(traded)
    gaps = []
    for minute in range(5, 30):
        share = sum(traded[:minute]) / whole
        done = filled_at(day, OPEN_NS + minute * MINUTE) / QUANTITY
        gaps.append(abs(done - share))
    # Nobody knew of the burst: the line of time would be behind by a sixth after 20 minutes.
    assert max(gaps) < 0.14
    assert sum(gaps) / len(gaps) < 0.07
    day.run(30)
    assert ended(day).filled_quantity == QUANTITY


def test_a_forecast_says_how_sure_it_is_and_moves_with_the_day() -> None:
    day = PolicyDay(strategy=K.VWAP, quantity=QUANTITY)
    day.volume = 3 * VOLUME_PER_SECOND
    day.run(20 * 60)
    forecasts = day.all(VolumeForecast)
    assert all(0 < each.volume_cv_e9 < 2 * 10**9 for each in forecasts)
    per_bin = [sum(each.volumes) / len(each.volumes) for each in forecasts]
    assert per_bin[-1] > 1.5 * per_bin[0]


def test_a_rate_is_kept_and_own_prints_are_none_of_it() -> None:
    terms = StrategyParameters(participation_rate_bps=2_000)
    day = PolicyDay(strategy=K.POV, quantity=50_000, parameters=terms)
    for _ in range(20 * 60):
        done = filled_at(day, day.host.now_ns)
        day.run(1)
        more = filled_at(day, day.host.now_ns) - done
        if more:  # the tape shows our own executions too
            day.put(topics.MARKET_DATA, own_print(more))
    others = 20 * 60 * VOLUME_PER_SECOND
    own = filled_at(day, day.host.now_ns)
    assert own / (own + others) == pytest.approx(0.2, abs=0.01)


def own_print(quantity: int, **changes: Any) -> TradePrinted:
    fields: dict[str, Any] = {
        "venue_id": "V1",
        "instrument_id": ACME,
        "price_e9": 10_000 * TICK,
        "quantity": quantity,
        "own_quantity": quantity,
        "aggressor": Side.BUY,
        "is_hidden": False,
    }
    return TradePrinted(**(fields | changes))


def test_a_rate_follows_neither_auctions_nor_trades_off_the_book() -> None:
    terms = StrategyParameters(participation_rate_bps=2_000)
    day = PolicyDay(strategy=K.POV, quantity=50_000, parameters=terms)
    day.run(60)
    for kind in (PrintKind.AUCTION, PrintKind.OFF_BOOK, PrintKind.CORRECTED):
        away = own_print(900_000, own_quantity=0, kind=kind)
        day.put(topics.MARKET_DATA, away)
    day.run(60)
    assert filled_at(day, day.host.now_ns) <= 2 * 60 * VOLUME_PER_SECOND // 4


def test_twap_stays_within_its_bound_of_the_straight_line() -> None:
    day = played(K.TWAP)
    (plan,) = day.all(ScheduleSet)
    slots, jitters = len(plan.bin_starts_ns), 0.8 + 0.6
    assert slots == 29  # of a minute, in what the netting window left of half an hour
    bound = QUANTITY / slots * (1 + jitters) / 2 + 1
    # What rests fills in the next second here, so fills lag the plan by no more than that.
    for (at_ns, done), (_, after) in pairwise(filled_by(day)):
        line = QUANTITY * (at_ns - OPEN_NS) / (END_NS - OPEN_NS)
        assert abs(done - line) <= bound + QUANTITY * 3 / 1_800
        assert after > done


def test_shortfall_does_its_front_first_and_names_who_planned_it() -> None:
    ahead, steady = (
        filled_at(played(kind, 10 * 60), OPEN_NS + 10 * MINUTE)
        for kind in (K.IMPLEMENTATION_SHORTFALL, K.TWAP)
    )
    assert ahead > 1.3 * steady
    day = played(K.IMPLEMENTATION_SHORTFALL, 60)
    plans = day.all(ScheduleSet)
    assert all(plan.model for plan in plans)


def test_the_close_is_worked_in_its_last_minutes() -> None:
    terms = StrategyParameters(pre_close_ns=10 * MINUTE)
    day = played(K.CLOSE, parameters=terms)
    fills = filled_by(day)
    assert fills[0][0] >= END_NS - 10 * MINUTE
    assert ended(day).filled_quantity == QUANTITY


def test_the_close_gives_the_auction_its_part() -> None:
    terms = StrategyParameters(pre_close_ns=10 * MINUTE, closing_auction_bps=6_000)
    short = instrument_defined(session_close_ns=END_NS, average_daily_volume=650_000)
    day = PolicyDay(short, strategy=K.CLOSE, quantity=QUANTITY, end_ns=0, parameters=terms)
    day.put(topics.MARKET_DATA, indicated())
    day.run(29 * 60)
    closing = [each for each in day.all(SliceReleased) if each.auction is not PhaseKind.UNKNOWN]
    assert [each.quantity for each in closing] == [2_400]
    children = [each for each in day.all(ChildPlaced) if each.slice_id == closing[0].slice_id]
    assert {child.time_in_force for child in children} == {TimeInForce.AT_CLOSE}
    worked = [each for each in day.all(SliceReleased) if each.auction is PhaseKind.UNKNOWN]
    assert 1_200 < sum(each.quantity for each in worked) <= 1_600


def indicated() -> AuctionIndicated:
    return AuctionIndicated(
        venue_id="V1",
        instrument_id=ACME,
        auction=PhaseKind.CLOSING_AUCTION,
        price_e9=None,
        reference_price_e9=10_000 * TICK,
        quantity=0,
        imbalance_quantity=0,
        imbalance_side=Side.UNKNOWN,
        cutoff_ns=END_NS - MINUTE,
        uncross_ns=END_NS,
        is_primary=True,
        is_final=False,
    )


def test_a_limit_away_from_the_market_waits_and_expires_in_every_strategy() -> None:
    away = {"order_type": OrderType.LIMIT, "limit_price_e9": 9_900 * TICK}
    for kind in SCHEDULED:
        day = PolicyDay(strategy=kind, quantity=400, end_ns=OPEN_NS + 4 * MINUTE, **away)
        day.run(4 * 60 + 30, is_filling=False)
        closed = ended(day)
        assert (closed.status, closed.filled_quantity) == (OrderStatus.EXPIRED, 0)
        prices = {child.price_e9 for child in day.all(ChildPlaced)}
        assert all(price is not None and price <= 9_900 * TICK for price in prices)
