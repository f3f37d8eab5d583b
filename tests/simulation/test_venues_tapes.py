"""Recorded days with what a scenario adds to them: calls, halts and our own impact."""

from typing import Any

import pytest

from schemas.messages.core import ExecType, PhaseKind, Side, TimeInForce, TradingStatus
from schemas.messages.market import AuctionIndicated, BookUpdated, TradingStatusChanged
from schemas.messages.venues import ExecutionReport
from services.venues.conditions import ORDINARY, Conditions
from services.venues.scenario import Day, Scenario, plan_day
from tests.support.shared import shared
from tests.support.venue_driver import VenueDriver, child_placed

FOLDERS = ("lobster", "binance")
ADDED = Conditions(opening_s=5, closing_s=10, halts=1, impact_per_cent=100)


def day_of(folder: str, conditions: Conditions) -> Day:
    tape = shared(f"data/{folder}")
    return plan_day(Scenario(seed=7, minutes=1, orders=0, tape=tape, conditions=conditions))


def play(day: Day, children: dict[int, list[Any]], steps: int) -> list[Any]:
    driver, heard = VenueDriver(day), []
    for step in range(1, steps + 1):
        heard += [each.message for each in driver.step(children.get(step, []))]
    return heard


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_tape_takes_what_is_added(folder: str) -> None:
    day = day_of(folder, ADDED)
    heard = play(day, {}, day.steps)
    statuses = [m.status for m in heard if isinstance(m, TradingStatusChanged)]
    assert statuses[1:] == [TradingStatus.AUCTION, TradingStatus.TRADING]
    finals = [m for m in heard if isinstance(m, AuctionIndicated) and m.is_final]
    kinds = {m.auction for m in finals}
    # The crypto venues hold none: their instruments trade on at all hours.
    assert kinds == ({*CALLS} if folder == "lobster" else set())


CALLS = (PhaseKind.OPENING_AUCTION, PhaseKind.CONTINUOUS, PhaseKind.CLOSING_AUCTION)


def test_our_sweep_moves_the_recorded_price_only_when_asked() -> None:
    moved, usual = day_of("lobster", Conditions(impact_per_cent=100)), day_of("lobster", ORDINARY)
    (instrument_id,) = moved.terms.instruments
    assert usual.terms.impact == {} and set(moved.terms.impact) == {instrument_id}
    order = child_placed(
        "c.1.1",
        instrument_id=instrument_id,
        quantity=400,
        side=Side.BUY,
        price_e9=1_000_000_000_000,
        time_in_force=TimeInForce.IOC,
    )
    prices = []
    for day in (moved, usual):
        heard = play(day, {10: [order]}, 14)
        fills = [
            m for m in heard if isinstance(m, ExecutionReport) and m.exec_type is ExecType.TRADE
        ]
        books = [m for m in heard if isinstance(m, BookUpdated) and m.venue_id == "OST" and m.bids]
        assert sum(fill.last_quantity for fill in fills) > 0
        prices.append(books[-1].bids[0].price_e9)
    assert prices[0] > prices[1]
