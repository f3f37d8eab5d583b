"""The routers' part of the evidence: every logic is told, in each unit, and the limit is kept."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.execution.__main__ import DATA, PAGE, main
from benchmarks.execution.cases import Case, Key, Orders, run_case
from benchmarks.execution.decisions import decision_report, over_limit
from benchmarks.execution.evidence import compared, repeated, report, value
from benchmarks.execution.experiment import Experiment
from benchmarks.execution.experiments import experiments
from benchmarks.execution.hidden import hidden_report
from benchmarks.execution.host import run_day
from benchmarks.execution.market import Market, Setting
from benchmarks.execution.measure import Outcome
from benchmarks.execution.routers import LOGICS, NAIVE, ONE_VENUE, ROUTERS, taped_routers
from benchmarks.execution.verdicts import summary, verdicts
from schemas.messages.control import VenueDefined
from schemas.messages.core import Side, StrategyKind, Urgency, VenueKind
from schemas.messages.market import BookUpdated

SHORT = Setting(minutes=3)
ORDERS = Orders(starts_s=20, window_s=100)
FIGURES = ("arrival", "unit", "unmet")
PAIRS = (("ours", "naive", FIGURES), ("alone", "naive", FIGURES), ("ours", "alone", FIGURES))
EXPERIMENT = Experiment(
    "routers", "R", SHORT, ORDERS, (), PAIRS, is_routers=True, left_out=(("x", "has no dark"),)
)


def outcome(arrival: float, *, price: float = 50.0, shares: int = 100, sent: int = 400) -> Outcome:
    return Outcome(
        parent_id="P1",
        instrument_id="ALDER",
        side=Side.BUY,
        start_ns=0,
        ordered=shares,
        filled=shares,
        notional=shares * price,
        arrival=arrival,
        vwap=0.0,
        close=0.0,
        fees=0.0,
        gap=0.0,
        rate=12.0,
        passive=0.5,
        seconds=1.0,
        children=3,
        others=450,
        price=price,
        sent=sent,
        decided={"SWEEP": 3, "PARALLEL": 1},
    )


def days(costs: list[float]) -> dict[Key, Outcome]:
    return {(seed, "ALDER", 0, Side.BUY): outcome(cost) for seed, cost in enumerate(costs)}


def test_every_logic_is_held_against_every_naive_router_or_said_to_be_left_out() -> None:
    for experiment in (*ROUTERS, *taped_routers(Path("tapes"))):
        told = {(ours, other) for ours, other, _ in experiment.pairs}
        names = {case.name for case in experiment.cases}
        left = {name for name, _ in experiment.left_out}
        logics = set(LOGICS) - left
        assert left < set(LOGICS) and names == {"ours", *logics, *NAIVE}
        assert {(ours, naive) for ours in ("ours", *logics) for naive in NAIVE} <= told
        assert {("ours", logic) for logic in logics} <= told
        for _, _, figures in experiment.pairs:
            assert {"arrival", "unit", "unfilled", "unmet"} <= set(figures)


def test_a_cost_by_share_counts_shares_and_one_in_basis_points_counts_money() -> None:
    keys: list[Key] = [(seed, "ALDER", 0, Side.BUY) for seed in range(2)]
    ours = {keys[0]: outcome(2.0, price=50.0), keys[1]: outcome(8.0, price=150.0)}
    naive = {keys[0]: outcome(0.0, price=50.0), keys[1]: outcome(0.0, price=150.0)}
    # 2 bp of 50 are 10 mills, 8 bp of 150 are 120: as many shares of each.
    assert [value("unit", ours[key]) for key in keys] == pytest.approx([10.0, 120.0])
    assert compared(EXPERIMENT, ours, naive, "unit").mean == pytest.approx(65.0)
    assert compared(EXPERIMENT, ours, naive, "arrival").mean == pytest.approx(6.5)
    assert value("unmet", outcome(0.0, sent=400)) == 75.0


def test_a_logic_that_did_the_same_in_every_order_is_told_once() -> None:
    results = {
        "ours": days([1.0, 1.1, 0.9, 1.0]),
        "alone": days([1.0, 1.1, 0.9, 1.0]),
        "naive": days([2.0, 2.0, 2.0, 2.0]),
    }
    assert repeated(EXPERIMENT, results | {"naive": results["ours"]}) == {"alone": "ours"}
    page = report(EXPERIMENT, results, (1, 2, 3, 4))
    assert "Order for order alone did what ours did" in page
    assert "Left out: x (has no dark)." in page
    assert "| ours | 16 | SWEEP 75.0 %, PARALLEL 25.0 % |" in page
    assert "| ours | naive | -1.00 ± 0.04 better | -5.00 ± 0.20 better | +0.00 ± 0.00 |" in page
    assert "| alone | naive |" not in page and "| ours | alone |" not in page
    told = verdicts(EXPERIMENT, results)
    assert [each.word for each in told] == ["better", "not shown"]  # by share: the same again
    assert "| routers | ours | 1 | 0 | 1 |" in summary(told)


def test_what_is_left_out_and_called_a_sweep_is_so() -> None:
    taking = Case("ours", StrategyKind.IMMEDIATE, Urgency.URGENT)
    sweeping = Case("sweep", StrategyKind.VWAP, router="sweep")
    for case in (taking, sweeping):
        outcomes = dict(run_case(case, SHORT, ORDERS, [3])).values()
        assert {name for each in outcomes for name in each.decided} == {"SWEEP"}


@pytest.mark.skipif(not DATA.exists(), reason="no recorded markets")
def test_a_tape_is_as_the_page_says_of_it() -> None:
    coins = next(each for each in taped_routers(DATA) if each.note == ONE_VENUE)
    assert "no dark venue" in dict(coins.left_out)["liquidity seeking"]
    market, seen = Market(replace(coins.setting, minutes=1), 1), list[Any]()
    venues = [each for each in market.definitions if isinstance(each, VenueDefined)]
    assert venues and all(each.kind is VenueKind.LIT for each in venues)
    run_day(market.day, market.definitions, 1, lambda _, __, message: seen.append(message))
    books: dict[tuple[str, str], BookUpdated] = {}
    crossed = []
    for each in seen:
        if isinstance(each, BookUpdated) and each.bids and each.asks:
            books[each.instrument_id, each.venue_id] = each
            bitcoin = [book for (coin, _), book in books.items() if coin == "BTCUSDT"]
            best = max(book.bids[0].price_e9 for book in bitcoin or [each])
            crossed.append(best > min(book.asks[0].price_e9 for book in bitcoin or [each]))
    assert sum(crossed) > 0.9 * len(crossed)
    assert sorted(coin for coin, _ in books) == ["BTCUSDT", "BTCUSDT", "ETHUSDT"]


def test_the_dark_logic_is_told_by_seed_less_who_sees_what_is_there() -> None:
    page = hidden_report(3)
    assert "less the clairvoyant ± SE" in page
    (ours,) = [line for line in page.splitlines() if line.startswith("| ours | ")]
    assert ours.rstrip(" |").split("| ")[-1].startswith("-")


def test_a_page_above_the_limit_of_the_sweep_is_told() -> None:
    page = decision_report(runs=3)
    row = next(line for line in page.splitlines() if line.startswith("| sweep | 10"))
    assert "| sweep and dark |" in page
    for p99, wrong in (("199.9", ""), ("200.1", "200.1 us is above its limit of 200 us")):
        other = page.replace(row, f"| sweep | 10 | 10 | 100 | 130.0 | {p99} | 130.0 | 280.0 |")
        assert over_limit(other).endswith(wrong) and bool(over_limit(other)) is bool(wrong)
    assert "not timed" in over_limit(page.replace(row, ""))


def test_the_page_keeps_the_limit_of_the_sweep() -> None:
    assert over_limit(PAGE.read_text()) == ""


def test_a_run_for_the_page_fails_without_the_time_of_the_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    asked = ["execution", "--merge", "--keep", str(tmp_path), "--page", str(page)]
    monkeypatch.setattr(sys, "argv", [*asked, "--data", str(tmp_path / "none")])
    with pytest.raises(SystemExit, match=r"page\.md: the sweep .* was not timed"):
        main()
    assert "Not run: " in page.read_text()
    assert all(each.name in page.read_text() for each in experiments(None))


def test_a_time_above_the_limit_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ["execution", "--only", "decisions", "--keep", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", [*asked, "--data", str(tmp_path / "none")])
    monkeypatch.setattr("benchmarks.execution.__main__.commit_of_code", lambda: ("abc", True))
    path = tmp_path / "abc" / "part--decisions.json"
    for p99, is_kept in (("200.1", False), ("199.9", True)):
        row = f"| sweep | 10 | 10 | 100 | 130.0 | {p99} | 130.0 | 280.0 |\n"
        monkeypatch.setattr("benchmarks.execution.__main__.decision_report", lambda row=row: row)
        main()
        assert path.exists() is is_kept
