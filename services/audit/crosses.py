"""Laws of the internal cross: exact midpoint of a real quote, allowed, both sides equal."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from services.audit.findings import Code
from services.audit.orders import give
from services.audit.records import Entry, cash
from services.audit.shares import check_parts, check_quota
from services.audit.stages import lot_of
from services.audit.state import House, ShardState, cash_of

__all__ = ["Books", "allocated", "executed"]

Message = dict[str, Any]
BOOKS_KEPT = 20_000  # quotes older than the declared age forbid a cross, so few are enough


class Books:
    """The newest books as bytes, read only when a cross refers to one."""

    def __init__(self, read: Callable[[bytes], Message]) -> None:
        self._read = read
        self._values: OrderedDict[bytes, bytes] = OrderedDict()

    def keep(self, entry: Entry) -> None:
        """Note a book; the oldest goes."""
        self._values[entry.envelope["event_id"]] = entry.raw.value
        if len(self._values) > BOOKS_KEPT:
            self._values.popitem(last=False)

    def find(self, event_id: bytes) -> Message | None:
        """Return the book of that id if it is recent."""
        value = self._values.get(event_id)
        return None if value is None else self._read(value)


def executed(state: ShardState, books: Books, m: Message, entry: Entry) -> None:
    """A cross: declared, at the exact midpoint of the evidence, within every limit."""
    cross_id, quantity, price = m["cross_id"], m["quantity"], m["price_e9"]
    evidence = m["evidence"]
    bid, ask = evidence["bid_e9"], evidence["ask_e9"]
    sides = {"BUY": m["buys"], "SELL": m["sells"]}
    smaller = min(sum(e["quantity"] for e in side) for side in sides.values())
    declared = state.crossings.get(m["tenant"])
    breaches = [
        (2 * price != bid + ask or not 0 < bid < ask, f"price {price} of bid {bid}, ask {ask}"),
        (not 0 < quantity <= smaller, f"quantity {quantity}, smaller side {smaller}"),
        (declared is None or not declared["is_allowed"], f"{m['tenant']} declared no crossing"),
    ]
    if declared is not None:
        age = m["crossed_ns"] - evidence["quote_ns"]
        is_wide = (ask - bid) * 20_000 > declared["spread_max_bps"] * (bid + ask)
        breaches += [
            (m["declaration_id"] != declared["declaration_id"], "another declaration"),
            (age > declared["quote_age_max_ns"], f"quote {age} ns old"),
            (is_wide, f"spread of {bid} to {ask} is too wide"),
        ]
    for is_breach, text in breaches:
        if is_breach:
            state.findings.add(Code.CROSS, cross_id, text, entry)
    _check_evidence(state, books, m, entry)
    accounts = [
        {_check_member(state, m, side, e["order_id"], entry) for e in entries}
        for side, entries in sides.items()
    ]
    if accounts[0] & accounts[1]:
        text = f"accounts {sorted(accounts[0] & accounts[1])} on both sides"
        state.findings.add(Code.CROSS, cross_id, text, entry)
    state.crosses[cross_id] = m


def _check_evidence(state: ShardState, books: Books, m: Message, entry: Entry) -> None:
    evidence = m["evidence"]
    for side, levels in (("bid", "bids"), ("ask", "asks")):
        book = books.find(evidence[f"{side}_event_id"])
        shown = (
            book[levels][0]["price_e9"] if book is not None and book[levels] else None,
            book["venue_id"] if book is not None else None,
            book["instrument_id"] if book is not None else None,
        )
        wanted = (evidence[f"{side}_e9"], evidence[f"{side}_venue_id"], m["instrument_id"])
        if shown != wanted:
            text = f"{side} evidence {wanted}, the book shows {shown}"
            state.findings.add(Code.CROSS, m["cross_id"], text, entry)


def _check_member(state: ShardState, m: Message, side: str, order_id: str, entry: Entry) -> str:
    order = state.orders.get(order_id)
    if order is None:
        state.findings.add(Code.LINEAGE, order_id, f"crosses in {m['cross_id']}, unknown", entry)
        return ""
    is_own = (order.side, order.instrument_id, order.tenant) == (
        side,
        m["instrument_id"],
        m["tenant"],
    )
    limit, price = order.limit_price_e9, m["price_e9"]
    is_within = limit is None or (price <= limit if side == "BUY" else price >= limit)
    if not (is_own and is_within and order.is_cross_allowed):
        text = f"{order_id}: {order.side}, limit {limit}, allowed {order.is_cross_allowed}"
        state.findings.add(Code.CROSS, m["cross_id"], text, entry)
    return order.account_id


def allocated(state: ShardState, m: Message, entry: Entry) -> None:
    """Both sides get exactly the quantity, and pay or get exactly the same cash."""
    cross_id = m["cross_id"]
    cross = state.crosses.pop(cross_id, None)
    if cross is None:
        text = "is given, was not executed, or twice"
        state.findings.add(Code.CONSERVATION_SHARES, cross_id, text, entry)
        return
    if (m["quantity"], m["price_e9"]) != (cross["quantity"], cross["price_e9"]):
        text = f"{m['quantity']} at {m['price_e9']}, executed {cross['quantity']}"
        state.findings.add(Code.CONSERVATION_SHARES, cross_id, text, entry)
    state.crosses_given += 1
    state.crossed_quantity += cross["quantity"]
    scale = state.scales.get(cross["instrument_id"], 0)
    whole = cash_of(cross["price_e9"], cross["quantity"], scale) if scale else 0
    for side in ("buys", "sells"):
        given = sum(e["quantity"] for e in m[side])
        if given != cross["quantity"]:
            text = f"{side} get {given} of {cross['quantity']}"
            state.findings.add(Code.CONSERVATION_SHARES, cross_id, text, entry)
        paid = sum(cash(e["cash_e9"]) for e in m[side])
        if paid != whole:
            text = f"{side} pay {paid}, {cross['quantity']} at {cross['price_e9']} is {whole}"
            state.findings.add(Code.CONSERVATION_CASH, cross_id, text, entry)
        check_parts(state, f"{cross_id} {side}", m[side], (given, paid, 0), entry)
        house = House.of(cross[side], lot_of(cross))
        for part in m[side]:
            if part["order_id"] not in house.weights:
                text = f"{part['order_id']} gets {part['quantity']} and took no part"
                state.findings.add(Code.LINEAGE, cross_id, text, entry)
            house.shares[part["order_id"]] = part["quantity"]
            give(state, part["order_id"], part["quantity"], entry)
        check_quota(state, f"{cross_id} {side}", house, entry)
