"""Replace of every term: what null and 0 keep, what may not change, and what is measured again."""

from typing import Any

import pytest

from schemas.messages.core import (
    Cause,
    Constraints,
    OrderStatus,
    OrderType,
    RejectReason,
    Side,
    StrategyKind,
    VenueKind,
)
from schemas.messages.core import TimeInForce as T
from schemas.messages.intake import (
    OrderAccepted,
    OrderCancelRejected,
    OrderPendingReplace,
    OrderReplaced,
)
from streams.core.limits import Breach
from streams.intake import INTAKE
from streams.intake.commands import CloseOrder, FinishReplace
from tests.support.builders import (
    CLOSE_NS,
    MINUTE,
    OPEN_NS,
    SECOND,
    TICK,
    instrument,
    order_accepted,
    venue,
)
from tests.support.given import Given, given
from tests.support.intake_commands import NOW_NS, cancel, named, replace
from tests.support.intake_history import (
    LEFT,
    LIMIT_E9,
    O1,
    R,
    filled,
    pending_replace,
    replaced,
    waiting,
    working,
)

HIDDEN = Constraints(display_quantity=10)
VENUES = (venue("V1"), venue("D1", kind=VenueKind.DARK))


def asked(**terms: Any) -> Given:
    """Order c1 with other terms waits in a window."""
    return given(INTAKE, order_accepted(O1, client_order_id="c1", **terms), prepare=named)


def test_what_a_replace_leaves_out_stays_as_it_was() -> None:
    limited = asked(
        order_type=OrderType.LIMIT, limit_price_e9=LIMIT_E9, constraints=HIDDEN, end_ns=CLOSE_NS
    )
    (event,) = limited.when(replace(quantity=150)).events()
    assert isinstance(event, OrderReplaced)
    assert (event.order_type, event.limit_price_e9) == (OrderType.LIMIT, LIMIT_E9)
    assert (event.constraints, event.end_ns) == (HIDDEN, 0)


def test_constraints_are_replaced_whole_and_taken_back_by_empty_ones() -> None:
    history = asked(constraints=HIDDEN)
    new = Constraints(minimum_quantity=20)
    (event,) = history.when(replace(constraints=new)).events()
    assert event.constraints == new
    (event,) = history.when(replace(constraints=Constraints())).events()
    assert event.constraints is None
    assert event.group_id == replaced(replace(quantity=100)).group_id


@pytest.mark.parametrize(
    "changes",
    [
        {"constraints": HIDDEN},
        {"end_ns": CLOSE_NS - MINUTE},
        {"limit_price_e9": LIMIT_E9},
        {"quantity": 200, "constraints": HIDDEN},
    ],
)
def test_terms_that_make_another_group_wait_for_the_parent(changes: dict[str, Any]) -> None:
    command = replace(**changes)
    (pending,) = working().when(command).events()
    assert isinstance(pending, OrderPendingReplace)
    (event,) = working(pending, LEFT).when(FinishReplace(order_id=O1, at_ns=NOW_NS)).events()
    (at_once,) = waiting().when(command).events()
    assert event == at_once
    assert event.group_id != replaced(replace(quantity=100)).group_id


def test_what_limits_measured_stands_in_the_pending_and_in_the_final_event() -> None:
    around = {"limits_version": 4, "unit_value_e9": 17}
    command = replace(quantity=50, around=around)
    (pending,) = working().when(command).events()
    assert (pending.limits_version, pending.unit_value_e9) == (4, 17)
    (event,) = working(pending, LEFT).when(FinishReplace(order_id=O1, at_ns=NOW_NS)).events()
    assert (event.limits_version, event.unit_value_e9) == (4, 17)


def test_fills_while_a_replace_is_pending_carry_the_originals_terms() -> None:
    command = replace(quantity=50)
    state = working(pending_replace(command), filled(30)).state()
    order = state.orders[O1]
    assert (order.client_order_id, order.quantity, order.cumulative_quantity) == ("c1", 100, 30)
    assert order.order_status is OrderStatus.PENDING_REPLACE


def test_a_replace_that_a_fill_overtakes_is_refused_and_the_order_filled() -> None:
    history = working(pending_replace(replace(quantity=50)), filled(100))
    refusal, ended = history.when(CloseOrder(order_id=O1, cause=Cause.FILL, at_ns=NOW_NS)).events()
    assert (refusal.reason, refusal.original_client_order_id) == (R.TOO_LATE, "c1")
    assert ended.status is OrderStatus.FILLED


def test_a_chain_of_replaces_is_named_by_its_newest_id() -> None:
    second, third = replace("c2", quantity=150), replace("c3", original="c2", quantity=200)
    history = waiting(replaced(second), replaced(third))
    for original, is_found in (("c1", False), ("c2", False), ("c3", True)):
        (event,) = history.when(replace("c4", original=original, quantity=250)).events()
        assert isinstance(event, OrderReplaced) is is_found, original
        if not is_found:
            assert (event.reason, event.bound) == (R.TOO_LATE, "it is c3 since")


def test_the_id_of_a_refused_replace_never_names_the_order() -> None:
    (refused,) = waiting().when(replace("c2", quantity=7)).events()
    (answer,) = waiting(refused).when(cancel("c3", original="c2")).events()
    assert answer.reason is R.UNKNOWN_ORDER


