"""Laws of intake: the same content is one order for ever, and a refusal changes nothing else."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.messages.core import OrderType
from schemas.messages.intake import (
    CommandRepeated,
    OrderAccepted,
    OrderCancelRejected,
    OrderRejected,
)
from streams.intake import INTAKE, IntakeState
from tests.support.builders import TICK
from tests.support.intake_commands import cancel, named, replace, submit

IDS = st.sampled_from(["c1", "c2", "c3", ""])
QUANTITIES = st.sampled_from([-5, 0, 5, 7, 100, 150, 2_000_000])


def limited(price_e9: int | None) -> dict[str, Any]:
    if price_e9 is None:
        return {}
    return {"order_type": OrderType.LIMIT, "limit_price_e9": price_e9}


SUBMITS = st.builds(
    lambda name, quantity, price_e9: submit(name, quantity=quantity, **limited(price_e9)),
    IDS,
    QUANTITIES,
    st.sampled_from([None, 0, TICK, TICK + 1]),
)
CANCELS = st.builds(lambda name, original: cancel(name, original=original), IDS, IDS)
REPLACES = st.builds(
    lambda name, original, quantity: replace(name, original=original, quantity=quantity),
    IDS,
    IDS,
    QUANTITIES,
)
COMMANDS = st.lists(st.one_of(SUBMITS, CANCELS, REPLACES), max_size=25)


def fresh() -> IntakeState:
    state = IntakeState()
    named(state)
    return state


def decided(state: IntakeState, command: Any) -> tuple[Any, ...]:
    events = INTAKE.decide(state, command)
    INTAKE.fold(events, state)
    return events


@settings(max_examples=300, deadline=None)
@given(COMMANDS)
def test_every_command_is_answered_and_its_repeat_gets_the_same_answer(commands: list[Any]) -> None:
    state = fresh()
    for command in commands:
        first = decided(state, command)
        assert first
        (again,) = decided(state, command)
        assert isinstance(again, CommandRepeated)
        if isinstance(first[0], CommandRepeated):
            assert again == first[0]
        else:
            refused = isinstance(first[0], OrderRejected | OrderCancelRejected)
            assert again.is_accepted is not refused
            assert again.reason == (first[0].reason if refused else "UNKNOWN")


@settings(max_examples=200, deadline=None)
@given(COMMANDS)
def test_each_id_makes_at_most_one_order(commands: list[Any]) -> None:
    state = fresh()
    accepted = [
        event.client_order_id
        for command in commands + commands
        for event in decided(state, command)
        if isinstance(event, OrderAccepted)
    ]
    assert len(accepted) == len(set(accepted)) == len(state.orders)


@settings(max_examples=200, deadline=None)
@given(COMMANDS)
def test_a_refusal_leaves_every_order_as_it_was(commands: list[Any]) -> None:
    state = fresh()
    for command in commands:
        before = repr(state.orders)
        events = decided(state, command)
        if isinstance(events[0], OrderRejected | OrderCancelRejected | CommandRepeated):
            assert repr(state.orders) == before
