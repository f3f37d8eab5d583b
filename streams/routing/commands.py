"""What routing is asked. The shard adds the books as it sees them."""

import msgspec

from schemas.messages.control import ChildSettled
from schemas.messages.core import Cause, RejectReason
from schemas.messages.plans import PlacementSolved
from schemas.messages.routing import FillBooked, FillBusted, FillCorrected
from schemas.messages.venues import ExecutionReport, OrderCancelReject
from streams.core.market import Auction, Instrument, Quote, VenueBook


class MarketBooks(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    instrument: Instrument
    quote: Quote | None
    books: tuple[VenueBook, ...]  # every venue of the instrument, by venue_id
    stopped_venue_ids: frozenset[str] = frozenset()  # by the kill switch
    spread_bps_e9: int = 0  # median of the last minutes, 1e-9 basis points; 0: unknown
    placements: tuple[PlacementSolved, ...] = ()  # the planner's newest, by side and size
    age_max_ns: int = 0  # an older book is stale; 0: nobody asks
    crossed_max_ns: int = 0  # so long a book may stand through the others'
    auctions: tuple[Auction, ...] = ()  # what the venues said last of theirs, by kind and venue


class RouteSlice(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    slice_id: str
    at_ns: int
    market: MarketBooks
    is_stopped: bool = False  # by the kill switch: everything goes back


class ApplyReport(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    report: ExecutionReport
    at_ns: int
    market: MarketBooks | None  # None when the instrument is unknown
    current_epoch: int  # of the child's parent; 0 when it is closed or unknown
    room: int  # unreleased quantity of that epoch: what a late fill may use
    is_stopped: bool = False  # by the kill switch: what it frees goes back


class ApplyCancelReject(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    reject: OrderCancelReject
    at_ns: int


class CancelChildren(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Return what is not placed and ask for the cancel of every live child of the parent."""

    parent_id: str
    cause: Cause
    at_ns: int


class CancelAtVenue(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Ask for the cancel of every live child at a venue; what it frees goes to the strategy."""

    venue_id: str
    cause: Cause
    at_ns: int


class WakeRouting(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A timer `routing:<what>:<slice_id or child_id>` is due."""

    timer_id: str
    at_ns: int
    market: MarketBooks
    is_stopped: bool = False  # by the kill switch: what waits goes back


class ReplaceChild(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Let a child stand at another price or in another size, where it is."""

    child_id: str
    quantity: int  # in all, executed part included
    price_e9: int | None
    cause: Cause
    at_ns: int


class ChangeConnection(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The session with a venue was lost, or came back."""

    venue_id: str
    is_connected: bool
    at_ns: int


class RepriceChildren(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Books came, and children of the instrument follow its quote."""

    instrument_id: str
    at_ns: int
    market: MarketBooks


class ReportUndecodable(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A venue report could not be read or stands on a wrong partition."""

    venue_id: str  # empty when unknown: then nothing is suspended, every live child is asked for
    reason: RejectReason
    at_ns: int


class SettleChild(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A person says what became of a child whose venue does not, or another agrees."""

    message: ChildSettled
    actor: str
    at_ns: int
    market: MarketBooks | None
    current_epoch: int  # of the child's parent; 0 when it is closed or unknown
    room: int  # unreleased quantity of that epoch
    is_stopped: bool = False  # by the kill switch: what it frees goes back


class HedgeError(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The error account of an instrument moved, or a hedge is tried again."""

    instrument_id: str
    lot: int
    change: FillBooked | FillBusted | FillCorrected | None
    at_ns: int


RoutingCommand = (
    RouteSlice
    | ApplyReport
    | ApplyCancelReject
    | CancelChildren
    | CancelAtVenue
    | WakeRouting
    | RepriceChildren
    | ReplaceChild
    | ChangeConnection
    | ReportUndecodable
    | SettleChild
    | HedgeError
)
