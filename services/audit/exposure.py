"""Laws of exposure: filled + live + cancel-pending + released but unplaced is within the order."""

from typing import Any

from services.audit.findings import Code
from services.audit.records import Entry, cash
from services.audit.state import Child, Epoch, Fill, Parent, ShardState, Slice, cash_of

__all__ = ["HANDLERS", "check_parent", "child_of", "epoch_of"]

Message = dict[str, Any]


def epoch_of(state: ShardState, m: Message, entry: Entry) -> tuple[Parent, Epoch] | None:
    """Return the parent and epoch that an event names, if they are known."""
    parent = state.parents.get(m["parent_id"])
    epoch = parent.epochs.get(m["epoch"]) if parent is not None else None
    if parent is None or epoch is None:
        subject = f"{m['parent_id']} epoch {m['epoch']}"
        state.findings.add(Code.LINEAGE, subject, f"{entry.name} names it, unknown", entry)
        return None
    return parent, epoch


def check_parent(state: ShardState, parent: Parent, epoch: Epoch, entry: Entry) -> None:
    """Prove the exposure law for a parent and one of its epochs, after any event."""
    if parent.filled + parent.exposure > parent.ordered:
        text = f"filled {parent.filled} + exposed {parent.exposure} of {parent.ordered} ordered"
        state.findings.add(Code.EXPOSURE, parent.parent_id, text, entry)
    if epoch.released > epoch.quantity or epoch.exposure < 0:
        subject = f"{parent.parent_id} epoch {epoch.number}"
        text = f"released {epoch.released} of {epoch.quantity}, exposed {epoch.exposure}"
        state.findings.add(Code.EXPOSURE, subject, text, entry)


def released(state: ShardState, m: Message, entry: Entry) -> None:
    """A slice leaves its epoch's room."""
    found = epoch_of(state, m, entry)
    if found is None:
        return
    parent, epoch = found
    if m["slice_id"] in state.slices:
        state.findings.add(Code.LINEAGE, m["slice_id"], "is released twice", entry)
    if parent.is_closed or epoch.is_closed:
        text = f"is released, parent or epoch {epoch.number} is closed"
        state.findings.add(Code.EXPOSURE, m["slice_id"], text, entry)
    if m["side"] != parent.side or m["instrument_id"] != parent.instrument_id:
        text = f"{m['side']} {m['instrument_id']} of {parent.side} {parent.instrument_id}"
        state.findings.add(Code.LINEAGE, m["slice_id"], text, entry)
    if _is_beyond(parent.side, m["limit_price_e9"], parent.limit_price_e9):
        text = f"{parent.side} at {m['limit_price_e9']}, limit {parent.limit_price_e9}"
        state.findings.add(Code.LIMIT_PRICE, m["slice_id"], text, entry)
    state.slices[m["slice_id"]] = Slice(
        m["slice_id"],
        m["parent_id"],
        m["epoch"],
        m["limit_price_e9"],
        m["quantity"],
        overfill=m.get("overfill_quantity", 0),
    )
    budget = state.reference.overfill_quantity(m["quantity"])
    if m.get("overfill_quantity", 0) > budget:
        text = f"may over-fill by {m['overfill_quantity']}, settings allow {budget}"
        state.findings.add(Code.EXPOSURE, m["slice_id"], text, entry)
    epoch.exposure += m["quantity"]
    epoch.released += m["quantity"]
    check_parent(state, parent, epoch, entry)


def _is_beyond(side: str, price: int | None, limit: int | None) -> bool:
    if limit is None:
        return False
    return price is None or (price > limit if side == "BUY" else price < limit)


def returned(state: ShardState, m: Message, entry: Entry) -> None:
    """What no child holds goes back to its epoch."""
    found = epoch_of(state, m, entry)
    part = state.slices.get(m["slice_id"])
    if found is None or part is None:
        return
    parent, epoch = found
    part.unplaced -= m["quantity"]
    if part.unplaced < 0 or (m["is_closed"] and part.unplaced):
        text = f"returns {m['quantity']}, {part.unplaced} unplaced after it"
        state.findings.add(Code.EXPOSURE, part.slice_id, text, entry)
    epoch.exposure -= m["quantity"]
    epoch.released -= m["quantity"]
    check_parent(state, parent, epoch, entry)


