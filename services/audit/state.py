"""What the checker remembers of one shard: plain records, folded from events by the laws."""

from dataclasses import dataclass, field
from typing import Any

from services.audit.findings import Findings
from services.audit.records import Entry
from services.audit.reference import Reference
from services.audit.stages import Stage, stages_of

__all__ = ["Child", "Epoch", "Fill", "House", "Order", "Parent", "Round", "ShardState", "Slice"]


@dataclass(slots=True)
class Order:
    """A source order. `bound` is what it may hold: its quantity, or its fills once it has ended."""

    order_id: str
    tenant: str
    instrument_id: str
    account_id: str
    side: str
    quantity: int
    bound: int
    limit_price_e9: int | None
    is_cross_allowed: bool
    is_house: bool = False
    client_id: str = ""
    owner_id: str = ""
    start_ns: int = 0
    joined_ns: int = 0  # the window that it waits in, or waited in last
    arrival_price_e9: int | None = None  # None too once it joined a window again
    is_out: bool = False  # it left a parent and has not joined a window since
    filled: int = 0
    stated: int | None = None  # cumulative quantity as last told to the client
    is_asleep: bool = False  # done for the day
    parameters: dict[str, Any] | None = None  # of its strategy, as told

    @property
    def owner(self) -> str:
        return self.owner_id or self.account_id


@dataclass(slots=True)
class Round:
    """A netting round while its crosses are read."""

    message: dict[str, Any]
    entry: Entry
    crossed: int = 0
    netted: int = 0


@dataclass(slots=True)
class House:
    """Orders that share fills by constant weights: an epoch's main part, or its tail."""

    weights: dict[str, int]
    shares: dict[str, int] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)  # by minimal restatements, of `shares`
    paid: int = 0  # quantity of its fills as it stands
    stages: list[Stage] = field(default_factory=list)

    @staticmethod
    def of(members: list[dict[str, Any]], lot: int) -> "House":
        weights = {member["order_id"]: member["quantity"] for member in members}
        return House(weights, stages=stages_of(members, lot))

    @property
    def size(self) -> int:
        return sum(self.weights.values())

    @property
    def given(self) -> int:
        """What its orders hold."""
        return sum(self.shares.values()) - sum(self.taken.values())

    def held(self, order_id: str) -> int:
        """Return what one order holds."""
        return self.shares.get(order_id, 0) - self.taken.get(order_id, 0)


@dataclass(slots=True)
class Epoch:
    number: int
    quantity: int
    main: House
    tail: House | None = None
    lot: int = 1
    is_per_fill: bool = False
    is_closed: bool = False
    is_resolved: bool = False
    exposure: int = 0
    released: int = 0  # net of what came back, late fills included
    fill_ids: list[str] = field(default_factory=list)
    cash_version: int = 0
    cash: tuple[int, int, int] | None = None  # quantity, cash, fee as last given
    cash_shares: dict[str, int] = field(default_factory=dict)  # by order, over its fills' own cash

    def houses(self) -> tuple[House, ...]:
        return (self.main,) if self.tail is None else (self.main, self.tail)


@dataclass(slots=True)
class Parent:
    parent_id: str
    tenant: str
    instrument_id: str
    side: str
    ordered: int
    limit_price_e9: int | None
    parameters: dict[str, Any] | None = None
    filled: int = 0
    is_closed: bool = False
    epochs: dict[int, Epoch] = field(default_factory=dict)
    current: int = 0

    @property
    def exposure(self) -> int:
        return sum(epoch.exposure for epoch in self.epochs.values())


@dataclass(slots=True)
class Slice:
    slice_id: str
    parent_id: str
    epoch: int
    limit_price_e9: int | None
    unplaced: int
    overfill: int = 0  # left of its over-fill budget
    over: int = 0  # what its children expose beyond what it still wants
    exposure: int = 0  # of its children

    def free(self, quantity: int) -> None:
        """Take back what a child exposed: beyond the slice first."""
        over = min(self.over, quantity)
        self.over -= over
        self.unplaced += quantity - over
        self.exposure -= quantity


@dataclass(slots=True)
class Child:
    child_id: str
    slice_id: str
    parent_id: str
    epoch: int
    venue_id: str
    instrument_id: str
    side: str
    quantity: int
    price_e9: int | None
    exposure: int
    paid: int = 0  # fills that stand, error account excluded
    in_force: int = 0  # quantity now; `quantity` is the most that ever was
    added: int = 0  # exposed beyond it until a replace is answered


@dataclass(slots=True)
class Fill:
    fill_id: str
    child_id: str
    parent_id: str
    epoch: int
    quantity: int
    error_quantity: int
    price_e9: int
    cash_e9: int
    fee_e9: int
    booked: tuple[int, int]  # quantity paid and price as it came; a bust may come before it
    booked_cash: tuple[int, int]  # cash and fee as they came
    is_paid: bool  # some of it was paid to the epoch when it came, so its cash is the epoch's
    house: House | None = None
    is_busted: bool = False
    # Where each fill's cash is divided by itself: version, whole and shares as last given.
    cash_version: int = 0
    cash_given: tuple[int, int, int] = (0, 0, 0)
    cash_shares: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class ShardState:
    """Grows with orders, children and fills; market data leaves nothing but a few recent books."""

    findings: Findings
    orders: dict[str, Order] = field(default_factory=dict)
    accepted: set[tuple[Any, ...]] = field(default_factory=set)  # the clients' own keys
    parents: dict[str, Parent] = field(default_factory=dict)
    slices: dict[str, Slice] = field(default_factory=dict)
    children: dict[str, Child] = field(default_factory=dict)
    fills: dict[str, Fill] = field(default_factory=dict)
    busted: set[str] = field(default_factory=set)
    scales: dict[str, int] = field(default_factory=dict)  # quantity_scale by instrument
    reference: Reference = field(default_factory=Reference)
    due: dict[tuple[str, str], int] = field(default_factory=dict)  # drawn, by tenant, instrument
    round: Round | None = None  # the newest, while its batch is read
    crosses: dict[str, dict[str, Any]] = field(default_factory=dict)  # executed, not given yet
    crosses_given: int = 0
    crossed_quantity: int = 0


def cash_of(price_e9: int, quantity: int, scale: int) -> int:
    """Return price times quantity, 1e-9 currency units.

    Rounds: half to even where the price is off the grid (a midpoint, a venue's fraction).
    """
    twice, whole = 2 * price_e9 * quantity, 2 * scale
    floor, rest = divmod(twice, whole)
    return floor + (2 * rest > whole or (2 * rest == whole and floor % 2 == 1))
