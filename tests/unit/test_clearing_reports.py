"""What is reported, when, with which lineage; and what answers and repairs make of it."""

from typing import Any

import msgspec
import pytest

from schemas.messages.clearing import (
    AllocationReported,
    ClearingAnswered,
    ClearingRepaired,
    ClearingStatusChanged,
    ClearingSuspended,
    RepairRequested,
    TradeCaptured,
)
from schemas.messages.core import (
    AllocationKind,
    ClearingStatus,
    ClearingTransaction,
    CrossKind,
    RejectReason,
    RepairChange,
    RepairField,
    ReportCause,
)
from schemas.messages.netting import CrossExecuted
from services.clearing.application import Clearing
from streams.adapters.memory import MemoryLog
from streams.core import topics
from streams.runtime.replay import replay
from tests.support.audit_day import drop
from tests.support.audit_log import Batch
from tests.support.clearing_day import CODEC, ClearingDay, outside, statuses
from tests.support.clearing_log import E9, SETTLED, TRADE_DATE, beginning, cash, day, log_of, part

NEW, REPLACE, CANCEL = list(ClearingTransaction)[1:]
ACCEPTED, REJECTED = ClearingStatus.ACCEPTED, ClearingStatus.REJECTED


def silent(batches: dict[str, Batch]) -> ClearingDay:
    """A day whose clearer says nothing of itself."""
    run = ClearingDay(log_of(batches), 1, is_silent=True)
    run.run()
    return run


def grow(run: ClearingDay, batches: dict[str, Batch]) -> None:
    """Let the engine go on: what `batches` has beyond the log so far is written now."""
    longer = log_of(batches)
    for topic in (*run_topics(), topics.ENGINE_JOURNAL):
        ours, theirs = committed(run.log, topic), committed(longer, topic)
        for record in theirs[len(ours) :]:
            run.log.append(topic, 0, record.key, record.value)
    run.run()


def run_topics() -> tuple[str, ...]:
    events = (topics.ORDERS_EVENTS, topics.AGGREGATIONS_EVENTS, topics.FILLS_EVENTS)
    return (topics.VENUES_REPORTS, *events, topics.ALLOCATIONS_EVENTS)


def committed(log: MemoryLog, topic: str) -> list[Any]:
    from streams.runtime.ports import TopicPartition

    return log.partition(TopicPartition(topic, 0)).read(0, 10**9)[0]


def of(run: ClearingDay, kind: type[Any], record_id: str) -> list[Any]:
    return [
        each for each in run.reports() if isinstance(each, kind) and each.record_id == record_id
    ]


def answer(report_id: str, status: ClearingStatus, reason: str = "") -> ClearingAnswered:
    return ClearingAnswered(
        report_id=report_id,
        clearer_id="clearer",
        status=status,
        reason=reason,
        reference="r1",
        answered_ns=9,
    )


def repair(report_id: str, reason: str = "typo", **changes: str) -> RepairRequested:
    fields = tuple(
        RepairChange(field=RepairField(name.upper()), value=value, previous="")
        for name, value in changes.items()
    )
    return RepairRequested(report_id=report_id, changes=fields, reason=reason)


def said(run: ClearingDay, *messages: Any, actor: str = "clearer") -> list[Any]:
    """Return what clearing makes of messages on clearing.statuses."""
    before = len(run.reports())
    for message in messages:
        run.say(message, actor)
    run.run()
    return run.reports()[before:]


def test_an_order_is_reported_once_its_cash_is_final_and_again_when_it_changes() -> None:
    first, second, third = of(silent(day()), AllocationReported, "A@P1#1")
    assert [first.transaction, second.transaction, third.transaction] == [NEW, REPLACE, REPLACE]
    assert [first.cause, second.cause, third.cause] == [
        ReportCause.FILLED,
        ReportCause.BUST,
        ReportCause.CORRECTION,
    ]
    assert (first.previous_id, second.previous_id, third.previous_id) == (
        "",
        "A@P1#1:1",
        "A@P1#1:2",
    )
    assert [each.quantity for each in (first, second, third)] == [156, 126, 111]
    assert third.cash_e9 == 11_136 * E9
    assert third.net_cash_e9 == 11_148 * E9, "a buyer pays cash and fees"
    assert third.average_price_e9 == 100_324_324_324
    assert (third.account_id, third.client_id, third.owner_id) == (
        "account-A",
        "client-A",
        "account-A",
    )
    assert (third.trade_date, third.business_date, third.settlement_date) == (
        TRADE_DATE,
        TRADE_DATE,
        SETTLED,
    )
    assert not third.is_settlement_assumed


