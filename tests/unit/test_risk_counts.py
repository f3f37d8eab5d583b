"""What is used of a limit: currencies, replaces, busts, starts of the day."""

from typing import Any

import pytest

from schemas.messages.allocation import AllocationRestated
from schemas.messages.core import (
    AllocationEntry,
    Cause,
    LimitKind,
    LimitScope,
    OrderStatus,
)
from schemas.messages.core import RejectReason as R
from schemas.messages.intake import (
    OrderCanceled,
    OrderClosed,
    OrderPendingReplace,
    OrderReplaced,
    OrderResumed,
)
from schemas.messages.risk import PositionSet
from streams.risk import RISK, Gate, apply, use
from streams.risk.state import scope_key
from tests.support.builders import (
    ACME,
    NO_ID,
    OPEN_NS,
    SECOND,
    TRADE_DATE,
    instrument,
)
from tests.support.limits import limit, limit_set, request
from tests.support.risk_history import PRICE_E9, accepted, filled, state_of

K = LimitKind
ORDER = accepted()  # 100 at 100.00: 10,000
START = PositionSet(
    tenant="T1", account_id="A1", instrument_id=ACME, trade_date=TRADE_DATE, quantity=300
)


def test_credit_of_one_currency_is_counted_in_another_by_the_sets_rate() -> None:
    limits = limit_set(limit(K.CREDIT, 15_000), currency="USD", rates_e9={"EUR": 1_500_000_000})
    gate = Gate(state_of(limits))
    assert gate.assess(request()).breach is None
    assert gate.assess(request(quantity=101)).breach is not None
    verdict = gate.assess(request(instrument=instrument(currency="CHF")))
    assert verdict.breach is not None
    assert verdict.breach.reason is R.NO_REFERENCE_PRICE
    assert verdict.breach.bound == "the limits have no rate for CHF"


def pending(quantity: int, unit_value_e9: int) -> OrderPendingReplace:
    return OrderPendingReplace(
        order_id="Oabcdef.0.1",
        tenant="T1",
        source="OMS",
        client_order_id="c2",
        quantity=quantity,
        limit_price_e9=None,
        command_digest=NO_ID,
        received_ns=OPEN_NS,
        unit_value_e9=unit_value_e9,
    )


def replaced(quantity: int, unit_value_e9: int = 0) -> OrderReplaced:
    return OrderReplaced(
        order_id="Oabcdef.0.1",
        tenant="T1",
        source="OMS",
        client_order_id="c2",
        quantity=quantity,
        order_type=ORDER.order_type,
        limit_price_e9=None,
        group_id="g",
        cumulative_quantity=0,
        replaced_ns=OPEN_NS,
        command_digest=NO_ID,
        unit_value_e9=unit_value_e9,
    )


def canceled(cause: Cause) -> OrderCanceled:
    return OrderCanceled(
        order_id="Oabcdef.0.1",
        tenant="T1",
        source="OMS",
        client_order_id="c2",
        cumulative_quantity=0,
        canceled_quantity=100,
        command_digest=NO_ID,
        received_ns=OPEN_NS,
        cause=cause,
    )


def test_a_pending_replace_holds_the_dearer_terms_until_it_is_answered() -> None:
    limits = limit_set(limit(K.CREDIT, 30_000))
    state = state_of(limits, (ORDER, pending(200, PRICE_E9)))
    assert Gate(state).assess(request()).breach is None
    assert Gate(state).assess(request(quantity=101)).breach is not None
    RISK.evolve(state, replaced(200))
    assert Gate(state).assess(request(quantity=101)).breach is not None
    state = state_of(limits, (ORDER, pending(50, PRICE_E9)))
    assert Gate(state).assess(request(quantity=201)).breach is not None
    RISK.evolve(state, replaced(50))
    assert Gate(state).assess(request(quantity=250)).breach is None


