"""Laws of intake: the same content is one order for ever, and a refusal changes nothing else."""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.messages.core import (
    BasketEntry,
    BasketMode,
    MassCancelScope,
    OrderType,
    TimeInForce,
)
from schemas.messages.intake import (
    BasketAnswered,
    CommandRepeated,
    MassCancelAnswered,
    OrderAccepted,
    OrderCancelRejected,
    OrderRejected,
)
from streams.intake import INTAKE, IntakeState
from streams.intake.basket import orders_of
from streams.intake.commands import SubmitBasket, SubmitMassCancel, SubmitOrder
from tests.support.builders import CLOSE_NS, TICK, mass_cancel_order, new_basket
from tests.support.intake_commands import NOW_NS, cancel, digest_of, named, replace, submit

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


def mass_cancel(name: str, **changes: Any) -> SubmitMassCancel:
    message = mass_cancel_order(name, **changes)
    return SubmitMassCancel(message=message, at_ns=NOW_NS, digest=digest_of(message))


def basket(name: str, mode: BasketMode, orders: list[SubmitOrder]) -> SubmitBasket:
    names = BasketEntry.__struct_fields__
    entries = [
        BasketEntry(**{name: getattr(order.message, name) for name in names}) for order in orders
    ]
    message = new_basket(*entries, mode=mode, basket_id=name)
    asked = zip(orders, orders_of(message), strict=True)
    return SubmitBasket(
        message=message,
        orders=tuple(
            msgspec.structs.replace(order, message=entry, digest=digest_of(entry))
            for order, entry in asked
        ),
        at_ns=NOW_NS,
        digest=digest_of(message),
    )


STANDING = st.builds(
    lambda name, kind, expire_ns: submit(name, time_in_force=kind, expire_ns=expire_ns),
    IDS,
    st.sampled_from([TimeInForce.GTC, TimeInForce.GTD, TimeInForce.AT_CLOSE]),
    st.sampled_from([0, NOW_NS, CLOSE_NS + 1]),
)
MASS_CANCELS = st.builds(
    lambda name, scope, scope_id: mass_cancel(name, scope=scope, scope_id=scope_id),
    IDS,
    st.sampled_from(MassCancelScope),
    st.sampled_from(["", "BUY", "ACME", "OMS", "T1"]),
)
BASKETS = st.builds(
    basket,
    IDS,
    st.sampled_from(BasketMode),
    st.lists(st.one_of(SUBMITS, STANDING), max_size=4),
)
COMMANDS = st.lists(
    st.one_of(SUBMITS, CANCELS, REPLACES, STANDING, MASS_CANCELS, BASKETS), max_size=25
)


def fresh() -> IntakeState:
    state = IntakeState()
    named(state)
    return state


def answer_of(events: tuple[Any, ...]) -> Any:
    """Return the event that answers the command: of many orders the last, else the first."""
    is_many = isinstance(events[-1], BasketAnswered | MassCancelAnswered)
    return events[-1] if is_many else events[0]


def is_refused(answer: Any) -> bool:
    if isinstance(answer, BasketAnswered | MassCancelAnswered):
        return not answer.is_accepted
    return isinstance(answer, OrderRejected | OrderCancelRejected)


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
        answer = answer_of(first)
        if isinstance(answer, CommandRepeated):
            assert again == answer
        else:
            refused = is_refused(answer)
            assert again.is_accepted is not refused
            assert again.reason == (answer.reason if refused else "UNKNOWN")


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
        answer = answer_of(events)
        if is_refused(answer) or isinstance(answer, CommandRepeated):
            assert repr(state.orders) == before
