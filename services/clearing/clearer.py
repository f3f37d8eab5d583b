"""A clearer for tests and the demo: accepts, rejects a seeded share, answers late or twice."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from schemas.messages.clearing import AllocationReported, ClearingAnswered, TradeCaptured
from schemas.messages.core import ClearingStatus, ReportCause

__all__ = ["Clearer", "Rule"]

MILLION = 1_000_000
LATE_REPORTS_MAX = 200  # a late answer comes after so many more reports at most
REASONS = (
    "settlement date is no business day of the depository",
    "account is not known to the depository",
    "trade is not matched",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How it answers: each chance of a million, drawn from seed and report id."""

    seed: int = 1
    rejected_ppm: int = 0
    received_ppm: int = 300_000  # says RECEIVED before the answer
    late_ppm: int = 50_000
    twice_ppm: int = 50_000

    def is_drawn(self, what: str, report_id: str, ppm: int) -> bool:
        return self.draw(what, report_id) % MILLION < ppm

    def draw(self, what: str, report_id: str) -> int:
        text = f"{self.seed}/{what}/{report_id}".encode()
        return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")


class Clearer:
    """Feed it reports in any order; it gives what to answer now, and at the end what is left."""

    def __init__(self, clearer_id: str, rule: Rule) -> None:
        self._clearer_id = clearer_id
        self._rule = rule
        self._seen = 0
        self._late: list[tuple[int, ClearingAnswered]] = []  # due at that count of reports
        self.answered: set[str] = set()  # finally, also before a restart

    def known(self, message: Any) -> None:
        """Take an answer of an earlier life; it is not given again."""
        final = (ClearingStatus.ACCEPTED, ClearingStatus.REJECTED)
        if isinstance(message, ClearingAnswered) and message.status in final:
            self.answered.add(message.report_id)

    def feed(self, message: Any, now_ns: int) -> Iterator[ClearingAnswered]:
        """Yield what is answered now: to this report, and to earlier ones whose time has come."""
        if not isinstance(message, AllocationReported | TradeCaptured):
            return
        self._seen += 1
        if message.report_id not in self.answered:
            yield from self._answers(message, now_ns)
        yield from self._due(now_ns)

    def flush(self, now_ns: int) -> Iterator[ClearingAnswered]:
        """Yield every answer that is still to come."""
        self._seen = max([self._seen, *(due for due, _ in self._late)])
        yield from self._due(now_ns)

    def _answers(
        self, message: AllocationReported | TradeCaptured, now_ns: int
    ) -> Iterator[ClearingAnswered]:
        rule, name = self._rule, message.report_id
        self.answered.add(name)
        is_repaired = message.cause is ReportCause.REPAIR
        is_rejected = not is_repaired and rule.is_drawn("reject", name, rule.rejected_ppm)
        status = ClearingStatus.REJECTED if is_rejected else ClearingStatus.ACCEPTED
        reason = REASONS[rule.draw("reason", name) % len(REASONS)] if is_rejected else ""
        if rule.is_drawn("received", name, rule.received_ppm):
            yield self._answer(name, ClearingStatus.RECEIVED, "", now_ns)
        last = self._answer(name, status, reason, now_ns)
        copies = 1 + rule.is_drawn("twice", name, rule.twice_ppm)
        if rule.is_drawn("late", name, rule.late_ppm):
            due = self._seen + 1 + rule.draw("delay", name) % LATE_REPORTS_MAX
            self._late += [(due, last)] * copies
        else:
            yield from [last] * copies

    def _due(self, now_ns: int) -> Iterator[ClearingAnswered]:
        due = [last for at, last in self._late if at <= self._seen]
        self._late = [(at, last) for at, last in self._late if at > self._seen]
        for last in due:
            yield self._answer(last.report_id, last.status, last.reason, now_ns)

    def _answer(
        self, report_id: str, status: ClearingStatus, reason: str, now_ns: int
    ) -> ClearingAnswered:
        return ClearingAnswered(
            report_id=report_id,
            clearer_id=self._clearer_id,
            status=status,
            reason=reason,
            reference=f"{self._clearer_id}-{self._rule.draw('reference', report_id):016x}",
            answered_ns=now_ns,
        )