def test_the_lineage_names_every_change_of_the_share_and_sums_to_it() -> None:
    run = silent(day())
    report = of(run, AllocationReported, "A@P1#1")[-1]
    assert [
        (part.fill_id, part.child_id, part.slice_id, part.quantity) for part in report.parts
    ] == [
        ("V1/E1", "P1.1.1", "P1.1", 30),
        ("V1/E2", "P1.1.1", "P1.1", 75),
        ("V2/F1", "P1.2.1", "P1.2", 45),
        ("V2/F3", "P1.2.1", "P1.2", 6),
        ("V1/E1", "P1.1.1", "P1.1", -30),
        ("V2/F1", "P1.2.1", "P1.2", -15),
    ]
    events = {
        CODEC.decode(record.value)[0].event_id
        for record in committed(run.log, topics.ALLOCATIONS_EVENTS)
    }
    assert {part.event_id for part in report.parts} <= events
    causes = {envelope.causation_id for envelope, _ in run.records()}
    assert causes <= events | {
        CODEC.decode(record.value)[0].event_id for record in committed(run.log, topics.FILLS_EVENTS)
    }


def test_a_fill_by_itself_and_a_cross_are_records_of_their_own() -> None:
    run = silent(day())
    (kept,) = of(run, AllocationReported, "D@V1/G1")
    assert (kept.kind, kept.quantity, kept.net_cash_e9) == (AllocationKind.FILL, 50, 4_948 * E9)
    booked, gone = of(run, AllocationReported, "D@V1/G2")
    assert (booked.quantity, gone.quantity, gone.transaction) == (30, 0, CANCEL)
    assert gone.previous_id == booked.report_id
    sold = of(run, AllocationReported, "C@X1")
    assert [(each.kind, each.cross_id, each.quantity) for each in sold] == [
        (AllocationKind.CROSS, "X1", 100)
    ]


def test_a_record_that_was_canceled_and_comes_back_is_new_to_the_clearer() -> None:
    alone, both = (part("B", 208, 20_868),), (part("A", 156, 15_651), part("B", 52, 5_217))
    run = silent(
        {
            **beginning(),
            "gone": Batch(outputs=[cash("P1", 2, *alone)]),
            "back": Batch(outputs=[cash("P1", 3, *both)]),
        }
    )
    told = of(run, AllocationReported, "A@P1#1")
    assert [(each.transaction, each.previous_id) for each in told] == [
        (NEW, ""),
        (CANCEL, "A@P1#1:1"),
        (NEW, ""),
    ]


def test_own_netting_is_told_as_a_transfer_and_no_cross() -> None:
    batches = day()
    topic, cross = drop(batches["orders"], CrossExecuted)
    own = msgspec.structs.replace(cross, kind=CrossKind.OWN_NETTING)
    batches["orders"].outputs.insert(0, (topic, own))
    (sold,) = of(silent(batches), AllocationReported, "C@X1")
    assert (sold.kind, sold.net_cash_e9) == (AllocationKind.OWN_NETTING, 10_000 * E9)


def test_the_street_side_follows_busts_and_corrections_and_keeps_the_error_apart() -> None:
    run = silent(day())
    first, gone = of(run, TradeCaptured, "V1/E1")
    assert (first.transaction, gone.transaction, gone.change_exec_id) == (NEW, CANCEL, "E4")
    _, corrected = of(run, TradeCaptured, "V2/F1")
    assert (corrected.transaction, corrected.quantity, corrected.fee_e9) == (REPLACE, 40, 4 * E9)
    assert corrected.liquidity == first.liquidity, "a correction does not say it again"
    (over,) = of(run, TradeCaptured, "V2/F3")
    assert (over.quantity, over.error_quantity) == (10, 2)
    assert (over.cash_e9, over.error_cash_e9) == (1_010 * E9, 202 * E9)


