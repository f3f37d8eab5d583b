"""Laws of parents, epochs and tails: no promise to anyone beyond what was ordered."""

from typing import Any

from services.audit.exposure import check_parent, epoch_of
from services.audit.findings import Code
from services.audit.records import Entry
from services.audit.stages import begun_of, breaches, lot_of, tier_of
from services.audit.state import Epoch, House, Parent, ShardState

__all__ = ["HANDLERS"]

Message = dict[str, Any]


def parent_opened(state: ShardState, m: Message, entry: Entry) -> None:
    """A new parent; what it may fill comes with its epochs."""
    if m["parent_id"] in state.parents:
        state.findings.add(Code.LINEAGE, m["parent_id"], "is opened twice", entry)
    state.parents[m["parent_id"]] = Parent(
        parent_id=m["parent_id"],
        tenant=m["tenant"],
        instrument_id=m["instrument_id"],
        side=m["side"],
        ordered=m["quantity"],
        limit_price_e9=m["limit_price_e9"],
        parameters=m.get("parameters"),
    )


def epoch_opened(state: ShardState, m: Message, entry: Entry) -> None:
    """Weights: each within what its order wants beyond its fills and every tail it is in."""
    parent = state.parents.get(m["parent_id"])
    subject = f"{m['parent_id']} epoch {m['epoch']}"
    if parent is None or m["epoch"] != parent.current + 1:
        state.findings.add(Code.LINEAGE, subject, "does not follow the parent's epochs", entry)
        return
    if parent.is_closed or any(not epoch.is_closed for epoch in parent.epochs.values()):
        text = "opens while another epoch is open, or after the parent's end"
        state.findings.add(Code.LINEAGE, subject, text, entry)
    weights = {member["order_id"]: member["quantity"] for member in m["members"]}
    if sum(weights.values()) != m["quantity"] or len(weights) != len(m["members"]):
        text = f"weights sum to {sum(weights.values())}, quantity {m['quantity']}"
        state.findings.add(Code.CONSERVATION_SHARES, subject, text, entry)
    held = _promised(parent)
    lot, is_per_fill = lot_of(m), m.get("is_per_fill", False)
    for member in m["members"]:
        promised = held.get(member["order_id"], 0)
        _check_member(state, parent, member["order_id"], (promised, member["quantity"]), entry)
        _check_stages(state, member, promised, lot, entry)
    former = parent.epochs.get(parent.current)
    if former is not None and (former.lot, former.is_per_fill) != (lot, is_per_fill):
        text = f"lot {lot}, cash per fill {is_per_fill}: not as the epoch before"
        state.findings.add(Code.LINEAGE, subject, text, entry)
    parent.current = m["epoch"]
    parent.ordered = parent.filled + sum(held.values()) + m["quantity"]
    if m["parent_quantity"] != parent.ordered:
        text = f"parent quantity {m['parent_quantity']}, members and fills make {parent.ordered}"
        state.findings.add(Code.EXPOSURE, subject, text, entry)
    epoch = Epoch(
        number=m["epoch"],
        quantity=m["quantity"],
        main=House.of(m["members"], lot),
        lot=lot,
        is_per_fill=is_per_fill,
    )
    parent.epochs[m["epoch"]] = epoch
    check_parent(state, parent, epoch, entry)


def _promised(parent: Parent) -> dict[str, int]:
    """Return what each order may still get out of the parent's unresolved tails."""
    held: dict[str, int] = {}
    for epoch in parent.epochs.values():
        if epoch.tail is not None and not epoch.is_resolved:
            for order_id, weight in epoch.tail.weights.items():
                rest = weight - epoch.tail.held(order_id)
                held[order_id] = held.get(order_id, 0) + rest
    return held


def _check_member(
    state: ShardState, parent: Parent, order_id: str, promised: tuple[int, int], entry: Entry
) -> None:
    held, weight = promised
    order = state.orders.get(order_id)
    if order is None or (order.side, order.instrument_id, order.tenant) != (
        parent.side,
        parent.instrument_id,
        parent.tenant,
    ):
        text = f"is no order of side, instrument and tenant of {parent.parent_id}"
        state.findings.add(Code.LINEAGE, order_id, text, entry)
        return
    if weight <= 0 or order.filled + held + weight > order.bound:
        text = f"holds {order.filled}, tails {held}, weight {weight}, may have {order.bound}"
        state.findings.add(Code.EXPOSURE, order_id, text, entry)
    if order.limit_price_e9 != parent.limit_price_e9:
        text = f"limit {order.limit_price_e9} in a parent of limit {parent.limit_price_e9}"
        state.findings.add(Code.LIMIT_PRICE, order_id, text, entry)
    if order.parameters != parent.parameters:
        text = f"is worked by {parent.parent_id} with {parent.parameters}, said {order.parameters}"
        state.findings.add(Code.LINEAGE, order_id, text, entry)


