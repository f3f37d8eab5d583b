"""What a venue answers: fills, ends, refusals, and its own mistakes."""

from dataclasses import replace
from typing import Any

import msgspec

from schemas.messages.core import (
    BookState,
    ExecType,
    Liquidity,
    OrderStatus,
    OrderType,
    Side,
    TickBand,
    TimeInForce,
)
from schemas.messages.market import BookUpdated, TradePrinted
from schemas.messages.venues import ExecutionReport, OrderCancelReject
from services.venues.exchange import Arrival, open_books, run_step
from services.venues.frames import BookTarget, ContraInterest, Frame, MarketTrade
from services.venues.outbox import StepOutbox
from services.venues.scenario import Scenario, plan_day
from services.venues.state import SimulatorState
from tests.support.venue_driver import cancel_requested, child_placed, status_requested

DAY = plan_day(Scenario(seed=7, minutes=1, orders=0))
TERMS = DAY.terms
TICK = 10_000_000
BID, ASK = 4_100 * TICK, 4_102 * TICK
SECOND = 1_000_000_000


def books(state: BookState = BookState.OPEN, bid: int = BID, ask: int = ASK) -> Frame:
    """Two venues of one share: a hundred on each side at NORD, and the dark one."""
    lit = BookTarget("NORD", "ALDER", state, ((bid, 100),), ((ask, 100), (ask + TICK, 100)))
    return Frame((lit, BookTarget("DUSK", "ALDER", state, (), ())), (), ())


class Venue:
    """A day of one share, one frame at a time."""

    def __init__(self) -> None:
        self.state = SimulatorState()
        self.prints: list[TradePrinted] = []
        self.shown: BookUpdated | None = None
        open_books(self.state, TERMS, books(), StepOutbox(TERMS.start_ns, TERMS.venues))

    def step(self, *messages: Any, frame: Frame | None = None) -> list[Any]:
        """Run a step; return the reports heard."""
        end_ns = TERMS.start_ns + (self.state.step + 1) * SECOND
        out = StepOutbox(end_ns, TERMS.venues)
        arrivals = [Arrival(bytes(16), message) for message in messages]
        run_step(self.state, TERMS, frame or books(), arrivals, out)
        reports = []
        for said in out.in_order():
            assert end_ns - SECOND <= said.source_ns <= end_ns
            if isinstance(said.message, TradePrinted):
                self.prints.append(said.message)
            elif isinstance(said.message, BookUpdated) and said.message.venue_id == "NORD":
                self.shown = said.message
            else:
                reports.append(said.message)
        return [each for each in reports if isinstance(each, ExecutionReport | OrderCancelReject)]


def told(reports: list[Any]) -> list[tuple[ExecType, int]]:
    return [(report.exec_type, report.last_quantity) for report in reports]


def trade(venue: Venue, quantity: int) -> Frame:
    """Somebody sells in the middle of the venue's next step."""
    at_ns = TERMS.start_ns + venue.state.step * SECOND + SECOND // 2
    return books()._replace(
        trades=(MarketTrade(at_ns, "NORD", "ALDER", Side.SELL, quantity, None),)
    )


def test_a_sweep_takes_what_its_limit_allows_and_the_rest_ends() -> None:
    venue = Venue()
    ioc: dict[str, Any] = {"price_e9": ASK, "quantity": 150, "time_in_force": TimeInForce.IOC}
    reports = venue.step(child_placed("c1", **ioc))
    assert told(reports) == [(ExecType.NEW, 0), (ExecType.TRADE, 100), (ExecType.EXPIRED, 0)]
    trade_report, ended = reports[1:]
    assert trade_report.last_price_e9 == ASK and trade_report.liquidity is Liquidity.REMOVED
    assert trade_report.fee_e9 == 100 * TERMS.venues["NORD"].taker_fee_e9 > 0
    assert (ended.cumulative_quantity, ended.leaves_quantity) == (100, 0)
    assert [(each.quantity, each.own_quantity) for each in venue.prints] == [(100, 100)]


