"""`make bench-execution`: strategies and routers against their naive forms, in memory.

Prints every configuration, seed and figure, significant or not, and writes the page.
"""

import argparse
import json
import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from benchmarks.execution.cases import Key, run_case
from benchmarks.execution.evidence import report, summary, verdicts
from benchmarks.execution.experiments import Experiment, experiments
from benchmarks.execution.hidden import hidden_report
from benchmarks.execution.measure import Outcome
from benchmarks.execution.tracking import tracking_report
from benchmarks.routing import SWEEP_LIMIT_US, measure

DATA: Final = Path(__file__).parents[3] / "shared" / "data"
END_S: Final = 30  # between the last window of a shorter day and its close
PAGE: Final = Path(__file__).parents[2] / "docs" / "execution-evidence.md"
INTRODUCTION: Final = """# Evidence: our strategies and routers against their naive forms

Written by `{command}` at commit {commit}. The real engine shard and the
real simulator in one thread; each naive form replaces one thing and leaves engine, tactics, router
and market as they are. Differences are taken order by order on the same prices, bought and sold.
Costs in basis points of the benchmark, fees in, + is bad; what an order did not get is charged at
the other side of the quote at its end. Means are weighted by notional, errors clustered (SPEC
section 8); *significant*: zero is outside the 95 % interval by Student, and there are three
clusters at least. With so many rows one in twenty is significant by chance.
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.execution", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2, help="days of the generated market")
    parser.add_argument("--only", action="append", help="name of an experiment; repeat for more")
    parser.add_argument("--case", action="append", help="name of a case; repeat for more")
    parser.add_argument("--minutes", type=int, default=0, help="shorter days, to try it out")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of recorded markets")
    parser.add_argument("--page", type=Path, help=f"write the page, such as {PAGE.name}")
    parser.add_argument("--cache", type=Path, help="folder of outcomes that are kept and reused")
    given = parser.parse_args()
    data = given.data if given.data.exists() else None
    if data is None:
        print(f"no recorded markets in {given.data}: left out")
    parts, told = [], []
    for experiment in experiments(data):
        if given.only and experiment.name not in given.only:
            continue
        seeds = experiment.seeds or given.seeds
        results = _results(experiment, seeds, given)
        parts.append(report(experiment, results, seeds))
        told += verdicts(experiment, results)
        print(parts[-1], flush=True)
    for name, part in (("tracking", _tracking), ("hidden", _hidden), ("decisions", _decisions)):
        if not given.only or name in given.only:
            parts.append(part(given))
            print(parts[-1], flush=True)
    if given.page:
        command = f"python -m benchmarks.execution --seeds {given.seeds}"
        introduction = INTRODUCTION.format(command=command, commit=_commit())
        given.page.write_text("\n".join([introduction, summary(told), *parts]))


def _commit() -> str:
    asked = ["git", "-C", str(PAGE.parent), "rev-parse", "--short", "HEAD"]
    told = subprocess.run(asked, capture_output=True, text=True, check=False)
    return told.stdout.strip() or "unknown"


def _results(
    experiment: Experiment, seeds: int, given: argparse.Namespace
) -> dict[str, dict[Key, Outcome]]:
    setting, orders = experiment.setting, experiment.orders
    if given.minutes:
        setting = replace(setting, minutes=given.minutes)
        room_s = given.minutes * 60 - orders.starts_s - END_S
        orders = orders._replace(window_s=min(orders.window_s, room_s // orders.windows))
    results: dict[str, dict[Key, Outcome]] = {}
    for case in experiment.cases:
        if given.case and case.name not in given.case:
            continue
        began = time.process_time()
        kept = _kept(given.cache, experiment.name, case.name)
        if kept is not None and kept.exists():
            found = _read(kept)
        else:
            found = dict(run_case(case, setting, orders, range(1, seeds + 1)))
            if kept is not None:
                kept.write_text(json.dumps([[key, outcome] for key, outcome in found.items()]))
        results[case.name] = found
        seconds = time.process_time() - began
        print(f"{experiment.name}: {case.name}: {len(found)} parents, {seconds:.0f} s", flush=True)
    return results


def _tracking(given: argparse.Namespace) -> str:
    return tracking_report(60 * given.seeds)


def _hidden(given: argparse.Namespace) -> str:
    return hidden_report(4 * given.seeds)


def _decisions(_: argparse.Namespace) -> str:
    """Return how long one routing decision takes; a busy machine makes the p99 worse."""
    lines = [
        "## Time of one routing decision",
        "",
        f"Limit: {SWEEP_LIMIT_US} us for the sweep over 10 venues x 10 levels. Load of the machine "
        f"meanwhile: {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores. A high load shows in the "
        "wall time, less so in the processor's time of the deciding thread.",
        "",
        "| logic | venues | levels | p50, us | p99, us | processor p50, us | processor p99, us |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {each.name} | {each.venues} | {each.levels} | {each.p50:.0f} | {each.p99:.0f} "
        f"| {each.cpu_p50:.0f} | {each.cpu_p99:.0f} |"
        for each in measure()
    ]
    return "\n".join([*lines, ""])


def _kept(folder: Path | None, *names: str) -> Path | None:
    if folder is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    text = " ".join(names)
    return folder / ("".join(c if c.isalnum() else "-" for c in text) + ".json")


def _read(path: Path) -> dict[Key, Outcome]:
    rows: list[list[Any]] = json.loads(path.read_text())
    return {(key[0], key[1], key[2], key[3]): Outcome(*fields) for key, fields in rows}


if __name__ == "__main__":
    main()
