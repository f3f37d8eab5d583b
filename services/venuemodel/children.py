"""What became of every child of a log, with the quotes that followed: what a model is fitted on."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from schemas.messages.control import VenueDefined
from schemas.messages.core import Envelope, MarkedQuote, OrderKind, Side, VenueKind
from schemas.messages.routing import (
    ChildAcknowledged,
    ChildCanceled,
    ChildPlaced,
    ChildRejected,
    FillBooked,
    FillBusted,
    RouteDecided,
)
from schemas.messages.scorecard import FillsMarked, InstrumentBucketed, VenueModelInForce
from streams.core.bucket import kind_of
from streams.core.topics import (
    CHILDREN_EVENTS,
    CONTROL_COMMANDS,
    DECISIONS_EVENTS,
    FILLS_EVENTS,
)
from streams.scorecard.marks import fill_due_ns, sent_due_ns
from streams.scorecard.score import REALIZED

__all__ = ["OBSERVED_TOPICS", "Child", "Decision", "Observed", "Part", "observe", "read", "write"]

OBSERVED_TOPICS: Final = (CONTROL_COMMANDS, CHILDREN_EVENTS, FILLS_EVENTS, DECISIONS_EVENTS)
BPS: Final = 10_000.0
AFTER: Final = REALIZED + 1  # ordinal of a fill's horizons: 0 is the quote before it


class Part(msgspec.Struct, array_like=True):
    """A fill. Costs in basis points, + is a cost; None where no quote was there."""

    weight: float  # part of the child
    age_ns: int
    effective: float | None
    drift: float | None  # of the midpoint from the decision to the fill
    realized: float | None
    fee: float | None
    quantity: int


class Child(msgspec.Struct):
    """One child that came to an end."""

    child_id: str
    parent_id: str
    venue_id: str
    kind: OrderKind
    bucket: str
    side: Side
    instrument_id: str
    placed_ns: int
    quantity: int
    lot: int
    half_spread: float | None = None  # bp, around its sending
    answer_ns: int | None = None
    is_rejected: bool = False
    parts: list[Part] = []
    sent: float | None = None  # drift of the midpoint 5 s after sending, bp
    unfilled: float = 0.0  # part that did not fill
    end_age_ns: int = 0
    is_away: bool = False  # the market moved away, or an immediate order missed
    missed: float | None = None  # drift from the decision to the end, bp
    is_open: bool = False  # at the end of the log: no end is known

    @property
    def key(self) -> tuple[str, OrderKind, str, Side]:
        """Its cell."""
        return self.venue_id, self.kind, self.bucket, self.side

    @property
    def filled(self) -> int:
        return sum(part.quantity for part in self.parts)


class Decision(NamedTuple):
    """A routing decision and what is needed to take it again."""

    event: RouteDecided
    at_ns: int
    shard: int
    kinds: dict[str, OrderKind]  # by venue that was given something
    bucket: str
    side: Side
    notional: float  # currency units, of what was placed


@dataclass(slots=True)
class Observed:
    """A day, or several."""

    children: list[Child] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    venues: dict[str, VenueDefined] = field(default_factory=dict)
    prices: dict[str, float] = field(default_factory=dict)  # mean price by bucket, currency units
    in_force: VenueModelInForce | None = None
    log_id: str = ""


def observe(entries: Iterable[tuple[Envelope, Any]]) -> Observed:
    """Return what the events of a log say; entries in any order."""
    known = sorted(entries, key=lambda entry: (entry[0].shard, entry[0].seq, entry[0].index))
    reading = Reading()
    for _, message in known:  # quotes and buckets stand after the children that they are of
        reading.prepare(message)
    for envelope, message in known:
        reading.see(envelope, message)
    return reading.done()


class Reading:
    """The pass over one log."""

    def __init__(self) -> None:
        self.found = Observed()
        self._quotes: dict[tuple[str, int], MarkedQuote] = {}
        self._buckets: dict[str, InstrumentBucketed] = {}
        self._children: dict[str, Child] = {}
        self._placed: dict[str, ChildPlaced] = {}
        self._slices: dict[str, list[ChildPlaced]] = {}
        self._routed: list[tuple[Envelope, RouteDecided]] = []
        self._filled: dict[str, tuple[str, Part]] = {}
        self._spreads: dict[str, float] = {}
        self._prices: dict[str, list[float]] = {}

    def prepare(self, message: Any) -> None:
        match message:
            case FillsMarked():
                for mark in message.marks:
                    self._quotes[mark.instrument_id, mark.at_ns] = mark
            case InstrumentBucketed():
                self._buckets[message.instrument_id] = message
            case ChildPlaced():
                self._slices.setdefault(message.slice_id, []).append(message)
            case _:
                pass

    def see(self, envelope: Envelope, message: Any) -> None:
        match message:
            case VenueDefined():
                self.found.venues[message.venue_id] = message
            case VenueModelInForce() if envelope.shard == 0:
                self.found.in_force = message
            case RouteDecided():
                self._routed.append((envelope, message))
            case ChildPlaced():
                self._sent(message)
            case FillsMarked():
                for mark in message.marks:
                    if mark.bid_e9 and mark.ask_e9:
                        mid = (mark.bid_e9 + mark.ask_e9) / 2
                        self._spreads[mark.instrument_id] = (
                            (mark.ask_e9 - mark.bid_e9) / 2 / mid * BPS
                        )
            case ChildAcknowledged() | ChildRejected() | FillBooked() | ChildCanceled():
                child = self._children.get(message.child_id)
                if child is not None:
                    self._tell(child, message)
            case FillBusted() if message.fill_id in self._filled:
                child_id, part = self._filled.pop(message.fill_id)
                self._children[child_id].parts.remove(part)
            case _:
                pass

    def done(self) -> Observed:
        """Close the books: what has no end stays open, and says nothing of its rest."""
        for child in self._children.values():
            weight = sum(part.weight for part in child.parts)
            child.is_open = not child.is_rejected and weight + child.unfilled < 0.999
            self.found.children.append(child)
        self.found.decisions = list(self._decisions())
        self.found.prices = {
            bucket: sum(known) / len(known) for bucket, known in self._prices.items()
        }
        return self.found

    def _sent(self, event: ChildPlaced) -> None:
        bucket = self._buckets.get(event.instrument_id)
        if bucket is None:
            return
        child = Child(
            child_id=event.child_id,
            parent_id=event.parent_id,
            venue_id=event.venue_id,
            kind=kind_of(event.order_type, event.time_in_force),
            bucket=bucket.bucket,
            side=event.side,
            instrument_id=event.instrument_id,
            placed_ns=event.placed_ns,
            quantity=event.quantity,
            lot=bucket.lot,
            half_spread=self._spreads.get(event.instrument_id),
        )
        self._children[event.child_id] = child
        self._placed[event.child_id] = event
        later = self._midpoint(event.instrument_id, sent_due_ns(event.placed_ns))
        child.sent = _move(child.side, event.arrival_price_e9, later)
        if event.arrival_price_e9:
            self._prices.setdefault(bucket.bucket, []).append(event.arrival_price_e9 / 1e9)

    def _tell(self, child: Child, event: Any) -> None:
        match event:
            case ChildAcknowledged():
                child.answer_ns = event.ack_latency_ns
            case ChildRejected():
                child.is_rejected = True
            case FillBooked():
                part = self._part(child, event)
                child.parts.append(part)
                self._filled[event.fill_id] = (child.child_id, part)
            case ChildCanceled():
                self._end(child, event)

    def _part(self, child: Child, event: FillBooked) -> Part:
        at_ns = event.transact_ns or event.booked_ns
        if not child.placed_ns <= at_ns <= event.booked_ns:
            at_ns = event.booked_ns
        arrival_e9 = self._placed[child.child_id].arrival_price_e9
        before = self._midpoint(child.instrument_id, fill_due_ns(at_ns, 0))
        after = self._midpoint(child.instrument_id, fill_due_ns(at_ns, AFTER))
        booked = event.quantity + event.error_quantity
        fee = None
        if event.cash_e9 > 0:
            fee = event.fee_e9 * event.quantity / booked / event.cash_e9 * BPS
        return Part(
            weight=booked / child.quantity,
            age_ns=0 if child.kind is OrderKind.AUCTION else at_ns - child.placed_ns,
            effective=_move(child.side, before, event.price_e9),
            drift=_move(child.side, arrival_e9, before),
            realized=_move(child.side, after, event.price_e9),
            fee=fee,
            quantity=booked,
        )

    def _end(self, child: Child, event: ChildCanceled) -> None:
        placed = self._placed[child.child_id]
        at_ns = max(event.canceled_ns, child.placed_ns)
        child.unfilled += event.canceled_quantity / child.quantity
        child.end_age_ns = 0 if child.kind is OrderKind.AUCTION else at_ns - child.placed_ns
        quote = self._quotes.get((child.instrument_id, at_ns))
        child.missed = _move(child.side, placed.arrival_price_e9, _mid(quote))
        is_immediate = child.kind in (OrderKind.AGGRESSIVE, OrderKind.AUCTION)
        child.is_away = is_immediate or _is_away(placed, quote)

    def _midpoint(self, instrument_id: str, at_ns: int) -> float | None:
        return _mid(self._quotes.get((instrument_id, at_ns)))

    def _decisions(self) -> Iterator[Decision]:
        for envelope, event in self._routed:
            children = self._slices.get(event.slice_id, [])
            bucket = self._buckets.get(children[0].instrument_id) if children else None
            if bucket is None:
                continue
            yield Decision(
                event,
                envelope.at_ns,
                envelope.shard,
                {each.venue_id: kind_of(each.order_type, each.time_in_force) for each in children},
                bucket.bucket,
                children[0].side,
                sum(each.quantity for each in event.alternatives)
                * (children[0].arrival_price_e9 or 0)
                / 1e9,
            )


def write(observed: Observed, path: Path) -> None:
    """Keep a day's children as JSON lines: an archive that outlives its log."""
    with path.open("wb") as file:
        for child in observed.children:
            file.write(msgspec.json.encode(child) + b"\n")


