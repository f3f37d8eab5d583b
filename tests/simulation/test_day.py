"""A seeded day of one shard: all is given back, nobody is over-filled, nothing is forgotten."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from schemas.messages.allocation import (
    AllocationRestated,
    CashAllocated,
    CrossAllocated,
    FillAllocated,
)
from schemas.messages.core import OrderStatus
from schemas.messages.intake import OrderAccepted, OrderCanceled, OrderClosed, OrderReplaced
from schemas.messages.netting import ParentClosed, ParentOpened
from schemas.messages.routing import FillBooked, FillBusted, FillCorrected
from streams.runtime.ports import RecordedBatch
from streams.shard import EngineShard
from tests.support.day import Day
from tests.support.shard_host import LOG_ID

ROOT = Path(__file__).parents[2]


def shares(day: Day) -> Counter[str]:
    """Return what each order got of fills and crosses; fail if one ever had more than ordered."""
    ordered: dict[str, int] = {}
    got: Counter[str] = Counter()
    for batch in day.host.batches:
        for event in batch.outputs:
            message = event.message
            if isinstance(message, OrderAccepted | OrderReplaced):
                ordered[message.order_id] = message.quantity
            elif isinstance(message, FillAllocated | AllocationRestated):
                for entry in message.entries:
                    got[entry.order_id] += entry.quantity
                    assert 0 <= got[entry.order_id] <= ordered[entry.order_id]
            elif isinstance(message, CrossAllocated):
                for side in (message.buys, message.sells):
                    assert sum(part.quantity for part in side) == message.quantity
                for part in (*message.buys, *message.sells):
                    got[part.order_id] += part.quantity
                    assert got[part.order_id] <= ordered[part.order_id]
    return got


def booked(day: Day) -> tuple[int, int, int]:
    """Return what stands of all fills: quantity paid, quantity in error, cash."""
    fills: dict[str, tuple[int, int, int]] = {}
    for batch in day.host.batches:
        for event in batch.outputs:
            message = event.message
            if isinstance(message, FillBusted):
                del fills[message.fill_id]
            elif isinstance(message, FillBooked | FillCorrected):
                fills[message.fill_id] = (message.quantity, message.error_quantity, message.cash_e9)
    quantity, error, cash_e9 = (sum(column) for column in zip(*fills.values(), strict=True))
    return quantity, error, cash_e9


def assert_all_is_given_back(day: Day) -> None:
    got = shares(day)
    quantity, error, cash_e9 = booked(day)
    crossed = sum(message.quantity for message in day.host.messages(CrossAllocated))
    assert sum(got.values()) == quantity + 2 * crossed
    assert quantity + error == sum(order.net for order in day.venue.orders.values())
    newest: dict[tuple[str, int], CashAllocated] = {}
    for message in day.host.messages(CashAllocated):
        newest[message.parent_id, message.epoch] = message
    assert sum(message.cash_e9 for message in newest.values()) == cash_e9
    for message in newest.values():
        assert sum(entry.cash_e9 for entry in message.entries) == message.cash_e9


def assert_all_has_ended(day: Day) -> None:
    ended = {message.order_id for message in day.host.messages(OrderClosed)}
    ended |= {message.order_id for message in day.host.messages(OrderCanceled)}
    assert ended == {message.order_id for message in day.host.messages(OrderAccepted)}
    opened = [message.parent_id for message in day.host.messages(ParentOpened)]
    assert sorted(opened) == sorted(m.parent_id for m in day.host.messages(ParentClosed))


@pytest.mark.parametrize("seed", range(3))
def test_a_calm_day_fills_every_order_that_was_not_canceled(seed: int) -> None:
    day = Day(seed, is_calm=True)
    day.run()
    assert_all_is_given_back(day)
    assert_all_has_ended(day)
    assert {message.status for message in day.host.messages(OrderClosed)} == {OrderStatus.FILLED}
    assert len(day.host.messages(OrderAccepted)) > 100


@pytest.mark.parametrize("seed", range(100, 110))
def test_a_wild_day_of_busts_rejects_and_late_reports_over_fills_nobody(seed: int) -> None:
    day = Day(seed, is_calm=False)
    day.run()
    assert_all_is_given_back(day)
    assert_all_has_ended(day)
    assert day.host.messages(FillBusted)


def test_recorded_batches_restore_the_same_bytes_at_every_batch() -> None:
    day = Day(7, is_calm=False)
    restored = EngineShard(0, 1, LOG_ID)
    restored.restore(day.host.batches[0])

    def compare(batch: RecordedBatch) -> None:
        restored.restore(batch)
        assert restored.snapshot() == day.host.app.snapshot(), f"batch {batch.journal.step}"

    day.run(compare)


def test_a_day_that_goes_on_from_snapshots_is_the_same_day() -> None:
    whole, broken = Day(8, is_calm=False), Day(8, is_calm=False)
    whole.run()

    def restart(batch: RecordedBatch) -> None:
        if batch.journal.step % 10 == 0:
            successor = EngineShard(0, 1, LOG_ID)
            successor.load(broken.host.app.snapshot())
            broken.host.app = successor

    broken.run(restart)
    assert broken.digest() == whole.digest()


def test_two_hash_seeds_give_the_same_day() -> None:
    code = "from tests.support.day import main; print(main(9))"
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(digests) == 1
    assert len(digests.pop().strip()) == 64
