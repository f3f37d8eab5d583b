"""Fold recorded events into intake's state; events of no use to it are passed over."""

from collections.abc import Callable
from typing import Any

from schemas.messages.allocation import AllocationRestated, CrossAllocated, FillAllocated
from schemas.messages.core import CommandKind, OrderStatus, RejectReason
from schemas.messages.intake import (
    OrderAccepted,
    OrderCanceled,
    OrderCancelRejected,
    OrderClosed,
    OrderPendingCancel,
    OrderPendingReplace,
    OrderRejected,
    OrderReplaced,
    OrderRestated,
)
from schemas.messages.netting import EpochOpened, MemberLeft, ParentClosed
from streams.core.errors import CorruptHistoryError
from streams.intake.state import Answer, IntakeState, Order, Pending, command_key

__all__ = ["evolve"]


def evolve(state: IntakeState, event: Any) -> None:
    """Apply a fact. Raises CorruptHistoryError when it cannot follow the ones before."""
    apply = _RULES.get(type(event))
    if apply is not None:
        apply(state, event)


def _accepted(state: IntakeState, event: OrderAccepted) -> None:
    if event.order_id in state.orders:
        raise CorruptHistoryError(f"order {event.order_id} accepted twice")
    state.orders_count += 1
    state.orders[event.order_id] = Order(
        terms=event,
        client_order_id=event.client_order_id,
        quantity=event.quantity,
        limit_price_e9=event.limit_price_e9,
        order_type=event.order_type,
    )
    key = command_key(event.instrument_id, event.source, event.client_order_id, event.trade_date)
    answer = Answer(
        event.command_digest, CommandKind.NEW, event.order_id, True, RejectReason.UNKNOWN
    )
    state.answers.setdefault(key, []).append(answer)


def _rejected(state: IntakeState, event: OrderRejected) -> None:
    key = command_key(event.instrument_id, event.source, event.client_order_id, event.trade_date)
    answer = Answer(event.command_digest, CommandKind.NEW, "", False, event.reason)
    state.answers.setdefault(key, []).append(answer)


def _cancel_rejected(state: IntakeState, event: OrderCancelRejected) -> None:
    key = command_key(event.instrument_id, event.source, event.client_order_id, event.trade_date)
    answer = Answer(event.command_digest, event.response_to, "", False, event.reason)
    answers = state.answers.setdefault(key, [])
    for index, earlier in enumerate(answers):
        if earlier.digest == event.command_digest:  # it was pending until now
            answers[index] = answer
            _order(state, event.order_id).pending = None
            return
    answers.append(answer)


def _pending(state: IntakeState, event: OrderPendingCancel | OrderPendingReplace) -> None:
    order = _order(state, event.order_id)
    if not order.is_open or order.pending is not None:
        raise CorruptHistoryError(f"order {event.order_id} can not become pending")
    if isinstance(event, OrderPendingCancel):
        kind, quantity, limit_price_e9 = CommandKind.CANCEL, 0, None
    else:
        kind, quantity = CommandKind.REPLACE, event.quantity
        limit_price_e9 = event.limit_price_e9
    order.pending = Pending(
        kind, event.source, event.client_order_id, quantity, limit_price_e9, event.command_digest
    )
    _answer(state, order, event, kind)


def _canceled(state: IntakeState, event: OrderCanceled) -> None:
    order = _order(state, event.order_id)
    _end(order, OrderStatus.CANCELED, event.cumulative_quantity)
    _answer(state, order, event, CommandKind.CANCEL)


def _replaced(state: IntakeState, event: OrderReplaced) -> None:
    order = _order(state, event.order_id)
    if not order.is_open or event.quantity < order.cumulative_quantity:
        raise CorruptHistoryError(f"order {event.order_id} can not be replaced")
    order.pending = None
    order.client_order_id = event.client_order_id
    order.quantity = event.quantity
    order.limit_price_e9 = event.limit_price_e9
    order.order_type = event.order_type
    _answer(state, order, event, CommandKind.REPLACE)


def _closed(state: IntakeState, event: OrderClosed) -> None:
    _end(_order(state, event.order_id), event.status, event.cumulative_quantity)


def _restated(state: IntakeState, event: OrderRestated) -> None:
    order = _order(state, event.order_id)
    order.reported_quantity = event.cumulative_quantity
    works_again = event.status in (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)
    order.status = OrderStatus.NEW if works_again else event.status


def _opened(state: IntakeState, event: EpochOpened) -> None:
    joined = state.parents.setdefault(event.parent_id, [])
    for member in event.members:
        order = _order(state, member.order_id)
        if order.parent_id != event.parent_id:
            order.parent_id = event.parent_id
            joined.append(member.order_id)


def _left(state: IntakeState, event: MemberLeft) -> None:
    _order(state, event.order_id).parent_id = ""


def _parent_closed(state: IntakeState, event: ParentClosed) -> None:
    for order_id in state.parents.pop(event.parent_id, ()):
        order = _order(state, order_id)
        if order.parent_id == event.parent_id:
            order.parent_id = ""


def _allocated(state: IntakeState, event: FillAllocated | AllocationRestated) -> None:
    for entry in event.entries:
        _count(state, entry.order_id, entry.quantity)


def _crossed(state: IntakeState, event: CrossAllocated) -> None:
    for entry in (*event.buys, *event.sells):
        _count(state, entry.order_id, entry.quantity)


def _count(state: IntakeState, order_id: str, quantity: int) -> None:
    order = _order(state, order_id)
    order.cumulative_quantity += quantity
    if not 0 <= order.cumulative_quantity <= order.quantity:
        raise CorruptHistoryError(
            f"order {order_id} has {order.cumulative_quantity} of {order.quantity}"
        )


def _end(order: Order, status: OrderStatus, cumulative_quantity: int) -> None:
    if not order.is_open or cumulative_quantity != order.cumulative_quantity:
        raise CorruptHistoryError(f"order {order.terms.order_id} can not end as {status}")
    order.status = status
    order.reported_quantity = cumulative_quantity
    order.pending = None


def _answer(
    state: IntakeState,
    order: Order,
    event: OrderPendingCancel | OrderPendingReplace | OrderCanceled | OrderReplaced,
    kind: CommandKind,
) -> None:
    terms = order.terms
    key = command_key(terms.instrument_id, event.source, event.client_order_id, terms.trade_date)
    answers = state.answers.setdefault(key, [])
    if all(earlier.digest != event.command_digest for earlier in answers):
        answers.append(
            Answer(event.command_digest, kind, event.order_id, True, RejectReason.UNKNOWN)
        )


def _order(state: IntakeState, order_id: str) -> Order:
    order = state.orders.get(order_id)
    if order is None:
        raise CorruptHistoryError(f"order {order_id} is unknown")
    return order


_RULES: dict[type, Callable[[IntakeState, Any], None]] = {
    OrderAccepted: _accepted,
    OrderRejected: _rejected,
    OrderCancelRejected: _cancel_rejected,
    OrderPendingCancel: _pending,
    OrderPendingReplace: _pending,
    OrderCanceled: _canceled,
    OrderReplaced: _replaced,
    OrderClosed: _closed,
    OrderRestated: _restated,
    EpochOpened: _opened,
    MemberLeft: _left,
    ParentClosed: _parent_closed,
    FillAllocated: _allocated,
    AllocationRestated: _allocated,
    CrossAllocated: _crossed,
}
