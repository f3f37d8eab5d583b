"""The price of a child that rests and how much of it is shown, by tactic.

On the grid, within the limit, never into the other side: whatever the tactic wants.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from schemas.messages.core import BookState, Level, Side, Tactic, VenueKind
from streams.core.market import Instrument, Quote, VenueBook

__all__ = ["BPS", "bounded", "others_quote", "passive_price", "shown_quantity", "tighter"]

BPS: Final = 10_000
Own = Mapping[tuple[str, int], int]  # what we show on one side, by venue and price


def passive_price(
    tactic: Tactic,
    side: Side,
    quote: Quote,
    terms: Instrument,
    limit_price_e9: int | None = None,
) -> int:
    """Return where a child of that tactic rests.

    JOIN and PEG stand at the best price of our side, IMPROVE one tick before it, MIDPOINT as near
    to the mid as the grid allows on our side of it; each a tick before the other side at most, so
    that a locked market is never taken.
    Rounds: away from the other side.
    """
    if side is Side.BUY:
        last_e9 = quote.ask_e9 - terms.tick_at(quote.ask_e9 - 1)
        match tactic:
            case Tactic.IMPROVE:
                wanted_e9 = quote.bid_e9 + terms.tick_at(quote.bid_e9)
            case Tactic.MIDPOINT:
                wanted_e9 = max(quote.bid_e9, terms.floor_to_tick(quote.midpoint_e9))
            case _:
                wanted_e9 = quote.bid_e9
        price_e9 = min(wanted_e9, last_e9)
    else:
        last_e9 = quote.bid_e9 + terms.tick_at(quote.bid_e9)
        match tactic:
            case Tactic.IMPROVE:
                wanted_e9 = quote.ask_e9 - terms.tick_at(quote.ask_e9 - 1)
            case Tactic.MIDPOINT:
                wanted_e9 = min(quote.ask_e9, terms.ceil_to_tick(quote.midpoint_e9))
            case _:
                wanted_e9 = quote.ask_e9
        price_e9 = max(wanted_e9, last_e9)
    return bounded(price_e9, side, terms, limit_price_e9)


def bounded(price_e9: int, side: Side, terms: Instrument, limit_price_e9: int | None) -> int:
    """Return the price, or the last one on the grid within the limit.

    A limit of an order that lived through a change of ticks need not be on the grid.
    """
    if limit_price_e9 is None:
        return price_e9
    if side is Side.BUY:
        return min(price_e9, terms.floor_to_tick(limit_price_e9))
    return max(price_e9, terms.ceil_to_tick(limit_price_e9))


def tighter(side: Side, first_e9: int | None, second_e9: int | None) -> int | None:
    """Return the limit that allows less; None when neither is one."""
    if first_e9 is None or second_e9 is None:
        return second_e9 if first_e9 is None else first_e9
    return min(first_e9, second_e9) if side is Side.BUY else max(first_e9, second_e9)


def others_quote(quote: Quote, books: tuple[VenueBook, ...], side: Side, own: Own) -> Quote:
    """Return the quote with our own resting quantity taken out of our side.

    Venues show everybody's quantity, so that without this two of our children would outbid each
    other up to the offer, and a peg would follow itself. A side that is all ours stays as it is.
    """
    if not own:
        return quote
    best: int | None = None
    for book in books:
        if book.venue.kind is not VenueKind.LIT or book.state is not BookState.OPEN:
            continue
        for level in book.bids if side is Side.BUY else book.asks:
            if level.quantity <= own.get((book.venue.venue_id, level.price_e9), 0):
                continue
            price_e9 = level.price_e9
            if best is None or (price_e9 > best if side is Side.BUY else price_e9 < best):
                best = price_e9
            break
    if best is None:
        return quote
    # An old book that no longer counts for the quote must not lead beyond it.
    if side is Side.BUY:
        return msgspec.structs.replace(quote, bid_e9=min(best, quote.bid_e9))
    return msgspec.structs.replace(quote, ask_e9=max(best, quote.ask_e9))


def shown_quantity(
    quantity: int, display_quantity: int, share_bps: int, levels: tuple[Level, ...], lot: int
) -> int:
    """Return what a resting child of `quantity` shows; 0 when that is all of it (FIX 1138).

    At most what the owner lets be seen, and at most `share_bps` of what stands at the best price
    of our side at the venue (0: no such bound), but a lot at least: nothing could rest otherwise.
    Rounds: down to whole lots.
    Source: SPEC section 5, anti-gaming.
    """
    shown = quantity
    if display_quantity > 0:
        shown = min(shown, max(display_quantity // lot * lot, lot))
    if share_bps > 0 and levels:
        shown = min(shown, max(levels[0].quantity * share_bps // BPS // lot * lot, lot))
    return shown if shown < quantity else 0
