"""A day with limits in its log: replayed equal, checked, and asked again under others."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from schemas.messages.core import ClockMode, LimitKind, LimitScope
from schemas.messages.intake import OrderRejected
from schemas.messages.risk import LimitsInForce, RiskDecided
from services.audit import check_records
from services.audit.checker import TOPICS
from services.audit.findings import Code, Findings
from services.audit.limits import LimitLaws, check_leases
from services.audit.records import Entry, RawRecord, Reader
from services.limits.again import ask_again, is_answer_of
from streams.adapters.memory import MemoryLog
from streams.core.topics import (
    ALLOCATIONS_EVENTS,
    CONTROL_COMMANDS,
    DECISIONS_EVENTS,
    ORDERS_EVENTS,
)
from streams.risk.limits import BUILT_IN
from streams.runtime.replay import replay
from tests.support.day import Day
from tests.support.day_log import engine, log_of, run_engine
from tests.support.limits import limit, limit_set, put_in_force
from tests.support.memory_shard import CODEC, committed, settings
from tests.support.shard_host import LOG_ID

K = LimitKind
TIGHT = limit_set(
    limit(K.CREDIT, 200_000, scope=LimitScope.CLIENT, limit_id="client"),
    limit(K.CREDIT, 40_000, scope=LimitScope.ACCOUNT, limit_id="account"),
    limit(K.ORDER_QUANTITY, 250, limit_id="quantity"),
    limit(K.POSITION, 300, scope=LimitScope.ACCOUNT, limit_id="position", is_shadow=True),
)


@pytest.fixture(scope="module")
def worked() -> MemoryLog:
    """Return the log of a wild day under tight limits, worked by the real runtime."""
    day = Day(11, is_calm=False)
    put_in_force(day.host, TIGHT)
    day.run()
    log = log_of(day)
    run_engine(log, settings(ClockMode.TAPE), len(day.host.batches))
    return log


def entries(log: MemoryLog, topic: str, kind: type[Any]) -> list[tuple[Any, Any]]:
    decoded = [CODEC.decode(record.value) for record in committed(log, topic)]
    return [pair for pair in decoded if isinstance(pair[1], kind)]


def test_a_log_with_limits_in_it_is_replayed_equal(worked: MemoryLog) -> None:
    report = replay(worked, CODEC, settings(ClockMode.TAPE), engine)
    assert report.is_equal, report.difference
    assert report.state_hashes > 0
    assert len(entries(worked, DECISIONS_EVENTS, LimitsInForce)) == 1


def test_a_refused_order_is_asked_again_under_other_limits(worked: MemoryLog) -> None:
    answers = {
        (message.source, message.client_order_id, message.instrument_id): (envelope, message)
        for envelope, message in entries(worked, ORDERS_EVENTS, OrderRejected)
        if message.limit_id
    }
    decided = entries(worked, DECISIONS_EVENTS, RiskDecided)
    news = [each for _, each in decided if each.command.value == "NEW"]
    assert len(news) == len(answers) > 10
    reasons = set()
    for record in news[:: max(1, len(news) // 6)]:
        key = (record.source, record.client_order_id, record.instrument_id)
        envelope, answer = answers[key]
        assert is_answer_of(answer, record.client_order_id)
        asked = ask_again(worked, 1, LOG_ID, envelope, answer, limits=BUILT_IN)
        assert asked is not None
        # The state of that moment is the one that decided: every measure is the same again.
        assert asked.then.measures == record.measures
        assert asked.then.breach is not None
        assert (asked.then.breach.limit_id, asked.then.version) == (record.limit_id, 1)
        assert asked.other.breach is None
        assert {each.limit_id for each in asked.other.measures} >= {"default-client-credit"}
        reasons.add(record.limit_id)
    assert reasons


OURS = (Code.LIMITS, Code.CREDIT, Code.POSITION)


def raw(log: MemoryLog, topic: str) -> list[RawRecord]:
    return [
        RawRecord(each.topic, each.partition, each.offset, each.key, each.value)
        for each in committed(log, topic)
    ]


def test_the_checker_finds_every_limit_kept(worked: MemoryLog) -> None:
    records = [record for topic in TOPICS for record in raw(worked, topic)]
    report = check_records(records, shards=1)
    assert report.orders > 10
    assert [each for each in report.findings if each.code in OURS] == []


@pytest.mark.parametrize(
    ("tamper", "codes"),
    [
        (lambda limits: limits.update(value=limits["value"] // 2), {Code.LIMITS, Code.CREDIT}),
        (
            lambda limits: limits.update(kind="POSITION", value=100, is_shadow=False),
            {Code.LIMITS, Code.POSITION},
        ),
        (lambda limits: None, set()),
    ],
)
def test_the_checker_finds_a_limit_that_was_not_kept(
    worked: MemoryLog, tamper: Callable[[dict[str, Any]], None], codes: set[Code]
) -> None:
    reader, findings = Reader(), Findings()
    laws = LimitLaws(findings, 0, 1)
    for record in raw(worked, CONTROL_COMMANDS):
        laws.read(reader.read(record))
    outputs = [
        reader.read(record)
        for topic in (ORDERS_EVENTS, ALLOCATIONS_EVENTS, DECISIONS_EVENTS)
        for record in raw(worked, topic)
    ]
    for entry in sorted(outputs, key=lambda each: (each.envelope["seq"], each.envelope["index"])):
        if entry.name == "risk.LimitsInForce":
            content = json.loads(entry.message["content"])
            tamper(next(each for each in content["limits"] if each["limit_id"] == "account"))
            text = json.dumps(content, separators=(",", ":"))
            entry.message["content"] = text
        laws.wrote(entry)
    assert {each.code for each in findings.kept} == codes


def test_the_checker_wants_two_persons_and_the_hash_they_agreed_on() -> None:
    laws = LimitLaws(findings := Findings(), 0, 1)
    content = json.dumps({"limits": []})
    message = {
        "version": 2,
        "proposal_id": "p1",
        "content": content,
        "sha256": "0" * 64,
        "proposed_by": "ann",
        "approved_by": "ann",
    }
    place = RawRecord("decisions.events.v1", 0, 0, b"", b"")
    laws.wrote(Entry(place, "risk.LimitsInForce", {"seq": 1, "index": 0}, message))
    assert findings.counts == {Code.LIMITS: 4}


def test_the_checker_holds_a_shard_to_its_part_and_grants_to_what_was_given_back() -> None:
    lease = {"limit_id": "default-account-credit", "scope": "ACCOUNT", "subject": "T1/A1"}
    findings = Findings()
    laws = LimitLaws(findings, 1, 2)
    place = RawRecord("control.commands.v1", 0, 0, b"", b"")
    order = {
        "order_id": "O1",
        "tenant": "T1",
        "client_id": "C1",
        "account_id": "A1",
        "desk_id": "D",
        "strategy": "TWAP",
        "instrument_id": "ACME",
        "side": "BUY",
        "trade_date": 20250615,
        "quantity": 1_000_000,
        "unit_value_e9": 1_000 * 10**9,  # in all half of the account's limit, a shard's part
    }
    envelope = {"seq": 1, "index": 0, "actor": "limits-coordinator"}
    laws.wrote(Entry(place, "intake.OrderAccepted", envelope, order))
    assert not findings.counts
    amount = (10**9).to_bytes(16, "big", signed=True)
    granted = {**lease, "grant_id": "g1", "shard": 1, "amount_e9": amount}
    for _ in range(2):
        laws.read(Entry(place, "risk.LeaseGranted", envelope, granted))
    more = {**order, "order_id": "O2", "quantity": 1, "unit_value_e9": 10**9}
    laws.wrote(Entry(place, "intake.OrderAccepted", envelope, more))
    assert not findings.counts
    laws.wrote(Entry(place, "intake.OrderAccepted", envelope, {**more, "order_id": "O3"}))
    assert findings.counts == {Code.CREDIT: 1}
    check_leases(findings, [laws])
    assert findings.counts == {Code.CREDIT: 2}  # nobody gave it back
