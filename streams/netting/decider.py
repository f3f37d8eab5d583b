"""Netting as a decider: windows, crosses, parents, epochs."""

from collections.abc import Callable, Sequence
from typing import Any, assert_never

from schemas.messages.allocation import AllocationRestated, FillAllocated
from schemas.messages.core import Cause, OrderStatus, Urgency
from schemas.messages.intake import (
    OrderAccepted,
    OrderCanceled,
    OrderClosed,
    OrderDoneForDay,
    OrderReplaced,
    OrderResumed,
)
from schemas.messages.netting import (
    CrossExecuted,
    EpochClosed,
    EpochOpened,
    MemberLeft,
    ParentClosed,
    ParentHeld,
    ParentOpened,
    TailResolved,
    WindowClosed,
    WindowOpened,
)
from schemas.messages.strategy import ParentEnded
from streams.core.decider import Decider
from streams.core.errors import CorruptHistoryError
from streams.netting.closing import ParentEvent, leave_parent, rebase, settle_parent
from streams.netting.commands import (
    CloseWindow,
    LeaveParent,
    NettingCommand,
    OpenWindow,
    Rebase,
    SettleParent,
)
from streams.netting.crossing import shares_of
from streams.netting.state import (
    MULTI_DAY,
    TIMER,
    NettingState,
    Order,
    Parent,
    Tail,
    Window,
    window_key,
)
from streams.netting.windows import WindowEvent, close_window, open_window

__all__ = ["NETTING", "NettingEvent", "decide", "evolve", "timers_of"]

NettingEvent = WindowEvent | ParentEvent


def decide(state: NettingState, command: NettingCommand) -> tuple[NettingEvent, ...]:
    """Return what follows from `command`; () if it is already in effect."""
    match command:
        case CloseWindow():
            return close_window(state, command)
        case OpenWindow():
            return open_window(state, command)
        case LeaveParent():
            return leave_parent(state, command)
        case SettleParent():
            return settle_parent(state, command)
        case Rebase():
            return rebase(state, command)
        case _:
            assert_never(command)


def timers_of(event: Any, state: NettingState) -> tuple[tuple[str, int | None], ...]:
    """Return the timers that `event` sets or cancels; `state` is the one after it."""
    match event:
        case OrderAccepted() | OrderReplaced() | OrderResumed():
            order = state.orders[event.order_id]
            window = state.windows[window_key(order.tenant, order.instrument_id)]
            if event.order_id not in window.waiting[-1:] or window.due_ns is None:
                return ()
            return ((_timer_id(window), window.due_ns),)
        case WindowOpened() | WindowClosed():
            window = state.windows[window_key(event.tenant, event.instrument_id)]
            return ((_timer_id(window), window.due_ns),)
        case _:
            return ()


def _timer_id(window: Window) -> str:
    return TIMER + window_key(window.tenant, window.instrument_id)


def evolve(state: NettingState, event: Any) -> None:
    """Apply a recorded event of any context; those that netting does not use change nothing."""
    fold = _FOLDS.get(type(event))
    if fold is not None:
        fold(state, event)


def _accepted(state: NettingState, event: OrderAccepted) -> None:
    order = Order(
        order_id=event.order_id,
        tenant=event.tenant,
        instrument_id=event.instrument_id,
        account_id=event.account_id,
        side=event.side,
        quantity=event.quantity,
        limit_price_e9=event.limit_price_e9,
        time_in_force=event.time_in_force,
        strategy=event.strategy,
        urgency=event.urgency,
        start_ns=event.start_ns,
        end_ns=event.end_ns,
        participation_cap_bps=event.participation_cap_bps,
        is_cross_allowed=event.is_cross_allowed,
        is_dark_allowed=event.is_dark_allowed,
        group_id=event.group_id,
        is_short_sale=event.is_short_sale,
        constraints=event.constraints,
        client_id=event.client_id,
        owner_id=event.owner_id,
        is_house=event.is_house,
        arrival_price_e9=event.arrival_price_e9,
        parameters=event.parameters,
    )
    if event.order_id in state.orders:
        raise CorruptHistoryError(f"order {event.order_id} accepted twice")
    state.orders[event.order_id] = order
    _wait(state, order, event.accepted_ns)


def _wait(state: NettingState, order: Order, at_ns: int) -> None:
    key = window_key(order.tenant, order.instrument_id)
    window = state.windows.get(key)
    if window is None:
        window = Window(tenant=order.tenant, instrument_id=order.instrument_id)
        state.windows[key] = window
    if not window.waiting:
        window.due_ns, window.is_drawn = None, False
    # Urgent orders leave at once and start no clock for those who come later.
    if window.due_ns is None and order.urgency is not Urgency.URGENT:
        window.due_ns = at_ns + state.window_ns
    if order.joined_ns:
        order.arrival_price_e9 = None  # it was worked since: that price is not of this wait
    order.joined_ns = at_ns
    window.waiting.append(order.order_id)


