"""The time of one routing decision on the page, and whether the sweep keeps its limit there."""

import os
import re
from typing import Final

from benchmarks.routing import SWEEP_LIMIT_US, measure

__all__ = ["decision_report", "over_limit"]

SWEEP: Final = re.compile(r"^\| sweep \| 10 \| 10 \| [0-9.]+ \| (?P<p99>[0-9.]+) \|", re.MULTILINE)


def decision_report(rounds: int = 2_000) -> str:
    """Return how long one routing decision takes; a busy machine makes the p99 worse."""
    lines = [
        "## Time of one routing decision",
        "",
        f"Limit: p99 of {SWEEP_LIMIT_US} us for the sweep over 10 lit venues x 10 levels, wall "
        "time; it is stated for that decision alone, the others are shown beside it. A page "
        f"above it is written, and its run fails. Load of the machine meanwhile: "
        f"{os.getloadavg()[0]:.0f} on {os.cpu_count()} cores. A high load shows in the "
        "wall time, less so in the processor's time of the deciding thread.",
        "",
        "| logic | venues | levels | p50, us | p99, us | processor p50, us | processor p99, us |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {each.name} | {each.venues} | {each.levels} | {each.p50:.1f} | {each.p99:.1f} "
        f"| {each.cpu_p50:.1f} | {each.cpu_p99:.1f} |"
        for each in measure(rounds)
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
