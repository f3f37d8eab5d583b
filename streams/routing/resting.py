"""What routing remembers of children at rest: where, by which tactic, how it went."""

from typing import Final

import msgspec

from schemas.messages.core import Side, Tactic

__all__ = ["FOLLOWING", "Hazard", "Resting", "RestingChildren", "fill_hazard_e9"]

E9: Final = 1_000_000_000
SECOND_NS: Final = 1_000_000_000
# Children that follow the quote while they rest.
FOLLOWING: Final = (Tactic.PEG, Tactic.MIDPOINT)
MEMORY: Final = 32  # one more end of a child keeps 31 parts in 32 of what was known
# Before anything was seen: one fill in twenty seconds at rest, worth two ends.
PRIOR_FILLS: Final = 2
PRIOR_NS: Final = 40 * SECOND_NS


class Resting(msgspec.Struct, array_like=True):
    """One child in a book."""

    slice_id: str
    venue_id: str
    side: Side
    tactic: Tactic
    price_e9: int
    display_quantity: int  # 0: shows all that is left
    placed_ns: int
    rest_until_ns: int
    is_seen: bool = False  # its first fill, or our wish to cancel it, is counted in the hazard
    is_repricing: bool = False  # asked back to stand at another price


class Hazard(msgspec.Struct, array_like=True):
    """First fills against time at rest, both with forgetting."""

    fills_e9: int = 0
    risk_ns: int = 0

    def see(self, rested_ns: int, *, is_filled: bool) -> None:
        """Fold the end of one child's wait. Rounds: down."""
        self.fills_e9 += (E9 if is_filled else 0) - self.fills_e9 // MEMORY
        self.risk_ns += max(rested_ns, 1) - self.risk_ns // MEMORY


class RestingChildren(msgspec.Struct):
    """By instrument; an instrument without such children is not there."""

    children: dict[str, dict[str, Resting]] = {}
    following: dict[str, int] = {}  # how many of them follow the quote
    hazards: dict[str, Hazard] = {}  # by "instrument/tactic"
    anchors: dict[str, int] = {}  # by slice: the first price of one that follows
    reprices: dict[str, int] = {}  # by parent: children asked back for a price since its last fill


def fill_hazard_e9(known: RestingChildren, instrument_id: str, *tactics: Tactic) -> int:
    """Return the chance that a child at rest is met within the next second.

    Units:  1e-9; over the tactics together, with the prior's weight.
    Rounds: down; 1 - exp(-h) by h / (1 + h / 2), within 0.04 for h up to 1.
    Source: SPEC section 7: a hazard with forgetting; own cancels only end the time at risk.
    """
    fills_e9, risk_ns = PRIOR_FILLS * E9, PRIOR_NS
    for tactic in tactics:
        seen = known.hazards.get(f"{instrument_id}/{tactic.value}")
        if seen is not None:
            fills_e9 += seen.fills_e9
            risk_ns += seen.risk_ns
    hazard_e9 = fills_e9 * SECOND_NS // risk_ns
    return hazard_e9 * E9 // (E9 + hazard_e9 // 2)
