"""A poisoned record is answered with its reason, kept as it was, and the day goes on."""

from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

import msgspec
import pytest
from confluent_kafka import Producer

from schemas.messages.core import OrderType, RejectReason
from schemas.messages.intake import NewOrder, OrderRejected
from schemas.messages.runtime import DeadLetter
from services.cli.log import read_to_end
from services.venues.scenario import Scenario, plan_day
from streams.adapters.codec import AvroCodec
from streams.core.envelope import outside_envelope
from streams.core.murmur import partition_of
from streams.core.topics import DEAD_LETTERS, ORDERS_COMMANDS, ORDERS_EVENTS, VENUES_REPORTS
from tests.support.broker import own_broker  # noqa: F401  # fixture
from tests.support.market_day import PARTITIONS, MarketDay
from tests.support.own_broker import OwnBroker

pytestmark = [pytest.mark.broker, pytest.mark.slow]
SCENARIO = Scenario(seed=3, minutes=1, orders=200)
POISON_STEP = 10
CODEC = AvroCodec()


def good_order() -> NewOrder:
    """Return an order of the scenario's own flow that intake would accept."""
    commands = (c.message for c in plan_day(SCENARIO).commands)
    return next(
        m
        for m in commands
        if isinstance(m, NewOrder) and m.order_type is OrderType.LIMIT and m.quantity > 0
    )


def framed(order: NewOrder) -> bytes:
    identity = blake2b(order.client_order_id.encode(), digest_size=16).digest()
    at_ns = plan_day(SCENARIO).terms.start_ns
    return CODEC.encode(outside_envelope(identity, at_ns, "poisoner"), order)


def changed(order: NewOrder, name: str, **terms: int) -> NewOrder:
    return msgspec.structs.replace(order, source="POISON", client_order_id=name, **terms)


def poisons(order: NewOrder) -> dict[str, bytes]:
    good = framed(changed(order, "good"))
    assert order.limit_price_e9 is not None
    return {
        "magic": b"\x07" + good[1:],
        "schema": b"\x00\x7f\xff\xff\xff" + good[5:],
        "truncated": good[: len(good) // 2],
        "negative": framed(changed(order, "negative", quantity=-100)),
        "off-tick": framed(changed(order, "off-tick", limit_price_e9=order.limit_price_e9 + 1)),
    }


def test_poison_is_answered_and_the_rest_goes_on(
    tmp_path: Path,
    own_broker: OwnBroker,  # noqa: F811  # the fixture
) -> None:
    order = good_order()
    home = partition_of(order.instrument_id, PARTITIONS)
    day = MarketDay(bootstrap=own_broker.bootstrap, scenario=SCENARIO, logs=tmp_path)
    day.prepare()
    try:
        day.start_engines()
        day.start_simulator()
        day.follow_to(POISON_STEP)
        producer = Producer({"bootstrap.servers": own_broker.bootstrap})
        for value in poisons(order).values():
            producer.produce(ORDERS_COMMANDS, value, order.instrument_id.encode(), home)
        astray = framed(changed(order, "partition"))
        producer.produce(ORDERS_COMMANDS, astray, b"astray", (home + 1) % PARTITIONS)
        producer.produce(VENUES_REPORTS, b"\x00garbage", b"", home)
        assert producer.flush(10) == 0
        day.follow_to(day.steps)
    finally:
        day.stop()
    letters = dead_letters(own_broker.bootstrap)
    by_body = {letter.body: letter.reason for letter in letters}
    for name, value in poisons(order).items():
        assert by_body[value] is REASONS[name], name
    assert by_body[astray] is RejectReason.WRONG_PARTITION
    assert by_body[b"\x00garbage"] in (RejectReason.UNKNOWN_SCHEMA, RejectReason.BODY_UNDECODABLE)
    answers = rejections(own_broker.bootstrap, lambda r: r.source == "POISON")
    assert {(a.client_order_id, a.reason) for a in answers} == {
        ("negative", RejectReason.QUANTITY_NOT_POSITIVE),
        ("off-tick", RejectReason.PRICE_OFF_TICK),
        ("partition", RejectReason.WRONG_PARTITION),
    }
    negative = next(a for a in answers if a.client_order_id == "negative")
    assert (negative.field, negative.value) == ("quantity", "-100")
    report = day.check()
    assert report.is_clean, report.findings[:5]
    assert report.unconsumed_inputs == 0
    assert report.fills > 0, "the rest did not go on"
    differences = [replay.difference for replay in day.replay() if not replay.is_equal]
    assert not differences, differences


REASONS = {
    "magic": RejectReason.BAD_MAGIC,
    "schema": RejectReason.UNKNOWN_SCHEMA,
    "truncated": RejectReason.BODY_UNDECODABLE,
    "negative": RejectReason.QUANTITY_NOT_POSITIVE,
    "off-tick": RejectReason.PRICE_OFF_TICK,
}


def dead_letters(bootstrap: str) -> list[DeadLetter]:
    entries = read_to_end(bootstrap, [DEAD_LETTERS])
    return [entry.message for entry in entries if isinstance(entry.message, DeadLetter)]


def rejections(bootstrap: str, wanted: Callable[[OrderRejected], bool]) -> list[OrderRejected]:
    entries = read_to_end(bootstrap, [ORDERS_EVENTS])
    found = (entry.message for entry in entries if isinstance(entry.message, OrderRejected))
    return [message for message in found if wanted(message)]
