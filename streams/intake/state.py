"""What intake remembers: orders by id, and what every client command was answered."""

from collections.abc import Iterator

import msgspec

from schemas.messages.core import (
    Cause,
    CommandKind,
    Constraints,
    OrderStatus,
    OrderType,
    RejectReason,
    StrategyParameters,
)
from schemas.messages.intake import (
    CancelOrder,
    MassCancelOrder,
    NewBasket,
    NewOrder,
    OrderAccepted,
    ReplaceOrder,
)

__all__ = [
    "NO_DIGEST",
    "Answer",
    "IntakeState",
    "Order",
    "Pending",
    "basket_key",
    "command_key",
    "is_dormant",
    "is_taken",
    "key_of",
    "many_key",
    "mass_key",
    "open_orders",
    "standing_key",
]

NO_DIGEST = bytes(16)  # of a request that no client's message made


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
    client_order_id: str  # of the request; the order's own when nobody asked for the cancel
    digest: bytes  # NO_DIGEST when nobody asked
    cause: Cause = Cause.CLIENT
    trade_date: int = 0  # of the request; 0 when it is the order's
    # What a replace asks for, resolved: what it left out is what was in force.
    quantity: int = 0
    limit_price_e9: int | None = None
    constraints: Constraints | None = None
    end_ns: int = 0  # 0 keeps it
    limits_version: int = 0
    unit_value_e9: int = 0
    parameters: StrategyParameters | None = None


class Order(msgspec.Struct, array_like=True):
    """A source order. `status` is NEW while it works; else DONE_FOR_DAY or how it ended."""

    terms: OrderAccepted  # as accepted; what may change since stands below
    client_order_id: str  # newest id in force, FIX 11
    quantity: int
    limit_price_e9: int | None
    order_type: OrderType
    start_ns: int  # 0 for at once
    end_ns: int  # of its work in this session
    trade_date: int  # of this session
    constraints: Constraints | None
    cumulative_quantity: int = 0
    reported_quantity: int = 0  # cumulative quantity that the last closing event told
    parent_id: str = ""  # empty while it waits in a window
    is_leaving: bool = False  # its parent lets it go, whatever becomes of the request meanwhile
    status: OrderStatus = OrderStatus.NEW
    pending: Pending | None = None
    parameters: StrategyParameters | None = None

    @property
    def is_open(self) -> bool:
        return self.status is OrderStatus.NEW or self.status is OrderStatus.DONE_FOR_DAY

    @property
    def is_full(self) -> bool:
        return self.cumulative_quantity >= self.quantity

    @property
    def order_status(self) -> OrderStatus:
        """Return FIX 39: of the states that apply the one that FIX ranks highest."""
        if self.pending is not None:
            is_cancel = self.pending.command is CommandKind.CANCEL
            return OrderStatus.PENDING_CANCEL if is_cancel else OrderStatus.PENDING_REPLACE
        if self.status is not OrderStatus.NEW:
            return self.status
        if self.is_full:
            return OrderStatus.FILLED
        return OrderStatus.PARTIALLY_FILLED if self.cumulative_quantity else OrderStatus.NEW


class IntakeState(msgspec.Struct):
    """Mutable; only `evolve` writes it, but `id_prefix`, which the shard sets once."""

    id_prefix: str = ""  # "<log tag>.<shard>."
    orders_count: int = 0
    orders: dict[str, Order] = {}
    # By command_key. The first answer binds the id; later ones are refusals of other contents.
    answers: dict[str, list[Answer]] = {}
    parents: dict[str, list[str]] = {}  # open parents and the orders that ever joined them
    standing: dict[str, str] = {}  # open GTC and GTD orders by standing_key of their newest id
    dormant: dict[str, int] = {}  # orders done for the day, and when they resume, ns; 0: unknown


def command_key(instrument_id: str, source: str, client_order_id: str, trade_date: int) -> str:
    """Return the idempotency key; a string, for canonical snapshots sort their keys."""
    return f"{trade_date}\0{instrument_id}\0{source}\0{client_order_id}"


def key_of(
    message: NewOrder | CancelOrder | ReplaceOrder, client_order_id: str | None = None
) -> str:
    """Return the idempotency key of a client message, or of another id in its place."""
    return command_key(
        message.instrument_id,
        message.source,
        message.client_order_id if client_order_id is None else client_order_id,
        message.trade_date,
    )


def many_key(message: MassCancelOrder | NewBasket) -> str:
    """Return the idempotency key of a message about many orders."""
    if isinstance(message, NewBasket):
        return basket_key(message.source, message.basket_id, message.trade_date)
    return mass_key(message.source, message.client_order_id, message.trade_date)


def basket_key(source: str, basket_id: str, trade_date: int) -> str:
    """Return the idempotency key of a basket; other keys begin with a number."""
    return f"basket\0{trade_date}\0{source}\0{basket_id}"


def mass_key(source: str, client_order_id: str, trade_date: int) -> str:
    """Return the idempotency key of a mass cancel."""
    return f"mass\0{trade_date}\0{source}\0{client_order_id}"


def standing_key(instrument_id: str, source: str, client_order_id: str) -> str:
    """Return the key under which an order is found on every day that it lives."""
    return f"{instrument_id}\0{source}\0{client_order_id}"


def is_taken(state: IntakeState, message: NewOrder | CancelOrder | ReplaceOrder) -> bool:
    """Return whether the id of the message was used before: that day, or by an order that stands.

    FIX 11: the id of an order that outlives its day stays taken until the order ends.
    """
    if state.answers.get(key_of(message)):
        return True
    if not state.standing:
        return False
    key = standing_key(message.instrument_id, message.source, message.client_order_id)
    return key in state.standing


def open_orders(state: IntakeState) -> Iterator[Order]:
    """Yield the orders that have not ended, done for the day included, in order of acceptance."""
    return (order for order in state.orders.values() if order.is_open)


def is_dormant(state: IntakeState, order_id: str) -> bool:
    """Return whether the order waits for another session."""
    return order_id in state.dormant
