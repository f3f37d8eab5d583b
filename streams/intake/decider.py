"""Dispatch, answer repeats, close and restate orders."""

from collections.abc import Sequence
from typing import Final, assert_never

from schemas.messages.core import Cause, CommandKind, OrderStatus
from schemas.messages.intake import (
    CancelOrder,
    CommandRepeated,
    MassCancelOrder,
    NewBasket,
    NewOrder,
    OrderRestated,
    ReplaceOrder,
)
from streams.intake.answers import IntakeEvent, closed, finished, too_late
from streams.intake.basket import answer_basket
from streams.intake.change import (
    cancel,
    cancel_unasked,
    finish_cancel,
    finish_replace,
    replace,
)
from streams.intake.commands import (
    CancelUnasked,
    CloseOrder,
    ExpireOrder,
    FinishCancel,
    FinishReplace,
    IntakeCommand,
    RestateOrder,
    ResumeOrder,
    SubmitBasket,
    SubmitCancel,
    SubmitMassCancel,
    SubmitOrder,
    SubmitReplace,
)
from streams.intake.mass import mass_cancel
from streams.intake.standing import done_for_day, expire, lives_on, resume
from streams.intake.state import Answer, IntakeState, Order, is_taken, key_of, many_key
from streams.intake.submit import submit

__all__ = ["decide"]

Consequence = CancelUnasked | ExpireOrder | FinishCancel | FinishReplace | CloseOrder | RestateOrder
ClientMessage = NewOrder | CancelOrder | ReplaceOrder | MassCancelOrder | NewBasket
_KINDS: Final[dict[type, CommandKind]] = {
    NewOrder: CommandKind.NEW,
    CancelOrder: CommandKind.CANCEL,
    ReplaceOrder: CommandKind.REPLACE,
    MassCancelOrder: CommandKind.MASS_CANCEL,
    NewBasket: CommandKind.BASKET,
}

_ENDS: Final = {
    Cause.END_OF_WINDOW: OrderStatus.EXPIRED,
    Cause.COMPLETED: OrderStatus.CANCELED,
}


def decide(state: IntakeState, command: IntakeCommand) -> tuple[IntakeEvent, ...]:
    """Return what follows from `command`; `()` if it is already in effect (a redelivery)."""
    match command:
        case SubmitOrder() | SubmitCancel() | SubmitReplace():
            return _submit(state, command)
        case SubmitMassCancel() | SubmitBasket():
            return _submit_many(state, command)
        case ResumeOrder():
            return resume(state, command)
        case _:
            return _follow(state.orders[command.order_id], command)


def _follow(order: Order, command: Consequence) -> tuple[IntakeEvent, ...]:
    match command:
        case CancelUnasked():
            return cancel_unasked(order, command.cause, command.at_ns)
        case ExpireOrder():
            return expire(order, command)
        case FinishCancel():
            return finish_cancel(order, command.at_ns)
        case FinishReplace():
            return finish_replace(order, command.at_ns)
        case CloseOrder():
            return _close(order, command)
        case RestateOrder():
            return _restate(order, command.cause)
        case _:
            assert_never(command)


def _submit(
    state: IntakeState, command: SubmitOrder | SubmitCancel | SubmitReplace
) -> tuple[IntakeEvent, ...]:
    answers = state.answers.get(key_of(command.message), ())
    for answer in answers:
        if answer.digest == command.digest:
            return (_repeat(command.message, answer, command.at_ns),)
    is_duplicate = bool(answers) or (bool(state.standing) and is_taken(state, command.message))
    match command:
        case SubmitOrder():
            return (submit(state, command, is_duplicate=is_duplicate),)
        case SubmitCancel():
            return cancel(state, command, is_duplicate=is_duplicate)
        case _:
            return replace(state, command, is_duplicate=is_duplicate)


def _submit_many(
    state: IntakeState, command: SubmitMassCancel | SubmitBasket
) -> tuple[IntakeEvent, ...]:
    answers: Sequence[Answer] = state.answers.get(many_key(command.message), ())
    for answer in answers:
        if answer.digest == command.digest:
            return (_repeat(command.message, answer, command.at_ns),)
    if isinstance(command, SubmitBasket):
        return answer_basket(state, command, is_duplicate=bool(answers))
    return mass_cancel(state, command, is_duplicate=bool(answers))


def _repeat(message: ClientMessage, answer: Answer, at_ns: int) -> CommandRepeated:
    return CommandRepeated(
        tenant=message.tenant,
        source=message.source,
        client_order_id=(
            message.basket_id if isinstance(message, NewBasket) else message.client_order_id
        ),
        instrument_id=getattr(message, "instrument_id", ""),
        trade_date=message.trade_date,
        command=_KINDS[type(message)],
        order_id=answer.order_id,
        is_accepted=answer.is_accepted,
        reason=answer.reason,
        received_ns=at_ns,
    )


def _close(order: Order, command: CloseOrder) -> tuple[IntakeEvent, ...]:
    cause, at_ns, pending = command.cause, command.at_ns, order.pending
    status = _end_status(order, cause)
    if status is None:
        return ()
    if status is not OrderStatus.FILLED:
        if pending is not None and pending.command is CommandKind.CANCEL:
            return (finished(order, pending, at_ns),)  # asked for before the window ended
        if status is OrderStatus.EXPIRED and lives_on(order, at_ns):
            return done_for_day(order, command.instrument, at_ns)
    refused = () if pending is None else too_late(order, pending, at_ns)
    return (*refused, closed(order, status, cause))


def _end_status(order: Order, cause: Cause) -> OrderStatus | None:
    """Return how an open order ends by `cause`; None when it does not."""
    if not order.is_open:
        return None
    if order.is_full:
        return OrderStatus.FILLED
    if order.status is OrderStatus.DONE_FOR_DAY:
        return None
    return _ENDS.get(cause)


def _restate(order: Order, cause: Cause) -> tuple[IntakeEvent, ...]:
    if order.status is OrderStatus.NEW or order.cumulative_quantity == order.reported_quantity:
        return ()
    if order.is_full:
        status = OrderStatus.FILLED
    elif order.status is not OrderStatus.FILLED:
        status = order.status
    elif not order.parent_id or order.is_leaving:
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
