"""What clearing knows of orders, fills and their allocation: a fold of the engine's events."""

from collections.abc import Callable
from typing import Any

import msgspec

from schemas.messages.allocation import AllocationRestated, FillAllocated
from schemas.messages.core import Cause, CrossKind, Envelope, Side
from schemas.messages.intake import OrderAccepted
from schemas.messages.netting import CrossExecuted, ParentOpened
from schemas.messages.routing import FillBooked, FillBusted, FillCorrected

__all__ = ["Change", "ClearingView", "Cross", "Fill", "Order", "Pool", "pool_key"]


class Order(msgspec.Struct, array_like=True, gc=False):
    """Whose order it is. Ids of v1 events may be empty: reference data know them."""

    account_id: str
    client_id: str
    owner_id: str
    is_house: bool
    tenant: str
    source: str
    client_order_id: str
    instrument_id: str
    side: Side
    is_short_sale: bool


class Fill(msgspec.Struct, array_like=True, gc=False):
    """An execution as booked. `executed_ns`: when the outside says it happened."""

    child_id: str
    slice_id: str
    executed_ns: int


class Change(msgspec.Struct, array_like=True, gc=False):
    """One allocation event of a pool: what it gave, or took back, by order."""

    fill_id: str
    event_id: bytes
    parts: list[tuple[str, int]]


class Pool(msgspec.Struct, array_like=True):
    """The allocation of one epoch. `cause`: of its newest restatement; BUST, CORRECTION or FILL."""

    executed_ns: int = 0  # of its newest fill
    cause: Cause = Cause.FILL
    changes: list[Change] = []


class Cross(msgspec.Struct, array_like=True, gc=False):
    """A cross before its cash is known."""

    instrument_id: str
    tenant: str
    kind: CrossKind
    crossed_ns: int


class ClearingView(msgspec.Struct):
    """Folded from every event of every shard, in the order of each shard's journal."""

    orders: dict[str, Order] = {}
    tenants: dict[str, str] = {}  # by parent
    fills: dict[str, Fill] = {}
    pools: dict[str, Pool] = {}  # by `pool_key`
    crosses: dict[str, Cross] = {}

    def fold(self, envelope: Envelope, message: Any) -> None:
        """Take one event; those that clearing does not use change nothing."""
        fold = FOLDS.get(type(message))
        if fold is not None:
            fold(self, envelope, message)


def pool_key(parent_id: str, epoch: int) -> str:
    """Return the id of an epoch's pool."""
    return f"{parent_id}#{epoch}"


def _accepted(view: ClearingView, envelope: Envelope, event: OrderAccepted) -> None:
    view.orders[event.order_id] = Order(
        event.account_id,
        event.client_id,
        event.owner_id,
        event.is_house,
        event.tenant,
        event.source,
        event.client_order_id,
        event.instrument_id,
        event.side,
        event.is_short_sale,
    )


def _opened(view: ClearingView, envelope: Envelope, event: ParentOpened) -> None:
    view.tenants[event.parent_id] = event.tenant


def _crossed(view: ClearingView, envelope: Envelope, event: CrossExecuted) -> None:
    view.crosses[event.cross_id] = Cross(
        event.instrument_id, event.tenant, event.kind, event.crossed_ns
    )


def _booked(view: ClearingView, envelope: Envelope, event: FillBooked) -> None:
    executed_ns = envelope.source_ns or envelope.at_ns
    view.fills[event.fill_id] = Fill(event.child_id, event.slice_id, executed_ns)
    pool = view.pools.setdefault(pool_key(event.parent_id, event.epoch), Pool())
    pool.executed_ns = max(pool.executed_ns, executed_ns)
    pool.cause = Cause.FILL


def _changed(view: ClearingView, envelope: Envelope, event: FillBusted | FillCorrected) -> None:
    pool = view.pools.setdefault(pool_key(event.parent_id, event.epoch), Pool())
    pool.cause = Cause.BUST if isinstance(event, FillBusted) else Cause.CORRECTION


def _allocated(
    view: ClearingView, envelope: Envelope, event: FillAllocated | AllocationRestated
) -> None:
    parts = [(entry.order_id, entry.quantity) for entry in event.entries]
    pool = view.pools.setdefault(pool_key(event.parent_id, event.epoch), Pool())
    pool.changes.append(Change(event.fill_id, envelope.event_id, parts))


FOLDS: dict[type, Callable[[ClearingView, Envelope, Any], None]] = {
    OrderAccepted: _accepted,
    ParentOpened: _opened,
    CrossExecuted: _crossed,
    FillBooked: _booked,
    FillBusted: _changed,
    FillCorrected: _changed,
    FillAllocated: _allocated,
    AllocationRestated: _allocated,
}
