"""Fold a record of market.data into the views of the market, and drop what it makes stale."""

from schemas.messages.market import (
    AuctionIndicated,
    BookUpdated,
    TradePrinted,
    TradingStatusChanged,
)
from streams.runtime.ports import Inbound
from streams.shard.knowledge import Knowledge
from streams.shard.market_checks import check_market

__all__ = ["see"]


def see(knows: Knowledge, inbound: Inbound, now_ns: int) -> None:
    """Take a book, a print, an auction's or a market's word. Raises DecodeError."""
    message, envelope, state = inbound.message, inbound.envelope, knows.state
    assert envelope is not None
    check_market(envelope, message, now_ns)
    at_ns = envelope.source_ns or envelope.at_ns
    if isinstance(message, BookUpdated):
        market, reference = state.market, state.reference
        market.apply_book(envelope, message)
        age_max_ns = reference.settings.quote_age_max_ns
        state.estimators.apply_book(market, message, reference.venues, at_ns, age_max_ns)
        state.tops.apply_book(envelope, message)
        if reference.is_median_wanted:
            market.sample_spread(message.instrument_id, reference.venues, at_ns, age_max_ns)
        knows.forget_quote(message.instrument_id)
    elif isinstance(message, TradePrinted):
        curve = state.reference.curves.get(message.instrument_id)
        state.market.apply_trade(envelope, message, curve)
        state.estimators.apply_trade(message)
        knows.references.pop(message.instrument_id, None)
    elif isinstance(message, AuctionIndicated):
        state.market.apply_auction(envelope, message)
        knows.references.pop(message.instrument_id, None)
    elif isinstance(message, TradingStatusChanged):
        state.market.apply_status(envelope, message)
        state.estimators.apply_status(message, at_ns)
        knows.forget_instrument(message.instrument_id)
