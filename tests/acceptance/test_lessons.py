"""Defects of other engines (LESSONS, D1 to D12, and user threads), each against the whole shard."""

from typing import Any

import pytest

from schemas.messages.allocation import AllocationRestated, FillAllocated
from schemas.messages.core import (
    Cause,
    ExecType,
    OrderStatus,
    OrderType,
    RejectReason,
    Side,
    StrategyKind,
    Urgency,
)
from schemas.messages.intake import OrderAccepted, OrderClosed
from schemas.messages.netting import ParentClosed
from schemas.messages.routing import (
    ChildCanceled,
    ChildCancelRequested,
    ChildPlaced,
    ChildRejected,
    ChildStatusRequested,
    ChildUnresolved,
    FillBooked,
    FillBusted,
    FillCorrected,
    SuspenseRecorded,
    VenueSuspended,
)
from schemas.messages.strategy import ParentEnded, ScheduleSet, SliceReleased
from streams.core import topics
from tests.support.builders import (
    MINUTE,
    OPEN_NS,
    SECOND,
    TICK,
    book_updated,
    execution_report,
    instrument_defined,
    new_order,
)
from tests.support.shard_host import ListHost, trading_host

URGENT: dict[str, Any] = {"urgency": Urgency.URGENT}
END_NS = OPEN_NS + 10 * MINUTE
TWAP: dict[str, Any] = {
    "strategy": StrategyKind.TWAP,
    "order_type": OrderType.MARKET,
    "limit_price_e9": None,
    "end_ns": END_NS,
}


class Market:
    """An honest venue that fills when it is told to, and a clock that shows books each second."""

    def __init__(self, host: ListHost | None = None) -> None:
        self.host = trading_host() if host is None else host
        self.told: dict[str, None] = {}
        self.execs = 0

    def seconds(self, count: int, *, answers: bool = True, fills: bool = False) -> list[Any]:
        """Let time pass; with `answers`, children are acknowledged, canceled or expire as asked."""
        written: list[Any] = []
        for _ in range(count):
            self.host.put(topics.MARKET_DATA, *[book_updated(f"V{n}") for n in range(1, 4)])
            if answers:
                self._answer(fills=fills)
            written += self.host.step(self.host.now_ns + SECOND)
        return written

    def order(self, client_order_id: str = "c1", quantity: int = 100, **changes: Any) -> None:
        self.host.put(
            topics.ORDERS_COMMANDS, new_order(client_order_id, quantity=quantity, **changes)
        )

    def say(self, child: ChildPlaced, exec_type: ExecType, status: OrderStatus, **more: Any) -> str:
        """Say something of a child; return its ExecID."""
        self.execs += 1
        exec_id = str(more.pop("exec_id", f"x{self.execs}"))
        fields: dict[str, Any] = {
            "venue_id": child.venue_id,
            "side": child.side,
            "exec_type": exec_type,
            "order_status": status,
            "last_quantity": 0,
            "last_price_e9": None,
            "cumulative_quantity": 0,
            "leaves_quantity": 0,
            "transact_ns": self.host.now_ns,
            **more,
        }
        self.host.put(
            topics.VENUES_REPORTS,
            execution_report(str(fields.pop("child_id", child.child_id)), exec_id, **fields),
        )
        return exec_id

    def fill(self, child: ChildPlaced, quantity: int, cumulative: int, **more: Any) -> str:
        status = OrderStatus.FILLED
        if cumulative < child.quantity:
            status = OrderStatus.PARTIALLY_FILLED
        return self.say(
            child,
            ExecType.TRADE,
            status,
            last_quantity=quantity,
            last_price_e9=100 * 10**9,
            cumulative_quantity=cumulative,
            leaves_quantity=child.quantity - cumulative,
            **more,
        )

    def placed(self) -> list[ChildPlaced]:
        return self.host.messages(ChildPlaced)

    def _answer(self, *, fills: bool) -> None:
        canceled = {each.child_id for each in self.host.messages(ChildCancelRequested)}
        for child in self.placed():
            if child.child_id in self.told:
                continue
            is_final = child.child_id in canceled or child.rest_until_ns == 0
            if fills:
                self.told[child.child_id] = None
                self.fill(child, child.quantity, child.quantity)
            elif is_final:
                self.told[child.child_id] = None
                self.say(child, ExecType.CANCELED, OrderStatus.CANCELED)
            elif f"{child.child_id}/new" not in self.told:
                self.told[f"{child.child_id}/new"] = None
                leaves: dict[str, Any] = {"leaves_quantity": child.quantity}
                self.say(child, ExecType.NEW, OrderStatus.NEW, **leaves)


