"""Every named break, planted in a clean day, is found by its name, and the command exits 4."""

from typing import Any, NamedTuple

import pytest

from schemas.messages.allocation import CashAllocated, CrossAllocated, FillAllocated
from schemas.messages.clearing import (
    AllocationReported,
    ClearingStatusChanged,
    ClearingSuspended,
    TradeCaptured,
)
from schemas.messages.core import AllocationEntry, BreakKind, ClearingStatus, RejectReason, Side
from schemas.messages.core import BreakKind as B
from schemas.messages.core import ReconciliationCheck as C
from schemas.messages.routing import FillBooked, FillBusted, FillCorrected
from schemas.messages.venues import ExecutionReport
from services.clearing.reconciliation.run import Reconciliation, reconcile
from services.cli.reconcile import BREAKS_EXIT, exit_code, plain
from tests.support.audit_log import make
from tests.support.clearing_day import ClearingDay
from tests.support.clearing_log import E9, SETTLED, TRADE_DATE, day, entries_of, log_of, part
from tests.support.clearing_plants import Entries, Plant, add, change, last, leave_out


class Case(NamedTuple):
    kind: BreakKind
    check: C
    subject: str
    plant: Plant


def suspended(entries: Entries) -> Entries:
    """The clearer rejects what it has accepted."""
    index = last(entries, ClearingStatusChanged, report_id="C@X1:1")
    message = make(
        ClearingSuspended,
        report_id="C@X1:1",
        status=ClearingStatus.REJECTED,
        reason=RejectReason.REPORT_CONTRADICTS,
        field="status",
        value="REJECTED",
        bound="ACCEPTED",
    )
    return [*entries, entries[index]._replace(message=message)]


def one_more(entries: tuple[Any, ...]) -> tuple[Any, ...]:
    first = entries[0]
    more = AllocationEntry(
        order_id=first.order_id, quantity=first.quantity + 1, cumulative_quantity=0
    )
    return (more, *entries[1:])


