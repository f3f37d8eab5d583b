"""Bytes that are no command, or not the right one: each is kept as it was, with its exact reason.

name -> the record's value, the coded reason, the field that is named
"""

from typing import Any

import pytest

from schemas.messages.core import RejectReason as R
from schemas.messages.intake import OrderAccepted
from schemas.messages.runtime import DeadLetter
from streams.core import topics
from tests.support.builders import (
    account_defined,
    book_updated,
    cancel_order,
    execution_report,
    instrument_defined,
    new_order,
    order_accepted,
)
from tests.support.hostile import HostileShard, framed, framed_fields

GOOD = framed(new_order("good"))
ORDER = new_order("bad")
NAME = "intake.NewOrder.v3"
HUGE = b"\xfe" * 9 + b"\x01"  # a varint of 64 bits: length or count beyond everything


def fields(**raw: bytes) -> bytes:
    return framed_fields(ORDER, **raw)


FRAMES: dict[str, tuple[bytes, R, str]] = {
    "an empty value": (b"", R.BAD_MAGIC, "magic"),
    "one byte": (b"\x00", R.BAD_MAGIC, "magic"),
    "four bytes of a frame": (b"\x00\x00\x00\x00", R.BAD_MAGIC, "magic"),
    "another magic byte": (b"\x01" + GOOD[1:], R.BAD_MAGIC, "magic"),
    "text": (b'{"client_order_id": "c1"}', R.BAD_MAGIC, "magic"),
    "a schema id of zero": (b"\x00\x00\x00\x00\x00" + GOOD[5:], R.UNKNOWN_SCHEMA, "schema_id"),
    "the largest schema id": (b"\x00\xff\xff\xff\xff" + GOOD[5:], R.UNKNOWN_SCHEMA, "schema_id"),
    "a schema id never given": (b"\x00\x00\x00\x27\x0f" + GOOD[5:], R.UNKNOWN_SCHEMA, "schema_id"),
}
BODIES: dict[str, bytes] = {
    "a frame without a body": GOOD[:5],
    "an envelope cut in two": GOOD[:15],
    "a body cut in two": GOOD[: len(GOOD) // 2],
    "all but the last byte": GOOD[:-1],
    "one byte too many": GOOD + b"\x00",
    "two commands in one record": GOOD + GOOD,
    "a side beyond the enum": fields(side=b"\x7e"),
    "a negative enum": fields(side=b"\x01"),
    "a union branch that is not there": fields(limit_price_e9=b"\x04"),
    "a negative union branch": fields(limit_price_e9=b"\x01"),
    "constraints of an unknown branch": fields(constraints=b"\x0e"),
    "parameters of an unknown branch": fields(parameters=b"\x0e"),
    "a negative length of a text": fields(client_order_id=b"\x03abc"),
    "a text longer than the record": fields(client_order_id=b"\xd0\x0fabc"),
    "a text longer than any record": fields(client_order_id=HUGE + b"abc"),
    "bytes that are no UTF-8": fields(client_order_id=b"\x06\xff\xfe\xfd"),
    "a surrogate in UTF-8": fields(client_order_id=b"\x06\xed\xa0\x80"),
    "a cut UTF-8 sequence": fields(client_order_id=b"\x02\xc3"),
    "an overlong UTF-8 sequence": fields(client_order_id=b"\x04\xc0\xaf"),
    "a quantity beyond 64 bits": fields(quantity=b"\xff" * 10 + b"\x01"),
    "a number that never ends": fields(quantity=b"\x80" * 20),
    "a boolean of two": fields(is_cross_allowed=b"\x02"),
    "a trade date beyond 32 bits": fields(trade_date=HUGE),
    "the body of a cancel": framed(cancel_order("c9", "c8"))[:1]
    + GOOD[1:5]
    + framed(cancel_order("c9", "c8"))[5:],
}
STRANGERS: dict[str, tuple[str, bytes, str]] = {
    "an event of our own as a command": (
        topics.ORDERS_COMMANDS,
        framed(order_accepted()),
        "OrderAccepted",
    ),
    "a book as a command": (topics.ORDERS_COMMANDS, framed(book_updated()), "BookUpdated"),
    "a definition as a command": (
        topics.ORDERS_COMMANDS,
        framed(account_defined()),
        "AccountDefined",
    ),
    "a venue's report as a command": (
        topics.ORDERS_COMMANDS,
        framed(execution_report("P1.1.1", "e1")),
        "ExecutionReport",
    ),
    "an order as market data": (topics.MARKET_DATA, GOOD, "NewOrder"),
    "an order as a report": (topics.VENUES_REPORTS, GOOD, "NewOrder"),
    "a definition as market data": (
        topics.MARKET_DATA,
        framed(instrument_defined()),
        "InstrumentDefined",
    ),
}


@pytest.fixture(scope="module")
def shard() -> HostileShard:
    return HostileShard()


def kept(shard: HostileShard, topic: str, value: bytes) -> DeadLetter:
    """Send the bytes; return the letter that keeps them, which must be all that is said."""
    before = shard.application.snapshot()
    (letter,) = shard.send(topic, value)
    assert isinstance(letter, DeadLetter)
    assert (letter.topic, letter.body, letter.key) == (topic, value, b"k")
    assert letter.value or letter.bound, "says neither what was found nor what was wanted"
    if topic == topics.ORDERS_COMMANDS:
        assert shard.application.snapshot() == before, "a refused record left a trace"
    return letter


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_that_is_none(shard: HostileShard, name: str) -> None:
    value, reason, field = FRAMES[name]
    letter = kept(shard, topics.ORDERS_COMMANDS, value)
    assert (letter.reason, letter.field) == (reason, field)


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_its_schema_cannot_read(shard: HostileShard, name: str) -> None:
    letter = kept(shard, topics.ORDERS_COMMANDS, BODIES[name])
    assert (letter.reason, letter.field) == (R.BODY_UNDECODABLE, NAME)


@pytest.mark.parametrize("name", STRANGERS)
def test_a_message_that_does_not_belong_on_the_topic(shard: HostileShard, name: str) -> None:
    topic, value, kind = STRANGERS[name]
    letter = kept(shard, topic, value)
    assert (letter.reason, letter.field, letter.value) == (R.UNEXPECTED_MESSAGE, "message", kind)


def test_after_all_of_them_an_order_is_taken(shard: HostileShard) -> None:
    shard.quote()
    answers: list[Any] = shard.send(topics.ORDERS_COMMANDS, framed(new_order("afterwards")))
    assert [type(answer) for answer in answers] == [OrderAccepted]
