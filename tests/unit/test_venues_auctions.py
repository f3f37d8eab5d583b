"""Call auctions of the simulated day: entry, indications, one price, ends, and determinism."""

from collections import Counter
from dataclasses import replace
from math import exp
from typing import Any

import pytest

from schemas.messages.control import CalendarDefined, InstrumentDefined
from schemas.messages.core import (
    BookState,
    ExecType,
    Liquidity,
    OrderStatus,
    OrderType,
    PhaseKind,
    PrintKind,
    Side,
    TimeInForce,
)
from schemas.messages.market import AuctionIndicated, BookUpdated, TradePrinted
from schemas.messages.venues import ExecutionReport, OrderCancelReject
from services.venues.application import VenueSimulator
from services.venues.assumptions import AUCTION_SHARES, SHARES
from services.venues.conditions import Conditions
from services.venues.curves import ASSUMED_AUCTIONS, auction_fractions, day_fractions
from services.venues.scenario import Day, Scenario, definitions, plan_day
from services.venues.state import book_key
from streams.shard.reference.checks import check
from tests.support.shared import shared
from tests.support.venue_driver import PARTITIONS, VenueDriver, cancel_requested, child_placed

CLOSING, OPENING = PhaseKind.CLOSING_AUCTION, PhaseKind.OPENING_AUCTION


BILLION = 1_000_000_000
HELD = Conditions(opening_s=20, closing_s=20)
SCENARIO = Scenario(seed=7, minutes=1, orders=0, conditions=HELD)


def day_of(seed: int = 7) -> Day:
    return plan_day(replace(SCENARIO, seed=seed))


DAY = day_of()
HOURS = DAY.hours


def at_close(child_id: str, **changes: Any) -> Any:
    changes = {"time_in_force": TimeInForce.AT_CLOSE, "self_trade_id": "", **changes}
    if changes.get("price_e9", 0) is None:
        changes["order_type"] = OrderType.MARKET
    return child_placed(child_id, **changes)


def play(day: Day, children: dict[int, list[Any]]) -> list[Any]:
    """Run the day; `children` by step. Return every message heard."""
    driver = VenueDriver(day)
    heard = []
    for step in range(1, day.steps + 1):
        heard += [each.message for each in driver.step(children.get(step, []))]
    return heard


def reports(heard: list[Any], child_id: str) -> list[ExecutionReport]:
    return [m for m in heard if isinstance(m, ExecutionReport) and m.child_id == child_id]


def told(heard: list[Any], child_id: str) -> list[tuple[ExecType, int]]:
    kinds = (ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT)  # mishaps, tested elsewhere
    found = reports(heard, child_id)
    return [(m.exec_type, m.last_quantity) for m in found if m.exec_type not in kinds]


def finals(heard: list[Any], kind: PhaseKind) -> list[AuctionIndicated]:
    return [
        m for m in heard if isinstance(m, AuctionIndicated) and m.auction is kind and m.is_final
    ]


def test_every_share_has_both_auctions_at_the_venues_that_hold_them() -> None:
    heard = play(DAY, {})
    for kind in (OPENING, CLOSING):
        held = finals(heard, kind)
        assert Counter(m.venue_id for m in held) == dict.fromkeys(AUCTION_SHARES, len(SHARES))
        assert all(m.is_primary == (m.venue_id == "NORD") for m in held)
        for final in held:
            prints = [
                m
                for m in heard
                if isinstance(m, TradePrinted)
                and m.kind is PrintKind.AUCTION
                and (m.venue_id, m.instrument_id) == (final.venue_id, final.instrument_id)
                and (m.price_e9, m.quantity) == (final.price_e9, final.quantity)
            ]
            assert len(prints) == 1 and prints[0].own_quantity == 0
            assert prints[0].aggressor is Side.UNKNOWN


def test_books_follow_the_hours_and_show_nothing_while_they_are_called() -> None:
    driver = VenueDriver(DAY)
    states: dict[str, list[BookState]] = {"NORD": [], "DUSK": []}
    for _ in range(DAY.steps):
        for each in driver.step():
            if isinstance(each.message, BookUpdated) and each.message.state is BookState.AUCTION:
                assert each.message.bids == each.message.asks == ()
        for venue_id, seen in states.items():
            seen.append(driver.simulator.state.books[book_key(venue_id, "ALDER")].state)
    opened, closed, ended = HOURS.opening_steps, HOURS.close_step, HOURS.end_step
    expected = {
        range(1, opened): (BookState.AUCTION, BookState.CLOSED),
        range(opened, closed): (BookState.OPEN, BookState.OPEN),
        range(closed, ended): (BookState.AUCTION, BookState.CLOSED),
        range(ended, DAY.steps + 1): (BookState.CLOSED, BookState.CLOSED),
    }
    for steps, (lit, dark) in expected.items():
        for step in steps:
            assert (states["NORD"][step - 1], states["DUSK"][step - 1]) == (lit, dark), step


