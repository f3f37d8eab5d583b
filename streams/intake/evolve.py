"""Fold recorded events into intake's state; events of no use to it are passed over."""

from collections.abc import Callable
from typing import Any

from schemas.messages.allocation import AllocationRestated, CrossAllocated, FillAllocated
from schemas.messages.core import CommandKind, OrderStatus, RejectReason
from schemas.messages.intake import (
    BasketAnswered,
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
from schemas.messages.netting import EpochOpened, MemberLeft, ParentClosed
from streams.core.errors import CorruptHistoryError
from streams.intake.lifecycle import LIFECYCLE
from streams.intake.state import (
    NO_DIGEST,
    Answer,
    IntakeState,
    Order,
    Pending,
    basket_key,
    command_key,
    mass_key,
    standing_key,
)
from streams.intake.times import MULTI_DAY

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
    order = state.orders[event.order_id] = Order(
        terms=event,
        client_order_id=event.client_order_id,
        quantity=event.quantity,
        limit_price_e9=event.limit_price_e9,
        order_type=event.order_type,
        start_ns=0 if event.start_ns == event.accepted_ns else event.start_ns,
        end_ns=event.end_ns,
        trade_date=event.trade_date,
        constraints=event.constraints,
        parameters=event.parameters,
    )
    key = command_key(event.instrument_id, event.source, event.client_order_id, event.trade_date)
    answer = Answer(
        event.command_digest, CommandKind.NEW, event.order_id, True, RejectReason.UNKNOWN
    )
    state.answers.setdefault(key, []).append(answer)
    if event.time_in_force in MULTI_DAY:
        _stand(state, order)


def _rejected(state: IntakeState, event: OrderRejected) -> None:
    key = command_key(event.instrument_id, event.source, event.client_order_id, event.trade_date)
    answer = Answer(event.command_digest, CommandKind.NEW, "", False, event.reason)
    state.answers.setdefault(key, []).append(answer)


def _answered(state: IntakeState, event: MassCancelAnswered | BasketAnswered) -> None:
    if isinstance(event, BasketAnswered):
        kind = CommandKind.BASKET
        key = basket_key(event.source, event.basket_id, event.trade_date)
    else:
        kind = CommandKind.MASS_CANCEL
        key = mass_key(event.source, event.client_order_id, event.trade_date)
    answer = Answer(event.command_digest, kind, "", event.is_accepted, event.reason)
    state.answers.setdefault(key, []).append(answer)


def _cancel_rejected(state: IntakeState, event: OrderCancelRejected) -> None:
    order = state.orders.get(event.order_id)
    pending = None if order is None else order.pending
    key = command_key(event.instrument_id, event.source, event.client_order_id, event.trade_date)
    answer = Answer(event.command_digest, event.response_to, "", False, event.reason)
    answers = state.answers.setdefault(key, [])
    if order is None or pending is None or pending.digest != event.command_digest:
        answers.append(answer)
        return
    order.pending = None  # it was pending until now, and answered as such
    for index, earlier in enumerate(answers):
        if earlier.digest == event.command_digest:
            answers[index] = answer
            return
    answers.append(answer)


def _pending_cancel(state: IntakeState, event: OrderPendingCancel) -> None:
    order = _moved(state, event)
    order.pending = Pending(
        CommandKind.CANCEL,
        event.source,
        event.client_order_id,
        event.command_digest,
        event.cause,
        event.trade_date,
    )
    order.is_leaving = True
    _answer(state, order, event, CommandKind.CANCEL)


def _pending_replace(state: IntakeState, event: OrderPendingReplace) -> None:
    order = _moved(state, event)
    order.pending = Pending(
        CommandKind.REPLACE,
        event.source,
        event.client_order_id,
        event.command_digest,
        trade_date=event.trade_date,
        quantity=event.quantity,
        limit_price_e9=event.limit_price_e9,
        constraints=event.constraints,
        end_ns=event.end_ns,
        limits_version=event.limits_version,
        unit_value_e9=event.unit_value_e9,
        parameters=event.parameters,
    )
    order.is_leaving = True
    _answer(state, order, event, CommandKind.REPLACE)


def _canceled(state: IntakeState, event: OrderCanceled) -> None:
    order = _moved(state, event)
    _end(state, order, OrderStatus.CANCELED, event.cumulative_quantity)
    _answer(state, order, event, CommandKind.CANCEL)


def _replaced(state: IntakeState, event: OrderReplaced) -> None:
    order = _moved(state, event)
    if event.quantity < order.cumulative_quantity:
        raise CorruptHistoryError(f"order {event.order_id} can not be replaced")
    is_standing = _fall(state, order)
    order.pending = None
    order.client_order_id = event.client_order_id
    order.quantity = event.quantity
    order.limit_price_e9 = event.limit_price_e9
    order.order_type = event.order_type
    order.constraints = event.constraints
    order.parameters = event.parameters
    order.end_ns = event.end_ns or order.end_ns
    if is_standing:
        _stand(state, order)
    _answer(state, order, event, CommandKind.REPLACE)


def _closed(state: IntakeState, event: OrderClosed) -> None:
    _end(state, _moved(state, event), event.status, event.cumulative_quantity)


def _done_for_day(state: IntakeState, event: OrderDoneForDay) -> None:
    order = _moved(state, event)
    _check_stated(order, event.cumulative_quantity)
    order.status = OrderStatus.DONE_FOR_DAY
    order.reported_quantity = event.cumulative_quantity
    state.dormant[event.order_id] = event.resume_ns


def _resumed(state: IntakeState, event: OrderResumed) -> None:
    order = _moved(state, event)
    _check_stated(order, event.cumulative_quantity)
    order.status = OrderStatus.NEW
    order.trade_date = event.trade_date
    order.start_ns = 0 if event.start_ns == event.resumed_ns else event.start_ns
    order.end_ns = event.end_ns
    del state.dormant[event.order_id]


def _restated(state: IntakeState, event: OrderRestated) -> None:
    order = _moved(state, event)
    order.reported_quantity = event.cumulative_quantity
    works_again = event.status in (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)
    order.status = OrderStatus.NEW if works_again else event.status
    if works_again and order.terms.time_in_force in MULTI_DAY:
        _stand(state, order)


def _opened(state: IntakeState, event: EpochOpened) -> None:
    joined = state.parents.setdefault(event.parent_id, [])
    for member in event.members:
        order = _order(state, member.order_id)
        if order.parent_id != event.parent_id:
            order.parent_id = event.parent_id
            joined.append(member.order_id)


def _left(state: IntakeState, event: MemberLeft) -> None:
    order = _order(state, event.order_id)
    order.parent_id, order.is_leaving = "", False


def _parent_closed(state: IntakeState, event: ParentClosed) -> None:
    for order_id in state.parents.pop(event.parent_id, ()):
        order = _order(state, order_id)
        if order.parent_id == event.parent_id:
            order.parent_id, order.is_leaving = "", False


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


def _end(state: IntakeState, order: Order, status: OrderStatus, cumulative_quantity: int) -> None:
    _check_stated(order, cumulative_quantity)
    _fall(state, order)
    order.status = status
    order.reported_quantity = cumulative_quantity
    order.pending = None
    if state.dormant:
        state.dormant.pop(order.terms.order_id, None)


def _check_stated(order: Order, cumulative_quantity: int) -> None:
    if cumulative_quantity != order.cumulative_quantity:
        order_id, filled = order.terms.order_id, order.cumulative_quantity
        text = f"order {order_id} holds {filled}, the event says {cumulative_quantity}"
        raise CorruptHistoryError(text)


def _stand(state: IntakeState, order: Order) -> None:
    """Let the order be found under its newest id on every day."""
    terms = order.terms
    key = standing_key(terms.instrument_id, terms.source, order.client_order_id)
    state.standing[key] = terms.order_id


def _fall(state: IntakeState, order: Order) -> bool:
    """Forget the standing id; return whether there was one."""
    if not state.standing or order.terms.time_in_force not in MULTI_DAY:
        return False
    terms = order.terms
    key = standing_key(terms.instrument_id, terms.source, order.client_order_id)
    return state.standing.pop(key, None) is not None


def _answer(
    state: IntakeState,
    order: Order,
    event: OrderPendingCancel | OrderPendingReplace | OrderCanceled | OrderReplaced,
    kind: CommandKind,
) -> None:
    if event.command_digest == NO_DIGEST:
        return
    terms = order.terms
    trade_date = event.trade_date or order.trade_date
    key = command_key(terms.instrument_id, event.source, event.client_order_id, trade_date)
    answers = state.answers.setdefault(key, [])
    if all(earlier.digest != event.command_digest for earlier in answers):
        answers.append(
            Answer(event.command_digest, kind, event.order_id, True, RejectReason.UNKNOWN)
        )


def _moved(state: IntakeState, event: Any) -> Order:
    """Return the order of an event that the lifecycle admits in the order's state."""
    order = _order(state, event.order_id)
    if order.order_status not in LIFECYCLE[type(event)].sources:
        name = type(event).__name__
        raise CorruptHistoryError(f"{name} of order {event.order_id}, {order.order_status}")
    return order


def _order(state: IntakeState, order_id: str) -> Order:
    order = state.orders.get(order_id)
    if order is None:
        raise CorruptHistoryError(f"order {order_id} is unknown")
    return order


_RULES: dict[type, Callable[[IntakeState, Any], None]] = {
    OrderAccepted: _accepted,
    OrderRejected: _rejected,
    OrderCancelRejected: _cancel_rejected,
    OrderPendingCancel: _pending_cancel,
    OrderPendingReplace: _pending_replace,
    OrderCanceled: _canceled,
    OrderReplaced: _replaced,
    OrderClosed: _closed,
    OrderDoneForDay: _done_for_day,
    OrderResumed: _resumed,
    OrderRestated: _restated,
    MassCancelAnswered: _answered,
    BasketAnswered: _answered,
    EpochOpened: _opened,
    MemberLeft: _left,
    ParentClosed: _parent_closed,
    FillAllocated: _allocated,
    AllocationRestated: _allocated,
    CrossAllocated: _crossed,
}
