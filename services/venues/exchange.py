"""One step of all venues: what arrives, what others do, what is late; then the books of its end."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from schemas.messages.core import BookState, Level, Liquidity, Side, VenueKind
from schemas.messages.market import BookUpdated
from schemas.messages.routing import (
    ChildCancelRequested,
    ChildPlaced,
    ChildReplaceRequested,
    ChildStatusRequested,
)
from services.venues import dark
from services.venues.calls import CallDesk
from services.venues.executions import Executions
from services.venues.frames import BookTarget, CallTarget, ContraInterest, Frame, MarketTrade
from services.venues.matching import refresh, take
from services.venues.mishaps import apply_change
from services.venues.orders import OrderEntry
from services.venues.outbox import StepOutbox
from services.venues.state import Book, BookSide, Delayed, SimulatorState, book_key
from services.venues.terms import Terms
from streams.runtime.ports import Message

__all__ = ["LEVELS", "Arrival", "open_books", "run_step"]

LEVELS = 5  # shown of each side
INTERRUPTED = (BookState.HALTED, BookState.PAUSED, BookState.AUCTION)
SHOWN_AGAIN_STEPS = 2  # an unchanged book is shown again, since an engine forgets an old quote


class Arrival(NamedTuple):
    """A message of an engine to a venue."""

    event_id: bytes
    message: Message


def open_books(state: SimulatorState, terms: Terms, frame: Frame, out: StepOutbox) -> None:
    """Begin the day: the books as they stand before the first second."""
    for target in frame.targets:
        state.books[book_key(target.venue_id, target.instrument_id)] = Book(
            venue_id=target.venue_id,
            instrument_id=target.instrument_id,
            is_dark=terms.venues[target.venue_id].kind is VenueKind.DARK,
            is_quoted=terms.venues[target.venue_id].kind is VenueKind.LIT,
            bids=BookSide(sign=1),
            asks=BookSide(sign=-1),
        )
    run = StepRun(state, terms, out)
    run.follow_calls(frame.calls, terms.start_ns)
    run.show_books(frame.targets, 0, terms.start_ns)


def run_step(
    state: SimulatorState,
    terms: Terms,
    frame: Frame,
    arrivals: Sequence[Arrival],
    out: StepOutbox,
) -> None:
    """Advance the venues by one step and say in `out` what the outside hears of it."""
    step = state.step + 1
    end_ns = terms.start_ns + step * terms.step_ns
    run = StepRun(state, terms, out)
    for action in run.schedule(frame, arrivals, end_ns - terms.step_ns, end_ns):
        action()
    for change in frame.statuses:
        out.status(change.message, change.at_ns)
    run.follow_calls(frame.calls, end_ns)
    run.show_books(frame.targets, step, end_ns)
    state.step = step


class StepRun:
    """The parts of one step, all writing to the same outbox."""

    def __init__(self, state: SimulatorState, terms: Terms, out: StepOutbox) -> None:
        self._state = state
        self._terms = terms
        self._out = out
        self._executions = Executions(terms, state, out)
        self._calls = CallDesk(terms, state, self._executions)
        self._entry = OrderEntry(terms, state, self._executions, self._calls)

    def schedule(
        self, frame: Frame, arrivals: Sequence[Arrival], start_ns: int, end_ns: int
    ) -> list[Callable[[], None]]:
        """Return what happens in the step, by time; at the same time arrivals come first."""
        timed: list[tuple[int, int, int, Callable[[], None]]] = []
        for ordinal, arrival in enumerate(arrivals):
            venue = self._terms.venues.get(arrival.message.venue_id)
            # What is to arrive together is sent the later, the nearer its venue is.
            waits_ns = getattr(arrival.message, "send_after_ns", 0)
            at_ns = min(start_ns + waits_ns + (venue.latency_ns if venue else 0), end_ns)
            timed.append((at_ns, 0, ordinal, self._arrival(arrival, at_ns)))
        for ordinal, trade in enumerate(frame.trades):
            timed.append((trade.at_ns, 1, ordinal, self._trade(trade)))
        for ordinal, interest in enumerate(frame.interest):
            timed.append((interest.at_ns, 2, ordinal, self._interest(interest)))
        due = [each for each in self._state.delayed if each.due_ns <= end_ns]
        if due:
            self._state.delayed = [each for each in self._state.delayed if each.due_ns > end_ns]
        for ordinal, delayed in enumerate(due):
            timed.append((delayed.due_ns, 3, ordinal, self._delayed(delayed)))
        timed.sort(key=lambda entry: entry[:3])
        return [entry[3] for entry in timed]

    def follow_calls(self, targets: Sequence[CallTarget], at_ns: int) -> None:
        """Bring the auctions to the end of the step, before the books that follow from them."""
        for target in targets:
            self._calls.follow(target, at_ns)

    def show_books(self, targets: Sequence[BookTarget], step: int, at_ns: int) -> None:
        """Bring the books to the end of the step and publish those that changed."""
        for target in targets:
            book = self._state.books[book_key(target.venue_id, target.instrument_id)]
            if not book.is_dark:
                self._refresh(book, target, at_ns)
            if target.state is not book.state and _is_over(book.state, target.state):
                self._entry.expire(book, at_ns)
            book.state = target.state
            shown = _shown(self._state, book)
            is_old = not book.is_dark and step - book.shown_step >= SHOWN_AGAIN_STEPS
            if shown != book.shown or (is_old and target.state is BookState.OPEN):
                book.shown, book.shown_step = shown, step
                self._out.market(book.venue_id, book.instrument_id, shown, at_ns)

    def _arrival(self, arrival: Arrival, at_ns: int) -> Callable[[], None]:
        message, entry = arrival.message, self._entry
        match message:
            case ChildPlaced():
                return lambda: entry.place(message, arrival.event_id, at_ns)
            case ChildCancelRequested():
                return lambda: entry.cancel(message, at_ns)
            case ChildReplaceRequested():
                return lambda: entry.replace(message, at_ns)
            case _:
                assert isinstance(message, ChildStatusRequested)
                return lambda: entry.status(message, at_ns)

    def _trade(self, trade: MarketTrade) -> Callable[[], None]:
        return lambda: self._apply_trade(trade)

    def _apply_trade(self, trade: MarketTrade) -> None:
        """Let somebody else take: walking the book, or where the tape says that it printed."""
        book = self._state.books[book_key(trade.venue_id, trade.instrument_id)]
        if book.state is not BookState.OPEN:
            return
        side = book.asks if trade.aggressor is Side.BUY else book.bids
        children = self._state.children
        if trade.price_e9 is None:
            matches = take(side, children, trade.quantity)
        elif trade.is_hidden:
            # What is displayed at a better price would have gone before a hidden order.
            worst_e9 = trade.price_e9 + side.sign
            matches = take(side, children, trade.quantity, worst_e9=worst_e9, is_own_only=True)
        else:
            matches = take(side, children, trade.quantity, printed_e9=trade.price_e9)
        self._executions.settle(book, matches, trade.aggressor, trade.at_ns)
        rest = trade.quantity - sum(match.quantity for match in matches)
        if trade.is_hidden and trade.price_e9 is not None and rest:
            self._executions.print(
                book, trade.price_e9, rest, trade.aggressor, trade.at_ns, own=0, is_hidden=True
            )

    def _interest(self, interest: ContraInterest) -> Callable[[], None]:
        return lambda: self._apply_interest(interest)

    def _apply_interest(self, interest: ContraInterest) -> None:
        book = self._state.books[book_key(interest.venue_id, interest.instrument_id)]
        if book.state is not BookState.OPEN:
            return
        books = self._state.books.values()
        mid_e9 = dark.midpoint(b for b in books if b.instrument_id == interest.instrument_id)
        dark.arrive(self._executions, book, self._state.children, interest, mid_e9)

    def _delayed(self, delayed: Delayed) -> Callable[[], None]:
        return lambda: self._apply_delayed(delayed)

    def _apply_delayed(self, delayed: Delayed) -> None:
        child = self._state.children[delayed.child_id]
        if delayed.report is None:
            report = apply_change(self._terms, child, delayed, self._state.volumes)
            child.executions.append(report)
            self._out.report(child, report, delayed.due_ns)
            return
        if delayed.is_unspoken:
            child.cumulative += delayed.report.last_quantity
            book = self._state.books[book_key(child.venue_id, child.instrument_id)]
            self._executions.print_own(book, child, delayed.report, delayed.due_ns)
        self._executions.tell(child, delayed.report, delayed.due_ns)

    def _refresh(self, book: Book, target: BookTarget, at_ns: int) -> None:
        children = self._state.children
        refresh(book.bids, children, target.bids, target.hidden_bid)
        refresh(book.asks, children, target.asks, target.hidden_ask)
        if target.state is BookState.OPEN:
            if book.bids.own:
                self._meet(book, book.bids, book.asks, at_ns)
            if book.asks.own:
                self._meet(book, book.asks, book.bids, at_ns)

    def _meet(self, book: Book, resting: BookSide, coming: BookSide, at_ns: int) -> None:
        """Fill our resting children where others now quote through or at their price."""
        for child_id in [*resting.own]:
            child = self._state.children[child_id]
            price_e9 = child.price_e9
            assert price_e9 is not None
            for level in coming.levels:
                if (price_e9 - level[0]) * resting.sign < 0 or not child.leaves:
                    break
                quantity = min(level[1], child.leaves)
                level[1] -= quantity
                coming.consumed[level[0]] = coming.consumed.get(level[0], 0) + quantity
                child.leaves -= quantity
                report = self._executions.execute(child, quantity, price_e9, Liquidity.ADDED, at_ns)
                self._executions.print_own(book, child, report, at_ns)
                self._executions.tell(child, report, at_ns)
            coming.levels = [level for level in coming.levels if level[1]]
            if child.leaves:
                break
            resting.own.remove(child_id)


def _is_over(before: BookState, after: BookState) -> bool:
    """Return whether continuous trading ends for the day, and with it what rests in the book.

    A call before the close follows trading; one after a halt follows the halt.
    """
    return after is BookState.CLOSED or (before is BookState.OPEN and after is BookState.AUCTION)


def _shown(state: SimulatorState, book: Book) -> BookUpdated:
    """Return what the venue shows of its book: no levels in the dark or while it stands still."""
    is_blank = book.is_dark or book.state in INTERRUPTED
    return BookUpdated(
        venue_id=book.venue_id,
        instrument_id=book.instrument_id,
        state=book.state,
        bids=() if is_blank else _levels(state, book.bids),
        asks=() if is_blank else _levels(state, book.asks),
    )


def _levels(state: SimulatorState, side: BookSide) -> tuple[Level, ...]:
    """Return the best levels with our own displayed quantity in them: a venue shows everybody's."""
    levels = side.levels
    if side.own:
        by_price = {level[0]: level[1] for level in levels}
        for child_id in side.own:
            child = state.children[child_id]
            assert child.price_e9 is not None
            by_price[child.price_e9] = by_price.get(child.price_e9, 0) + child.shown
        levels = [[*each] for each in sorted(by_price.items(), reverse=side.sign > 0)]
    return tuple([Level(price_e9=each[0], quantity=each[1]) for each in levels[:LEVELS]])