def test_an_order_at_any_price_fills_at_the_price_of_the_auction() -> None:
    heard = play(DAY, {30: [at_close("c.1.1", price_e9=None)]})
    assert told(heard, "c.1.1") == [(ExecType.NEW, 0), (ExecType.TRADE, 100)]
    fill = reports(heard, "c.1.1")[1]
    (final,) = [
        m for m in finals(heard, CLOSING) if (m.venue_id, m.instrument_id) == ("NORD", "ALDER")
    ]
    assert (fill.last_price_e9, fill.liquidity) == (final.price_e9, Liquidity.AUCTION)
    assert fill.transact_ns == HOURS.end_ns
    (own,) = [m for m in heard if isinstance(m, TradePrinted) and m.own_quantity]
    assert (own.own_quantity, own.quantity, own.kind) == (100, final.quantity, PrintKind.AUCTION)


def test_an_opening_order_fills_at_the_open() -> None:
    order = at_close("c.1.1", time_in_force=TimeInForce.AT_OPEN, price_e9=None)
    fill = reports(play(DAY, {1: [order]}), "c.1.1")[1]
    assert (fill.exec_type, fill.transact_ns) == (ExecType.TRADE, HOURS.open_ns)


def test_a_limit_that_the_price_does_not_reach_expires_after_the_auction() -> None:
    far = at_close("c.1.1", price_e9=30_000_000_000)
    heard = play(DAY, {30: [far]})
    assert told(heard, "c.1.1") == [(ExecType.NEW, 0), (ExecType.EXPIRED, 0)]
    assert reports(heard, "c.1.1")[1].transact_ns == HOURS.end_ns
    assert not [m for m in heard if isinstance(m, TradePrinted) and m.own_quantity]


def test_what_nobody_sells_to_us_expires_and_our_order_moves_the_price() -> None:
    quantity = 99_000
    large = at_close("c.1.1", quantity=quantity, price_e9=None)
    heard, without = play(DAY, {30: [large]}), play(DAY, {})
    (_, trade, end) = told(heard, "c.1.1")
    assert trade[0] is ExecType.TRADE and 0 < trade[1] < quantity
    assert end == (ExecType.EXPIRED, 0)
    price, price_without = (
        next(m.price_e9 for m in finals(each, CLOSING) if m.venue_id == "NORD") or 0
        for each in (heard, without)
    )
    assert price > price_without


# step, what is refused
@pytest.mark.parametrize(
    ("step", "changes", "text"),
    [
        (HOURS.close_step, {}, "after the cut-off"),
        (30, {"venue_id": "SUED"}, "no CLOSING_AUCTION here"),
        (30, {"time_in_force": TimeInForce.AT_OPEN}, "after the cut-off"),
        (30, {"price_e9": 41_000_000_001}, "not a multiple"),
        (30, {"venue_id": "DUSK"}, "no CLOSING_AUCTION here"),
    ],
)
def test_what_no_auction_takes_is_refused(step: int, changes: dict[str, Any], text: str) -> None:
    (report,) = reports(play(DAY, {step: [at_close("c.1.1", **changes)]}), "c.1.1")
    assert (report.exec_type, report.order_status) == (ExecType.REJECTED, OrderStatus.REJECTED)
    assert text in report.text


def test_nobody_gets_out_after_the_cut_off() -> None:
    order = at_close("c.1.1", price_e9=None)
    cutoff = (HOURS.closing_cutoff_ns - HOURS.start_ns) // HOURS.step_ns
    early = play(DAY, {30: [order], cutoff: [cancel_requested(order)]})
    assert told(early, "c.1.1") == [(ExecType.NEW, 0), (ExecType.CANCELED, 0)]
    late = play(DAY, {30: [order], cutoff + 1: [cancel_requested(order)]})
    assert told(late, "c.1.1") == [(ExecType.NEW, 0), (ExecType.TRADE, 100)]
    (reject,) = [m for m in late if isinstance(m, OrderCancelReject)]
    assert "the auction is called" in reject.text


