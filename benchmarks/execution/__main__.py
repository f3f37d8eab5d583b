"""`make bench-execution`: strategies and routers against their naive forms, in memory.

Prints every configuration, seed and figure, significant or not, and writes the page. With --keep
it goes on where it was: each run of one case and seed is kept, and only what is missing is run. So
six seeds may be run group by group (--only), and --merge writes the page from what is there.
Routers are cheap to run and differ little: they have a number of seeds of their own. A run that
writes a page fails where the sweep was not timed, or its p99 is above the limit.
"""

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks.execution.decisions import decision_report, over_limit
from benchmarks.execution.evidence import Results, report
from benchmarks.execution.experiment import Experiment
from benchmarks.execution.experiments import experiments
from benchmarks.execution.hidden import hidden_report
from benchmarks.execution.kept import Kept, commit_of_code
from benchmarks.execution.pieces import run_missing
from benchmarks.execution.tracking import tracking_report
from benchmarks.execution.verdicts import Verdict, summary, verdicts

DATA: Final = Path(__file__).parents[3] / "shared" / "data"
DECISIONS: Final = "decisions"
END_S: Final = 30  # between the last window of a shorter day and its close
PAGE: Final = Path(__file__).parents[2] / "docs" / "execution-evidence.md"
INTRODUCTION: Final = """# Evidence: our strategies and routers against their naive forms

Written by `{command}`{state}.
Every figure was run at commit {commit} of engine, simulator, messages and harness, some of it
group by group. The real engine shard and the real simulator in one thread; each naive form
replaces one thing and leaves engine, tactics, router and market as they are. Differences are taken
order by order on the same prices, bought and sold.
Costs in basis points of the benchmark, fees in, + is bad; what an order did not get is charged at
the other side of the quote at its end. A mill is a thousandth of the currency. Of two fill rates
one is the orders' (100 less *not filled*), the other their children's (100 less *sent to venues and
not filled*; what is sent again counts again). Means are weighted by notional, those by share or
coin by these, errors clustered (SPEC section 8); *significant*, or better and worse: zero is
outside the 95 % interval by Student, and there are three clusters at least. With so many rows one
in twenty is significant by chance.
"""


def main() -> None:
    given = _given()
    data = given.data if given.data.exists() else None
    if data is None:
        print(f"no recorded markets in {given.data}: left out")
    commit, is_clean = commit_of_code()
    if not is_clean and given.keep:
        print(f"not committed: what is run is not that of {commit} and is not kept")
    folder = given.keep if is_clean and not (given.minutes or given.case) else None
    kept = Kept(folder, commit)
    chosen = [_shortened(each, given) for each in experiments(data)]
    if not given.merge:
        asked = [each for each in chosen if not given.only or each.name in given.only]
        run_missing([(each, _seeds(each, given)) for each in asked], kept, jobs=given.jobs)
    parts, told, missing = _told(chosen, kept, given)
    page = "\n".join([*_head(commit, missing, is_clean=is_clean), summary(told), *parts])
    if given.page:
        given.page.write_text(page)
        if wrong := over_limit(page):
            sys.exit(f"{given.page.name}: {wrong}")


def _told(
    chosen: list[Experiment], kept: Kept, given: argparse.Namespace
) -> tuple[list[str], list[Verdict], list[str]]:
    """Print and return what was run, what it says in short, and what was not run."""
    parts: list[str] = []
    told: list[Verdict] = []
    missing: list[str] = []
    for experiment in chosen:
        seeds = kept.seeds(experiment, _seeds(experiment, given))
        if not seeds:
            missing.append(experiment.name)
            continue
        results = _results(experiment, kept, seeds)
        parts.append(report(experiment, results, seeds))
        told += verdicts(experiment, results)
        print(parts[-1], flush=True)
        print(f"{experiment.name}: {_took(experiment, kept, seeds)}", flush=True)
    for name, text in _others(kept, given):
        if text:
            parts.append(text)
            print(text, flush=True)
        else:
            missing.append(name)
    return parts, told, missing


