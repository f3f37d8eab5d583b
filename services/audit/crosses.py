"""Laws of the internal cross: the exact midpoint of the quote in force, guarded, and allowed."""

from typing import Any

from services.audit.findings import Code
from services.audit.market import Market
from services.audit.meetings import meeting_breaches
from services.audit.orders import give
from services.audit.records import Entry, cash
from services.audit.shares import check_parts, check_quota
from services.audit.stages import lot_of
from services.audit.state import House, ShardState, cash_of

__all__ = ["allocated", "executed"]

Message = dict[str, Any]


def executed(state: ShardState, market: Market, m: Message, entry: Entry) -> None:
    """A cross: declared, at the midpoint in force, within every limit, between who may meet."""
    cross_id = m["cross_id"]
    is_own = m.get("kind") == "OWN_NETTING"
    texts = [*_rule_breaches(state, market, m), *_price_breaches(state, market, m)]
    members = [(side, e) for side in ("BUY", "SELL") for e in m[f"{side.lower()}s"]]
    unknown = [e["order_id"] for _, e in members if e["order_id"] not in state.orders]
    for order_id in unknown:
        state.findings.add(Code.LINEAGE, order_id, f"crosses in {cross_id}, unknown", entry)
    if not unknown:
        texts += [text for side, e in members if (text := _member_breach(state, m, side, e))]
        barred = state.reference.restrictions.get(m["tenant"], set())
        texts += meeting_breaches(m, state.orders, barred)
    for text in texts:
        state.findings.add(Code.CROSS, cross_id, text, entry)
    state.crosses[cross_id] = m
    if state.round is not None:
        state.round.netted += m["quantity"] if is_own else 0
        state.round.crossed += 0 if is_own else m["quantity"]


def _rule_breaches(state: ShardState, market: Market, m: Message) -> list[str]:
    """Return the guards of the declaration, or of own netting, that do not hold."""
    declared = state.reference.crossing(m["tenant"])
    if declared is None and m.get("kind") == "OWN_NETTING":
        declared = state.reference.own_netting()
    if declared is None:
        return [f"{m['tenant']} declared no crossing"]
    bid, ask = m["evidence"]["bid_e9"], m["evidence"]["ask_e9"]
    age_ns = m["crossed_ns"] - m["evidence"]["quote_ns"]
    texts = []
    if m["declaration_id"] != declared["declaration_id"]:
        texts.append(f"names {m['declaration_id']}, {declared['declaration_id']} is in force")
    if age_ns > declared["quote_age_max_ns"]:
        texts.append(f"quote {age_ns} ns old")
    if (ask - bid) * 20_000 > declared["spread_max_bps"] * (bid + ask):
        texts.append(f"spread of {bid} to {ask} is too wide")
    part_bps = declared.get("spread_median_bps", 0)
    if part_bps:
        median = market.median_spread_e9(m["instrument_id"])
        is_wide = not median or (ask - bid) * 10_000 > part_bps * median
        if is_wide or m.get("median_spread_e9", 0) != median:
            told = m.get("median_spread_e9", 0)
            texts.append(f"spread of {bid} to {ask}, median {median}, told {told}")
    return texts


def _price_breaches(state: ShardState, market: Market, m: Message) -> list[str]:
    """Return what is wrong with price and evidence at the best instant of the batch."""
    evidence, price = m["evidence"], m["price_e9"]
    bid, ask = evidence["bid_e9"], evidence["ask_e9"]
    texts = []
    if 2 * price != bid + ask or not 0 < bid < ask:
        texts.append(f"price {price} of bid {bid}, ask {ask}")
    if m["quantity"] <= 0:
        texts.append(f"quantity {m['quantity']}")
    wanted = (
        bid,
        ask,
        (evidence["bid_venue_id"], evidence["bid_event_id"]),
        (evidence["ask_venue_id"], evidence["ask_event_id"]),
        evidence["quote_ns"],
    )
    # A round that closes by time or for urgent orders does so when the whole batch is read.
    cause = state.round.message["cause"] if state.round is not None else ""
    is_end_only = cause in ("WINDOW_TIME", "WINDOW_ZERO")
    first = ""
    for _ in market.instants(m["instrument_id"], is_end_only=is_end_only):
        stop = market.interruption(m["instrument_id"], bid + ask)
        for quote in market.quotes(m["instrument_id"], m["crossed_ns"]):
            if quote == wanted and not stop:
                return texts
            first = first or stop or f"evidence {wanted}, in force {quote}"
    return [*texts, first]


def _member_breach(state: ShardState, m: Message, side: str, member: Message) -> str:
    """Return what forbids an order to take part; empty when nothing does."""
    order = state.orders[member["order_id"]]
    limit, price = order.limit_price_e9, m["price_e9"]
    is_own = (order.side, order.instrument_id, order.tenant) == (
        side,
        m["instrument_id"],
        m["tenant"],
    )
    is_within = limit is None or (price <= limit if side == "BUY" else price >= limit)
    if not (is_own and is_within and order.is_cross_allowed):
        return f"{order.order_id}: {order.side}, limit {limit}, allowed {order.is_cross_allowed}"
    if not state.reference.is_consenting(order.account_id, order.tenant):
        return f"{order.order_id}: account {order.account_id} does not consent"
    if order.start_ns > m["crossed_ns"]:
        return f"{order.order_id}: starts at {order.start_ns} only"
    if not 0 < member["quantity"] <= order.bound - order.filled:
        return f"{order.order_id}: {member['quantity']} of {order.bound - order.filled} wanted"
    return ""


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
        if not cross.get("pairs"):
            check_quota(state, f"{cross_id} {side}", house, entry)
        elif house.shares != (paired := _paired(cross["pairs"], side)):
            text = f"{side} get {house.shares}, their pairs say {paired}"
            state.findings.add(Code.CONSERVATION_SHARES, cross_id, text, entry)


def _paired(pairs: list[Message], side: str) -> dict[str, int]:
    """Return what the pairs give to each order of one side."""
    shares: dict[str, int] = {}
    for pair in pairs:
        order_id = pair[f"{side[:-1]}_order_id"]
        shares[order_id] = shares.get(order_id, 0) + pair["quantity"]
    return shares
