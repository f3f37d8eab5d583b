"""The harness of the evidence: pairs, errors and naive forms are what the page says they are."""

from pathlib import Path
from random import Random

import pytest

from benchmarks.execution.cases import Case, Key, Orders, run_case
from benchmarks.execution.evidence import compared, report, value
from benchmarks.execution.experiment import Experiment
from benchmarks.execution.experiments import experiments
from benchmarks.execution.hidden import LOTS_MAX, POOLS, SPLITS, Pool, play
from benchmarks.execution.kept import Kept, Piece
from benchmarks.execution.market import Market, Setting
from benchmarks.execution.measure import Outcome
from benchmarks.execution.naive import ROUTERS, SCHEDULES, router, schedule
from benchmarks.execution.tracking import QUANTITY, WORLDS, tracking_error, volumes
from benchmarks.execution.verdicts import summary, verdicts
from schemas.messages.core import Side, StrategyKind
from streams.routing import placement
from streams.strategy.working import METHODS

SHORT = Setting(minutes=3)
ORDERS = Orders(starts_s=20, window_s=100)
VWAP = Case("VWAP", StrategyKind.VWAP)


def outcome(arrival: float, *, filled: int = 100, notional: float = 1.0) -> Outcome:
    return Outcome(
        parent_id="P1",
        instrument_id="ALDER",
        side=Side.BUY,
        start_ns=0,
        ordered=100,
        filled=filled,
        notional=notional,
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
        price=50.0,
        sent=400,
        decided={},
    )


def keys(count: int) -> list[Key]:
    return [(seed, "ALDER", 0, Side.BUY) for seed in range(count)]


EXPERIMENT = Experiment("x", "X", SHORT, ORDERS, (VWAP,), (("VWAP", "VWAP", ("arrival",)),))


def test_a_difference_is_taken_order_by_order() -> None:
    noise = [5.0, -9.0, 30.0, 2.0]
    naive = {key: outcome(each) for key, each in zip(keys(4), noise, strict=True)}
    ours = {key: outcome(each - 1.0) for key, each in zip(keys(4), noise, strict=True)}
    found = compared(EXPERIMENT, ours, naive, "arrival")
    assert found.mean == pytest.approx(-1.0) and found.clustered == pytest.approx(0.0)
    del naive[keys(4)[2]]  # an order that only one of them had proves nothing
    assert compared(EXPERIMENT, ours, naive, "arrival").observations == 3


def test_figures_say_how_far_a_parent_was_from_what_it_wanted() -> None:
    assert value("miss", outcome(0.0)) == 2.0
    assert value("unfilled", outcome(0.0, filled=75)) == 25.0
    # 450 of others make 50 due at a tenth of all.
    assert [value("short", outcome(0.0, filled=filled)) for filled in (75, 40)] == [0.0, 10.0]


def test_the_page_names_configuration_seeds_and_what_is_not_significant() -> None:
    results = {"VWAP": {key: outcome(1.0) for key in keys(4)}}
    page = report(EXPERIMENT, results, (1, 2, 3, 4))
    assert "seeds 1 to 4" in page and "4 parents in 4 clusters" in page
    assert "| not significant | not shown |" in page


def test_every_case_names_a_schedule_and_a_router_that_exist() -> None:
    for experiment in experiments(Path("tapes")):
        names = {case.name for case in experiment.cases}
        for case in experiment.cases:
            assert case.router in ROUTERS
            assert not case.schedule or case.schedule in SCHEDULES
        assert all({ours, naive} <= names for ours, naive, _ in experiment.pairs)


def test_the_market_deviates_from_the_curve_and_the_belief_from_the_market() -> None:
    plain, wrong = (Market(Setting(minutes=4, believed=b), 1) for b in (1.0, 2.0))
    curves = [
        [each.log_volume_e9[0] for each in market.definitions if hasattr(each, "log_volume_e9")]
        for market in (plain, wrong)
    ]
    assert {b - a for a, b in zip(*curves, strict=True)} == {693_147_181}
    days = [Market(Setting(minutes=4), seed).day.source.frame(30).trades for seed in (1, 2)]
    assert days[0] != days[1]


def test_the_same_seed_gives_the_same_outcomes_and_a_naive_form_others() -> None:
    first, again, static = (
        dict(run_case(case, SHORT, ORDERS, [3]))
        for case in (VWAP, VWAP, VWAP._replace(router="round robin"))
    )
    assert first == again
    assert set(first) == set(static) and len(first) == 16
    assert first != static
    assert all(each.filled == each.ordered for each in first.values())


