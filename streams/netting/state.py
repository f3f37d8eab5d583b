"""What netting remembers: windows, orders, parents with their epochs and tails; queries on it."""

from collections.abc import Iterator

import msgspec

from schemas.messages.core import (
    Cause,
    Constraints,
    Side,
    StrategyKind,
    StrategyParameters,
    TimeInForce,
    Urgency,
)

__all__ = [
    "NettingState",
    "Order",
    "Parent",
    "Tail",
    "Window",
    "cause_to_close",
    "is_urgent_waiting",
    "members",
    "open_parents",
    "parent_of",
    "standing",
    "staying",
    "waiting",
    "wanting",
    "window_key",
    "window_of",
]

TIMER = "netting:window:"
# Fills times members of one epoch: a bust may replay all of it, about a microsecond each. Where
# each fill's cash is divided by itself it costs three times as much.
EPOCH_PARTS_MAX = 1_000_000
PER_FILL_COST = 3
MULTI_DAY = (TimeInForce.GTC, TimeInForce.GTD)
SWEPT_ONCE = (TimeInForce.IOC, TimeInForce.AT_OPEN)


class Order(msgspec.Struct, kw_only=True):
    """A source order that waits or works. Units as in schemas/intake/OrderAccepted."""

    order_id: str
    tenant: str
    instrument_id: str
    account_id: str
    side: Side
    quantity: int
    limit_price_e9: int | None
    time_in_force: TimeInForce
    strategy: StrategyKind
    urgency: Urgency
    start_ns: int
    end_ns: int
    participation_cap_bps: int
    is_cross_allowed: bool
    is_dark_allowed: bool
    group_id: str
    is_short_sale: bool = False
    constraints: Constraints | None = None
    client_id: str = ""
    owner_id: str = ""
    is_house: bool = False
    arrival_price_e9: int | None = None  # None too once it joined a window again
    joined_ns: int = 0  # the window that it waits in, or waited in last
    allocated: int = 0  # from every parent and cross
    parent_id: str = ""  # empty while it waits or between parents
    is_working: bool = True  # False: closed before it was full
    parameters: StrategyParameters | None = None
    is_dormant: bool = False  # done for the day: it waits in no window until it is resumed

    @property
    def owner(self) -> str:
        """The beneficial owner: the account itself where no other is named."""
        return self.owner_id or self.account_id

    @property
    def leaves(self) -> int:
        return self.quantity - self.allocated if self.is_working else 0


class Window(msgspec.Struct, kw_only=True):
    """One tenant's orders in one instrument: who waits, and which parents work."""

    tenant: str
    instrument_id: str
    ordinal: int = 0  # of the newest closed window
    waiting: list[str] = []
    parent_ids: list[str] = []  # open, in order of opening
    due_ns: int | None = None  # set by the first order that waits and is not urgent
    is_drawn: bool = False  # due_ns is the instant that WindowOpened named


class Tail(msgspec.Struct, kw_only=True):
    """What a closed epoch's live exposure may still give to its orders."""

    epoch: int
    reserved: dict[str, int]  # by order, never 0


class Parent(msgspec.Struct, kw_only=True):
    """An aggregated order. `weights` and `allocated` are those of the current epoch."""

    parent_id: str
    group_id: str
    tenant: str
    instrument_id: str
    side: Side
    time_in_force: TimeInForce
    end_ns: int
    quantity: int  # ordered, as the newest epoch says
    filled: int = 0  # by its children; crosses are not the parent's
    epoch: int = 0
    order_ids: list[str] = []  # who has not left, in order of joining; kept after the close
    # Who may still want something, in order of joining: all with leaves and perhaps some without.
    # A parent of a busy day has thousands of members and a few that are not full.
    wanting: list[str] = []
    weights: dict[str, int] = {}  # in order of joining
    allocated: dict[str, int] = {}
    lot: int = 1  # as it was when the parent opened, like is_per_fill
    is_per_fill: bool = False
    tiers: dict[str, int] = {}  # of the current epoch's members, none that is 0
    begun: dict[str, int] = {}  # what completes begun lots of theirs, none that is 0
    fills: int = 0  # allocated in the current epoch, busted ones too
    tails: list[Tail] = []  # unresolved and not filled, by epoch
    leaving: list[str] = []
    end_cause: Cause = Cause.UNKNOWN  # set by ParentEnded
    is_closed: bool = False

    def tail(self, epoch: int) -> Tail | None:
        return next((tail for tail in self.tails if tail.epoch == epoch), None)

    @property
    def is_long(self) -> bool:
        """Return whether a bust of the current epoch's first fill would cost about a second."""
        cost = PER_FILL_COST if self.is_per_fill else 1
        return self.fills * len(self.weights) * cost >= EPOCH_PARTS_MAX

    def is_joinable(self, at_ns: int) -> bool:
        """Return whether new quantity may be given to it."""
        return (
            not self.is_closed
            and not self.leaving
            and self.end_cause is Cause.UNKNOWN
            and self.end_ns > at_ns
        )


