"""Venue reports that fit nothing or contradict what is known: suspense, and no child moves.

name -> what is changed in an honest fill of 10 of the child that rests, and the reason
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from schemas.messages.core import ExecType, OrderStatus, Side
from schemas.messages.core import RejectReason as R
from schemas.messages.routing import ChildPlaced, FillBooked, SuspenseRecorded
from schemas.messages.runtime import DeadLetter
from streams.core import topics
from tests.support.builders import TICK, execution_report, instrument_defined
from tests.support.hostile import HostileShard

MOST, LEAST = 2**63 - 1, -(2**63)
CASH_MAX = 10**38 - 1


class World(NamedTuple):
    shard: HostileShard
    child: ChildPlaced  # which rests; of it 10 were filled by execution "known"
    other: ChildPlaced  # at the same venue, filled by execution "other"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    shard = HostileShard(instrument_defined(instrument_id="OTHER"))
    child = shard.rest("rests", 9_990)
    other = shard.rest("other", 9_980)
    assert child.venue_id == other.venue_id
    for which, exec_id in ((child, "known"), (other, "other")):
        shard.ask(fill(which, exec_id=exec_id), topic=topics.VENUES_REPORTS)
    yield World(shard, child, other)
    shard.prove()


def fill(child: ChildPlaced, **changes: Any) -> Any:
    return execution_report(
        **{
            "child_id": child.child_id,
            "venue_id": child.venue_id,
            "last_quantity": 10,
            "last_price_e9": child.price_e9,
            "cumulative_quantity": 10,
            "leaves_quantity": 90,
            "order_status": OrderStatus.PARTIALLY_FILLED,
            **changes,
        }
    )


NO = R.REPORT_CONTRADICTS
BUST, CORRECT = {"exec_type": ExecType.TRADE_CANCEL}, {"exec_type": ExecType.TRADE_CORRECT}
ROWS: dict[str, tuple[dict[str, Any], R]] = {
    "a child that never was": ({"child_id": "P1.9.9"}, R.UNKNOWN_CHILD),
    "no child": ({"child_id": ""}, R.UNKNOWN_CHILD),
    "a child with a zero byte": ({"child_id": "P1\0.1.1"}, R.UNKNOWN_CHILD),
    "a child of a megabyte": ({"child_id": "P" * 10**6}, R.UNKNOWN_CHILD),
    "another venue": ({"venue_id": "V3"}, NO),
    "a venue that is not": ({"venue_id": "NOWHERE"}, NO),
    "no venue": ({"venue_id": ""}, NO),
    "the other side": ({"side": Side.SELL}, NO),
    "no side": ({"side": Side.UNKNOWN}, NO),
    "no kind of report": ({"exec_type": ExecType.UNKNOWN}, R.UNEXPECTED_MESSAGE),
    "a fill of nothing": ({"last_quantity": 0}, NO),
    "a fill of less than nothing": ({"last_quantity": -10}, NO),
    "a fill of the least number": ({"last_quantity": LEAST}, NO),
    "a fill without a price": ({"last_price_e9": None}, NO),
    "a fill for nothing": ({"last_price_e9": 0}, NO),
    "a fill below nothing": ({"last_price_e9": -TICK}, NO),
    "a fill beyond all cash": (
        {"last_price_e9": MOST, "last_quantity": MOST},
        R.VALUE_OUT_OF_RANGE,
    ),
    "a fee beyond all cash": ({"fee_e9": CASH_MAX}, R.VALUE_OUT_OF_RANGE),
    "a rebate beyond all cash": ({"fee_e9": -CASH_MAX}, R.VALUE_OUT_OF_RANGE),
    "the execution of another child": ({"exec_id": "other"}, NO),
    "a bust of what never was": ({**BUST, "exec_ref_id": "never"}, R.UNKNOWN_ORDER),
    "a bust of nothing": ({**BUST, "exec_ref_id": ""}, R.UNKNOWN_ORDER),
    "a bust of another child's fill": ({**BUST, "exec_ref_id": "other"}, NO),
    "a correction of what never was": ({**CORRECT, "exec_ref_id": "never2"}, R.UNKNOWN_ORDER),
    "a correction of another child's fill": ({**CORRECT, "exec_ref_id": "other"}, NO),
    "a correction to nothing": (
        {**CORRECT, "exec_ref_id": "known", "last_quantity": 0},
        NO,
    ),
    "a correction below nothing": (
        {**CORRECT, "exec_ref_id": "known", "last_quantity": LEAST},
        NO,
    ),
    "a correction to no price": (
        {**CORRECT, "exec_ref_id": "known", "last_price_e9": 0},
        NO,
    ),
    "a correction beyond all cash": (
        {**CORRECT, "exec_ref_id": "known", "fee_e9": CASH_MAX},
        R.VALUE_OUT_OF_RANGE,
    ),
}


def moved(world: World) -> tuple[int, int]:
    """Return what the two children have filled, by the shard's own count."""
    fills = world.shard.application.state.routing.fills.values()
    ids = (world.child.child_id, world.other.child_id)
    filled = [sum(fill.quantity for fill in fills if fill.child_id == each) for each in ids]
    return filled[0], filled[1]


@pytest.mark.parametrize("name", ROWS)
def test_it_is_suspense_once_and_no_child_moves(world: World, name: str) -> None:
    changes, reason = ROWS[name]
    report = fill(world.child, **{"exec_id": f"x {name}", **changes})
    exposure = world.shard.application.state.exposure(world.child.parent_id)
    (suspense,) = world.shard.ask(report, topic=topics.VENUES_REPORTS).said
    assert isinstance(suspense, SuspenseRecorded)
    assert (suspense.reason, suspense.exec_id) == (reason, report.exec_id)
    assert (suspense.quantity, suspense.fee_e9) == (report.last_quantity, report.fee_e9)
    again = world.shard.ask(report, topic=topics.VENUES_REPORTS)
    assert again.said == [] and again.is_without_effect
    assert moved(world) == (10, 10)
    assert world.shard.application.state.exposure(world.child.parent_id) == exposure
    world.shard.takes_good_orders(f"report {name}")


def test_a_repeated_execution_is_passed_over(world: World) -> None:
    heard = world.shard.ask(fill(world.child, exec_id="known"), topic=topics.VENUES_REPORTS)
    assert heard.said == [] and heard.is_without_effect


def test_an_execution_with_another_content_is_passed_over(world: World) -> None:
    report = fill(world.child, exec_id="known", last_quantity=90)
    heard = world.shard.ask(report, topic=topics.VENUES_REPORTS)
    assert heard.said == [] and heard.is_without_effect


def test_another_shards_report_is_kept(world: World) -> None:
    report = fill(world.child, exec_id="stray", instrument_id="OTHER")
    heard = world.shard.ask(report, topic=topics.VENUES_REPORTS)
    letter = heard.said[-1]
    assert isinstance(letter, DeadLetter)
    assert (letter.reason, letter.body) == (R.WRONG_PARTITION, heard.value)
    assert moved(world) == (10, 10)


def test_an_honest_fill_is_booked_after_all_of_them(world: World) -> None:
    honest = fill(world.child, exec_id="honest", cumulative_quantity=20, leaves_quantity=80)
    world.shard.ask(honest, topic=topics.VENUES_REPORTS)
    booked = world.shard.messages(topics.FILLS_EVENTS, FillBooked)[-1]
    assert (booked.exec_id, booked.quantity, booked.error_quantity) == ("honest", 10, 0)
