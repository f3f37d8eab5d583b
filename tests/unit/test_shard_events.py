"""Every event has its topic, its key and its two ids; none may over-fill a parent."""

import pytest

from schemas.messages import (
    allocation,
    intake,
    kill,
    netting,
    risk,
    routing,
    scorecard,
    strategy,
)
from schemas.messages.control import ChildSettled
from schemas.messages.core import Cause, RoutingLogic, Side
from schemas.messages.index import MESSAGE_TYPES
from schemas.messages.strategy import SliceReleased
from streams.core import topics
from streams.core.errors import CorruptHistoryError
from streams.kill import MESSAGES as KILL_MESSAGES
from streams.risk import CONTROL_MESSAGES
from streams.scorecard import CONTROL_MESSAGES as MODEL_MESSAGES
from streams.shard.orders import ORDER_MESSAGES
from streams.shard.routes import OUTPUT_TOPICS, ROUTES
from tests.support.builders import ACME, new_order
from tests.support.scenario import Desk
from tests.support.shard_host import trading_host

CONTEXTS = (allocation, intake, kill, netting, risk, routing, scorecard, strategy)
COMMANDS = (*ORDER_MESSAGES, *CONTROL_MESSAGES, *KILL_MESSAGES, *MODEL_MESSAGES)


def test_every_event_of_the_contexts_has_a_route() -> None:
    events = {
        each.struct
        for each in MESSAGE_TYPES
        if each.struct.__module__ in {context.__name__ for context in CONTEXTS}
    }
    settled = {ChildSettled}  # a person's word that routing repeats
    assert set(ROUTES) == events - set(COMMANDS) | settled
    assert {route.topic for route in ROUTES.values()} | {topics.DEAD_LETTERS} == set(OUTPUT_TOPICS)


def test_what_an_event_says_of_its_topic_is_where_it_goes() -> None:
    for event, route in ROUTES.items():
        named = [word for word in topics.__dict__.values() if str(word) == route.topic]
        assert named
        doc = event.__doc__ or ""
        if "Topic " in doc:
            named_topic = doc.split("Topic ")[1].split(". v")[0].split(",")[0].rstrip(".")
            assert named_topic == route.topic[: -len(".v1")]


def test_an_event_names_what_led_to_it_and_the_chain_it_belongs_to() -> None:
    desk = Desk()
    desk.act("buy", "c1", 100)
    desk.act("wait", 1)
    desk.act("fill", 100)
    by_id = {e.envelope.event_id: e for batch in desk.host.batches for e in batch.outputs}
    chain = {
        type(e.message).__name__: type(by_id[e.envelope.causation_id].message).__name__
        for e in by_id.values()
        if e.envelope.causation_id in by_id
    }
    assert chain["ScheduleSet"] == "EpochOpened"
    assert chain["ChildPlaced"] == "SliceReleased"
    assert chain["FillAllocated"] == "FillBooked"
    assert chain["OrderClosed"] == "FillAllocated"
    assert chain["CashAllocated"] == "ParentClosed"
    for event in by_id.values():
        if event.topic not in (topics.ORDERS_EVENTS, topics.DEAD_LETTERS):
            assert event.envelope.correlation_id
    fill = next(e for e in by_id.values() if type(e.message).__name__ == "FillBooked")
    assert fill.envelope.causation_id.startswith(b"in")  # the venue's report
    assert fill.envelope.correlation_id == fill.message.parent_id


def test_a_slice_that_would_over_fill_its_parent_stops_the_shard() -> None:
    desk = Desk()
    desk.act("buy", "c1", 100)
    desk.act("wait", 1)
    (parent_id,) = desk.host.app.state.parents
    excess = SliceReleased(
        slice_id=f"{parent_id}.2",
        parent_id=parent_id,
        epoch=1,
        instrument_id=ACME,
        side=Side.BUY,
        quantity=1,
        limit_price_e9=None,
        logic=RoutingLogic.SWEEP,
        is_dark_allowed=False,
        deadline_ns=0,
        self_trade_id="",
        cause=Cause.BIN,
    )
    with pytest.raises(CorruptHistoryError, match="filled 0 \\+ exposed 101 > 100"):
        desk.host.app.state.check(excess)


def test_ids_carry_the_log_and_the_shard() -> None:
    host = trading_host(shard=0, partitions=1)
    (accepted,) = host.send(topics.ORDERS_COMMANDS, new_order())
    assert accepted.order_id == "O70656e.0.1"
