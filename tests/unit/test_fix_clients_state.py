"""The gateway's state: what it forgets, and that recovery and replay come to the same."""

from typing import Any

from schemas.messages.allocation import FillAllocated
from schemas.messages.core import (
    AllocationEntry,
    Envelope,
    Liquidity,
    OrderStatus,
    OrderType,
    Side,
    StrategyKind,
    TimeInForce,
)
from schemas.messages.intake import OrderAccepted, OrderClosed
from schemas.messages.routing import FillBooked
from schemas.messages.runtime import JournalRecord
from services.fix.clients import folds
from services.fix.clients.gateway import ClientsGateway
from services.fix.clients.state import ClientsState
from tests.support.audit_log import make
from tests.support.builders import SECOND, instrument_defined
from tests.support.fix_clients import SEATS, ClientDesk, seat

SOURCES = {"OMS44": seat()}
NO_ID = bytes(16)


def envelope(index: int = 0) -> Any:
    return make(Envelope, event_id=index.to_bytes(16, "big"), shard=0, seq=index, at_ns=index)


def accepted(number: int, trade_date: int, **changes: Any) -> Any:
    return make(
        OrderAccepted,
        order_id=f"O{number}",
        tenant="T1",
        source="OMS44",
        client_order_id=f"c{number}",
        instrument_id="ACME",
        trade_date=trade_date,
        side=Side.BUY,
        quantity=100,
        order_type=OrderType.MARKET,
        limit_price_e9=None,
        time_in_force=TimeInForce.DAY,
        strategy=StrategyKind.TWAP,
        **changes,
    )


def day(state: ClientsState, trade_date: int, first: int, count: int) -> None:
    """Fold a day of orders that are filled and closed."""
    for number in range(first, first + count):
        order, fill = f"O{number}", f"V1/{number}"
        entry = AllocationEntry(order_id=order, quantity=100, cumulative_quantity=100)
        booked = make(FillBooked, fill_id=fill, venue_id="V1", liquidity=Liquidity.ADDED)
        allocated = make(FillAllocated, fill_id=fill, price_e9=10**11, entries=(entry,))
        closed = make(OrderClosed, order_id=order, status=OrderStatus.FILLED)
        for event in (accepted(number, trade_date), booked, allocated, closed):
            folds.event(state, SOURCES, envelope(number), event)
        folds.event(state, SOURCES, envelope(number), make(JournalRecord))


def test_two_trade_dates_are_remembered_and_no_more() -> None:
    state = ClientsState()
    folds.event(state, SOURCES, envelope(), accepted(0, 20250610))  # it works on
    sizes = []
    for number in range(8):
        day(state, 20250611 + number, 1 + 10 * number, 10)
        sizes.append((len(state.orders), len(state.order_ids), len(state.parties)))
    assert sizes[2:] == [(21, 21, 20)] * 6
    assert "O0" in state.orders and not state.trades


def test_a_late_bust_of_yesterday_still_finds_its_order() -> None:
    state = ClientsState()
    day(state, 20250611, 1, 3)
    day(state, 20250612, 11, 3)
    assert [each.fill_id for each in state.orders["O1"].executions] == ["V1/1"]


def test_definitions_that_the_engine_refuses_hold_for_nobody() -> None:
    state = ClientsState()
    folds.event(state, SOURCES, envelope(), instrument_defined(quantity_scale=10))
    folds.event(state, SOURCES, envelope(), instrument_defined(quantity_scale=0))
    assert state.reference.scale("ACME") == 10


def test_orders_of_a_session_that_is_gone_are_passed_over() -> None:
    gateway = ClientsGateway(0, SEATS)
    gateway.fold_event(envelope(1), accepted(1, 20250611))
    after = ClientsGateway(0, {"OMS42": SEATS["OMS42"]})
    after.load(gateway.snapshot())
    entry = AllocationEntry(order_id="O1", quantity=40, cumulative_quantity=40)
    fill = make(FillAllocated, fill_id="V1/1", price_e9=10**11, entries=(entry,))
    closed = make(OrderClosed, order_id="O1", status=OrderStatus.EXPIRED)
    for number, event in enumerate((fill, closed), 2):
        assert not [*after.on_event(envelope(number), event, number)]
        after.fold_event(envelope(number), event)
    assert after.state.orders["O1"].cumulative_quantity == 40


def test_names_that_fix_cannot_carry_end_no_gateway() -> None:
    gateway = ClientsGateway(0, SEATS)
    event = accepted(1, 20250611, account_id="A\x01B \u20ac \u00e9")
    (told,) = gateway.on_event(envelope(1), event, 1)
    assert told.fields.get(1) == "A?B ? \u00e9"
    assert told.fields.body()


def test_a_recovery_comes_to_the_same_at_every_step() -> None:
    desk = ClientDesk(snapshot_batches=3)
    for number in range(12):
        for name in SEATS:
            body = f"11=c{number}|1=A1|55=ACME|54=1|38=100|40=1|847=1002"
            desk.say(name, "D", body)
            desk.say(name, "E", f"66=L{number}|394=3|68=2|73=1|11=l{number}|54=1|38=5|40=1")
            desk.say(name, "q", f"11=m{number}|530=7|54=2")
        desk.pass_ns(SECOND)
        desk.crash()
    desk.prove_gateway()
