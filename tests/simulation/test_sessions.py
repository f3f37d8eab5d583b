"""Seeded days of three sessions: proved by the checker, the same after any recovery."""

from collections import Counter

import msgspec
import pytest

from schemas.messages.core import TimeInForce
from schemas.messages.intake import (
    BasketAnswered,
    MassCancelAnswered,
    OrderAccepted,
    OrderClosed,
    OrderDoneForDay,
    OrderRejected,
    OrderResumed,
)
from services.audit import check_records
from streams.intake import open_orders
from streams.shard import EngineShard
from tests.simulation.test_audit_engine import cause, own_findings, times
from tests.simulation.test_day import assert_all_is_given_back
from tests.support.audit_log import Batch, written
from tests.support.sessions_day import SessionsDay
from tests.support.shard_host import LOG_ID


def assert_recovers(day: SessionsDay) -> None:
    """A shard that folds what was recorded knows what the one that decided knows."""
    app = EngineShard(0, 1, LOG_ID)
    for batch in day.host.batches:
        app.restore(batch)
    both = [
        msgspec.json.encode(msgspec.msgpack.decode(each.snapshot())) for each in (app, day.host.app)
    ]
    assert both[0] == both[1]


def assert_proved(day: SessionsDay) -> None:
    batches = [
        Batch(
            inputs=[(inbound.record.topic, inbound.message) for inbound in sent],
            outputs=[(event.topic, event.message) for event in batch.outputs],
            causes=[cause(event.envelope.causation_id) for event in batch.outputs],
            now_ns=batch.journal.now_ns,
            mode=batch.journal.mode,
            times=[times(inbound.envelope) for inbound in sent],
        )
        for batch, sent in zip(day.host.batches, day.host.inputs, strict=True)
    ]
    assert own_findings(check_records(written(batches, first_input=1))) == []


@pytest.mark.parametrize("seed", range(6))
def test_a_day_of_three_sessions_gives_everything_back(seed: int) -> None:
    day = SessionsDay(seed, is_calm=seed < 2)
    day.run()
    assert_all_is_given_back(day)
    assert_proved(day)
    assert_recovers(day)
    # What is open at the end sleeps: everything else has ended with its session.
    for order in open_orders(day.host.app.state.intake):
        assert order.status == "DONE_FOR_DAY", order
        assert order.terms.time_in_force in (TimeInForce.GTC, TimeInForce.GTD)


def test_the_days_reach_what_they_are_for() -> None:
    seen: Counter[str] = Counter()
    for seed in (3, 8, 12):
        day = SessionsDay(seed, is_calm=False)
        day.run()
        kinds = (OrderDoneForDay, OrderResumed, MassCancelAnswered, BasketAnswered)
        seen.update(type(message).__name__ for message in day.host.messages(*kinds))
        seen.update(str(m.cause) for m in day.host.messages(OrderClosed))
        seen.update(str(m.reason) for m in day.host.messages(OrderRejected))
        seen.update(str(m.time_in_force) for m in day.host.messages(OrderAccepted))
    for name in (
        "OrderDoneForDay",
        "OrderResumed",
        "MassCancelAnswered",
        "BasketAnswered",
        "EXPIRED",
        "BASKET_MEMBER_REFUSED",
        "AFTER_CUTOFF",
        "SESSION_CLOSED",
        *(tif.value for tif in TimeInForce if tif is not TimeInForce.UNKNOWN),
    ):
        assert seen[name], name
