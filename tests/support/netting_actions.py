"""Random days in the small world.

A step is a triple of numbers, so that any list of triples is a day and hypothesis can shrink it.
"""

from collections.abc import Callable, Sequence
from typing import Any

from schemas.messages.core import PartyLevel, Side, Urgency
from streams.netting import waiting
from streams.netting.commands import Restriction
from tests.support.builders import ACME
from tests.support.netting_shard import PRICE_E9
from tests.support.netting_world import World

Choice = tuple[int, int, int]


RESTRICTIONS = (
    (),
    (),
    (Restriction(PartyLevel.ACCOUNT, "A0", "A1"),),
    (
        Restriction(PartyLevel.OWNER, "A2", "W0"),
        Restriction(PartyLevel.ACCOUNT, "A3", "A4"),
        Restriction(PartyLevel.ACCOUNT, "A0", "A0"),
    ),
)


def pick(items: Sequence[Any], who: int) -> Any:
    return items[who % len(items)] if items else None


def _submit(world: World, who: int, size: int) -> None:
    world.now_ns += 1
    world.submit(
        (Side.BUY, Side.SELL)[who % 3 == 0],
        1 + size % 400,
        group=str(who % 2),
        account_id=f"A{who % 5}",
        owner_id=f"W{who % 5 // 2}" if who % 2 else "",
        is_house=who % 13 == 0,
        is_cross_allowed=who % 7 != 0,
        urgency=Urgency.URGENT if who % 11 == 0 else Urgency.NEUTRAL,
    )


def _close(world: World, who: int, size: int) -> None:
    if waiting(world.netting, "T1", ACME):
        world.is_crossing = who % 4 != 0
        world.restrictions = RESTRICTIONS[size % len(RESTRICTIONS)]
        world.opted_out = frozenset({f"A{size % 5}"} if size % 6 == 0 else ())
        world.stopped = frozenset({f"O.{size % 40}"} if size % 4 == 0 else ())
        world.close_window()


def _release(world: World, who: int, size: int) -> None:
    ready = [
        parent_id
        for parent_id, desk in world.desks.items()
        if desk.room and not (desk.is_held or desk.is_ended or desk.is_closed)
    ]
    parent_id = pick(ready, who)
    if parent_id is not None:
        world.release(parent_id, 1 + size % world.desks[parent_id].room)


def _fill(world: World, who: int, size: int) -> None:
    child = pick([child for child in world.children if child.live], who)
    if child is not None:
        world.fill(child, 1 + size % child.live, PRICE_E9 + size % 977)


def _hand_back(world: World, who: int, size: int) -> None:
    child = pick([c for c in world.children if c.live and not c.is_canceled], who)
    if child is not None:
        # What the venue filled and has not yet told us of stays live, and comes as a late fill.
        child.is_canceled = True
        world.hand_back(child, child.live if size % 3 else 1 + size % child.live)


def _late(world: World, who: int, size: int) -> None:
    over = [
        child
        for child in world.children
        if not child.live
        and (desk := world.desks[child.parent_id]).room
        and not desk.is_closed
        and desk.epoch == child.epoch
    ]
    child = pick(over, who)
    if child is not None:
        quantity = 1 + size % world.desks[child.parent_id].room
        world.fill(child, quantity, late=quantity)


def _bust(world: World, who: int, size: int) -> None:
    child = pick([child for child in world.children if child.fills], who)
    if child is not None:
        world.bust(child, pick(list(child.fills), size))


def _correct(world: World, who: int, size: int) -> None:
    child = pick([child for child in world.children if child.fills], who)
    if child is not None:
        fill_id = pick(list(child.fills), size)
        quantity = size % child.fills[fill_id] + 1
        world.correct(child, fill_id, quantity, PRICE_E9 + who % 11)


def _changeable(world: World, who: int) -> str | None:
    working = [
        order_id
        for order_id, client in world.clients.items()
        if not client.is_closed and client.pending is None
    ]
    found: str | None = pick(working, who)
    return found


def _cancel(world: World, who: int, size: int) -> None:
    order_id = _changeable(world, who)
    if order_id is not None:
        world.cancel(order_id)


def _amend(world: World, who: int, size: int) -> None:
    order_id = _changeable(world, who)
    if order_id is not None:
        client = world.clients[order_id]
        quantity = client.cumulative + 1 + size % 500
        group = client.group if who % 2 else f"{client.side}{size % 2}"
        world.amend(order_id, quantity, group)


def _end(world: World, who: int, size: int) -> None:
    running = [
        parent_id
        for parent_id, desk in world.desks.items()
        if not desk.is_ended and not desk.is_closed
    ]
    parent_id = pick(running, who)
    if parent_id is not None and size % 3 == 0:
        world.end(parent_id)


def _reload(world: World, who: int, size: int) -> None:
    world.reload()


ACTIONS: tuple[Callable[[World, int, int], None], ...] = (
    _submit,
    _close,
    _release,
    _fill,
    _fill,
    _release,
    _hand_back,
    _submit,
    _close,
    _late,
    _fill,
    _bust,
    _cancel,
    _correct,
    _amend,
    _release,
    _fill,
    _end,
    _reload,
)


def step(world: World, choice: Choice) -> None:
    """Do what the three numbers say: which action, on whom, how much; then check every law."""
    action, who, size = choice
    ACTIONS[action % len(ACTIONS)](world, who, size)
    world.check()