def test_a_replace_is_asked_for_what_it_adds_and_never_refused_for_using_less() -> None:
    gate = Gate(state_of(limit_set(limit(K.CREDIT, 10_000), limit(K.POSITION, 100)), (ORDER,)))
    assert gate.assess(request(order_id="Oabcdef.0.1")).breach is None
    assert gate.assess(request(order_id="Oabcdef.0.1", quantity=99)).breach is None
    assert gate.assess(request(order_id="Oabcdef.0.1", quantity=101)).breach is not None
    lower = limit_set(limit(K.CREDIT, 1), limit(K.POSITION, 1))
    use(gate.state, lower, 2, "")
    assert gate.assess(request(order_id="Oabcdef.0.1", quantity=99)).breach is None


def test_a_bust_after_the_end_gives_back_what_was_executed() -> None:
    end = OrderClosed(
        order_id="Oabcdef.0.1",
        status=OrderStatus.FILLED,
        cumulative_quantity=100,
        leaves_quantity=0,
        cause=Cause.FILL,
    )
    bust = AllocationRestated(
        parent_id="P1",
        epoch=1,
        is_tail=False,
        fill_id="V1/1",
        cause=Cause.BUST,
        is_minimal=False,
        entries=(AllocationEntry(order_id="Oabcdef.0.1", quantity=-100, cumulative_quantity=0),),
    )
    state = state_of(limit_set(limit(K.CREDIT, 10_000)), (ORDER, filled(100), end))
    assert Gate(state).assess(request(quantity=1)).breach is not None
    RISK.evolve(state, bust)
    assert Gate(state).assess(request()).breach is None


def test_a_start_of_day_replaces_what_was_executed_before_that_day() -> None:
    state = state_of(limit_set(limit(K.POSITION, 400)), (ORDER, filled(100), START))
    # 300 at the start of the day and 100 bought on it
    assert Gate(state).assess(request(quantity=1)).breach is not None
    tomorrow = PositionSet(
        tenant="T1",
        account_id="A1",
        instrument_id=ACME,
        trade_date=TRADE_DATE + 1,
        quantity=150,
    )
    apply(state, tomorrow, "ann", "C1")
    assert Gate(state).assess(request(quantity=250)).breach is None
    assert Gate(state).assess(request(quantity=251)).breach is not None


def test_an_order_that_resumes_takes_what_is_open_to_its_new_day() -> None:
    tomorrow = TRADE_DATE + 1
    resumed = OrderResumed(
        order_id="Oabcdef.0.1",
        trade_date=tomorrow,
        cumulative_quantity=60,
        start_ns=OPEN_NS,
        end_ns=OPEN_NS,
        group_id="g",
        resumed_ns=OPEN_NS,
    )
    limits = limit_set(limit(K.CREDIT, 10_000))
    state = state_of(limits, (ORDER, filled(60), resumed))
    # 60 were bought yesterday; 40 may still be bought today
    assert Gate(state).assess(request(trade_date=tomorrow, quantity=60)).breach is None
    assert Gate(state).assess(request(trade_date=tomorrow, quantity=61)).breach is not None
    RISK.evolve(state, filled(40, fill_id="V1/2"))
    assert Gate(state).assess(request(trade_date=tomorrow, quantity=61)).breach is not None


@pytest.mark.parametrize(
    ("events", "messages"),
    [
        ((), 1),
        ((pending(200, PRICE_E9),), 2),
        ((pending(200, PRICE_E9), replaced(200)), 2),  # the answer to what was counted
        ((replaced(200, PRICE_E9),), 2),
        ((canceled(Cause.CLIENT),), 2),
        ((canceled(Cause.KILL),), 1),  # nobody asked
        ((filled(10),), 1),
    ],
)
def test_each_message_of_a_client_is_counted_once(events: tuple[Any, ...], messages: int) -> None:
    state = state_of(limit_set(limit(K.MESSAGE_RATE, 1, burst=9)), (ORDER, *events))
    total = state.totals[scope_key(LimitScope.FIRM, "T1", "T1")]
    assert total.messages == messages
    (full_ns,) = state.rates.values()
    assert full_ns == OPEN_NS + messages * SECOND
