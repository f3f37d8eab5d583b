"""Terms of an order that steer every strategy beside its own parameters."""

from enum import StrEnum
from typing import Final, NamedTuple

__all__ = ["TERMS", "Kind", "Term"]


class Kind(StrEnum):
    """How a term travels in FIX."""

    INSTANT = "UTCTimestamp_t"
    SHARE = "Percentage_t"
    QUANTITY = "Qty_t"
    PRICE = "Price_t"
    WORD = "String_t"


class Term(NamedTuple):
    """One term. Its rules stand in streams/intake, not in a definition."""

    name: str  # field of NewOrder
    title: str
    meaning: str
    kind: Kind
    default: str
    fix_name: str
    fix_tag: int = 0
    is_amendable: bool = True


TERMS: Final = (
    Term(
        "urgency",
        "Urgency",
        "Picks the presets of all parameters; URGENT skips the netting window.",
        Kind.WORD,
        "NEUTRAL",
        "Urgency",
        is_amendable=False,
    ),
    Term(
        "start_ns",
        "Start",
        "Earliest time to trade.",
        Kind.INSTANT,
        "at once",
        "StartTime",
        168,
        is_amendable=False,
    ),
    Term("end_ns", "End", "When it must be done.", Kind.INSTANT, "the close", "EndTime", 126),
    Term(
        "participation_cap_bps",
        "Participation cap",
        "Own share of the market's volume at most.",
        Kind.SHARE,
        "10000 (none)",
        "ParticipationCap",
        is_amendable=False,
    ),
    Term(
        "constraints.would_price_e9",
        "Would price",
        "At this price or better all that is left may trade at once.",
        Kind.PRICE,
        "none",
        "WouldPrice",
    ),
    Term(
        "constraints.minimum_quantity",
        "Minimum execution",
        "No smaller execution is taken.",
        Kind.QUANTITY,
        "none",
        "MinQty",
        110,
    ),
    Term(
        "constraints.display_quantity",
        "Display quantity",
        "Never more than this is shown.",
        Kind.QUANTITY,
        "all",
        "MaxFloor",
        111,
    ),
)
