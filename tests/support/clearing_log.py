"""A small day of clearing written by hand: every number is worked out here.

Orders A 300 and B 100 to buy, C 100 to sell, D 80 to sell. A cross of 100; parent P1 for A and B
whose fills are busted and corrected after the cash was given; parent P2 for D, each fill by itself,
one of which is busted. Prices and fees are whole units of USD; an over-fill of 2 is nobody's.
"""

from typing import Any

from schemas.messages import core as c
from schemas.messages.allocation import (
    AllocationRestated,
    CashAllocated,
    CrossAllocated,
    FillAllocated,
)
from schemas.messages.control import AccountDefined, CalendarDefined, InstrumentDefined
from schemas.messages.intake import OrderAccepted
from schemas.messages.netting import CrossExecuted, EpochOpened, ParentClosed, ParentOpened
from schemas.messages.routing import FillBooked, FillBusted, FillCorrected
from schemas.messages.venues import ExecutionReport
from services.clearing.reconciliation.run import TOPICS, Entry
from streams.adapters.codec import AvroCodec
from streams.adapters.memory import MemoryLog
from streams.core import topics
from streams.runtime.ports import TopicPartition
from tests.support.audit_log import Batch, Event, make, written

__all__ = ["CODEC", "E9", "SETTLED", "TRADE_DATE", "day", "entries_of", "log_of", "part"]

CODEC = AvroCodec()
E9 = 10**9
TRADE_DATE, SETTLED = 20260227, 20260302  # a Friday, the Monday after it
CHILDREN = {"E": "P1.1.1", "F": "P1.2.1", "G": "P2.1.1"}
VENUES = {"E": "V1", "F": "V2", "G": "V1"}


def part(order_id: str, quantity: int, cash: int, fee_e9: int = 0) -> c.CashEntry:
    return c.CashEntry(order_id=order_id, quantity=quantity, cash_e9=cash * E9, fee_e9=fee_e9)


def order(order_id: str, side: c.Side, quantity: int) -> Event:
    accepted = make(
        OrderAccepted,
        order_id=order_id,
        client_order_id=f"c{order_id}",
        source="OMS",
        tenant="T1",
        account_id=f"account-{order_id}",
        client_id=f"client-{order_id}",
        instrument_id="ACME",
        side=side,
        quantity=quantity,
        trade_date=TRADE_DATE,
    )
    return topics.ORDERS_EVENTS, accepted


def told(
    name: str,
    quantity: int,
    price: int,
    fee: int,
    count: int,
    *,
    ref: str = "",
    kind: c.ExecType = c.ExecType.TRADE,
) -> Event:
    """What venue and child of that letter say; `count` is the child's cumulative quantity."""
    letter = name[0]
    report = make(
        ExecutionReport,
        venue_id=VENUES[letter],
        instrument_id="ACME",
        child_id=CHILDREN[letter],
        exec_id=name,
        exec_ref_id=ref,
        exec_type=kind,
        side=c.Side.SELL if letter == "G" else c.Side.BUY,
        last_quantity=quantity,
        last_price_e9=price * E9,
        fee_e9=fee * E9,
        cumulative_quantity=count,
        transact_ns=int(name[1]),
    )
    return topics.VENUES_REPORTS, report


def ids(name: str) -> dict[str, Any]:
    letter = name[0]
    child_id = CHILDREN[letter]
    return {
        "fill_id": f"{VENUES[letter]}/{name}",
        "exec_id": name,
        "child_id": child_id,
        "slice_id": child_id.rpartition(".")[0],
        "parent_id": child_id[:2],
        "epoch": 1,
        "venue_id": VENUES[letter],
        "instrument_id": "ACME",
        "side": c.Side.SELL if letter == "G" else c.Side.BUY,
    }


def filled(
    name: str, quantity: int, price: int, fee: int, *, error: int = 0, **given: int
) -> list[Event]:
    """A fill and its allocation; `quantity` is paid to the orders, `error` is not."""
    known = ids(name)
    booked = make(
        FillBooked,
        **known,
        quantity=quantity,
        error_quantity=error,
        price_e9=price * E9,
        cash_e9=price * quantity * E9,
        fee_e9=fee * E9,
        liquidity=c.Liquidity.ADDED,
    )
    allocated = make(
        FillAllocated,
        fill_id=known["fill_id"],
        parent_id=known["parent_id"],
        epoch=1,
        quantity=quantity,
        price_e9=price * E9,
        entries=entries(given),
    )
    return [(topics.FILLS_EVENTS, booked), (topics.ALLOCATIONS_EVENTS, allocated)]


