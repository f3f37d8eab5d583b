"""Call auctions at the venues: orders collect, indications are published, one price ends them."""

from collections.abc import Iterable, Iterator

from schemas.messages.core import (
    ExecType,
    Liquidity,
    OrderStatus,
    PhaseKind,
    PrintKind,
    Side,
    TimeInForce,
)
from schemas.messages.market import AuctionIndicated
from services.venues.assumptions import AUCTION_RULES
from services.venues.executions import Executions
from services.venues.frames import CallTarget
from services.venues.matching import leave
from services.venues.reports import next_report
from services.venues.state import Book, Call, Child, SimulatorState, book_key
from services.venues.terms import Terms
from services.venues.uncross import Claim, MarginRule, Uncrossing, allot, uncross

__all__ = ["AUCTION_TIMES", "CallDesk"]

AUCTION_TIMES = {
    TimeInForce.AT_OPEN: PhaseKind.OPENING_AUCTION,
    TimeInForce.AT_CLOSE: PhaseKind.CLOSING_AUCTION,
}
NOT_FOUND = "the auction left it"


class CallDesk:
    """The auctions of one step.

    Children for an auction wait in `Call.children`; those that rest in a book that halts take part
    in its reopening at their limits. Our buys and sells may meet there: a call has one price for
    all, and venues prevent no self-trade in it.
    """

    def __init__(self, terms: Terms, state: SimulatorState, executions: Executions) -> None:
        self._terms = terms
        self._state = state
        self._executions = executions
        self._out = executions.out

    def follow(self, target: CallTarget, at_ns: int) -> None:
        """Bring an auction to the end of a step: announce it, indicate, uncross when it is time."""
        book = self._state.books.get(book_key(target.venue_id, target.instrument_id))
        if book is None:  # a tape without that venue
            return
        call = book.calls.get(target.kind.value)
        if call is None or call.uncross_ns != target.uncross_ns:
            call = Call(target.cutoff_ns, target.uncross_ns, target.is_primary)
            book.calls[target.kind.value] = call
        if call.is_over:
            return
        found = self._uncross(book, call, target)
        is_final = at_ns >= target.uncross_ns
        if is_final:
            call.is_over = True
            self._execute(book, call, target, found)
        if is_final or target.is_shown:
            self._out.market(
                book.venue_id,
                book.instrument_id,
                _indicated(target, found, is_final=is_final),
                at_ns,
            )

    def refusal(self, book: Book, child: Child, at_ns: int) -> str:
        """Return why an order for an auction is not taken; empty when it is."""
        kind = AUCTION_TIMES[child.time_in_force]
        call = book.calls.get(kind.value)
        if call is None:
            return f"no {kind.value} here"
        if call.is_over or at_ns >= call.cutoff_ns:
            return f"after the cut-off of the {kind.value}"
        return ""

    def enter(self, book: Book, child: Child) -> None:
        """Let a child wait for its auction, behind all who are there."""
        book.calls[AUCTION_TIMES[child.time_in_force].value].children.append(child.child_id)

    def is_locked(self, book: Book, child: Child, at_ns: int) -> bool:
        """Return whether the auction that the child is in lets nobody out any more."""
        kind = AUCTION_TIMES.get(child.time_in_force)
        call = None if kind is None else book.calls.get(kind.value)
        return call is not None and not call.is_over and at_ns >= call.cutoff_ns

    def withdraw(self, book: Book, child: Child) -> None:
        """Take a child out of its auction."""
        call = book.calls[AUCTION_TIMES[child.time_in_force].value]
        call.children.remove(child.child_id)

    def _uncross(self, book: Book, call: Call, target: CallTarget) -> Uncrossing:
        tick_e9 = self._terms.tick_e9(book.instrument_id, target.reference_e9)
        own: dict[Side, list[tuple[int | None, int]]] = {Side.BUY: [], Side.SELL: []}
        for child in self._own(book, call, target.kind):
            own[child.side].append((child.price_e9, child.leaves))
        return uncross(
            [*target.buys, *own[Side.BUY]],
            [*target.sells, *own[Side.SELL]],
            target.reference_e9,
            tick_e9,
        )

    def _own(self, book: Book, call: Call, kind: PhaseKind) -> Iterator[Child]:
        children = self._state.children
        resting: Iterable[str] = ()
        if kind is PhaseKind.CONTINUOUS:
            resting = (*book.bids.own, *book.asks.own)
        return (children[child_id] for child_id in (*call.children, *resting))

    def _execute(self, book: Book, call: Call, target: CallTarget, found: Uncrossing) -> None:
        at_ns = target.uncross_ns
        members = [*self._own(book, call, target.kind)]
        call.children = []
        executed = {Side.BUY: 0, Side.SELL: 0}
        if found.price_e9 is not None:
            fills = self._fills(book, target, found, members)
            for child in members:
                executed[child.side] += fills[child.child_id]
            self._executions.print(
                book,
                found.price_e9,
                found.quantity,
                Side.UNKNOWN,
                at_ns,
                own=max(executed.values()),
                kind=PrintKind.AUCTION,
            )
            for child in members:
                if fills[child.child_id]:
                    child.leaves -= fills[child.child_id]
                    self._executions.fill(
                        child, fills[child.child_id], found.price_e9, Liquidity.AUCTION, at_ns
                    )
        for child in members:
            if target.kind is PhaseKind.CONTINUOUS:
                if not child.leaves:
                    leave(book.bids if child.side is Side.BUY else book.asks, child.child_id)
            elif child.leaves:
                child.leaves = 0
                child.status = OrderStatus.EXPIRED
                report = next_report(child, ExecType.EXPIRED, at_ns, text=NOT_FOUND)
                self._out.report(child, report, at_ns)

    def _fills(
        self, book: Book, target: CallTarget, found: Uncrossing, members: list[Child]
    ) -> dict[str, int]:
        """Return what each of our children gets. Others at the same price came before us."""
        assert found.price_e9 is not None
        rule = AUCTION_RULES.get(book.venue_id, MarginRule.TIME)
        lot = self._terms.instruments[book.instrument_id].lot
        given: dict[str, int] = {}
        for side, sign, others in ((Side.BUY, 1, target.buys), (Side.SELL, -1, target.sells)):
            claims = [Claim("", *each) for each in others]
            claims += [
                Claim(child.child_id, child.price_e9, child.leaves)
                for child in members
                if child.side is side
            ]
            parts = allot(claims, sign, found.quantity, found.price_e9, rule=rule, lot=lot)
            given.update({key: part for key, part in parts if key})
        return given


def _indicated(target: CallTarget, found: Uncrossing, *, is_final: bool) -> AuctionIndicated:
    side = Side.UNKNOWN
    if found.surplus:
        side = Side.BUY if found.surplus > 0 else Side.SELL
    return AuctionIndicated(
        venue_id=target.venue_id,
        instrument_id=target.instrument_id,
        auction=target.kind,
        price_e9=found.price_e9,
        quantity=found.quantity,
        imbalance_quantity=abs(found.surplus),
        imbalance_side=side,
        reference_price_e9=target.reference_e9,
        cutoff_ns=target.cutoff_ns,
        uncross_ns=target.uncross_ns,
        is_primary=target.is_primary,
        is_final=is_final,
    )
