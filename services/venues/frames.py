"""What a market source says of one step: other people's books, trades and dark interest."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol

from schemas.messages.core import BookState, PhaseKind, Side
from schemas.messages.market import TradingStatusChanged

__all__ = [
    "UNMOVED",
    "BookTarget",
    "CallTarget",
    "ContraInterest",
    "Frame",
    "HiddenOrder",
    "MarketSource",
    "MarketTrade",
    "Moved",
    "StatusChange",
    "midpoint_of",
]

PriceLevel = tuple[int, int]  # price_e9, quantity
Moved = Mapping[str, int]  # by instrument: how far our trading moved its price, 1e-9 currency units
UNMOVED: Moved = MappingProxyType({})


class HiddenOrder(NamedTuple):
    """Interest of others that the book does not show. A new `key` replaces the one before."""

    key: int
    price_e9: int
    quantity: int  # 0 for none


class BookTarget(NamedTuple):
    """What others show at one venue at the end of the step, best first."""

    venue_id: str
    instrument_id: str
    state: BookState
    bids: tuple[PriceLevel, ...]
    asks: tuple[PriceLevel, ...]
    hidden_bid: HiddenOrder | None = None
    hidden_ask: HiddenOrder | None = None


class MarketTrade(NamedTuple):
    """Somebody else takes `quantity` at a venue."""

    at_ns: int
    venue_id: str
    instrument_id: str
    aggressor: Side
    quantity: int
    price_e9: int | None  # where a tape says that it printed; None walks the book
    is_hidden: bool = False


class ContraInterest(NamedTuple):
    """Somebody else waits in the dark for the midpoint."""

    at_ns: int
    venue_id: str
    instrument_id: str
    side: Side
    quantity: int
    until_ns: int


class CallTarget(NamedTuple):
    """What others have in one auction at the end of the step, in the order in which they came.

    An auction is known from its first target on; the step that ends at `uncross_ns` ends it.
    """

    venue_id: str
    instrument_id: str
    kind: PhaseKind  # CONTINUOUS: it reopens trading after a halt
    buys: tuple[tuple[int | None, int], ...]  # limit price_e9 (None: any), quantity
    sells: tuple[tuple[int | None, int], ...]
    reference_e9: int
    cutoff_ns: int
    uncross_ns: int
    is_primary: bool
    is_shown: bool  # whether the venue publishes where it stands


class StatusChange(NamedTuple):
    """What the market says of an instrument's trading."""

    at_ns: int
    message: TradingStatusChanged


class Frame(NamedTuple):
    """One step. Trades and interest are in order of time."""

    targets: tuple[BookTarget, ...]
    trades: tuple[MarketTrade, ...]
    interest: tuple[ContraInterest, ...]
    calls: tuple[CallTarget, ...] = ()
    statuses: tuple[StatusChange, ...] = ()


class MarketSource(Protocol):
    """A recorded or generated market.

    Frames are functions of the scenario, the step, and how far our own trading has moved prices.
    """

    def frame(self, step: int, moved: Moved = UNMOVED) -> Frame:
        """Return the step, from 0 (the books before the first second) on."""


def midpoint_of(targets: Iterable[BookTarget], instrument_id: str) -> int | None:
    """Return the middle of the best bid and offer that others show; None without both.

    Rounds: down.
    """
    bids = [
        each.bids[0][0] for each in targets if each.instrument_id == instrument_id and each.bids
    ]
    asks = [
        each.asks[0][0] for each in targets if each.instrument_id == instrument_id and each.asks
    ]
    return (max(bids) + min(asks)) // 2 if bids and asks else None
