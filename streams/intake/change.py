"""Cancel and replace: at once while an order waits, pending while a parent works it."""

import msgspec

from schemas.messages.core import Cause, CommandKind, OrderStatus, OrderType, RejectReason
from schemas.messages.intake import (
    CancelOrder,
    CommandRepeated,
    OrderAccepted,
    OrderCanceled,
    OrderCancelRejected,
    OrderClosed,
    OrderPendingCancel,
    OrderPendingReplace,
    OrderRejected,
    OrderReplaced,
    OrderRestated,
    ReplaceOrder,
)
from streams.intake.commands import SubmitCancel, SubmitReplace
from streams.intake.ladder import (
    Refusal,
    check_duplicate,
    check_killed,
    check_limits,
    check_partition,
    check_replace,
    check_strings,
    refuse,
)
from streams.intake.state import IntakeState, Order, Pending, command_key
from streams.intake.submit import group_id

__all__ = [
    "IntakeEvent",
    "cancel",
    "canceled",
    "closed",
    "finish_cancel",
    "finish_replace",
    "order_named",
    "replace",
    "too_late",
]

IntakeEvent = (
    CommandRepeated
    | OrderAccepted
    | OrderCanceled
    | OrderCancelRejected
    | OrderClosed
    | OrderPendingCancel
    | OrderPendingReplace
    | OrderRejected
    | OrderReplaced
    | OrderRestated
)


def cancel(
    state: IntakeState, command: SubmitCancel, *, is_duplicate: bool
) -> tuple[IntakeEvent, ...]:
    """Return the cancel done, pending or refused."""
    message = command.message
    order = order_named(state, message)
    refusal = (
        check_partition(message.instrument_id, is_own=command.is_own_partition)
        or check_duplicate(message.client_order_id, is_duplicate=is_duplicate)
        or check_strings(message)
        or _check_order(order, message)
    )
    if refusal is not None:
        return (_refused(command, order, refusal),)
    assert order is not None  # an unknown order was refused above
    if order.parent_id:
        pending = OrderPendingCancel(
            order_id=order.terms.order_id,
            tenant=message.tenant,
            source=message.source,
            client_order_id=message.client_order_id,
            command_digest=command.digest,
            received_ns=command.at_ns,
        )
        return (pending,)
    request = Pending(
        CommandKind.CANCEL, message.source, message.client_order_id, 0, None, command.digest
    )
    done = msgspec.structs.replace(canceled(order, request), received_ns=command.at_ns)
    return (done,)


def replace(
    state: IntakeState, command: SubmitReplace, *, is_duplicate: bool
) -> tuple[IntakeEvent, ...]:
    """Return the replace done, pending or refused. A mere increase never waits."""
    message = command.message
    order = order_named(state, message)
    refusal = (
        check_replace(command, is_duplicate=is_duplicate)
        or _check_order(order, message)
        or (None if order is None else _check_change(order, message))
        or check_killed(command.killed)
        or check_limits(command)
    )
    if refusal is not None:
        return (_refused(command, order, refusal),)
    assert order is not None  # an unknown order was refused above
    is_increase = (
        message.limit_price_e9 == order.limit_price_e9 and message.quantity > order.quantity
    )
    if order.parent_id and not is_increase:
        pending = OrderPendingReplace(
            order_id=order.terms.order_id,
            tenant=message.tenant,
            source=message.source,
            client_order_id=message.client_order_id,
            quantity=message.quantity,
            limit_price_e9=message.limit_price_e9,
            command_digest=command.digest,
            received_ns=command.at_ns,
            unit_value_e9=command.unit_value_e9,
        )
        return (pending,)
    request = Pending(
        CommandKind.REPLACE,
        message.source,
        message.client_order_id,
        message.quantity,
        message.limit_price_e9,
        command.digest,
    )
    replaced, *ended = _replaced(order, request, command.at_ns)
    measured = msgspec.structs.replace(
        replaced, limits_version=command.limits_version, unit_value_e9=command.unit_value_e9
    )
    return (measured, *ended)


def finish_cancel(order: Order) -> tuple[IntakeEvent, ...]:
    """Return the answer to the pending cancel; () when none is pending."""
    pending = order.pending
    if pending is None or pending.command is not CommandKind.CANCEL:
        return ()
    if order.is_full:
        return (too_late(order, pending), closed(order, OrderStatus.FILLED, Cause.FILL))
    return (canceled(order, pending),)


def finish_replace(order: Order, at_ns: int) -> tuple[IntakeEvent, ...]:
    """Return the answer to the pending replace; () when none is pending."""
    pending = order.pending
    if pending is None or pending.command is not CommandKind.REPLACE:
        return ()
    if order.is_full:
        return (too_late(order, pending), closed(order, OrderStatus.FILLED, Cause.FILL))
    return _replaced(order, pending, at_ns)


