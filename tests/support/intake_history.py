"""One order, c1 of 100, and what may have happened to it."""

from typing import Any

from schemas.messages.allocation import AllocationRestated, FillAllocated
from schemas.messages.core import (
    AllocationEntry,
    Cause,
    Member,
    OrderStatus,
    OrderType,
    RejectReason,
)
from schemas.messages.intake import (
    OrderCanceled,
    OrderClosed,
    OrderPendingCancel,
    OrderPendingReplace,
    OrderReplaced,
)
from schemas.messages.netting import EpochOpened, MemberLeft
from streams.intake import INTAKE
from streams.intake.commands import (
    SubmitCancel,
    SubmitReplace,
)
from streams.intake.submit import group_id
from tests.support.builders import TICK, order_accepted
from tests.support.given import Given, given
from tests.support.intake_commands import NOW_NS, named

O1 = "Oabcdef.0.1"
P1 = "Pabcdef.0.1"
ACCEPTED = order_accepted(O1, client_order_id="c1")
LIMIT_E9 = 9_990 * TICK
R = RejectReason
OPENED = EpochOpened(
    parent_id=P1,
    epoch=1,
    quantity=100,
    parent_quantity=100,
    members=(Member(order_id=O1, quantity=100),),
    cause=Cause.OPENED,
)


def working(*more: Any) -> Given:
    """Order c1 of 100 is a member of a parent."""
    return given(INTAKE, ACCEPTED, OPENED, *more, prepare=named)


def waiting(*more: Any) -> Given:
    """Order c1 of 100 waits in a window."""
    return given(INTAKE, ACCEPTED, *more, prepare=named)


def filled(quantity: int, cumulative_quantity: int | None = None) -> FillAllocated:
    return FillAllocated(
        fill_id=f"V1/{quantity}",
        parent_id=P1,
        epoch=1,
        is_tail=False,
        quantity=quantity,
        price_e9=10_000 * TICK,
        entries=(
            AllocationEntry(
                order_id=O1,
                quantity=quantity,
                cumulative_quantity=cumulative_quantity or quantity,
            ),
        ),
    )


def busted(quantity: int, left: int) -> AllocationRestated:
    return AllocationRestated(
        parent_id=P1,
        epoch=1,
        is_tail=False,
        fill_id="V1/1",
        cause=Cause.BUST,
        is_minimal=False,
        entries=(AllocationEntry(order_id=O1, quantity=-quantity, cumulative_quantity=left),),
    )


LEFT = MemberLeft(parent_id=P1, order_id=O1, cumulative_quantity=0)


def canceled(
    command: SubmitCancel, filled_quantity: int = 0, *, received_ns: int = NOW_NS
) -> OrderCanceled:
    return OrderCanceled(
        order_id=O1,
        tenant="T1",
        source="OMS",
        client_order_id=command.message.client_order_id,
        cumulative_quantity=filled_quantity,
        canceled_quantity=100 - filled_quantity,
        command_digest=command.digest,
        received_ns=received_ns,
        cause=Cause.CLIENT,
    )


def pending_cancel(command: SubmitCancel) -> OrderPendingCancel:
    return OrderPendingCancel(
        order_id=O1,
        tenant="T1",
        source="OMS",
        client_order_id=command.message.client_order_id,
        command_digest=command.digest,
        received_ns=command.at_ns,
        cause=Cause.CLIENT,
    )


def pending_replace(command: SubmitReplace) -> OrderPendingReplace:
    return OrderPendingReplace(
        order_id=O1,
        tenant="T1",
        source="OMS",
        client_order_id=command.message.client_order_id,
        quantity=command.message.quantity,
        limit_price_e9=command.message.limit_price_e9,
        command_digest=command.digest,
        received_ns=command.at_ns,
    )


def replaced(command: SubmitReplace, **changes: Any) -> OrderReplaced:
    limit_price_e9 = command.message.limit_price_e9
    order_type = OrderType.MARKET if limit_price_e9 is None else OrderType.LIMIT
    return OrderReplaced(
        **{
            "order_id": O1,
            "tenant": "T1",
            "source": "OMS",
            "client_order_id": command.message.client_order_id,
            "quantity": command.message.quantity,
            "order_type": order_type,
            "limit_price_e9": limit_price_e9,
            "group_id": group_id(
                ACCEPTED,
                start_ns=0,
                end_ns=ACCEPTED.end_ns,
                order_type=order_type,
                limit_price_e9=limit_price_e9,
                constraints=command.message.constraints,
                parameters=command.message.parameters,
            ),
            "cumulative_quantity": 0,
            "replaced_ns": NOW_NS,
            "command_digest": command.digest,
            **changes,
        }
    )


def closed(status: OrderStatus, filled_quantity: int, cause: Cause, of: int = 100) -> OrderClosed:
    return OrderClosed(
        order_id=O1,
        status=status,
        cumulative_quantity=filled_quantity,
        leaves_quantity=of - filled_quantity,
        cause=cause,
    )