E1, F1, G1 = {"fill_id": "V1/E1"}, {"fill_id": "V2/F1"}, {"fill_id": "V1/G1"}
SOLD = {"report_id": "C@X1:1"}
POOL = {"report_id": "A@P1#1:3"}
CASES = [
    # kind, check, subject, what is planted
    Case(B.MISSING_FILL, C.VENUE_REPORTS, "V1/G1", leave_out(FillBooked, **G1)),
    Case(B.UNKNOWN_FILL, C.VENUE_REPORTS, "V1/G1", leave_out(ExecutionReport, exec_id="G1")),
    Case(
        B.DUPLICATE_EXEC_ID,
        C.VENUE_REPORTS,
        "V1/G1",
        add(ExecutionReport, {"exec_id": "G1"}, last_quantity=49),
    ),
    Case(B.DUPLICATE_EXEC_ID, C.VENUE_REPORTS, "V1/G1", add(FillBooked, G1)),
    Case(B.BUST_NOT_APPLIED, C.VENUE_REPORTS, "V1/E1", leave_out(FillBusted, **E1)),
    Case(B.BUST_NOT_APPLIED, C.STREET_REPORTS, "V1/E1:1", leave_out(TradeCaptured, **E1)),
    Case(B.CORRECTION_NOT_APPLIED, C.VENUE_REPORTS, "V2/F1", leave_out(FillCorrected, **F1)),
    Case(B.CORRECTION_NOT_APPLIED, C.STREET_REPORTS, "V2/F1:1", leave_out(TradeCaptured, **F1)),
    Case(B.SIDE_DIFFERS, C.VENUE_REPORTS, "V1/G1", change(FillBooked, G1, side=Side.BUY)),
    Case(B.SIDE_DIFFERS, C.STREET_REPORTS, "V1/G1:1", change(TradeCaptured, G1, side=Side.BUY)),
    Case(
        B.SIDE_DIFFERS, C.CLIENT_REPORTS, "C@X1:1", change(AllocationReported, SOLD, side=Side.BUY)
    ),
    Case(B.QUANTITY_DIFFERS, C.VENUE_REPORTS, "V1/G1", change(FillBooked, G1, quantity=49)),
    Case(
        B.QUANTITY_DIFFERS, C.CASH, "X1", change(CrossAllocated, {}, sells=(part("C", 99, 10_000),))
    ),
    Case(B.QUANTITY_DIFFERS, C.STREET_REPORTS, "V1/G1:1", change(TradeCaptured, G1, quantity=49)),
    Case(
        B.QUANTITY_DIFFERS,
        C.CLIENT_REPORTS,
        "A@P1#1:3",
        change(AllocationReported, POOL, quantity=110),
    ),
    Case(B.PRICE_DIFFERS, C.VENUE_REPORTS, "V1/G1", change(FillBooked, G1, price_e9=98 * E9)),
    Case(B.PRICE_DIFFERS, C.STREET_REPORTS, "V1/G1:1", change(TradeCaptured, G1, price_e9=98 * E9)),
    Case(B.FEE_DIFFERS, C.VENUE_REPORTS, "V1/G1", change(FillBooked, G1, fee_e9=0)),
    Case(B.FEE_DIFFERS, C.STREET_REPORTS, "V1/G1:1", change(TradeCaptured, G1, fee_e9=0)),
    Case(B.FEE_DIFFERS, C.CLIENT_REPORTS, "A@P1#1:3", change(AllocationReported, POOL, fee_e9=1)),
    Case(
        B.FEE_DIFFERS,
        C.CASH,
        "V1/G1",
        change(CashAllocated, G1, entries=(part("D", 50, 4_950, 1),)),
    ),
    Case(
        B.CHILD_CUMULATIVE_DIFFERS,
        C.CHILDREN,
        "P2.1.1",
        change(ExecutionReport, {"exec_id": "G3"}, cumulative_quantity=60),
    ),
    Case(B.UNALLOCATED, C.ALLOCATIONS, "V1/G1", leave_out(FillAllocated, **G1)),
    Case(B.OVER_ALLOCATED, C.ALLOCATIONS, "V1/G1", change(FillAllocated, G1, entries=one_more)),
    Case(
        B.CASH_DIFFERS,
        C.CASH,
        "P1#1",
        change(
            CashAllocated,
            {"parent_id": "P1", "version": 3},
            entries=(part("A", 111, 11_135, 12 * E9), part("B", 37, 3_712, 4 * E9)),
        ),
    ),
    Case(B.CASH_DIFFERS, C.STREET_REPORTS, "V1/G1:1", change(TradeCaptured, G1, cash_e9=1)),
    Case(B.CASH_DIFFERS, C.CLIENT_REPORTS, "C@X1:1", change(AllocationReported, SOLD, cash_e9=1)),
    Case(B.NOT_REPORTED, C.CLIENT_REPORTS, "C@X1", leave_out(AllocationReported, **SOLD)),
    Case(B.NOT_REPORTED, C.STREET_REPORTS, "V1/G1", leave_out(TradeCaptured, **G1)),
    Case(B.REPORTED_TWICE, C.CLIENT_REPORTS, "C@X1", add(AllocationReported, SOLD)),
    Case(
        B.REPORTED_TWICE,
        C.CLIENT_REPORTS,
        "C@X1bis",
        add(AllocationReported, SOLD, record_id="C@X1bis", report_id="C@X1bis:1"),
    ),
    Case(B.REPORTED_TWICE, C.STREET_REPORTS, "V1/G1", add(TradeCaptured, G1)),
    Case(
        B.UNKNOWN_REPORT,
        C.CLIENT_REPORTS,
        "Z@X1",
        add(AllocationReported, SOLD, record_id="Z@X1", report_id="Z@X1:1", order_id="Z"),
    ),
    Case(
        B.UNKNOWN_REPORT,
        C.STREET_REPORTS,
        "V1/Z1",
        add(TradeCaptured, G1, record_id="V1/Z1", report_id="V1/Z1:1", fill_id="V1/Z1"),
    ),
    Case(
        B.LINEAGE_DIFFERS,
        C.CLIENT_REPORTS,
        "A@P1#1:3",
        change(AllocationReported, POOL, parts=lambda parts: parts[1:]),
    ),
    Case(
        B.ACCOUNT_DIFFERS,
        C.CLIENT_REPORTS,
        "C@X1:1",
        change(AllocationReported, SOLD, clearing_account="account-A"),
    ),
    Case(
        B.SETTLEMENT_DATE_DIFFERS,
        C.CLIENT_REPORTS,
        "C@X1:1",
        change(AllocationReported, SOLD, settlement_date=SETTLED + 1),
    ),
    Case(
        B.SETTLEMENT_DATE_DIFFERS,
        C.STREET_REPORTS,
        "V1/G1:1",
        change(TradeCaptured, G1, trade_date=TRADE_DATE - 1),
    ),
    Case(B.NOT_ACCEPTED, C.CLIENT_REPORTS, "C@X1:1", leave_out(ClearingStatusChanged, **SOLD)),
    Case(
        B.NOT_ACCEPTED,
        C.STREET_REPORTS,
        "V1/G1:1",
        change(ClearingStatusChanged, {"report_id": "V1/G1:1"}, status=ClearingStatus.RECEIVED),
    ),
    Case(
        B.REJECTED_UNREPAIRED,
        C.CLIENT_REPORTS,
        "C@X1:1",
        change(ClearingStatusChanged, SOLD, status=ClearingStatus.REJECTED),
    ),
    Case(B.ANSWER_SUSPENDED, C.CLIENT_REPORTS, "C@X1:1", suspended),
    Case(
        B.TOTALS_DIFFER,
        C.TOTALS,
        "ACME USD BUY",
        change(AllocationReported, POOL, quantity=110),
    ),
]