def canceled(order: Order, request: Pending) -> OrderCanceled:
    """Return the end of the order that `request` asked for."""
    return OrderCanceled(
        order_id=order.terms.order_id,
        tenant=order.terms.tenant,
        source=request.source,
        client_order_id=request.client_order_id,
        cumulative_quantity=order.cumulative_quantity,
        canceled_quantity=order.quantity - order.cumulative_quantity,
        command_digest=request.digest,
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


def too_late(order: Order, pending: Pending) -> OrderCancelRejected:
    """Return the refusal of a request that was pending when the order ended."""
    terms = order.terms
    refusal = refuse(
        RejectReason.TOO_LATE,
        "original_client_order_id",
        order.client_order_id,
        f"{order.cumulative_quantity} of {order.quantity} filled",
    )
    return OrderCancelRejected(
        tenant=terms.tenant,
        source=pending.source,
        client_order_id=pending.client_order_id,
        original_client_order_id=order.client_order_id,
        order_id=terms.order_id,
        instrument_id=terms.instrument_id,
        trade_date=terms.trade_date,
        response_to=pending.command,
        reason=refusal.reason,
        field=refusal.field,
        value=refusal.value,
        bound=refusal.bound,
        text=refusal.text,
        command_digest=pending.digest,
    )


def _replaced(order: Order, request: Pending, at_ns: int) -> tuple[IntakeEvent, ...]:
    terms = order.terms
    # FIX 4.4 appendix D: a reduction below what filled meanwhile stops at what is filled.
    quantity = max(request.quantity, order.cumulative_quantity)
    limit_price_e9 = request.limit_price_e9
    order_type = OrderType.MARKET if limit_price_e9 is None else OrderType.LIMIT
    replaced = OrderReplaced(
        order_id=terms.order_id,
        tenant=terms.tenant,
        source=request.source,
        client_order_id=request.client_order_id,
        quantity=quantity,
        order_type=order_type,
        limit_price_e9=limit_price_e9,
        group_id=group_id(
            terms,
            start_ns=0 if terms.start_ns == terms.accepted_ns else terms.start_ns,
            end_ns=terms.end_ns,
            order_type=order_type,
            limit_price_e9=limit_price_e9,
        ),
        cumulative_quantity=order.cumulative_quantity,
        replaced_ns=at_ns,
        command_digest=request.digest,
    )
    if quantity == order.cumulative_quantity:
        return (replaced, closed(order, OrderStatus.FILLED, Cause.CLIENT, quantity))
    return (replaced,)


def order_named(state: IntakeState, message: CancelOrder | ReplaceOrder) -> Order | None:
    """Return the order that the message names, of its tenant; None when there is none."""
    key = command_key(
        message.instrument_id,
        message.source,
        message.original_client_order_id,
        message.trade_date,
    )
    for answer in state.answers.get(key, ()):
        if answer.is_accepted and answer.command is not CommandKind.CANCEL:
            order = state.orders[answer.order_id]
            return order if order.terms.tenant == message.tenant else None
    return None


def _check_order(order: Order | None, message: CancelOrder | ReplaceOrder) -> Refusal | None:
    original = message.original_client_order_id
    name = "original_client_order_id"
    if order is None:
        bound = f"orders of source {message.source} on {message.trade_date}"
        return refuse(RejectReason.UNKNOWN_ORDER, name, original, bound)
    if not order.is_open:
        return refuse(RejectReason.TOO_LATE, name, original, f"it is {order.status}")
    if order.pending is not None:
        return refuse(RejectReason.ALREADY_PENDING, name, original, order.pending.client_order_id)
    return None


def _check_change(order: Order, message: ReplaceOrder) -> Refusal | None:
    if message.quantity < order.cumulative_quantity:
        bound = f"at least {order.cumulative_quantity}"
        return refuse(RejectReason.QUANTITY_BELOW_FILLED, "quantity", message.quantity, bound)
    if (message.quantity, message.limit_price_e9) == (order.quantity, order.limit_price_e9):
        bound = f"limit_price_e9 {order.limit_price_e9} is the same too"
        return refuse(RejectReason.NOTHING_CHANGED, "quantity", message.quantity, bound)
    return None


def _refused(
    command: SubmitCancel | SubmitReplace, order: Order | None, refusal: Refusal
) -> OrderCancelRejected:
    message = command.message
    is_cancel = isinstance(message, CancelOrder)
    return OrderCancelRejected(
        tenant=message.tenant,
        source=message.source,
        client_order_id=message.client_order_id,
        original_client_order_id=message.original_client_order_id,
        order_id=order.terms.order_id if order is not None else "",
        instrument_id=message.instrument_id,
        trade_date=message.trade_date,
        response_to=CommandKind.CANCEL if is_cancel else CommandKind.REPLACE,
        reason=refusal.reason,
        field=refusal.field,
        value=refusal.value,
        bound=refusal.bound,
        text=refusal.text,
        command_digest=command.digest,
        received_ns=command.at_ns,
        limit_id=refusal.limit_id,
        limits_version=0 if isinstance(command, SubmitCancel) else command.limits_version,
    )
