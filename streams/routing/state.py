"""What routing remembers: slices, children, fills, exposure by parent and epoch, scorecards."""

from enum import StrEnum
from typing import Any

import msgspec

from schemas.messages.core import (
    Cause,
    Constraints,
    OrderStatus,
    OrderType,
    PhaseKind,
    RoutingLogic,
    Side,
    Tactic,
    TimeInForce,
    Urgency,
    VenueTrouble,
)
from streams.core.errors import CorruptHistoryError
from streams.routing.resting import RestingChildren
from streams.routing.settings import RoutingSettings
from streams.routing.settled import Claim, Part, Settlements

__all__ = [
    "Child",
    "ClosedChild",
    "DarkFill",
    "EarlyChange",
    "Fill",
    "Ledger",
    "Phase",
    "Record",
    "RoutingState",
    "Slice",
    "Track",
    "VenueRecord",
    "exposures",
    "find_child",
    "live_children",
    "parent_of",
    "slice_of",
]


class Phase(StrEnum):
    """Where a child stands. Open phases expose its whole unfilled quantity."""

    PENDING_NEW = "PENDING_NEW"  # sent, no answer yet
    LIVE = "LIVE"
    SUSPENDED = "SUSPENDED"  # paused by the venue: as live as before
    PENDING_REPLACE = "PENDING_REPLACE"  # the larger of old and new is live
    PENDING_CANCEL = "PENDING_CANCEL"  # cancel asked, not answered: as live as before
    UNRESOLVED = "UNRESOLVED"  # the venue has been asked what became of it
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"


OPEN = (
    Phase.PENDING_NEW,
    Phase.LIVE,
    Phase.SUSPENDED,
    Phase.PENDING_REPLACE,
    Phase.PENDING_CANCEL,
    Phase.UNRESOLVED,
)


_STATUSES = {
    Phase.PENDING_NEW: OrderStatus.PENDING_NEW,
    Phase.LIVE: OrderStatus.NEW,
    Phase.SUSPENDED: OrderStatus.SUSPENDED,
    Phase.PENDING_REPLACE: OrderStatus.PENDING_REPLACE,
    Phase.PENDING_CANCEL: OrderStatus.PENDING_CANCEL,
    Phase.UNRESOLVED: OrderStatus.UNKNOWN,
    Phase.FILLED: OrderStatus.FILLED,
    Phase.CANCELED: OrderStatus.CANCELED,
    Phase.EXPIRED: OrderStatus.EXPIRED,
    Phase.REJECTED: OrderStatus.REJECTED,
}


class Child(msgspec.Struct, kw_only=True):
    """One order at one venue that still exposes quantity."""

    child_id: str
    epoch: int
    venue_id: str
    instrument_id: str
    side: Side
    quantity: int
    is_passive: bool
    time_in_force: TimeInForce
    placed_ns: int
    rest_until_ns: int  # 0: rests until it is done
    phase: Phase = Phase.PENDING_NEW
    is_acknowledged: bool = False
    exposure: int = 0  # smallest units that may still fill and are reserved for it
    net: int = 0  # booked in all, busts and corrections applied, error part included
    cancel_requests: int = 0
    cancel_cause: Cause | None = None  # why a cancel is wanted; stays until the child is closed
    status_requests: int = 0
    status_tries: int = 0  # since the venue last made itself clear
    status_cause: Cause | None = None
    due_ns: int = 0  # when it needs attention; 0 for never
    is_cancel_rejected: bool = False  # the newest request was refused
    is_cancel_deferred: bool = False  # it is wanted, and the venue does not take it yet
    is_escalated: bool = False  # nobody answers: people must look
    order_type: OrderType = OrderType.LIMIT
    price_e9: int | None = None  # in force
    trade_date: int = 0
    is_probe: bool = False  # of a venue that was suspended
    cancel_from_ns: int = 0
    cancel_until_ns: int = 0  # from then until rest_until_ns nothing is canceled
    replace_requests: int = 0
    replaced: int = 0  # ordinal of the newest that the venue took
    is_replacing: bool = False  # the newest replace is not answered
    asked_quantity: int = 0  # by it
    asked_price_e9: int | None = None
    added: int = 0  # exposed beyond `quantity` until it is answered
    settlements: Settlements = {}  # what people say became of it, not approved yet

    @property
    def is_open(self) -> bool:
        return self.phase in OPEN

    @property
    def status(self) -> OrderStatus:
        """Return FIX 39 as we know it; UNKNOWN while the venue is asked."""
        if self.phase is Phase.LIVE and self.net > 0:
            return OrderStatus.PARTIALLY_FILLED
        return _STATUSES[self.phase]

    @property
    def is_unresolved(self) -> bool:
        return self.phase is Phase.UNRESOLVED

    @property
    def slice_id(self) -> str:
        return slice_of(self.child_id)

    @property
    def parent_id(self) -> str:
        return parent_of(self.child_id)

    @property
    def ids(self) -> dict[str, Any]:
        """Return the fields that every event of a child begins with."""
        slice_id = slice_of(self.child_id)
        return {
            "child_id": self.child_id,
            "slice_id": slice_id,
            "parent_id": slice_of(slice_id),
            "epoch": self.epoch,
            "venue_id": self.venue_id,
            "instrument_id": self.instrument_id,
        }


