"""One reconciliation from the first record to the verdict."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from schemas.messages.clearing import ReconciliationBroke, ReconciliationDone
from schemas.messages.core import BreakCount, Envelope, ReconciliationCheck, TopicPosition
from services.clearing.reconciliation.allocation_checks import check_allocations, check_cash
from services.clearing.reconciliation.breaks import Break, Breaks
from services.clearing.reconciliation.drop_copy import DropCopy
from services.clearing.reconciliation.report_checks import (
    check_client_reports,
    check_street_reports,
    check_suspended,
)
from services.clearing.reconciliation.sides import Sides
from services.clearing.reconciliation.totals import check_totals
from services.clearing.reconciliation.venue_checks import check_children, check_executions
from streams.core.topics import (
    AGGREGATIONS_EVENTS,
    ALLOCATIONS_EVENTS,
    CLEARING_REPORTS,
    CONTROL_COMMANDS,
    FILLS_EVENTS,
    ORDERS_EVENTS,
    VENUES_REPORTS,
)

__all__ = ["TOPICS", "Entry", "Reconciliation", "events_of", "reconcile"]

TOPICS = (
    CONTROL_COMMANDS,
    VENUES_REPORTS,
    ORDERS_EVENTS,
    AGGREGATIONS_EVENTS,
    FILLS_EVENTS,
    ALLOCATIONS_EVENTS,
    CLEARING_REPORTS,
)


class Entry(NamedTuple):
    """A record that could be read."""

    topic: str
    partition: int
    offset: int
    envelope: Envelope
    message: Any


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict. Quantities in smallest units, summed over all instruments."""

    day: int  # 0 for the whole log
    found: tuple[Break, ...]
    executions: int
    fills: int
    filled_quantity: int
    allocations: int
    captures: int
    drop_copies: tuple[str, ...]
    positions: tuple[TopicPosition, ...]

    @property
    def breaks(self) -> tuple[Break, ...]:
        """Return what counts, information left out."""
        return tuple(each for each in self.found if not each.is_information)

    @property
    def counts(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for each in self.found:
            counts[each.kind] = counts.get(each.kind, 0) + 1
        return dict(sorted(counts.items()))

    @property
    def is_clean(self) -> bool:
        return not self.breaks


def reconcile(
    entries: Iterable[Entry], *, day: int = 0, drop_copies: Sequence[DropCopy] = ()
) -> Reconciliation:
    """Compare every side of a log with the next one. Each partition's entries in order.

    `day` narrows it to one trade date; whatever else the log holds is then passed over.
    """
    sides = Sides()
    ends: dict[tuple[str, int], int] = {}
    for entry in entries:
        place = f"{entry.topic}[{entry.partition}]@{entry.offset}"
        sides.take(entry.envelope, entry.message, place)
        ends[entry.topic, entry.partition] = entry.offset + 1
    breaks = Breaks(ReconciliationCheck.VENUE_REPORTS)
    executions = sides.executions.net(breaks)
    check_executions(sides, executions, breaks, day)
    for copy in drop_copies:
        of_copy = breaks.of(ReconciliationCheck.DROP_COPY)
        check_executions(sides, copy.executions.net(of_copy), of_copy, day, copy.venues)
    check_children(sides, breaks.of(ReconciliationCheck.CHILDREN), day)
    check_allocations(sides, breaks.of(ReconciliationCheck.ALLOCATIONS), day)
    check_cash(sides, executions, breaks.of(ReconciliationCheck.CASH), day)
    client = breaks.of(ReconciliationCheck.CLIENT_REPORTS)
    allocations = check_client_reports(sides, client, day)
    captures = check_street_reports(sides, breaks.of(ReconciliationCheck.STREET_REPORTS), day)
    check_suspended(sides, client, day)
    check_totals(sides, breaks.of(ReconciliationCheck.TOTALS), day)
    fills = [
        fill
        for fill in sides.fills.values()
        if not fill.is_busted and sides.is_wanted(day, fill.instrument_id, fill.executed_ns)
    ]
    return Reconciliation(
        day=day,
        found=tuple(breaks.found),
        executions=sum(
            sides.is_wanted(day, each.instrument_id, each.transact_ns)
            for each in executions.values()
        ),
        fills=len(fills),
        filled_quantity=sum(fill.quantity for fill in fills),
        allocations=allocations,
        captures=captures,
        drop_copies=tuple(copy.name for copy in drop_copies),
        positions=tuple(
            TopicPosition(topic=topic, partition=partition, position=end)
            for (topic, partition), end in sorted(ends.items())
        ),
    )


def events_of(result: Reconciliation, run_id: str, trigger: str) -> list[Any]:
    """Return the verdict as events: each break, and the end last."""
    events: list[Any] = [
        ReconciliationBroke(
            run_id=run_id,
            day=result.day,
            kind=each.kind,
            check=each.check,
            subject=each.subject,
            instrument_id=each.instrument_id,
            field=each.field,
            ours=each.ours,
            theirs=each.theirs,
            difference=each.difference,
            is_information=each.is_information,
            place=each.place,
        )
        for each in result.found
    ]
    kinds = dict.fromkeys(each.kind for each in result.found)
    done = ReconciliationDone(
        run_id=run_id,
        day=result.day,
        trigger=trigger,
        drop_copies=result.drop_copies,
        executions=result.executions,
        fills=result.fills,
        filled_quantity=result.filled_quantity,
        allocations=result.allocations,
        captures=result.captures,
        breaks=len(result.breaks),
        counts=tuple(BreakCount(kind=kind, count=result.counts[kind]) for kind in kinds),
        positions=result.positions,
    )
    return [*events, done]
