"""What the gateway remembers of its clients: orders, their executions, what was asked, lists.

All of it is a fold of inputs: of FIX messages as they came, and of the engine's events. Nothing
depends on what the gateway itself sent, so a recovery needs none of it.
"""

import msgspec

from schemas.messages.core import (
    CommandKind,
    Liquidity,
    OrderStatus,
    OrderType,
    Side,
    StrategyKind,
    TimeInForce,
    Urgency,
)
from services.fix.clients.reference import Reference
from services.fix.fields import Fields
from services.fix.gateway.application import GatewayState

__all__ = [
    "OPEN",
    "ClientsState",
    "Execution",
    "MassRequest",
    "Order",
    "OrderList",
    "Payment",
    "Pending",
    "Request",
    "Trade",
    "name_key",
]

OPEN = (OrderStatus.NEW, OrderStatus.DONE_FOR_DAY)


class Execution(msgspec.Struct, array_like=True):
    """A trade as the client knows it now. `exec_id`: the newest that tells of it.

    The last four are as that report told them, for who asks for it again.
    """

    exec_id: str
    fill_id: str  # fill or cross
    parent_id: str  # empty for a cross
    quantity: int
    price_e9: int
    transact_ns: int = 0  # FIX 60
    market: str = ""  # FIX 30
    capacity: str = ""  # FIX 29
    liquidity: str = ""  # FIX 851


class Payment(msgspec.Struct, frozen=True, array_like=True):
    """Cash and fees of a source; bytes, for a snapshot's integers end at 64 bits."""

    quantity: int
    cash: bytes
    fee: bytes

    @classmethod
    def of(cls, quantity: int, cash_e9: int, fee_e9: int) -> "Payment":
        return cls(quantity, _bytes(cash_e9), _bytes(fee_e9))

    @property
    def cash_e9(self) -> int:
        return int.from_bytes(self.cash, signed=True)

    @property
    def fee_e9(self) -> int:
        return int.from_bytes(self.fee, signed=True)


class Pending(msgspec.Struct, frozen=True, array_like=True):
    """A request that the engine has not carried out yet."""

    kind: CommandKind
    client_order_id: str
    is_asked: bool  # by the client; else the house cancels


class Order(msgspec.Struct, array_like=True):
    """An order of ours. `status` as streams/intake: NEW while it works."""

    order_id: str
    source: str
    client_order_id: str  # newest in force
    account_id: str
    instrument_id: str
    trade_date: int
    side: Side
    is_short_sale: bool
    order_type: OrderType
    time_in_force: TimeInForce
    quantity: int
    limit_price_e9: int | None
    list_id: str
    strategy: StrategyKind
    urgency: Urgency
    start_ns: int
    participation_cap_bps: int
    expire_ns: int
    cumulative_quantity: int = 0
    status: OrderStatus = OrderStatus.NEW
    pending: Pending | None = None
    executions: list[Execution] = []
    value: bytes = b""  # of the executions, 1e-9 units times quantity; may be beyond 64 bits
    payments: dict[str, Payment] = {}  # by epoch, fill or cross whose cash it is
    names: list[str] = []  # every ClOrdID that it ever had
    is_cross_allowed: bool = True
    locate_id: str = ""

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def order_status(self) -> OrderStatus:
        """Return FIX 39: of the states that apply the one that FIX ranks highest."""
        if self.pending is not None:
            is_cancel = self.pending.kind is CommandKind.CANCEL
            return OrderStatus.PENDING_CANCEL if is_cancel else OrderStatus.PENDING_REPLACE
        if self.status is not OrderStatus.NEW:
            return self.status
        if self.cumulative_quantity >= self.quantity:
            return OrderStatus.FILLED
        return OrderStatus.PARTIALLY_FILLED if self.cumulative_quantity else OrderStatus.NEW

    @property
    def leaves_quantity(self) -> int:
        """Return FIX 151: 0 once it is over."""
        return max(0, self.quantity - self.cumulative_quantity) if self.is_open else 0

    def count(self, quantity: int, value: int) -> None:
        """Add to what is executed."""
        self.cumulative_quantity += quantity
        self.value = _bytes(int.from_bytes(self.value, signed=True) + value)

    @property
    def average_price_e9(self) -> int:
        """Return FIX 6: value of the executions that stand by their quantity.

        Units:  1e-9 currency units.
        Rounds: half even.
        """
        quantity = self.cumulative_quantity
        if not quantity:
            return 0
        whole, rest = divmod(int.from_bytes(self.value, signed=True), quantity)
        twice = 2 * rest
        return whole + int(twice > quantity or (twice == quantity and whole & 1 == 1))


