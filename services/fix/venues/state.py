"""What the gateway to venues remembers: children, what waits to be sent, executions told."""

from enum import IntEnum
from typing import Final

import msgspec

from schemas.messages.core import OrderType, Side, TimeInForce
from schemas.messages.routing import ChildPlaced
from schemas.messages.venues import ExecutionReport
from services.fix.gateway.application import GatewayState

__all__ = [
    "Child",
    "Copy",
    "ExecIds",
    "Queued",
    "Stage",
    "VenuesState",
    "child_of",
]

DAYS_KEPT: Final = 6  # session days of which closed children are known: as routing's trading week


class Stage(IntEnum):
    """How far a child is known to have come; it never goes back."""

    QUEUED = 0  # waits here
    GIVEN = 1  # the wire has it
    SENT = 2  # it is out
    ANSWERED = 3  # the venue has spoken of it
    CLOSED = 4  # and works it no more


class Child(msgspec.Struct):
    """One child as it was sent, and what its messages must repeat."""

    session_id: str
    parent_id: str
    venue_id: str
    instrument_id: str
    side: Side
    quantity: int  # in force by the venue's word, smallest units
    order_type: OrderType
    price_e9: int | None  # in force
    time_in_force: TimeInForce
    minimum_quantity: int
    self_trade_id: str
    is_short_sale: bool
    display_quantity: int
    is_post_only: bool
    stage: Stage = Stage.QUEUED
    venue_order_id: str = ""  # FIX 37
    replaced: int = 0  # newest replace that the venue took
    cancels: int = 0  # newest cancel request
    replaces: int = 0  # newest replace request
    asked_quantity: int = 0  # what that asks for
    asked_price_e9: int | None = None
    closed_day: int = 0  # session day yyyymmdd


class Queued(msgspec.Struct):
    """A message that waits to be sent. At most one of a kind for a child."""

    kind: str  # FIX 35
    child_id: str  # empty for all of the session
    request: int
    due_ns: int  # not before
    cause: bytes  # event that led to it
    source_ns: int


class ExecIds(msgspec.Struct):
    """ExecIDs of a venue's session day, with a digest of what each said."""

    day: int = 0
    by_id: dict[str, str] = msgspec.field(default_factory=dict)
    before: dict[str, str] = msgspec.field(
        default_factory=dict
    )  # of the day before, for a drop copy that comes after midnight

    def turn(self, day: int) -> None:
        """Begin a day; one that was is not begun again."""
        if day > self.day:
            self.day, self.before, self.by_id = day, self.by_id, {}


class Copy(msgspec.Struct):
    """An execution that the drop copy tells and the order session has not."""

    session_id: str
    due_ns: int
    report: ExecutionReport


class VenuesState(GatewayState):
    """A fold of children's events, of what came by FIX, and of what was decided."""

    scales: dict[str, int] = msgspec.field(
        default_factory=dict
    )  # instrument: smallest units to a whole one
    children: dict[str, Child] = msgspec.field(default_factory=dict)
    queues: dict[str, dict[str, Queued]] = msgspec.field(default_factory=dict)  # session
    sent_ns: dict[str, list[int]] = msgspec.field(
        default_factory=dict
    )  # session: the newest sendings, as many as a second takes
    # session: child that is out and not answered, and when it is asked for, the first one first
    late: dict[str, dict[str, int]] = msgspec.field(default_factory=dict)
    told: dict[str, ExecIds] = msgspec.field(default_factory=dict)  # venue
    copies: dict[str, Copy] = msgspec.field(default_factory=dict)  # venue/exec_id
    subjects: dict[str, dict[int, str]] = msgspec.field(
        default_factory=dict
    )  # session: "35 ClOrdID" by ordinal, not marked sent
    sequences: dict[str, dict[int, str]] = msgspec.field(
        default_factory=dict
    )  # session: the same by FIX 34 of the session's epoch
    epochs: dict[str, int] = msgspec.field(default_factory=dict)  # session: epoch of these numbers
    refused: dict[str, dict[int, str]] = msgspec.field(
        default_factory=dict
    )  # session: words of rejects whose number is unknown yet
    days: list[int] = msgspec.field(default_factory=list)  # session days seen

    def queue(self, session_id: str) -> dict[str, Queued]:
        """Return what waits, by type and child, in the order in which it came."""
        return self.queues.setdefault(session_id, {})

    def enqueue(self, session_id: str, entry: Queued) -> None:
        """Let a message wait; a newer one of its kind for the same child takes its place."""
        known = self.queue(session_id).setdefault(f"{entry.kind} {entry.child_id}", entry)
        if known is not entry:
            known.request = max(known.request, entry.request)
            known.cause, known.source_ns = entry.cause, entry.source_ns

    def dequeue(self, session_id: str, child_id: str, *kinds: str) -> None:
        """Forget what waited of these kinds for a child."""
        for kind in kinds:
            self.queue(session_id).pop(f"{kind} {child_id}", None)

    def unlate(self, child: Child, child_id: str) -> None:
        """Forget that a child is to be asked for."""
        self.late.get(child.session_id, {}).pop(child_id, None)

    def advance(self, child: Child, child_id: str, stage: Stage) -> None:
        """Bring a child to a stage, unless it is beyond it."""
        child.stage = max(child.stage, stage)
        if stage >= Stage.ANSWERED:
            self.unlate(child, child_id)

    def told_on(self, venue_id: str, day: int) -> None:
        """Begin a session day of a venue's ExecIDs."""
        self.told.setdefault(venue_id, ExecIds()).turn(day)

    def begin_day(self, day: int) -> None:
        """Forget closed children of more than a trading week ago."""
        if day in self.days or (self.days and day < self.days[-1]):
            return
        self.days = [*self.days, day][-DAYS_KEPT:]
        oldest = self.days[0]
        gone = [k for k, child in self.children.items() if 0 < child.closed_day < oldest]
        for child_id in gone:
            del self.children[child_id]


def child_of(placed: ChildPlaced, session_id: str) -> Child:
    """Return a child that waits."""
    return Child(
        session_id=session_id,
        parent_id=placed.parent_id,
        venue_id=placed.venue_id,
        instrument_id=placed.instrument_id,
        side=placed.side,
        quantity=placed.quantity,
        order_type=placed.order_type,
        price_e9=placed.price_e9,
        time_in_force=placed.time_in_force,
        minimum_quantity=placed.minimum_quantity,
        self_trade_id=placed.self_trade_id,
        is_short_sale=placed.is_short_sale,
        display_quantity=placed.display_quantity,
        is_post_only=placed.is_post_only,
    )
