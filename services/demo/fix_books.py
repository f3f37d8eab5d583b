"""What clients and venues know by FIX alone, against what the engine says: the proof of --fix."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from schemas.messages.core import Envelope, ExecType, OrderStatus
from schemas.messages.routing import ChildPlaced, FillBooked, FillBusted, FillCorrected
from schemas.messages.venues import ExecutionReport
from services.fix import values
from services.fix.oms.book import Book
from streams.intake import INTAKE, IntakeState

__all__ = ["ChildBooks", "client_differences", "intake_states"]

REJECTED: Final = values.ORDER_STATUS_TEXTS[OrderStatus.REJECTED]


def intake_states(events: Iterable[tuple[Envelope, Any]]) -> list[IntakeState]:
    """Return each shard's orders: its events, folded in the order of its journal."""
    by_shard: dict[int, list[tuple[int, int, Any]]] = {}
    for envelope, message in events:
        row = (envelope.seq, envelope.index, message)
        by_shard.setdefault(envelope.shard, []).append(row)
    states = []
    for _, rows in sorted(by_shard.items()):
        rows.sort(key=lambda row: row[:2])
        states.append(INTAKE.fold(message for _, _, message in rows))
    return states


def client_differences(book: Book, states: Sequence[IntakeState]) -> list[str]:
    """Return where a client's book and the engine's orders differ, as sentences."""
    found = [*book.breaks]
    met: set[int] = set()
    for state in states:
        for order in state.orders.values():
            terms = order.terms
            name = f"{terms.source} {terms.client_order_id}"
            known = book.known(terms.source, terms.client_order_id)
            if known is None:
                found.append(f"{name}: the client has not sent it")
                continue
            met.add(id(known))
            engine = (
                values.ORDER_STATUS_TEXTS[order.order_status],
                order.cumulative_quantity,
                order.quantity,
            )
            client = (known.status, known.cumulative, known.quantity)
            if engine != client:
                found.append(f"{name}: status, executed, ordered {engine}, the client has {client}")
    for key, known in book.orders.items():
        if id(known) not in met and known.status != REJECTED:
            found.append(
                f"{key}: status {known.status or 'none'}, and the engine has no such order"
            )
    return found


class ChildBooks:
    """Executed quantities by child: as the venues wrote them, and as the engine booked them."""

    def __init__(self) -> None:
        self._venue: dict[str, tuple[str, int]] = {}  # venue/ExecID: child, quantity as it stands
        self._engine: dict[str, tuple[str, int]] = {}
        self._heard: Counter[str] = Counter()  # orders that venues have taken in, by child
        self._placed: dict[str, str] = {}  # child: venue

    def venue_said(self, message: Any) -> None:
        """Take a report into account, before it has gone through FIX."""
        if not isinstance(message, ExecutionReport):
            return
        key = f"{message.venue_id}/{message.exec_ref_id or message.exec_id}"
        match message.exec_type:
            case ExecType.TRADE | ExecType.TRADE_CORRECT:
                self._venue[key] = (message.child_id, message.last_quantity)
            case ExecType.TRADE_CANCEL:
                self._venue[key] = (message.child_id, 0)

    def venue_heard(self, message: Any) -> None:
        if isinstance(message, ChildPlaced):
            self._heard[message.child_id] += 1

    def engine_said(self, message: Any) -> None:
        """Take an event of the engine into account."""
        match message:
            case ChildPlaced():
                self._placed[message.child_id] = message.venue_id
            case FillBooked() | FillCorrected():
                quantity = message.quantity + message.error_quantity
                self._engine[message.fill_id] = (message.child_id, quantity)
            case FillBusted():
                self._engine[message.fill_id] = (message.child_id, 0)

    def differences(self) -> list[str]:
        """Return where the two differ, as sentences."""
        venue, engine = _sums(self._venue), _sums(self._engine)
        found = [
            f"{child_id}: venue executed {venue[child_id]}, engine booked {engine[child_id]}"
            for child_id in sorted(venue.keys() | engine.keys())
            if venue[child_id] != engine[child_id]
        ]
        found += [
            f"{child_id}: came {count} times to its venue"
            for child_id, count in sorted(self._heard.items())
            if count > 1
        ]
        strange = sorted(self._heard.keys() - self._placed.keys())
        return [*found, *(f"{child_id}: at a venue, and nobody placed it" for child_id in strange)]


def _sums(rows: Mapping[str, tuple[str, int]]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for child_id, quantity in rows.values():
        sums[child_id] += quantity
    return sums