def test_each_answer_is_a_status_and_a_repeated_one_says_nothing() -> None:
    run = silent(beginning())
    received, accepted = said(
        run,
        answer("C@X1:1", ClearingStatus.RECEIVED),
        answer("C@X1:1", ACCEPTED),
        answer("C@X1:1", ACCEPTED),
        answer("C@X1:1", ClearingStatus.RECEIVED),
    )
    assert (received.previous_status, received.status) == (
        ClearingStatus.SENT,
        ClearingStatus.RECEIVED,
    )
    assert (accepted.previous_status, accepted.status) == (ClearingStatus.RECEIVED, ACCEPTED)
    assert accepted.is_current
    envelope = run.records()[-1][0]
    assert envelope.actor == "clearer"


def test_a_late_answer_to_an_older_version_is_kept_as_its_own() -> None:
    run = silent(day())
    (late,) = said(run, answer("A@P1#1:1", ACCEPTED))
    assert isinstance(late, ClearingStatusChanged)
    assert (late.version, late.is_current) == (1, False)
    assert statuses_of(run)["A@P1#1"] is ClearingStatus.SENT


def statuses_of(run: ClearingDay) -> dict[str, ClearingStatus]:
    application = run.run().application
    assert isinstance(application, Clearing)
    return statuses(application)


SUSPENDED = [
    # reason, field, what was sent
    (RejectReason.UNKNOWN_REPORT, "report_id", answer("nobody:1", ACCEPTED)),
    (RejectReason.UNKNOWN_REPORT, "report_id", answer("C@X1:2", ACCEPTED)),
    (RejectReason.UNKNOWN_REPORT, "report_id", answer("C@X1:01", ACCEPTED)),
    (RejectReason.UNKNOWN_REPORT, "report_id", answer("C@X1", ACCEPTED)),
    (RejectReason.UNKNOWN_REPORT, "report_id", answer("", ACCEPTED)),
    (RejectReason.UNKNOWN_REPORT, "report_id", answer("C@X1:¹", ACCEPTED)),
    (RejectReason.VALUE_OUT_OF_RANGE, "status", answer("C@X1:1", ClearingStatus.SENT)),
    (RejectReason.VALUE_OUT_OF_RANGE, "status", answer("C@X1:1", ClearingStatus.UNKNOWN)),
    (RejectReason.REPORT_CONTRADICTS, "status", answer("A@X1:1", REJECTED)),
    (RejectReason.UNKNOWN_REPORT, "report_id", repair("nobody:1")),
    (RejectReason.CLEARING_REFUSED, "status", repair("A@X1:1")),
    (RejectReason.STALE_VERSION, "report_id", repair("V1/E1:1")),
    (RejectReason.FIELD_EMPTY, "reason", repair("B@X1:1", reason="")),
    (RejectReason.VALUE_OUT_OF_RANGE, "settlement_date", repair("B@X1:1", settlement_date="1")),
    (
        RejectReason.VALUE_OUT_OF_RANGE,
        "settlement_date",
        repair("B@X1:1", settlement_date="20260230"),
    ),
    (
        RejectReason.VALUE_OUT_OF_RANGE,
        "settlement_date",
        repair("B@X1:1", settlement_date=str(TRADE_DATE - 1)),
    ),
    (RejectReason.VALUE_OUT_OF_RANGE, "clearing_account", repair("B@X1:1", clearing_account="")),
    (
        RejectReason.VALUE_OUT_OF_RANGE,
        "clearing_account",
        repair("B@X1:1", clearing_account="a\nb"),
    ),
    (RejectReason.VALUE_OUT_OF_RANGE, "clearing_account", repair("V1/G1:1", clearing_account="x")),
    (RejectReason.VALUE_OUT_OF_RANGE, "field", repair("B@X1:1", unknown="x")),
]


@pytest.mark.parametrize(("reason", "field", "message"), SUSPENDED)
def test_what_fits_nothing_is_kept_with_its_reason(
    reason: RejectReason, field: str, message: Any
) -> None:
    run = silent(day())
    said(run, answer("A@X1:1", ACCEPTED), answer("B@X1:1", REJECTED), answer("V1/G1:1", REJECTED))
    (kept,) = said(run, message, actor="ann")
    assert isinstance(kept, ClearingSuspended)
    assert (kept.reason, kept.field, kept.sent_by) == (reason, field, "ann")
    assert kept.text == f"{kept.field} {kept.value}: {kept.bound}"
    assert kept.topic == topics.CLEARING_STATUSES


