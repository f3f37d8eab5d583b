"""What market data must be before the shard believes it: one poisoned book would price the rest."""

from typing import Any, Final

from schemas.messages.core import Envelope, Level, PhaseKind, Side
from schemas.messages.core import RejectReason as R
from schemas.messages.market import (
    AuctionIndicated,
    BookUpdated,
    TradePrinted,
    TradingStatusChanged,
)
from streams.core.errors import DecodeError

__all__ = ["AHEAD_MAX_NS", "check_market"]

# A feed whose clock runs ahead would make every honest book after it look late.
AHEAD_MAX_NS: Final = 5_000_000_000
AUCTIONS: Final = (PhaseKind.OPENING_AUCTION, PhaseKind.CONTINUOUS, PhaseKind.CLOSING_AUCTION)
QUANTITY_MAX: Final = 1 << 62  # sums of two of them are still counted exactly


def check_market(envelope: Envelope, message: Any, now_ns: int) -> None:
    """Raise DecodeError for what no market can have said at `now_ns`.

    A crossed or locked book passes: markets do that, and the guards of who uses it know it.
    """
    at_ns = envelope.source_ns or envelope.at_ns
    if at_ns > now_ns + AHEAD_MAX_NS:
        bound = f"at most {now_ns + AHEAD_MAX_NS}"
        raise DecodeError(R.VALUE_OUT_OF_RANGE, "source_ns", str(at_ns), bound)
    if isinstance(message, BookUpdated):
        _check_levels("bids", Side.BUY, message.bids)
        _check_levels("asks", Side.SELL, message.asks)
    elif isinstance(message, TradePrinted):
        _check_trade(message)
    elif isinstance(message, TradingStatusChanged):
        _check_bands(message)
    elif isinstance(message, AuctionIndicated):
        _check_auction(message)


def _check_levels(name: str, side: Side, levels: tuple[Level, ...]) -> None:
    before = None
    for level in levels:
        price_e9 = level.price_e9
        if price_e9 <= 0:
            field = f"{name}.price_e9"
            raise DecodeError(R.PRICE_NOT_POSITIVE, field, str(price_e9), "at least 1")
        if level.quantity <= 0:
            field = f"{name}.quantity"
            raise DecodeError(R.QUANTITY_NOT_POSITIVE, field, str(level.quantity), "at least 1")
        if before is not None and (price_e9 >= before if side is Side.BUY else price_e9 <= before):
            bound = f"{'below' if side is Side.BUY else 'above'} {before}, best first"
            raise DecodeError(R.BOOK_NOT_ORDERED, f"{name}.price_e9", str(price_e9), bound)
        before = price_e9


def _check_bands(message: TradingStatusChanged) -> None:
    lower_e9, upper_e9 = message.lower_band_e9, message.upper_band_e9
    if lower_e9 < 0:
        raise DecodeError(R.VALUE_OUT_OF_RANGE, "lower_band_e9", str(lower_e9), "at least 0")
    if upper_e9 < 0 or 0 < upper_e9 < lower_e9:
        bound = f"0, or at least {lower_e9}"
        raise DecodeError(R.VALUE_OUT_OF_RANGE, "upper_band_e9", str(upper_e9), bound)


def _check_trade(message: TradePrinted) -> None:
    if message.price_e9 <= 0:
        raise DecodeError(R.PRICE_NOT_POSITIVE, "price_e9", str(message.price_e9), "at least 1")
    if message.quantity <= 0:
        raise DecodeError(R.QUANTITY_NOT_POSITIVE, "quantity", str(message.quantity), "at least 1")
    if not 0 <= message.own_quantity <= message.quantity:
        own, bound = str(message.own_quantity), f"0..{message.quantity}"
        raise DecodeError(R.VALUE_OUT_OF_RANGE, "own_quantity", own, bound)


def _check_auction(message: AuctionIndicated) -> None:
    for name in ("price_e9", "reference_price_e9"):
        price_e9 = getattr(message, name)
        if price_e9 is not None and price_e9 <= 0:
            raise DecodeError(R.PRICE_NOT_POSITIVE, name, str(price_e9), "at least 1")
    for name in ("quantity", "imbalance_quantity"):
        quantity = getattr(message, name)
        if not 0 <= quantity <= QUANTITY_MAX:
            bound = f"0..{QUANTITY_MAX}"
            raise DecodeError(R.VALUE_OUT_OF_RANGE, name, str(quantity), bound)
    if message.auction not in AUCTIONS:
        bound = ", ".join(AUCTIONS)
        raise DecodeError(R.VALUE_OUT_OF_RANGE, "auction", message.auction, bound)
    if not 0 < message.cutoff_ns <= message.uncross_ns:
        bound = f"1..{message.uncross_ns}, the uncrossing"
        raise DecodeError(R.VALUE_OUT_OF_RANGE, "cutoff_ns", str(message.cutoff_ns), bound)
