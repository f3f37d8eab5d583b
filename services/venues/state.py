"""The simulator's state: books, children, and reports that are still on their way."""

import msgspec

from schemas.messages.core import BookState, OrderStatus, OrderType, Side, TimeInForce
from schemas.messages.market import BookUpdated
from schemas.messages.venues import ExecutionReport, OrderCancelReject
from streams.kill import Flag

__all__ = [
    "Book",
    "BookSide",
    "Call",
    "Child",
    "Delayed",
    "Late",
    "Move",
    "SimulatorState",
    "book_key",
]


class Child(msgspec.Struct, gc=False):
    """One of our orders as its venue knows it. Quantities in smallest units."""

    child_id: str
    parent_id: str
    venue_id: str
    instrument_id: str
    side: Side
    quantity: int
    order_type: OrderType
    price_e9: int | None
    time_in_force: TimeInForce
    minimum_quantity: int
    self_trade_id: str
    placed_id: bytes  # event_id of the ChildPlaced
    leaves: int
    cumulative: int = 0  # executed, less what was busted
    ahead: int = 0  # others' displayed quantity before it in the queue
    status: OrderStatus = OrderStatus.NEW
    ordinal: int = 0  # of the newest ExecID
    replaced: int = 0  # ordinal of the newest replace that was taken
    executions: list[ExecutionReport] = []  # reported trades, busts and corrections
    display_quantity: int = 0  # of an iceberg; 0 when all of it is shown

    @property
    def shown(self) -> int:
        """Return what stands in the book: all that is left, or the tip of an iceberg."""
        if not self.display_quantity:
            return self.leaves
        tip = self.display_quantity - (self.quantity - self.leaves) % self.display_quantity
        return min(self.leaves, tip)


class BookSide(msgspec.Struct):
    """One side of a book. `sign` is 1 for bids, where higher is better, and -1 for offers."""

    sign: int
    levels: list[list[int]] = []  # [price_e9, quantity] of others, best first
    consumed: dict[int, int] = {}  # by price: taken and not yet replenished
    hidden: list[int] = msgspec.field(default_factory=lambda: [-1, 0, 0])  # key, price, quantity
    own: list[str] = []  # resting children by price, then time


class Call(msgspec.Struct):
    """One auction of a book, under way or over."""

    cutoff_ns: int
    uncross_ns: int
    is_primary: bool
    is_over: bool = False
    children: list[str] = []  # ours that wait for it, by time


class Book(msgspec.Struct):
    """One venue and instrument. At a dark venue `hidden` is [until_ns, 0, quantity]."""

    venue_id: str
    instrument_id: str
    is_dark: bool
    bids: BookSide
    asks: BookSide
    state: BookState = BookState.CLOSED
    is_quoted: bool = True  # whether it is part of the consolidated quote
    calls: dict[str, Call] = {}  # by kind
    shown: BookUpdated | None = None
    shown_step: int = 0


class Delayed(msgspec.Struct, gc=False):
    """A report that leaves the venue later: a late fill, or a bust or correction of one."""

    due_ns: int
    child_id: str
    report: ExecutionReport | None  # the late fill itself
    changes_exec_id: str = ""  # what is busted or corrected
    is_correction: bool = False
    is_unspoken: bool = False  # the count of the cancel did not have it


class Late(msgspec.Struct, gc=False):
    """What a venue in trouble has to say and nobody has heard yet: one of the two messages."""

    due_ns: int
    instrument_id: str
    report: ExecutionReport | None
    reject: OrderCancelReject | None
    causation_id: bytes
    correlation_id: str
    actor: str


class Move(msgspec.Struct):
    """How far our executions moved an instrument's price, 1e-9 currency units: impact.py."""

    transient_e9: int = 0
    permanent_e9: int = 0


class SimulatorState(msgspec.Struct):
    """All of it; its canonical bytes are the snapshot."""

    step: int = 0
    books: dict[str, Book] = {}
    children: dict[str, Child] = {}
    delayed: list[Delayed] = []
    flags: dict[str, Flag] = {}  # local ones that stand: nothing new is taken
    late: list[Late] = []  # of venues in trouble, in the order in which they said it
    volumes: dict[str, int] = {}  # by venue: what we traded there, busts off
    moves: dict[str, Move] = {}  # by instrument, where our trading moves prices


def book_key(venue_id: str, instrument_id: str) -> str:
    return f"{venue_id}|{instrument_id}"
