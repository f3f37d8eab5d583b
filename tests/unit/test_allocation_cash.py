"""Cash to the unit: pools of epochs, crosses, and what a late bust does to them."""

import json
from typing import Any

from schemas.messages.allocation import CashAllocated, CrossAllocated
from schemas.messages.core import CashEntry, Cause, OrderStatus
from schemas.messages.netting import CrossExecuted, ParentClosed
from schemas.messages.routing import FillBooked
from streams.allocation import ALLOCATION
from streams.allocation.commands import AllocateCross, AllocateFill, FinishCash, RestateFill
from tests.support.builders import instrument
from tests.support.given import given
from tests.support.netting import (
    PARENT,
    booked,
    busted,
    buy,
    close_window,
    corrected,
    epoch_closed,
    epoch_opened,
    members,
    netting,
    sell,
)
from tests.support.shared import shared

CLOSED = ParentClosed(
    parent_id=PARENT, status=OrderStatus.EXPIRED, quantity=1_000, filled_quantity=444
)
FINISH = FinishCash(parent_id=PARENT)


def case() -> Any:
    return json.loads(shared("quant/vectors/10_crossing.json").read_text())["average_price"]


def paid(history: tuple[Any, ...], *fills: FillBooked) -> tuple[Any, ...]:
    for fill in fills:
        history = (*history, fill)
        history += given(ALLOCATION, *history).when(AllocateFill(fill=fill)).events()
    return history


def cash_of(event: CashAllocated) -> dict[str, int]:
    return {entry.order_id: entry.cash_e9 for entry in event.entries}


def vector_history() -> tuple[Any, ...]:
    epoch = epoch_opened(1, members(b1=700, b2=200, b3=100))
    fills = [
        booked(f"F{i}", quantity, price_e9=price)
        for i, (quantity, price) in enumerate(case()["fills"])
    ]
    return (*paid((epoch,), *fills), epoch_closed(1), CLOSED)


def test_the_vectors_pool_is_divided_as_recorded() -> None:
    (event,) = given(ALLOCATION, *vector_history()).when(FINISH).events()
    assert {entry.order_id: entry.quantity for entry in event.entries} == case()["alloc"]
    assert event.cash_e9 == case()["total_cash"]
    assert cash_of(event) == case()["client_cash"]
    assert event.version == 1
    given(ALLOCATION, *vector_history()).when(FINISH).then(event)


def test_an_epoch_that_is_open_or_empty_has_no_cash_yet() -> None:
    opened = paid((epoch_opened(1, members(A=10)),), booked("F1", 4))
    given(ALLOCATION, *opened).when(FINISH).then()
    given(ALLOCATION, epoch_opened(1, members(A=10)), epoch_closed(1), CLOSED).when(FINISH).then()
    given(ALLOCATION).when(FINISH).then()


def test_a_live_tail_holds_the_pool_open_until_it_is_paid_or_the_parent_closes() -> None:
    opened = paid((epoch_opened(1, members(A=10)),), booked("F1", 4, price_e9=100))
    tailed = (*opened, epoch_closed(1, members(A=6)))
    given(ALLOCATION, *tailed).when(FINISH).then()
    part = paid(tailed, booked("F2", 2, price_e9=103))
    given(ALLOCATION, *part).when(FINISH).then()
    (event,) = given(ALLOCATION, *part, CLOSED).when(FINISH).events()
    assert (event.quantity, event.cash_e9) == (6, 606)
    whole = paid(part, booked("F3", 4, price_e9=100))
    (event,) = given(ALLOCATION, *whole).when(FINISH).events()
    assert (event.quantity, event.cash_e9) == (10, 1_006)