def _head(commit: str, missing: list[str], *, is_clean: bool) -> list[str]:
    state = "" if is_clean else ", with changes that are not committed"
    introduction = INTRODUCTION.format(command=_command(), commit=commit, state=state)
    return [introduction, *([f"Not run: {'; '.join(missing)}.\n"] if missing else [])]


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.execution", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2, help="days of the generated market")
    parser.add_argument("--router-seeds", type=int, default=20, help="days of the routers' part")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--only", action="append", help="name of an experiment; repeat for more")
    parser.add_argument("--case", action="append", help="name of a case; repeat for more")
    parser.add_argument("--minutes", type=int, default=0, help="shorter days, to try it out")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of recorded markets")
    parser.add_argument("--page", type=Path, help=f"write the page, such as {PAGE.name}")
    parser.add_argument("--keep", type=Path, help="folder of runs that are kept and gone on with")
    parser.add_argument("--merge", action="store_true", help="run nothing, tell what is kept")
    return parser.parse_args()


def _command() -> str:
    """Return what was asked, without the folders of this machine."""
    words, rest = [], iter(sys.argv[1:])
    for word in rest:
        if word in ("--keep", "--data", "--page", "--jobs"):
            next(rest, None)
        elif not word.startswith(("--keep=", "--data=", "--page=", "--jobs=")):
            words.append(word)
    return shlex.join(["python", "-m", "benchmarks.execution", *words])


def _shortened(experiment: Experiment, given: argparse.Namespace) -> Experiment:
    """Return the experiment in shorter days, with fewer cases, where that is asked for."""
    cases = tuple([e for e in experiment.cases if not given.case or e.name in given.case])
    experiment = experiment._replace(cases=cases)
    if not given.minutes:
        return experiment
    orders = experiment.orders
    room_s = given.minutes * 60 - orders.starts_s - END_S
    return experiment._replace(
        setting=replace(experiment.setting, minutes=given.minutes),
        orders=orders._replace(window_s=min(orders.window_s, room_s // orders.windows)),
    )


def _seeds(experiment: Experiment, given: argparse.Namespace) -> range:
    """Return the days; a tape has one. What was tuned on some is to be judged by others."""
    asked = given.router_seeds if experiment.is_routers else given.seeds
    return range(given.first, given.first + (experiment.seeds or asked))


def _results(experiment: Experiment, kept: Kept, seeds: tuple[int, ...]) -> Results:
    results = {}
    for case in experiment.cases:
        pieces = [kept.piece(experiment.name, case.name, seed) for seed in seeds]
        results[case.name] = {
            key: outcome
            for piece in pieces
            if piece is not None
            for key, outcome in piece.outcomes.items()
        }
    return results


def _took(experiment: Experiment, kept: Kept, seeds: tuple[int, ...]) -> str:
    """Return the processor time of all that was kept, to plan more of it by."""
    pieces = [kept.piece(experiment.name, e.name, seed) for e in experiment.cases for seed in seeds]
    seconds = sum(piece.seconds for piece in pieces if piece is not None)
    return f"{seconds:.0f} s of processor time for {len(seeds)} seeds"


def _others(kept: Kept, given: argparse.Namespace) -> Iterator[tuple[str, str]]:
    """Yield what is no experiment; an empty text for what was neither run nor kept."""
    others: tuple[tuple[str, Callable[[int], str]], ...] = (
        ("tracking", lambda seeds: tracking_report(60 * seeds)),
        ("hidden", lambda seeds: hidden_report(10 * seeds)),
        (DECISIONS, lambda _: decision_report()),
    )
    for name, part in others:
        found = kept.part(name)
        if found is not None and (given.merge or found[0] == given.seeds):
            yield name, found[1]
        elif not given.merge and (not given.only or name in given.only):
            text = part(given.seeds)
            # What was too slow on a busy machine is timed again by the next run.
            if name != DECISIONS or not over_limit(text):
                kept.keep_part(name, given.seeds, text)
            yield name, text
        else:
            yield name, ""


if __name__ == "__main__":
    main()
