"""A day with limits in its log: replayed equal, restored equal, and asked again under others."""

from typing import Any

import pytest

from schemas.messages.core import ClockMode, LimitKind, LimitScope
from schemas.messages.intake import OrderRejected
from schemas.messages.risk import LimitsInForce, RiskDecided
from services.limits.again import ask_again, is_answer_of
from streams.adapters.memory import MemoryLog
from streams.core.topics import DECISIONS_EVENTS, ORDERS_EVENTS
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
