"""From outcomes to a table: means with clustered errors, and differences of pairs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from benchmarks.execution.cases import Key
from benchmarks.execution.experiment import DAY, Experiment, Pair
from benchmarks.execution.measure import Outcome
from streams.models.standard_error import Estimate, estimate

__all__ = ["BESIDE", "FIGURES", "Results", "compared", "pairs_of", "repeated", "report", "value"]

# Figure: how it is called, digits.
FIGURES: Final = {
    "arrival": ("bp against arrival", 2),
    "unit": ("mills a share or coin against arrival", 2),
    "vwap": ("bp against others' VWAP", 2),
    "close": ("bp against the close", 2),
    "fees": ("fees, bp", 2),
    "far": ("distance to the close either way, bp", 2),
    "gap": ("tracking gap, % of the order", 2),
    "miss": ("distance to the rate, points of %", 2),
    "unfilled": ("not filled, %", 2),
    "short": ("not filled of what the rate made due, %", 2),
    "unmet": ("sent to venues and not filled, %", 1),
    "passive": ("rested or met midway, %", 0),
    "seconds": ("seconds to the last fill", 0),
    "children": ("children", 0),
}
SHOWN: Final = ("arrival", "vwap", "fees", "gap", "unfilled", "passive", "seconds", "children")
ROUTED: Final = ("arrival", "unit", *SHOWN[1:5], "unmet", *SHOWN[5:])
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


def weight(figure: str, outcome: Outcome) -> float:
    """Return by what a parent counts: its shares for what is told by share, else its notional."""
    return outcome.notional / outcome.price if figure == "unit" else outcome.notional


def mean(experiment: Experiment, found: Mapping[Key, Outcome], figure: str) -> Estimate:
    """Return the weighted mean over parents."""
    return estimate(
        [value(figure, outcome) for outcome in found.values()],
        [weight(figure, outcome) for outcome in found.values()],
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
        [weight(figure, ours[key]) for key in keys],
        [_cluster(experiment, key) for key in keys],
    )


def repeated(experiment: Experiment, results: Results) -> dict[str, str]:
    """Return which of ours did in every order what another one did: it would be told twice.

    So with the naive forms among each other, but never ours with a naive form: that is a result.
    """
    ours = dict.fromkeys(pair[0] for pair in experiment.pairs)
    naive = dict.fromkeys(pair[1] for pair in experiment.pairs if pair[1] not in ours)
    found: dict[str, str] = {}
    for group in (ours, naive):
        names = [name for name in group if name in results]
        for at, name in enumerate(names):
            same = (e for e in names[:at] if _plain(results[e]) == _plain(results[name]))
            if (earlier := next(same, None)) is not None:
                found[name] = earlier
    return found


def _plain(found: Mapping[Key, Outcome]) -> dict[Key, Outcome]:
    return {key: outcome._replace(decided={}) for key, outcome in found.items()}


def pairs_of(experiment: Experiment, results: Results) -> Iterator[Pair]:
    """Yield the pairs of which both were run, each once."""
    again = repeated(experiment, results)
    for ours, naive, figures in experiment.pairs:
        if ours in results and naive in results and not {ours, naive} & again.keys():
            yield ours, naive, figures


def report(experiment: Experiment, results: Results, seeds: Sequence[int]) -> str:
    """Return the experiment as Markdown: every case, then every pair."""
    return "\n".join(
        [
            f"## {experiment.title}",
            "",
            _configuration(experiment, results, seeds),
            "",
            _means(experiment, results),
            *(_routed if experiment.is_routers else _pairs)(experiment, results),
        ]
    )


def _listed(seeds: Sequence[int]) -> str:
    """Return seeds as words: a range where it is one."""
    if len(seeds) > 1 and list(seeds) == list(range(seeds[0], seeds[-1] + 1)):
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
    figures = list(ROUTED if experiment.is_routers else SHOWN)
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


def _pairs(experiment: Experiment, results: Results) -> list[str]:
    head = ["ours", "less the naive form", "figure", "difference", "clustered SE", "", "better?"]
    lines = [head, ["---"] * len(head)]
    for ours, naive, figures in pairs_of(experiment, results):
        for figure in figures:
            found = compared(experiment, results[ours], results[naive], figure)
            sure = "significant" if found.is_significant else "not significant"
            better = ("yes" if found.mean < 0 else "no") if found.is_significant else "not shown"
            better = f"not its aim: {BESIDE[ours, figure]}" if (ours, figure) in BESIDE else better
            name = FIGURES[figure][0]
            lines.append(
                [ours, naive, name, f"{found.mean:+.2f}", f"{found.clustered:.2f}", sure, better]
            )
    return [_table(lines)]


def _routed(experiment: Experiment, results: Results) -> list[str]:
    """Return what decided, what is not told and why, and a row for each pair."""
    parts = [_decided(results)]
    for name, other in repeated(experiment, results).items():
        parts.append(f"Order for order {name} did what {other} did: told once.\n")
    if experiment.left_out:
        left = "; ".join(f"{name} ({why})" for name, why in experiment.left_out)
        parts.append(f"Left out: {left}.\n")
    if experiment.note:
        parts.append(f"{experiment.note}\n")
    parts.append("Ours less the other ± clustered SE; better or worse where it is significant.\n")
    (figures,) = {pair[2] for pair in experiment.pairs}
    head = ["ours", "less", *(FIGURES[figure][0] for figure in figures)]
    lines = [head, ["---"] * len(head)]
    for ours, other, _ in pairs_of(experiment, results):
        cells = []
        for figure in figures:
            found = compared(experiment, results[ours], results[other], figure)
            word = ("better" if found.mean < 0 else "worse") if found.is_significant else ""
            cells.append(f"{found.mean:+.2f} ± {found.clustered:.2f} {word}".strip())
        lines.append([ours, other, *cells])
    return [*parts, _table(lines)]


def _decided(results: Results) -> str:
    """Return which logic decided how often: not every one finds something to do each time."""
    lines = [["case", "decisions", "by logic"], ["---"] * 3]
    for case, found in results.items():
        counts: dict[str, int] = {}
        for outcome in found.values():
            for name, count in outcome.decided.items():
                counts[name] = counts.get(name, 0) + count
        total = sum(counts.values())
        ranked = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
        told = ", ".join(f"{name} {100 * count / total:.1f} %" for name, count in ranked)
        lines.append([case, f"{total:,}", told])
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
