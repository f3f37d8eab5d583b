"""From outcomes to a table: means with clustered errors, and differences of pairs."""

from collections.abc import Mapping, Sequence
from typing import Final

from benchmarks.execution.cases import Key
from benchmarks.execution.experiments import DAY, Experiment
from benchmarks.execution.measure import Outcome
from streams.models.standard_error import Estimate, estimate

__all__ = ["FIGURES", "Results", "compared", "report", "summary", "value", "verdicts"]

# Figure: how it is called, digits.
FIGURES: Final = {
    "arrival": ("bp against arrival", 2),
    "vwap": ("bp against others' VWAP", 2),
    "close": ("bp against the close", 2),
    "fees": ("fees, bp", 2),
    "far": ("distance to the close either way, bp", 2),
    "gap": ("tracking gap, % of the order", 2),
    "miss": ("distance to the rate, points of %", 2),
    "unfilled": ("not filled, %", 2),
    "short": ("not filled of what the rate made due, %", 2),
    "passive": ("rested or met midway, %", 0),
    "seconds": ("seconds to the last fill", 0),
    "children": ("children", 0),
}
SHOWN: Final = ("arrival", "vwap", "fees", "gap", "unfilled", "passive", "seconds", "children")
WORDS: Final = ("better", "worse", "not shown")
# What a strategy is told with, and is not for: such a row is shown, and counts for nothing.
BESIDE: Final = {
    ("TWAP", "gap"): "follows the clock, not volume; drawn instants cost distance",
    ("CLOSE", "arrival"): "is for the close, not for arrival",
}
RATE: Final = 10.0  # per cent, of the POV cases
RATED: Final = "POV"
Results = Mapping[str, Mapping[Key, Outcome]]  # by case


def value(figure: str, outcome: Outcome) -> float:
    """Return a figure of one parent."""
    match figure:
        case "miss":
            return abs(outcome.rate - RATE)
        case "far":
            return abs(outcome.close)
        case "short":
            due = min(outcome.ordered, RATE / (100 - RATE) * outcome.others)
            return 100 * max(0.0, due - outcome.filled) / outcome.ordered
        case "unfilled":
            return 100 * (1 - outcome.filled / outcome.ordered)
        case "passive":
            return 100 * outcome.passive
        case _:
            return float(getattr(outcome, figure))


def mean(experiment: Experiment, found: Mapping[Key, Outcome], figure: str) -> Estimate:
    """Return the notional-weighted mean over parents; per parent for what is no price."""
    return estimate(
        [value(figure, outcome) for outcome in found.values()],
        [outcome.notional for outcome in found.values()],
        [_cluster(experiment, key) for key in found],
    )


def compared(
    experiment: Experiment,
    ours: Mapping[Key, Outcome],
    naive: Mapping[Key, Outcome],
    figure: str,
) -> Estimate:
    """Return ours less the naive form, order by order on the same prices."""
    keys = [key for key in ours if key in naive]
    return estimate(
        [value(figure, ours[key]) - value(figure, naive[key]) for key in keys],
        [ours[key].notional for key in keys],
        [_cluster(experiment, key) for key in keys],
    )


def report(experiment: Experiment, results: Results, seeds: Sequence[int]) -> str:
    """Return the experiment as Markdown: every case, then every pair."""
    return "\n".join(
        [
            f"## {experiment.title}",
            "",
            _configuration(experiment, results, seeds),
            "",
            _means(experiment, results),
            _pairs(experiment, results),
        ]
    )


def verdicts(experiment: Experiment, results: Results) -> list[tuple[str, str]]:
    """Return for each comparison of costs or tracking: better, worse or not shown, and which."""
    found = []
    for ours, naive, figures in experiment.pairs:
        for figure in figures:
            if ours in results and naive in results:
                less = compared(experiment, results[ours], results[naive], figure)
                word = ("better" if less.mean < 0 else "worse") if less.is_significant else ""
                if (ours, figure) in BESIDE:
                    word = "beside"
                text = (
                    f"{experiment.name}: {ours} less {naive}: {FIGURES[figure][0]} "
                    f"{less.mean:+.2f} ± {less.clustered:.2f}"
                )
                found.append((word or "not shown", text))
    return found


