"""The simulator alone: equal runs give equal bytes, restored states equal live ones, mishaps."""

import subprocess
import sys
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from schemas.messages.core import ExecType, JournalKind, OrderStatus
from schemas.messages.market import BookUpdated, TradePrinted, Watermark
from schemas.messages.runtime import JournalRecord
from schemas.messages.venues import ExecutionReport, OrderCancelReject
from services.venues.application import VenueSimulator
from services.venues.conditions import ORDINARY, Conditions
from services.venues.scenario import Day, Scenario, plan_day
from streams.core.murmur import partition_of
from streams.runtime.ports import RecordedBatch
from tests.support.venue_driver import (
    PARTITIONS,
    Heard,
    ScriptedEngine,
    VenueDriver,
    envelope,
)

ROOT = Path(__file__).parents[2]


EVERYTHING = Conditions(
    opening_s=6,
    closing_s=6,
    halts=3,
    is_wide=True,
    troubles="NORD:GONE:20-30,OST:SLOW:10-40:3",
)


def day_of(seed: int = 7, minutes: int = 1, conditions: Conditions = ORDINARY) -> Day:
    return plan_day(Scenario(seed=seed, minutes=minutes, orders=100, conditions=conditions))


def run(day: Day, steps: int, per_step: int) -> tuple[VenueDriver, ScriptedEngine, list[Heard]]:
    driver, engine = VenueDriver(day), ScriptedEngine(day, seed=1, per_step=per_step)
    heard: list[Heard] = []
    last: list[Heard] = []
    for _ in range(steps):
        last = driver.step(engine.answer([each.message for each in last]))
        heard.extend(last)
    return driver, engine, heard


def digest(heard: list[Heard]) -> str:
    return sha256(repr(heard).encode()).hexdigest()


@pytest.mark.parametrize("conditions", [ORDINARY, EVERYTHING], ids=["ordinary", "everything"])
def test_the_same_seed_says_the_same_and_another_seed_does_not(conditions: Conditions) -> None:
    days = (day_of(seed, conditions=conditions) for seed in (7, 7, 8))
    first, again, other = (run(day, 60, 10) for day in days)
    assert digest(first[2]) == digest(again[2])
    assert first[0].simulator.snapshot() == again[0].simulator.snapshot()
    assert digest(first[2]) != digest(other[2])


