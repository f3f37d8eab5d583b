"""Laws of allocation: every fill given whole, within the quota, and its cash to the unit."""

from typing import Any

from services.audit.exposure import epoch_of
from services.audit.findings import Code
from services.audit.orders import give
from services.audit.records import Entry, cash
from services.audit.stages import breaches
from services.audit.state import Epoch, Fill, House, ShardState

__all__ = [
    "HANDLERS",
    "check_cash",
    "check_entries",
    "check_house",
    "check_parts",
    "check_quota",
    "check_unpaid",
]

Message = dict[str, Any]


def check_quota(state: ShardState, subject: str, house: House, entry: Entry) -> None:
    """Prove stage after stage |share - weight x filled / size| < one unit, and nobody above all.

    `shares` is what the rule gave; what minimal restatements took of it stands apart.
    """
    for order_id, share in house.shares.items():
        if not 0 <= share <= house.weights.get(order_id, 0):
            text = f"{order_id} has {share}, weight {house.weights.get(order_id, 0)}"
            state.findings.add(Code.ALLOCATION_QUOTA, subject, text, entry)
    for text in breaches(house.stages, house.shares):
        state.findings.add(Code.ALLOCATION_QUOTA, subject, text, entry)


def allocated(state: ShardState, m: Message, entry: Entry) -> None:
    """A fill is given once, to the members of its epoch or of that epoch's tail."""
    fill, found = state.fills.get(m["fill_id"]), epoch_of(state, m, entry)
    if (
        fill is None
        or found is None
        or (fill.parent_id, fill.epoch)
        != (
            m["parent_id"],
            m["epoch"],
        )
    ):
        text = f"is allocated to {m['parent_id']} epoch {m['epoch']}, not its own"
        state.findings.add(Code.LINEAGE, m["fill_id"], text, entry)
        return
    if fill.house is not None:
        state.findings.add(Code.CONSERVATION_SHARES, fill.fill_id, "is allocated twice", entry)
        return
    parent, epoch = found
    house = epoch.tail if m["is_tail"] else epoch.main
    subject = f"{parent.parent_id} epoch {epoch.number}{' tail' if m['is_tail'] else ''}"
    if house is None or m["is_tail"] != epoch.is_closed:
        state.findings.add(Code.LINEAGE, fill.fill_id, f"is given to {subject}", entry)
        return
    total = sum(e["quantity"] for e in m["entries"])
    if total != m["quantity"] or fill.booked != (m["quantity"], m["price_e9"]):
        text = (
            f"{total} given, event says {m['quantity']} at {m['price_e9']}, "
            f"booked quantity and price {fill.booked}"
        )
        state.findings.add(Code.CONSERVATION_SHARES, fill.fill_id, text, entry)
    fill.house = house
    house.paid += fill.quantity
    for part in m["entries"]:
        if part["quantity"] <= 0:
            text = f"gives {part['quantity']} to {part['order_id']}"
            state.findings.add(Code.CONSERVATION_SHARES, fill.fill_id, text, entry)
    check_entries(state, subject, house, m["entries"], is_minimal=False, entry=entry)
    check_quota(state, subject, house, entry)
    if house is epoch.tail and house.given == house.size:
        epoch.is_resolved = True  # nothing of it is left to come; a bust frees for a new epoch


def check_entries(
    state: ShardState,
    subject: str,
    house: House,
    entries: list[Message],
    *,
    is_minimal: bool,
    entry: Entry,
) -> None:
    """Apply changes of shares to a house and its orders."""
    for part in entries:
        order_id, change = part["order_id"], part["quantity"]
        if order_id not in house.weights:
            text = f"{order_id} gets {change} and is no member"
            state.findings.add(Code.LINEAGE, subject, text, entry)
        if is_minimal:
            house.taken[order_id] = house.taken.get(order_id, 0) - change
        else:
            house.shares[order_id] = house.shares.get(order_id, 0) + change
        if part["cumulative_quantity"] != house.held(order_id):
            text = (
                f"{order_id} holds {house.held(order_id)}, event says {part['cumulative_quantity']}"
            )
            state.findings.add(Code.CONSERVATION_SHARES, subject, text, entry)
        give(state, order_id, change, entry)