class ClosedChild(msgspec.Struct, array_like=True):
    """What a late fill, a bust or a correction needs of a child that exposes nothing."""

    epoch: int
    venue_id: str
    instrument_id: str
    side: Side
    quantity: int
    phase: Phase
    net: int
    trade_date: int = 0


class DarkFill(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An execution at the midpoint, kept until its markout has been looked at."""

    venue_id: str
    price_e9: int
    quantity: int
    at_ns: int


class Slice(msgspec.Struct, kw_only=True):
    """Quantity that a strategy released and that is not all filled or returned."""

    slice_id: str
    parent_id: str
    epoch: int
    instrument_id: str
    side: Side
    quantity: int
    unplaced: int  # held by no child
    limit_price_e9: int | None
    logic: RoutingLogic
    is_dark_allowed: bool
    deadline_ns: int
    self_trade_id: str
    is_short_sale: bool = False
    constraints: Constraints | None = None
    is_routed: bool = False
    is_ending: bool = False  # whatever comes back goes to the strategy
    ending_cause: Cause = Cause.DEADLINE
    placed: int = 0  # children so far: the newest ordinal
    children: list[str] = []  # those that still expose quantity, in order of placement
    attempts: dict[str, int] = {}  # children by venue
    urgency: Urgency = Urgency.UNKNOWN
    tactic: Tactic = Tactic.UNKNOWN
    auction: PhaseKind = PhaseKind.UNKNOWN
    display_share_bps: int = 0
    overfill_quantity: int = 0  # left of what may be executed beyond the slice
    over: int = 0  # what its children expose beyond what the slice still wants


class Ledger(msgspec.Struct, kw_only=True):
    """A parent's room in its current epoch and its exposure by epoch."""

    epoch: int = 0
    room: int = 0
    exposures: dict[str, int] = {}  # by epoch; canonical bytes allow no other keys than strings
    slices: list[str] = []  # hot ones, in order of release
    pings: dict[str, int] = {}  # by dark venue: fills too small to be meant
    dark_fills: list[DarkFill] = []  # the newest
    gated: list[str] = []  # dark venues whose fills lost too much to be used again

    def expose(self, epoch: int, quantity: int) -> None:
        """Add to the exposure of an epoch. Raises CorruptHistoryError below zero."""
        key = str(epoch)
        exposure = self.exposures.get(key, 0) + quantity
        if exposure < 0:
            raise CorruptHistoryError(f"exposure of epoch {epoch} would be {exposure}")
        if exposure:
            self.exposures[key] = exposure
        else:
            self.exposures.pop(key, None)


class Fill(msgspec.Struct, array_like=True):
    """A booked execution as it stands after every bust and correction so far."""

    child_id: str
    quantity: int
    error_quantity: int
    price_e9: int
    cash_e9: int
    fee_e9: int
    is_busted: bool = False
    corrected_ns: int = 0  # venue time of the newest correction


class EarlyChange(msgspec.Struct, array_like=True):
    """A bust or correction that came before the execution it refers to."""

    exec_id: str
    is_bust: bool
    quantity: int
    price_e9: int | None
    fee_e9: int
    transact_ns: int


class Track(msgspec.Struct):
    """Moving averages of one venue and order kind, in 1e-9 and ns. See scorecard.py."""

    fill_e9: int = 0
    fill_count: int = 0
    reject_e9: int = 0
    reject_count: int = 0
    latency_ns: int = 0
    latency_count: int = 0


class Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What decisions ask of a venue's newest score. 1e-9, costs in 1e-9 basis points."""

    version: int  # of the scorecard
    children_e9: int  # effective number of children
    fill_e9: int  # part of a child that fills while it rests, or at once
    rejects_e9: int
    adverse_e9: int  # what the price does after a fill
    missed_e9: int  # what it does before what did not fill is made up for
    latency_e9: int | None  # what it does on the way; None: not measured
    ack_ns: int | None  # median time to the first answer
    leakage_e9: int
    correction_e9: int  # what shrinkage adds to the parts
    tail_lots: tuple[int, ...]
    tail_e9: tuple[int, ...]
    at_risk_e9: tuple[int, ...]
    error_e9: int = 0  # standard deviation of the score; 0 before there is one


class VenueRecord(msgspec.Struct):
    """What routing holds against a venue, or against a venue in one instrument. See health.py."""

    rejects_in_row: int = 0
    suspended_until_ns: int = 0
    trouble: VenueTrouble = VenueTrouble.UNKNOWN  # of which a probe must show that it is over
    strikes: int = 0  # suspensions in a row
    probe_id: str = ""  # child that tries it
    silent_in_row: int = 0  # children that it did not answer in time
    contradictions: int = 0  # since it was last suspended
    latencies_ns: list[int] = []  # of its newest acknowledgments
    messages_per_s: int = 0  # its newest bound, 0 for none
    sent_ns: list[int] = []  # instants of the newest messages, as many as the bound


class HedgeOrder(msgspec.Struct, array_like=True):
    """A house order of the error account."""

    instrument_id: str
    side: Side
    quantity: int  # as it was entered
    covered: int  # of the position: all of it while it works, what it got once it has ended


class RoutingState(msgspec.Struct):
    """The state of one shard's routing.

    Hot: `slices` and `children` hold only what exposes quantity, so their size is bounded by live
    work. For ever (one topic generation, that is one trading day): `closed`, `fills` and `changes`
    grow by one small tuple per child, fill and bust, since a venue may bust any of them.
    """

    slices: dict[str, Slice] = {}
    children: dict[str, Child] = {}
    parents: dict[str, Ledger] = {}
    closed: dict[str, ClosedChild] = {}
    fills: dict[str, Fill] = {}  # by fill_id
    changes: dict[str, str] = {}  # "venue/exec_id" of a bust or correction -> fill_id
    settled: dict[str, dict[str, Part]] = {}  # fills that people settled, by child and fill_id
    claims: dict[str, list[Claim]] = {}  # of those, by "venue/exec_id" of what the venue reported
    suspense: dict[str, int] = {}  # dedup keys of reports that fit nothing
    early: dict[str, list[EarlyChange]] = {}  # by the execution that they wait for
    tracks: dict[str, Track] = {}  # by "venue/passive" or "venue/aggressive"
    venues: dict[str, VenueRecord] = {}  # by venue, or "venue|instrument"
    volumes: dict[str, int] = {}  # own quantity by venue in this month, busts off
    is_later_month: bool = False  # than the one in which the log began
    trade_date: int = 0  # newest of any child
    reports: int = 0  # folded into the scorecard: its version
    settings: RoutingSettings = RoutingSettings()  # set by the shard
    records: dict[str, Record] = {}  # newest scores, by cell of the scorecard
    buckets: dict[str, str] = {}  # of the scorecard, by instrument
    errors: dict[str, int] = {}  # error account not hedged, by instrument, positive is long
    hedges: dict[str, int] = {}  # signed quantity of hedges that intake has not answered
    hedge_orders: dict[str, HedgeOrder] = {}  # those that it took, by order, the oldest first
    hedge_refusals: dict[str, int] = {}  # in a row, by instrument
    hedge_due_ns: dict[str, int] = {}  # when an instrument's position is looked at again
    hedged: int = 0  # hedges so far
    resting: RestingChildren = msgspec.field(default_factory=RestingChildren)


def slice_of(child_id: str) -> str:
    """Return the slice of a child: everything before the last ordinal."""
    return child_id.rpartition(".")[0]


def parent_of(child_id: str) -> str:
    """Return the parent of a child: everything before the last two ordinals."""
    return slice_of(slice_of(child_id))


def exposures(state: RoutingState, parent_id: str) -> tuple[tuple[int, int], ...]:
    """Return (epoch, quantity) of all that may still fill or is not placed, ascending."""
    ledger = state.parents.get(parent_id)
    if ledger is None:
        return ()
    return tuple(sorted((int(epoch), held) for epoch, held in ledger.exposures.items()))


def live_children(state: RoutingState) -> tuple[Child, ...]:
    """Return the children that the venue may still have, in order of placement."""
    return tuple(child for child in state.children.values() if child.is_open)


def find_child(state: RoutingState, child_id: str) -> Child | None:
    """Return the child, hot or rebuilt from its compact record; None when it never was ours."""
    hot = state.children.get(child_id)
    if hot is not None:
        return hot
    closed = state.closed.get(child_id)
    if closed is None:
        return None
    return Child(
        child_id=child_id,
        epoch=closed.epoch,
        venue_id=closed.venue_id,
        instrument_id=closed.instrument_id,
        side=closed.side,
        quantity=closed.quantity,
        is_passive=False,
        time_in_force=TimeInForce.UNKNOWN,
        placed_ns=0,
        rest_until_ns=0,
        phase=closed.phase,
        net=closed.net,
        trade_date=closed.trade_date,
    )
