"""Laws of a child that changes where it stands: the larger of old and new is exposed until then."""

from typing import Any

from services.audit.exposure import child_of
from services.audit.findings import Code
from services.audit.records import Entry
from services.audit.state import Child, ShardState

__all__ = ["HANDLERS"]

Message = dict[str, Any]


def _find(state: ShardState, m: Message, what: str, entry: Entry) -> None:
    state.findings.add(Code.EXPOSURE, m["child_id"], what, entry)


def asked(state: ShardState, m: Message, entry: Entry) -> None:
    """More quantity comes out of what the slice has not placed, at no worse than its limit."""
    child = child_of(state, m, entry)
    if child is None:
        return
    part = state.slices[child.slice_id]
    added = max(m["quantity"] - m["previous_quantity"], 0)
    if m["previous_quantity"] != child.in_force or added > part.unplaced:
        text = f"replaces {m['previous_quantity']} by {m['quantity']}, {part.unplaced} unplaced"
        _find(state, m, text, entry)
    if _is_worse(child.side, m["price_e9"], part.limit_price_e9):
        text = f"{child.side} at {m['price_e9']}, limit {part.limit_price_e9}"
        state.findings.add(Code.LIMIT_PRICE, child.child_id, text, entry)
    part.unplaced -= added
    part.exposure += added
    child.exposure += added
    child.added = added
    child.quantity = max(child.quantity, child.in_force + added)
    if _is_worse(child.side, m["price_e9"], child.price_e9):
        child.price_e9 = m["price_e9"]  # it may trade at either until it is answered, and late


def replaced(state: ShardState, m: Message, entry: Entry) -> None:
    """What is in force and what is free are together what was held."""
    child = child_of(state, m, entry)
    if child is None:
        return
    if m["quantity"] + m["freed_quantity"] != child.in_force + child.added:
        held = child.in_force + child.added
        text = f"{m['quantity']} in force and {m['freed_quantity']} free of {held} held"
        _find(state, m, text, entry)
    child.in_force = m["quantity"]
    _free(state, child, m, entry)


def refused(state: ShardState, m: Message, entry: Entry) -> None:
    """What had been added for the replace is free, and nothing else."""
    child = child_of(state, m, entry)
    if child is None:
        return
    if m["freed_quantity"] > child.added:
        _find(state, m, f"frees {m['freed_quantity']}, {child.added} were added", entry)
    child.in_force += child.added - m["freed_quantity"]
    _free(state, child, m, entry)


def restated(state: ShardState, m: Message, entry: Entry) -> None:
    """The venue takes quantity off, never on."""
    child = child_of(state, m, entry)
    if child is None:
        return
    if m["quantity"] + m["freed_quantity"] != child.in_force:
        text = f"{m['quantity']} in force and {m['freed_quantity']} free of {child.in_force}"
        _find(state, m, text, entry)
    child.in_force = m["quantity"]
    added, child.added = child.added, 0
    _free(state, child, m, entry)
    child.added = added


def unresolved(state: ShardState, m: Message, entry: Entry) -> None:
    """What nobody answers for stays exposed as it is."""
    child = child_of(state, m, entry)
    if child is not None and m["quantity"] != child.exposure:
        _find(state, m, f"says {m['quantity']} of {child.exposure} exposed", entry)


def named(state: ShardState, m: Message, entry: Entry) -> None:
    """A wish changes no quantity and names a real child."""
    child_of(state, m, entry)


def deferred(state: ShardState, m: Message, entry: Entry) -> None:
    """What waits is unplaced."""
    part = state.slices.get(m["slice_id"])
    if part is None or not 0 < m["quantity"] <= part.unplaced:
        held = 0 if part is None else part.unplaced
        text = f"{m['quantity']} waits, {held} unplaced"
        state.findings.add(Code.EXPOSURE, m["slice_id"], text, entry)


def _free(state: ShardState, child: Child, m: Message, entry: Entry) -> None:
    child.added = 0
    child.exposure -= m["freed_quantity"]
    if child.exposure < 0:
        _find(state, m, f"frees {m['freed_quantity']}, exposure {child.exposure}", entry)
    state.slices[child.slice_id].free(m["freed_quantity"])


def _is_worse(side: str, price_e9: int | None, than_e9: int | None) -> bool:
    if than_e9 is None:
        return False
    if price_e9 is None:
        return True
    return price_e9 > than_e9 if side == "BUY" else price_e9 < than_e9


HANDLERS = {
    "routing.ChildReplaceRequested": asked,
    "routing.ChildReplaced": replaced,
    "routing.ChildReplaceRejected": refused,
    "routing.ChildRestated": restated,
    "routing.ChildUnresolved": unresolved,
    "routing.ChildCancelDeferred": named,
    "routing.SliceDeferred": deferred,
}
