"""A basket is accepted whole or not at all, or for the entries that are valid, as asked."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from schemas.messages.core import BasketEntry, BasketMode, CommandKind, RejectReason
from schemas.messages.intake import (
    BasketAnswered,
    CommandRepeated,
    NewBasket,
    NewOrder,
    OrderAccepted,
    OrderRejected,
)
from streams.core.limits import Breach
from streams.intake import INTAKE
from streams.intake.basket import ENTRIES_MAX, orders_of
from streams.intake.commands import SubmitBasket
from tests.support.builders import TRADE_DATE, new_order
from tests.support.given import given
from tests.support.intake_commands import NOW_NS, digest_of, named, submit

R = RejectReason
M = BasketMode
EMPTY = given(INTAKE, prepare=named)


def entry(name: str, **changes: Any) -> BasketEntry:
    message = new_order(name, **changes)
    return BasketEntry(**{n: getattr(message, n) for n in BasketEntry.__struct_fields__})


def basket(
    *entries: BasketEntry,
    mode: BasketMode = M.ALL_OR_NONE,
    around: Sequence[dict[str, Any]] = (),
    **changes: Any,
) -> SubmitBasket:
    """Return the submission; `around` says what the shard adds to each entry."""
    message = NewBasket(
        **{
            "tenant": "T1",
            "source": "OMS",
            "basket_id": "B1",
            "trade_date": TRADE_DATE,
            "mode": mode,
            "entries": entries,
            **changes,
        }
    )
    added = [*around, *[{}] * len(entries)]
    orders = tuple(
        msgspec.structs.replace(submit(around=more), message=order, digest=digest_of(order))
        for order, more in zip(orders_of(message), added, strict=False)
    )
    return SubmitBasket(message=message, orders=orders, at_ns=NOW_NS, digest=digest_of(message))


def answers(command: SubmitBasket) -> tuple[list[str], BasketAnswered]:
    """Return each entry's answer in one word, and the basket's."""
    *events, answer = EMPTY.when(command).events()
    assert isinstance(answer, BasketAnswered)
    words = [e.order_id if isinstance(e, OrderAccepted) else str(e.reason) for e in events]
    return words, answer


def test_a_basket_of_good_orders_is_accepted_in_its_order() -> None:
    for mode in (M.ALL_OR_NONE, M.VALID_ONES):
        words, answer = answers(basket(entry("c1"), entry("c2", quantity=50), mode=mode))
        assert words == ["Oabcdef.0.1", "Oabcdef.0.2"]
        assert (answer.is_accepted, answer.accepted_count, answer.rejected_count) == (True, 2, 0)


def test_all_or_none_refuses_all_and_tells_each_its_own_reason() -> None:
    words, answer = answers(basket(entry("c1"), entry("c2", quantity=7), entry("c3", quantity=0)))
    assert words == [
        R.BASKET_MEMBER_REFUSED,
        R.QUANTITY_NOT_A_LOT_MULTIPLE,
        R.QUANTITY_NOT_POSITIVE,
    ]
    assert (answer.is_accepted, answer.accepted_count, answer.rejected_count) == (False, 0, 3)
    assert answer.reason is R.BASKET_MEMBER_REFUSED
    first, *_ = EMPTY.when(basket(entry("c1"), entry("c2", quantity=7))).events()
    assert first.bound == "c2 of the basket is refused, QUANTITY_NOT_A_LOT_MULTIPLE"


def test_valid_ones_takes_what_is_valid() -> None:
    words, answer = answers(
        basket(entry("c1"), entry("c2", quantity=7), entry("c3"), mode=M.VALID_ONES)
    )
    assert words == ["Oabcdef.0.1", R.QUANTITY_NOT_A_LOT_MULTIPLE, "Oabcdef.0.2"]
    assert (answer.is_accepted, answer.accepted_count, answer.rejected_count) == (True, 2, 1)
    words, answer = answers(basket(entry("c1", quantity=7), mode=M.VALID_ONES))
    assert (answer.is_accepted, answer.reason) == (False, R.BASKET_MEMBER_REFUSED)


def test_a_limit_that_one_entry_breaks_refuses_all_or_it_alone() -> None:
    breach = Breach(R.CREDIT_LIMIT, "L1", "quantity", "2", "1")
    around: tuple[dict[str, Any], ...] = ({}, {"breach": breach})
    words, _ = answers(basket(entry("c1"), entry("c2"), around=around))
    assert words == [R.BASKET_MEMBER_REFUSED, R.CREDIT_LIMIT]
    words, _ = answers(basket(entry("c1"), entry("c2"), around=around, mode=M.VALID_ONES))
    assert words == ["Oabcdef.0.1", R.CREDIT_LIMIT]


def test_an_entry_of_another_shard_refuses_the_whole_of_all_or_none() -> None:
    around = ({"is_own_partition": False},)
    words, answer = answers(basket(entry("c1"), entry("c2"), around=around))
    assert words == [R.BASKET_SPANS_SHARDS, R.BASKET_MEMBER_REFUSED]
    assert answer.reason is R.BASKET_SPANS_SHARDS
    words, _ = answers(basket(entry("c1"), entry("c2"), around=around, mode=M.VALID_ONES))
    assert words == [R.BASKET_SPANS_SHARDS, "Oabcdef.0.1"]


def test_an_id_that_stands_twice_is_refused_the_second_time() -> None:
    command = basket(entry("c1"), entry("c1", quantity=50), mode=M.VALID_ONES)
    assert answers(command)[0] == ["Oabcdef.0.1", R.DUPLICATE_IN_BASKET]


@pytest.mark.parametrize(
    ("command", "reason", "field", "value"),
    [
        (basket(), R.BASKET_EMPTY, "entries", "0"),
        (basket(*[entry("c1")] * (ENTRIES_MAX + 1)), R.BASKET_TOO_LARGE, "entries", "501"),
        (basket(entry("c1"), mode=M.UNKNOWN), R.VALUE_OUT_OF_RANGE, "mode", "UNKNOWN"),
        (basket(entry("c1"), basket_id=""), R.FIELD_EMPTY, "basket_id", ""),
        (basket(entry("c1"), basket_id="b" * 65), R.FIELD_TOO_LONG, "basket_id", "65"),
        (basket(entry("c1"), source="\u202e"), R.TEXT_NOT_PRINTABLE, "source", "\\u202e"),
    ],
)
def test_a_basket_that_is_none_is_refused_as_one(
    command: SubmitBasket, reason: R, field: str, value: str
) -> None:
    (answer,) = EMPTY.when(command).events()
    EMPTY.when(command).then(answer)
    assert isinstance(answer, BasketAnswered)
    assert (answer.is_accepted, answer.reason) == (False, reason)
    assert (answer.field, answer.value) == (field, value)
    assert (answer.accepted_count, answer.rejected_count) == (0, len(command.message.entries))


def test_a_repeat_is_answered_and_an_entry_sent_again_alone_too() -> None:
    command = basket(entry("c1"), entry("c2"))
    events = EMPTY.when(command).events()
    after = given(INTAKE, *events, prepare=named)
    (again,) = after.when(command).events()
    assert isinstance(again, CommandRepeated)
    assert (again.command, again.client_order_id) == (CommandKind.BASKET, "B1")
    alone: NewOrder = orders_of(command.message)[1]
    single = msgspec.structs.replace(submit(), message=alone, digest=digest_of(alone))
    (again,) = after.when(single).events()
    assert (again.is_accepted, again.order_id) == (True, "Oabcdef.0.2")
    (answer,) = after.when(basket(entry("c9"))).events()
    assert (answer.reason, answer.field) == (R.DUPLICATE_ORDER, "basket_id")


def test_entries_carry_their_basket() -> None:
    *events, _ = EMPTY.when(
        basket(entry("c1"), entry("c2", quantity=7), mode=M.VALID_ONES)
    ).events()
    accepted, rejected = events
    assert isinstance(accepted, OrderAccepted) and isinstance(rejected, OrderRejected)
    assert accepted.basket_id == rejected.basket_id == "B1"
