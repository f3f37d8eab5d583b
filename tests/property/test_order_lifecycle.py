"""Model check: every interleaving of up to eight messages about one order, against the model."""

from collections.abc import Iterator

import pytest

from schemas.messages.core import OrderStatus
from streams.intake import LIFECYCLE
from streams.intake.lifecycle import ANY, ENDED
from tests.support.order_model import MESSAGES, Model, after, is_possible
from tests.support.order_world import World

DEPTH = 8
LATE = ("fill", "bust", "correct")


class Walk:
    """Breadth first. Two ways to the same state are walked on once and counted as two."""

    def __init__(self, start: Model) -> None:
        self.ways = 0
        self.states: dict[object, None] = {start.key: None}
        self.late: set[tuple[str, str]] = set()  # terminal status and what came in it
        # By state: the model, the world and how many ways lead there.
        self.level: dict[object, tuple[Model, World, int]] = {start.key: (start, World(), 1)}

    def deepen(self, depth: int) -> None:
        found: dict[object, tuple[Model, World, int]] = {}
        for model, world, ways in self.level.values():
            for message, then, there in self.next(model, world, depth):
                self.ways += ways
                known = found.get(then.key)
                found[then.key] = (then, there, ways + (0 if known is None else known[2]))
                self.states[then.key] = None
                if message in LATE and model.status in ENDED:
                    self.late.add((model.status, message))
        self.level = found

    def next(self, model: Model, world: World, depth: int) -> Iterator[tuple[str, Model, World]]:
        for message in MESSAGES:
            if not is_possible(model, message):
                continue
            then, expected = after(model, message, f"x{depth}")
            there = world.copy()
            there.last_fill = model.fills[-1] if model.fills else 0
            there.receive(then, message, f"x{depth}")
            assert there.said == expected, (model, message)
            _check(then, there)
            yield message, then, there


def _check(model: Model, world: World) -> None:
    """The order is as the model says, and never more than was asked for."""
    order = world.order
    assert (order is None) is (not model.status)
    if order is None:
        return
    assert order.status == model.status
    assert (order.quantity, order.client_order_id) == (model.quantity, model.name)
    assert order.cumulative_quantity == model.filled
    assert 0 <= order.cumulative_quantity <= order.quantity
    assert bool(order.parent_id) is model.is_member
    assert order.is_leaving is model.is_leaving
    assert (order.pending is None) is (model.pending is None)
    if order.pending is not None:
        assert order.pending.client_order_id == model.pending[1]  # type: ignore[index]
    assert order.order_status in ANY
    if not order.is_open:
        assert order.order_status in ENDED and order.pending is None
        assert order.reported_quantity == order.cumulative_quantity
    is_standing = order.is_open and model.time_in_force != "DAY"
    assert bool(world.state.standing) is is_standing
    assert bool(world.state.dormant) is (order.status is OrderStatus.DONE_FOR_DAY)


@pytest.mark.parametrize("time_in_force", ["DAY", "GTC", "GTD"])
@pytest.mark.parametrize("joins", [True, False], ids=["working", "waiting"])
def test_every_interleaving_of_messages_does_what_the_model_says(
    time_in_force: str, joins: bool
) -> None:
    walk = Walk(Model(time_in_force, joins))
    for depth in range(1, DEPTH + 1):
        walk.deepen(depth)
    print(f"{walk.ways} interleavings over {len(walk.states)} states")  # noqa: T201  # the figure of the check
    expires = time_in_force == "GTD" or (joins and time_in_force == "DAY")
    ends = {"FILLED", "CANCELED"} | ({"EXPIRED"} if expires else set())
    assert {status for status, _ in walk.late} == ends
    # What is full can not be filled again; everything else comes late in every terminal state.
    expected = {(s, m) for s in ends for m in LATE if (s, m) != ("FILLED", "fill")}
    assert walk.late == expected


def test_the_table_names_every_terminal_state_as_a_source_of_what_venues_say() -> None:
    for event, move in LIFECYCLE.items():
        if event.__module__.endswith("allocation"):
            assert set(ENDED) <= set(move.sources)
