"""What the log knows of every child that still may fill: a plain fold, as people ask for it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from schemas.messages import routing as r
from schemas.messages.control import ChildSettled, InstrumentDefined
from schemas.messages.core import Cause, SettlementStage, Side
from streams.core.topics import CHILDREN_EVENTS, CONTROL_COMMANDS, FILLS_EVENTS

__all__ = ["TOPICS", "ChildrenView", "Known", "read"]

TOPICS: Final = (CONTROL_COMMANDS, CHILDREN_EVENTS, FILLS_EVENTS)


@dataclass(slots=True)
class Known:
    """A child. Quantities in smallest units."""

    child_id: str
    parent_id: str
    venue_id: str
    instrument_id: str
    side: Side
    price_e9: int | None
    quantity: int
    exposed: int
    booked: int = 0  # net of busts
    is_unresolved: bool = False
    since_ns: int = 0
    is_wanted_back: bool = False  # a cancel or a replace has no answer
    is_timeout: bool = False  # the questions are about silence, not about what was unreadable
    proposals: dict[str, ChildSettled] = field(default_factory=dict)
    settled: ChildSettled | None = None


@dataclass(slots=True)
class ChildrenView:
    """Fed in the order of each partition; children.events and fills.events in any order."""

    children: dict[str, Known] = field(default_factory=dict)
    scales: dict[str, int] = field(default_factory=dict)  # by instrument
    fills: dict[str, int] = field(default_factory=dict)
    _early: dict[str, int] = field(default_factory=dict)  # booked before the child was read

    def fold(self, message: Any) -> None:
        """Take one record; what is no news here is passed over."""
        handler = _HANDLERS.get(type(message))
        if handler is not None:
            handler(self, message)

    def unresolved(self) -> list[Known]:
        """Return those that people must settle, the oldest first."""
        found = [each for each in self.children.values() if each.is_unresolved and each.exposed > 0]
        return sorted(found, key=lambda each: (each.since_ns, each.child_id))

    def _defined(self, m: InstrumentDefined) -> None:
        self.scales[m.instrument_id] = m.quantity_scale

    def _placed(self, m: r.ChildPlaced) -> None:
        self.children[m.child_id] = Known(
            m.child_id,
            m.parent_id,
            m.venue_id,
            m.instrument_id,
            m.side,
            m.price_e9,
            m.quantity,
            m.quantity,
            since_ns=m.placed_ns,
        )
        self._book(m.child_id, self._early.pop(m.child_id, 0))

    def _book(self, child_id: str, change: int) -> None:
        child = self.children.get(child_id)
        if child is None:
            self._early[child_id] = self._early.get(child_id, 0) + change
            return
        child.booked += change
        if change > 0:
            child.exposed = max(0, child.exposed - change)
            if child.is_timeout and not child.is_wanted_back:
                child.is_unresolved = False  # an execution answers "did it arrive"

    def _booked(self, m: r.FillBooked) -> None:
        self.fills[m.fill_id] = m.quantity + m.error_quantity
        self._book(m.child_id, self.fills[m.fill_id])

    def _busted(self, m: r.FillBusted) -> None:
        self._book(m.child_id, -self.fills.pop(m.fill_id, 0))

    def _corrected(self, m: r.FillCorrected) -> None:
        before = self.fills.get(m.fill_id, 0)
        self.fills[m.fill_id] = m.quantity + m.error_quantity
        child = self.children.get(m.child_id)
        if child is not None:
            child.booked += self.fills[m.fill_id] - before

    def _asked(self, m: r.ChildCancelRequested | r.ChildReplaceRequested) -> None:
        child = self.children[m.child_id]
        child.is_wanted_back = True
        if isinstance(m, r.ChildReplaceRequested):
            child.exposed += max(m.quantity - m.previous_quantity, 0)

    def _answered(self, m: Any) -> None:
        """The venue spoke of it, or is asked anew."""
        child = self.children[m.child_id]
        child.is_unresolved = False
        child.exposed -= getattr(m, "freed_quantity", 0)
        child.price_e9 = getattr(m, "price_e9", child.price_e9)

    def _closed(self, m: r.ChildCanceled | r.ChildRejected) -> None:
        child = self.children[m.child_id]
        child.is_unresolved = False
        child.is_wanted_back = True  # a fill of it says nothing about the others that it owes
        child.exposed = m.outstanding_quantity if isinstance(m, r.ChildCanceled) else 0

    def _unresolved(self, m: r.ChildUnresolved) -> None:
        child = self.children[m.child_id]
        child.is_unresolved, child.is_timeout = True, m.cause is Cause.TIMEOUT
        child.exposed = m.quantity

    def _said(self, m: ChildSettled) -> None:
        child = self.children.get(m.child_id)
        if child is None:
            return
        if m.stage is SettlementStage.SETTLED:
            child.settled, child.is_unresolved, child.exposed = m, False, 0
        elif m.proposed_by:  # as the engine took it
            child.proposals[m.settlement_id] = m


def read(messages: Iterable[Any]) -> ChildrenView:
    """Return the view of the messages of TOPICS."""
    view = ChildrenView()
    for message in messages:
        view.fold(message)
    return view


_HANDLERS: Final[dict[type[Any], Callable[[ChildrenView, Any], None]]] = {
    InstrumentDefined: ChildrenView._defined,
    r.ChildPlaced: ChildrenView._placed,
    r.ChildAcknowledged: ChildrenView._answered,
    r.ChildStatusRequested: ChildrenView._answered,
    r.ChildReplaced: ChildrenView._answered,
    r.ChildReplaceRejected: ChildrenView._answered,
    r.ChildCancelRequested: ChildrenView._asked,
    r.ChildReplaceRequested: ChildrenView._asked,
    r.ChildCanceled: ChildrenView._closed,
    r.ChildRejected: ChildrenView._closed,
    r.ChildUnresolved: ChildrenView._unresolved,
    r.FillBooked: ChildrenView._booked,
    r.FillBusted: ChildrenView._busted,
    r.FillCorrected: ChildrenView._corrected,
    ChildSettled: ChildrenView._said,
}