@pytest.fixture(scope="module")
def clean() -> Entries:
    log = log_of(day())
    ClearingDay(log, 1).run()
    return entries_of(log)


def test_a_clean_day_has_no_break_and_says_what_the_error_account_holds(clean: Entries) -> None:
    result = reconcile(clean)
    assert result.is_clean
    assert exit_code(result) == 0
    (told,) = result.found
    assert (told.kind, told.subject, told.ours) == (B.ERROR_ACCOUNT, "V2/F3", "2")
    assert told.is_information
    assert (result.executions, result.fills, result.filled_quantity) == (6, 4, 200)
    assert (result.captures, result.allocations) == (4, 6)
    assert reconcile(clean, day=TRADE_DATE).fills == 4
    assert reconcile(clean, day=TRADE_DATE).is_clean
    other = reconcile(clean, day=TRADE_DATE + 1)
    assert (other.is_clean, other.executions, other.fills, other.allocations) == (True, 0, 0, 0)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind} {case.check}")
def test_a_planted_break_is_named_and_exits_4(case: Case, clean: Entries) -> None:
    result = reconcile(case.plant(list(clean)))
    assert exit_code(result) == BREAKS_EXIT
    found = [(each.kind, each.check, each.subject) for each in result.breaks]
    assert (case.kind, case.check, case.subject) in found
    named = next(
        each for each in result.breaks if each[:3] == (case.kind, case.check, case.subject)
    )
    assert named.ours != named.theirs
    assert str(named).startswith(f"{case.kind} {case.subject} ")
    by_name = plain(result)["counts"]
    assert isinstance(by_name, dict)
    assert by_name[case.kind] >= 1
    by_day: Reconciliation = reconcile(case.plant(list(clean)), day=TRADE_DATE)
    assert exit_code(by_day) == BREAKS_EXIT


def test_every_name_is_planted_somewhere() -> None:
    planted = {case.kind for case in CASES}
    assert planted == set(BreakKind) - {B.UNKNOWN, B.ERROR_ACCOUNT}


def test_reports_of_a_venue_in_any_order_come_to_the_same(clean: Entries) -> None:
    reports = [entry for entry in clean if isinstance(entry.message, ExecutionReport)]
    others = [entry for entry in clean if not isinstance(entry.message, ExecutionReport)]
    assert reconcile([*reversed(reports), *others]).is_clean
    assert reconcile([*reports, *reports, *others]).is_clean, "a resend is no second execution"


def test_an_answer_to_an_unknown_report_is_told_and_is_no_break(clean: Entries) -> None:
    stray = make(ClearingSuspended, report_id="nobody:1", reason=RejectReason.UNKNOWN_REPORT)
    result = reconcile([*clean, clean[0]._replace(message=stray)])
    assert result.is_clean
    assert result.counts[B.ANSWER_SUSPENDED] == 1


def test_executions_of_one_instant_may_be_told_in_any_order(clean: Entries) -> None:
    """A venue's swapped reports: the one with the lower count comes last."""
    traded = leave_out(ExecutionReport, exec_id="G3")(clean)
    late = add(ExecutionReport, {"exec_id": "G2"}, cumulative_quantity=1)
    assert reconcile(late(traded)).breaks == reconcile(traded).breaks
