"""Cancel and replace: at once while an order waits, pending while a parent works it."""

from typing import Any

import pytest

from schemas.messages.core import (
    Cause,
    CommandKind,
    OrderStatus,
    RejectReason,
)
from schemas.messages.intake import (
    CommandRepeated,
    OrderCanceled,
    OrderCancelRejected,
)
from streams.intake.commands import (
    CloseOrder,
    FinishCancel,
    FinishReplace,
)
from tests.support.builders import ACME, TICK, TRADE_DATE
from tests.support.given import Given
from tests.support.intake_commands import NOW_NS, cancel, replace
from tests.support.intake_history import (
    LEFT,
    LIMIT_E9,
    O1,
    R,
    canceled,
    closed,
    filled,
    pending_cancel,
    pending_replace,
    replaced,
    waiting,
    working,
)


def test_a_waiting_order_is_canceled_at_once() -> None:
    waiting().when(cancel()).then(canceled(cancel(), received_ns=NOW_NS))


def test_a_working_order_is_canceled_when_it_has_left_its_parent() -> None:
    working().when(cancel()).then(pending_cancel(cancel()))
    working(pending_cancel(cancel()), filled(30), LEFT).when(
        FinishCancel(order_id=O1, at_ns=NOW_NS)
    ).then(canceled(cancel(), filled_quantity=30))


def test_a_repeated_cancel_is_answered_as_the_first_while_pending_and_after() -> None:
    for history in ((), (canceled(cancel()),)):
        (answer,) = working(pending_cancel(cancel()), *history).when(cancel()).events()
        assert isinstance(answer, CommandRepeated)
        assert (answer.command, answer.is_accepted) == (CommandKind.CANCEL, True)


def test_an_order_that_fills_while_its_cancel_is_pending_is_filled_and_the_cancel_refused() -> None:
    history = working(pending_cancel(cancel()), filled(100))
    case = history.when(CloseOrder(order_id=O1, cause=Cause.FILL, at_ns=NOW_NS))
    refusal, _ = case.events()
    assert (refusal.reason, refusal.response_to, refusal.order_id) == (
        R.TOO_LATE,
        CommandKind.CANCEL,
        O1,
    )
    assert refusal.client_order_id == "c2" and refusal.original_client_order_id == "c1"
    case.then(refusal, closed(OrderStatus.FILLED, 100, Cause.FILL))
    (again,) = working(pending_cancel(cancel()), filled(100), refusal).when(cancel()).events()
    assert (again.is_accepted, again.reason) == (False, R.TOO_LATE)


def test_a_pending_cancel_wins_over_the_end_of_the_window() -> None:
    working(pending_cancel(cancel()), filled(40)).when(
        CloseOrder(order_id=O1, cause=Cause.END_OF_WINDOW, at_ns=NOW_NS)
    ).then(canceled(cancel(), filled_quantity=40))


def test_a_pending_replace_is_refused_at_the_end_of_the_window() -> None:
    command = replace(quantity=50)
    case = working(pending_replace(command), filled(40)).when(
        CloseOrder(order_id=O1, cause=Cause.END_OF_WINDOW, at_ns=NOW_NS)
    )
    refusal, _ = case.events()
    assert (refusal.reason, refusal.response_to) == (R.TOO_LATE, CommandKind.REPLACE)
    case.then(refusal, closed(OrderStatus.EXPIRED, 40, Cause.END_OF_WINDOW))


# what is asked for, whether a working order may have it at once
@pytest.mark.parametrize(
    ("changes", "is_at_once"),
    [
        ({"quantity": 150}, True),
        ({"quantity": 50}, False),
        ({"limit_price_e9": LIMIT_E9}, False),
        ({"quantity": 150, "limit_price_e9": LIMIT_E9}, False),
    ],
)
def test_only_a_mere_increase_of_a_working_order_needs_no_waiting(
    changes: dict[str, Any], is_at_once: bool
) -> None:
    command = replace(**changes)
    waiting().when(command).then(replaced(command))
    working().when(command).then(replaced(command) if is_at_once else pending_replace(command))


def test_a_pending_replace_takes_effect_when_the_order_has_left() -> None:
    command = replace(quantity=50, limit_price_e9=LIMIT_E9)
    working(pending_replace(command), filled(30), LEFT).when(
        FinishReplace(order_id=O1, at_ns=NOW_NS)
    ).then(replaced(command, cumulative_quantity=30))


