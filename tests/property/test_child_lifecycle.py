"""Model check: every interleaving of up to six messages about one child, believable or not."""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import msgspec
import pytest

from schemas.messages.core import Cause, ExecType, OrderStatus
from schemas.messages.venues import OrderCancelReject
from streams.core.errors import CorruptHistoryError
from streams.routing import ROUTING, RoutingState, exposures
from streams.routing.commands import ApplyCancelReject, ApplyReport, CancelChildren, ReplaceChild
from streams.routing.lifecycle import ANY, CLOSED, LIFECYCLE, hold
from streams.routing.state import Child, Phase, find_child
from tests.support.builders import OPEN_NS, SECOND
from tests.support.routing import (
    PRICE_E9,
    acknowledged,
    market,
    opened,
    placed,
    released,
    report,
    wake,
)

DEPTH = 6
CHILD, ORDERED, SIZE = "P.1.1", 3, 2
NO_MARKET = market(quote=None)  # what is freed goes back: one child is enough
S: TypeAlias = OrderStatus
E: TypeAlias = ExecType


class World:
    """A routing state with one child, and what the messages need to be told apart."""

    def __init__(self, state: RoutingState, fills: int = 0, changes: int = 0) -> None:
        self.state = state
        self.fills = fills
        self.changes = changes

    @property
    def child(self) -> Child:
        found = find_child(self.state, CHILD)
        assert found is not None
        return found

    @property
    def key(self) -> object:
        part = self.state.slices.get("P.1")
        fills = tuple((each.quantity, each.is_busted) for each in self.state.fills.values())
        unplaced = (0, False) if part is None else (part.unplaced, part.is_ending)
        child = msgspec.structs.replace(self.child, due_ns=min(self.child.due_ns, 1))
        return msgspec.json.encode(child), unplaced, fills, self.fills, self.changes

    def told(self, exec_type: E, status: S, exec_id: str = "s", **changes: Any) -> ApplyReport:
        child = self.child
        fields: dict[str, Any] = {
            "order_status": status,
            "cumulative_quantity": max(child.net, 0),
            "leaves_quantity": child.exposure,
            "market": NO_MARKET,
            "request": child.replaced,
            **changes,
        }
        return report(exec_type, f"{exec_id}{self.fills}.{self.changes}", **fields)


def fill(world: World) -> ApplyReport:
    world.fills += 1
    changes: dict[str, Any] = {"last_quantity": 1, "last_price_e9": PRICE_E9}
    return world.told(E.TRADE, S.PARTIALLY_FILLED, "f", **changes)


def final_fill(world: World) -> ApplyReport:
    world.fills += 1
    changes: dict[str, Any] = {"last_quantity": 1, "last_price_e9": PRICE_E9, "leaves_quantity": 0}
    net = world.child.net + 1
    return world.told(E.TRADE, S.FILLED, "f", cumulative_quantity=net, **changes)


def change(exec_type: E) -> Callable[[World], ApplyReport | None]:
    def make(world: World) -> ApplyReport | None:
        if not world.state.fills:
            return None
        world.changes += 1
        last = next(reversed(world.state.fills)).partition("/")[2]
        price: dict[str, Any] = {"last_quantity": 2, "last_price_e9": PRICE_E9}
        return world.told(exec_type, S.PARTIALLY_FILLED, "c", exec_ref_id=last, **price)

    return make


def order(exec_type: E, status: S, **changes: Any) -> Callable[[World], ApplyReport]:
    return lambda world: world.told(exec_type, status, **changes)


def counting_one_more(world: World) -> ApplyReport:
    return world.told(E.CANCELED, S.CANCELED, cumulative_quantity=world.child.net + 1)


def answered(world: World) -> ApplyReport:
    changes: dict[str, Any] = {
        "request": world.child.replace_requests,
        "order_quantity": world.child.asked_quantity,
    }
    return world.told(E.REPLACED, S.NEW, **changes)


def refused(*, is_replace: bool) -> Callable[[World], ApplyCancelReject]:
    def make(world: World) -> ApplyCancelReject:
        child = world.child
        reject = OrderCancelReject(
            venue_id="V1",
            instrument_id=child.instrument_id,
            child_id=CHILD,
            venue_order_id="",
            request=child.replace_requests if is_replace else child.cancel_requests,
            text="no",
            transact_ns=OPEN_NS,
            is_replace=is_replace,
        )
        return ApplyCancelReject(reject=reject, at_ns=OPEN_NS + SECOND)

    return make


def asks(quantity: int) -> Callable[[World], ReplaceChild]:
    return lambda world: ReplaceChild(
        child_id=CHILD, quantity=quantity, price_e9=PRICE_E9, cause=Cause.PRICE, at_ns=OPEN_NS
    )