def restated(state: ShardState, m: Message, entry: Entry) -> None:
    """Shares after a bust or correction: as if it had never happened, or its own taken back."""
    fill, found = state.fills.get(m["fill_id"]), epoch_of(state, m, entry)
    if fill is None or found is None or fill.house is None:
        state.findings.add(Code.LINEAGE, m["fill_id"], "is restated, was never given", entry)
        return
    parent, epoch = found
    house = epoch.tail if m["is_tail"] else epoch.main
    if house is not fill.house:
        state.findings.add(Code.LINEAGE, fill.fill_id, "is restated in another house", entry)
        return
    subject = f"{parent.parent_id} epoch {epoch.number}{' tail' if m['is_tail'] else ''}"
    more = [e["order_id"] for e in m["entries"] if e["quantity"] > 0]
    is_final = epoch.is_resolved if m["is_tail"] else epoch.is_closed
    if more and (is_final or parent.is_closed):
        text = f"restatement of {fill.fill_id} gives more to {more}"
        state.findings.add(Code.CONSERVATION_SHARES, subject, text, entry)
    entries = m["entries"]
    check_entries(state, subject, house, entries, is_minimal=m["is_minimal"], entry=entry)
    check_quota(state, subject, house, entry)


def check_house(state: ShardState, subject: str, house: House, entry: Entry) -> None:
    """Prove that a house gave what its fills paid, no more and no less."""
    if house.given != house.paid:
        text = f"{house.given} given, fills pay {house.paid}"
        state.findings.add(Code.CONSERVATION_SHARES, subject, text, entry)


def check_unpaid(state: ShardState, fill: Fill, entry: Entry) -> None:
    """Prove at the end of its batch that a fill was given to somebody."""
    if fill.quantity and fill.house is None:
        text = f"{fill.quantity} booked, given to nobody"
        state.findings.add(Code.CONSERVATION_SHARES, fill.fill_id, text, entry)


def cash_allocated(state: ShardState, m: Message, entry: Entry) -> None:
    """An epoch's or a fill's cash and fees: all of it, each part within one unit of exact."""
    found = epoch_of(state, m, entry)
    if found is None:
        return
    parent, epoch = found
    subject = f"{parent.parent_id} epoch {epoch.number}"
    fill_id = m.get("fill_id", "")
    if bool(fill_id) != epoch.is_per_fill:
        text = f"cash of fill {fill_id!r}, epoch divides per fill: {epoch.is_per_fill}"
        state.findings.add(Code.LINEAGE, subject, text, entry)
        return
    if epoch.is_per_fill:
        _fill_cash(state, epoch, m, entry)
        return
    if m["version"] != epoch.cash_version + 1 or not epoch.is_closed:
        text = f"version {m['version']} after {epoch.cash_version}, closed: {epoch.is_closed}"
        state.findings.add(Code.LINEAGE, subject, text, entry)
    given = {e["order_id"]: e["quantity"] for e in m["entries"]}
    if given != _held(epoch):
        text = "cash is divided by other shares than were allocated"
        state.findings.add(Code.CONSERVATION_CASH, subject, text, entry)
    wanted = pool(state, epoch)
    stated = (m["quantity"], cash(m["cash_e9"]), cash(m["fee_e9"]))
    if stated != wanted:
        text = f"quantity, cash, fee {stated}, fills make {wanted}"
        state.findings.add(Code.CONSERVATION_CASH, subject, text, entry)
    check_parts(state, subject, m["entries"], stated, entry)
    epoch.cash_version, epoch.cash = m["version"], stated


