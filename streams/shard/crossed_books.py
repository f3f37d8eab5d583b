"""Which venue shows a book that stands through the others': its quote is old, or wrong."""

from collections.abc import Mapping
from typing import Any

from schemas.messages.core import BookState

__all__ = ["note_crossing"]


def note_crossing(
    books: Mapping[str, Any], crossed: dict[str, int], venue_id: str, at_ns: int
) -> None:
    """Keep since when each venue's book crosses the others', after the book of one has changed.

    Blamed is the venue that crosses most of the others; between equals the one that was blamed
    before, else the one with the older book. A locked book crosses nobody.
    """
    if not crossed and not _rivals(books, venue_id):
        return
    counts = {name: _rivals(books, name) for name in sorted(books)}
    most = max(counts.values())
    blamed = _blamed(books, crossed, [name for name in counts if counts[name] == most and most])
    for name in [name for name in crossed if name not in blamed]:
        del crossed[name]
    for name in blamed:
        crossed.setdefault(name, at_ns)


def _blamed(books: Mapping[str, Any], crossed: Mapping[str, int], worst: list[str]) -> list[str]:
    """Return one of two that cross each other only, or the one that crosses most."""
    known = [name for name in worst if name in crossed]
    if known or len(worst) < 2:
        return known[:1] or worst
    return [min(worst, key=lambda name: (books[name].at_ns, name))]


def _rivals(books: Mapping[str, Any], venue_id: str) -> int:
    """Return how many open books the venue's book crosses."""
    own = books[venue_id]
    if own.state is not BookState.OPEN or not (own.bids or own.asks):
        return 0
    bid_e9 = own.bids[0].price_e9 if own.bids else None
    ask_e9 = own.asks[0].price_e9 if own.asks else None
    count = 0
    for name, other in books.items():
        if name == venue_id or other.state is not BookState.OPEN:
            continue
        is_above = bid_e9 is not None and other.asks and bid_e9 > other.asks[0].price_e9
        is_below = ask_e9 is not None and other.bids and ask_e9 < other.bids[0].price_e9
        if is_above or is_below:
            count += 1
    return count