def _check_stages(
    state: ShardState, member: Message, promised: int, lot: int, entry: Entry
) -> None:
    """A member's tier is its account's; the lot that it completes first is the one it began."""
    order = state.orders.get(member["order_id"])
    if order is None:
        return
    if tier_of(member) != int(order.is_house):
        text = f"tier {tier_of(member)}, house order: {order.is_house}"
        state.findings.add(Code.ALLOCATION_QUOTA, order.order_id, text, entry)
    begun = -(order.filled + promised) % lot
    if begun > member["quantity"]:
        begun = 0
    # What this decision crossed is given by a later event, so nobody knows it here.
    if begun_of(member) != begun and not state.crosses:
        text = f"begun {begun_of(member)} of a lot of {lot}, holds {order.filled}"
        state.findings.add(Code.ALLOCATION_QUOTA, order.order_id, text, entry)


def epoch_closed(state: ShardState, m: Message, entry: Entry) -> None:
    """What is still exposed is divided now, within the weights."""
    found = epoch_of(state, m, entry)
    if found is None:
        return
    parent, epoch = found
    subject = f"{parent.parent_id} epoch {epoch.number}"
    tail = {member["order_id"]: member["quantity"] for member in m["tail"]}
    if not (m["tail_quantity"] == sum(tail.values()) == epoch.exposure):
        text = f"tail of {m['tail_quantity']} sums to {sum(tail.values())}, {epoch.exposure} live"
        state.findings.add(Code.EXPOSURE, subject, text, entry)
    held = _promised(parent)
    for member in m["tail"]:
        _check_stages(state, member, held.get(member["order_id"], 0), epoch.lot, entry)
    after = {
        each: epoch.main.shares.get(each, 0) + tail.get(each, 0) for each in epoch.main.weights
    }
    for text in breaches(epoch.main.stages, after):
        state.findings.add(Code.ALLOCATION_QUOTA, subject, f"tail: {text}", entry)
    for order_id, quantity in tail.items():
        weight = epoch.main.weights.get(order_id, 0)
        if quantity <= 0 or epoch.main.held(order_id) + quantity > weight:
            text = f"tail of {quantity} for {order_id}, weight {weight}"
            state.findings.add(Code.ALLOCATION_QUOTA, subject, text, entry)
    epoch.is_closed = True
    epoch.tail = House.of(m["tail"], epoch.lot) if tail else None
    epoch.is_resolved = not tail


def tail_resolved(state: ShardState, m: Message, entry: Entry) -> None:
    """A tail is over when nothing of its epoch is exposed."""
    found = epoch_of(state, m, entry)
    if found is None:
        return
    parent, epoch = found
    rest = 0
    if epoch.tail is not None:
        rest = epoch.tail.size - epoch.tail.given
    if epoch.exposure or epoch.is_resolved or m["quantity"] != rest:
        text = f"frees {m['quantity']} of {rest}, {epoch.exposure} still exposed"
        state.findings.add(Code.EXPOSURE, f"{parent.parent_id} epoch {epoch.number}", text, entry)
    epoch.is_resolved = True


def member_left(state: ShardState, m: Message, entry: Entry) -> None:
    """A member goes only when nothing of its parent is exposed."""
    parent, order = state.parents.get(m["parent_id"]), state.orders.get(m["order_id"])
    if parent is None or order is None:
        state.findings.add(Code.LINEAGE, m["order_id"], f"left {m['parent_id']}, unknown", entry)
        return
    if parent.exposure:
        text = f"leaves {parent.parent_id} with {parent.exposure} exposed"
        state.findings.add(Code.EXPOSURE, order.order_id, text, entry)
    if m["cumulative_quantity"] != order.filled:
        text = f"left with {m['cumulative_quantity']}, holds {order.filled}"
        state.findings.add(Code.CONSERVATION_SHARES, order.order_id, text, entry)


def parent_closed(state: ShardState, m: Message, entry: Entry) -> None:
    """The end: nothing live, every epoch closed, the sum as it stands."""
    parent = state.parents.get(m["parent_id"])
    if parent is None:
        state.findings.add(Code.LINEAGE, m["parent_id"], "closes and was never opened", entry)
        return
    open_epochs = [number for number, epoch in parent.epochs.items() if not epoch.is_closed]
    if parent.is_closed or parent.exposure or open_epochs:
        text = f"closes with {parent.exposure} exposed, epochs {open_epochs} open"
        state.findings.add(Code.EXPOSURE, parent.parent_id, text, entry)
    if m["filled_quantity"] != parent.filled or m["quantity"] < parent.filled:
        text = f"closes with {m['filled_quantity']} of {m['quantity']}, fills make {parent.filled}"
        state.findings.add(Code.CONSERVATION_SHARES, parent.parent_id, text, entry)
    parent.is_closed = True


HANDLERS = {
    "netting.ParentOpened": parent_opened,
    "netting.EpochOpened": epoch_opened,
    "netting.EpochClosed": epoch_closed,
    "netting.TailResolved": tail_resolved,
    "netting.MemberLeft": member_left,
    "netting.ParentClosed": parent_closed,
}
