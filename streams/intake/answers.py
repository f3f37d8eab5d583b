"""The events of an order's life, built from the order and the request that led to them."""

from schemas.messages.core import Cause, CommandKind, OrderStatus, OrderType, RejectReason
from schemas.messages.intake import (
    BasketAnswered,
    CommandRepeated,
    MassCancelAnswered,
    OrderAccepted,
    OrderCanceled,
    OrderCancelRejected,
    OrderClosed,
    OrderDoneForDay,
    OrderPendingCancel,
    OrderPendingReplace,
    OrderRejected,
    OrderReplaced,
    OrderRestated,
    OrderResumed,
)
from streams.intake.refusal import refuse
from streams.intake.state import NO_DIGEST, Order, Pending
from streams.intake.submit import group_id

__all__ = [
    "IntakeEvent",
    "canceled",
    "closed",
    "finished",
    "pending_cancel",
    "replaced",
    "too_late",
    "unasked",
]

IntakeEvent = (
    BasketAnswered
    | CommandRepeated
    | MassCancelAnswered
    | OrderAccepted
    | OrderCanceled
    | OrderCancelRejected
    | OrderClosed
    | OrderDoneForDay
    | OrderPendingCancel
    | OrderPendingReplace
    | OrderRejected
    | OrderReplaced
    | OrderRestated
    | OrderResumed
)


def unasked(order: Order, cause: Cause) -> Pending:
    """Return a cancel that no client's message asked for; it bears the order's own id."""
    source, name = order.terms.source, order.client_order_id
    return Pending(CommandKind.CANCEL, source, name, NO_DIGEST, cause)


def pending_cancel(order: Order, request: Pending, at_ns: int) -> OrderPendingCancel:
    """Return that a cancel waits for the parent's exposure."""
    return OrderPendingCancel(
        order_id=order.terms.order_id,
        tenant=order.terms.tenant,
        source=request.source,
        client_order_id=request.client_order_id,
        command_digest=request.digest,
        received_ns=at_ns,
        cause=request.cause,
        trade_date=request.trade_date,
    )


def finished(order: Order, request: Pending, at_ns: int) -> OrderCanceled | OrderClosed:
    """Return the end of an order that `request` leads to and that is not full."""
    if request.cause is Cause.EXPIRED:
        return closed(order, OrderStatus.EXPIRED, Cause.EXPIRED)
    return canceled(order, request, at_ns)


def canceled(order: Order, request: Pending, at_ns: int) -> OrderCanceled:
    """Return the end of the order that `request` asked for."""
    return OrderCanceled(
        order_id=order.terms.order_id,
        tenant=order.terms.tenant,
        source=request.source,
        client_order_id=request.client_order_id,
        cumulative_quantity=order.cumulative_quantity,
        canceled_quantity=order.quantity - order.cumulative_quantity,
        command_digest=request.digest,
        received_ns=at_ns,
        cause=request.cause,
        trade_date=request.trade_date,
    )


def closed(
    order: Order, status: OrderStatus, cause: Cause, quantity: int | None = None
) -> OrderClosed:
    """Return the end of an order by itself; `quantity` overrides the one in force."""
    quantity = order.quantity if quantity is None else quantity
    return OrderClosed(
        order_id=order.terms.order_id,
        status=status,
        cumulative_quantity=order.cumulative_quantity,
        leaves_quantity=quantity - order.cumulative_quantity,
        cause=cause,
    )


def too_late(order: Order, pending: Pending, at_ns: int) -> tuple[OrderCancelRejected, ...]:
    """Return the refusal of a request that was pending when the order ended.

    (): nobody asked, so nobody is answered.
    """
    if pending.digest == NO_DIGEST:
        return ()
    terms = order.terms
    refusal = refuse(
        RejectReason.TOO_LATE,
        "original_client_order_id",
        order.client_order_id,
        f"{order.cumulative_quantity} of {order.quantity} filled",
    )
    rejected = OrderCancelRejected(
        tenant=terms.tenant,
        source=pending.source,
        client_order_id=pending.client_order_id,
        original_client_order_id=order.client_order_id,
        order_id=terms.order_id,
        instrument_id=terms.instrument_id,
        trade_date=pending.trade_date or order.trade_date,
        response_to=pending.command,
        reason=refusal.reason,
        field=refusal.field,
        value=refusal.value,
        bound=refusal.bound,
        text=refusal.text,
        command_digest=pending.digest,
        received_ns=at_ns,
    )
    return (rejected,)


def replaced(order: Order, request: Pending, at_ns: int) -> tuple[OrderReplaced | OrderClosed, ...]:
    """Return the new terms in force; the order's end too when they leave nothing to do."""
    terms = order.terms
    # FIX 4.4 appendix D: a reduction below what filled meanwhile stops at what is filled.
    quantity = max(request.quantity, order.cumulative_quantity)
    limit_price_e9 = request.limit_price_e9
    order_type = OrderType.MARKET if limit_price_e9 is None else OrderType.LIMIT
    event = OrderReplaced(
        order_id=terms.order_id,
        tenant=terms.tenant,
        source=request.source,
        client_order_id=request.client_order_id,
        quantity=quantity,
        order_type=order_type,
        limit_price_e9=limit_price_e9,
        group_id=group_id(
            terms,
            start_ns=order.start_ns,
            end_ns=request.end_ns or order.end_ns,
            order_type=order_type,
            limit_price_e9=limit_price_e9,
            constraints=request.constraints,
            parameters=request.parameters,
        ),
        cumulative_quantity=order.cumulative_quantity,
        replaced_ns=at_ns,
        command_digest=request.digest,
        constraints=request.constraints,
        end_ns=request.end_ns,
        limits_version=request.limits_version,
        unit_value_e9=request.unit_value_e9,
        trade_date=request.trade_date,
        parameters=request.parameters,
    )
    if quantity == order.cumulative_quantity:
        return (event, closed(order, OrderStatus.FILLED, Cause.CLIENT, quantity))
    return (event,)
