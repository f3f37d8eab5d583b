"""What a reconciliation finds: named, with subject, both values and their difference."""

from collections import Counter
from typing import NamedTuple

from schemas.messages.core import BreakKind, ReconciliationCheck

__all__ = ["INFORMATION", "Break", "Breaks", "Where"]

INFORMATION = frozenset({BreakKind.ERROR_ACCOUNT})


class Where(NamedTuple):
    """Which instrument, and which record or line says so."""

    instrument_id: str = ""
    place: str = ""


NOWHERE = Where()


class Break(NamedTuple):
    """Two sides that should agree. Values as text, integers in smallest units or 1e-9."""

    kind: BreakKind
    check: ReconciliationCheck
    subject: str
    instrument_id: str
    field: str
    ours: str
    theirs: str
    place: str
    is_information: bool = False

    @property
    def difference(self) -> str:
        """Return theirs - ours where both are numbers."""
        try:
            return str(int(self.theirs) - int(self.ours))
        except ValueError:
            return ""

    def __str__(self) -> str:
        difference = f" ({self.difference})" if self.difference else ""
        return (
            f"{self.kind} {self.subject} {self.field}: ours {self.ours or '-'}, "
            f"theirs {self.theirs or '-'}{difference} [{self.check} {self.place}]"
        )


class Breaks:
    """Collects, in the order of the checks."""

    def __init__(self, check: ReconciliationCheck, found: list[Break] | None = None) -> None:
        self.check = check
        self.found: list[Break] = [] if found is None else found

    def of(self, check: ReconciliationCheck) -> "Breaks":
        """Return a collector for another check that adds to the same list."""
        return Breaks(check, self.found)

    def add(
        self,
        kind: BreakKind,
        subject: str,
        field: str,
        ours: object,
        theirs: object,
        *,
        where: Where = NOWHERE,
        is_information: bool = False,
    ) -> None:
        """Note a break; None stands for a side that has nothing."""
        self.found.append(
            Break(
                kind,
                self.check,
                subject,
                where.instrument_id,
                field,
                "" if ours is None else str(ours),
                "" if theirs is None else str(theirs),
                where.place,
                is_information or kind in INFORMATION,
            )
        )

    def compare(
        self,
        kind: BreakKind,
        subject: str,
        field: str,
        ours: object,
        theirs: object,
        *,
        where: Where = NOWHERE,
    ) -> None:
        """Note a break where the two values differ."""
        if ours != theirs:
            self.add(kind, subject, field, ours, theirs, where=where)

    def counts(self) -> Counter[BreakKind]:
        return Counter(each.kind for each in self.found)