def test_bytes_that_are_no_message_stop_nothing() -> None:
    run = silent(beginning())
    run.log.append(topics.CLEARING_STATUSES, 0, b"", b"\x07rubbish")
    stranger = of(run, TradeCaptured, "V1/E1")[0]
    run.log.append(topics.CLEARING_STATUSES, 0, b"", CODEC.encode(outside(99, "eve"), stranger))
    unread, unexpected, accepted = said(run, answer("C@X1:1", ACCEPTED))
    assert (unread.reason, unread.sent_by) == (RejectReason.BAD_MAGIC, "")
    assert (unexpected.reason, unexpected.value) == (
        RejectReason.UNEXPECTED_MESSAGE,
        "TradeCaptured",
    )
    assert accepted.status is ACCEPTED


def test_a_person_repairs_a_rejected_report_and_the_clearer_gets_a_new_version() -> None:
    run = silent(beginning())
    said(run, answer("C@X1:1", REJECTED, "no such account"))
    repaired, report = said(
        run,
        repair("C@X1:1", clearing_account="account-9", settlement_date="20260304"),
        actor="ann",
    )
    assert isinstance(repaired, ClearingRepaired)
    assert repaired.repaired_by == "ann"
    assert [(change.field, change.previous, change.value) for change in repaired.changes] == [
        (RepairField.CLEARING_ACCOUNT, "account-C", "account-9"),
        (RepairField.SETTLEMENT_DATE, str(SETTLED), "20260304"),
    ]
    assert (report.report_id, report.transaction, report.previous_id) == ("C@X1:2", NEW, "")
    assert (report.cause, report.account_id, report.clearing_account) == (
        ReportCause.REPAIR,
        "account-C",
        "account-9",
    )
    assert report.settlement_date == 20260304
    (accepted,) = said(run, answer("C@X1:2", ACCEPTED), answer("C@X1:1", REJECTED))
    assert (accepted.version, accepted.is_current) == (2, True)


def test_a_repair_outlives_a_bust_that_comes_later() -> None:
    run = silent(beginning())
    said(run, answer("A@P1#1:1", REJECTED))
    said(run, repair("A@P1#1:1", clearing_account="account-9"), actor="ann")
    grow(run, day())
    third, fourth = of(run, AllocationReported, "A@P1#1")[2:]
    assert (third.transaction, third.previous_id) == (REPLACE, "A@P1#1:2")
    assert (fourth.previous_id, fourth.clearing_account) == ("A@P1#1:3", "account-9")


def test_what_the_clearer_never_took_is_reported_anew_and_not_replaced() -> None:
    run = silent(beginning())
    said(run, answer("A@P1#1:1", REJECTED))
    grow(run, day())
    second, third = of(run, AllocationReported, "A@P1#1")[1:]
    assert (second.transaction, second.previous_id) == (NEW, "")
    assert (third.transaction, third.previous_id) == (REPLACE, "A@P1#1:2")


def test_a_rejected_report_of_what_is_busted_is_withdrawn_and_never_canceled() -> None:
    run = silent(beginning())
    said(run, answer("V1/E1:1", REJECTED))
    grow(run, day())
    assert len(of(run, TradeCaptured, "V1/E1")) == 1
    withdrawn = of(run, ClearingStatusChanged, "V1/E1")[-1]
    assert (withdrawn.previous_status, withdrawn.status) == (REJECTED, ClearingStatus.WITHDRAWN)
    (suspended,) = said(run, answer("V1/E1:1", ACCEPTED))
    assert suspended.reason is RejectReason.REPORT_CONTRADICTS


def test_deciding_again_says_the_same() -> None:
    run = ClearingDay(log_of(day()), 1, batches=2)
    run.run()
    report = replay(run.log, CODEC, run.settings, lambda: Clearing(1, "clearer"))
    assert report.difference is None
    assert report.events == len(run.reports())
