"""What becomes of a parent when exposure or fills changed: released, rebased or closed."""

from collections.abc import Sequence

from schemas.messages.core import Cause, OrderStatus
from schemas.messages.netting import (
    EpochClosed,
    EpochOpened,
    MemberLeft,
    ParentClosed,
    ParentHeld,
    TailResolved,
)
from streams.netting import epochs
from streams.netting.commands import LeaveParent, ParentExposure, Rebase, SettleParent
from streams.netting.state import SWEPT_ONCE, NettingState, Parent

__all__ = ["ParentEvent", "close_parent", "leave_parent", "rebase", "settle_parent"]

ParentEvent = ParentHeld | MemberLeft | TailResolved | EpochClosed | EpochOpened | ParentClosed


def leave_parent(state: NettingState, command: LeaveParent) -> tuple[ParentEvent, ...]:
    """Hold the parent; with nothing exposed the members are free in the same decision."""
    parent = state.parents.get(command.parent.parent_id)
    if parent is None or parent.is_closed:
        return ()
    order_ids = tuple(
        order_id
        for order_id in (command.order_id, *command.with_ids)
        if (order := state.orders.get(order_id)) is not None
        and order.parent_id == parent.parent_id
        and order_id not in parent.leaving
    )
    if not order_ids:
        return ()
    held = ParentHeld(parent_id=parent.parent_id, order_ids=order_ids, cause=command.cause)
    if command.parent.total:
        return (held,)
    leaving = [*parent.leaving, *order_ids]
    return (held, *_release(state, parent, command.parent, leaving, parent.end_cause))


def settle_parent(state: NettingState, command: SettleParent) -> tuple[ParentEvent, ...]:
    """Return what is due now; () when nothing is."""
    parent = state.parents.get(command.parent.parent_id)
    if parent is None or parent.is_closed:
        return ()
    exposure = command.parent
    end_cause = parent.end_cause
    if command.is_ended and end_cause is Cause.UNKNOWN:
        end_cause = Cause.END_OF_WINDOW
    if not exposure.total and parent.leaving:
        return _release(state, parent, exposure, parent.leaving, end_cause)
    done, resolved = _resolve(parent, exposure)
    events: list[ParentEvent] = [*done]
    if not exposure.total and end_cause is not Cause.UNKNOWN:
        return (*events, *_end(state, parent, end_cause))
    if parent.leaving or end_cause is not Cause.UNKNOWN:
        return tuple(events)
    is_done = not epochs.unreleased(state, parent, {}, resolved)
    if is_done and not exposure.total and len(resolved) == len(parent.tails):
        return (*events, *_end(state, parent, Cause.COMPLETED))
    # While slices of two epochs overlap, each one that comes back would turn the epoch and leave
    # the next one a tail, without end. What is free waits until the current epoch needs it.
    is_idle = not exposure.room or not epochs.exposure_of(exposure, parent.epoch)
    is_long = parent.is_long and exposure.room > 0
    if is_long or (is_idle and epochs.is_rebase_due(state, parent, resolved)):
        cause = Cause.FILL if is_long else Cause.TAIL_RESOLVED if resolved else Cause.RETURNED
        events += epochs.turn_epoch(state, parent, exposure, cause, resolved=resolved)
    return tuple(events)


def rebase(state: NettingState, command: Rebase) -> tuple[ParentEvent, ...]:
    """Turn the epoch if what the members want is not what it can give; () otherwise.

    A held or ended parent waits for its exposure instead: SettleParent sees to it then.
    """
    parent = state.parents.get(command.parent.parent_id)
    if parent is None or parent.is_closed or parent.leaving:
        return ()
    if parent.end_cause is not Cause.UNKNOWN:
        return ()
    done, resolved = _resolve(parent, command.parent)
    if not epochs.is_rebase_due(state, parent, resolved):
        return ()
    turned = epochs.turn_epoch(state, parent, command.parent, command.cause, resolved=resolved)
    return (*done, *turned)


def close_parent(parent: Parent, free: int, cause: Cause) -> ParentClosed:
    """Return the parent's end. `free` is what its members still wanted, smallest units."""
    if not free:
        status = OrderStatus.FILLED
    elif cause is Cause.END_OF_WINDOW and parent.time_in_force not in SWEPT_ONCE:
        status = OrderStatus.EXPIRED
    else:
        status = OrderStatus.CANCELED
    return ParentClosed(
        parent_id=parent.parent_id,
        status=status,
        quantity=parent.filled + free,
        filled_quantity=parent.filled,
    )


def _resolve(
    parent: Parent, exposure: ParentExposure
) -> tuple[tuple[TailResolved, ...], list[int]]:
    """Return the end of every tail whose exposure is over, and their epochs."""
    over = [tail for tail in parent.tails if not epochs.exposure_of(exposure, tail.epoch)]
    events = tuple(
        TailResolved(
            parent_id=parent.parent_id, epoch=tail.epoch, quantity=sum(tail.reserved.values())
        )
        for tail in over
    )
    return events, [tail.epoch for tail in over]


def _end(state: NettingState, parent: Parent, cause: Cause) -> Sequence[ParentEvent]:
    # Nothing is exposed, hence no tail stands: what is not filled is exactly what is wanted.
    free = sum(state.orders[order_id].leaves for order_id in parent.wanting)
    return (
        epochs.close_epoch(parent, (), cause),
        close_parent(parent, free, cause),
    )


def _release(
    state: NettingState,
    parent: Parent,
    exposure: ParentExposure,
    leaving: Sequence[str],
    end_cause: Cause,
) -> tuple[ParentEvent, ...]:
    """Let the leaving members go; nothing is exposed, so no tail stands any more."""
    done, resolved = _resolve(parent, exposure)
    events: list[ParentEvent] = [*done]
    events += [
        MemberLeft(
            parent_id=parent.parent_id,
            order_id=order_id,
            cumulative_quantity=state.orders[order_id].allocated,
        )
        for order_id in leaving
    ]
    gone = frozenset(leaving)  # asked only, never walked
    staying = [order_id for order_id in parent.order_ids if order_id not in gone]
    free = {
        order_id: quantity
        for order_id, quantity in epochs.unreleased(state, parent, {}, resolved).items()
        if order_id not in gone
    }
    if free and end_cause is Cause.UNKNOWN:
        closed, opened = epochs.turn_epoch(
            state, parent, exposure, Cause.MEMBER_LEFT, resolved=resolved, leaving=leaving
        )
        return (*events, closed, opened)
    events.append(epochs.close_epoch(parent, (), Cause.MEMBER_LEFT))
    if staying:
        events.append(close_parent(parent, sum(free.values()), end_cause))
    else:
        is_full = parent.filled == parent.quantity
        events.append(
            ParentClosed(
                parent_id=parent.parent_id,
                # The last fill may come while its member waits to leave.
                status=OrderStatus.FILLED if is_full else OrderStatus.CANCELED,
                quantity=parent.quantity,
                filled_quantity=parent.filled,
            )
        )
    return tuple(events)
