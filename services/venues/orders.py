"""Our orders arriving at their venues: place, cancel, status."""

import msgspec

from schemas.messages.core import (
    BookState,
    ExecType,
    Liquidity,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)
from schemas.messages.routing import (
    ChildCancelRequested,
    ChildPlaced,
    ChildReplaceRequested,
    ChildStatusRequested,
)
from services.venues.calls import AUCTION_TIMES, CallDesk
from services.venues.dark import match_child, midpoint
from services.venues.executions import Executions
from services.venues.matching import join, leave, take
from services.venues.mishaps import is_refused, race_quantity, unspoken_quantity
from services.venues.reports import cancel_reject, next_report
from services.venues.state import Book, BookSide, Child, Delayed, SimulatorState, book_key
from services.venues.terms import Terms
from streams.kill import stops_child

__all__ = ["OrderEntry"]

STOPPED = "kill switch in force at the gateway"


class OrderEntry:
    """The venues' order entry during one step."""

    def __init__(
        self, terms: Terms, state: SimulatorState, executions: Executions, calls: CallDesk
    ) -> None:
        self._terms = terms
        self._state = state
        self._executions = executions
        self._calls = calls
        self._out = executions.out

    def place(self, placed: ChildPlaced, placed_id: bytes, at_ns: int) -> None:
        """Accept or refuse a child, match it, rest what is left or end it."""
        known = self._state.children.get(placed.child_id)
        if known is not None:  # an id never executes twice
            self._out.report(known, next_report(known, ExecType.ORDER_STATUS, at_ns), at_ns)
            return
        child = _child(placed, placed_id)
        self._state.children[child.child_id] = child
        book = self._state.books.get(book_key(child.venue_id, child.instrument_id))
        refusal = self._refusal(child, book, at_ns)
        if refusal or book is None:
            self._end(child, OrderStatus.REJECTED, ExecType.REJECTED, at_ns, text=refusal)
            return
        self._out.report(child, next_report(child, ExecType.NEW, at_ns), at_ns)
        if child.time_in_force in AUCTION_TIMES:
            self._calls.enter(book, child)
        elif book.is_dark:
            self._place_dark(book, child, at_ns)
        else:
            self._place_lit(book, child, at_ns)

    def cancel(self, request: ChildCancelRequested, at_ns: int) -> None:
        """Take a child off the book, unless it is too late."""
        child = self._state.children.get(request.child_id)
        if child is None:
            child = _unknown(request)
            reject = cancel_reject(child, request.request, at_ns, "unknown order")
            self._out.report(child, reject, at_ns)
            return
        if not _is_open(child):
            text = f"too late to cancel: {child.status.value}"
            self._out.report(child, cancel_reject(child, request.request, at_ns, text), at_ns)
            return
        book = self._state.books[book_key(child.venue_id, child.instrument_id)]
        if child.time_in_force in AUCTION_TIMES:
            self._cancel_in_call(book, child, request, at_ns)
            return
        self._race(book, child, at_ns)
        if not child.leaves:
            text = f"too late to cancel: {child.status.value}"
            leave(_side(book, child.side), child.child_id)
            self._out.report(child, cancel_reject(child, request.request, at_ns, text), at_ns)
            return
        unspoken, due_ns = unspoken_quantity(self._terms, child, at_ns)
        leave(_side(book, child.side), child.child_id)
        self._end(child, OrderStatus.CANCELED, ExecType.CANCELED, at_ns)
        if unspoken:
            self._contradict(book, child, unspoken, due_ns)

    def replace(self, request: ChildReplaceRequested, at_ns: int) -> None:
        """Let a resting child stand in another size or at another price; that costs its place."""
        child = self._state.children.get(request.child_id)
        executed = 0 if child is None else child.quantity - child.leaves
        refusal = self._replace_refusal(child, request)
        if refusal or child is None:
            known = child or _unknown(request)
            reject = cancel_reject(known, request.request, at_ns, refusal, is_replace=True)
            self._out.report(known, reject, at_ns)
            return
        book = self._state.books[book_key(child.venue_id, child.instrument_id)]
        side = _side(book, child.side)
        is_smaller = request.price_e9 == child.price_e9 and request.quantity <= child.quantity
        child.quantity = max(request.quantity, executed)
        child.leaves = child.quantity - executed
        child.price_e9, child.replaced = request.price_e9, request.request
        if not child.leaves:
            leave(side, child.child_id)
            child.status = OrderStatus.FILLED
        self._out.report(child, next_report(child, ExecType.REPLACED, at_ns), at_ns)
        if child.leaves and not (is_smaller or book.is_dark):
            leave(side, child.child_id)
            self._place_lit(book, child, at_ns)

    def _replace_refusal(self, child: Child | None, request: ChildReplaceRequested) -> str:
        if child is None:
            return "unknown order"
        instrument = self._terms.instruments[child.instrument_id]
        price_e9 = request.price_e9
        tick_e9 = self._terms.tick_e9(child.instrument_id, price_e9 or 0)
        is_limit = child.order_type is OrderType.LIMIT
        if not _is_open(child):
            return f"too late to replace: {child.status.value}"
        if child.time_in_force is not TimeInForce.DAY or child.display_quantity:
            return "not an order that can be replaced"
        if request.quantity <= 0 or request.quantity % instrument.lot:
            return f"quantity {request.quantity} is not a positive multiple of {instrument.lot}"
        if (is_limit and price_e9 is None) or (price_e9 is not None and price_e9 % tick_e9):
            return f"price {price_e9} is not a multiple of {tick_e9}"
        return ""

    def _cancel_in_call(
        self, book: Book, child: Child, request: ChildCancelRequested, at_ns: int
    ) -> None:
        if self._calls.is_locked(book, child, at_ns):
            text = "too late to cancel: the auction is called"
            self._out.report(child, cancel_reject(child, request.request, at_ns, text), at_ns)
            return
        self._calls.withdraw(book, child)
        self._end(child, OrderStatus.CANCELED, ExecType.CANCELED, at_ns)

    def status(self, request: ChildStatusRequested, at_ns: int) -> None:
        """Say where a child stands, after saying again what was executed: it may have been lost."""
        child = self._state.children.get(request.child_id)
        if child is None:
            child = _unknown(request)
            child.status = OrderStatus.REJECTED
            text = "unknown order"
        else:
            text = ""
            for report in child.executions:
                self._out.report(child, report, at_ns)
        answer = next_report(child, ExecType.ORDER_STATUS, at_ns, text=text)
        self._out.report(child, answer, at_ns)

    def expire(self, book: Book, at_ns: int) -> None:
        """End whatever rests when the session is over."""
        for side in (book.bids, book.asks):
            for child_id in side.own:
                child = self._state.children[child_id]
                self._end(child, OrderStatus.EXPIRED, ExecType.EXPIRED, at_ns, text="session over")
            side.own = []

    def _place_lit(self, book: Book, child: Child, at_ns: int) -> None:
        other = _side(book, Side.SELL if child.side is Side.BUY else Side.BUY)
        if child.minimum_quantity and self._available(other, child) < child.minimum_quantity:
            text = f"less than {child.minimum_quantity} there"
            self._end(child, OrderStatus.EXPIRED, ExecType.EXPIRED, at_ns, text=text)
            return
        matches = take(
            other,
            self._state.children,
            child.leaves,
            worst_e9=child.price_e9,
            self_trade_id=child.self_trade_id,
        )
        self._executions.settle(book, matches, child.side, at_ns, taker=child)
        if not child.leaves:
            return
        if child.time_in_force is TimeInForce.IOC or child.price_e9 is None:
            self._end(child, OrderStatus.EXPIRED, ExecType.EXPIRED, at_ns, text="nothing left")
        elif self._would_lock(other, child):
            text = "self-trade prevention"
            self._end(child, OrderStatus.CANCELED, ExecType.CANCELED, at_ns, text=text)
        else:
            join(_side(book, child.side), self._state.children, child)

    def _available(self, other: BookSide, child: Child) -> int:
        """Return what the child could take at once, hidden interest not counted."""

        def is_within(price_e9: int) -> bool:
            return child.price_e9 is None or (price_e9 - child.price_e9) * other.sign >= 0

        own = [self._state.children[child_id] for child_id in other.own]
        return sum(quantity for price_e9, quantity in other.levels if is_within(price_e9)) + sum(
            each.leaves
            for each in own
            if each.self_trade_id != child.self_trade_id
            and each.price_e9 is not None
            and is_within(each.price_e9)
        )

    def _place_dark(self, book: Book, child: Child, at_ns: int) -> None:
        match_child(self._executions, book, child, self._midpoint(child.instrument_id), at_ns)
        if not child.leaves:
            return
        if child.time_in_force is TimeInForce.IOC:
            self._end(child, OrderStatus.EXPIRED, ExecType.EXPIRED, at_ns, text="nobody there")
        else:
            _side(book, child.side).own.append(child.child_id)

    def _race(self, book: Book, child: Child, at_ns: int) -> None:
        """Now and then somebody hits the child while its cancel is on the way."""
        raced, due_ns = race_quantity(self._terms, child, at_ns)
        price_e9 = self._resting_price(book, child)
        if not raced or price_e9 is None or book.state is not BookState.OPEN:
            return
        child.leaves -= raced
        liquidity = Liquidity.HIDDEN if book.is_dark else Liquidity.ADDED
        report = self._executions.execute(child, raced, price_e9, liquidity, at_ns)
        self._executions.print_own(book, child, report, at_ns)
        late = Delayed(due_ns=due_ns, child_id=child.child_id, report=report)
        self._state.delayed.append(late)

    def _contradict(self, book: Book, child: Child, quantity: int, due_ns: int) -> None:
        """Prepare a fill beyond what the answer to the cancel said. It counts when it is told."""
        price_e9 = self._resting_price(book, child)
        if price_e9 is None:
            return
        liquidity = Liquidity.HIDDEN if book.is_dark else Liquidity.ADDED
        report = self._executions.execute(child, quantity, price_e9, liquidity, due_ns)
        child.cumulative -= quantity
        child.status = OrderStatus.CANCELED
        report = msgspec.structs.replace(report, order_status=child.status)
        late = Delayed(due_ns=due_ns, child_id=child.child_id, report=report, is_unspoken=True)
        self._state.delayed.append(late)

    def _resting_price(self, book: Book, child: Child) -> int | None:
        return self._midpoint(child.instrument_id) if book.is_dark else child.price_e9

    def _would_lock(self, other: BookSide, child: Child) -> bool:
        """Return whether one of our own offers (or bids) stands where this child would rest."""
        if not other.own or child.price_e9 is None:
            return False
        best_e9 = self._state.children[other.own[0]].price_e9
        assert best_e9 is not None
        return (best_e9 - child.price_e9) * other.sign >= 0

    def _midpoint(self, instrument_id: str) -> int | None:
        books = self._state.books.values()
        return midpoint(book for book in books if book.instrument_id == instrument_id)

    def _end(
        self,
        child: Child,
        status: OrderStatus,
        exec_type: ExecType,
        at_ns: int,
        *,
        text: str = "",
    ) -> None:
        child.leaves = 0
        child.status = status
        self._out.report(child, next_report(child, exec_type, at_ns, text=text), at_ns)

    def _is_stopped(self, child: Child) -> bool:
        """Return whether a local flag forbids it: the gateway's own look before each send."""
        ids = {"venue_id": child.venue_id, "instrument_id": child.instrument_id}
        return any(stops_child(flag, **ids) for flag in self._state.flags.values())

    def _closed(self, book: Book, child: Child, at_ns: int) -> str:
        """Return why nothing of the kind is taken now; empty when it is."""
        if child.time_in_force in AUCTION_TIMES:
            return self._calls.refusal(book, child, at_ns)
        return "" if book.state is BookState.OPEN else f"market is {book.state.value}"

    def _refusal(self, child: Child, book: Book | None, at_ns: int) -> str:
        """Return why the venue does not take the order; empty when it does."""
        if self._is_stopped(child):
            return STOPPED
        venue = self._terms.venues.get(child.venue_id)
        instrument = self._terms.instruments.get(child.instrument_id)
        if book is None or venue is None or instrument is None:
            return "not traded here"
        is_dark, quantity, price_e9 = book.is_dark, child.quantity, child.price_e9
        is_resting = child.time_in_force is not TimeInForce.IOC
        tick_e9 = self._terms.tick_e9(child.instrument_id, price_e9 or 0)
        closed = self._closed(book, child, at_ns)
        rungs = (
            (bool(closed), closed),
            (
                # An odd lot is taken, as exchanges do: what an odd fill leaves must trade too.
                quantity <= 0 or (quantity > instrument.lot and quantity % instrument.lot != 0),
                f"quantity {quantity} is neither an odd lot nor a multiple of {instrument.lot}",
            ),
            (
                quantity < venue.minimum_quantity,
                f"quantity {quantity} is below {venue.minimum_quantity}",
            ),
            (
                price_e9 is not None and price_e9 % tick_e9 != 0,
                f"price {price_e9} is not a multiple of {tick_e9}",
            ),
            (
                is_dark != (child.order_type is OrderType.MIDPOINT),
                f"{child.order_type.value} orders are not taken here",
            ),
            (
                child.minimum_quantity > 0 and not is_dark and is_resting,
                "a minimum quantity is for the dark venue or IOC",
            ),
            (
                child.display_quantity > 0 and (is_dark or not is_resting),
                "a display quantity is for orders that rest in a book",
            ),
            (
                not 0 <= child.display_quantity <= quantity
                or child.display_quantity % instrument.lot != 0,
                f"display quantity {child.display_quantity} is no part of {quantity} in lots",
            ),
            (
                child.order_type is OrderType.LIMIT and price_e9 is None,
                "a limit order has a price",
            ),
            (is_refused(self._terms, child.child_id), "venue is busy"),
        )
        return next((text for is_broken, text in rungs if is_broken), "")


def _child(placed: ChildPlaced, placed_id: bytes) -> Child:
    return Child(
        child_id=placed.child_id,
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
        placed_id=placed_id,
        leaves=placed.quantity,
        display_quantity=placed.display_quantity,
    )


def _unknown(
    request: ChildCancelRequested | ChildReplaceRequested | ChildStatusRequested,
) -> Child:
    """A child for the answer about one that never came. It is not kept."""
    return Child(
        child_id=request.child_id,
        parent_id=request.parent_id,
        venue_id=request.venue_id,
        instrument_id=request.instrument_id,
        side=Side.UNKNOWN,
        quantity=0,
        order_type=OrderType.UNKNOWN,
        price_e9=None,
        time_in_force=TimeInForce.UNKNOWN,
        minimum_quantity=0,
        self_trade_id="",
        placed_id=bytes(16),
        leaves=0,
    )


def _is_open(child: Child) -> bool:
    return child.status in (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)


def _side(book: Book, side: Side) -> BookSide:
    return book.bids if side is Side.BUY else book.asks
