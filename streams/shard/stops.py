"""What the kills in force stop: the one answer that every gate and the guard before a send ask."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from schemas.messages.core import KillScope, LiveChild, StrategyKind
from schemas.messages.intake import NewOrder, OrderAccepted, ReplaceOrder
from schemas.messages.routing import ChildPlaced
from streams import kill, netting, routing
from streams.intake.change import order_named
from streams.kill.commands import InScope

if TYPE_CHECKING:
    from streams.shard.state import ShardState

__all__ = [
    "child_kill",
    "in_scope",
    "is_stopped",
    "order_kill",
    "orders_in_scope",
    "parents_in_scope",
    "party_of",
    "replace_kill",
    "stopped_orders",
]


def order_kill(state: "ShardState", message: NewOrder, client_id: str) -> str:
    """Return the kill in force for a new order; empty for none."""
    return kill.order_kill(state.kill, party_of(message, client_id)) if state.kill.in_force else ""


def replace_kill(state: "ShardState", message: ReplaceOrder) -> str:
    """Return the kill in force for the order that is to be replaced; empty for none."""
    if not state.kill.in_force:
        return ""
    order = order_named(state.intake, message)
    return "" if order is None else kill.order_kill(state.kill, party_of(order.terms))


def is_stopped(state: "ShardState", parent_id: str) -> bool:
    """Return whether nothing may be released or sent for the parent now.

    A kill that names orders stops the parent for as long as one of them wants something of it.
    """
    if not state.kill.in_force:
        return False
    parent = state.parents.get(parent_id)
    return parent is not None and bool(_parent_kill(state, parent_id, parent.instrument_id))


def child_kill(state: "ShardState", event: ChildPlaced) -> str:
    """Return why the child may not be sent: the kill that covers it; empty for none."""
    for each in state.kill.in_force.values():
        if each.scope is KillScope.VENUE and each.scope_id == event.venue_id:
            return each.kill_id
    return _parent_kill(state, event.parent_id, event.instrument_id)


def stopped_orders(state: "ShardState", tenant: str, instrument_id: str) -> frozenset[str]:
    """Return which orders of a window and of its working parents meet and join nobody."""
    if not state.kill.in_force:
        return frozenset()
    asked = [*netting.waiting(state.netting, tenant, instrument_id)]
    for parent_id in netting.open_parents(state.netting, tenant, instrument_id):
        asked += netting.wanting(state.netting, parent_id)
    return frozenset(order_id for order_id in asked if _order_kill(state, order_id))


def in_scope(state: "ShardState", scope: KillScope, scope_id: str) -> InScope:
    """Return what a kill of the scope meets: open orders, and children that venues may have."""
    orders = state.intake.orders
    wanted = [
        orders[order_id].quantity - orders[order_id].cumulative_quantity
        for order_id in orders_in_scope(state, scope, scope_id)
    ]
    parents = frozenset(_parents_touched(state, scope, scope_id))
    is_venue = scope is KillScope.VENUE
    return InScope(
        orders=len(wanted),
        orders_quantity=sum(wanted),
        children=tuple(
            LiveChild(child_id=child.child_id, quantity=child.exposure)
            for child in routing.live_children(state.routing)
            if (child.venue_id == scope_id if is_venue else child.parent_id in parents)
        ),
    )


def orders_in_scope(state: "ShardState", scope: KillScope, scope_id: str) -> Iterator[str]:
    """Yield the open source orders that the scope covers, in order of acceptance."""
    for order_id, order in [*state.intake.orders.items()]:
        if order.is_open and kill.covers(scope, scope_id, party_of(order.terms)):
            yield order_id


def parents_in_scope(state: "ShardState", scope: KillScope, scope_id: str) -> Iterator[str]:
    """Yield the open parents that the scope freezes as a whole."""
    for parent_id, parent in [*state.parents.items()]:
        party = kill.Party(parent.instrument_id, _strategy(state, parent_id), "", "", "", "")
        if kill.covers(scope, scope_id, party):
            yield parent_id


def _parents_touched(state: "ShardState", scope: KillScope, scope_id: str) -> Iterator[str]:
    """Yield the parents that the scope freezes, and those in which it covers some member."""
    yield from parents_in_scope(state, scope, scope_id)
    if scope in kill.MEMBER_SCOPES:
        for order_id in orders_in_scope(state, scope, scope_id):
            parent_id = netting.parent_of(state.netting, order_id)
            if parent_id is not None:
                yield parent_id


def _parent_kill(state: "ShardState", parent_id: str, instrument_id: str) -> str:
    found = kill.parent_kill(state.kill, instrument_id, _strategy(state, parent_id))
    if found or not kill.has_members(state.kill):
        return found
    members = netting.wanting(state.netting, parent_id)
    return next((found for order_id in members if (found := _order_kill(state, order_id))), "")


def _order_kill(state: "ShardState", order_id: str) -> str:
    return kill.order_kill(state.kill, party_of(state.intake.orders[order_id].terms))


def _strategy(state: "ShardState", parent_id: str) -> StrategyKind:
    schedule = state.strategy.parents.get(parent_id)
    return StrategyKind.UNKNOWN if schedule is None else schedule.strategy


def party_of(terms: NewOrder | OrderAccepted, client_id: str | None = None) -> kill.Party:
    """Return what a kill may name of an order; a new one does not say its client itself."""
    if client_id is None:
        client_id = terms.client_id if isinstance(terms, OrderAccepted) else ""
    return kill.Party(
        instrument_id=terms.instrument_id,
        strategy=terms.strategy,
        client_id=client_id,
        account_id=terms.account_id,
        desk_id=terms.desk_id,
        source=terms.source,
    )
