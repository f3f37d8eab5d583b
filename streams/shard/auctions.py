"""The venues' call auctions as this shard sees them, folded from market.data records."""

from collections.abc import Mapping
from typing import Final

from schemas.messages.core import Envelope
from schemas.messages.market import AuctionIndicated
from streams.core.market import Auction

__all__ = ["auctions_of", "keep_auction", "likely_price"]

TRADED_MAX: Final = 1 << 62  # a snapshot holds no more


def keep_auction(known: dict[str, Auction], envelope: Envelope, message: AuctionIndicated) -> None:
    """Keep the newest word of a venue on its auction of that kind.

    A word of an earlier auction, come late, is passed over, and so is one after the outcome.
    """
    key = f"{message.auction.value}/{message.venue_id}"
    before = known.get(key)
    is_same = before is not None and before.uncross_ns == message.uncross_ns
    if before is not None and (
        before.uncross_ns > message.uncross_ns or (is_same and before.is_final)
    ):
        return
    known[key] = Auction(
        venue_id=message.venue_id,
        kind=message.auction,
        price_e9=message.price_e9,
        quantity=message.quantity,
        imbalance_quantity=message.imbalance_quantity,
        imbalance_side=message.imbalance_side,
        cutoff_ns=message.cutoff_ns,
        uncross_ns=message.uncross_ns,
        is_primary=message.is_primary,
        is_final=message.is_final,
        traded_quantity=_traded(before, message),
        reference_price_e9=message.reference_price_e9,
        at_ns=envelope.source_ns or envelope.at_ns,
        event_id=envelope.event_id,
    )


def auctions_of(known: Mapping[str, Auction]) -> tuple[Auction, ...]:
    """Return what every venue said last of each of its auctions, by kind, then venue."""
    return tuple([auction for _, auction in sorted(known.items())])


def likely_price(known: Mapping[str, Auction], at_ns: int, age_max_ns: int) -> Auction | None:
    """Return the newest word of late that names a price, the primary venue's before others'."""
    found = [
        each
        for each in auctions_of(known)
        if each.likely_price_e9 is not None and at_ns - each.at_ns <= age_max_ns
    ]
    return max(found, key=lambda each: (each.is_primary, each.at_ns), default=None)


def _traded(before: Auction | None, message: AuctionIndicated) -> int:
    traded = 0 if before is None else before.traded_quantity
    return min(traded + message.quantity, TRADED_MAX) if message.is_final else traded
