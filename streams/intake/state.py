"""What intake remembers: orders by id, and what every client command was answered."""

import msgspec

from schemas.messages.core import (
    CommandKind,
    OrderStatus,
    OrderType,
    RejectReason,
)
from schemas.messages.intake import CancelOrder, NewOrder, OrderAccepted, ReplaceOrder

__all__ = ["Answer", "IntakeState", "Order", "Pending", "command_key", "key_of"]


class Answer(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a client command was answered first; the same content is answered so again."""

    digest: bytes
    command: CommandKind
    order_id: str  # empty after a refusal
    is_accepted: bool
    reason: RejectReason


class Pending(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A cancel or replace that waits until the order has left its parent."""

    command: CommandKind
    source: str
    client_order_id: str
    quantity: int  # asked for by a replace
    limit_price_e9: int | None
    digest: bytes


class Order(msgspec.Struct, array_like=True):
    """A source order. `status` stays NEW while it works; the final one says how it ended."""

    terms: OrderAccepted  # as accepted; what a replace may change stands below
    client_order_id: str  # newest id in force, FIX 11
    quantity: int
    limit_price_e9: int | None
    order_type: OrderType
    cumulative_quantity: int = 0
    reported_quantity: int = 0  # cumulative quantity that the last closing event told
    parent_id: str = ""  # empty while it waits in a window
    status: OrderStatus = OrderStatus.NEW
    pending: Pending | None = None

    @property
    def is_open(self) -> bool:
        return self.status is OrderStatus.NEW

    @property
    def is_full(self) -> bool:
        return self.cumulative_quantity >= self.quantity


class IntakeState(msgspec.Struct):
    """Mutable; only `evolve` writes it, but `id_prefix`, which the shard sets once."""

    id_prefix: str = ""  # "<log tag>.<shard>."
    orders_count: int = 0
    orders: dict[str, Order] = {}
    # By command_key. The first answer binds the id; later ones are refusals of other contents.
    answers: dict[str, list[Answer]] = {}
    parents: dict[str, list[str]] = {}  # open parents and the orders that ever joined them


def command_key(instrument_id: str, source: str, client_order_id: str, trade_date: int) -> str:
    """Return the idempotency key; a string, for canonical snapshots sort their keys."""
    return f"{trade_date}\0{instrument_id}\0{source}\0{client_order_id}"


def key_of(message: NewOrder | CancelOrder | ReplaceOrder) -> str:
    """Return the idempotency key of a client message."""
    return command_key(
        message.instrument_id, message.source, message.client_order_id, message.trade_date
    )
