"""A parent's life in epochs, through netting and allocation together, against the vector."""

import json

from schemas.messages.allocation import FillAllocated
from schemas.messages.core import Side
from schemas.messages.netting import CrossExecuted, EpochOpened, ParentClosed
from tests.support.netting_shard import PRICE_E9
from tests.support.netting_world import World
from tests.support.shared import shared


def last_fill(world: World) -> dict[str, int]:
    event = [event for event in world.events if isinstance(event, FillAllocated)][-1]
    return {entry.order_id: entry.quantity for entry in event.entries}


def fill(world: World, quantity: int) -> dict[str, int]:
    (parent_id,) = world.desks
    world.fill(world.release(parent_id, quantity), quantity, PRICE_E9)
    return last_fill(world)


def test_joins_and_cancels_allocate_as_the_vector_says() -> None:
    log = json.loads(shared("quant/vectors/09_allocation.json").read_text())["epoch_example"]["log"]
    deltas = [{name: share for name, share in step["delta"].items() if share} for step in log]
    world = World()
    names = {}
    for name in ("A", "B"):
        names[world.submit(Side.BUY, {"A": 300, "B": 100}[name], account_id=name)] = name
    world.close_window()

    def filled(quantity: int) -> dict[str, int]:
        return {names[order_id]: share for order_id, share in fill(world, quantity).items()}

    assert [filled(7), filled(113)] == deltas[:2]
    names[world.submit(Side.BUY, 200, account_id="C")] = "C"
    world.close_window()
    assert [filled(1), filled(99)] == deltas[2:4]
    world.cancel("O.2")
    assert filled(log[4]["fill"]) == deltas[4]
    weights = [
        {names[member.order_id]: member.quantity for member in event.members}
        for event in world.events
        if isinstance(event, EpochOpened)
    ]
    assert weights == [log[0]["open"], log[2]["open"], log[4]["open"]]
    assert world.desks["Pabcdef.0.1"].is_closed
    assert any(isinstance(event, ParentClosed) for event in world.events)
    world.check()


def test_a_cross_and_its_parent_come_back_whole_to_their_owners() -> None:
    world = World()
    buyers = [world.submit(Side.BUY, 300, account_id="A"), world.submit(Side.BUY, 200)]
    seller = world.submit(Side.SELL, 200, account_id="S")
    world.close_window()
    (cross,) = [event for event in world.events if isinstance(event, CrossExecuted)]
    assert cross.quantity == 200
    assert world.clients[seller].is_closed
    assert fill(world, 300) == {buyers[0]: 180, buyers[1]: 120}
    assert [world.clients[order_id].cumulative for order_id in buyers] == [300, 200]
    world.check()


def test_a_late_fill_pays_the_epoch_in_which_its_child_was_sent() -> None:
    world = World()
    early = [world.submit(Side.BUY, 300, account_id="A"), world.submit(Side.BUY, 100)]
    world.close_window()
    child = world.release("Pabcdef.0.1", 120)
    late = world.submit(Side.BUY, 200, account_id="C")
    world.close_window()
    world.hand_back(child, 80)  # canceled; the venue had filled 40 that we have not seen
    world.fill(child, 40, PRICE_E9)
    assert last_fill(world) == {early[0]: 30, early[1]: 10}
    assert world.clients[late].cumulative == 0
    world.check()


def test_a_bust_in_an_older_epoch_is_worked_again_in_a_new_one() -> None:
    world = World()
    order_id = world.submit(Side.BUY, 300, account_id="A")
    world.close_window()
    child = world.release("Pabcdef.0.1", 120)
    fill_id = world.fill(child, 120)
    world.submit(Side.BUY, 100, account_id="B")
    world.close_window()
    world.bust(child, fill_id)
    assert world.desks["Pabcdef.0.1"].room == 400
    assert world.clients[order_id].cumulative == 0
    world.check()
