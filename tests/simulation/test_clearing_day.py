"""Clearing over whole market days: it reconciles, crashes change nothing, and replay agrees."""

import random
from pathlib import Path
from typing import Any

import pytest

from schemas.messages.clearing import (
    AllocationReported,
    ClearingStatusChanged,
    RepairRequested,
    TradeCaptured,
)
from schemas.messages.core import (
    BreakKind,
    ClearingStatus,
    RepairChange,
    RepairField,
    ReportCause,
)
from services.clearing.application import Clearing
from services.clearing.clearer import Rule
from services.clearing.reconciliation.drop_copy import read_drop_copy
from services.clearing.reconciliation.run import reconcile
from services.clearing.sessions import ended_days
from services.venues.application import VenueSimulator
from services.venues.drop_copy import write_drop_copies
from services.venues.host import simulator_host
from services.venues.scenario import Scenario
from services.venues.settings import simulator_settings
from streams.adapters.memory import Fault, Faults
from streams.core import topics
from streams.runtime.ports import TopicPartition
from streams.runtime.replay import replay
from tests.support.clearing_day import CODEC, LOG_ID, ClearingDay
from tests.support.clearing_log import entries_of
from tests.support.market_shards import PARTITIONS, MarketShards

HARD = Rule(seed=5, rejected_ppm=60_000, late_ppm=300_000, twice_ppm=300_000)
CRASHES = 25


def played() -> MarketShards:
    market = MarketShards(Scenario(seed=2, minutes=3, orders=300))
    market.run()
    return market


@pytest.fixture(scope="module")
def market() -> MarketShards:
    """A finished day, cleared by a clearer that rejects; what it rejected is repaired."""
    found = played()
    run = ClearingDay(found.log, PARTITIONS, rule=HARD)
    run.run()
    repair_all(run)
    return found


def repair_all(run: ClearingDay) -> int:
    application = run.run().application
    assert isinstance(application, Clearing)
    count = 0
    for record_id, record in application.state.ledger.records.items():
        if record.newest.status is ClearingStatus.REJECTED:
            count += 1
            change = RepairChange(field=RepairField.SETTLEMENT_DATE, value="20260310", previous="")
            name = f"{record_id}:{len(record.versions)}"
            run.say(RepairRequested(report_id=name, changes=(change,), reason="r"), actor="ann")
    run.run()
    return count


def said(market: MarketShards) -> list[Any]:
    return [
        CODEC.decode(record.value)[1]
        for partition in range(PARTITIONS)
        for record in market.log.partition(TopicPartition(topics.CLEARING_REPORTS, partition)).read(
            0, 10**9
        )[0]
    ]


def test_a_day_with_rejects_and_repairs_reconciles_with_the_venues_own_books(
    market: MarketShards, tmp_path: Path
) -> None:
    settings = simulator_settings(PARTITIONS, LOG_ID, seed=2)
    simulator = simulator_host(market.log, CODEC, settings, market.day, partitions=PARTITIONS)
    simulator.take_over()
    assert isinstance(simulator.application, VenueSimulator)
    paths = write_drop_copies(simulator.application.state, tmp_path)
    copies = [read_drop_copy(path) for path in paths]
    result = reconcile(entries_of(market.log, PARTITIONS), drop_copies=copies)
    assert result.breaks == ()
    assert result.fills > 100
    assert result.fills == result.captures
    assert result.allocations > 300
    messages = said(market)
    repairs = [each for each in messages if getattr(each, "cause", None) is ReportCause.REPAIR]
    assert len(repairs) > 10
    assert check_is_clean(market)


def check_is_clean(market: MarketShards) -> bool:
    """The independent checker has nothing to say of a log with clearing in it."""
    return market.check().is_clean


def test_every_part_of_a_report_adds_up_to_it(market: MarketShards) -> None:
    reports = [each for each in said(market) if isinstance(each, AllocationReported)]
    with_parts = [each for each in reports if each.parts]
    assert len(with_parts) > 50
    assert all(sum(p.quantity for p in each.parts) == each.quantity for each in with_parts)


def test_unanswered_and_rejected_reports_are_breaks(market: MarketShards) -> None:
    entries = [
        entry
        for entry in entries_of(market.log, PARTITIONS)
        if not isinstance(entry.message, ClearingStatusChanged)
    ]
    counts = reconcile(entries).counts
    assert counts[BreakKind.NOT_ACCEPTED] > 400


def test_clearing_decided_again_says_the_same(market: MarketShards) -> None:
    run = ClearingDay(market.log, PARTITIONS)
    report = replay(market.log, CODEC, run.settings, lambda: Clearing(PARTITIONS, "clearer"))
    assert report.difference is None
    assert report.events == len(said(market))


@pytest.mark.parametrize("seed", range(4))
def test_crashes_anywhere_lose_nothing_and_report_nothing_twice(seed: int) -> None:
    dice = random.Random(seed)
    calm = played()
    expected = calm_reports(calm)
    wild = played()
    plan = {dice.randrange(900): dice.choice(tuple(Fault)) for _ in range(CRASHES)}
    wild.log.faults = Faults(plan, late_calls=dice.randint(1, 40))
    run = ClearingDay(wild.log, PARTITIONS, batches=3)
    run.settings = small_batches(run, 40)
    run.run()
    assert sum(call < wild.log.faults.calls for call in plan) > CRASHES // 2
    wild.log.deliver_late()
    wild.log.faults.fault_by_call = {}
    assert sorted(map(str, of_record(said(wild)))) == sorted(map(str, of_record(expected)))
    assert reconcile(entries_of(wild.log, PARTITIONS)).breaks == ()


def calm_reports(market: MarketShards) -> list[Any]:
    ClearingDay(market.log, PARTITIONS).run()
    return said(market)


def small_batches(run: ClearingDay, records: int) -> Any:
    from dataclasses import replace

    return replace(run.settings, batch_records_max=records)


def of_record(messages: list[Any]) -> list[Any]:
    return [each for each in messages if isinstance(each, AllocationReported | TradeCaptured)]


def test_a_trade_date_ends_when_the_slowest_shard_says_so(market: MarketShards) -> None:
    application = ClearingDay(market.log, PARTITIONS).run().application
    assert isinstance(application, Clearing)
    state = application.state
    close_ns = max(terms.session_close_ns for _, terms in _terms(state.reference.instruments))
    state.engine_ns = dict.fromkeys(range(PARTITIONS), close_ns + 10)
    (day,) = ended_days(state, PARTITIONS, 10)
    assert day == market.day.commands[0].message.trade_date
    assert ended_days(state, PARTITIONS, 11) == []
    state.engine_ns[2] = close_ns - 1
    assert ended_days(state, PARTITIONS, 0) == []
    del state.engine_ns[2]
    assert ended_days(state, PARTITIONS, 0) == []


def _terms(instruments: dict[str, list[tuple[int, Any]]]) -> list[tuple[int, Any]]:
    return [each for known in instruments.values() for each in known]