def _replaced(state: NettingState, event: OrderReplaced) -> None:
    order = _order(state, event.order_id)
    order.quantity = event.quantity
    order.limit_price_e9 = event.limit_price_e9
    order.group_id = event.group_id
    order.constraints = event.constraints
    order.parameters = event.parameters
    order.end_ns = event.end_ns or order.end_ns
    if order.parent_id:
        parent = _parent(state, order.parent_id)
        _forget_full(state, parent, parent.order_ids)
    window = state.windows[window_key(order.tenant, order.instrument_id)]
    if not (order.parent_id or order.is_dormant or event.order_id in window.waiting):
        _wait(state, order, event.replaced_ns)


def _done_for_day(state: NettingState, event: OrderDoneForDay) -> None:
    _order(state, event.order_id).is_dormant = True


def _resumed(state: NettingState, event: OrderResumed) -> None:
    order = _order(state, event.order_id)
    order.is_dormant = False
    order.start_ns, order.end_ns = event.start_ns, event.end_ns
    order.group_id = event.group_id
    _wait(state, order, event.resumed_ns)


def _canceled(state: NettingState, event: OrderCanceled) -> None:
    order = state.orders.get(event.order_id)
    if order is None:
        return  # its parent closed before it and took it along
    if order.parent_id:
        raise CorruptHistoryError(f"order {event.order_id} canceled inside {order.parent_id}")
    _forget(state, order)


def _closed_order(state: NettingState, event: OrderClosed) -> None:
    order = state.orders.get(event.order_id)
    if order is None:
        return  # its parent closed before it and took it along
    if not order.parent_id:
        _forget(state, order)
    elif event.status is not OrderStatus.FILLED:
        order.is_working = False  # a full one works again if a bust takes something back


def _forget(state: NettingState, order: Order) -> None:
    window = state.windows[window_key(order.tenant, order.instrument_id)]
    if order.order_id in window.waiting:
        window.waiting.remove(order.order_id)
    del state.orders[order.order_id]


def _closed_window(state: NettingState, event: WindowClosed) -> None:
    window = state.windows[window_key(event.tenant, event.instrument_id)]
    left = frozenset(event.order_ids)
    window.ordinal = event.window
    window.waiting = [order_id for order_id in window.waiting if order_id not in left]
    # Whoever is left after its time was stopped: the clock starts with the next who joins.
    if not window.waiting or event.cause is not Cause.WINDOW_ZERO:
        window.due_ns, window.is_drawn = None, False


def _opened_window(state: NettingState, event: WindowOpened) -> None:
    window = state.windows[window_key(event.tenant, event.instrument_id)]
    window.due_ns, window.is_drawn = event.due_ns, True


def _crossed(state: NettingState, event: CrossExecuted) -> None:
    # Not from CrossAllocated, which comes later: the epochs of this decision count it already.
    state.crosses_executed += 1
    for order_id, share in shares_of(event).items():
        _order(state, order_id).allocated += share


def _opened_parent(state: NettingState, event: ParentOpened) -> None:
    state.parents_opened += 1
    state.parents[event.parent_id] = Parent(
        parent_id=event.parent_id,
        group_id=event.group_id,
        tenant=event.tenant,
        instrument_id=event.instrument_id,
        side=event.side,
        time_in_force=event.time_in_force,
        end_ns=event.end_ns,
        quantity=event.quantity,
    )
    window = state.windows[window_key(event.tenant, event.instrument_id)]
    window.parent_ids.append(event.parent_id)


def _opened_epoch(state: NettingState, event: EpochOpened) -> None:
    parent = _parent(state, event.parent_id)
    if event.epoch != parent.epoch + 1:
        raise CorruptHistoryError(
            f"epoch {event.epoch} of {parent.parent_id} follows {parent.epoch}"
        )
    parent.epoch = event.epoch
    parent.quantity = event.parent_quantity
    parent.lot, parent.is_per_fill = event.lot, event.is_per_fill
    parent.weights = {member.order_id: member.quantity for member in event.members}
    parent.tiers = {m.order_id: m.tier for m in event.members if m.tier}
    parent.begun = {m.order_id: m.begun_quantity for m in event.members if m.begun_quantity}
    parent.allocated, parent.fills = {}, 0
    for member in event.members:
        order = _order(state, member.order_id)
        if not order.parent_id:
            order.parent_id = parent.parent_id
            parent.order_ids.append(member.order_id)
            parent.wanting.append(member.order_id)
    _forget_full(state, parent, parent.wanting)


