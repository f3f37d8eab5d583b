"""Drive the venue simulator without a log: scripted children in, what it says out."""

from collections.abc import Iterable, Sequence
from random import Random
from typing import Any, NamedTuple

from schemas.messages.core import (
    Cause,
    Envelope,
    OrderType,
    Side,
    TimeInForce,
    VenueKind,
)
from schemas.messages.market import BookUpdated
from schemas.messages.routing import ChildCancelRequested, ChildPlaced, ChildStatusRequested
from services.venues.application import VenueSimulator
from services.venues.scenario import Day
from streams.core.topics import CHILDREN_EVENTS
from streams.runtime.ports import Inbound, Record

PARTITIONS = 4
NO_ID = bytes(16)


class Heard(NamedTuple):
    """One emitted message."""

    topic: str
    partition: int
    source_ns: int
    message: Any
    causation_id: bytes


class Ear:
    """Implements ports.Emitter by keeping the messages."""

    def __init__(self, at_ns: int) -> None:
        self.shard = 0
        self.seq = 0
        self.at_ns = at_ns
        self.entropy = NO_ID
        self.heard: list[Heard] = []

    def emit(
        self,
        topic: str,
        message: Any,
        *,
        key: str,
        causation_id: bytes,
        correlation_id: str,
        source_ns: int = 0,
        partition: int | None = None,
        actor: str = "",
    ) -> bytes:
        assert partition is not None and key and correlation_id
        self.heard.append(Heard(topic, partition, source_ns, message, causation_id))
        return NO_ID

    def dead_letter(self, *_: Any) -> bytes:
        raise AssertionError("the simulator has no dead letters")

    def model(self, name: str, compute: Any) -> Any:
        raise AssertionError("the simulator has no models")


class VenueDriver:
    """A simulator and its steps. Children stand in children.events[0] in the order given."""

    def __init__(self, day: Day) -> None:
        self.day = day
        self.simulator = VenueSimulator(day, PARTITIONS)
        self.offset = 0

    def step(self, children: Iterable[Any] = ()) -> list[Heard]:
        """Run the next step with these messages of the engines; return what is heard."""
        terms = self.day.terms
        ear = Ear(terms.start_ns + (self.simulator.state.step + 1) * terms.step_ns)
        for inbound in self.inbounds(children):
            self.simulator.apply(inbound, ear)
        self.simulator.finish(ear)
        return ear.heard

    def inbounds(self, children: Iterable[Any]) -> list[Inbound]:
        found = []
        for message in children:
            self.offset += 1
            record = Record(CHILDREN_EVENTS, 0, self.offset, 0, b"", b"")
            found.append(Inbound(record, envelope(self.offset), message, None))
        return found


def envelope(number: int) -> Envelope:
    return Envelope(
        event_id=number.to_bytes(16, "big"),
        shard=0,
        seq=0,
        index=0,
        topic_seq=number,
        at_ns=0,
        source_ns=0,
        actor="engine",
        causation_id=NO_ID,
        correlation_id="P1",
    )


def child_placed(child_id: str, **changes: Any) -> ChildPlaced:
    """Return an order to buy 100 at NORD, IOC, without a price."""
    return ChildPlaced(
        **{
            "child_id": child_id,
            "slice_id": "P1.1",
            "parent_id": "P1",
            "epoch": 1,
            "venue_id": "NORD",
            "instrument_id": "ALDER",
            "side": Side.BUY,
            "quantity": 100,
            "order_type": OrderType.LIMIT,
            "price_e9": 41_000_000_000,
            "time_in_force": TimeInForce.DAY,
            "minimum_quantity": 0,
            "self_trade_id": "HOUSE.ALDER",
            "arrival_price_e9": None,
            "placed_ns": 0,
            "ack_due_ns": 0,
            "rest_until_ns": 0,
            **changes,
        }
    )


def cancel_requested(placed: ChildPlaced, request: int = 1) -> ChildCancelRequested:
    return ChildCancelRequested(**_reference(placed), request=request, cause=Cause.CLIENT)


def status_requested(placed: ChildPlaced) -> ChildStatusRequested:
    return ChildStatusRequested(**_reference(placed), request=1, cause=Cause.TIMEOUT)


def _reference(placed: ChildPlaced) -> dict[str, Any]:
    names = ("child_id", "slice_id", "parent_id", "epoch", "venue_id", "instrument_id")
    return {**{name: getattr(placed, name) for name in names}, "retry_ns": 0}


class ScriptedEngine:
    """Places seeded children at the books it saw, cancels them later: load, not a strategy."""

    def __init__(self, day: Day, seed: int, per_step: int) -> None:
        self._day = day
        self._random = Random(seed)
        self._per_step = per_step
        self._books: dict[tuple[str, str], BookUpdated] = {}
        self._live: list[tuple[int, ChildPlaced]] = []
        self._step = 0
        self.placed: dict[str, ChildPlaced] = {}

    def answer(self, messages: Sequence[Any]) -> list[Any]:
        """Return what goes to the venues after a step in which these were heard."""
        self._step += 1
        for message in messages:
            if isinstance(message, BookUpdated):
                self._books[message.venue_id, message.instrument_id] = message
        answers: list[Any] = [
            cancel_requested(placed) for due, placed in self._live if due == self._step
        ]
        self._live = [entry for entry in self._live if entry[0] > self._step]
        if self._step < self._day.open_steps - 2:
            for _ in range(self._per_step):
                answers.extend(self._place())
        return answers

    def _place(self) -> list[ChildPlaced]:
        random = self._random
        instrument_id = random.choice([*self._day.terms.instruments])
        venue = random.choice([*self._day.terms.venues.values()])
        side = random.choice([Side.BUY, Side.SELL])
        book = self._books.get((venue.venue_id, instrument_id))
        child_id = f"P1.1.{len(self.placed) + 1}"
        if venue.kind is VenueKind.DARK:
            placed = child_placed(
                child_id,
                venue_id=venue.venue_id,
                instrument_id=instrument_id,
                side=side,
                quantity=random.randrange(20, 200),
                order_type=OrderType.MIDPOINT,
                price_e9=None,
                minimum_quantity=10,
            )
        elif book is None or not book.bids or not book.asks:
            return []
        else:
            is_taker = random.random() < 0.3
            level = (book.asks if (side is Side.BUY) == is_taker else book.bids)[0]
            placed = child_placed(
                child_id,
                venue_id=venue.venue_id,
                instrument_id=instrument_id,
                side=side,
                quantity=random.randrange(10, 300),
                price_e9=level.price_e9,
                time_in_force=TimeInForce.IOC if is_taker else TimeInForce.DAY,
            )
        self.placed[child_id] = placed
        self._live.append((self._step + random.randrange(2, 12), placed))
        return [placed]