class Request(msgspec.Struct, array_like=True):
    """A ClOrdID that a client used, and what came of it."""

    digest: bytes  # of the message without what a second sending changes
    trade_date: int  # of the command
    kept_date: int  # newest trade date of the log when it came: when it may be forgotten
    echo: list[tuple[int, str]]  # fields that a refusal repeats
    refused: list[tuple[int, str]] = []  # the refusal's own fields, told again to a repetition
    is_order: bool = False  # a D, or an order of a list
    style: str = ""  # which tags its parameters came in, and go back in
    list_id: str = ""


class MassRequest(msgspec.Struct, array_like=True):
    """A mass cancel that some shards have not answered yet."""

    session_id: str
    client_order_id: str
    request_type: str  # FIX 530 or 1374
    kept_date: int
    shards: list[int] = []  # that have answered
    orders: int = 0
    message_type: str = "q"  # or CA
    action: str = ""  # FIX 1373 of a CA
    text: str = ""  # why it was refused, told again to a repetition


class OrderList(msgspec.Struct, array_like=True):
    """A list of orders (FIX 35=E), from its first fragment on."""

    session_id: str
    list_id: str
    kept_date: int
    total: int  # FIX 68
    execution: str  # FIX 433: 1 at once, 2 when it is told to
    names: list[str] = []  # ClOrdIDs as they came
    fragments: list[bytes] = []  # as they came, until its orders went out
    digests: list[bytes] = []
    is_whole: bool = False  # its last fragment is here
    is_started: bool = False
    is_canceling: bool = False
    answers: int = 0  # BasketAnswered still to come
    accepted: int = 0
    text: str = ""  # why it was refused
    order_ids: list[str] = []
    is_done: bool = False


class Trade(msgspec.Struct, frozen=True, array_like=True):
    """Where and how a fill or cross of this batch took place; forgotten when the batch is over."""

    venue_id: str
    liquidity: Liquidity
    transact_ns: int
    price_e9: int
    is_cross: bool = False


class ClientsState(GatewayState):
    """State of the gateway."""

    reference: Reference = msgspec.field(default_factory=Reference)
    orders: dict[str, Order] = msgspec.field(default_factory=dict)  # by order_id
    order_ids: dict[str, str] = msgspec.field(
        default_factory=dict
    )  # by name_key of every ClOrdID of an order
    requests: dict[str, Request] = msgspec.field(default_factory=dict)  # by name_key
    lists: dict[str, OrderList] = msgspec.field(default_factory=dict)  # by name_key of the ListID
    masses: dict[str, MassRequest] = msgspec.field(default_factory=dict)  # by name_key
    trades: dict[str, Trade] = msgspec.field(
        default_factory=dict
    )  # of the batch of an engine that is being read
    parties: dict[str, list[str]] = msgspec.field(
        default_factory=dict
    )  # orders with executions of a fill, by fill
    # Orders that each epoch, fill or cross pays.
    payers: dict[str, list[str]] = msgspec.field(default_factory=dict)
    days: dict[str, int] = msgspec.field(default_factory=dict)  # newest of its orders, by source
    trade_date: int = 0  # newest of the log
    previous_date: int = 0  # the one before it

    def order_named(self, source: str, client_order_id: str) -> Order | None:
        """Return the order that ever had this ClOrdID."""
        return self.orders.get(self.order_ids.get(name_key(source, client_order_id), ""))

    def waiting(self, session_id: str, client_order_id: str) -> tuple[OrderList, Fields] | None:
        """Return an order that never went out with its list: it waits, or was withdrawn."""
        for asked in self.lists.values():
            if asked.session_id == session_id and client_order_id in asked.names:
                for fragment in asked.fragments:
                    for fields in Fields.parse(fragment).groups(73):
                        if fields.get(11) == client_order_id:
                            return asked, fields
        return None


def name_key(source: str, name: str) -> str:
    """Return a key; a string, for canonical snapshots sort their keys."""
    return f"{source}\0{name}"


def _bytes(value: int) -> bytes:
    return value.to_bytes(value.bit_length() // 8 + 1, signed=True)