def _forget_full(state: NettingState, parent: Parent, among: Sequence[str]) -> None:
    parent.wanting = [order_id for order_id in among if state.orders[order_id].leaves]


def _want_again(state: NettingState, event: AllocationRestated) -> None:
    """What was taken back is wanted again, by the parent that the order works in now."""
    orders = (state.orders.get(entry.order_id) for entry in event.entries)
    for parent_id in dict.fromkeys(o.parent_id for o in orders if o is not None and o.parent_id):
        parent = _parent(state, parent_id)
        _forget_full(state, parent, parent.order_ids)


def _closed_epoch(state: NettingState, event: EpochClosed) -> None:
    parent = _parent(state, event.parent_id)
    if event.tail:
        reserved = {member.order_id: member.quantity for member in event.tail}
        parent.tails.append(Tail(epoch=event.epoch, reserved=reserved))


def _resolved_tail(state: NettingState, event: TailResolved) -> None:
    parent = _parent(state, event.parent_id)
    parent.tails = [tail for tail in parent.tails if tail.epoch != event.epoch]


def _held(state: NettingState, event: ParentHeld) -> None:
    _parent(state, event.parent_id).leaving.extend(event.order_ids)


def _left(state: NettingState, event: MemberLeft) -> None:
    parent = _parent(state, event.parent_id)
    parent.leaving.remove(event.order_id)
    parent.order_ids.remove(event.order_id)
    if event.order_id in parent.wanting:
        parent.wanting.remove(event.order_id)
    order = _order(state, event.order_id)
    order.parent_id = ""
    if not order.leaves:
        del state.orders[event.order_id]  # closed while it waited to leave: nobody asks for it


def _closed_parent(state: NettingState, event: ParentClosed) -> None:
    parent = _parent(state, event.parent_id)
    parent.is_closed = True
    parent.weights, parent.allocated, parent.tiers, parent.begun = {}, {}, {}, {}
    for order_id in parent.order_ids:
        order = state.orders[order_id]
        if order.time_in_force in MULTI_DAY and order.leaves:
            order.parent_id = ""  # intake says next whether it has ended or sleeps
        else:
            del state.orders[order_id]
    window = state.windows[window_key(parent.tenant, parent.instrument_id)]
    window.parent_ids.remove(event.parent_id)


def _ended(state: NettingState, event: ParentEnded) -> None:
    _parent(state, event.parent_id).end_cause = event.cause


def _allocated(state: NettingState, event: FillAllocated | AllocationRestated) -> None:
    parent = _parent(state, event.parent_id)
    parent.filled += sum(entry.quantity for entry in event.entries)
    tail = parent.tail(event.epoch) if event.is_tail else None
    is_current = event.epoch == parent.epoch and not (event.is_tail or parent.is_closed)
    parent.fills += is_current and isinstance(event, FillAllocated)
    for entry in event.entries:
        order = state.orders.get(entry.order_id)
        if order is not None:  # None: it was over before this bust
            order.allocated += entry.quantity
        if is_current:
            before = parent.allocated.get(entry.order_id, 0)
            parent.allocated[entry.order_id] = before + entry.quantity
        if tail is not None:
            tail.reserved[entry.order_id] = tail.reserved.get(entry.order_id, 0) - entry.quantity
            if not tail.reserved[entry.order_id]:
                del tail.reserved[entry.order_id]
    if isinstance(event, AllocationRestated):
        _want_again(state, event)
    if tail is not None and not tail.reserved:
        parent.tails.remove(tail)


def _order(state: NettingState, order_id: str) -> Order:
    order = state.orders.get(order_id)
    if order is None:
        raise CorruptHistoryError(f"order {order_id} is not known")
    return order


def _parent(state: NettingState, parent_id: str) -> Parent:
    parent = state.parents.get(parent_id)
    if parent is None:
        raise CorruptHistoryError(f"parent {parent_id} is not known")
    return parent


_FOLDS: dict[type, Callable[[NettingState, Any], None]] = {
    OrderAccepted: _accepted,
    OrderReplaced: _replaced,
    OrderCanceled: _canceled,
    OrderClosed: _closed_order,
    OrderDoneForDay: _done_for_day,
    OrderResumed: _resumed,
    WindowOpened: _opened_window,
    WindowClosed: _closed_window,
    CrossExecuted: _crossed,
    ParentOpened: _opened_parent,
    EpochOpened: _opened_epoch,
    EpochClosed: _closed_epoch,
    TailResolved: _resolved_tail,
    ParentHeld: _held,
    MemberLeft: _left,
    ParentClosed: _closed_parent,
    ParentEnded: _ended,
    FillAllocated: _allocated,
    AllocationRestated: _allocated,
}

NETTING: Decider[NettingState, NettingCommand, Any] = Decider(NettingState, decide, evolve)