def bought(market: Market, quantity: int = 100) -> ChildPlaced:
    """Return the first child of an order that rests below the market."""
    terms: dict[str, Any] = {"strategy": StrategyKind.IMMEDIATE, "order_type": OrderType.LIMIT}
    market.order(quantity=quantity, limit_price_e9=9_990 * TICK, **terms, **URGENT)
    market.seconds(1, answers=False)
    return market.placed()[0]


def filled(market: Market) -> int:
    """Return what was paid to orders, busts and corrections applied."""
    host = market.host
    given = [e.quantity for m in host.messages(FillAllocated) for e in m.entries]
    changed = [e.quantity for m in host.messages(AllocationRestated) for e in m.entries]
    return sum(given) + sum(changed)


def test_d1_a_timer_does_not_send_again_while_a_cancel_is_on_its_way() -> None:
    """VNA iceberg: cancel and forget, then send the display quantity again: over-fills."""
    market = Market()
    child = bought(market)
    market.say(child, ExecType.NEW, OrderStatus.NEW, leaves_quantity=100)
    market.seconds(20, answers=False)
    assert len(market.host.messages(ChildCancelRequested)) == 1
    assert len(market.placed()) == 1  # the cancel has no answer: nothing is sent
    market.fill(child, 100, 100)
    market.seconds(30, answers=False)
    assert len(market.placed()) == 1 and filled(market) == 100


def test_d2_a_slice_that_was_canceled_unfilled_is_worked_again_and_the_order_completes() -> None:
    """VNA TWAP: no catch-up; it ends at its time with whatever is left."""
    market = Market()
    market.order(**TWAP)
    market.seconds(300)  # every child is canceled unfilled in the first half
    assert filled(market) == 0 and len(market.placed()) > 2
    market.seconds(310, fills=True)
    assert filled(market) == 100
    (closed,) = market.host.messages(OrderClosed)
    assert closed.status is OrderStatus.FILLED


def test_d3_a_fill_of_a_child_that_another_one_replaced_is_not_forgotten() -> None:
    """HB TWAP: the replaced order leaves the plan, and its fills with it."""
    market = Market()
    child = bought(market)
    market.say(child, ExecType.NEW, OrderStatus.NEW, leaves_quantity=100)
    market.seconds(16, answers=False)
    market.say(child, ExecType.CANCELED, OrderStatus.CANCELED, cumulative_quantity=40)
    market.seconds(1, answers=False)
    again = market.placed()[-1]
    assert again.child_id != child.child_id and again.quantity == 60
    market.fill(child, 40, 40, order_status=OrderStatus.CANCELED)
    market.fill(again, 60, 60)
    market.seconds(2, answers=False)
    assert filled(market) == 100


def test_d4_the_last_sweep_takes_only_what_no_child_under_cancel_may_still_fill() -> None:
    """ABI: a market order for the rest while cancels are in flight."""
    market = Market()
    market.order(**TWAP)
    market.seconds(590, answers=False)  # the venue never answers a cancel
    live = sum(child.quantity for child in market.placed())
    assert live <= 100
    for child in market.placed():
        market.fill(child, child.quantity, child.quantity)
    market.seconds(30, answers=False)
    assert filled(market) == live <= 100