def placed(state: ShardState, m: Message, entry: Entry) -> None:
    """A child comes out of what its slice has not placed, and out of nothing else."""
    found, part = epoch_of(state, m, entry), state.slices.get(m["slice_id"])
    if part is None or found is None:
        state.findings.add(Code.LINEAGE, m["child_id"], f"of unknown {m['slice_id']}", entry)
        return
    if (part.parent_id, part.epoch) != (m["parent_id"], m["epoch"]) or m["child_id"] in (
        state.children
    ):
        text = f"of {m['parent_id']} epoch {m['epoch']}, slice of {part.parent_id} {part.epoch}"
        state.findings.add(Code.LINEAGE, m["child_id"], text, entry)
    parent, epoch = found
    if (m["side"], m["instrument_id"]) != (parent.side, parent.instrument_id):
        text = f"{m['side']} {m['instrument_id']} of {parent.side} {parent.instrument_id}"
        state.findings.add(Code.LINEAGE, m["child_id"], text, entry)
    over = m.get("overfill_quantity", 0)
    wanted = m["quantity"] - over
    if parent.is_closed or m["quantity"] <= 0 or not 0 <= wanted <= part.unplaced:
        text = f"places {wanted}, slice has {part.unplaced} unplaced"
        state.findings.add(Code.EXPOSURE, m["child_id"], text, entry)
    if not 0 <= over <= part.overfill - part.over:
        text = f"over-fills by {over}, {part.over} of {part.overfill} is exposed"
        state.findings.add(Code.EXPOSURE, m["child_id"], text, entry)
    if _is_beyond(parent.side, m["price_e9"], part.limit_price_e9):
        text = f"{parent.side} at {m['price_e9']}, limit {part.limit_price_e9}"
        state.findings.add(Code.LIMIT_PRICE, m["child_id"], text, entry)
    part.unplaced -= wanted
    part.over += over
    part.exposure += m["quantity"]
    state.children[m["child_id"]] = Child(
        child_id=m["child_id"],
        slice_id=m["slice_id"],
        parent_id=m["parent_id"],
        epoch=m["epoch"],
        venue_id=m["venue_id"],
        instrument_id=m["instrument_id"],
        side=m["side"],
        quantity=m["quantity"],
        price_e9=m["price_e9"],
        exposure=m["quantity"],
        in_force=m["quantity"],
    )
    check_parent(state, parent, epoch, entry)


def child_of(state: ShardState, m: Message, entry: Entry) -> Child | None:
    """Return the child that an event names, if all that it says of it is so."""
    child = state.children.get(m["child_id"])
    names = ("slice_id", "parent_id", "epoch", "venue_id", "instrument_id")
    if child is None or any(getattr(child, name) != m[name] for name in names):
        text = f"{entry.name} names another slice, parent, epoch, venue or no child at all"
        state.findings.add(Code.LINEAGE, m["child_id"], text, entry)
        return None
    return child


def canceled(state: ShardState, m: Message, entry: Entry) -> None:
    """Off the book: what is free goes to the slice, what is outstanding stays exposed."""
    child = child_of(state, m, entry)
    if child is None:
        return
    if m["canceled_quantity"] + m["outstanding_quantity"] != child.exposure:
        text = (
            f"frees {m['canceled_quantity']} and keeps {m['outstanding_quantity']} of "
            f"{child.exposure} exposed"
        )
        state.findings.add(Code.EXPOSURE, child.child_id, text, entry)
    child.exposure = m["outstanding_quantity"]
    state.slices[child.slice_id].free(m["canceled_quantity"])


def rejected(state: ShardState, m: Message, entry: Entry) -> None:
    """The venue refused it: all of its exposure is free."""
    child = child_of(state, m, entry)
    if child is None:
        return
    if m["quantity"] != child.exposure:
        text = f"reject frees {m['quantity']} of {child.exposure} exposed"
        state.findings.add(Code.EXPOSURE, child.child_id, text, entry)
    child.exposure = 0
    state.slices[child.slice_id].free(m["quantity"])


def named(state: ShardState, m: Message, entry: Entry) -> None:
    """An event that changes no quantity still names a real child."""
    child_of(state, m, entry)


def filled(state: ShardState, m: Message, entry: Entry) -> None:
    """A fill: out of the child's exposure, or late and out of the epoch's room, or an error."""
    child, found = child_of(state, m, entry), epoch_of(state, m, entry)
    if m["fill_id"] in state.fills:
        state.findings.add(Code.CONSERVATION_SHARES, m["fill_id"], "is booked twice", entry)
        return
    if child is None or found is None:
        return
    parent, epoch = found
    quantity, late = m["quantity"], m["late_quantity"]
    fill = Fill(
        fill_id=m["fill_id"],
        child_id=m["child_id"],
        parent_id=m["parent_id"],
        epoch=m["epoch"],
        quantity=quantity,
        error_quantity=m["error_quantity"],
        price_e9=m["price_e9"],
        cash_e9=cash(m["cash_e9"]),
        fee_e9=cash(m["fee_e9"]),
        booked=(quantity, m["price_e9"]),
        booked_cash=(cash(m["cash_e9"]), cash(m["fee_e9"])),
        is_paid=quantity > 0,
    )
    state.fills[fill.fill_id] = fill
    epoch.fill_ids.append(fill.fill_id)
    child.paid += quantity
    exposed = quantity - late + m.get("overfill_quantity", 0)
    _pay_slice(state, m, exposed, entry)
    child.exposure -= exposed
    if child.exposure < 0 or late > quantity:
        text = f"fills {quantity}, {late} of it late, exposure after it {child.exposure}"
        state.findings.add(Code.EXPOSURE, child.child_id, text, entry)
    _check_child(state, child, entry)
    if _is_beyond(parent.side, fill.price_e9, child.price_e9):
        text = f"{parent.side} at {fill.price_e9}, limit {child.price_e9}"
        state.findings.add(Code.VENUE_PRICE, fill.fill_id, text, entry)
    _check_cash(state, fill, parent.instrument_id, entry)
    parent.filled += quantity
    epoch.exposure -= quantity - late
    epoch.released += late
    check_parent(state, parent, epoch, entry)


