"""Fold what happened into the kills in force; an impossible history stops the shard."""

from collections.abc import Callable
from typing import Any

from schemas.messages.core import OrderStatus
from schemas.messages.kill import (
    KillConfirmed,
    KillEngaged,
    KillFlagRaised,
    KillFlagRemoved,
    KillReleased,
    KillReleaseProposed,
)
from schemas.messages.routing import ChildCanceled, ChildRejected, FillBooked
from streams.core.errors import CorruptHistoryError
from streams.kill.state import Kill, KillState, is_same_person

__all__ = ["evolve"]


def evolve(state: KillState, event: Any) -> None:
    """Apply a fact; events of no use here are passed over. Raises CorruptHistoryError."""
    fold = _FOLDS.get(type(event))
    if fold is not None:
        fold(state, event)


def _fold_engaged(state: KillState, event: KillEngaged) -> None:
    if event.kill_id in state.in_force or event.kill_id in state.released:
        raise CorruptHistoryError(f"kill {event.kill_id} engaged twice")
    state.in_force[event.kill_id] = Kill(
        kill_id=event.kill_id,
        scope=event.scope,
        scope_id=event.scope_id,
        is_canceling_orders=event.is_canceling_orders,
        flags=[event.flag] if event.flag else [],
        unconfirmed={child.child_id: child.quantity for child in event.children},
    )


def _fold_raised(state: KillState, event: KillFlagRaised) -> None:
    _kill(state, event.kill_id).flags.append(event.flag)


def _fold_removed(state: KillState, event: KillFlagRemoved) -> None:
    _kill(state, event.kill_id).flags.remove(event.flag)


def _fold_confirmed(state: KillState, event: KillConfirmed) -> None:
    kill = _kill(state, event.kill_id)
    if kill.unconfirmed:
        raise CorruptHistoryError(f"kill {event.kill_id} confirmed, {len(kill.unconfirmed)} live")
    kill.is_confirmed = True


def _fold_proposed(state: KillState, event: KillReleaseProposed) -> None:
    _kill(state, event.kill_id).proposed_by = event.proposed_by


def _fold_released(state: KillState, event: KillReleased) -> None:
    kill = _kill(state, event.kill_id)
    if kill.flags or is_same_person(event.approved_by, event.proposed_by):
        raise CorruptHistoryError(f"kill {event.kill_id} released by {event.approved_by} alone")
    del state.in_force[event.kill_id]
    state.released[event.kill_id] = event.approved_by


def _fold_fill(state: KillState, event: FillBooked) -> None:
    for kill in state.in_force.values():
        rest = kill.unconfirmed.get(event.child_id)
        if rest is None:
            continue
        rest -= event.quantity - event.late_quantity + event.overfill_quantity
        if rest > 0:
            kill.unconfirmed[event.child_id] = rest
        else:
            del kill.unconfirmed[event.child_id]
            kill.filled += 1


def _fold_canceled(state: KillState, event: ChildCanceled) -> None:
    for kill in state.in_force.values():
        if event.child_id not in kill.unconfirmed:
            continue
        if event.outstanding_quantity:
            kill.unconfirmed[event.child_id] = event.outstanding_quantity
        else:
            del kill.unconfirmed[event.child_id]
            if event.status is OrderStatus.FILLED:
                kill.filled += 1
            else:
                kill.canceled += 1


def _fold_rejected(state: KillState, event: ChildRejected) -> None:
    for kill in state.in_force.values():
        if kill.unconfirmed.pop(event.child_id, None) is not None:
            kill.rejected += 1


def _kill(state: KillState, kill_id: str) -> Kill:
    kill = state.in_force.get(kill_id)
    if kill is None:
        raise CorruptHistoryError(f"kill {kill_id} is not in force")
    return kill


_FOLDS: dict[type[Any], Callable[[KillState, Any], None]] = {
    KillEngaged: _fold_engaged,
    KillFlagRaised: _fold_raised,
    KillFlagRemoved: _fold_removed,
    KillConfirmed: _fold_confirmed,
    KillReleaseProposed: _fold_proposed,
    KillReleased: _fold_released,
    FillBooked: _fold_fill,
    ChildCanceled: _fold_canceled,
    ChildRejected: _fold_rejected,
}