def test_d5_a_bust_that_carries_quantity_and_price_takes_back_and_never_adds() -> None:
    """EMP: LastQty and LastPx are booked before ExecType is looked at; unknown ids are dropped."""
    market = Market()
    child = bought(market)
    exec_id = market.fill(child, 30, 30)
    price: dict[str, Any] = {
        "last_quantity": 30,
        "last_price_e9": 100 * 10**9,
        "exec_ref_id": exec_id,
    }
    market.say(child, ExecType.TRADE_CANCEL, OrderStatus.PARTIALLY_FILLED, **price)
    market.fill(child, 10, 10, child_id="P9.9.9")
    market.seconds(1, answers=False)
    (bust,) = market.host.messages(FillBusted)
    assert (bust.quantity, filled(market)) == (30, 0)
    (kept,) = market.host.messages(SuspenseRecorded)
    assert (kept.quantity, kept.reason) == (10, RejectReason.UNKNOWN_CHILD)


@pytest.mark.parametrize(
    ("exec_type", "status"),
    [
        (ExecType.REJECTED, OrderStatus.REJECTED),
        (ExecType.EXPIRED, OrderStatus.EXPIRED),
        (ExecType.DONE_FOR_DAY, OrderStatus.DONE_FOR_DAY),
    ],
)
def test_d6_rejects_and_expiries_free_a_child(exec_type: ExecType, status: OrderStatus) -> None:
    """OTP: rejects, expiries, busts and corrections are ignored: exposed for ever."""
    market = Market()
    child = bought(market)
    market.say(child, exec_type, status)
    market.seconds(1, answers=False)
    freed: list[Any] = [*market.host.messages(ChildRejected)]
    freed += market.host.messages(ChildCanceled)
    assert [each.child_id for each in freed] == [child.child_id]
    assert market.placed()[-1].quantity == 100 and len(market.placed()) == 2


def test_d6_busts_and_corrections_reach_the_order() -> None:
    market = Market()
    child = bought(market)
    first = market.fill(child, 30, 30)
    second = market.fill(child, 20, 50)
    market.say(
        child,
        ExecType.TRADE_CANCEL,
        OrderStatus.PARTIALLY_FILLED,
        exec_ref_id=first,
        cumulative_quantity=20,
    )
    price: dict[str, Any] = {
        "last_quantity": 5,
        "last_price_e9": 100 * 10**9,
        "exec_ref_id": second,
    }
    market.say(child, ExecType.TRADE_CORRECT, OrderStatus.PARTIALLY_FILLED, **price)
    market.seconds(1, answers=False)
    assert filled(market) == 5


def test_d7_a_correction_or_restatement_is_no_fill() -> None:
    """MC: FILLS contains TradeCorrect and Restated; a TradeCancel reverses nothing."""
    market = Market()
    child = bought(market)
    exec_id = market.fill(child, 30, 30)
    price: dict[str, Any] = {
        "last_quantity": 30,
        "last_price_e9": 99 * 10**9,
        "exec_ref_id": exec_id,
    }
    market.say(child, ExecType.TRADE_CORRECT, OrderStatus.PARTIALLY_FILLED, **price)
    market.say(
        child,
        ExecType.RESTATED,
        OrderStatus.PARTIALLY_FILLED,
        last_quantity=30,
        last_price_e9=100 * 10**9,
        cumulative_quantity=30,
        leaves_quantity=70,
    )
    market.seconds(1, answers=False)
    assert len(market.host.messages(FillBooked)) == 1
    (corrected,) = market.host.messages(FillCorrected)
    assert (corrected.quantity, corrected.price_e9) == (30, 99 * 10**9)
    assert filled(market) == 30


def test_d8_the_last_slice_of_a_sell_sells() -> None:
    """WT: max(min lots, difference) makes the catch-all slice of a sell a buy."""
    market = Market()
    market.order(**TWAP, side=Side.SELL)
    market.seconds(610, fills=False)
    sides = {child.side.value for child in market.placed()}
    assert sides == {"SELL"}
    assert all(child.quantity > 0 for child in market.placed())


