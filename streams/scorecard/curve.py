"""Competing ends of children by age, with forgetting: Aalen and Johansen over fixed bins.

A child is counted in units: the part that fills at an age is one observation of that weight, what
is left at its end another. Only integers; weights and probabilities are 1e-9.
"""

from collections.abc import Sequence
from math import isqrt
from typing import Final, NamedTuple

import msgspec

from streams.scorecard.estimate import E9, MEMORY

__all__ = ["AGES_NS", "BINS", "Curve", "Hazards", "Incidence", "incidence", "pooled"]

MS: Final = 1_000_000
# Ends of the bins of age; what lasts longer is at risk in all of them.
AGES_NS: Final = tuple(
    ms * MS for ms in (100, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 300_000)
)
BINS: Final = len(AGES_NS)


class Hazards(NamedTuple):
    """Chance within each bin, for what is at risk in it, to fill and to go away; 1e-9."""

    fill: tuple[int, ...]
    away: tuple[int, ...]


class Incidence(NamedTuple):
    """Cumulative chances by the end of each bin, and the standard errors of the first; 1e-9."""

    fill: tuple[int, ...]
    away: tuple[int, ...]
    error: tuple[int, ...]


class Curve(msgspec.Struct, array_like=True):
    """Effective counts by bin of age, 1e-9."""

    at_risk: list[int] = msgspec.field(default_factory=lambda: [0] * BINS)
    fill: list[int] = msgspec.field(default_factory=lambda: [0] * BINS)
    away: list[int] = msgspec.field(default_factory=lambda: [0] * BINS)

    def filled(self, age_ns: int, weight: int) -> None:
        """Count a part of a child that filled at that age."""
        ordinal = self._reach(age_ns, weight, weight)
        if ordinal < BINS:
            self.fill[ordinal] += weight

    def gone(self, age_ns: int, weight: int) -> None:
        """Count a part that the market moved away from, or that an immediate order missed."""
        ordinal = self._reach(age_ns, weight, weight)
        if ordinal < BINS:
            self.away[ordinal] += weight

    def censored(self, age_ns: int, weight: int) -> None:
        """Count a part that we took back ourselves: what would have come is not known.

        It was at risk in that part of the bin in which it was there.
        """
        start_ns = 0
        for end_ns in AGES_NS:
            if age_ns <= end_ns:
                last = weight * max(0, age_ns - start_ns) // (end_ns - start_ns)
                self._reach(age_ns, weight, last)
                return
            start_ns = end_ns
        self._reach(age_ns, weight, weight)

    def forget(self, weight: int) -> None:
        """Let everything count less, as that many new children count."""
        keep = E9 - weight // MEMORY
        self.at_risk = [each * keep // E9 for each in self.at_risk]
        self.fill = [each * keep // E9 for each in self.fill]
        self.away = [each * keep // E9 for each in self.away]

    def _reach(self, age_ns: int, weight: int, last: int) -> int:
        """Count the weight in every bin up to that age, `last` in the one of it; return which."""
        at_risk = self.at_risk
        for ordinal, end_ns in enumerate(AGES_NS):
            if age_ns <= end_ns:
                at_risk[ordinal] += last
                return ordinal
            at_risk[ordinal] += weight
        return BINS


def pooled(curves: Sequence[Curve], base: Hazards) -> Hazards:
    """Return the hazards over several venues; the base counts like one child among them.

    Rounds: down.
    """
    fill, away = [], []
    for ordinal in range(BINS):
        risk = E9 + sum(each.at_risk[ordinal] for each in curves)
        fills = base.fill[ordinal] + sum(each.fill[ordinal] for each in curves)
        aways = base.away[ordinal] + sum(each.away[ordinal] for each in curves)
        fill.append(fills * E9 // risk)
        away.append(aways * E9 // risk)
    return Hazards(tuple(fill), tuple(away))


def incidence(curve: Curve, prior: Hazards, weight: int) -> Incidence:
    """Return the cumulative chances, the hazards drawn to the prior's by `weight` children.

    The error is that of a part of the children at risk at the beginning, with four more of which
    half filled: certainty needs more than a few equal ends.
    Units:  1e-9.
    Rounds: down; errors up.
    Source: SPEC section 7, and section 3 for the shrinkage of hazards.
    """
    surviving, fill, away = E9, 0, 0
    fills, aways, errors = [], [], []
    effective = curve.at_risk[0] + weight + 4 * E9
    for ordinal in range(BINS):
        risk = curve.at_risk[ordinal] + weight
        if risk:
            filled = min(E9, (curve.fill[ordinal] * E9 + weight * prior.fill[ordinal]) // risk)
            gone = (curve.away[ordinal] * E9 + weight * prior.away[ordinal]) // risk
            gone = min(gone, E9 - filled)
            fill += surviving * filled // E9
            away += surviving * gone // E9
            surviving = surviving * (E9 - filled - gone) // E9
        fills.append(fill)
        aways.append(away)
        likely = (fill * (effective - 4 * E9) + 2 * E9 * E9) // effective
        errors.append(isqrt(likely * (E9 - likely) * E9 // effective) + 1)
    return Incidence(tuple(fills), tuple(aways), tuple(errors))