def entries(given: dict[str, int]) -> tuple[c.AllocationEntry, ...]:
    return tuple(
        c.AllocationEntry(order_id=order_id, quantity=quantity, cumulative_quantity=0)
        for order_id, quantity in given.items()
    )


def busted(name: str, bust: str, quantity: int, price: int, fee: int) -> Event:
    event = make(
        FillBusted,
        **ids(name),
        bust_exec_id=bust,
        quantity=quantity,
        price_e9=price * E9,
        cash_e9=price * quantity * E9,
        fee_e9=fee * E9,
    )
    return topics.FILLS_EVENTS, event


def restated(name: str, cause: c.Cause, **taken: int) -> Event:
    known = ids(name)
    event = make(
        AllocationRestated,
        parent_id=known["parent_id"],
        epoch=1,
        fill_id=known["fill_id"],
        cause=cause,
        entries=entries({order_id: -quantity for order_id, quantity in taken.items()}),
    )
    return topics.ALLOCATIONS_EVENTS, event


def cash(parent_id: str, version: int, *given: c.CashEntry, fill_id: str = "") -> Event:
    event = make(
        CashAllocated,
        parent_id=parent_id,
        epoch=1,
        version=version,
        quantity=sum(entry.quantity for entry in given),
        cash_e9=sum(entry.cash_e9 for entry in given),
        fee_e9=sum(entry.fee_e9 for entry in given),
        entries=given,
        fill_id=fill_id,
    )
    return topics.ALLOCATIONS_EVENTS, event


def parent(parent_id: str, side: c.Side, **members: int) -> list[Event]:
    opened = make(ParentOpened, parent_id=parent_id, tenant="T1", instrument_id="ACME", side=side)
    epoch = make(
        EpochOpened,
        parent_id=parent_id,
        epoch=1,
        quantity=sum(members.values()),
        members=tuple(c.Member(order_id=o, quantity=q) for o, q in members.items()),
        is_per_fill=parent_id == "P2",
    )
    return [(topics.AGGREGATIONS_EVENTS, opened), (topics.AGGREGATIONS_EVENTS, epoch)]


def closed(parent_id: str) -> Event:
    return topics.AGGREGATIONS_EVENTS, make(ParentClosed, parent_id=parent_id)


def definitions() -> list[Event]:
    terms = make(
        InstrumentDefined,
        instrument_id="ACME",
        symbol="ACME",
        currency="USD",
        quantity_scale=1,
        session_close_ns=3,
        trade_date=TRADE_DATE,
        settlement_days=1,
        settlement_calendar_id="XTST",
    )
    calendar = make(
        CalendarDefined,
        calendar_id="XTST",
        first_date=TRADE_DATE,
        last_date=20260401,
        settlement_dates=(TRADE_DATE, SETTLED, 20260303, 20260304),
    )
    accounts = [
        make(AccountDefined, account_id=f"account-{o}", client_id=f"client-{o}") for o in "ABCD"
    ]
    return [(topics.CONTROL_COMMANDS, each) for each in (calendar, terms, *accounts)]