IOC = asked(time_in_force=T.IOC, strategy=StrategyKind.IMMEDIATE)
AT_CLOSE = asked(time_in_force=T.AT_CLOSE)
CUTOFF = {"instrument": instrument(lot=5, close_cutoff_ns=NOW_NS)}
LIMITED = asked(
    order_type=OrderType.LIMIT,
    limit_price_e9=LIMIT_E9,
    constraints=Constraints(minimum_quantity=50, would_price_e9=LIMIT_E9),
)
LATER = asked(start_ns=NOW_NS + MINUTE)

# reason, history, command, field, value, bound
REFUSALS: list[tuple[RejectReason, Given, Any, str, Any, str]] = [
    (R.REPLACE_NOT_ALLOWED, IOC, replace(quantity=150),
     "original_client_order_id", "c1", "IOC is one sweep"),
    (R.REPLACE_NOT_ALLOWED, AT_CLOSE, replace(end_ns=CLOSE_NS - SECOND),
     "end_ns", CLOSE_NS - SECOND, "AT_CLOSE has the end of its auction"),
    (R.AFTER_CUTOFF, AT_CLOSE, replace(quantity=150, around=CUTOFF),
     "at_ns", NOW_NS, f"before the cut-off {NOW_NS} of AT_CLOSE"),
    (R.END_IN_THE_PAST, waiting(), replace(end_ns=NOW_NS), "end_ns", NOW_NS, f"after {NOW_NS}"),
    (R.END_IN_THE_PAST, waiting(), replace(end_ns=-1), "end_ns", -1, f"after {NOW_NS}"),
    (R.END_NOT_AFTER_START, LATER, replace(end_ns=NOW_NS + SECOND),
     "end_ns", NOW_NS + SECOND, f"after start_ns {NOW_NS + MINUTE}"),
    (R.SESSION_CLOSED, waiting(), replace(end_ns=CLOSE_NS + 1),
     "end_ns", CLOSE_NS + 1, f"until {CLOSE_NS}"),
    (R.SESSION_CLOSED, waiting(), replace(quantity=150, around={"at_ns": CLOSE_NS}),
     "at_ns", CLOSE_NS, f"from {OPEN_NS} to before {CLOSE_NS}"),
    (R.MINIMUM_QUANTITY_OUT_OF_RANGE, LIMITED, replace(quantity=45),
     "constraints.minimum_quantity", 50, "in 0..45, a multiple of 5"),
    (R.WOULD_PRICE_OUT_OF_RANGE, LIMITED, replace(limit_price_e9=LIMIT_E9 - TICK),
     "constraints.would_price_e9", LIMIT_E9, f"at most the limit {LIMIT_E9 - TICK}"),
    (R.DISPLAY_QUANTITY_OUT_OF_RANGE, waiting(),
     replace(constraints=Constraints(display_quantity=-5)),
     "constraints.display_quantity", -5, "in 0..100, a multiple of 5"),
    (R.UNKNOWN_VENUE, waiting(),
     replace(constraints=Constraints(venue_ids=("V9",)), around={"venues": VENUES}),
     "constraints.venue_ids", "V9", "defined venues"),
    (R.NO_VENUE_ALLOWED, asked(is_dark_allowed=False),
     replace(constraints=Constraints(venue_ids=("D1",)), around={"venues": VENUES}),
     "constraints.venue_ids", "D1", "an enabled venue that is not dark"),
    (R.TEXT_NOT_PRINTABLE, waiting(), replace("c\r", quantity=150),
     "client_order_id", "c\\r", "printable"),
    (R.KILLED, waiting(), replace(quantity=150, around={"killed": "K1"}),
     "kill_id", "K1", "no kill in force"),
    (R.CREDIT_LIMIT, waiting(),
     replace(quantity=150, around={"breach": Breach(R.CREDIT_LIMIT, "B1", "quantity", "2", "1")}),
     "quantity", "2", "1"),
    (R.NOTHING_CHANGED, asked(constraints=HIDDEN), replace(constraints=HIDDEN, end_ns=CLOSE_NS),
     "quantity", 100, "limit_price_e9 None is the same too"),
]  # fmt: skip


@pytest.mark.parametrize("row", REFUSALS, ids=lambda row: f"{row[0]}: {row[3]}={row[4]}"[:60])
def test_a_replace_that_breaks_a_rule_is_refused_and_changes_nothing(
    row: tuple[RejectReason, Given, Any, str, Any, str],
) -> None:
    reason, history, command, field, value, bound = row
    case = history.when(command)
    (answer,) = case.events()
    assert isinstance(answer, OrderCancelRejected), answer
    assert (answer.reason, answer.field, answer.value, answer.bound) == (
        reason,
        field,
        str(value),
        bound,
    )
    assert answer.limit_id == ("B1" if reason is R.CREDIT_LIMIT else "")
    case.then(answer)


def test_a_replaced_short_sale_stays_one() -> None:
    terms: OrderAccepted = order_accepted(
        O1, client_order_id="c1", side=Side.SELL, is_short_sale=True, locate_id="L1"
    )
    (event,) = given(INTAKE, terms, prepare=named).when(replace(quantity=150)).events()
    long = order_accepted(O1, client_order_id="c1", side=Side.SELL)
    (other,) = given(INTAKE, long, prepare=named).when(replace(quantity=150)).events()
    assert event.group_id != other.group_id
