"""Who met whom in a cross: nobody who may not, as much as possible, and nobody left behind."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from services.audit.stages import lot_of, tier_of
from services.audit.state import Order

__all__ = ["meeting_breaches"]

Message = dict[str, Any]
Bar = tuple[str, str, str]  # level and the two names
Class = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Side:
    """The orders of one side: what each could give, what it got, of which class it is."""

    weights: dict[str, int]
    tiers: dict[str, int]
    classes: dict[str, Class]
    shares: dict[str, int] = field(default_factory=dict)

    def leaves(self, order_id: str) -> int:
        return self.weights[order_id] - self.shares.get(order_id, 0)


def meeting_breaches(
    m: Message, orders: dict[str, Order], restrictions: Iterable[Bar]
) -> Iterator[str]:
    """Yield what is wrong with who met whom in a cross whose orders are all known."""
    members = (*m["buys"], *m["sells"])
    owners = {orders[e["order_id"]].owner for e in members}
    is_own = m.get("kind") == "OWN_NETTING"
    if is_own and len(owners) > 1:
        yield f"nets the interest of {len(owners)} owners"
    bars = {*restrictions}
    if not is_own:
        bars |= {("OWNER", owner, owner) for owner in owners}
    bars = {bar for bar in bars if _touches(bar, m, orders)}
    pairs = m.get("pairs", [])
    if not pairs:
        if bars:
            yield f"meets across {sorted(bars)}"
        smaller = min(sum(e["quantity"] for e in m[side]) for side in ("buys", "sells"))
        if m["quantity"] != smaller:
            yield f"quantity {m['quantity']}, smaller side {smaller}"
        return
    sides = [_side(m[name], orders, bars) for name in ("buys", "sells")]
    yield from _pair_breaches(m, sides, bars)
    lot = lot_of(m)
    slack = 1 if lot == 1 else 2 * lot  # lots come before odd rests
    flows = _flows(pairs, sides)
    yield from _unfair(sides[0], sides[1], flows, bars, slack)
    back = {(other, one): quantity for (one, other), quantity in flows.items()}
    yield from _unfair(sides[1], sides[0], back, bars, slack)


def _name(order: Order, level: str) -> str:
    return {"ACCOUNT": order.account_id, "CLIENT": order.client_id, "OWNER": order.owner}[level]


def _touches(bar: Bar, m: Message, orders: dict[str, Order]) -> bool:
    level, one, other = bar
    buying, selling = (
        {_name(orders[e["order_id"]], level) for e in m[side]} for side in ("buys", "sells")
    )
    return (one in buying and other in selling) or (other in buying and one in selling)


def _side(members: list[Message], orders: dict[str, Order], bars: set[Bar]) -> _Side:
    named = {(level, name) for level, *names in bars for name in names}
    levels = ("ACCOUNT", "CLIENT", "OWNER")
    classes = {}
    for e in members:
        names = [(level, _name(orders[e["order_id"]], level)) for level in levels]
        classes[e["order_id"]] = tuple(name for name in names if name in named)
    return _Side(
        weights={e["order_id"]: e["quantity"] for e in members},
        tiers={e["order_id"]: tier_of(e) for e in members},
        classes=classes,
    )


def _may_meet(one: Class, other: Class, bars: set[Bar]) -> bool:
    for level, name in one:
        for level_too, name_too in other:
            a, b = sorted((name, name_too))
            if level == level_too and (level, a, b) in bars:
                return False
    return True


def _pair_breaches(m: Message, sides: list[_Side], bars: set[Bar]) -> Iterator[str]:
    buys, sells = sides
    for pair in m["pairs"]:
        buyer, seller, quantity = pair["buy_order_id"], pair["sell_order_id"], pair["quantity"]
        if buyer not in buys.weights or seller not in sells.weights or quantity <= 0:
            yield f"{buyer} meets {seller} for {quantity} and took no part"
            continue
        if not _may_meet(buys.classes[buyer], sells.classes[seller], bars):
            yield f"{buyer} meets {seller}, who may not meet"
        buys.shares[buyer] = buys.shares.get(buyer, 0) + quantity
        sells.shares[seller] = sells.shares.get(seller, 0) + quantity
    for side in sides:
        over = [each for each in side.shares if side.leaves(each) < 0]
        if over or sum(side.shares.values()) != m["quantity"]:
            yield f"pairs sum to {side.shares}, quantity {m['quantity']}"


def _flows(pairs: list[Message], sides: list[_Side]) -> dict[tuple[Class, Class], int]:
    flows: dict[tuple[Class, Class], int] = {}
    for pair in pairs:
        buyer, seller = pair["buy_order_id"], pair["sell_order_id"]
        if buyer in sides[0].classes and seller in sides[1].classes:
            key = (sides[0].classes[buyer], sides[1].classes[seller])
            flows[key] = flows.get(key, 0) + pair["quantity"]
    return flows


def _unfair(
    side: _Side, other: _Side, flows: dict[tuple[Class, Class], int], bars: set[Bar], slack: int
) -> Iterator[str]:
    """Yield who could have had a share of somebody better off, or of nobody at all.

    A class may take from a seller that it may meet, hence from whoever that seller served: if no
    chain of such steps leads to anybody better off, no division does better by those behind.
    """
    spare = {other.classes[each] for each in other.weights if other.leaves(each) > 0}
    for mine in sorted(set(side.classes.values())):
        behind = [
            each for each, name in side.classes.items() if name == mine and side.leaves(each) > 0
        ]
        if not behind:
            continue
        classes, reached = _reach(mine, set(other.classes.values()), flows, bars)
        if reached & spare:
            yield f"more could meet: {behind[0]} and who is left of the other side"
        ahead = [
            each
            for each, name in side.classes.items()
            if name in classes and side.shares.get(each, 0)
        ]
        yield from _compared(side, behind, ahead, slack)


def _reach(
    start: Class, others: set[Class], flows: dict[tuple[Class, Class], int], bars: set[Bar]
) -> tuple[set[Class], set[Class]]:
    classes, reached, queue = {start}, set[Class](), [start]
    while queue:
        mine = queue.pop()
        for other in others - reached:
            if _may_meet(mine, other, bars):
                reached.add(other)
                served = {one for (one, who), quantity in flows.items() if who == other}
                queue += sorted(served - classes)
                classes |= served
    return classes, reached


def _compared(side: _Side, behind: list[str], ahead: list[str], slack: int) -> Iterator[str]:
    for poor in behind:
        for rich in ahead:
            if side.tiers[poor] < side.tiers[rich]:
                yield f"{rich} has {side.shares[rich]} before {poor} of an earlier tier is full"
                return
            had, has = side.shares.get(poor, 0) + slack, side.shares[rich] - slack
            if side.tiers[poor] == side.tiers[rich] and (
                had * side.weights[rich] < has * side.weights[poor]
            ):
                yield (
                    f"{rich} has {side.shares[rich]} of {side.weights[rich]}, {poor} could have "
                    f"more than {side.shares.get(poor, 0)} of {side.weights[poor]}"
                )
                return