class NettingState(msgspec.Struct, kw_only=True):
    """The shard sets the first four fields once, from its settings, before anything else."""

    id_prefix: str = ""  # "<tag>.<shard>"
    window_ns: int = 1_000_000_000
    window_count: int = 500  # waiting orders that close a window early; 0 for never
    members_max: int = 1_000  # of one epoch: bounds a fill's cost and the size of an event
    parents_opened: int = 0
    crosses_executed: int = 0
    orders: dict[str, Order] = {}
    windows: dict[str, Window] = {}
    parents: dict[str, Parent] = {}


def window_key(tenant: str, instrument_id: str) -> str:
    """Return "<tenant>/<instrument>", unambiguous whatever the tenant is called."""
    if "/" in tenant or "%" in tenant:
        tenant = tenant.replace("%", "%25").replace("/", "%2F")
    return f"{tenant}/{instrument_id}"


def window_of(state: NettingState, timer_id: str) -> Window | None:
    """Return the window whose timer this is; None for any other timer."""
    return state.windows.get(timer_id.removeprefix(TIMER))


def parent_of(state: NettingState, order_id: str) -> str | None:
    """Return the open parent that the order is a member of; None while it waits or is gone."""
    order = state.orders.get(order_id)
    return order.parent_id or None if order is not None else None


def open_parents(state: NettingState, tenant: str, instrument_id: str) -> tuple[str, ...]:
    """Return the open parents of both sides in order of opening."""
    window = state.windows.get(window_key(tenant, instrument_id))
    return tuple(window.parent_ids) if window is not None else ()


def members(state: NettingState, parent_id: str) -> tuple[str, ...]:
    """Return who has not left the parent, in order of joining, full ones too; also when closed."""
    parent = state.parents.get(parent_id)
    return tuple(parent.order_ids) if parent is not None else ()


def staying(state: NettingState, parent_id: str) -> Iterator[str]:
    """Yield the members that nobody has asked to leave yet, in order of joining."""
    parent = state.parents[parent_id]
    gone = frozenset(parent.leaving)
    return (order_id for order_id in parent.order_ids if order_id not in gone)


def waiting(state: NettingState, tenant: str, instrument_id: str) -> tuple[str, ...]:
    """Return the orders that wait in the window, in order of joining."""
    window = state.windows.get(window_key(tenant, instrument_id))
    return tuple(window.waiting) if window is not None else ()


def wanting(state: NettingState, parent_id: str) -> tuple[str, ...]:
    """Return the members of an open parent that want something still, in order of joining."""
    parent = state.parents.get(parent_id)
    if parent is None or parent.is_closed:
        return ()
    return tuple(order_id for order_id in parent.wanting if state.orders[order_id].leaves)


def standing(state: NettingState) -> tuple[tuple[str, str], ...]:
    """Return tenant and instrument of the windows in which orders wait and no clock runs."""
    return tuple(
        (window.tenant, window.instrument_id)
        for window in state.windows.values()
        if window.waiting and window.due_ns is None
    )


def cause_to_close(state: NettingState, tenant: str, instrument_id: str) -> Cause | None:
    """Return why the window must be closed at once; None when its timer decides."""
    window = state.windows.get(window_key(tenant, instrument_id))
    if window is None or not window.waiting:
        return None
    if 0 < state.window_count <= len(window.waiting):
        return Cause.WINDOW_COUNT
    # The newest order is asked after each joined, so none is missed.
    if state.orders[window.waiting[-1]].urgency is Urgency.URGENT:
        return Cause.WINDOW_ZERO
    return None


def is_urgent_waiting(state: NettingState, tenant: str, instrument_id: str) -> bool:
    """Return whether an order that skips the window is still in it."""
    return any(
        state.orders[order_id].urgency is Urgency.URGENT
        for order_id in waiting(state, tenant, instrument_id)
    )