MESSAGES: dict[str, Callable[[World], Any]] = {
    "new": order(E.NEW, S.NEW),
    "pending new": order(E.PENDING_NEW, S.PENDING_NEW),
    "pending cancel": order(E.PENDING_CANCEL, S.PENDING_CANCEL),
    "pending replace": order(E.PENDING_REPLACE, S.PENDING_REPLACE),
    "rejected": order(E.REJECTED, S.REJECTED),
    "canceled": order(E.CANCELED, S.CANCELED),
    "canceled, counting one more": counting_one_more,
    "expired": order(E.EXPIRED, S.EXPIRED),
    "done for the day": order(E.DONE_FOR_DAY, S.DONE_FOR_DAY),
    "suspended": order(E.SUSPENDED, S.SUSPENDED),
    "restated to one": order(E.RESTATED, S.NEW, order_quantity=1, leaves_quantity=0),
    "status working": order(E.ORDER_STATUS, S.NEW),
    "status suspended": order(E.ORDER_STATUS, S.SUSPENDED),
    "status canceled": order(E.ORDER_STATUS, S.CANCELED),
    "fill": fill,
    "final fill": final_fill,
    "bust": change(E.TRADE_CANCEL),
    "correction": change(E.TRADE_CORRECT),
    "replaced": answered,
    "replace refused": refused(is_replace=True),
    "cancel refused": refused(is_replace=False),
    "ask less": asks(1),
    "ask more": asks(3),
    "cancel": lambda _: CancelChildren(parent_id="P", cause=Cause.CLIENT, at_ns=OPEN_NS),
    "time": lambda world: wake(f"routing:child:{CHILD}", world.child.due_ns or OPEN_NS),
}


def start() -> World:
    state = ROUTING.initial()
    for event in (*opened(ORDERED), released(ORDERED), placed(quantity=SIZE)):
        ROUTING.evolve(state, event)
    return World(state)


def after(world: World, name: str) -> World | None:
    """Return the world after a message; None when it cannot be sent."""
    data = msgspec.msgpack.encode(world.state)
    there = World(msgspec.msgpack.decode(data, type=RoutingState), world.fills, world.changes)
    command = MESSAGES[name](there)
    if command is None:
        return None
    for event in ROUTING.decide(there.state, command):
        before = there.child.phase
        ROUTING.evolve(there.state, event)
        move = LIFECYCLE.get(type(event))
        if move is not None:
            assert before in move.sources, (name, event)
            assert there.child.phase in move.targets, (name, before, event)
    return there


def check(world: World, name: str) -> None:
    """Nothing is lost, nothing is held twice, and what is closed is not open."""
    state, child = world.state, world.child
    ledger = state.parents["P"]
    held = sum(quantity for _, quantity in exposures(state, "P"))
    paid = sum(each.quantity for each in state.fills.values() if not each.is_busted)
    assert held + ledger.room + paid == ORDERED, name
    assert 0 <= child.exposure <= ORDERED and ledger.room >= 0
    part = state.slices.get("P.1")
    unplaced = 0 if part is None else part.unplaced
    assert held == child.exposure + unplaced
    assert child.is_open is (child.phase not in CLOSED)
    assert child.phase in ANY
    if child.is_open:
        assert child.exposure > 0, "an open child that exposes nothing"
        assert child.added == 0 or child.is_replacing
    if CHILD not in state.children:
        assert child.exposure == 0 and not child.is_open


def walk(depth: int) -> Iterator[tuple[int, int]]:
    level = {start().key: (start(), 1)}
    seen = dict.fromkeys(level)
    ways = 0
    for _ in range(depth):
        found: dict[object, tuple[World, int]] = {}
        for world, count in level.values():
            for name in MESSAGES:
                there = after(world, name)
                if there is None:
                    continue
                check(there, name)
                ways += count
                known = found.get(there.key)
                found[there.key] = (there, count + (0 if known is None else known[1]))
        # What was walked from before is not walked again: its ways are counted once.
        level = {key: value for key, value in found.items() if key not in seen}
        seen.update(dict.fromkeys(found))
        yield ways, len(seen)


def test_every_interleaving_of_messages_keeps_to_the_table_and_loses_nothing() -> None:
    *_, (ways, states) = walk(DEPTH)
    print(f"{ways} interleavings over {states} states")  # noqa: T201  # the figure of the check
    assert states > 1_000


@pytest.mark.parametrize("event", LIFECYCLE)
def test_an_event_that_cannot_come_in_its_phase_stops_the_shard(event: type[Any]) -> None:
    child = start().child
    fields = dict.fromkeys(event.__struct_fields__)
    for phase in Phase:
        child.phase = phase
        if phase in LIFECYCLE[event].sources:
            hold(child, event(**fields))
        else:
            with pytest.raises(CorruptHistoryError, match=f"which is {phase}"):
                hold(child, event(**fields))


def test_each_phase_has_its_status_of_fix() -> None:
    world = start()
    statuses = [world.child.status]
    ROUTING.evolve(world.state, acknowledged())
    statuses.append(world.child.status)
    assert statuses == [S.PENDING_NEW, S.NEW]
    expected = {
        "suspended": S.SUSPENDED,
        "ask less": S.PENDING_REPLACE,
        "cancel": S.PENDING_CANCEL,
        "fill": S.PARTIALLY_FILLED,
        "expired": S.EXPIRED,
        "canceled": S.CANCELED,
        "rejected": S.REJECTED,
    }
    for name, status in expected.items():
        there = after(world, name)
        assert there is not None and there.child.status is status, name
