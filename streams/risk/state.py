"""What risk remembers: the limits in force and how much of them is used."""

from collections.abc import Sequence

import msgspec

from schemas.messages.core import LimitKind, LimitScope, Side, StrategyKind
from streams.core.proposals import Proposal
from streams.risk.amount import Amount
from streams.risk.limits import BUILT_IN, Limit, LimitSet

__all__ = [
    "Cell",
    "Disabled",
    "Locate",
    "RiskState",
    "Total",
    "Watch",
    "Working",
    "equal_key",
    "flow_key",
    "lease_key",
    "place_key",
    "rate_key",
    "rates_for",
    "scope_key",
    "watch_of",
]


class Working(msgspec.Struct, array_like=True, gc=False):
    """An order as limits count it. `quantity` in force, `asked` by a pending replace."""

    cell: str
    side: Side
    trade_date: int  # day that its executions count for
    quantity: int
    unit_e9: int  # value of one smallest unit
    asked: int = 0
    asked_unit_e9: int = 0
    filled: int = 0
    filled_before: int = 0  # of `filled`, on earlier trade dates
    held: int = 0  # quantity held in its cell: what it has and may still get
    held_e9: int = 0  # cash held in its totals, of its trade date
    is_open: bool = True
    is_pending: bool = False  # a cancel or replace of it was counted and is not answered yet
    locate: str = ""


class Cell(msgspec.Struct, array_like=True, gc=False):
    """Orders alike in everything that a limit may name. Quantities: smallest units, all days."""

    keys: list[str]  # of its totals, by scope
    instrument_id: str
    buys: int = 0  # held by buying orders, executed and open
    sells: int = 0
    bought: int = 0  # executed
    sold: int = 0
    trade_date: int = 0  # newest; the two below are of that day
    bought_today: int = 0
    sold_today: int = 0
    executions: int = 0  # of that day


class Total(msgspec.Struct, array_like=True, gc=False):
    """What one subject uses, over all its instruments."""

    used: dict[int, Amount] = {}  # open and executed cash by trade date
    trade_date: int = 0  # newest
    messages: int = 0  # of that day
    cells: list[str] = []


class Disabled(msgspec.Struct, frozen=True, array_like=True):
    """A flow that the throttle has stopped."""

    flow_id: str
    limit_id: str
    source: str
    instrument_id: str


class Locate(msgspec.Struct, array_like=True, gc=False):
    """Shares located for short sales. `held` by the orders that name it."""

    tenant: str = ""
    account_id: str = ""
    instrument_id: str = ""
    trade_date: int = 0
    granted: int = 0
    held: int = 0


class Watch(msgspec.Struct, array_like=True):
    """What the limits in force ask to be remembered of every message."""

    rates: tuple[Limit, ...] = ()
    is_source_named: bool = False  # whether a rate names a source
    equals_window_ns: int = 0
    equals_max: int = 0
    flows_window_ns: int = 0
    flows_max: int = 0


class RiskState(msgspec.Struct):
    """Mutable; `evolve` writes it, but what control.commands say by themselves (see control.py)."""

    shard: int = 0
    partitions: int = 1
    id_prefix: str = ""  # "<log tag>.<shard>."
    version: int = 0
    sha256: str = ""
    limits: LimitSet = BUILT_IN
    watch: Watch = msgspec.field(default_factory=lambda: watch_of(BUILT_IN))
    proposals: dict[str, Proposal] = {}
    orders: dict[str, Working] = {}
    cells: dict[str, Cell] = {}
    totals: dict[str, Total] = {}  # by scope_key
    places: dict[str, list[str]] = {}  # cells by place_key
    starts: dict[str, int] = {}  # position that executions add to, by place_key
    locates: dict[str, Locate] = {}
    rates: dict[str, int] = {}  # when the source's bucket is full again, ns, by limit and source
    equals: dict[str, list[int]] = {}  # times of equal orders, ns
    flows: dict[str, list[int]] = {}  # times of a flow's orders, ns
    swept_ns: int = 0  # when memories of what is over were last dropped
    disabled: dict[str, Disabled] = {}  # by flow
    flows_count: int = 0
    adjustments: dict[str, Amount] = {}  # granted less given back, by lease_key
    grants: dict[str, list[str]] = {}  # applied ids by lease_key, newest last
    asked: dict[str, int] = {}  # leases asked for and not answered yet: 1


def scope_key(scope: LimitScope, tenant: str, subject: str) -> str:
    """Return the key of a total: one subject of one firm."""
    return f"{scope}\0{tenant}\0{subject}"


def place_key(total: str, instrument_id: str) -> str:
    """Return the key of one subject's position in one instrument; `total` is its scope_key."""
    return f"{total}\0{instrument_id}"


def lease_key(limit: Limit, tenant: str, subject: str) -> str:
    """Return the key of a shard's part of a limit."""
    return f"{limit.limit_id}\0{limit.scope}\0{tenant}/{subject}"


def flow_key(
    tenant: str, account_id: str, strategy: StrategyKind, instrument_id: str, side: Side
) -> str:
    """Return the key of orders that the throttle counts together."""
    return f"{tenant}\0{account_id}\0{strategy}\0{instrument_id}\0{side}"


def equal_key(
    account_id: str, instrument_id: str, side: Side, quantity: int, limit_price_e9: int | None
) -> str:
    """Return the key of orders that look the same."""
    return f"{account_id}\0{instrument_id}\0{side}\0{quantity}\0{limit_price_e9}"


def rate_key(limit: Limit, tenant: str, source: str) -> str:
    """Return the key of a source's bucket."""
    return f"{limit.limit_id}\0{tenant}\0{source}"


def watch_of(limits: LimitSet) -> Watch:
    """Return what the set asks to be remembered: as long and as much as its widest limit."""
    rates = tuple(each for each in limits.limits if each.kind is LimitKind.MESSAGE_RATE)
    equals = [each for each in limits.limits if each.kind is LimitKind.DUPLICATE_FLOW]
    flows = [each for each in limits.limits if each.kind is LimitKind.REPEATED_EXECUTION]
    return Watch(
        rates,
        any(each.subject != "*" for each in rates),
        max((each.window_ns for each in equals), default=0),
        max((each.value for each in equals), default=0),
        max((each.window_ns for each in flows), default=0),
        max((each.value for each in flows), default=0),
    )


def rates_for(watch: Watch, source: str) -> Sequence[Limit]:
    """Return the message rates that a source is held to: its own in place of everybody's."""
    rates = watch.rates
    if not watch.is_source_named:
        return rates
    own = [each for each in rates if each.subject == source]
    named = {each.is_shadow for each in own}
    return own + [each for each in rates if each.subject == "*" and each.is_shadow not in named]
