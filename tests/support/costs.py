"""A small log as the TCA view reads it: events numbered per topic as the engine numbers them."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

from schemas.messages.allocation import CrossAllocated, FillAllocated
from schemas.messages.core import (
    AllocationEntry,
    CashEntry,
    Envelope,
    Liquidity,
    OrderType,
    Side,
    TimeInForce,
)
from schemas.messages.market import TradePrinted
from schemas.messages.routing import ChildPlaced, FillBooked, FillBusted
from streams.core.topics import MARKET_DATA
from streams.shard.routes import ROUTES
from streams.views.tca import TcaView
from tests.support.builders import ACME, NO_ID, OPEN_NS, SECOND, TICK
from tests.support.parents import PARENT

E9 = 10**9


class Shown(NamedTuple):
    """One event as a reader shows it to a view."""

    topic: str
    partition: int
    envelope: Envelope
    message: Any


def log(*events: tuple[float, Any]) -> list[Shown]:
    """Return events, each at so many seconds after the open, numbered per topic."""
    counts: Counter[str] = Counter()
    shown = []
    for index, (seconds, message) in enumerate(events):
        is_print = isinstance(message, TradePrinted)
        topic = MARKET_DATA if is_print else ROUTES[type(message)].topic
        envelope = Envelope(
            event_id=index.to_bytes(16, "big"),
            shard=0,
            seq=index,
            index=0,
            topic_seq=counts[topic],
            at_ns=OPEN_NS + round(seconds * SECOND),
            source_ns=0,
            actor="test",
            causation_id=NO_ID,
            correlation_id="",
        )
        counts[topic] += 1
        shown.append(Shown(topic, 0, envelope, message))
    return shown


def view_of(shown: Iterable[Shown]) -> TcaView:
    view = TcaView()
    for event in shown:
        view.fold(*event)
    return view


def printed(price_e9: int, quantity: int, own_quantity: int = 0) -> TradePrinted:
    return TradePrinted(
        venue_id="V1",
        instrument_id=ACME,
        price_e9=price_e9,
        quantity=quantity,
        own_quantity=own_quantity,
        aggressor=Side.BUY,
        is_hidden=False,
    )


def child_placed(ordinal: int, quantity: int, **changes: Any) -> ChildPlaced:
    """Return child `ordinal` of the first slice."""
    return ChildPlaced(
        **{
            "child_id": f"{PARENT}.1.{ordinal}",
            "slice_id": f"{PARENT}.1",
            "parent_id": PARENT,
            "epoch": 1,
            "venue_id": "V1",
            "instrument_id": ACME,
            "side": Side.BUY,
            "quantity": quantity,
            "order_type": OrderType.LIMIT,
            "price_e9": None,
            "time_in_force": TimeInForce.DAY,
            "minimum_quantity": 0,
            "self_trade_id": "T1.ACME",
            "arrival_price_e9": 10_000 * TICK,
            "placed_ns": OPEN_NS,
            "ack_due_ns": OPEN_NS,
            "rest_until_ns": 0,
            **changes,
        }
    )


def child_filled(
    ordinal: int, exec_id: str, quantity: int, price_e9: int, **changes: Any
) -> FillBooked:
    return FillBooked(
        **{
            "fill_id": f"V1/{exec_id}",
            "exec_id": exec_id,
            "child_id": f"{PARENT}.1.{ordinal}",
            "slice_id": f"{PARENT}.1",
            "parent_id": PARENT,
            "epoch": 1,
            "venue_id": "V1",
            "instrument_id": ACME,
            "side": Side.BUY,
            "quantity": quantity,
            "error_quantity": 0,
            "late_quantity": 0,
            "price_e9": price_e9,
            "cash_e9": quantity * price_e9,
            "fee_e9": 0,
            "liquidity": Liquidity.REMOVED,
            "midpoint_e9": None,
            **changes,
        }
    )


def fill_busted(fill: FillBooked) -> FillBusted:
    kept = {
        name: getattr(fill, name) for name in FillBusted.__struct_fields__ if hasattr(fill, name)
    }
    return FillBusted(**{**kept, "bust_exec_id": f"B-{fill.exec_id}"})


def fill_allocated(fill: FillBooked, **shares: int) -> FillAllocated:
    return FillAllocated(
        fill_id=fill.fill_id,
        parent_id=fill.parent_id,
        epoch=fill.epoch,
        is_tail=False,
        quantity=fill.quantity,
        price_e9=fill.price_e9,
        entries=entries(**shares),
    )


def entries(**shares: int) -> tuple[AllocationEntry, ...]:
    return tuple(
        AllocationEntry(order_id=order_id, quantity=quantity, cumulative_quantity=0)
        for order_id, quantity in shares.items()
    )


def cash(quantity: int, cash_e9: int, fee_e9: int = 0, order_id: str = "O1") -> CashEntry:
    return CashEntry(order_id=order_id, quantity=quantity, cash_e9=cash_e9, fee_e9=fee_e9)


def cross_allocated(
    quantity: int, price_e9: int, buy: str = "O1", sell: str = "O2"
) -> CrossAllocated:
    return CrossAllocated(
        cross_id="Xabcdef.0.1",
        quantity=quantity,
        price_e9=price_e9,
        buys=(cash(quantity, quantity * price_e9, order_id=buy),),
        sells=(cash(quantity, quantity * price_e9, order_id=sell),),
    )
