"""The Binance reader: books without gaps, exact quantities, two venues at once."""

import gzip
import json
from pathlib import Path

import pytest

from schemas.messages.core import Side
from services.venues.binance import BinanceFeed, TapeGapError
from services.venues.scenario import Scenario, plan_day
from tests.support.shared import shared

FAR = 1 << 62
FILES = (
    ("binance_spot/btcusdt_20240808.gz", 5, 3_451),
    ("binance_spot/ethusdt_20240808.gz", 4, 3_434),
    ("binance_usdm/btcusdt_20240808.gz", 5, 6_551),
)


def written(folder: Path, *lines: dict[str, object]) -> BinanceFeed:
    path = folder / "btcusdt_20240808.gz"
    with gzip.open(path, "wt") as file:
        for number, line in enumerate(lines, 1):
            file.write(f"{number} {json.dumps(line)}\n")
    return BinanceFeed(path, 5)


def diff(first: int, last: int, **sides: list[list[str]]) -> dict[str, object]:
    data = {"U": first, "u": last, "b": sides.get("b", []), "a": sides.get("a", [])}
    return {"stream": "btcusdt@depth@100ms", "data": data}


SNAPSHOT: dict[str, object] = {
    "lastUpdateId": 10,
    "bids": [["100.00", "1.50000000"], ["99.00", "2.00000000"]],
    "asks": [["101.00", "1.00000000"]],
}


@pytest.mark.parametrize(("name", "decimals", "diffs"), FILES)
def test_no_update_is_missing_in_the_recorded_books(name: str, decimals: int, diffs: int) -> None:
    feed = BinanceFeed(shared("data/binance") / name, decimals)
    feed.advance(FAR)
    assert feed.diffs == diffs and feed.is_synced
    bids, asks = feed.bids(), feed.asks()
    assert len(bids) == len(asks) == 5 and bids[0][0] < asks[0][0]


def test_a_missing_update_is_an_error(tmp_path: Path) -> None:
    feed = written(tmp_path, SNAPSHOT, diff(11, 12), diff(14, 15))
    with pytest.raises(TapeGapError, match="update 14 does not follow 12"):
        feed.advance(FAR)


def test_diffs_before_the_snapshot_are_applied_after_it(tmp_path: Path) -> None:
    early = diff(8, 11, b=[["100.00", "0.25000000"]])
    old = diff(5, 7, b=[["100.00", "9.00000000"]])
    feed = written(tmp_path, old, early, SNAPSHOT, diff(12, 13, a=[["101.00", "0.00000000"]]))
    feed.advance(3)
    assert feed.bids() == ((100_000_000_000, 25_000), (99_000_000_000, 200_000))
    feed.advance(4)
    assert feed.asks() == ()


def test_between_diffs_the_ticker_says_what_is_best(tmp_path: Path) -> None:
    ticker = {"u": 12, "b": "99.50", "B": "0.10000000", "a": "101.00", "A": "0.30000000"}
    feed = written(tmp_path, SNAPSHOT, {"stream": "btcusdt@bookTicker", "data": ticker})
    feed.advance(FAR)
    assert feed.bids() == ((99_500_000_000, 10_000), (99_000_000_000, 200_000))
    assert feed.asks() == ((101_000_000_000, 30_000),)


def test_one_takers_run_at_a_price_is_one_trade(tmp_path: Path) -> None:
    def trade(price: str, quantity: str, is_sell: bool) -> dict[str, object]:
        data = {"p": price, "q": quantity, "m": is_sell}
        return {"stream": "btcusdt@trade", "data": data}

    feed = written(
        tmp_path,
        trade("100.00", "0.00100000", True),
        trade("100.00", "0.00200000", True),
        trade("100.00", "0.00400000", False),
    )
    assert [(t.quantity, t.is_sell) for t in feed.advance(FAR)] == [(300, True), (400, False)]


def test_two_venues_trade_one_instrument_at_once() -> None:
    folder = shared("data/binance")
    plan = plan_day(Scenario(seed=1, minutes=2, tape=folder, orders=0))
    books = {(each.venue_id, each.instrument_id) for each in plan.source.frame(0).targets}
    assert books == {
        ("BINANCE_SPOT", "BTCUSDT"),
        ("BINANCE_SPOT", "ETHUSDT"),
        ("BINANCE_USDM", "BTCUSDT"),
    }
    trades = [trade for step in range(1, 31) for trade in plan.source.frame(step).trades]
    assert {trade.venue_id for trade in trades} == {"BINANCE_SPOT", "BINANCE_USDM"}
    assert {trade.aggressor for trade in trades} == {Side.BUY, Side.SELL}
    start = plan.terms.start_ns
    assert all(start < trade.at_ns <= start + 30_000_000_000 for trade in trades)


def test_quantities_are_fractional_and_cash_is_whole() -> None:
    plan = plan_day(Scenario(seed=1, minutes=60, tape=shared("data/binance"), orders=10))
    scales = {each.instrument_id: each.quantity_scale for each in plan.terms.instruments.values()}
    assert scales == {"BTCUSDT": 100_000, "ETHUSDT": 10_000}
    for terms in plan.terms.instruments.values():
        assert terms.tick_e9 * terms.lot % (2 * terms.quantity_scale) == 0
    assert 300 < plan.open_steps < 360  # the tape has less than six minutes


def test_an_earlier_step_of_both_venues_can_be_read_again() -> None:
    plan = plan_day(Scenario(seed=1, minutes=1, tape=shared("data/binance"), orders=0))
    frames = [plan.source.frame(step) for step in range(6)]
    assert plan.source.frame(3) == frames[3]
