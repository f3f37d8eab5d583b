"""The order state machine: which event may come in which state, and where it leads.

States are FIX 39 (OrderStatus), as `Order.order_status` says them; an order that is full and not
closed yet is FILLED. `evolve` holds every event of intake against this table; the model check in
tests/property/test_order_lifecycle.py walks every interleaving of up to eight messages through it.
"""

from typing import Final, NamedTuple

from schemas.messages.allocation import AllocationRestated, CrossAllocated, FillAllocated
from schemas.messages.core import ExecType, OrderStatus
from schemas.messages.intake import (
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

__all__ = ["ANY", "ENDED", "LIFECYCLE", "WORKING", "Move"]

_S = OrderStatus
WORKING: Final = (_S.NEW, _S.PARTIALLY_FILLED, _S.FILLED)
PENDING: Final = (_S.PENDING_CANCEL, _S.PENDING_REPLACE)
ENDED: Final = (_S.FILLED, _S.CANCELED, _S.EXPIRED)
ANY: Final = (
    _S.NEW,
    _S.PARTIALLY_FILLED,
    _S.FILLED,
    _S.PENDING_CANCEL,
    _S.PENDING_REPLACE,
    _S.DONE_FOR_DAY,
    _S.CANCELED,
    _S.EXPIRED,
)


class Move(NamedTuple):
    """One row: FIX 150, the states in which the event may come, and those it may lead to."""

    exec_type: ExecType
    sources: tuple[OrderStatus, ...]
    targets: tuple[OrderStatus, ...]


# OrderAccepted makes an order in NEW (150=0), OrderRejected makes none (39=8, 150=8).
LIFECYCLE: Final[dict[type, Move]] = {
    # Trades, busts and corrections are facts of venues: no state of ours can refuse them.
    FillAllocated: Move(ExecType.TRADE, ANY, ANY),
    CrossAllocated: Move(ExecType.TRADE, ANY, ANY),
    AllocationRestated: Move(ExecType.TRADE_CANCEL, ANY, ANY),  # or TRADE_CORRECT
    OrderPendingCancel: Move(ExecType.PENDING_CANCEL, WORKING, (_S.PENDING_CANCEL,)),
    OrderPendingReplace: Move(ExecType.PENDING_REPLACE, WORKING, (_S.PENDING_REPLACE,)),
    # Of a request that was pending: back to the state before. Of any other: no change.
    OrderCancelRejected: Move(ExecType.UNKNOWN, ANY, ANY),  # FIX message 9, not 8
    OrderReplaced: Move(
        ExecType.REPLACED,
        (*WORKING, _S.PENDING_REPLACE, _S.DONE_FOR_DAY),
        (*WORKING, _S.DONE_FOR_DAY),
    ),
    OrderCanceled: Move(
        ExecType.CANCELED, (*WORKING, _S.PENDING_CANCEL, _S.DONE_FOR_DAY), (_S.CANCELED,)
    ),
    # 150 by its status: EXPIRED or CANCELED; FILLED has none, for the last trade told it.
    OrderClosed: Move(ExecType.EXPIRED, (*WORKING, *PENDING, _S.DONE_FOR_DAY), ENDED),
    # Before the OrderReplaced of a replace that was pending; again when the next session changes.
    OrderDoneForDay: Move(
        ExecType.DONE_FOR_DAY,
        (*WORKING, _S.PENDING_REPLACE, _S.DONE_FOR_DAY),
        (_S.DONE_FOR_DAY, _S.PENDING_REPLACE),
    ),
    OrderResumed: Move(ExecType.RESTATED, (_S.DONE_FOR_DAY,), WORKING),
    # What a late fill, bust or correction made of an order that had ended; it may work again.
    OrderRestated: Move(
        ExecType.RESTATED,
        (*ENDED, _S.DONE_FOR_DAY),
        (*WORKING, *ENDED, _S.DONE_FOR_DAY),
    ),
}