def test_a_resting_order_ends_with_continuous_trading() -> None:
    resting = child_placed("c.1.1", price_e9=40_000_000_000)
    heard = play(DAY, {30: [resting]})
    assert told(heard, "c.1.1")[-1] == (ExecType.EXPIRED, 0)
    assert reports(heard, "c.1.1")[-1].transact_ns == HOURS.close_ns


def test_our_buys_and_sells_share_the_price_and_one_print() -> None:
    orders = [
        at_close("c.1.1", price_e9=None),
        at_close("c.1.2", price_e9=None, side=Side.SELL, quantity=60),
    ]
    heard = play(DAY, {30: orders})
    fills = [reports(heard, child_id)[1] for child_id in ("c.1.1", "c.1.2")]
    assert fills[0].last_price_e9 == fills[1].last_price_e9
    (own,) = [m for m in heard if isinstance(m, TradePrinted) and m.own_quantity]
    assert own.own_quantity == 100


def test_indications_grow_up_to_the_cut_off_and_know_our_orders() -> None:
    def shown(heard: list[Any]) -> list[AuctionIndicated]:
        return [
            m
            for m in heard
            if isinstance(m, AuctionIndicated)
            and (m.venue_id, m.instrument_id, m.auction) == ("NORD", "ALDER", CLOSING)
        ]

    indications = shown(play(DAY, {}))
    assert indications[0].quantity == 0 and not indications[0].is_final
    quantities = [m.quantity for m in indications if not m.is_final]
    assert quantities == sorted(quantities) and quantities[-1] > 0
    assert [m.is_final for m in indications] == [False] * len(quantities) + [True]
    with_us = shown(play(DAY, {30: [at_close("c.1.1", quantity=5_000, price_e9=None)]}))
    assert with_us[-1].quantity != indications[-1].quantity or (
        with_us[-1].imbalance_quantity != indications[-1].imbalance_quantity
    )


def test_equal_days_are_equal_and_a_snapshot_in_the_call_goes_on_alike() -> None:
    children = {30: [at_close("c.1.1", price_e9=None)], 31: [at_close("c.1.2", venue_id="OST")]}
    assert play(DAY, children) == play(day_of(), children)
    assert play(DAY, children) != play(day_of(8), children)
    live = VenueDriver(DAY)
    for step in range(1, HOURS.close_step + 3):
        live.step(children.get(step, []))
    again = VenueDriver(DAY)
    again.simulator = VenueSimulator(day_of(), PARTITIONS)
    again.simulator.load(live.simulator.snapshot())
    for _ in range(HOURS.close_step + 3, DAY.steps + 1):
        assert [e.message for e in live.step()] == [e.message for e in again.step()]
    assert live.simulator.snapshot() == again.simulator.snapshot()


def test_the_calendar_says_the_hours_and_stands() -> None:
    messages = definitions(SCENARIO)
    (calendar,) = [m for m in messages if isinstance(m, CalendarDefined)]
    check(calendar)
    instruments = [m for m in messages if isinstance(m, InstrumentDefined)]
    assert {m.calendar_id for m in instruments} == {calendar.calendar_id}
    phases = calendar.sessions[0].phases
    assert [phase.kind for phase in phases] == [OPENING, PhaseKind.CONTINUOUS, CLOSING]
    assert phases[2].cutoff_ns == HOURS.closing_cutoff_ns < phases[2].start_ns
    assert not [m for m in definitions(Scenario(orders=0)) if isinstance(m, CalendarDefined)]


def test_the_auctions_trade_their_part_of_the_day() -> None:
    facts = shared("facts/us_equity_volume_curves.json")
    for ordinal in range(2):
        opening, closing = auction_fractions(facts, ordinal)
        assert 0 < opening < 0.06e9 and 0.02e9 < closing < 0.12e9
        _, parts = day_fractions(facts, ordinal, (opening, closing))
        assert sum(parts) == pytest.approx(1e9 - opening - closing, rel=1e-6)
        assert min(parts) > 0
        # Less the auctions, the last minutes trade about as much as those before them.
        assert parts[-1] < 2 * parts[-10]
    assert auction_fractions(None, 0) == ASSUMED_AUCTIONS
    played = plan_day(replace(SCENARIO, minutes=30))
    (name, assumed), closing = day_fractions(None, 0, ASSUMED_AUCTIONS), ASSUMED_AUCTIONS[1]
    expected = SHARES[0].daily_volume * sum(assumed[:30]) * closing // sum(assumed) // BILLION
    log_mean = played.curves[0].closing_log_volume_e9
    assert name and log_mean is not None
    half = played.curves[0].auction_var_e9 / 2e9
    assert exp(log_mean / 1e9 + half) == pytest.approx(expected, rel=0.02)