def test_every_order_of_every_window_is_worked() -> None:
    windows = Orders(starts_s=20, window_s=50, windows=2)
    found = dict(run_case(VWAP, SHORT, windows, [3]))
    assert len(found) == 8 * 2 * 2  # shares, windows, bought and sold
    assert len({key[2] for key in found}) == 2


def test_what_replaced_a_router_is_gone_after_the_run() -> None:
    method, chosen = METHODS[StrategyKind.VWAP], vars(placement)["choose"]
    with schedule(StrategyKind.VWAP, SCHEDULES["static curve"]), router(ROUTERS["round robin"]):
        assert METHODS[StrategyKind.VWAP] is not method
        assert vars(placement)["choose"] is not chosen
    assert METHODS[StrategyKind.VWAP] is method
    assert vars(placement)["choose"] is chosen


def test_a_pool_draws_as_its_law_says() -> None:
    pool, random = Pool(*POOLS[0]), Random(5)
    drawn = [pool.draw(random) for _ in range(20_000)]
    for lots in (1, 2, 10, 50):
        part = sum(each >= lots for each in drawn) / len(drawn)
        assert part == pytest.approx(pool.tail[lots], abs=0.015)
    assert max(drawn) <= LOTS_MAX


def test_nobody_beats_who_knows_what_is_there() -> None:
    best = play("clairvoyant", 1)
    assert all(play(name, 1) <= best for name in SPLITS)
    assert play("oracle of the laws", 1) > play("even split", 1)


def test_each_part_of_the_dark_logic_makes_a_difference_when_it_is_left_out() -> None:
    found = [play(name, 1) for name in SPLITS]
    assert len(set(found)) == len(found)


def test_the_summary_tells_better_worse_and_what_is_not_shown() -> None:
    pair = (("VWAP", "naive", ("arrival",)),)
    experiment = EXPERIMENT._replace(pairs=pair)
    told = []
    for less in ([-1.0, -1.1, -0.9, -1.0], [1.0, 1.1, 0.9, 1.0], [1.0, -1.0, 1.0, -1.0]):
        results = {
            "VWAP": {key: outcome(each) for key, each in zip(keys(4), less, strict=True)},
            "naive": {key: outcome(0.0) for key in keys(4)},
        }
        told += verdicts(experiment, results)
    assert [each.word for each in told] == ["better", "worse", "not shown"]
    assert "better in 1, worse in 1; in 1 no difference" in summary(told)


def test_a_schedule_that_knows_the_day_tracks_it_without_error() -> None:
    day = volumes(WORLDS[0], 1)
    known = [QUANTITY * sum(day[: at + 1]) // sum(day) for at in range(len(day))]
    assert tracking_error(known, day) < 0.01
    late = [0, *known[:-1]]
    assert tracking_error(late, day) > 1.0


def test_runs_are_kept_by_case_and_seed_and_gone_on_with(tmp_path: Path) -> None:
    cases = (VWAP, VWAP._replace(name="naive"))
    experiment = EXPERIMENT._replace(cases=cases)
    made: dict[int, dict[Key, Outcome]] = {
        seed: {(seed, "ALDER", 0, Side.BUY): outcome(float(seed))} for seed in (1, 2)
    }
    first = Kept(tmp_path, "abc")
    for case, seed in (("VWAP", 1), ("VWAP", 2), ("naive", 2)):
        first.keep("x", case, seed, Piece(made[seed], 1.5))
    again = Kept(tmp_path, "abc")
    assert again.seeds(experiment, (1, 2, 3)) == (2,)  # of seed 1 a case is missing
    assert again.piece("x", "VWAP", 1) == Piece(made[1], 1.5)
    assert Kept(tmp_path, "abd").seeds(experiment, (1, 2, 3)) == ()  # of other code
    again.keep_part("hidden", 2, "text")
    assert (first.part("hidden"), first.part("tracking")) == ((2, "text"), None)
    assert not list(tmp_path.rglob("*.part"))


def test_what_is_not_a_strategys_aim_is_told_and_not_counted() -> None:
    experiment = EXPERIMENT._replace(pairs=(("CLOSE", "naive", ("arrival",)),))
    results = {
        "CLOSE": {key: outcome(2.0) for key in keys(4)},
        "naive": {key: outcome(0.0) for key in keys(4)},
    }
    told = verdicts(experiment, results)
    assert [each.word for each in told] == ["beside"]
    assert "Of 0 comparisons" in summary(told) and "CLOSE less naive" in summary(told)
    assert "not its aim" in report(experiment, results, (1, 2, 3, 4))
