"""Laws of source orders: nobody gets more than asked for, and what a client is told is true."""

from typing import Any

from services.audit.findings import Code
from services.audit.records import Entry
from services.audit.state import Order, ShardState

__all__ = ["HANDLERS", "give"]

Message = dict[str, Any]
CLIENT_KEY = ("tenant", "instrument_id", "source", "client_order_id", "trade_date")


def give(state: ShardState, order_id: str, change: int, entry: Entry) -> None:
    """Add shares to an order, or take them back."""
    order = state.orders.get(order_id)
    if order is None:
        state.findings.add(Code.LINEAGE, order_id, f"gets {change}, was never accepted", entry)
        return
    order.filled += change
    if change > 0 and order.filled > order.bound:
        text = f"holds {order.filled} of {order.bound}"
        state.findings.add(Code.CONSERVATION_SHARES, order_id, text, entry)
    if order.filled < 0:
        text = f"holds {order.filled}"
        state.findings.add(Code.CONSERVATION_SHARES, order_id, text, entry)


def _known(state: ShardState, order_id: str, entry: Entry) -> Order | None:
    order = state.orders.get(order_id)
    if order is None:
        state.findings.add(Code.LINEAGE, order_id, "was never accepted", entry)
    return order


def _told(state: ShardState, order: Order, stated: int, entry: Entry) -> None:
    if stated != order.filled:
        text = f"{entry.name} says {stated}, allocations sum to {order.filled}"
        state.findings.add(Code.CONSERVATION_SHARES, order.order_id, text, entry)
    order.stated = stated


def accepted(state: ShardState, m: Message, entry: Entry) -> None:
    """A new order; its id is never used again."""
    if m["order_id"] in state.orders:
        state.findings.add(Code.LINEAGE, m["order_id"], "is accepted twice", entry)
    key = tuple(m[name] for name in CLIENT_KEY)
    if key in state.accepted:
        state.findings.add(Code.DUPLICATE_ORDER, m["order_id"], f"{key} accepted before", entry)
    state.accepted.add(key)
    state.orders[m["order_id"]] = Order(
        order_id=m["order_id"],
        tenant=m["tenant"],
        instrument_id=m["instrument_id"],
        account_id=m["account_id"],
        side=m["side"],
        quantity=m["quantity"],
        bound=m["quantity"],
        limit_price_e9=m["limit_price_e9"],
        is_cross_allowed=m["is_cross_allowed"],
        is_house=m.get("is_house", False),
        client_id=m.get("client_id", ""),
        owner_id=m.get("owner_id", ""),
        start_ns=m["start_ns"],
        joined_ns=m["accepted_ns"],
        arrival_price_e9=m["arrival_price_e9"],
        parameters=m.get("parameters"),
    )


def replaced(state: ShardState, m: Message, entry: Entry) -> None:
    """New terms: never below what is filled."""
    order = _known(state, m["order_id"], entry)
    if order is None:
        return
    _told(state, order, m["cumulative_quantity"], entry)
    order.quantity = m["quantity"]
    order.bound = order.filled if order.is_asleep else order.quantity
    order.limit_price_e9 = m["limit_price_e9"]
    order.parameters = m.get("parameters")
    if order.filled > order.quantity:
        text = f"holds {order.filled}, replaced to {order.quantity}"
        state.findings.add(Code.CONSERVATION_SHARES, order.order_id, text, entry)


def canceled(state: ShardState, m: Message, entry: Entry) -> None:
    """The rest is given up: from now on it may hold no more."""
    order = _known(state, m["order_id"], entry)
    if order is None:
        return
    _told(state, order, m["cumulative_quantity"], entry)
    if m["canceled_quantity"] != order.quantity - order.filled:
        text = f"gives up {m['canceled_quantity']} of {order.quantity}, holds {order.filled}"
        state.findings.add(Code.CONSERVATION_SHARES, order.order_id, text, entry)
    order.bound = order.filled


def closed(state: ShardState, m: Message, entry: Entry) -> None:
    """The end of an order; only a filled one may be filled again, after a bust."""
    order = _known(state, m["order_id"], entry)
    if order is None:
        return
    _told(state, order, m["cumulative_quantity"], entry)
    leaves = order.quantity - order.filled
    if m["leaves_quantity"] != leaves or (m["status"] == "FILLED") != (leaves == 0):
        text = f"{m['status']} with {m['leaves_quantity']} open of {order.quantity}"
        state.findings.add(Code.CONSERVATION_SHARES, order.order_id, text, entry)
    if m["status"] != "FILLED":
        order.bound = order.filled


def done_for_day(state: ShardState, m: Message, entry: Entry) -> None:
    """The session is over for it: until it resumes it may hold no more."""
    order = _known(state, m["order_id"], entry)
    if order is None:
        return
    _told(state, order, m["cumulative_quantity"], entry)
    leaves = order.quantity - order.filled
    if m["leaves_quantity"] != leaves:
        text = f"sleeps with {m['leaves_quantity']} open, {leaves} are"
        state.findings.add(Code.CONSERVATION_SHARES, order.order_id, text, entry)
    order.is_asleep, order.bound = True, order.filled


def resumed(state: ShardState, m: Message, entry: Entry) -> None:
    """A new session: it works again, with what it held."""
    order = _known(state, m["order_id"], entry)
    if order is None:
        return
    _told(state, order, m["cumulative_quantity"], entry)
    if not order.is_asleep:
        state.findings.add(Code.LINEAGE, order.order_id, "resumes and was at work", entry)
    order.is_asleep, order.bound = False, order.quantity


def restated(state: ShardState, m: Message, entry: Entry) -> None:
    """A bust or correction after the end."""
    order = _known(state, m["order_id"], entry)
    if order is None:
        return
    if m["previous_cumulative_quantity"] != order.stated:
        text = f"says it was {m['previous_cumulative_quantity']}, client knows {order.stated}"
        state.findings.add(Code.CONSERVATION_SHARES, order.order_id, text, entry)
    _told(state, order, m["cumulative_quantity"], entry)


HANDLERS = {
    "intake.OrderAccepted": accepted,
    "intake.OrderReplaced": replaced,
    "intake.OrderCanceled": canceled,
    "intake.OrderClosed": closed,
    "intake.OrderRestated": restated,
    "intake.OrderDoneForDay": done_for_day,
    "intake.OrderResumed": resumed,
}