def test_d9_a_schedule_survives_a_restart_and_is_planned_again() -> None:
    """NT TWAP: sizes fixed at the start and held in memory only; market orders; no re-plan."""
    market = Market()
    market.order(**TWAP)
    market.seconds(200)
    market.host.recover()  # a new process folds what is recorded; it must know the same
    before = len(market.host.messages(SliceReleased))
    market.seconds(100, fills=True)
    assert len(market.host.messages(SliceReleased)) > before
    assert filled(market) > 0
    assert len(market.host.messages(ScheduleSet)) >= 1


def test_d10_a_fill_after_its_cancel_was_settled_is_not_worked_twice() -> None:
    """NT: the canceled quantity is given back, then its late fill comes on top."""
    market = Market()
    child = bought(market)
    market.say(child, ExecType.CANCELED, OrderStatus.CANCELED)  # the venue denies any fill
    market.seconds(1, answers=False)
    again = market.placed()[-1]
    assert again.quantity == 100
    market.fill(child, 30, 30, order_status=OrderStatus.CANCELED)
    market.fill(again, 100, 100)
    market.seconds(2, answers=False)
    assert filled(market) == 100
    assert sum(each.error_quantity for each in market.host.messages(FillBooked)) == 30


def test_d11_one_instrument_without_data_stops_no_other_and_ends_by_its_time() -> None:
    """LEAN VWAP: return instead of continue skips all later targets; never completes by a time."""
    host = trading_host(instrument_defined(instrument_id="MUTE"))
    market = Market(host)
    host.put(topics.MARKET_DATA, book_updated("V1", instrument_id="MUTE"))  # and nothing more
    market.order("m1", **{**TWAP, "instrument_id": "MUTE"})
    market.order("c1", **TWAP)
    market.seconds(610, fills=True)
    closed = {each.order_id: each.status for each in host.messages(OrderClosed)}
    names = {each.order_id: each.client_order_id for each in host.messages(OrderAccepted)}
    by_name = {names[order_id]: status for order_id, status in closed.items()}
    assert by_name == {"m1": OrderStatus.EXPIRED, "c1": OrderStatus.FILLED}


def test_d12_ten_minutes_are_ten_minutes() -> None:
    """EMP: time compression defaults to 60, so that a 30-minute schedule runs in 30 seconds."""
    market = Market()
    market.order(quantity=600, **TWAP)
    written = market.seconds(60, fills=True)
    assert 0 < filled(market) <= 600 * 60 // 600 + 60  # a tenth of it, and at most a slot ahead
    assert not [each for each in written if isinstance(each, ParentEnded | ParentClosed)]


def test_thread_5_fewer_shares_than_intervals_are_worked_all_the_same() -> None:
    market = Market()
    market.order(quantity=3, **TWAP)
    market.seconds(610, fills=True)
    assert filled(market) == 3


def test_thread_9_and_31_an_unknown_outcome_is_never_guessed_and_told_in_bounded_time() -> None:
    market = Market()
    child = bought(market)
    market.seconds(200, answers=False)
    assert len(market.host.messages(ChildStatusRequested)) == 5
    (told,) = market.host.messages(ChildUnresolved)
    assert (told.child_id, told.quantity) == (child.child_id, 100)
    assert [each.venue_id for each in market.host.messages(VenueSuspended)] == [child.venue_id]
    assert market.placed() == [child] and filled(market) == 0
    market.fill(child, 100, 100)  # what it was all the time
    market.seconds(1, answers=False)
    assert filled(market) == 100


def test_thread_20_and_25_a_replayed_fill_is_booked_once_also_after_a_restart() -> None:
    market = Market()
    child = bought(market)
    exec_id = market.fill(child, 40, 40)
    market.seconds(1, answers=False)
    market.host.recover()
    for _ in range(3):
        market.fill(child, 40, 40, exec_id=exec_id)
        market.seconds(1, answers=False)
    assert filled(market) == 40


def test_thread_26_no_child_lives_after_the_end() -> None:
    market = Market()
    market.order(**TWAP)
    market.seconds(620)
    canceled = {each.child_id for each in market.host.messages(ChildCanceled)}
    assert canceled == {each.child_id for each in market.placed()}
    (end,) = market.host.messages(ParentEnded)
    assert end.cause is Cause.END_OF_WINDOW
