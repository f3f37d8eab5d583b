"""A small day written by hand as a log, and ways to break it, for tests of the checker.

Orders A 300 and B 100 to buy, C 100 to sell: a cross of 100, a parent of 300, a fill that is
busted, a cancel, a second epoch with D 50 and a tail, and the end. Every number is worked out here.
"""

from typing import Any

import msgspec

from schemas.messages import core as c
from schemas.messages.allocation import (
    AllocationRestated,
    CashAllocated,
    CrossAllocated,
    FillAllocated,
)
from schemas.messages.control import CrossingDeclared, InstrumentDefined, VenueDefined
from schemas.messages.intake import NewOrder, OrderAccepted, OrderClosed
from schemas.messages.market import BookUpdated
from schemas.messages.netting import (
    CrossExecuted,
    EpochClosed,
    EpochOpened,
    ParentClosed,
    ParentOpened,
)
from schemas.messages.routing import (
    ChildCanceled,
    ChildCancelRequested,
    ChildPlaced,
    FillBooked,
    FillBusted,
    SliceReturned,
)
from schemas.messages.strategy import SliceReleased
from schemas.messages.venues import ExecutionReport
from streams.core import topics
from tests.support.audit_log import Batch, Event, input_id, make

__all__ = [
    "PRICE",
    "Day",
    "acme",
    "cash_entry",
    "change",
    "day",
    "drop",
    "entries",
    "filled",
    "members",
    "report",
]

PRICE = 100 * 10**9
Day = dict[str, Batch]


def accepted(order_id: str, quantity: int, side: c.Side) -> Event:
    order = make(
        OrderAccepted,
        order_id=order_id,
        client_order_id=order_id,
        tenant="T1",
        account_id=f"account-{order_id}",
        instrument_id="ACME",
        side=side,
        quantity=quantity,
        is_cross_allowed=True,
    )
    return topics.ORDERS_EVENTS, order


def acme(**fields: Any) -> Any:
    """Return whole shares with a tick of 0.01, in a session without end."""
    terms = {"tick_e9": 10_000_000, "lot": 1, "quantity_scale": 1, "maximum_quantity": 1_000_000}
    session = {"session_close_ns": 1 << 62}
    named = {"instrument_id": "ACME", "currency": "EUR"}
    return make(InstrumentDefined, **{**named, **terms, **session, **fields})


def closed(order_id: str, quantity: int) -> Event:
    filled = c.OrderStatus.FILLED
    order = make(OrderClosed, order_id=order_id, status=filled, cumulative_quantity=quantity)
    return topics.ORDERS_EVENTS, order


def members(**quantities: int) -> tuple[c.Member, ...]:
    return tuple(c.Member(order_id=name, quantity=q) for name, q in quantities.items())


def of_child(number: int, **fields: Any) -> dict[str, Any]:
    """Return what every event of child `number` names; the third belongs to epoch 2."""
    return {
        "child_id": f"P1.{number}.1",
        "slice_id": f"P1.{number}",
        "parent_id": "P1",
        "epoch": 2 if number == 3 else 1,
        "venue_id": "V1",
        "instrument_id": "ACME",
        **fields,
    }


def released(number: int, quantity: int) -> list[Event]:
    """A slice and its one child."""
    ids = of_child(number, side=c.Side.BUY, quantity=quantity)
    part = {name: ids[name] for name in ("slice_id", "parent_id", "epoch", "instrument_id", "side")}
    return [
        (topics.STRATEGIES_EVENTS, make(SliceReleased, **part, quantity=quantity)),
        (topics.CHILDREN_EVENTS, make(ChildPlaced, **ids, price_e9=PRICE)),
    ]


def report(exec_id: str, number: int, kind: c.ExecType, quantity: int) -> Event:
    said = make(
        ExecutionReport,
        venue_id="V1",
        instrument_id="ACME",
        child_id=f"P1.{number}.1",
        exec_id=exec_id,
        exec_ref_id="E1" if kind is c.ExecType.TRADE_CANCEL else "",
        exec_type=kind,
        last_quantity=quantity,
        last_price_e9=PRICE,
    )
    return topics.VENUES_REPORTS, said


def filled(exec_id: str, number: int, quantity: int, *, is_tail: bool, **given: int) -> list[Event]:
    """A fill with a fee of 7 and its allocation; `given`: order -> (quantity, cumulative)."""
    fill = make(
        FillBooked,
        **of_child(number, side=c.Side.BUY, quantity=quantity),
        fill_id=f"V1/{exec_id}",
        exec_id=exec_id,
        price_e9=PRICE,
        cash_e9=PRICE * quantity,
        fee_e9=7,
    )
    allocated = make(
        FillAllocated,
        fill_id=fill.fill_id,
        parent_id="P1",
        epoch=fill.epoch,
        is_tail=is_tail,
        quantity=quantity,
        price_e9=PRICE,
        entries=entries(**given),
    )
    return [(topics.FILLS_EVENTS, fill), (topics.ALLOCATIONS_EVENTS, allocated)]


