"""An order ends when it is full or its time is over; a bust may restate that."""

import pytest

from schemas.messages.core import (
    Cause,
    OrderStatus,
)
from schemas.messages.intake import (
    OrderRestated,
)
from schemas.messages.netting import ParentClosed
from streams.intake.commands import (
    CloseOrder,
    RestateOrder,
)
from tests.support.intake_commands import NOW_NS
from tests.support.intake_history import O1, P1, busted, closed, filled, working


# history, cause, status of the end or None
@pytest.mark.parametrize(
    ("fills", "cause", "status"),
    [
        ((100,), Cause.FILL, OrderStatus.FILLED),
        ((60,), Cause.FILL, None),
        ((60,), Cause.END_OF_WINDOW, OrderStatus.EXPIRED),
        ((60,), Cause.COMPLETED, OrderStatus.CANCELED),
        ((100,), Cause.END_OF_WINDOW, OrderStatus.FILLED),
    ],
)
def test_an_order_ends_when_it_is_full_or_its_time_is_over(
    fills: tuple[int, ...], cause: Cause, status: OrderStatus | None
) -> None:
    case = working(*map(filled, fills)).when(CloseOrder(order_id=O1, cause=cause, at_ns=NOW_NS))
    case.then(*([] if status is None else [closed(status, sum(fills), cause)]))


def restated(status: OrderStatus, before: int, after: int) -> OrderRestated:
    return OrderRestated(
        order_id=O1,
        status=status,
        cumulative_quantity=after,
        previous_cumulative_quantity=before,
        cause=Cause.BUST,
    )


CLOSED_PARENT = ParentClosed(
    parent_id=P1, status=OrderStatus.FILLED, quantity=100, filled_quantity=100
)
FILLED = (filled(100), closed(OrderStatus.FILLED, 100, Cause.FILL))
RESTATE = RestateOrder(order_id=O1, cause=Cause.BUST)


def test_a_bust_after_the_parent_closed_restates_the_order_and_leaves_it_ended() -> None:
    working(*FILLED, CLOSED_PARENT, busted(30, 70)).when(RESTATE).then(
        restated(OrderStatus.CANCELED, 100, 70)
    )


def test_a_bust_while_the_parent_works_lets_a_filled_order_work_again() -> None:
    event = restated(OrderStatus.PARTIALLY_FILLED, 100, 70)
    working(*FILLED, busted(30, 70)).when(RESTATE).then(event)
    close = CloseOrder(order_id=O1, cause=Cause.FILL, at_ns=NOW_NS)
    working(*FILLED, busted(30, 70), event).when(close).then()
    working(*FILLED, busted(30, 70), event, filled(30, 100)).when(close).then(
        closed(OrderStatus.FILLED, 100, Cause.FILL)
    )


def test_a_bust_of_an_order_that_is_still_open_needs_no_restatement() -> None:
    working(filled(60), busted(10, 50)).when(RESTATE).then()
