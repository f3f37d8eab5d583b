"""Whatever stands in an input topic is used, or answered and kept; the rest goes on."""

from typing import Any

import pytest

from schemas.messages.core import RejectReason
from schemas.messages.intake import OrderAccepted, OrderRejected
from schemas.messages.routing import ChildStatusRequested, VenueSuspended
from schemas.messages.runtime import DeadLetter
from streams.core import topics
from streams.core.errors import DecodeError
from streams.core.murmur import partition_of
from tests.support.builders import (
    OPEN_NS,
    SECOND,
    account_defined,
    book_updated,
    cancel_order,
    execution_report,
    instrument_defined,
    new_order,
    settings_loaded,
)
from tests.support.scenario import Desk
from tests.support.shard_host import ListHost, trading_host

R = RejectReason


def letters(messages: list[Any]) -> list[tuple[RejectReason, str, str]]:
    return [(m.reason, m.field, m.value) for m in messages if isinstance(m, DeadLetter)]


def test_a_refused_order_is_answered_kept_and_the_next_one_accepted() -> None:
    host = trading_host()
    messages = host.send(topics.ORDERS_COMMANDS, new_order("c1", quantity=-1), new_order("c2"))
    assert [type(m) for m in messages] == [OrderRejected, DeadLetter, OrderAccepted]
    assert letters(messages) == [(R.QUANTITY_NOT_POSITIVE, "quantity", "-1")]


def test_a_refused_cancel_is_kept_as_well() -> None:
    messages = trading_host().send(topics.ORDERS_COMMANDS, cancel_order("c2", "c1"))
    assert letters(messages) == [(R.UNKNOWN_ORDER, "original_client_order_id", "c1")]


def test_an_order_on_a_wrong_partition_is_refused_there() -> None:
    own = partition_of("ACME", 4)
    host = trading_host(shard=(own + 1) % 4, partitions=4)
    messages = host.send(topics.ORDERS_COMMANDS, new_order())
    assert [type(m) for m in messages] == [OrderRejected, DeadLetter]
    assert letters(messages) == [(R.WRONG_PARTITION, "instrument_id", "ACME")]


def test_market_data_on_a_wrong_partition_is_kept_and_not_used() -> None:
    own = partition_of("ACME", 4)
    host = ListHost((own + 1) % 4, 4)
    messages = host.send(topics.MARKET_DATA, book_updated())
    assert letters(messages) == [(R.WRONG_PARTITION, "instrument_id", "ACME")]
    assert not host.app.state.market.instruments


# topic, what does not belong there
@pytest.mark.parametrize(
    ("topic", "message"),
    [
        (topics.ORDERS_COMMANDS, book_updated()),
        (topics.MARKET_DATA, new_order()),
        (topics.CONTROL_COMMANDS, new_order()),
        (topics.KILL_COMMANDS, new_order()),
        (topics.PLANS_EVENTS, new_order()),
    ],
)
def test_a_message_on_the_wrong_topic_is_a_dead_letter(topic: str, message: Any) -> None:
    messages = trading_host().send(topic, message)
    assert letters(messages) == [(R.UNEXPECTED_MESSAGE, "message", type(message).__name__)]


def test_only_shard_0_answers_for_topics_that_every_shard_reads() -> None:
    assert letters(ListHost(1, 2).send(topics.CONTROL_COMMANDS, new_order())) == []


def test_undecodable_bytes_are_kept_once() -> None:
    error = DecodeError(R.BAD_MAGIC, "magic", "7", "0")
    messages = trading_host().send(topics.ORDERS_COMMANDS, error, new_order())
    assert [type(m) for m in messages] == [DeadLetter, OrderAccepted]


def test_an_undecodable_venue_report_makes_every_live_child_unresolved() -> None:
    desk = Desk()
    desk.act("buy", "c1", 100)
    desk.act("wait", 1)
    error = DecodeError(R.BODY_UNDECODABLE, "body", "2 bytes", "an ExecutionReport")
    messages = desk.host.send(topics.VENUES_REPORTS, error)
    assert [m.child_id for m in messages if isinstance(m, ChildStatusRequested)] == [
        child.child_id for child in desk.children
    ]


def test_a_venue_report_on_a_wrong_partition_suspends_the_venue() -> None:
    own = partition_of("ACME", 4)
    host = trading_host(shard=own, partitions=4)
    stray = execution_report("P1.1.1", "e1", instrument_id=_foreign(own))
    messages = host.send(topics.VENUES_REPORTS, stray)
    assert letters(messages) == [(R.WRONG_PARTITION, "instrument_id", stray.instrument_id)]
    assert [m.venue_id for m in messages if isinstance(m, VenueSuspended)] == ["V1"]


def _foreign(own: int) -> str:
    return next(f"X{n}" for n in range(100) if partition_of(f"X{n}", 4) != own)


def test_a_disabled_account_is_unknown_from_then_on() -> None:
    host = trading_host()
    host.put(topics.CONTROL_COMMANDS, account_defined("A1", is_enabled=False))
    messages = host.send(topics.ORDERS_COMMANDS, new_order())
    assert letters(messages) == [(R.UNKNOWN_ACCOUNT, "account_id", "A1")]


# what a definition would break, reason, field
@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"tick_e9": 0}, R.PRICE_NOT_POSITIVE, "tick_e9"),
        ({"tick_e9": 3}, R.PRICE_OFF_TICK, "tick_e9"),
        ({"lot": 0}, R.QUANTITY_NOT_POSITIVE, "lot"),
        ({"quantity_scale": 0}, R.QUANTITY_NOT_POSITIVE, "quantity_scale"),
        ({"quantity_scale": 3}, R.QUANTITY_NOT_A_LOT_MULTIPLE, "lot"),
        ({"session_close_ns": OPEN_NS}, R.END_NOT_AFTER_START, "session_close_ns"),
    ],
)
def test_a_definition_that_does_not_add_up_leaves_the_one_in_force(
    changes: dict[str, Any], reason: RejectReason, field: str
) -> None:
    host = trading_host()
    messages = host.send(topics.CONTROL_COMMANDS, instrument_defined(**changes))
    assert [(m.reason, m.field) for m in messages] == [(reason, field)]
    assert host.app.state.reference.instruments["ACME"].lot == 1
    assert [type(m) for m in host.send(topics.ORDERS_COMMANDS, new_order())] == [OrderAccepted]


def test_settings_come_into_force_and_unreadable_ones_do_not() -> None:
    host = trading_host(settings_loaded(window_ns=5 * SECOND, strategy={"slot_ns": SECOND}))
    assert host.app.state.netting.window_ns == 5 * SECOND
    assert host.app.state.strategy.settings.slot_ns == SECOND
    for wrong in (settings_loaded(windows=1), settings_loaded(strategy={"slots": 1})):
        messages = host.send(topics.CONTROL_COMMANDS, wrong)
        assert [m.reason for m in messages] == [R.BODY_UNDECODABLE]
    assert host.app.state.netting.window_ns == 5 * SECOND