def entries(**given: int) -> tuple[c.AllocationEntry, ...]:
    return tuple(
        c.AllocationEntry(order_id=name, quantity=q, cumulative_quantity=max(q, 0))
        for name, q in given.items()
    )


def cash_entry(order_id: str, quantity: int, fee_e9: int = 0) -> c.CashEntry:
    cash_e9 = PRICE * quantity
    return c.CashEntry(order_id=order_id, quantity=quantity, cash_e9=cash_e9, fee_e9=fee_e9)


def crossed() -> list[Event]:
    evidence = make(
        c.QuoteEvidence,
        bid_e9=PRICE - 10**7,
        ask_e9=PRICE + 10**7,
        bid_venue_id="V1",
        ask_venue_id="V1",
        bid_event_id=input_id(3),
        ask_event_id=input_id(3),
    )
    cross = make(
        CrossExecuted,
        cross_id="X1",
        tenant="T1",
        instrument_id="ACME",
        quantity=100,
        price_e9=PRICE,
        evidence=evidence,
        declaration_id="D1",
        buys=members(A=300, B=100),
        sells=members(C=100),
    )
    given = make(
        CrossAllocated,
        cross_id="X1",
        quantity=100,
        price_e9=PRICE,
        buys=(cash_entry("A", 75), cash_entry("B", 25)),
        sells=(cash_entry("C", 100),),
    )
    return [(topics.AGGREGATIONS_EVENTS, cross), (topics.ALLOCATIONS_EVENTS, given)]


def opened(epoch: int, quantity: int, ordered: int, **weights: int) -> Event:
    event = make(
        EpochOpened,
        parent_id="P1",
        epoch=epoch,
        quantity=quantity,
        parent_quantity=ordered,
        members=members(**weights),
    )
    return topics.AGGREGATIONS_EVENTS, event


def turned(epoch: int, **tail: int) -> Event:
    total = sum(tail.values())
    event = make(
        EpochClosed, parent_id="P1", epoch=epoch, tail_quantity=total, tail=members(**tail)
    )
    return topics.AGGREGATIONS_EVENTS, event


def cash(epoch: int, fee_e9: int, *given: c.CashEntry) -> Event:
    quantity = sum(entry.quantity for entry in given)
    event = make(
        CashAllocated,
        parent_id="P1",
        epoch=epoch,
        version=1,
        quantity=quantity,
        cash_e9=PRICE * quantity,
        fee_e9=fee_e9,
        entries=given,
    )
    return topics.ALLOCATIONS_EVENTS, event


def beginning() -> Day:
    """Definitions, a book, three orders; the cross; the parent and its first child."""
    parent = make(
        ParentOpened,
        parent_id="P1",
        tenant="T1",
        instrument_id="ACME",
        side=c.Side.BUY,
        quantity=300,
    )
    declared = make(
        CrossingDeclared, declaration_id="D1", tenant="T1", is_allowed=True, spread_max_bps=100
    )
    book = make(
        BookUpdated,
        venue_id="V1",
        instrument_id="ACME",
        state=c.BookState.OPEN,
        bids=(c.Level(price_e9=PRICE - 10**7, quantity=1),),
        asks=(c.Level(price_e9=PRICE + 10**7, quantity=1),),
    )
    orders = [(topics.ORDERS_COMMANDS, make(NewOrder, client_order_id=name)) for name in "ABC"]
    return {
        "orders": Batch(
            inputs=[
                (topics.CONTROL_COMMANDS, acme()),
                (topics.CONTROL_COMMANDS, declared),
                (
                    topics.CONTROL_COMMANDS,
                    make(VenueDefined, venue_id="V1", kind=c.VenueKind.LIT, is_enabled=True),
                ),
                (topics.MARKET_DATA, book),
                *orders,
            ],
            outputs=[
                accepted("A", 300, c.Side.BUY),
                accepted("B", 100, c.Side.BUY),
                accepted("C", 100, c.Side.SELL),
                *crossed(),
                closed("C", 100),
                (topics.AGGREGATIONS_EVENTS, parent),
                opened(1, 300, 300, A=225, B=75),
                *released(1, 100),
            ],
        ),
    }