def _pay_slice(state: ShardState, m: Message, exposed: int, entry: Entry) -> None:
    """A fill of over-subscribed children pays the slice until it is full, and the budget then."""
    part, over = state.slices[m["slice_id"]], m.get("overfill_quantity", 0)
    wanted = part.exposure + part.unplaced - part.over
    if over != max(0, exposed - wanted) or over > min(part.over, m["error_quantity"]):
        text = f"over-fills by {over} of {exposed}, wanted {wanted}, {part.over} beyond it"
        state.findings.add(Code.EXPOSURE, m["fill_id"], text, entry)
    part.exposure -= exposed
    part.over -= over
    part.overfill -= over


def _check_child(state: ShardState, child: Child, entry: Entry) -> None:
    if child.paid > child.quantity:
        text = f"fills of {child.paid} paid, {child.quantity} sent"
        state.findings.add(Code.CONSERVATION_SHARES, child.child_id, text, entry)


def _check_cash(state: ShardState, fill: Fill, instrument_id: str, entry: Entry) -> None:
    scale = state.scales.get(instrument_id)
    if scale is None:
        state.findings.add(Code.LINEAGE, instrument_id, "is traded and not defined", entry)
        return
    wanted = cash_of(fill.price_e9, fill.quantity, scale)
    if fill.cash_e9 != wanted:
        text = f"cash {fill.cash_e9}, {fill.quantity} at {fill.price_e9} is {wanted}"
        state.findings.add(Code.CONSERVATION_CASH, fill.fill_id, text, entry)


def _changed_fill(state: ShardState, m: Message, entry: Entry) -> Fill | None:
    child, fill = child_of(state, m, entry), state.fills.get(m["fill_id"])
    if child is None or fill is None or fill.is_busted or fill.child_id != child.child_id:
        state.findings.add(Code.LINEAGE, m["fill_id"], f"{entry.name}: no such live fill", entry)
        return None
    return fill


def _give_back(state: ShardState, fill: Fill, less: int, entry: Entry) -> None:
    parent = state.parents[fill.parent_id]
    epoch = parent.epochs[fill.epoch]
    state.children[fill.child_id].paid -= less
    parent.filled -= less
    if not epoch.is_closed:
        epoch.released -= less
    if fill.house is not None:
        fill.house.paid -= less
    check_parent(state, parent, epoch, entry)


def busted(state: ShardState, m: Message, entry: Entry) -> None:
    """The venue took a fill back: what is taken is what stood."""
    fill = _changed_fill(state, m, entry)
    if fill is None:
        return
    stood = (fill.quantity, fill.error_quantity, fill.cash_e9, fill.fee_e9)
    taken = (m["quantity"], m["error_quantity"], cash(m["cash_e9"]), cash(m["fee_e9"]))
    if stood != taken:
        text = f"bust takes quantity, error, cash, fee {taken} of {stood}"
        state.findings.add(Code.CONSERVATION_CASH, fill.fill_id, text, entry)
    _give_back(state, fill, fill.quantity, entry)
    fill.quantity = fill.error_quantity = fill.cash_e9 = fill.fee_e9 = 0
    fill.is_busted = True
    state.busted.add(fill.fill_id)


def corrected(state: ShardState, m: Message, entry: Entry) -> None:
    """The venue changed a fill: never more to the epoch than before."""
    fill = _changed_fill(state, m, entry)
    if fill is None:
        return
    if m["previous_quantity"] != fill.quantity or m["quantity"] > fill.quantity:
        text = f"corrected from {m['previous_quantity']} to {m['quantity']}, was {fill.quantity}"
        state.findings.add(Code.CONSERVATION_SHARES, fill.fill_id, text, entry)
    _give_back(state, fill, fill.quantity - m["quantity"], entry)
    fill.quantity, fill.error_quantity = m["quantity"], m["error_quantity"]
    fill.price_e9 = m["price_e9"]
    fill.cash_e9, fill.fee_e9 = cash(m["cash_e9"]), cash(m["fee_e9"])
    _check_cash(state, fill, m["instrument_id"], entry)


HANDLERS = {
    "strategy.SliceReleased": released,
    "routing.SliceReturned": returned,
    "routing.ChildPlaced": placed,
    "routing.ChildAcknowledged": named,
    "routing.ChildCancelRequested": named,
    "routing.ChildCancelRejected": named,
    "routing.ChildStatusRequested": named,
    "routing.ChildCanceled": canceled,
    "routing.ChildRejected": rejected,
    "routing.FillBooked": filled,
    "routing.FillBusted": busted,
    "routing.FillCorrected": corrected,
}