def _fill_cash(state: ShardState, epoch: Epoch, m: Message, entry: Entry) -> None:
    fill = state.fills.get(m["fill_id"])
    if fill is None or fill.fill_id not in epoch.fill_ids or m["version"] != fill.cash_version + 1:
        text = f"cash version {m['version']} of no fill of epoch {epoch.number}, or out of turn"
        state.findings.add(Code.LINEAGE, m["fill_id"], text, entry)
        return
    stands = (fill.quantity, fill.cash_e9, fill.fee_e9)
    wanted = stands if fill.cash_version else (fill.booked[0], *fill.booked_cash)
    stated = (m["quantity"], cash(m["cash_e9"]), cash(m["fee_e9"]))
    if stated != wanted:
        text = f"quantity, cash, fee {stated}, the fill makes {wanted}"
        state.findings.add(Code.CONSERVATION_CASH, fill.fill_id, text, entry)
    check_parts(state, fill.fill_id, m["entries"], stated, entry)
    shares = {e["order_id"]: e["quantity"] for e in m["entries"]}
    for order_id in {**fill.cash_shares, **shares}:
        change = shares.get(order_id, 0) - fill.cash_shares.get(order_id, 0)
        epoch.cash_shares[order_id] = epoch.cash_shares.get(order_id, 0) + change
    fill.cash_version, fill.cash_given, fill.cash_shares = m["version"], stated, shares


def check_cash(state: ShardState, subject: str, epoch: Epoch, is_closed: bool, at: Entry) -> None:
    """Prove at the end of a batch that cash was given as fills stand: pools once all is closed."""
    due = pool(state, epoch)
    given = epoch.cash or (0, 0, 0)
    if not epoch.is_per_fill:
        if is_closed and given != due:
            text = f"parent is closed; quantity, cash, fee {given} given, {due} due"
            state.findings.add(Code.CONSERVATION_CASH, subject, text, at)
        return
    parts = [state.fills[fill_id].cash_given for fill_id in epoch.fill_ids]
    quantity, cash_e9, fee_e9 = (sum(part[i] for part in parts) for i in range(3))
    if (quantity, cash_e9, fee_e9) != due:
        text = f"fills gave quantity, cash, fee {(quantity, cash_e9, fee_e9)}, {due} due"
        state.findings.add(Code.CONSERVATION_CASH, subject, text, at)
    if {each: share for each, share in epoch.cash_shares.items() if share} != _held(epoch):
        text = "cash is divided by other shares than were allocated"
        state.findings.add(Code.CONSERVATION_CASH, subject, text, at)


def check_parts(
    state: ShardState,
    subject: str,
    entries: list[Message],
    whole: tuple[int, int, int],
    entry: Entry,
) -> None:
    """Prove that parts sum to quantity, cash and fee, each within one unit of pro rata."""
    quantity, cash_e9, fee_e9 = whole
    for name, total in (("cash_e9", cash_e9), ("fee_e9", fee_e9)):
        parts = [(e["quantity"], cash(e[name])) for e in entries]
        if sum(part for _, part in parts) != total or sum(q for q, _ in parts) != quantity:
            text = f"{name} parts sum to {sum(part for _, part in parts)} of {total}"
            state.findings.add(Code.CONSERVATION_CASH, subject, text, entry)
        if any(abs(part * quantity - share * total) >= quantity for share, part in parts):
            text = f"a part of {name} is not pro rata within one unit"
            state.findings.add(Code.CONSERVATION_CASH, subject, text, entry)


def _held(epoch: Epoch) -> dict[str, int]:
    held: dict[str, int] = {}
    for house in epoch.houses():
        for order_id in house.shares:
            held[order_id] = held.get(order_id, 0) + house.held(order_id)
    return {order_id: share for order_id, share in held.items() if share}


def pool(state: ShardState, epoch: Epoch) -> tuple[int, int, int]:
    """Return quantity, cash and fee of the epoch's fills as they stand; error fills left out."""
    fills = [state.fills[fill_id] for fill_id in epoch.fill_ids]
    return (
        sum(fill.quantity for fill in fills),
        sum(fill.cash_e9 for fill in fills if fill.is_paid),
        sum(fill.fee_e9 for fill in fills if fill.is_paid),
    )


HANDLERS = {
    "allocation.FillAllocated": allocated,
    "allocation.AllocationRestated": restated,
    "allocation.CashAllocated": cash_allocated,
}
