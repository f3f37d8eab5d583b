"""The dark venue: our orders meet others' hidden interest at the midpoint of the lit books."""

from collections.abc import Iterable, Mapping

from schemas.messages.core import BookState, Liquidity, Side
from services.venues.executions import Executions
from services.venues.frames import ContraInterest
from services.venues.state import Book, Child
from services.venues.terms import opposite

__all__ = ["arrive", "match_child", "midpoint"]


def midpoint(books: Iterable[Book]) -> int | None:
    """Return the midpoint of others' best bid and offer over the open lit books.

    Units:  1e-9 currency units; exact, ticks are even.
    None when a side is missing or the market is crossed: nobody knows a fair middle then.
    """
    bid_e9 = ask_e9 = None
    for book in books:
        if not book.is_quoted or book.state is not BookState.OPEN:
            continue
        if book.bids.levels and (bid_e9 is None or book.bids.levels[0][0] > bid_e9):
            bid_e9 = book.bids.levels[0][0]
        if book.asks.levels and (ask_e9 is None or book.asks.levels[0][0] < ask_e9):
            ask_e9 = book.asks.levels[0][0]
    if bid_e9 is None or ask_e9 is None or bid_e9 > ask_e9:
        return None
    return (bid_e9 + ask_e9) // 2


def match_child(
    executions: Executions, book: Book, child: Child, mid_e9: int | None, at_ns: int
) -> None:
    """Cross a child with the interest that waits on the other side."""
    waiting = (book.asks if child.side is Side.BUY else book.bids).hidden
    until_ns, _, available = waiting
    if mid_e9 is None or at_ns > until_ns or not _is_allowed(child, mid_e9):
        return
    quantity = min(child.leaves, available)
    if quantity < max(1, min(child.minimum_quantity, child.leaves)):
        return
    waiting[2] -= quantity
    child.leaves -= quantity
    report = executions.execute(child, quantity, mid_e9, Liquidity.HIDDEN, at_ns)
    executions.print_own(book, child, report, at_ns)
    executions.tell(child, report, at_ns)


def arrive(
    executions: Executions,
    book: Book,
    children: Mapping[str, Child],
    interest: ContraInterest,
    mid_e9: int | None,
) -> None:
    """Let others' interest meet our waiting children in time order; the rest waits itself."""
    side = book.bids if interest.side is Side.BUY else book.asks
    side.hidden = [interest.until_ns, 0, interest.quantity]
    waiting = book.asks if interest.side is Side.BUY else book.bids
    for child_id in [*waiting.own]:
        child = children[child_id]
        assert child.side is opposite(interest.side)
        match_child(executions, book, child, mid_e9, interest.at_ns)
        if not child.leaves:
            waiting.own.remove(child_id)


def _is_allowed(child: Child, mid_e9: int) -> bool:
    """Return whether the midpoint is within the worst price allowed."""
    if child.price_e9 is None:
        return True
    return mid_e9 <= child.price_e9 if child.side is Side.BUY else mid_e9 >= child.price_e9