def beginning() -> dict[str, Batch]:
    cross = make(
        CrossExecuted,
        cross_id="X1",
        tenant="T1",
        instrument_id="ACME",
        quantity=100,
        price_e9=100 * E9,
        evidence=make(c.QuoteEvidence),
        kind=c.CrossKind.CLIENT_CROSS,
    )
    given = make(
        CrossAllocated,
        cross_id="X1",
        quantity=100,
        price_e9=100 * E9,
        buys=(part("A", 75, 7_500), part("B", 25, 2_500)),
        sells=(part("C", 100, 10_000),),
    )
    return {
        "orders": Batch(
            inputs=definitions(),
            outputs=[
                order("A", c.Side.BUY, 300),
                order("B", c.Side.BUY, 100),
                order("C", c.Side.SELL, 100),
                order("D", c.Side.SELL, 80),
                (topics.AGGREGATIONS_EVENTS, cross),
                (topics.ALLOCATIONS_EVENTS, given),
                *parent("P1", c.Side.BUY, A=225, B=75),
                *parent("P2", c.Side.SELL, D=80),
            ],
        ),
        "fills": Batch(
            inputs=[
                told("E1", 40, 100, 8, 40),
                told("E2", 100, 100, 8, 140),
                told("F1", 60, 101, 8, 60),
                told("F3", 10, 101, 4, 70),
            ],
            outputs=[
                *filled("E1", 40, 100, 8, A=30, B=10),
                *filled("E2", 100, 100, 8, A=75, B=25),
                *filled("F1", 60, 101, 8, A=45, B=15),
                *filled("F3", 8, 101, 4, error=2, A=6, B=2),
            ],
        ),
        "cash": Batch(
            outputs=[
                closed("P1"),
                cash("P1", 1, part("A", 156, 15_651, 21 * E9), part("B", 52, 5_217, 7 * E9)),
            ]
        ),
    }


def day() -> dict[str, Batch]:
    """Return a fresh copy of the day, batch by batch."""
    correction = make(
        FillCorrected,
        **ids("F1"),
        correction_exec_id="F5",
        previous_quantity=60,
        quantity=40,
        previous_price_e9=101 * E9,
        price_e9=101 * E9,
        cash_e9=4_040 * E9,
        fee_e9=4 * E9,
    )
    bust, correct = c.ExecType.TRADE_CANCEL, c.ExecType.TRADE_CORRECT
    return {
        **beginning(),
        "bust": Batch(
            inputs=[told("E4", 40, 100, 0, 100, ref="E1", kind=bust)],
            outputs=[
                busted("E1", "E4", 40, 100, 8),
                restated("E1", c.Cause.BUST, A=30, B=10),
                cash("P1", 2, part("A", 126, 12_651, 15 * E9), part("B", 42, 4_217, 5 * E9)),
            ],
        ),
        "correction": Batch(
            inputs=[told("F5", 40, 101, 4, 50, ref="F1", kind=correct)],
            outputs=[
                (topics.FILLS_EVENTS, correction),
                restated("F1", c.Cause.CORRECTION, A=15, B=5),
                cash("P1", 3, part("A", 111, 11_136, 12 * E9), part("B", 37, 3_712, 4 * E9)),
            ],
        ),
        "by fill": Batch(
            inputs=[told("G1", 50, 99, 2, 50), told("G2", 30, 99, 1, 80)],
            outputs=[
                *filled("G1", 50, 99, 2, D=50),
                cash("P2", 1, part("D", 50, 4_950, 2 * E9), fill_id="V1/G1"),
                *filled("G2", 30, 99, 1, D=30),
                cash("P2", 1, part("D", 30, 2_970, 1 * E9), fill_id="V1/G2"),
            ],
        ),
        "bust by fill": Batch(
            inputs=[told("G3", 30, 99, 0, 50, ref="G2", kind=bust)],
            outputs=[
                busted("G2", "G3", 30, 99, 1),
                restated("G2", c.Cause.BUST, D=30),
                cash("P2", 2, fill_id="V1/G2"),
                closed("P2"),
            ],
        ),
    }


def log_of(batches: dict[str, Batch]) -> MemoryLog:
    """Return a log of one shard that holds these batches, signed as the runtime signs them."""
    names = [value for name, value in vars(topics).items() if name.isupper()]
    log = MemoryLog(dict.fromkeys(names, 1))
    for record in written(batches.values()):
        log.append(record.topic, record.partition, record.key, record.value)
    return log


def entries_of(log: MemoryLog, partitions: int = 1) -> list[Entry]:
    """Return what a reconciliation reads."""
    found = []
    for topic in TOPICS:
        for partition in range(1 if topic == topics.CONTROL_COMMANDS else partitions):
            records, _ = log.partition(TopicPartition(topic, partition)).read(0, 10**9)
            for record in records:
                envelope, message = CODEC.decode(record.value)
                found.append(Entry(topic, partition, record.offset, envelope, message))
    return found