def middle() -> Day:
    """40 filled, 60 canceled and sent again with the rest; then the first fill is busted."""
    bust = make(
        FillBusted,
        **of_child(1, side=c.Side.BUY, quantity=40),
        fill_id="V1/E1",
        exec_id="E1",
        bust_exec_id="E3",
        price_e9=PRICE,
        cash_e9=PRICE * 40,
        fee_e9=7,
    )
    restated = make(
        AllocationRestated,
        parent_id="P1",
        epoch=1,
        fill_id="V1/E1",
        cause=c.Cause.BUST,
        entries=(
            c.AllocationEntry(order_id="A", quantity=-30, cumulative_quantity=75),
            c.AllocationEntry(order_id="B", quantity=-10, cumulative_quantity=25),
        ),
    )
    second = filled("E2", 2, 100, is_tail=False)
    given = (
        c.AllocationEntry(order_id="A", quantity=75, cumulative_quantity=105),
        c.AllocationEntry(order_id="B", quantity=25, cumulative_quantity=35),
    )
    second[1] = (second[1][0], msgspec.structs.replace(second[1][1], entries=given))
    requested = make(ChildCancelRequested, **of_child(1), request=1)
    off_book = make(ChildCanceled, **of_child(1), canceled_quantity=60)
    back = {"slice_id": "P1.1", "parent_id": "P1", "epoch": 1, "quantity": 60, "is_closed": True}
    return {
        "fill 1": Batch(
            inputs=[report("E1", 1, c.ExecType.TRADE, 40)],
            outputs=filled("E1", 1, 40, is_tail=False, A=30, B=10),
        ),
        "cancel": Batch(outputs=[(topics.CHILDREN_EVENTS, requested)]),
        "canceled": Batch(
            inputs=[report("E9", 1, c.ExecType.CANCELED, 0)],
            outputs=[
                (topics.CHILDREN_EVENTS, off_book),
                (topics.CHILDREN_EVENTS, make(SliceReturned, **back)),
                *released(2, 260),
            ],
        ),
        "fill 2": Batch(inputs=[report("E2", 2, c.ExecType.TRADE, 100)], outputs=second),
        "bust": Batch(
            inputs=[report("E3", 1, c.ExecType.TRADE_CANCEL, 40)],
            outputs=[(topics.FILLS_EVENTS, bust), (topics.ALLOCATIONS_EVENTS, restated)],
        ),
    }


def end() -> Day:
    """D joins: 160 live become a tail of 120 and 40; 30, 10 and 50 are left for epoch 2."""
    ended = make(
        ParentClosed,
        parent_id="P1",
        status=c.OrderStatus.FILLED,
        quantity=350,
        filled_quantity=350,
    )
    return {
        "epoch 2": Batch(
            inputs=[(topics.ORDERS_COMMANDS, make(NewOrder, client_order_id="D"))],
            outputs=[
                accepted("D", 50, c.Side.BUY),
                turned(1, A=120, B=40),
                opened(2, 90, 350, A=30, B=10, D=50),
            ],
        ),
        "tail": Batch(
            inputs=[report("E4", 2, c.ExecType.TRADE, 160)],
            outputs=[*filled("E4", 2, 160, is_tail=True, A=120, B=40), *released(3, 90)],
        ),
        "end": Batch(
            inputs=[report("E5", 3, c.ExecType.TRADE, 90)],
            outputs=[
                *filled("E5", 3, 90, is_tail=False, A=30, B=10, D=50),
                closed("A", 300),
                closed("B", 100),
                closed("D", 50),
                turned(2),
                (topics.AGGREGATIONS_EVENTS, ended),
                cash(1, 14, cash_entry("A", 195, 11), cash_entry("B", 65, 3)),
                cash(2, 7, cash_entry("A", 30, 2), cash_entry("B", 10, 1), cash_entry("D", 50, 4)),
            ],
        ),
    }


def day() -> Day:
    """Return a fresh copy of the good day, batch by batch."""
    return beginning() | middle() | end()


def change(batch: Batch, kind: type[Any], *, nth: int = 0, **fields: Any) -> None:
    """Replace fields of the nth message of that kind, read or written."""
    for events in (batch.inputs, batch.outputs):
        found = [i for i, (_, message) in enumerate(events) if isinstance(message, kind)]
        if len(found) > nth:
            topic, message = events[found[nth]]
            events[found[nth]] = (topic, msgspec.structs.replace(message, **fields))
            return
    raise AssertionError(f"no {kind.__name__} to change")


def drop(batch: Batch, kind: type[Any]) -> Event:
    """Remove and return the first message of that kind."""
    for events in (batch.inputs, batch.outputs):
        for event in events:
            if isinstance(event[1], kind):
                events.remove(event)
                return event
    raise AssertionError(f"no {kind.__name__} to drop")
