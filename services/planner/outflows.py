"""What leaves the queues of a venue's best prices in a window, as books and trades show it.

Somebody who joins at the start of a window stands behind all that is shown then. Before them go
the trades at that price and the cancels that the shown quantity betrays; a trade beyond the price
passes the whole queue. New orders hide cancels, so that the outflow is a lower bound.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from schemas.messages.core import BookState, Side
from schemas.messages.market import BookUpdated, TradePrinted

__all__ = ["WINDOW_NS", "Outflows"]

WINDOW_NS: Final = 15_000_000_000  # as long as a child rests
WINDOWS_MAX: Final = 240
THROUGH: Final = 10  # queues that a trade beyond the price is worth


@dataclass(slots=True)
class Queue:
    """One side of one venue: what stood at the best price when the window began, and since."""

    price_e9: int = 0
    ahead: int = 0
    shown: int = 0  # at that price now
    traded: int = 0
    is_passed: bool = False

    def outflow(self) -> int:
        """Return what has left before somebody who joined at the start."""
        canceled = max(0, self.ahead - self.traded - self.shown)
        whole = self.traded + canceled
        return whole + THROUGH * max(self.ahead, 1) if self.is_passed else whole


@dataclass(slots=True)
class Market:
    """One instrument over its venues."""

    began_ns: int = 0
    books: dict[str, BookUpdated] = field(default_factory=dict)
    queues: dict[tuple[str, Side], Queue] = field(default_factory=dict)
    # By side: of each finished window, the outflow of each venue.
    windows: dict[Side, deque[dict[str, int]]] = field(
        default_factory=lambda: {side: deque(maxlen=WINDOWS_MAX) for side in (Side.BUY, Side.SELL)}
    )


class Outflows:
    """Folds market data; windows follow market time."""

    def __init__(self) -> None:
        self.markets: dict[str, Market] = {}
        self.at_ns = 0

    def see(self, message: BookUpdated | TradePrinted, at_ns: int) -> None:
        """Take a book or a trade, older than none before it of its instrument."""
        self.at_ns = max(self.at_ns, at_ns)
        market = self.markets.setdefault(message.instrument_id, Market(began_ns=at_ns))
        if at_ns - market.began_ns >= WINDOW_NS:
            self._finish(market, at_ns)
        if isinstance(message, BookUpdated):
            market.books[message.venue_id] = message
            self._look(market, message)
            return
        for side in (Side.BUY, Side.SELL):
            queue = market.queues.get((message.venue_id, side))
            if queue is None or not queue.price_e9:
                continue
            beyond = (queue.price_e9 - message.price_e9) * (1 if side is Side.BUY else -1)
            if beyond > 0:
                queue.is_passed = True
            if beyond >= 0:
                queue.traded += message.quantity

    def _look(self, market: Market, book: BookUpdated) -> None:
        for side, levels in ((Side.BUY, book.bids), (Side.SELL, book.asks)):
            queue = market.queues.get((book.venue_id, side))
            if queue is None:
                queue = market.queues[book.venue_id, side] = Queue()
                if levels and book.state is BookState.OPEN:
                    queue.price_e9 = levels[0].price_e9
                    queue.ahead = queue.shown = levels[0].quantity
                continue
            found = (level.quantity for level in levels if level.price_e9 == queue.price_e9)
            queue.shown = next(found, 0)

    def _finish(self, market: Market, at_ns: int) -> None:
        for side in (Side.BUY, Side.SELL):
            ended = {
                venue_id: queue.outflow()
                for (venue_id, own), queue in market.queues.items()
                if own is side and queue.price_e9
            }
            if ended:
                market.windows[side].append(ended)
        market.queues.clear()
        market.began_ns = at_ns
        for book in market.books.values():
            self._look(market, book)
