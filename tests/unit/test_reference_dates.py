"""Effective dating: what waits, what is stale, and that tests of an engine see the new terms."""

from typing import Any

import msgspec
import pytest

from schemas.messages.core import RejectReason as R
from schemas.messages.intake import OrderAccepted, OrderRejected
from streams.core import topics
from streams.core.errors import DecodeError
from streams.shard.reference import ReferenceView
from tests.support.builders import (
    ACME,
    OPEN_NS,
    SECOND,
    TICK,
    account_defined,
    crossing_declared,
    instrument_defined,
    new_order,
    venue_defined,
)
from tests.support.calendars import client_defined, desk_defined
from tests.support.shard_host import trading_host


def tick(view: ReferenceView, at_ns: int) -> int:
    view.advance(at_ns)
    return view.instruments[ACME].tick_e9


def defined(tick_e9: int, effective_ns: int = 0) -> Any:
    return instrument_defined(tick_e9=tick_e9, effective_ns=effective_ns)


def test_a_definition_waits_for_its_instant() -> None:
    view = ReferenceView()
    view.apply(defined(2), 0, 0)
    view.apply(defined(4, 10), 0, 0)
    assert [tick(view, at_ns) for at_ns in (0, 9, 10, 11)] == [2, 2, 4, 4]


def test_definitions_come_into_force_by_instant_and_not_by_the_order_of_reading() -> None:
    view = ReferenceView()
    view.apply(defined(2), 0, 0)
    view.apply(defined(6, 20), 0, 0)
    view.apply(defined(4, 10), 1, 1)
    assert [tick(view, at_ns) for at_ns in (9, 10, 19, 20)] == [2, 4, 4, 6]


def test_of_one_instant_the_later_word_holds() -> None:
    view = ReferenceView()
    view.apply(defined(2), 0, 0)
    view.apply(defined(4, 10), 0, 0)
    view.apply(defined(6, 10), 0, 0)
    assert tick(view, 10) == 6


def test_an_engine_that_reads_late_ends_where_the_others_did() -> None:
    """The others read the second at 5, before the first came into force at 10."""
    in_time, late = ReferenceView(), ReferenceView()
    for at_ns, definition in ((0, defined(2)), (1, defined(4, 10)), (5, defined(6))):
        in_time.advance(at_ns)
        in_time.apply(definition, at_ns, at_ns)
    assert tick(in_time, 10) == 4
    late.apply(defined(2), 0, 30)
    late.apply(defined(4, 10), 1, 30)
    with pytest.raises(DecodeError) as refused:
        late.apply(defined(6), 5, 30)
    assert (refused.value.reason, refused.value.value) == (R.STALE_VERSION, "5")
    assert tick(late, 30) == 4


def test_what_is_to_hold_at_once_follows_the_log_and_not_the_senders_clocks() -> None:
    view = ReferenceView()
    view.apply(defined(2), 100, 100)
    view.apply(defined(4), 90, 101)
    assert tick(view, 101) == 4
    view.apply(defined(6, 105), 90, 110)
    assert tick(view, 110) == 6


def test_a_sender_whose_clock_is_ahead_does_not_block_later_words() -> None:
    view = ReferenceView()
    view.apply(defined(2), 10**18, 100)
    view.apply(defined(4, 150), 150, 200)
    assert tick(view, 200) == 4


def test_every_dated_kind_waits() -> None:
    view = ReferenceView()
    for definition in (
        account_defined(effective_ns=10),
        venue_defined(effective_ns=10),
        crossing_declared(effective_ns=10),
        client_defined(effective_ns=10),
        desk_defined(effective_ns=10),
        instrument_defined(effective_ns=10),
    ):
        view.apply(definition, 0, 0)
    kept = (view.accounts, view.venues, view.crossings, view.clients, view.desks, view.instruments)
    assert [len(each) for each in kept] == [0] * 6
    view.advance(10)
    assert [len(each) for each in kept] == [1] * 6


def test_a_version_counts_what_is_read_and_what_comes_into_force() -> None:
    view = ReferenceView()
    view.apply(defined(2), 0, 0)
    view.apply(defined(4, 10), 0, 0)
    assert view.version == 2
    view.advance(10)
    assert view.version == 3


def test_a_snapshot_keeps_what_waits() -> None:
    view = ReferenceView()
    view.apply(defined(2), 0, 0)
    view.apply(defined(4, 10), 0, 0)
    copy = msgspec.msgpack.decode(msgspec.msgpack.encode(view), type=ReferenceView)
    assert copy == view
    assert tick(copy, 10) == 4


def test_the_engine_uses_a_new_tick_from_its_instant_on() -> None:
    """At 100.01 the tick of 0.01 allows the order, that of 0.02 does not."""
    host = trading_host()
    change = instrument_defined(tick_e9=2 * TICK, effective_ns=OPEN_NS + 5 * SECOND)
    host.send(topics.CONTROL_COMMANDS, change)
    kinds = []
    for n in range(3):
        order = new_order(f"c{n}", order_type="LIMIT", limit_price_e9=10_001 * TICK)
        host.put(topics.ORDERS_COMMANDS, order)
        messages = host.step(OPEN_NS + (3 + n) * SECOND)
        kinds += [type(m) for m in messages if isinstance(m, OrderAccepted | OrderRejected)]
    assert kinds == [OrderAccepted, OrderAccepted, OrderRejected]


def test_recovery_puts_the_same_in_force() -> None:
    host = trading_host()
    change = instrument_defined(lot=10, effective_ns=OPEN_NS + 5 * SECOND)
    host.send(topics.CONTROL_COMMANDS, change)
    host.pass_time(10 * SECOND)
    again = type(host.app)(0, 1, b"penstock-testlog")
    for batch in host.batches:
        again.restore(batch)
    assert again.state.reference == host.app.state.reference
    assert again.snapshot() == host.app.snapshot()
    assert again.state.reference.instruments[ACME].lot == 10
