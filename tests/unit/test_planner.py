"""The planner answers each request once, whatever ends it, and only the newest of a parent."""

from itertools import count

import pytest

from schemas.messages.core import Cause
from schemas.messages.plans import PlanPublished
from schemas.messages.strategy import ParentEnded, PlanRequested
from services.planner.planner import Planner
from streams.adapters.codec import AvroCodec
from streams.adapters.memory import MemoryLog
from streams.adapters.memory.faults import Fault, Faults, SimulatedCrash
from streams.core.envelope import outside_envelope
from streams.core.errors import FencedError, LogError
from streams.core.topics import PLANS_EVENTS, STRATEGIES_EVENTS
from streams.runtime.ports import TopicPartition
from tests.support.policies import request

CODEC = AvroCodec()
LOG_ID = bytes(16)


def log_of(*requests: PlanRequested, partition: int = 0) -> MemoryLog:
    log = MemoryLog({STRATEGIES_EVENTS: 2, PLANS_EVENTS: 1})
    ask(log, *requests, partition=partition)
    return log


def ask(log: MemoryLog, *requests: object, partition: int = 0) -> None:
    for each in requests:
        envelope = outside_envelope(bytes(16), 1, "engine")
        log.append(STRATEGIES_EVENTS, partition, b"", CODEC.encode(envelope, each))


def planner_of(log: MemoryLog) -> Planner:
    ticks = count()
    return Planner(log, CODEC, LOG_ID, now_ns=lambda: 7, clock_ns=lambda: next(ticks))


def published(log: MemoryLog) -> list[PlanPublished]:
    reader = log.reader()
    reader.assign({TopicPartition(PLANS_EVENTS, 0): 0})
    return [CODEC.decode(record.value)[1] for record in reader.poll(1_000, 0)]


def test_a_request_is_answered_with_where_it_stands() -> None:
    ended = ParentEnded(parent_id="P", cause=Cause.END_OF_WINDOW)
    log = log_of()
    ask(log, ended, request(), partition=1)
    assert planner_of(log).turn() == 1
    (found,) = published(log)
    assert found.plan.plan_id == found.plan.request_id == request().request_id
    assert (found.shard, found.topic, found.partition, found.offset) == (
        1,
        STRATEGIES_EVENTS,
        1,
        1,
    )
    assert found.plan.targets[-1] == found.plan.inputs.quantity
    assert found.solved_ns == 1


def test_of_several_requests_of_a_parent_the_newest_is_answered() -> None:
    log = log_of(request(1), request(1, "Q"), request(2), request(3))
    planner_of(log).turn()
    assert [each.plan.request_id for each in published(log)] == ["Q.plan.1", request(3).request_id]


def test_a_planner_that_comes_back_answers_nothing_twice() -> None:
    log = log_of(request(1))
    planner_of(log).turn()
    ask(log, request(2))
    again = planner_of(log)
    again.turn()
    again.turn()
    assert [each.plan.request_id for each in published(log)] == [
        request(1).request_id,
        request(2).request_id,
    ]


def run(log: MemoryLog) -> None:
    """Plan, and once more by a planner that comes later; errors of the log make a new one."""
    for _ in range(3):
        try:
            planner_of(log).turn()
        except (SimulatedCrash, LogError):
            log.deliver_late()


CALLS = 12  # of one life, and some


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("call", range(CALLS))
def test_whatever_ends_it_no_answer_is_lost_or_doubled(fault: Fault, call: int) -> None:
    log = log_of(request(1), request(1, "Q"))
    log.faults = Faults({call: fault})
    run(log)
    log.faults = Faults()
    run(log)
    assert [each.plan.request_id for each in published(log)] == [request(1).request_id, "Q.plan.1"]


def test_the_faults_cover_a_whole_life() -> None:
    log = log_of(request(1))
    planner_of(log).turn()
    assert {"begin", "send", "commit"} <= set(log.faults.names)
    assert len(log.faults.names) <= CALLS


def test_a_planner_that_was_replaced_writes_nothing() -> None:
    log = log_of(request(1))
    old = planner_of(log)
    planner_of(log)
    with pytest.raises(FencedError):
        old.turn()
    assert published(log) == []
