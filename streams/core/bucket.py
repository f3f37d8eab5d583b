"""Which children are scored together: kinds of orders and buckets of instruments.

Both the scorecard, which learns, and routing, which asks, must name them alike.
"""

from typing import Final

from schemas.messages.core import OrderKind, OrderType, Side, TimeInForce
from streams.core.market import Instrument

__all__ = ["TICK_CLASSES", "bucket_of", "cell_key", "group_key", "kind_of", "tick_bps_e9"]

E9: Final = 1_000_000_000
BPS: Final = 10_000
# The coarser the tick, the longer the queues and the dearer it is to cross.
TICK_CLASSES: Final = ((E9 // 10, "fine"), (E9, "medium"), (10 * E9, "coarse"))
WIDEST: Final = "huge"
# Average daily notional in whole currency units.
LIQUIDITY_CLASSES: Final = ((1_000_000, "thin"), (50_000_000, "mid"))
DEEPEST: Final = "deep"
_AUCTIONS: Final = (TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE)


def kind_of(order_type: OrderType, time_in_force: TimeInForce) -> OrderKind:
    """Return the kind of a child; one pegged to the midpoint is hidden wherever it rests."""
    if time_in_force in _AUCTIONS:
        return OrderKind.AUCTION
    if order_type is OrderType.MIDPOINT:
        return OrderKind.DARK
    if time_in_force is TimeInForce.IOC or order_type is OrderType.MARKET:
        return OrderKind.AGGRESSIVE
    return OrderKind.PASSIVE


def tick_bps_e9(instrument: Instrument, price_e9: int) -> int:
    """Return one tick against the price.

    Units:  1e-9 basis points.
    Rounds: down.
    """
    return instrument.tick_at(price_e9) * BPS * E9 // price_e9


def bucket_of(instrument: Instrument, price_e9: int) -> str:
    """Return the tick class, with the liquidity class where the average daily volume is known.

    Asked once for each instrument of a shard, with the first price: InstrumentBucketed keeps it.
    """
    tick = tick_bps_e9(instrument, price_e9)
    name = next((name for most, name in TICK_CLASSES if tick < most), WIDEST)
    volume = instrument.average_daily_volume
    if not volume:
        return name
    notional = volume * price_e9 // (instrument.quantity_scale * E9)
    depth = next((name for most, name in LIQUIDITY_CLASSES if notional < most), DEEPEST)
    return f"{name}-{depth}"


def cell_key(venue_id: str, kind: OrderKind, bucket: str, side: Side) -> str:
    """Return the key of one cell of the scorecard, the venue last: its id may hold anything."""
    return f"{kind}/{bucket}/{side}/{venue_id}"


def group_key(cell: str) -> str:
    """Return the cells that are held against each other: a cell's key without its venue."""
    kind, bucket, side, _ = cell.split("/", 3)
    return f"{kind}/{bucket}/{side}"