def summary(told: Sequence[tuple[str, str]]) -> str:
    """Return how often ours was better, worse, or neither could be shown."""
    counts = {word: sum(each == word for each, _ in told) for word in WORDS}
    aimed = sum(counts.values())
    lines = [
        "## In short",
        "",
        f"Of {aimed} comparisons ours is significantly better in {counts['better']}, worse in "
        f"{counts['worse']}; in {counts['not shown']} no difference is shown.",
        "",
    ]
    for word in ("worse", "better"):
        lines += [f"Significantly {word}:", ""]
        lines += [f"- {text}" for each, text in told if each == word]
        lines.append("")
    beside = [f"- {text}" for each, text in told if each == "beside"]
    if beside:
        lines += ["Beside the aim of the strategy, and not counted:", "", *beside, ""]
    return "\n".join(lines)


def _listed(seeds: Sequence[int]) -> str:
    """Return seeds as words: a range where it is one."""
    if list(seeds) == list(range(seeds[0], seeds[-1] + 1)):
        return f"{seeds[0]} to {seeds[-1]}"
    return ", ".join(str(seed) for seed in seeds)


def _cluster(experiment: Experiment, key: Key) -> object:
    seed, instrument_id, start_ns, _ = key
    return (seed, instrument_id) if experiment.clusters == DAY else start_ns


def _configuration(experiment: Experiment, results: Results, seeds: Sequence[int]) -> str:
    setting, orders = experiment.setting, experiment.orders
    first = next(iter(results.values()))
    clusters = len({_cluster(experiment, key) for key in first})
    tape = "generated, 8 shares" if setting.tape is None else setting.tape.name
    return (
        f"Market: {tape}; {setting.minutes} min in steps of {setting.step_s} s; seeds "
        f"{_listed(seeds)}, each bought and sold. Orders: {orders.share_bps / 100:g} % of the "
        f"volume expected in {orders.window_s} s, {orders.windows} in a row. {len(first)} parents "
        f"in {clusters} clusters ({experiment.clusters})."
    )


def _means(experiment: Experiment, results: Results) -> str:
    figures = [f for f in SHOWN if f != "close"]
    if any("close" in pair[2] for pair in experiment.pairs):
        figures.insert(2, "close")
    if any(case.startswith(RATED) for case in results):
        figures.insert(figures.index("unfilled") + 1, "short")
    benchmark = "close" if "close" in figures else "arrival"
    names = [FIGURES[figure][0] for figure in figures]
    head = ["case", *names, f"sd of one parent {FIGURES[benchmark][0].removeprefix('bp ')}, bp"]
    lines = [head, ["---"] * len(head)]
    for case, found in results.items():
        cells = [_shown(figure, mean(experiment, found, figure)) for figure in figures]
        lines.append([case, *cells, f"{_deviation(found, benchmark):.1f}"])
    return _table(lines)


def _pairs(experiment: Experiment, results: Results) -> str:
    head = ["ours", "less the naive form", "figure", "difference", "clustered SE", "", "better?"]
    lines = [head, ["---"] * len(head)]
    for ours, naive, figures in experiment.pairs:
        for figure in figures:
            if ours not in results or naive not in results:
                continue
            found = compared(experiment, results[ours], results[naive], figure)
            sure = "significant" if found.is_significant else "not significant"
            better = ("yes" if found.mean < 0 else "no") if found.is_significant else "not shown"
            better = f"not its aim: {BESIDE[ours, figure]}" if (ours, figure) in BESIDE else better
            name = FIGURES[figure][0]
            lines.append(
                [ours, naive, name, f"{found.mean:+.2f}", f"{found.clustered:.2f}", sure, better]
            )
    return _table(lines)


def _deviation(found: Mapping[Key, Outcome], benchmark: str) -> float:
    """Return the standard deviation of one parent's cost: the risk it took."""
    costs = [value(benchmark, outcome) for outcome in found.values()]
    centre = sum(costs) / len(costs)
    return float((sum((cost - centre) ** 2 for cost in costs) / max(len(costs) - 1, 1)) ** 0.5)


def _shown(figure: str, found: Estimate) -> str:
    digits = FIGURES[figure][1]
    return f"{found.mean:.{digits}f} ± {found.clustered:.{digits}f}"


def _table(lines: Sequence[Sequence[str]]) -> str:
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
