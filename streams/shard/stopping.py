"""What a kill asks of the contexts: children back, orders canceled; after it, work resumed."""

from collections.abc import Callable, Iterator
from typing import Any

from schemas.messages.core import Cause, KillScope, OrderStatus
from schemas.messages.intake import OrderRestated
from schemas.messages.kill import (
    ApproveRelease,
    EngageKill,
    KillEngaged,
    KillReleased,
    ProposeRelease,
)
from streams import kill, netting
from streams.intake.commands import CancelUnasked
from streams.kill.commands import (
    ConfirmKills,
    KillCommand,
    LowerFlag,
    RaiseFlag,
    SubmitApproval,
    SubmitKill,
    SubmitProposal,
)
from streams.netting.commands import CloseWindow
from streams.routing.commands import CancelAtVenue, CancelChildren
from streams.shard import stops
from streams.shard.knowledge import Knowledge
from streams.strategy.commands import Resume

__all__ = [
    "STOPPING_RULES",
    "Closing",
    "confirm",
    "flag_command",
    "kill_command",
    "works_again",
]

Commands = Iterator[Any]
Closing = Callable[[Knowledge, str, str, Cause], CloseWindow]


def kill_command(
    knows: Knowledge, message: EngageKill | ProposeRelease | ApproveRelease, actor: str
) -> KillCommand:
    """Return the command that a message of kill.commands makes."""
    match message:
        case EngageKill():
            found = stops.in_scope(knows.state, message.scope, message.scope_id)
            return SubmitKill(message=message, actor=actor, in_scope=found)
        case ProposeRelease():
            return SubmitProposal(message=message, actor=actor)
        case ApproveRelease():
            return SubmitApproval(message=message, actor=actor)


def flag_command(knows: Knowledge, text: str) -> RaiseFlag | LowerFlag:
    """Return the command that the journalled text of a local flag makes."""
    flag = kill.flag_of(text)
    if isinstance(flag, str):
        return LowerFlag(flag=flag)
    return RaiseFlag(flag=flag, in_scope=stops.in_scope(knows.state, flag.scope, flag.scope_id))


def confirm(knows: Knowledge) -> Commands:
    """Ask whether that was the last child that a kill waited for."""
    if knows.state.kill.in_force and kill.is_unconfirmed(knows.state.kill):
        yield ConfirmKills()


def _engaged(knows: Knowledge, event: KillEngaged) -> Commands:
    state, at_ns = knows.state, knows.at_ns
    if event.scope is KillScope.VENUE:
        yield CancelAtVenue(venue_id=event.scope_id, cause=Cause.KILL, at_ns=at_ns)
    for parent_id in stops.parents_in_scope(state, event.scope, event.scope_id):
        yield CancelChildren(parent_id=parent_id, cause=Cause.KILL, at_ns=at_ns)
    if event.is_canceling_orders:
        for order_id in stops.orders_in_scope(state, event.scope, event.scope_id):
            yield CancelUnasked(order_id=order_id, cause=Cause.KILL, at_ns=at_ns)
    yield from confirm(knows)


def works_again(knows: Knowledge, event: OrderRestated) -> Commands:
    """Cancel what a bust gives back to an order that was full when a kill canceled the others."""
    kills = knows.state.kill.in_force
    order = knows.state.intake.orders[event.order_id]
    if not kills or not order.is_open or order.status is OrderStatus.FILLED:
        return
    party = stops.party_of(order.terms)
    if any(
        k.is_canceling_orders and kill.covers(k.scope, k.scope_id, party) for k in kills.values()
    ):
        yield CancelUnasked(order_id=event.order_id, cause=Cause.KILL, at_ns=knows.at_ns)


def released(knows: Knowledge, event: KillReleased, close_window: Closing) -> Commands:
    """Go on with every window and parent that no other kill stops.

    Windows first: a slice that an epoch overtakes before it is routed would come back to the wrong
    one, and with no quote they would hand it to each other for ever.
    """
    for tenant, instrument_id in netting.standing(knows.state.netting):
        yield close_window(knows, tenant, instrument_id, Cause.RELEASED)
    for parent_id in stops.parents_in_scope(knows.state, event.scope, event.scope_id):
        parent = knows.state.parents.get(parent_id)
        if parent is not None and not knows.is_stopped(parent_id):
            yield Resume(
                parent_id=parent_id,
                at_ns=knows.at_ns,
                entropy=knows.entropy,
                market=knows.market(parent.instrument_id),
                forecast=None,
            )


STOPPING_RULES: dict[type[Any], Callable[[Knowledge, Any], Commands]] = {
    KillEngaged: _engaged,
}
