"""Dispatch, answer repeats, close and restate orders."""

from typing import assert_never

from schemas.messages.core import Cause, CommandKind, OrderStatus
from schemas.messages.intake import (
    CancelOrder,
    CommandRepeated,
    NewOrder,
    OrderRestated,
    ReplaceOrder,
)
from streams.intake.change import (
    IntakeEvent,
    cancel,
    canceled,
    closed,
    finish_cancel,
    finish_replace,
    replace,
    too_late,
)
from streams.intake.commands import (
    CloseOrder,
    FinishCancel,
    FinishReplace,
    IntakeCommand,
    RestateOrder,
    SubmitCancel,
    SubmitOrder,
    SubmitReplace,
)
from streams.intake.state import Answer, IntakeState, Order, key_of
from streams.intake.submit import accept

__all__ = ["decide"]

_KINDS = {
    NewOrder: CommandKind.NEW,
    CancelOrder: CommandKind.CANCEL,
    ReplaceOrder: CommandKind.REPLACE,
}


def decide(state: IntakeState, command: IntakeCommand) -> tuple[IntakeEvent, ...]:
    """Return what follows from `command`; `()` if it is already in effect (a redelivery)."""
    match command:
        case SubmitOrder() | SubmitCancel() | SubmitReplace():
            return _submit(state, command)
        case FinishCancel():
            return finish_cancel(state.orders[command.order_id])
        case FinishReplace():
            return finish_replace(state.orders[command.order_id], command.at_ns)
        case CloseOrder():
            return _close(state.orders[command.order_id], command.cause)
        case RestateOrder():
            return _restate(state.orders[command.order_id], command.cause)
        case _:
            assert_never(command)


def _submit(
    state: IntakeState, command: SubmitOrder | SubmitCancel | SubmitReplace
) -> tuple[IntakeEvent, ...]:
    answers = state.answers.get(key_of(command.message), ())
    for answer in answers:
        if answer.digest == command.digest:
            return (_repeat(command.message, answer, command.at_ns),)
    match command:
        case SubmitOrder():
            return (accept(state, command, is_duplicate=bool(answers)),)
        case SubmitCancel():
            return cancel(state, command, is_duplicate=bool(answers))
        case _:
            return replace(state, command, is_duplicate=bool(answers))


def _repeat(
    message: NewOrder | CancelOrder | ReplaceOrder, answer: Answer, at_ns: int
) -> CommandRepeated:
    return CommandRepeated(
        tenant=message.tenant,
        source=message.source,
        client_order_id=message.client_order_id,
        instrument_id=message.instrument_id,
        trade_date=message.trade_date,
        command=_KINDS[type(message)],
        order_id=answer.order_id,
        is_accepted=answer.is_accepted,
        reason=answer.reason,
        received_ns=at_ns,
    )


def _close(order: Order, cause: Cause) -> tuple[IntakeEvent, ...]:
    if not order.is_open:
        return ()
    if order.is_full:
        status = OrderStatus.FILLED
    elif cause is Cause.END_OF_WINDOW:
        status = OrderStatus.EXPIRED
    elif cause is Cause.COMPLETED:
        status = OrderStatus.CANCELED
    else:
        return ()
    if order.pending is not None:
        if status is not OrderStatus.FILLED and order.pending.command is CommandKind.CANCEL:
            return (canceled(order, order.pending),)  # the client asked before the window ended
        return (too_late(order, order.pending), closed(order, status, cause))
    return (closed(order, status, cause),)


def _restate(order: Order, cause: Cause) -> tuple[IntakeEvent, ...]:
    if order.is_open or order.cumulative_quantity == order.reported_quantity:
        return ()
    if order.is_full:
        status = OrderStatus.FILLED
    elif order.status is not OrderStatus.FILLED:
        status = order.status
    elif not order.parent_id:
        status = OrderStatus.CANCELED  # FIX 4.4 appendix D: busted after the end, not worked again
    else:
        # Its parent is open and works what the bust freed: the order works again.
        is_partial = order.cumulative_quantity > 0
        status = OrderStatus.PARTIALLY_FILLED if is_partial else OrderStatus.NEW
    restated = OrderRestated(
        order_id=order.terms.order_id,
        status=status,
        cumulative_quantity=order.cumulative_quantity,
        previous_cumulative_quantity=order.reported_quantity,
        cause=cause,
    )
    return (restated,)
