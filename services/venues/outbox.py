"""What the venues say within one step: in the order in which it is heard outside."""

from collections.abc import Mapping
from typing import NamedTuple

from schemas.messages.control import VenueDefined
from schemas.messages.market import TradingStatusChanged
from services.venues.state import Child
from streams.core.topics import MARKET_DATA, ORDERS_COMMANDS, VENUES_REPORTS
from streams.runtime.ports import Message

__all__ = ["NO_EVENT", "Said", "StepOutbox"]

NO_EVENT = bytes(16)
EVERYBODY = "MARKET"  # who speaks when it is no single venue


class Said(NamedTuple):
    """One message. `source_ns` is when it reaches the outside."""

    source_ns: int
    topic: str
    instrument_id: str
    message: Message
    causation_id: bytes
    correlation_id: str
    actor: str


class StepOutbox:
    """Collects a step. Nothing is heard after `end_ns`: what is slower arrives exactly then."""

    def __init__(self, end_ns: int, venues: Mapping[str, VenueDefined]) -> None:
        self.end_ns = end_ns
        self._venues = venues
        self._said: list[Said] = []

    def report(self, child: Child, message: Message, at_ns: int) -> None:
        """Send a report; it takes the venue's latency."""
        venue = self._venues.get(child.venue_id)
        latency_ns = 0 if venue is None else venue.latency_ns
        heard_ns = min(at_ns + latency_ns, self.end_ns)
        said = Said(
            heard_ns,
            VENUES_REPORTS,
            child.instrument_id,
            message,
            child.placed_id,
            child.parent_id,
            child.venue_id,
        )
        self._said.append(said)

    def market(self, venue_id: str, instrument_id: str, message: Message, at_ns: int) -> None:
        said = Said(at_ns, MARKET_DATA, instrument_id, message, NO_EVENT, instrument_id, venue_id)
        self._said.append(said)

    def status(self, message: TradingStatusChanged, at_ns: int) -> None:
        self.market(message.venue_id or EVERYBODY, message.instrument_id, message, at_ns)

    def order(self, source: str, instrument_id: str, message: Message, at_ns: int) -> None:
        chain = message.client_order_id
        said = Said(at_ns, ORDERS_COMMANDS, instrument_id, message, NO_EVENT, chain, source)
        self._said.append(said)

    def in_order(self) -> list[Said]:
        """Return everything by time; what is said at the same time keeps its order."""
        return sorted(self._said, key=lambda said: said.source_ns)