def test_a_reduction_below_what_filled_meanwhile_stops_there_and_ends_the_order() -> None:
    command = replace(quantity=50)
    working(pending_replace(command), filled(70), LEFT).when(
        FinishReplace(order_id=O1, at_ns=NOW_NS)
    ).then(
        replaced(command, quantity=70, cumulative_quantity=70),
        closed(OrderStatus.FILLED, 70, Cause.CLIENT, of=70),
    )


def test_a_replaced_order_is_named_by_its_last_accepted_id_alone() -> None:
    history = waiting(replaced(replace("c2", quantity=150)))
    (event,) = history.when(cancel("c3", original="c2")).events()
    assert isinstance(event, OrderCanceled)
    assert event.canceled_quantity == 150
    (event,) = history.when(cancel("c3", original="c1")).events()
    assert isinstance(event, OrderCancelRejected)
    assert (event.reason, event.order_id, event.bound) == (R.TOO_LATE, O1, "it is c2 since")


# reason, history, command, field, value, bound
CHANGES: list[tuple[RejectReason, Given, Any, str, str, str]] = [
    (
        R.WRONG_PARTITION,
        waiting(),
        cancel(around={"is_own_partition": False}),
        "instrument_id",
        ACME,
        "partition = murmur2(instrument_id) mod partitions",
    ),
    (
        R.UNKNOWN_INSTRUMENT,
        waiting(),
        replace(quantity=150, around={"instrument": None}),
        "instrument_id",
        ACME,
        "defined instruments",
    ),
    (
        R.DUPLICATE_ORDER,
        waiting(),
        cancel("c1"),
        "client_order_id",
        "c1",
        "one content per source, id and trade date",
    ),
    (R.QUANTITY_NOT_POSITIVE, waiting(), replace(quantity=0), "quantity", "0", "at least 1"),
    (
        R.QUANTITY_NOT_A_LOT_MULTIPLE,
        waiting(),
        replace(quantity=51),
        "quantity",
        "51",
        "multiple of 5",
    ),
    (
        R.PRICE_OFF_TICK,
        waiting(),
        replace(limit_price_e9=LIMIT_E9 + 1),
        "limit_price_e9",
        str(LIMIT_E9 + 1),
        f"multiple of {TICK}",
    ),
    (R.FIELD_EMPTY, waiting(), cancel(""), "client_order_id", "", "1 to 64 characters"),
    (
        R.FIELD_TOO_LONG,
        waiting(),
        cancel(original="x" * 65),
        "original_client_order_id",
        "65",
        "at most 64",
    ),
    (
        R.UNKNOWN_ORDER,
        waiting(),
        cancel(original="c8"),
        "original_client_order_id",
        "c8",
        f"orders of source OMS on {TRADE_DATE}",
    ),
    (
        R.UNKNOWN_ORDER,
        waiting(),
        cancel(tenant="T2"),
        "original_client_order_id",
        "c1",
        f"orders of source OMS on {TRADE_DATE}",
    ),
    (
        R.TOO_LATE,
        working(filled(100), closed(OrderStatus.FILLED, 100, Cause.FILL)),
        cancel(),
        "original_client_order_id",
        "c1",
        "it is FILLED",
    ),
    (
        R.ALREADY_PENDING,
        working(pending_cancel(cancel())),
        cancel("c3"),
        "original_client_order_id",
        "c1",
        "c2",
    ),
    (
        R.QUANTITY_BELOW_FILLED,
        working(filled(60)),
        replace(quantity=50),
        "quantity",
        "50",
        "at least 60",
    ),
    (
        R.NOTHING_CHANGED,
        waiting(),
        replace(),
        "quantity",
        "100",
        "limit_price_e9 None is the same too",
    ),
]


@pytest.mark.parametrize("row", CHANGES, ids=lambda row: f"{row[0]}: {row[3]}={row[4][:20]}")
def test_a_change_that_breaks_a_rule_is_refused_with_field_value_and_bound(
    row: tuple[RejectReason, Given, Any, str, str, str],
) -> None:
    reason, history, command, field, value, bound = row
    case = history.when(command)
    (answer,) = case.events()
    assert isinstance(answer, OrderCancelRejected)
    assert (answer.reason, answer.field, answer.value, answer.bound) == (
        reason,
        field,
        value,
        bound,
    )
    assert answer.client_order_id == command.message.client_order_id
    assert answer.text
    case.then(answer)
