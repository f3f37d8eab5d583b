"""Replays, stale versions, and cancels and replaces of what is not there, not theirs, or over."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from schemas.messages.core import Constraints, RejectReason, TimeInForce
from schemas.messages.intake import (
    CommandRepeated,
    OrderAccepted,
    OrderCanceled,
    OrderCancelRejected,
    OrderPendingCancel,
    OrderPendingReplace,
    OrderRejected,
    OrderReplaced,
)
from tests.support.builders import (
    CLOSE_NS,
    OPEN_NS,
    SECOND,
    TICK,
    TRADE_DATE,
    account_defined,
    cancel_order,
    instrument_defined,
    new_order,
    replace_order,
)
from tests.support.hostile import HostileShard, framed_v1

R = RejectReason
MOST = 2**63 - 1
LATER = {"start_ns": CLOSE_NS - SECOND}
ORIGINAL = "original_client_order_id"
# what is asked, reason, field, value as told, bound as told (None: any)
Row = tuple[Any, R, str, str | None, str | None]


def cancel(original: str, **changes: Any) -> Any:
    return cancel_order("", original, **changes)


def replace(original: str, quantity: int = 50, **changes: Any) -> Any:
    return replace_order("", original, quantity=quantity, **changes)


ROWS: dict[str, Row] = {
    "cancel of what never was": (
        cancel("nothing"),
        R.UNKNOWN_ORDER,
        ORIGINAL,
        "nothing",
        f"orders of source OMS on {TRADE_DATE}",
    ),
    "cancel of an order that was refused": (cancel("bad"), R.UNKNOWN_ORDER, ORIGINAL, "bad", None),
    "cancel of a cancel": (cancel("c-gone"), R.UNKNOWN_ORDER, ORIGINAL, "c-gone", None),
    "cancel for another tenant": (
        cancel("rests", tenant="T2"),
        R.UNKNOWN_ORDER,
        ORIGINAL,
        "rests",
        None,
    ),
    "cancel for another source": (
        cancel("rests", source="EMS"),
        R.UNKNOWN_ORDER,
        ORIGINAL,
        "rests",
        f"orders of source EMS on {TRADE_DATE}",
    ),
    "cancel of yesterday": (
        cancel("rests", trade_date=TRADE_DATE - 1),
        R.UNKNOWN_ORDER,
        ORIGINAL,
        "rests",
        None,
    ),
    "cancel in another instrument": (
        cancel("rests", instrument_id="IRON"),
        R.UNKNOWN_ORDER,
        ORIGINAL,
        "rests",
        None,
    ),
    "cancel on another shard": (
        cancel("rests", instrument_id="OTHER"),
        R.WRONG_PARTITION,
        "instrument_id",
        "OTHER",
        None,
    ),
    "cancel of a canceled order": (cancel("gone"), R.TOO_LATE, ORIGINAL, "gone", "it is CANCELED"),
    "cancel of a filled order": (cancel("full"), R.TOO_LATE, ORIGINAL, "full", "it is FILLED"),
    "cancel while a cancel is pending": (
        cancel("leaving"),
        R.ALREADY_PENDING,
        ORIGINAL,
        "leaving",
        "c-leaving",
    ),
    "cancel by an id that was replaced": (
        cancel("old"),
        R.TOO_LATE,
        ORIGINAL,
        "old",
        "it is new since",
    ),
    "cancel without a name": (cancel(""), R.FIELD_EMPTY, ORIGINAL, "", "1 to 64 characters"),
    "cancel by a name of 65": (cancel("z" * 65), R.FIELD_TOO_LONG, ORIGINAL, "65", "at most 64"),
    "cancel by a name with a zero byte": (
        cancel("rests\0"),
        R.TEXT_NOT_PRINTABLE,
        ORIGINAL,
        "rests\\x00",
        "printable",
    ),
    "cancel without a source": (cancel("rests", source=""), R.FIELD_EMPTY, "source", "", None),
    "replace of what never was": (
        replace("nothing"),
        R.UNKNOWN_ORDER,
        ORIGINAL,
        "nothing",
        None,
    ),
    "replace for another tenant": (
        replace("rests", tenant="T2"),
        R.UNKNOWN_ORDER,
        ORIGINAL,
        "rests",
        None,
    ),
    "replace for another source": (
        replace("rests", source="EMS"),
        R.UNKNOWN_ORDER,
        ORIGINAL,
        "rests",
        None,
    ),
    "replace of tomorrow": (
        replace("rests", trade_date=TRADE_DATE + 1),
        R.UNKNOWN_ORDER,
        ORIGINAL,
        "rests",
        None,
    ),
    "replace in no instrument": (
        replace("rests", instrument_id="?"),
        R.UNKNOWN_INSTRUMENT,
        "instrument_id",
        "?",
        None,
    ),
    "replace of a canceled order": (
        replace("gone"),
        R.TOO_LATE,
        ORIGINAL,
        "gone",
        "it is CANCELED",
    ),
    "replace of a filled order": (replace("full"), R.TOO_LATE, ORIGINAL, "full", "it is FILLED"),
    "replace while a cancel is pending": (
        replace("leaving"),
        R.ALREADY_PENDING,
        ORIGINAL,
        "leaving",
        "c-leaving",
    ),
    "replace by an id that was replaced": (
        replace("old"),
        R.TOO_LATE,
        ORIGINAL,
        "old",
        "it is new since",
    ),
    "replace below what is filled": (
        replace("part", 39),
        R.QUANTITY_BELOW_FILLED,
        "quantity",
        "39",
        "at least 40",
    ),
    "replace by the same": (
        replace("rests", 100),
        R.NOTHING_CHANGED,
        "quantity",
        "100",
        "limit_price_e9 None is the same too",
    ),
    "replace to nothing": (
        replace("rests", 0),
        R.QUANTITY_NOT_POSITIVE,
        "quantity",
        "0",
        "at least 1",
    ),
    "replace to less than nothing": (
        replace("rests", -(2**63)),
        R.QUANTITY_NOT_POSITIVE,
        "quantity",
        str(-(2**63)),
        None,
    ),
    "replace to more than all": (
        replace("rests", MOST),
        R.QUANTITY_TOO_LARGE,
        "quantity",
        str(MOST),
        "at most 1000000",
    ),
    "replace to a limit of nothing": (
        replace("rests", limit_price_e9=0),
        R.PRICE_NOT_POSITIVE,
        "limit_price_e9",
        "0",
        None,
    ),
    "replace to a limit off tick": (
        replace("rests", limit_price_e9=TICK + 1),
        R.PRICE_OFF_TICK,
        "limit_price_e9",
        str(TICK + 1),
        None,
    ),
    "replace to a limit through the market": (
        replace("rests", limit_price_e9=20_000 * TICK),
        R.PRICE_COLLAR,
        "limit_price_e9",
        str(20_000 * TICK),
        None,
    ),
    "replace to a minimum beyond the quantity": (
        replace("rests", constraints=Constraints(minimum_quantity=51)),
        R.MINIMUM_QUANTITY_OUT_OF_RANGE,
        "constraints.minimum_quantity",
        "51",
        None,
    ),
    "replace to a venue that is not": (
        replace("rests", constraints=Constraints(venue_ids=("NOWHERE",))),
        R.UNKNOWN_VENUE,
        "constraints.venue_ids",
        "NOWHERE",
        None,
    ),
    "replace to an end before now": (
        replace("rests", end_ns=OPEN_NS),
        R.END_IN_THE_PAST,
        "end_ns",
        str(OPEN_NS),
        None,
    ),
    "replace to an end before the start": (
        replace("rests", end_ns=CLOSE_NS - 2 * SECOND),
        R.END_NOT_AFTER_START,
        "end_ns",
        None,
        None,
    ),
    "replace to an end after the close": (
        replace("rests", end_ns=MOST),
        R.SESSION_CLOSED,
        "end_ns",
        str(MOST),
        f"until {CLOSE_NS}",
    ),
    "replace of an auction's end": (
        replace("auction", end_ns=CLOSE_NS - 1),
        R.REPLACE_NOT_ALLOWED,
        "end_ns",
        str(CLOSE_NS - 1),
        "AT_CLOSE has the end of its auction",
    ),
    "replace under an order's own id": (
        replace_order("rests", "rests", quantity=50),
        R.DUPLICATE_ORDER,
        "client_order_id",
        "rests",
        "one content per source, id and trade date",
    ),
    "cancel under a used id": (
        cancel_order("c-gone", "rests"),
        R.DUPLICATE_ORDER,
        "client_order_id",
        "c-gone",
        None,
    ),
}


@pytest.fixture(scope="module")
def shard() -> Iterator[HostileShard]:
    others = ("IRON", "OTHER")
    shard = HostileShard(
        *[instrument_defined(instrument_id=name) for name in others],
        account_defined("B1", tenant="T2"),
    )
    shard.ask(new_order("bad", quantity=0))
    shard.ask(new_order("rests", **LATER))
    shard.ask(new_order("gone", **LATER))
    shard.ask(cancel_order("c-gone", "gone"))
    shard.ask(new_order("old", **LATER))
    shard.ask(replace_order("new", "old", quantity=200))
    shard.ask(new_order("auction", time_in_force=TimeInForce.AT_CLOSE))
    shard.fill(shard.rest("full", 9_990), 100)
    shard.fill(shard.rest("part", 9_980), 40)
    shard.rest("leaving", 9_970)
    (pending,) = shard.ask(cancel_order("c-leaving", "leaving")).said
    assert isinstance(pending, OrderPendingCancel)
    yield shard
    shard.prove()


@pytest.mark.parametrize("name", ROWS)
def test_it_is_refused_for_that_and_nothing_else(shard: HostileShard, name: str) -> None:
    message, reason, field, value, bound = ROWS[name]
    if not message.client_order_id:
        message = msgspec.structs.replace(message, client_order_id=name[:64])
    answer = shard.refused(message, OrderCancelRejected)
    assert (answer.reason, answer.field) == (reason, field), answer.text
    assert value is None or answer.value == value
    assert bound is None or answer.bound == bound
    shard.takes_good_orders(name)


REPEATS: dict[str, tuple[Any, bool, R]] = {
    "an order": (new_order("rests", **LATER), True, R.UNKNOWN),
    "an order that has ended": (new_order("gone", **LATER), True, R.UNKNOWN),
    "an order that was replaced": (new_order("old", **LATER), True, R.UNKNOWN),
    "an order that was refused": (new_order("bad", quantity=0), False, R.QUANTITY_NOT_POSITIVE),
    "a cancel": (cancel_order("c-gone", "gone"), True, R.UNKNOWN),
    "a pending cancel": (cancel_order("c-leaving", "leaving"), True, R.UNKNOWN),
    "a replace": (replace_order("new", "old", quantity=200), True, R.UNKNOWN),
}


@pytest.mark.parametrize("name", REPEATS)
@pytest.mark.parametrize("ordinal", [1, 77])
def test_a_repeat_is_answered_as_before_and_does_nothing(
    shard: HostileShard, name: str, ordinal: int
) -> None:
    message, is_accepted, reason = REPEATS[name]
    heard = shard.ask(message, ordinal=ordinal)
    (repeated,) = heard.said
    assert isinstance(repeated, CommandRepeated)
    assert heard.is_without_effect
    assert (repeated.is_accepted, repeated.reason) == (is_accepted, reason)
    assert repeated.client_order_id == message.client_order_id


@pytest.mark.parametrize("days", [-1, 1])
def test_a_replay_of_another_day_is_no_repeat(shard: HostileShard, days: int) -> None:
    old = new_order("rests", trade_date=TRADE_DATE + days, **LATER)
    answer = shard.refused(old, OrderRejected)
    assert (answer.reason, answer.value) == (R.TRADE_DATE_MISMATCH, str(TRADE_DATE + days))


def test_the_first_version_of_each_command_is_taken(shard: HostileShard) -> None:
    (accepted,) = shard.ask(framed_v1(new_order("v1", **LATER))).said
    assert isinstance(accepted, OrderAccepted)
    assert (accepted.expire_ns, accepted.is_short_sale, accepted.constraints) == (0, False, None)
    replaced = shard.ask(framed_v1(replace_order("v1b", "v1", quantity=300))).said
    assert [type(each) for each in replaced] in ([OrderReplaced], [OrderPendingReplace])
    said = shard.ask(framed_v1(cancel_order("v1c", "v1b"))).said
    assert isinstance(said[-1], OrderCanceled)


@pytest.mark.parametrize("cut", [1, 20])
@pytest.mark.parametrize("message", [new_order("cut"), replace_order("cut", "rests")])
def test_the_first_version_cut_short_is_kept_and_does_nothing(
    shard: HostileShard, message: Any, cut: int
) -> None:
    heard = shard.ask(framed_v1(message)[:-cut])
    (letter,) = heard.said
    assert (letter.reason, letter.body) == (R.BODY_UNDECODABLE, heard.value)
    assert heard.is_without_effect


def test_a_date_of_the_first_version_beyond_32_bits_is_kept(shard: HostileShard) -> None:
    heard = shard.ask(framed_v1(new_order("wide", trade_date=2**40)))
    (letter,) = heard.said
    assert (letter.reason, letter.body) == (R.BODY_UNDECODABLE, heard.value)
    assert heard.is_without_effect