def test_the_hash_seed_of_python_changes_nothing() -> None:
    code = (
        "from tests.simulation.test_venues_day import *;"
        "print(digest(run(day_of(conditions=EVERYTHING), 60, 10)[2]))"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(digests) == 1 and digests.pop().strip()


def recorded(day: Day, step: int, inbounds: list[Any]) -> RecordedBatch:
    end_ns = day.terms.start_ns + step * day.terms.step_ns
    fields: dict[str, Any] = {
        **dict.fromkeys(JournalRecord.__struct_fields__),
        "signals": (),
        "kind": JournalKind.BATCH,
        "now_ns": end_ns,
        "watermark_ns": end_ns,
        "step": step,
    }
    journal = JournalRecord(**fields)
    return RecordedBatch(journal, envelope(0), inbounds, ())


@pytest.mark.parametrize("conditions", [ORDINARY, EVERYTHING], ids=["ordinary", "everything"])
def test_a_restored_simulator_is_the_live_one_from_the_start_and_from_a_snapshot(
    conditions: Conditions,
) -> None:
    day = day_of(conditions=conditions)
    driver, engine = VenueDriver(day), ScriptedEngine(day, seed=1, per_step=10)
    from_start = VenueSimulator(day_of(conditions=conditions), PARTITIONS)
    from_snapshot = VenueSimulator(day_of(conditions=conditions), PARTITIONS)
    last: list[Heard] = []
    for step in range(1, 50):
        answers = engine.answer([each.message for each in last])
        offset = driver.offset
        last = driver.step(answers)
        driver.offset = offset
        batch = recorded(day, step, driver.inbounds(answers))
        from_start.restore(batch)
        if step == 25:
            from_snapshot.load(driver.simulator.snapshot())
        elif step > 25:
            from_snapshot.restore(batch)
    assert from_start.snapshot() == driver.simulator.snapshot()
    assert from_snapshot.snapshot() == driver.simulator.snapshot()


def test_everything_stands_on_its_partition_before_its_watermark() -> None:
    day = day_of()
    _, _, heard = run(day, day.steps, 5)
    marks: Counter[tuple[str, int]] = Counter()
    for each in heard:
        where = (each.topic, each.partition)
        if isinstance(each.message, Watermark):
            marks[where] += 1
            assert each.message.step == marks[where]
            assert each.message.is_final == (each.message.step == day.steps)
        else:
            assert each.partition == partition_of(each.message.instrument_id, PARTITIONS)
            begin_ns = day.terms.start_ns + marks[where] * day.terms.step_ns
            assert begin_ns <= each.source_ns <= begin_ns + day.terms.step_ns
    assert len(marks) == 3 * PARTITIONS and set(marks.values()) == {day.steps}


def test_books_are_ordered_and_never_crossed() -> None:
    day = day_of()
    _, _, heard = run(day, 60, 20)
    books = [each.message for each in heard if isinstance(each.message, BookUpdated)]
    assert len(books) > 1_000
    for book in books:
        bids = [level.price_e9 for level in book.bids]
        asks = [level.price_e9 for level in book.asks]
        assert bids == sorted(set(bids), reverse=True) and asks == sorted(set(asks))
        assert not bids or not asks or bids[0] < asks[0]
        assert all(level.quantity > 0 for level in (*book.bids, *book.asks))


def test_every_child_is_answered_and_its_counts_add_up() -> None:
    day = day_of(minutes=2)
    _, engine, heard = run(day, day.steps, 40)
    reports = [each.message for each in heard if isinstance(each.message, ExecutionReport)]
    assert len({(r.venue_id, r.exec_id) for r in reports}) == len(reports)
    executed, corrected = Counter[str](), Counter[str]()
    fills = {r.exec_id: r for r in reports if r.exec_type is ExecType.TRADE}
    last_word: dict[str, ExecutionReport] = {}
    for report in reports:
        match report.exec_type:
            case ExecType.TRADE:
                executed[report.child_id] += report.last_quantity
            case ExecType.TRADE_CANCEL:
                corrected[report.child_id] -= fills[report.exec_ref_id].last_quantity
            case ExecType.TRADE_CORRECT:
                was = fills[report.exec_ref_id].last_quantity
                corrected[report.child_id] += report.last_quantity - was
            case ExecType.CANCELED | ExecType.EXPIRED | ExecType.REJECTED:
                last_word[report.child_id] = report
    assert {r.child_id for r in reports} == set(engine.placed)
    for child_id, placed in engine.placed.items():
        assert executed[child_id] <= placed.quantity
        assert last_word.get(child_id) or executed[child_id] == placed.quantity
    prints = sum(e.message.own_quantity for e in heard if isinstance(e.message, TradePrinted))
    # Scripted children carry one self-trade id a share, so no print has two of ours in it.
    assert prints == sum(executed.values())


def test_venues_make_every_mistake_that_the_engine_must_bear() -> None:
    day = day_of(minutes=4)
    _, _, heard = run(day, day.steps, 60)
    said = [each.message for each in heard]
    ended: dict[str, int] = {}
    counts: Counter[str] = Counter()
    for message in said:
        if isinstance(message, OrderCancelReject):
            counts["cancel rejects"] += 1
        if not isinstance(message, ExecutionReport):
            continue
        if message.exec_type is ExecType.REJECTED:
            counts["rejects"] += message.text == "venue is busy"
        elif message.exec_type is ExecType.TRADE_CANCEL:
            counts["busts"] += 1
        elif message.exec_type is ExecType.TRADE_CORRECT:
            counts["corrections"] += 1
        elif message.exec_type is ExecType.CANCELED:
            ended[message.child_id] = message.cumulative_quantity
        elif message.exec_type is ExecType.TRADE and message.child_id in ended:
            is_counted = message.cumulative_quantity <= ended[message.child_id]
            counts["late fills" if is_counted else "fills beyond the word"] += 1
            assert message.order_status is not OrderStatus.FILLED
    for mistake in (
        "cancel rejects",
        "rejects",
        "busts",
        "corrections",
        "late fills",
        "fills beyond the word",
    ):
        assert counts[mistake] > 0, f"no {mistake} in {dict(counts)}"
    assert counts["late fills"] > counts["fills beyond the word"]
