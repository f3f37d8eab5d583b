"""What the engine's events make of an order: the fold, asked by decisions on a copy first."""

from typing import Any

import msgspec

from schemas.messages.core import CommandKind, OrderStatus, RejectReason
from schemas.messages.intake import (
    OrderAccepted,
    OrderCanceled,
    OrderCancelRejected,
    OrderClosed,
    OrderDoneForDay,
    OrderPendingCancel,
    OrderPendingReplace,
    OrderReplaced,
    OrderRestated,
    OrderResumed,
)
from services.fix.clients.state import Order, Pending

__all__ = ["NO_DIGEST", "ORDER_EVENTS", "after", "fold_order", "opened"]

NO_DIGEST = bytes(16)  # of a request that no client's message made
ORDER_EVENTS = (
    OrderCancelRejected,
    OrderCanceled,
    OrderClosed,
    OrderDoneForDay,
    OrderPendingCancel,
    OrderPendingReplace,
    OrderReplaced,
    OrderRestated,
    OrderResumed,
)


def opened(event: OrderAccepted) -> Order:
    """Return an order as it begins."""
    return Order(
        order_id=event.order_id,
        source=event.source,
        client_order_id=event.client_order_id,
        account_id=event.account_id,
        instrument_id=event.instrument_id,
        trade_date=event.trade_date,
        side=event.side,
        is_short_sale=event.is_short_sale,
        order_type=event.order_type,
        time_in_force=event.time_in_force,
        quantity=event.quantity,
        limit_price_e9=event.limit_price_e9,
        list_id=event.basket_id,
        strategy=event.strategy,
        urgency=event.urgency,
        start_ns=event.start_ns,
        participation_cap_bps=event.participation_cap_bps,
        expire_ns=event.expire_ns,
        names=[event.client_order_id],
        is_cross_allowed=event.is_cross_allowed,
        locate_id=event.locate_id,
    )


def after(order: Order, event: Any) -> Order:
    """Return the order as it stands after the event; the order itself stays as it is."""
    copy = msgspec.structs.replace(order)
    fold_order(copy, event)
    return copy


def fold_order(order: Order, event: Any) -> None:
    """Change the order as the event says, as streams/intake/evolve does; its trades come apart.

    Only scalars are changed, so that a shallow copy can be folded to see what comes.
    """
    match event:
        case OrderPendingCancel():
            is_asked = event.command_digest != NO_DIGEST
            order.pending = Pending(CommandKind.CANCEL, event.client_order_id, is_asked)
        case OrderPendingReplace():
            order.pending = Pending(CommandKind.REPLACE, event.client_order_id, True)
        case OrderCancelRejected():
            pending = order.pending
            is_it = pending is not None and pending.client_order_id == event.client_order_id
            # A later request that is refused while one waits leaves that one waiting.
            if is_it and event.reason is RejectReason.TOO_LATE:
                order.pending = None
        case OrderCanceled():
            order.status, order.pending = OrderStatus.CANCELED, None
        case OrderClosed():
            order.status, order.pending = event.status, None
        case OrderReplaced():
            order.pending = None
            order.client_order_id = event.client_order_id
            order.quantity = event.quantity
            order.limit_price_e9 = event.limit_price_e9
            order.order_type = event.order_type
        case OrderDoneForDay():
            order.status = OrderStatus.DONE_FOR_DAY
        case OrderResumed():
            order.status = OrderStatus.NEW
            order.trade_date = event.trade_date
            order.start_ns = event.start_ns
        case OrderRestated():
            is_working = event.status in (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)
            order.status = OrderStatus.NEW if is_working else event.status
