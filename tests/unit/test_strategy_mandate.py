"""Would price, minimum and opening orders: what the plan alone would not do."""

from typing import Any

from schemas.messages.core import (
    Cause,
    Constraints,
    RoutingLogic,
    Side,
    StrategyKind,
    TimeInForce,
)
from schemas.messages.strategy import ParentEnded, ParentRecalibrated, SliceReleased
from streams.strategy import STRATEGY
from tests.support.builders import OPEN_NS, SECOND, TICK, quote
from tests.support.given import given
from tests.support.parents import (
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

EVEN = forecast(*[1_000] * 10)


def would(ticks: int, kind: StrategyKind = StrategyKind.VWAP, **changes: Any) -> tuple[Any, ...]:
    constraints = Constraints(would_price_e9=ticks * TICK)
    return (parent_opened(kind, constraints=constraints, **changes), epoch_opened())


def slices(events: tuple[Any, ...]) -> list[SliceReleased]:
    return [event for event in events if isinstance(event, SliceReleased)]


def after(*history: Any) -> tuple[Any, ...]:
    return (*history, *given(STRATEGY, *history).when(begin(forecast=EVEN)).events())


def test_at_the_would_price_all_that_is_left_is_taken_at_once() -> None:
    history = after(*would(9_990))
    first = slices(history)[0]
    assert first.quantity < 1_000 and first.cause is Cause.OPENED
    offered = market(quote=quote(bid=9_985, ask=9_990))
    events = given(STRATEGY, *history).when(wake(OPEN_NS + SECOND, market=offered)).events()
    (taken,) = slices(events)
    assert (taken.quantity, taken.logic) == (1_000 - first.quantity, RoutingLogic.SWEEP)
    assert (taken.limit_price_e9, taken.cause) == (9_990 * TICK, Cause.PRICE)


def test_away_from_the_would_price_the_plan_goes_on_and_looks_again_every_second() -> None:
    (seen,) = [e for e in after(*would(9_990)) if isinstance(e, ParentRecalibrated)]
    assert seen.next_due_ns == OPEN_NS + SECOND


def test_a_seller_takes_a_bid_at_its_would_price() -> None:
    history = after(*would(10_010, side=Side.SELL))
    bid_up = market(quote=quote(bid=10_010, ask=10_012))
    events = given(STRATEGY, *history).when(wake(OPEN_NS + SECOND, market=bid_up)).events()
    assert [each.limit_price_e9 for each in slices(events)] == [10_010 * TICK]


def test_a_would_price_never_loosens_the_limit() -> None:
    history = after(*would(9_995, limit_price_e9=9_990 * TICK))
    offered = market(quote=quote(bid=9_985, ask=9_992))
    events = given(STRATEGY, *history).when(wake(OPEN_NS + SECOND, market=offered)).events()
    assert not [each for each in slices(events) if each.cause is Cause.PRICE]


def test_a_would_price_respects_the_participation_cap() -> None:
    history = after(*would(9_990, participation_cap_bps=1_000))
    committed = sum(each.quantity for each in slices(history))
    offered = market(others=900, quote=quote(bid=9_985, ask=9_990))
    events = given(STRATEGY, *history).when(wake(OPEN_NS + SECOND, market=offered)).events()
    assert (
        committed + sum(each.quantity for each in slices(events)) <= 1_000 * (900 + 1_000) // 9_000
    )


def test_a_schedule_waits_until_it_wants_as_much_as_the_minimum() -> None:
    constraints = Constraints(minimum_quantity=250)
    history = after(parent_opened(StrategyKind.VWAP, constraints=constraints), epoch_opened())
    assert not slices(history)  # a tenth of a thousand is less than 250
    at_ns = OPEN_NS + 120 * SECOND
    command = wake(at_ns, forecast=EVEN, market=market(others=2_000))
    events = given(STRATEGY, *history).when(command).events()
    assert [each.quantity for each in slices(events)] == [300]


def test_a_rest_below_the_minimum_is_still_released() -> None:
    constraints = Constraints(minimum_quantity=250)
    opened = (
        parent_opened(StrategyKind.IMMEDIATE, constraints=constraints),
        epoch_opened(),
    )
    begun = (*opened, *given(STRATEGY, *opened).when(begin()).events())
    history = (*begun, filled(900), returned(100))
    command = recalibrate(Cause.RETURNED, OPEN_NS + 2 * SECOND)
    events = given(STRATEGY, *history).when(command).events()
    assert [each.quantity for each in slices(events)] == [100]


def at_open() -> tuple[Any, ...]:
    return (
        parent_opened(StrategyKind.IMMEDIATE, time_in_force=TimeInForce.AT_OPEN),
        epoch_opened(),
    )


def test_an_order_for_the_opening_waits_until_somebody_trades() -> None:
    closed = market(is_open=False)
    events = given(STRATEGY, *at_open()).when(begin(market=closed)).events()
    (seen,) = events
    assert (type(seen), seen.next_due_ns) == (ParentRecalibrated, OPEN_NS + SECOND)
    later = given(STRATEGY, *at_open(), *events).when(wake(OPEN_NS + SECOND)).events()
    assert [each.logic for each in slices(later)] == [RoutingLogic.SWEEP]


def test_what_the_opening_leaves_is_not_worked_on() -> None:
    begun = (*at_open(), *given(STRATEGY, *at_open()).when(begin()).events())
    command = recalibrate(Cause.RETURNED, OPEN_NS + 2 * SECOND)
    events = given(STRATEGY, *begun, filled(400), returned(600)).when(command).events()
    assert [type(event) for event in events] == [ParentEnded]
    assert events[0].cause is Cause.COMPLETED