def test_a_resting_child_is_shown_waits_its_turn_and_earns_the_rebate() -> None:
    venue = Venue()
    venue.step(child_placed("c1", price_e9=BID, quantity=60))
    assert venue.shown is not None and venue.shown.bids[0].quantity == 160
    assert venue.step(frame=trade(venue, 90)) == []
    reports = venue.step(frame=trade(venue, 30))
    assert told(reports) == [(ExecType.TRADE, 20)]
    assert reports[0].fee_e9 == 20 * TERMS.venues["NORD"].maker_fee_e9 < 0
    assert reports[0].order_status is OrderStatus.PARTIALLY_FILLED
    assert [each.own_quantity for each in venue.prints] == [0, 20]


def test_a_quote_through_a_resting_child_fills_it_at_its_own_price() -> None:
    venue = Venue()
    venue.step(child_placed("c1", price_e9=BID, quantity=60))
    reports = venue.step(frame=books(bid=BID - 3 * TICK, ask=BID - TICK))
    assert [(r.last_quantity, r.last_price_e9) for r in reports] == [(60, BID)]
    assert venue.shown is not None
    assert venue.shown.asks[0].quantity == 40  # what it took of the offer is gone


def test_a_cancel_takes_the_child_off_and_a_second_one_is_refused() -> None:
    venue = Venue()
    placed = child_placed("c1", price_e9=BID, quantity=60)
    venue.step(placed)
    assert told(venue.step(cancel_requested(placed))) == [(ExecType.CANCELED, 0)]
    (reject,) = venue.step(cancel_requested(placed, request=2))
    assert isinstance(reject, OrderCancelReject)
    assert (reject.request, reject.text) == (2, "too late to cancel: CANCELED")


def test_a_child_id_never_executes_twice() -> None:
    venue = Venue()
    ioc: dict[str, Any] = {"price_e9": ASK, "quantity": 50, "time_in_force": TimeInForce.IOC}
    venue.step(child_placed("c1", **ioc))
    (answer,) = venue.step(child_placed("c1", **ioc))
    assert answer.exec_type is ExecType.ORDER_STATUS
    assert (answer.order_status, answer.cumulative_quantity) == (OrderStatus.FILLED, 50)


def test_a_status_request_is_answered_after_the_executions_are_told_again() -> None:
    venue = Venue()
    placed = child_placed("c1", price_e9=ASK, quantity=150)
    away = books(ask=ASK + 5 * TICK)  # so that no new offer meets the rest
    first = venue.step(placed, frame=away)
    again = venue.step(status_requested(placed), frame=away)
    assert again[0] == first[1]
    assert again[1].exec_type is ExecType.ORDER_STATUS
    assert (again[1].cumulative_quantity, again[1].leaves_quantity) == (100, 50)
    (unknown,) = venue.step(status_requested(child_placed("c9")), frame=away)
    assert (unknown.order_status, unknown.text) == (OrderStatus.REJECTED, "unknown order")


def test_our_own_orders_never_trade_with_each_other() -> None:
    venue = Venue()
    venue.step(child_placed("c1", price_e9=BID, quantity=60))
    reports = venue.step(child_placed("c2", side=Side.SELL, price_e9=BID, quantity=150))
    assert [(r.exec_type, r.last_quantity, r.text) for r in reports] == [
        (ExecType.NEW, 0, ""),
        (ExecType.TRADE, 100, ""),
        (ExecType.CANCELED, 0, "self-trade prevention"),
    ]


def test_refusals_name_what_was_wrong() -> None:
    venue = Venue()
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"venue_id": "NOWHERE"}, "not traded here"),
        ({"quantity": 0}, "quantity 0 is neither an odd lot nor a multiple of 1"),
        ({"price_e9": BID + 1}, f"price {BID + 1} is not a multiple of {TICK}"),
        ({"order_type": OrderType.MIDPOINT}, "MIDPOINT orders are not taken here"),
        ({"venue_id": "DUSK"}, "LIMIT orders are not taken here"),
        ({"venue_id": "DUSK", "quantity": 5}, "quantity 5 is below 10"),
        ({"minimum_quantity": 5}, "a minimum quantity is for the dark venue or IOC"),
        ({"price_e9": None}, "a limit order has a price"),
    )
    children = [child_placed(f"c{n}", **changes) for n, (changes, _) in enumerate(wrong)]
    reports = {report.child_id: report for report in venue.step(*children)}
    for n, (_, text) in enumerate(wrong):
        report = reports[f"c{n}"]
        assert (report.exec_type, report.text) == (ExecType.REJECTED, text)
        assert report.cumulative_quantity == report.leaves_quantity == 0


