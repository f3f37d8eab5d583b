"""The time of one routing decision on the page, and whether the sweep keeps its limit there."""

import os
import re
from typing import Final

from benchmarks.routing import RUNS, SWEEP_LIMIT_US, measure

__all__ = ["decision_report", "over_limit"]

SWEEP: Final = re.compile(
    r"^\| sweep \| 10 \| 10 \| [0-9]+ \| [0-9.]+ \| (?P<p99>[0-9.]+) \|", re.MULTILINE
)


def decision_report(runs: int = RUNS) -> str:
    """Return how long one routing decision takes."""
    lines = [
        "## Time of one routing decision",
        "",
        f"Limit: p99 of {SWEEP_LIMIT_US} us for the sweep over 10 lit venues x 10 levels; it is "
        "stated for that decision alone, the others are shown beside it. A page above it is "
        f"written, and its run fails. Wall time of different decisions, each by the median of its "
        f"{runs} runs; *lived*: all runs together, with what interrupted them. Load of the machine "
        f"meanwhile: {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores.",
        "",
        "| logic | venues | levels | decisions | p50, us | p99, us | lived p50 | lived p99 |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {each.name} | {each.venues} | {each.levels} | {each.decisions} | {each.p50:.1f} "
        f"| {each.p99:.1f} | {each.lived_p50:.1f} | {each.lived_p99:.1f} |"
        for each in measure(runs)
    ]
    return "\n".join([*lines, ""])


def over_limit(page: str) -> str:
    """Return what is wrong with the time of the sweep on a page; empty for nothing."""
    found = SWEEP.search(page)
    if found is None:
        return "the sweep over 10 venues x 10 levels was not timed"
    p99_us = float(found["p99"])
    if p99_us <= SWEEP_LIMIT_US:
        return ""
    return f"the sweep's p99 of {p99_us:g} us is above its limit of {SWEEP_LIMIT_US} us"
