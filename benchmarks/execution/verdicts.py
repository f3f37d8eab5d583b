"""In which comparisons ours is better, worse, or neither could be shown."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from benchmarks.execution.evidence import BESIDE, FIGURES, Results, compared, pairs_of
from benchmarks.execution.experiment import Experiment

__all__ = ["Verdict", "summary", "verdicts"]

WORDS: Final = ("better", "worse", "not shown")
SAME: Final = ("unit",)  # the cost against arrival again, by share: shown, not counted twice


class Verdict(NamedTuple):
    """One comparison. `word`: of WORDS, or beside the aim of ours."""

    word: str
    experiment: str
    ours: str
    text: str


def verdicts(experiment: Experiment, results: Results) -> list[Verdict]:
    """Return for each comparison of costs, fills or tracking what it says."""
    found = []
    for ours, naive, figures in pairs_of(experiment, results):
        for figure in figures:
            if figure in SAME:
                continue
            less = compared(experiment, results[ours], results[naive], figure)
            word = ("better" if less.mean < 0 else "worse") if less.is_significant else "not shown"
            if (ours, figure) in BESIDE:
                word = "beside"
            text = (
                f"{experiment.name}: {ours} less {naive}: {FIGURES[figure][0]} "
                f"{less.mean:+.2f} ± {less.clustered:.2f}"
            )
            found.append(Verdict(word, experiment.name, ours, text))
    return found


def summary(told: Sequence[Verdict]) -> str:
    """Return how often ours was better, worse, or neither could be shown; where it was worse."""
    counts = _counts(told)
    lines = [
        "## In short",
        "",
        f"Of {sum(counts.values())} comparisons ours is significantly better in "
        f"{counts['better']}, worse in {counts['worse']}; in {counts['not shown']} no difference "
        "is shown. A logic alone counts as ours too. The cost by share is that in basis points "
        "again, and not counted twice.",
        "",
        "| comparisons in | of | better | worse | not shown |",
        "| --- | --- | --- | --- | --- |",
    ]
    for place in dict.fromkeys((each.experiment, each.ours) for each in told):
        here = _counts([each for each in told if (each.experiment, each.ours) == place])
        lines.append(f"| {' | '.join((*place, *(str(here[word]) for word in WORDS)))} |")
    lines.append("")
    for word, title in (
        ("worse", "Significantly worse:"),
        ("beside", "Beside the aim of the strategy, and not counted:"),
    ):
        listed = [f"- {each.text}" for each in told if each.word == word]
        lines += [title, "", *listed, ""] if listed else []
    return "\n".join(lines)


def _counts(told: Sequence[Verdict]) -> dict[str, int]:
    return {word: sum(each.word == word for each in told) for word in WORDS}
