"""What venues say of their auctions; keyword arguments override any field."""

from typing import Any

from schemas.messages.core import PhaseKind, Side
from schemas.messages.market import AuctionIndicated
from streams.core.market import Auction
from tests.support.builders import ACME, OPEN_NS, SECOND, TICK

__all__ = ["CUTOFF_NS", "UNCROSS_NS", "auction", "auction_indicated"]

CUTOFF_NS = OPEN_NS + 600 * SECOND
UNCROSS_NS = OPEN_NS + 660 * SECOND


def auction_indicated(venue_id: str = "V1", **changes: Any) -> AuctionIndicated:
    """Return the first word of a closing auction in which nobody takes part yet."""
    return AuctionIndicated(
        **{
            "venue_id": venue_id,
            "instrument_id": ACME,
            "auction": PhaseKind.CLOSING_AUCTION,
            "price_e9": None,
            "quantity": 0,
            "imbalance_quantity": 0,
            "imbalance_side": Side.UNKNOWN,
            "reference_price_e9": 10_000 * TICK,
            "cutoff_ns": CUTOFF_NS,
            "uncross_ns": UNCROSS_NS,
            "is_primary": venue_id == "V1",
            "is_final": False,
            **changes,
        }
    )


def auction(venue_id: str = "V1", **changes: Any) -> Auction:
    """Return what is kept of it."""
    return Auction(
        **{
            "venue_id": venue_id,
            "kind": PhaseKind.CLOSING_AUCTION,
            "price_e9": None,
            "quantity": 0,
            "imbalance_quantity": 0,
            "imbalance_side": Side.UNKNOWN,
            "cutoff_ns": CUTOFF_NS,
            "uncross_ns": UNCROSS_NS,
            "is_primary": venue_id == "V1",
            **changes,
        }
    )
