"""A child that follows its quote, through the whole shard: moved by books, and restored."""

from typing import Any

from schemas.messages.core import Cause, ExecType, OrderStatus, StrategyKind, Tactic, Urgency
from schemas.messages.routing import ChildCancelRequested, ChildPlaced
from schemas.messages.strategy import ParentRecalibrated
from streams.core import topics
from tests.support.builders import (
    ACME,
    OPEN_NS,
    SECOND,
    TICK,
    book_updated,
    execution_report,
    new_order,
)
from tests.support.shard_host import ListHost, trading_host

VENUES = ("V1", "V2", "V3")


def show(host: ListHost, bid: int, ask: int) -> list[Any]:
    """Let a second pass and every venue show that quote; its children's answers wait."""
    host.put(topics.MARKET_DATA, *[book_updated(name, bid, ask) for name in VENUES])
    return host.step(host.now_ns + SECOND)


def resting() -> tuple[ListHost, ChildPlaced]:
    """Return a host whose urgent parent rests a first child that follows the quote."""
    host = trading_host()
    order = new_order(
        quantity=1_000,
        strategy=StrategyKind.TWAP,
        urgency=Urgency.URGENT,
        is_dark_allowed=False,
        end_ns=OPEN_NS + 600 * SECOND,
    )
    host.send(topics.ORDERS_COMMANDS, order)
    for _ in range(90):
        placed = [each for each in show(host, 9_999, 10_001) if isinstance(each, ChildPlaced)]
        if placed:
            break
    (child,) = placed
    answer(host, child, ExecType.NEW, OrderStatus.NEW)
    return host, child


def answer(host: ListHost, child: ChildPlaced, kind: ExecType, status: OrderStatus) -> list[Any]:
    report = execution_report(
        child.child_id,
        f"{child.child_id}.{kind.value}",
        venue_id=child.venue_id,
        exec_type=kind,
        order_status=status,
        last_quantity=0,
        last_price_e9=None,
        cumulative_quantity=0,
        transact_ns=host.now_ns,
    )
    return host.send(topics.VENUES_REPORTS, report)


def test_a_quote_that_moves_away_takes_the_child_with_it() -> None:
    host, child = resting()
    assert (child.tactic, child.price_e9) == (Tactic.PEG, 9_999 * TICK)
    assert show(host, 9_999, 10_001) == []
    asked = [each for each in show(host, 10_004, 10_006) if isinstance(each, ChildCancelRequested)]
    asked += [each for each in show(host, 10_004, 10_006) if isinstance(each, ChildCancelRequested)]
    (request,) = asked  # in its first second and a bit it is left alone; then it is asked once
    assert (request.child_id, request.cause) == (child.child_id, Cause.PRICE)
    assert show(host, 10_005, 10_007) == []
    after = answer(host, child, ExecType.CANCELED, OrderStatus.CANCELED)
    (again,) = [each for each in after if isinstance(each, ChildPlaced)]
    assert (again.price_e9, again.quantity) == (10_004 * TICK, child.quantity)  # as far as it may
    assert again.tactic is Tactic.PEG
    host.recover()


def test_books_of_instruments_without_such_a_child_ask_nothing() -> None:
    host, child = resting()
    answer(host, child, ExecType.CANCELED, OrderStatus.CANCELED)
    state = host.app.state.routing.resting
    state.children.clear()
    state.following.clear()
    assert not [e for e in show(host, 10_020, 10_022) if isinstance(e, ChildCancelRequested)]


def test_the_decision_says_what_the_market_was_like() -> None:
    host, _ = resting()
    told = [each for each in host.messages(ParentRecalibrated) if each.tactic is Tactic.PEG]
    assert told
    estimate = told[-1].estimate
    assert estimate is not None
    assert estimate.spread_now_bps_e9 == estimate.spread_bps_e9 == 2 * 1_000_000_000
    assert estimate.fill_hazard_e9 > 0
    known = host.app.state.estimators.instruments[ACME]
    assert len(known.spreads) > 1