def test_fees_and_rebates_are_divided_like_cash() -> None:
    epoch = epoch_opened(1, members(A=2, B=1))
    fills = (booked("F1", 2, price_e9=100, fee_e9=-10), booked("F2", 1, price_e9=101, fee_e9=3))
    (event,) = (
        given(ALLOCATION, *paid((epoch,), *fills), epoch_closed(1), CLOSED).when(FINISH).events()
    )
    assert event.fee_e9 == -7
    assert event.entries == (
        CashEntry(order_id="A", quantity=2, cash_e9=201, fee_e9=-5),
        CashEntry(order_id="B", quantity=1, cash_e9=100, fee_e9=-2),
    )


def given_cash() -> tuple[tuple[Any, ...], FillBooked]:
    history = vector_history()
    first = next(event for event in history if isinstance(event, FillBooked))
    return (*history, *given(ALLOCATION, *history).when(FINISH).events()), first


def test_a_bust_after_the_end_restates_shares_and_cash() -> None:
    history, first = given_cash()
    bust = busted(first)
    restated, cash = given(ALLOCATION, *history, bust).when(RestateFill(change=bust)).events()
    assert sum(entry.quantity for entry in restated.entries) == -first.quantity
    assert (cash.version, cash.quantity) == (2, 344)
    assert cash.cash_e9 == sum(entry.cash_e9 for entry in cash.entries)
    assert cash.cash_e9 == case()["total_cash"] - first.cash_e9
    given(ALLOCATION, *history, bust).when(RestateFill(change=bust)).then(restated, cash)


def test_a_corrected_price_after_the_end_restates_cash_alone() -> None:
    history, first = given_cash()
    change = corrected(first, first.quantity, first.price_e9 - 100)
    (cash,) = given(ALLOCATION, *history, change).when(RestateFill(change=change)).events()
    assert isinstance(cash, CashAllocated)
    assert cash.cash_e9 == case()["total_cash"] - 100 * first.quantity
    assert {entry.order_id: entry.quantity for entry in cash.entries} == case()["alloc"]


def test_an_epoch_whose_every_fill_was_busted_gives_all_cash_back() -> None:
    epoch = epoch_opened(1, members(A=2, B=1))
    fill = booked("F1", 2)
    history = (*paid((epoch,), fill), epoch_closed(1), CLOSED)
    history += given(ALLOCATION, *history).when(FINISH).events()
    _, cash = (
        given(ALLOCATION, *history, busted(fill)).when(RestateFill(change=busted(fill))).events()
    )
    assert (cash.version, cash.quantity, cash.cash_e9, cash.entries) == (2, 0, 0, ())


def test_both_sides_of_a_cross_pay_and_get_the_same_to_the_unit() -> None:
    history = (buy("b1", 700), buy("b2", 200), buy("b3", 100), sell("s1", 333), sell("s2", 111))
    (cross,) = [
        event
        for event in netting(*history).when(close_window()).events()
        if isinstance(event, CrossExecuted)
    ]
    odd = instrument(quantity_scale=7)  # seven units are a whole: cash is no multiple of shares
    (event,) = given(ALLOCATION, cross).when(AllocateCross(cross=cross, instrument=odd)).events()
    assert isinstance(event, CrossAllocated)
    total = odd.cash_e9(cross.price_e9, 444)
    assert [entry.quantity for entry in event.buys] == [311, 89, 44]
    assert [entry.quantity for entry in event.sells] == [333, 111]
    for side in (event.buys, event.sells):
        assert sum(entry.cash_e9 for entry in side) == total
        for entry in side:
            assert abs(entry.cash_e9 * 444 - total * entry.quantity) < 444
    given(ALLOCATION, cross).when(AllocateCross(cross=cross, instrument=odd)).then(event)


def test_a_corrected_quantity_after_the_end_names_its_cause() -> None:
    history, first = given_cash()
    change = corrected(first, first.quantity - 10, first.price_e9)
    restated, _ = given(ALLOCATION, *history, change).when(RestateFill(change=change)).events()
    assert restated.cause is Cause.CORRECTION
    assert sum(entry.quantity for entry in restated.entries) == -10