def test_the_dark_venue_meets_interest_at_the_midpoint_down_to_the_minimum() -> None:
    venue = Venue()
    dark: dict[str, Any] = {"venue_id": "DUSK", "order_type": OrderType.MIDPOINT, "price_e9": None}
    venue.step(child_placed("c1", quantity=100, minimum_quantity=50, **dark))

    def interest(quantity: int) -> Frame:
        at_ns = TERMS.start_ns + venue.state.step * SECOND + 5
        coming = ContraInterest(at_ns, "DUSK", "ALDER", Side.SELL, quantity, at_ns + SECOND)
        return books()._replace(interest=(coming,))

    assert venue.step(frame=interest(40)) == []
    reports = venue.step(frame=interest(70))
    assert [(r.last_quantity, r.last_price_e9, r.liquidity) for r in reports] == [
        (70, (BID + ASK) // 2, Liquidity.HIDDEN)
    ]
    assert venue.prints[-1].is_hidden and venue.prints[-1].own_quantity == 70


def test_a_halted_market_takes_no_orders_and_trades_nothing() -> None:
    venue = Venue()
    venue.step(child_placed("c1", price_e9=BID, quantity=60))
    venue.step(frame=books(BookState.HALTED))
    assert venue.shown is not None and venue.shown.state is BookState.HALTED
    halted = trade(venue, 300)._replace(targets=books(BookState.HALTED).targets)
    (refused,) = venue.step(child_placed("c2", price_e9=ASK), frame=halted)
    assert refused.text == "market is HALTED"
    assert venue.prints == []


def test_the_end_of_the_session_ends_what_rests() -> None:
    venue = Venue()
    venue.step(child_placed("c1", price_e9=BID, quantity=60))
    (report,) = venue.step(frame=books(BookState.CLOSED))
    assert (report.exec_type, report.text) == (ExecType.EXPIRED, "session over")
    assert venue.shown is not None and len(venue.shown.bids) == 1
    assert venue.shown.bids[0].quantity == 100


def test_a_minimum_executes_at_once_or_not_at_all() -> None:
    venue = Venue()
    ioc: dict[str, Any] = {"price_e9": ASK, "time_in_force": TimeInForce.IOC}
    reports = venue.step(child_placed("c1", quantity=150, minimum_quantity=120, **ioc))
    assert told(reports) == [(ExecType.NEW, 0), (ExecType.EXPIRED, 0)]
    assert reports[-1].text == "less than 120 there"
    reports = venue.step(child_placed("c2", quantity=150, minimum_quantity=100, **ioc))
    assert told(reports) == [(ExecType.NEW, 0), (ExecType.TRADE, 100), (ExecType.EXPIRED, 0)]


def test_the_book_shows_the_tip_of_an_iceberg() -> None:
    venue = Venue()
    venue.step(child_placed("c1", price_e9=BID, quantity=90, display_quantity=20))
    assert venue.shown is not None and venue.shown.bids[0].quantity == 120


def test_the_tick_goes_by_the_price_band() -> None:
    name, defined = next(iter(TERMS.instruments.items()))
    bands = (TickBand(from_price_e9=100 * TICK, tick_e9=5 * TICK),)
    banded = {name: msgspec.structs.replace(defined, tick_bands=bands)}
    terms = replace(TERMS, instruments=banded)
    ticks = [terms.tick_e9(name, price * TICK) for price in (99, 100, 101)]
    assert ticks == [TICK, 5 * TICK, 5 * TICK]


def test_an_order_that_waits_arrives_the_later() -> None:
    """A router lets orders for near venues wait, so that all of them arrive at once."""
    venue = Venue()
    sent = (child_placed("C1", send_after_ns=400_000), child_placed("C2"))
    reports = [each for each in venue.step(*sent) if each.exec_type is ExecType.NEW]
    first, second = sorted(reports, key=lambda each: each.transact_ns)
    assert (first.child_id, second.child_id) == ("C2", "C1")
    assert second.transact_ns - first.transact_ns == 400_000
