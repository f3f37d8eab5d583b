"""Where a child of a slice rests now: the price of its tactic among others, ourselves left out."""

from typing import Final

from schemas.messages.core import Side, Tactic
from streams.core.market import Instrument, Quote
from streams.routing.commands import MarketBooks
from streams.routing.pricing import others_quote, passive_price, tighter
from streams.routing.resting import FOLLOWING
from streams.routing.state import RoutingState, Slice

__all__ = ["chase_limit_e9", "child_price", "own_shown"]

# How far a slice follows its first price: the larger of ticks and spreads.
CHASE_TICKS: Final = 5
CHASE_SPREADS: Final = 2
# Tactics that may set a new best price, so that they could outbid one another.
LEADING: Final = (Tactic.IMPROVE, *FOLLOWING)


def child_price(
    state: RoutingState, part: Slice, tactic: Tactic, market: MarketBooks, quote: Quote
) -> int:
    """Return where a child of the slice rests: within the limit, no further than it may chase."""
    terms, limit_e9 = market.instrument, part.limit_price_e9
    if tactic not in LEADING:
        return passive_price(tactic, part.side, quote, terms, limit_e9)
    own = own_shown(state, part.instrument_id, part.side)
    others = others_quote(quote, market.books, part.side, own)
    chase_e9 = chase_limit_e9(state, part, terms, quote)
    return passive_price(tactic, part.side, others, terms, tighter(part.side, limit_e9, chase_e9))


def own_shown(state: RoutingState, instrument_id: str, side: Side) -> dict[tuple[str, int], int]:
    """Return what our children show on a side, by venue and price, smallest units."""
    shown: dict[tuple[str, int], int] = {}
    for child_id, child in state.resting.children.get(instrument_id, {}).items():
        hot = state.children.get(child_id)
        if child.side is not side or hot is None:
            continue
        left = min(child.display_quantity or hot.exposure, hot.exposure)
        key = (child.venue_id, child.price_e9)
        shown[key] = shown.get(key, 0) + left
    return shown


def chase_limit_e9(state: RoutingState, part: Slice, terms: Instrument, quote: Quote) -> int | None:
    """Return the worst price to which a slice that follows is taken; None before its first.

    A price that runs away is not run after: the strategy decides what that is worth.
    """
    anchor_e9 = state.resting.anchors.get(part.slice_id)
    if anchor_e9 is None:
        return None
    band_e9 = max(
        CHASE_TICKS * terms.tick_at(anchor_e9), CHASE_SPREADS * (quote.ask_e9 - quote.bid_e9)
    )
    return anchor_e9 + band_e9 if part.side is Side.BUY else anchor_e9 - band_e9
