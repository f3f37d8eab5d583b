"""The LOBSTER reader against the facts beside the file, and the split over three venues."""

import zipfile
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from schemas.messages.core import BookState, Side
from services.venues.assumptions import LIT_SHARES
from services.venues.lobster import LobsterDay, read_rows, read_steps
from services.venues.lobster_tape import LobsterTape, split_level
from services.venues.scenario import Scenario, plan_day
from tests.support.shared import shared

SECOND = 1_000_000_000
NAME = "AMZN_2012-06-21_34200000_57600000"


def amazon() -> LobsterDay:
    return LobsterDay.of(next(shared("data/lobster").glob("*.zip")))


def written(folder: Path, messages: list[str], books: list[str]) -> LobsterDay:
    """Return a small archive in the format of the real one."""
    path = folder / "LOBSTER_test.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{NAME}_message_5.csv", "\r\n".join(messages) + "\r\n")
        archive.writestr(f"{NAME}_orderbook_5.csv", "\r\n".join(books) + "\r\n")
    return LobsterDay.of(path)


def test_the_day_has_the_volume_and_vwap_of_its_readme() -> None:
    volume = hidden = value = 0
    for row in read_rows(amazon()):
        if row.kind in (4, 5):
            volume += row.quantity
            value += row.quantity * row.price_e9
            hidden += row.quantity * (row.kind == 5)
    assert (volume, hidden) == (810_755, 197_507)
    assert round(value / volume / 1e9, 6) == 222.634765


def test_the_name_gives_date_and_hours_in_new_york() -> None:
    day = amazon()
    assert (day.ticker, day.trade_date) == ("AMZN", 20120621)
    assert day.open_ns == 1_340_285_400 * SECOND  # 13:30 UTC, summer time
    assert day.close_ns - day.open_ns == 390 * 60 * SECOND


def test_steps_hold_every_execution_of_the_day_once() -> None:
    day = amazon()
    whole = [row for row in read_rows(day) if row.kind in (4, 5)]
    by_step = [row for step in read_steps(day, SECOND) for row in step.executions]
    assert by_step == whole


def test_books_of_steps_are_ordered_and_not_crossed() -> None:
    for step in islice(read_steps(amazon(), SECOND), 1_800):
        bids, asks = [p for p, _ in step.bids], [p for p, _ in step.asks]
        assert bids == sorted(bids, reverse=True) and asks == sorted(asks)
        assert bids[0] < asks[0]


def test_a_level_that_nobody_occupies_is_left_out(tmp_path: Path) -> None:
    empty = "9999999999,0,-9999999999,0," * 4
    messages = ["34200.1,1,7,10,1000000,1", "34201.5,5,0,3,1000050,-1"]
    books = [f"1000100,20,1000000,10,{empty[:-1]}"] * 2
    _, first, second = read_steps(written(tmp_path, messages, books), SECOND)
    assert first.bids == ((100_000_000_000, 10),) and first.asks == ((100_010_000_000, 20),)
    (row,) = second.executions
    assert (row.price_e9, row.quantity, row.side) == (100_005_000_000, 3, Side.SELL)
    assert row.at_ns % SECOND == SECOND // 2


def test_a_halt_lasts_until_trading_resumes(tmp_path: Path) -> None:
    messages = [
        "34200.5,1,7,10,1000000,1",
        "34201.5,7,0,0,-1,-1",
        "34202.5,7,0,0,0,-1",
        "34203.5,7,0,0,1,-1",
        "34204.5,1,8,10,1000000,1",
    ]
    books = ["1000100,20,1000000,10"] * 5
    steps = read_steps(written(tmp_path, messages, books), SECOND)
    assert [step.state for step in steps] == [
        BookState.OPEN,
        BookState.OPEN,
        BookState.HALTED,
        BookState.HALTED,
        BookState.OPEN,
        BookState.OPEN,
    ]


@pytest.mark.parametrize("size", [1, 2, 7, 99, 100, 12_345])
def test_a_split_level_loses_no_share(size: int) -> None:
    for price_e9 in range(223_000_000_000, 223_100_000_000, 10_000_000):
        parts = split_level(LIT_SHARES, price_e9, size)
        assert sum(part for _, part in parts) == size
        assert all(part > 0 for _, part in parts)


def test_the_venues_together_show_and_print_what_was_recorded() -> None:
    day = amazon()
    plan = plan_day(Scenario(seed=1, minutes=5, tape=day.path.parent, orders=0))
    recorded = read_steps(day, SECOND)
    for step, truth in zip(range(240), recorded, strict=False):
        frame = plan.source.frame(step)
        shown = Counter[int]()
        for target in frame.targets:
            for price_e9, size in target.bids:
                shown[price_e9] += size
        assert shown == dict(truth.bids)
        assert sum(trade.quantity for trade in frame.trades) == sum(
            row.quantity for row in truth.executions
        )


def test_an_earlier_step_can_be_read_again() -> None:
    plan = plan_day(Scenario(seed=1, minutes=5, tape=amazon().path.parent, orders=0))
    frames = [plan.source.frame(step) for step in range(20)]
    assert plan.source.frame(7) == frames[7]


def test_the_name_of_the_tape_says_how_the_book_is_split() -> None:
    name = LobsterTape(amazon(), seed=5).name
    assert "split by seed 5" in name and all(venue_id in name for venue_id in LIT_SHARES)
