"""What the checker finds: coded, with subject, values and the place in the log."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

__all__ = ["CheckReport", "Code", "Finding", "Findings"]

KEPT_PER_CODE = 100  # every finding is counted, the first ones are kept with their words


class Code(StrEnum):
    """Which law is broken."""

    JOURNAL_CHAIN = "JOURNAL_CHAIN"
    OUTPUT_COUNT = "OUTPUT_COUNT"
    OUTPUT_DIGEST = "OUTPUT_DIGEST"
    OUTPUT_ORPHAN = "OUTPUT_ORPHAN"
    TOPIC_SEQ_GAP = "TOPIC_SEQ_GAP"
    EVENT_ID = "EVENT_ID"
    DUPLICATE_EVENT_ID = "DUPLICATE_EVENT_ID"
    INPUT_GAP = "INPUT_GAP"
    INPUT_TWICE = "INPUT_TWICE"
    UNDECODABLE = "UNDECODABLE"
    UNANSWERED = "UNANSWERED"
    DUPLICATE_ORDER = "DUPLICATE_ORDER"
    LINEAGE = "LINEAGE"
    EXPOSURE = "EXPOSURE"
    CONSERVATION_SHARES = "CONSERVATION_SHARES"
    CONSERVATION_CASH = "CONSERVATION_CASH"
    ALLOCATION_QUOTA = "ALLOCATION_QUOTA"
    CROSS = "CROSS"
    LIMIT_PRICE = "LIMIT_PRICE"
    VENUE_PRICE = "VENUE_PRICE"
    VENUE_FILLS = "VENUE_FILLS"
    HEDGE = "HEDGE"
    KILL = "KILL"
    TERMS = "TERMS"
    LIMITS = "LIMITS"
    CREDIT = "CREDIT"
    POSITION = "POSITION"
    SETTLEMENT = "SETTLEMENT"


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach."""

    code: Code
    subject: str  # what it is about: an id, or a partition
    text: str  # the values that disagree
    place: str  # topic[partition]@offset, and seq/index where there is one

    def __str__(self) -> str:
        return f"{self.code} {self.subject}: {self.text} ({self.place})"


@dataclass(slots=True)
class Findings:
    """Collects; the first of each code with their words, all of them as a number."""

    kept: list[Finding] = field(default_factory=list)
    counts: Counter[Code] = field(default_factory=Counter)

    def add(self, code: Code, subject: str, text: str, place: Any) -> None:
        """Note a breach; `place` is whatever says where, as a string."""
        self.counts[code] += 1
        if self.counts[code] <= KEPT_PER_CODE:
            self.kept.append(Finding(code, subject, text, str(place)))


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The verdict over a log."""

    findings: tuple[Finding, ...]
    counts: dict[str, int]  # findings by code, those beyond the kept ones included
    records: int
    journal_records: int
    events: int
    orders: int
    parents: int
    children: int
    fills: int
    crosses: int
    filled_quantity: int  # of fills that stand, error account excluded
    allocated_quantity: int  # of those, given to source orders
    crossed_quantity: int  # per side
    error_quantity: int  # what the error account holds
    unconsumed_inputs: int  # committed, and not yet read by an engine

    @property
    def is_clean(self) -> bool:
        return not self.findings

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes found, sorted."""
        return tuple(sorted(self.counts))