def read(path: Path) -> list[Child]:
    """Return the children of an archive. Raises OSError, msgspec.MsgspecError."""
    decoder = msgspec.json.Decoder(Child)
    return [decoder.decode(line) for line in path.read_bytes().splitlines() if line]


def lit(venues: Iterable[VenueDefined]) -> list[VenueDefined]:
    """Return those where what did not fill would be taken."""
    return [venue for venue in venues if venue.is_enabled and venue.kind is VenueKind.LIT]


def _mid(quote: MarkedQuote | None) -> float | None:
    if quote is None or not quote.bid_e9 or not quote.ask_e9:
        return None
    return (quote.bid_e9 + quote.ask_e9) / 2


def _move(side: Side, start: float | None, end: float | None) -> float | None:
    """Return how far it is from one price to the other against us, basis points of the first."""
    if not start or not end:
        return None
    return (1 if side is Side.BUY else -1) * (end - start) / start * BPS


def _is_away(placed: ChildPlaced, quote: MarkedQuote | None) -> bool:
    if quote is None or placed.price_e9 is None:
        return False
    if placed.side is Side.BUY:
        return quote.bid_e9 is not None and quote.bid_e9 > placed.price_e9
    return quote.ask_e9 is not None and quote.ask_e9 < placed.price_e9
