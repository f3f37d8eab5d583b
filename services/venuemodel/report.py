"""What people read before they propose or approve: the report of a fit, as Markdown and as JSON."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from services.venuemodel.fit import Average
from services.venuemodel.judge import Judge, Verdict, WhatIf
from streams.core.proposals import digest
from streams.scorecard.curve import AGES_NS, Curve, Hazards, incidence
from streams.scorecard.estimate import E9, Known
from streams.scorecard.model import CellModel, VenueModel
from streams.scorecard.score import SCORED_AGE

__all__ = ["Outcome", "as_json", "markdown", "total_gain"]

DECISIONS_SHOWN = 20


class Outcome(NamedTuple):
    """A fit and all that was found about it."""

    model: VenueModel
    content: str  # as it would be proposed
    old_name: str  # of the model in force; empty: terms
    part: float  # of the parents that the judged model was fitted on
    verdict: Verdict
    changed: list[WhatIf]
    weighed: int


def markdown(outcome: Outcome, judge: Judge) -> str:
    """Return the report. Costs in basis points, + is a gain."""
    verdict, old = outcome.verdict, outcome.old_name or "the venues' terms"
    lines = [
        f"# Venue model {outcome.model.name}",
        "",
        f"Fitted on {outcome.model.children:,} children; sha256 {digest(outcome.content)}.",
        "",
        f"## Out of sample, against {old}: {verdict.word}",
        "",
        f"Fitted on the first {outcome.part:.0%} of the parents, held against the other "
        f"{verdict.parents:,} with {verdict.children:,} children. Errors are clustered by parent.",
        "",
        "| | value | ± |",
        "|---|---|---|",
        _row("log score of a child (more is better)", verdict.log_score, 3),
        _row(f"gain over {old}", verdict.log_score_gain, 3),
        _row("squared error of its cost, bp² (less is better)", verdict.squared_error, 2),
        _row(f"change against {old}", verdict.squared_error_change, 2),
        _row("bias: actual cost less expected, bp", verdict.bias, 2),
        "",
        "## Cells",
        "",
        f"Chance to fill within {AGES_NS[SCORED_AGE] // E9} s, costs in bp, + is a gain.",
        "",
        "| kind | bucket | side | venue | children | fill | price | fee | leakage | missed | "
        "ack p50, p99 ms | all in |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
        *(_cell(cell, judge) for cell in outcome.model.cells),
        "",
        *_what_if(outcome),
    ]
    return "\n".join(lines) + "\n"


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Return the findings for programs; costs and errors in bp, gains are positive."""
    gain = total_gain(outcome.changed)
    verdict = outcome.verdict
    return {
        "model": outcome.model.name,
        "sha256": digest(outcome.content),
        "children": outcome.model.children,
        "cells": len(outcome.model.cells),
        "against": outcome.old_name or "terms",
        "verdict": verdict.word,
        "test_children": verdict.children,
        "test_parents": verdict.parents,
        "log_score": _plain(verdict.log_score),
        "log_score_gain": _plain(verdict.log_score_gain),
        "squared_error": _plain(verdict.squared_error),
        "squared_error_change": _plain(verdict.squared_error_change),
        "bias": _plain(verdict.bias),
        "what_if": {
            "weighed": outcome.weighed,
            "changed": len(outcome.changed),
            "gain_bps": gain[0],
            "gain_error_bps": gain[1],
            "gain_currency": gain[2],
            "decisions": [each._asdict() for each in outcome.changed],
        },
    }


def total_gain(changed: Sequence[WhatIf]) -> tuple[float, float, float]:
    """Return the mean expected gain by notional and its error, bp, and the gain in currency.

    The errors of decisions of one cell are one error, so they are added, not averaged out.
    """
    notional = sum(each.notional for each in changed)
    if not notional:
        return 0.0, 0.0, 0.0
    gain = sum(each.gain * each.notional for each in changed)
    error = sum(each.error * each.notional for each in changed)
    return gain / notional, error / notional, gain / 10_000


def _what_if(outcome: Outcome) -> list[str]:
    gain, error, currency = total_gain(outcome.changed)
    lines = [
        "## What it would have changed",
        "",
        f"{len(outcome.changed):,} of {outcome.weighed:,} resting decisions would have gone "
        f"elsewhere: expected {gain:+.2f} ± {error:.2f} bp of them, {currency:+,.2f} in currency.",
    ]
    if not outcome.changed:
        return lines
    lines += ["", "| slice | kind | bucket | side | was | would be | bp | ± |"]
    lines.append("|---|---|---|---|---|---|---|---|")
    shown = sorted(outcome.changed, key=lambda each: (-each.gain * each.notional, each.slice_id))
    for each in shown[:DECISIONS_SHOWN]:
        lines.append(
            f"| {each.slice_id} | {each.kind.value} | {each.bucket} | {each.side.value} | "
            f"{each.was} | {each.would_be} | {each.gain:+.2f} | {each.error:.2f} |"
        )
    return lines


def _cell(cell: CellModel, judge: Judge) -> str:
    found = incidence(Curve(), Hazards(cell.fill_hazards, cell.away_hazards), E9)
    cost, error = judge.expected(cell)
    return (
        f"| {cell.kind.value} | {cell.bucket} | {cell.side.value} | {cell.venue_id} | "
        f"{cell.weight / E9:.0f} | {found.fill[SCORED_AGE] / E9:.0%} | {_gain(cell.price)} | "
        f"{_gain(cell.fee)} | {_gain(cell.leakage)} | {_gain(cell.missed)} | "
        f"{cell.ack_p50_ns / 1e6:.1f}, {cell.ack_p99_ns / 1e6:.1f} | {-cost:+.2f} ± {error:.2f} |"
    )


def _gain(known: Known) -> str:
    return f"{-known.mean / E9:+.2f} ± {known.error / E9:.2f}"


def _row(name: str, found: Average | None, places: int) -> str:
    if found is None:
        return f"| {name} | - | - |"
    return f"| {name} | {found.mean:.{places}f} | {found.error:.{places}f} |"


def _plain(found: Average | None) -> dict[str, float] | None:
    return None if found is None else found._asdict()
